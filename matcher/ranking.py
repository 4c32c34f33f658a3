"""Pure: neighbours -> candidates, one per person; and how many strangers may look as much alike."""

import math
from collections.abc import Iterable, Mapping, Sequence

from matcher.contract import Candidate, GalleryPhoto

TAIL_AT_LEAST = 10  # strangers, to say anything about how strangers score


def best_by_person(neighbours: Iterable[tuple[int, float]], whose: Mapping[int, str]) -> list[tuple[str, float]]:
    """(person, best score), best first. A photograph that is not in `whose` may not be searched: it is passed over."""
    best: dict[str, float] = {}
    for number, score in neighbours:
        if number in whose:
            best.setdefault(whose[number], score)
    return sorted(best.items(), key=lambda one: (-one[1], one[0]))


def candidates(
    best: Sequence[tuple[str, float]],
    scores: Mapping[int, float],
    photos_of: Mapping[str, Sequence[tuple[int, GalleryPhoto]]],
    k: int,
) -> tuple[Candidate, ...]:
    """The `k` best people with every photograph that may be shown, best first, those without a score last (M15).

    Whoever is not in `photos_of` any more was sealed meanwhile: eligibility is checked before and after ranking (M12).
    """
    shown = [(person, score) for person, score in best if person in photos_of][:k]
    return tuple(
        Candidate(rank=rank, person_id=person, score=score, photos=_best_first(photos_of[person], scores))
        for rank, (person, score) in enumerate(shown, start=1)
    )


def _best_first(photos: Sequence[tuple[int, GalleryPhoto]], scores: Mapping[int, float]) -> tuple[GalleryPhoto, ...]:
    return tuple(photo for _, photo in sorted(photos, key=lambda one: -scores.get(one[0], -2.0)))


def look_alikes(best: Sequence[tuple[str, float]], gallery_people: int) -> float | None:
    """How many strangers in this gallery are expected to score as high as the best candidate does (X6).

    From the probe's own scores against everybody but the best candidate: what lies above their lowest score falls off
    exponentially (peaks over a threshold, Pickands 1975). About 0 where the best candidate stands alone, near 1 where
    the best stranger may well be all there is. None where too few people were compared.
    """
    if len(best) - 1 < TAIL_AT_LEAST or gallery_people < len(best):
        return None
    top, rest = best[0][1], [score for _, score in best[1:]]
    floor = rest[-1]
    mean = sum(score - floor for score in rest[:-1]) / (len(rest) - 1)
    if mean <= 0:
        return None
    return float(len(rest) * math.exp(-max(top - floor, 0.0) / mean))
