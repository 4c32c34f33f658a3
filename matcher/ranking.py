"""Pure: neighbours -> candidates, one per person."""

from collections.abc import Iterable, Mapping

from matcher.contract import Candidate, GalleryPhoto


def candidates(
    neighbours: Iterable[tuple[str, float]],
    person_of: Mapping[str, str],
    photos: Mapping[str, GalleryPhoto],
    k: int,
) -> tuple[Candidate, ...]:
    """The `k` people nearest to the probe, each once, with all their eligible photographs, best first (M15).

    `neighbours` are (photo id, cosine), best first; what is not in `photos` is not eligible and is passed over, though
    the index should not have had it: eligibility is checked before and after ranking (M12).
    """
    best: dict[str, float] = {}
    scored: dict[str, dict[str, float]] = {}
    for photo, score in neighbours:
        if photo in photos:
            person = person_of[photo]
            best.setdefault(person, score)
            scored.setdefault(person, {})[photo] = score
    first = sorted(best, key=lambda person: (-best[person], person))[:k]
    return tuple(
        Candidate(rank=rank, person_id=person, score=best[person], photos=_photos(person, scored, person_of, photos))
        for rank, person in enumerate(first, start=1)
    )


def _photos(
    person: str,
    scored: Mapping[str, Mapping[str, float]],
    person_of: Mapping[str, str],
    photos: Mapping[str, GalleryPhoto],
) -> tuple[GalleryPhoto, ...]:
    every = [photo for photo in photos if person_of[photo] == person]
    every.sort(key=lambda photo: (-scored[person].get(photo, -2.0), photo))
    return tuple(photos[photo] for photo in every)
