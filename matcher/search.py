"""A probe's vector -> candidates: exact, complete, and nobody who may not be searched at this very moment."""

import asyncio
import time
from dataclasses import dataclass

from matcher import gallery, ranking
from matcher.classes import Allowed
from matcher.contract import Candidate, Certificate, GalleryFacts
from matcher.fresh import Vector
from matcher.gallery import Conn
from matcher.index import Contents, Neighbours

PER_PERSON = 4  # photographs looked at for each person asked for; more when some people have many


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a search gave, why it is complete, and how many strangers may look as much alike."""

    candidates: tuple[Candidate, ...]
    certificate: Certificate
    look_alikes: tuple[float, ...]  # by candidate; empty where too few people were compared to say
    scanning: float  # seconds of it spent comparing vectors


async def search(conn: Conn, index: Contents, facts: GalleryFacts, probe: Vector, k: int, allowed: Allowed) -> Outcome:
    """The `k` best people. Every one whose best photograph reaches the k-th score is among them (X5).

    Photographs of the `allowed` classes alone are compared, counted and shown.
    """
    while True:
        near, best, complete, scanning = await _people(conn, index, probe, k, allowed)
        photos = await gallery.photos_of(conn, [person for person, _ in best[:k]], allowed)
        if all(person in photos for person, _ in best[:k]):
            break  # otherwise somebody was sealed in this moment, and the next best takes the place
    found = ranking.candidates(best, dict(near.found), photos, k)
    certificate = Certificate(
        searched=near.searched,
        error_bound=near.error_bound,
        rescored=near.rescored,
        kth_score=found[-1].score if found else -1.0,
        faceless=facts.faceless,
        complete=complete and not facts.unmeasured,
    )
    return Outcome(found, certificate, ranking.look_alikes(best, len(found), facts.people), scanning)


async def _people(
    conn: Conn, index: Contents, probe: Vector, k: int, allowed: Allowed
) -> tuple[Neighbours, list[tuple[str, float]], bool, float]:
    """Neighbours until `k` different people are among them, or everything is; and the seconds spent scanning."""
    count, scanning = k * PER_PERSON, 0.0
    while True:
        began = time.perf_counter()
        near = await asyncio.to_thread(index.nearest, probe, count, allowed)
        scanning += time.perf_counter() - began
        whose = await gallery.whose(conn, [number for number, _ in near.found], allowed)
        best = ranking.best_by_person(near.found, whose)
        everything = len(near.found) < count or count >= near.searched
        if len(best) >= k or everything:
            return near, best, len(best) >= k or len(near.found) == near.searched, scanning
        count *= 4
