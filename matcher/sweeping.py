"""Looks the gallery through for what should not be in it (SQL), and finds photographs without a vector."""

import asyncio
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher import custody, gallery
from matcher.contract import ModelFacts
from matcher.gallery import Conn

BLOCK = 2048


@dataclass(frozen=True, slots=True)
class Finding:
    """The same file, or the same face, under two identities: for a person to look at."""

    what: str
    people: tuple[str, ...]
    score: float | None = None


async def sweep(conn: Conn, model: ModelFacts, threshold: float) -> list[Finding]:
    """Same files and same faces under several identities; nothing is changed."""
    files = [Finding("same file", tuple(people)) for _, people in await custody.same_file(conn)]
    held = await gallery.read_all(conn, model.sha256, model.dimension)
    pairs = await asyncio.to_thread(alike, np.asarray(held.vectors), threshold)
    whose = await custody.numbered(conn, [int(held.numbers[row]) for pair in pairs for row in pair[:2]])
    faces: dict[tuple[str, ...], float] = {}
    for a, b, score in pairs:
        people = {whose[int(held.numbers[row])].person for row in (a, b)}
        if len(people) > 1:
            both = tuple(sorted(people))
            faces[both] = max(score, faces.get(both, -1.0))
    said = {finding.people for finding in files}
    return files + [Finding("same face", both, score) for both, score in sorted(faces.items()) if both not in said]


def alike(vectors: NDArray[np.float32], threshold: float) -> list[tuple[int, int, float]]:
    """Pairs of rows whose cosine reaches the threshold."""
    out: list[tuple[int, int, float]] = []
    for at in range(0, len(vectors), BLOCK):
        for other in range(at, len(vectors), BLOCK):
            scores = vectors[at : at + BLOCK] @ vectors[other : other + BLOCK].T
            for a, b in np.argwhere(scores >= threshold):
                if at + a < other + b:
                    out.append((int(at + a), int(other + b), float(scores[a, b])))
    return out


WITHOUT_VECTOR = """
SELECT eligible.id, picture.jpeg FROM gallery.eligible JOIN gallery.picture ON picture.photograph = eligible.id
WHERE NOT EXISTS (SELECT FROM gallery.embedding WHERE photograph = eligible.id AND model_sha256 = $1)
ORDER BY eligible.number
"""


async def without_vector(conn: Conn, model: str) -> list[tuple[str, bytes]]:
    """Photographs that may be searched and have no vector of this model: (id, picture)."""
    return [(row["id"], row["jpeg"]) for row in await conn.fetch(WITHOUT_VECTOR, model)]


PUT_VECTOR = """
INSERT INTO gallery.embedding (photograph, model_sha256, vector)
SELECT id, $2, $3 FROM gallery.photograph WHERE id = $1 ON CONFLICT DO NOTHING
"""


async def put_vector(conn: Conn, photo_id: str, model: str, vector: bytes) -> None:
    """The photograph has this vector of this model."""
    await conn.execute(PUT_VECTOR, photo_id, model, vector)
