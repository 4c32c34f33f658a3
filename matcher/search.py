"""A probe's vector -> candidates: exact, complete, and nobody who may not be searched at this very moment."""

import asyncio
from dataclasses import dataclass

from matcher import gallery, ranking
from matcher.contract import Candidate, Certificate, GalleryFacts
from matcher.gallery import Conn
from matcher.index import GalleryIndex, Neighbours, Vector

PER_PERSON = 4  # photographs looked at for each person asked for; more when some people have many


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a search gave, why it is complete, and how many strangers may look as much alike."""

    candidates: tuple[Candidate, ...]
    certificate: Certificate
    look_alikes: float | None


async def search(conn: Conn, index: GalleryIndex, facts: GalleryFacts, probe: Vector, k: int) -> Outcome:
    """The `k` best people. Every one whose best photograph reaches the k-th score is among them (X5)."""
    near, best, complete = await _people(conn, index, probe, k)
    photos = await gallery.photos_of(conn, [person for person, _ in best[:k]])
    found = ranking.candidates(best, dict(near.found), photos, k)
    certificate = Certificate(
        searched=near.searched,
        error_bound=near.error_bound,
        rescored=near.rescored,
        kth_score=found[-1].score if found else -1.0,
        complete=complete,
    )
    return Outcome(found, certificate, ranking.look_alikes(best, facts.people))


async def _people(
    conn: Conn, index: GalleryIndex, probe: Vector, k: int
) -> tuple[Neighbours, list[tuple[str, float]], bool]:
    """Neighbours until `k` different people are among them, or everything is."""
    count = k * PER_PERSON
    while True:
        near = await asyncio.to_thread(index.nearest, probe, count)
        whose = await gallery.whose(conn, [number for number, _ in near.found])
        best = ranking.best_by_person(near.found, whose)
        everything = len(near.found) < count or count >= near.searched
        if len(best) >= k or everything:
            return near, best, len(best) >= k or len(near.found) == near.searched
        count *= 4
