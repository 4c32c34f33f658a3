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


def look_alikes(best: Sequence[tuple[str, float]], count: int, gallery_people: int) -> tuple[float, ...]:
    """How many strangers in this gallery are expected to score as high as each of the `count` best does (X6).

    From the probe's own scores against everybody but that candidate: what lies above their lowest score falls off
    exponentially (peaks over a threshold, Pickands 1975). About 0 where the candidate stands alone, near 1 where the
    best stranger may well be all there is. The probe's quality and the gallery's size are in those scores. Empty where
    too few people were compared.
    """
    if len(best) - 1 < TAIL_AT_LEAST or gallery_people < len(best):
        return ()
    scores = [score for _, score in best]
    found = [_as_high(score, scores[:at] + scores[at + 1 :]) for at, score in enumerate(scores[:count])]
    return tuple(one for one in found if one is not None) if None not in found else ()


def _as_high(score: float, rest: Sequence[float]) -> float | None:
    """How many of the people of whom `rest` are the best scores, best first, are expected to reach `score`."""
    floor = rest[-1]
    mean = sum(one - floor for one in rest[:-1]) / (len(rest) - 1)
    return len(rest) * math.exp(-max(score - floor, 0.0) / mean) if mean > 0 else None
