"""Looks the gallery through for what should not be in it (SQL), and finds photographs without a vector."""

import asyncio
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher import custody, gallery, images
from matcher.contract import ModelFacts
from matcher.faces import Faces
from matcher.gallery import Conn
from matcher.images import ImageRefusedError

BLOCK = 2048
SAME_PICTURE = 0.99  # cosine: one photograph, encoded twice


@dataclass(frozen=True, slots=True)
class Finding:
    """Something for a person to look at."""

    what: str
    people: tuple[str, ...]
    photos: tuple[str, ...] = ()
    score: float | None = None  # cosine


async def sweep(conn: Conn, faces: Faces, threshold: float, *, every_picture: bool = False) -> list[Finding]:
    """What is in the gallery twice, under two identities, or without a face; nothing is changed.

    Pictures without a vector of this model are looked at again; with `every_picture`, all are, which takes a while.
    """
    files = [Finding("same file", tuple(people)) for _, people in await custody.same_file(conn)]
    said = {finding.people for finding in files}
    alike = [finding for finding in await _alike(conn, faces.model, threshold) if finding.people not in said]
    return files + alike + await _without_face(conn, faces, every_picture=every_picture)


async def _alike(conn: Conn, model: ModelFacts, threshold: float) -> list[Finding]:
    """The same face under two identities, the best pair of each two; the same picture twice under one."""
    held = await gallery.read_all(conn, model.sha256, model.dimension)
    pairs = await asyncio.to_thread(alike, np.asarray(held.vectors), threshold)
    whose = await custody.numbered(conn, [int(held.numbers[row]) for pair in pairs for row in pair[:2]])
    best: dict[tuple[str, ...], Finding] = {}
    for a, b, score in pairs:
        both = [whose[int(held.numbers[row])] for row in (a, b) if int(held.numbers[row]) in whose]
        if len(both) < 2:  # noqa: PLR2004 - one was expunged just now
            continue
        people = tuple(sorted({one.person for one in both}))
        if len(people) == 1 and score < SAME_PICTURE:
            continue  # one person's photographs look alike
        what = "same face" if len(people) > 1 else "same picture twice"
        key = people if len(people) > 1 else (*people, both[0].photo, both[1].photo)
        if key not in best or score > (best[key].score or -1.0):
            best[key] = Finding(what, people, (both[0].photo, both[1].photo), score)
    return sorted(best.values(), key=lambda one: (one.what, one.people, one.photos))


async def _without_face(conn: Conn, faces: Faces, *, every_picture: bool) -> list[Finding]:
    model = None if every_picture else faces.model.sha256
    out: list[Finding] = []
    for photo_id, person in await _to_look_at(conn, model):
        jpeg = await gallery.picture(conn, photo_id)
        if jpeg is not None and (why := await asyncio.to_thread(_why_not_one_face, faces, jpeg)):
            out.append(Finding(why, (person,), (photo_id,)))
    return out


def _why_not_one_face(faces: Faces, jpeg: bytes) -> str | None:
    try:
        found = faces.find(images.decode(jpeg))
    except ImageRefusedError:
        return "picture cannot be read"
    return None if len(found) == 1 else f"{len(found)} faces" if found else "no face"


TO_LOOK_AT = """
SELECT id, person FROM gallery.eligible
WHERE $1::text IS NULL OR NOT EXISTS (
    SELECT FROM gallery.embedding WHERE photograph = eligible.id AND model_sha256 = $1)
ORDER BY number
"""


async def _to_look_at(conn: Conn, model: str | None) -> list[tuple[str, str]]:
    """(photograph, person) of those without a vector of this model; of all, where no model is named."""
    return [(row["id"], row["person"]) for row in await conn.fetch(TO_LOOK_AT, model)]


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
SELECT eligible.id AS photo, eligible.number, picture.jpeg FROM gallery.eligible
JOIN gallery.picture ON picture.photograph = eligible.id
WHERE eligible.number > $2
    AND NOT EXISTS (SELECT FROM gallery.embedding WHERE photograph = eligible.id AND model_sha256 = $1)
ORDER BY eligible.number LIMIT $3
"""


@dataclass(frozen=True, slots=True)
class Missing:
    """A photograph that may be searched and has no vector of a model, with its picture."""

    photo: str
    number: int
    jpeg: bytes


async def without_vector(conn: Conn, model: str, after: int, count: int) -> list[Missing]:
    """The first `count` of them by number, after the number `after`."""
    return [Missing(**dict(row)) for row in await conn.fetch(WITHOUT_VECTOR, model, after, count)]


PUT_VECTOR = """
INSERT INTO gallery.embedding (photograph, model_sha256, vector)
SELECT id, $2, $3 FROM gallery.photograph WHERE id = $1 ON CONFLICT DO NOTHING
"""


async def put_vector(conn: Conn, photo_id: str, model: str, vector: bytes) -> None:
    """The photograph has this vector of this model."""
    await conn.execute(PUT_VECTOR, photo_id, model, vector)


PUT_FACELESS = """
INSERT INTO gallery.faceless (photograph, model_sha256, faces)
SELECT id, $2, $3 FROM gallery.photograph WHERE id = $1 ON CONFLICT DO NOTHING
"""


async def put_faceless(conn: Conn, photo_id: str, model: str, faces: int) -> None:
    """The photograph was looked at with this model, which finds none or several faces in it: it has no vector."""
    await conn.execute(PUT_FACELESS, photo_id, model, faces)
