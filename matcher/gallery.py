"""Who is enrolled, on what legal basis (SQL), and the index kept in step with it. Names asyncpg for the matcher."""

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, LiteralString, cast
from uuid import uuid4

import asyncpg
import numpy as np

from matcher.contract import GalleryFacts, GalleryPhoto, PersonFacts
from matcher.index import NearestPhotos, Vector

Conn = Any
Pool = Any
AWAY = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError, TimeoutError)
COMMAND_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Enrolment:
    """One photograph to enrol, with everything the law asks about it (M12)."""

    person: str
    name: str
    legal_basis: str
    agency: str
    arrest_id: str
    taken_on: date
    sealed: bool
    juvenile: bool
    sex: str | None
    birth_year: int | None
    height_cm: float | None
    weight_kg: float | None
    marks: str | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The gallery as it is searched: index, what its keys mean, and the root that pins it (M14)."""

    index: NearestPhotos
    photo_of: Mapping[int, str]
    person_of: Mapping[str, str]
    photos: Mapping[str, GalleryPhoto]
    facts: GalleryFacts


async def connect(url: str, name: str) -> Pool:
    return await asyncpg.create_pool(
        url, min_size=1, max_size=6, command_timeout=COMMAND_TIMEOUT, server_settings={"application_name": name}
    )


ELIGIBLE = """
SELECT photograph.id, photograph.number, photograph.person, photograph.legal_basis, photograph.agency,
    photograph.arrest_id, photograph.taken_on, embedding.vector
FROM gallery.photograph JOIN gallery.embedding ON embedding.photograph = photograph.id AND embedding.model_sha256 = $1
WHERE NOT photograph.sealed AND NOT photograph.juvenile
ORDER BY photograph.number
"""


async def snapshot(conn: Conn, model: str, dimension: int) -> Snapshot:
    """Everything that may lawfully be searched with this model, as one unchanging whole."""
    rows = await conn.fetch(ELIGIBLE, model)
    vectors = np.zeros((len(rows), dimension), np.float32)
    for at, row in enumerate(rows):
        vectors[at] = np.frombuffer(row["vector"], "<f4")
    photos = {row["id"]: _photo(row) for row in rows}
    people = {row["id"]: row["person"] for row in rows}
    facts = GalleryFacts(photos=len(rows), people=len(set(people.values())), root=_root(rows))
    index = await asyncio.to_thread(NearestPhotos, [row["number"] for row in rows], vectors)
    return Snapshot(index, {row["number"]: row["id"] for row in rows}, people, photos, facts)


def _photo(row: Any) -> GalleryPhoto:
    return GalleryPhoto(
        photo_id=row["id"],
        taken_on=row["taken_on"],
        agency=row["agency"],
        arrest_id=row["arrest_id"],
        legal_basis=row["legal_basis"],
    )


def _root(rows: list[Any]) -> str:
    """RFC 6962's tree hash over (photo id, vector), in the order of their numbers."""
    level = [hashlib.sha256(b"\0" + row["id"].encode() + bytes(row["vector"])).digest() for row in rows]
    if not level:
        return hashlib.sha256(b"").hexdigest()
    while len(level) > 1:
        paired = [hashlib.sha256(b"\1" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=False)]
        level = paired + level[len(paired) * 2 :]
    return level[0].hex()


PICTURE = """
SELECT picture.jpeg FROM gallery.picture JOIN gallery.photograph ON photograph.id = picture.photograph
WHERE photograph.id = $1 AND NOT photograph.sealed AND NOT photograph.juvenile
"""


async def picture(conn: Conn, photo_id: str) -> bytes | None:
    """The photograph as it may be shown; None where there is none, or none any more."""
    return await conn.fetchval(PICTURE, photo_id)


PERSON = """
SELECT id, name, sex, birth_year, height_cm, weight_kg, marks FROM gallery.person WHERE id = $1
"""
PHOTOS_OF = """
SELECT id, legal_basis, agency, arrest_id, taken_on FROM gallery.photograph
WHERE person = $1 AND NOT sealed AND NOT juvenile ORDER BY taken_on DESC, id
"""


async def person(conn: Conn, person_id: str) -> PersonFacts | None:
    """Pedigree and eligible photographs; None where nothing about the person may be shown."""
    row = await conn.fetchrow(PERSON, person_id)
    photos = await conn.fetch(PHOTOS_OF, person_id)
    if row is None or not photos:
        return None
    pedigree = {key: value for key, value in dict(row).items() if key != "id"}
    return PersonFacts(person_id=row["id"], photos=tuple(_photo(photo) for photo in photos), **pedigree)


ENROLLED = "SELECT id FROM gallery.photograph WHERE person = $1 AND ingest_sha256 = $2"
PUT_PERSON = """
INSERT INTO gallery.person (id, name, sex, birth_year, height_cm, weight_kg, marks)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING
"""
PUT_PHOTOGRAPH = """
INSERT INTO gallery.photograph
    (id, person, legal_basis, agency, arrest_id, taken_on, sealed, juvenile, ingest_sha256, enrolled_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT ON CONSTRAINT once_per_person DO NOTHING RETURNING id
"""
PUT_PICTURE = "INSERT INTO gallery.picture (photograph, jpeg) VALUES ($1, $2)"
PUT_EMBEDDING = "INSERT INTO gallery.embedding (photograph, model_sha256, vector) VALUES ($1, $2, $3)"
LEDGER = "SELECT ledger.append('gallery', 'PhotographEnrolled', $1, $2, $3::jsonb, '{}'::jsonb)"


async def enrolled(conn: Conn, person_id: str, sha256: str) -> bool:
    return await conn.fetchval(ENROLLED, person_id, sha256) is not None


async def enrol(
    conn: Conn, row: Enrolment, *, sha256: str, jpeg: bytes, vector: Vector, model: str, by: str, now: datetime
) -> bool:
    """The photograph can be searched, and the ledger says who enrolled it; False where it was enrolled before."""
    photo_id = uuid4().hex
    async with conn.transaction():
        pedigree = (row.sex, row.birth_year, row.height_cm, row.weight_kg, row.marks)
        await conn.execute(PUT_PERSON, row.person, row.name, *pedigree)
        facts = (row.legal_basis, row.agency, row.arrest_id, row.taken_on, row.sealed, row.juvenile)
        if await conn.fetchval(PUT_PHOTOGRAPH, photo_id, row.person, *facts, sha256, by) is None:
            return False
        await conn.execute(PUT_PICTURE, photo_id, jpeg)
        await conn.execute(PUT_EMBEDDING, photo_id, model, vector.astype("<f4").tobytes())
        said = f'{{"photo": "{photo_id}", "ingest_sha256": "{sha256}", "model_sha256": "{model}"}}'
        await conn.execute(LEDGER, now, by, said)
    return True


async def hear_changes(url: str, changed: Callable[[], None]) -> None:
    """Calls `changed` at every change of the gallery, and after every reconnection, until cancelled."""
    while True:
        with contextlib.suppress(*AWAY):
            conn = await asyncpg.connect(url, timeout=5, command_timeout=COMMAND_TIMEOUT)
            try:
                await conn.add_listener("leadgate_gallery", lambda *_: changed())
                changed()
                while not conn.is_closed():
                    await asyncio.sleep(5)
                    await conn.execute(cast("LiteralString", "SELECT 1"))
            finally:
                conn.terminate()
        await asyncio.sleep(0.5)
