"""Who may be searched, and what may be shown of them (SQL). Names asyncpg for the matcher; Postgres is the truth."""

import asyncio
import contextlib
import hashlib
import json
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any, LiteralString, Protocol

import asyncpg
import numpy as np

from matcher import snapshot
from matcher.classes import ARREST, Allowed, Classes
from matcher.contract import GalleryPhoto, PersonFacts
from matcher.fresh import Vector
from matcher.index import Change
from matcher.snapshot import Snapshot

CHANNEL = "leadgate_gallery"
COMMAND_TIMEOUT = 30.0
CONNECT_TIMEOUT = 5.0
PAUSE = 0.5
MANY = 2_000  # rows read at a time
AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    OSError,
    TimeoutError,
)
REFUSED = (asyncpg.CheckViolationError, asyncpg.InsufficientPrivilegeError)  # by the database's own rules

UNUSABLE: dict[type[BaseException], str] = {
    asyncpg.ClientConfigurationError: "The database's address cannot be read (LEADGATE_MATCHER_DATABASE_URL).",
    asyncpg.InvalidCatalogNameError: "There is no database of that name. Make it, then: leadgate db upgrade.",
    asyncpg.InvalidAuthorizationSpecificationError: "The database does not know this login (leadgate db login).",
    asyncpg.UndefinedTableError: "The database has no gallery yet: leadgate db upgrade.",
    asyncpg.InvalidSchemaNameError: "The database has no gallery yet: leadgate db upgrade.",
    asyncpg.UndefinedColumnError: "The database is of an earlier release: leadgate db upgrade.",
}


def unusable(error: BaseException) -> str | None:
    """What is wrong with the database that we were told of, and what to do; None where it is something else."""
    return next((told for kind, told in UNUSABLE.items() if isinstance(error, kind)), None)


def why_not(error: BaseException) -> str:
    """A sentence about a database that cannot be used, or does not answer."""
    return unusable(error) or f"The database does not answer ({type(error).__name__})."


class VectorError(Exception):
    """A vector in the gallery is not this model's; the message says whose and what to do. Nothing can be searched."""


class Conn(Protocol):
    """A database connection, as far as we use one: SQL must be text from our own source."""

    async def execute(self, query: LiteralString, *args: object) -> str: ...
    async def executemany(self, command: LiteralString, args: Iterable[tuple[object, ...]]) -> None: ...
    async def fetch(self, query: LiteralString, *args: object) -> list[Any]: ...
    async def fetchrow(self, query: LiteralString, *args: object) -> Any: ...
    async def fetchval(self, query: LiteralString, *args: object) -> Any: ...
    def cursor(self, query: LiteralString, *args: object, prefetch: int) -> Any: ...
    def transaction(self, *, isolation: str | None = None) -> AbstractAsyncContextManager[Any]: ...


class Pool(Protocol):
    """Connections, as far as we use them."""

    def acquire(self) -> AbstractAsyncContextManager[Conn]: ...
    async def close(self) -> None: ...


async def connect(url: str, name: str) -> Pool:
    """A pool whose statements end within 30 s; jsonb is Python objects."""
    settings = {"application_name": name, "timezone": "UTC"}
    try:
        made: Any = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=6,
            init=_prepare,
            timeout=CONNECT_TIMEOUT,
            command_timeout=COMMAND_TIMEOUT,
            server_settings=settings,
        )
    except ValueError:  # the address may hold a password: it is not shown
        raise asyncpg.ClientConfigurationError("no address of a database") from None
    return made


async def close(pool: Pool) -> None:
    """Every connection is closed, at once where the server does not answer."""
    with contextlib.suppress(*AWAY):
        async with asyncio.timeout(CONNECT_TIMEOUT):
            await pool.close()  # cut short, it cuts them off


async def _prepare(conn: Any) -> None:
    await conn.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


# --- what is searched -------------------------------------------------------------------------------------------------

THROUGH = "SELECT coalesce(max(n), 0) FROM gallery.change"
SIZE = "SELECT count(*) FROM gallery.eligible"
ELIGIBLE = """
SELECT eligible.number, embedding.vector, faceless.photograph IS NOT NULL AS faceless FROM gallery.eligible
LEFT JOIN gallery.embedding ON embedding.photograph = eligible.id AND embedding.model_sha256 = $1
LEFT JOIN gallery.faceless ON faceless.photograph = eligible.id AND faceless.model_sha256 = $1
ORDER BY eligible.number
"""


async def read_all(conn: Conn, model: str, dimension: int) -> Snapshot:
    """Everything that may lawfully be searched with this model, as of one moment."""
    async with conn.transaction(isolation="repeatable_read"):
        through = await conn.fetchval(THROUGH)
        room = await conn.fetchval(SIZE)
        numbers, vectors, at = np.zeros(room, np.int64), np.zeros((room, dimension), np.float32), 0
        without: list[Any] = []
        async for row in conn.cursor(ELIGIBLE, model, prefetch=MANY):
            if row["vector"] is None:
                without.append(row)
                continue
            numbers[at], vectors[at] = row["number"], _vector(row, dimension)
            at += 1
    made = await asyncio.to_thread(snapshot.made, numbers[:at], vectors[:at], through)
    unmeasured, faceless = _without_vector(without)
    return replace(made, unmeasured=unmeasured, faceless=faceless)


def _without_vector(rows: Iterable[Any]) -> tuple[frozenset[int], frozenset[int]]:
    """Of rows without a vector: those that nobody has measured with this model, and those without a face to it."""
    numbers = {row["number"]: row["faceless"] for row in rows if row["vector"] is None}
    faceless = frozenset(number for number, seen in numbers.items() if seen)
    return frozenset(numbers) - faceless, faceless


CLASSES = "SELECT number, legal_basis FROM gallery.photograph WHERE legal_basis <> 'arrest'"


async def read_classes(conn: Conn) -> Classes:
    """The classes of all photographs, those that may not be searched just now among them."""
    return Classes((row["number"], row["legal_basis"]) for row in await conn.fetch(CLASSES))


CHANGED = "SELECT DISTINCT number FROM gallery.change WHERE n > $1 AND n <= $2 ORDER BY number"
ELIGIBLE_AMONG = """
SELECT eligible.number, eligible.legal_basis, embedding.vector, faceless.photograph IS NOT NULL AS faceless
FROM gallery.eligible
LEFT JOIN gallery.embedding ON embedding.photograph = eligible.id AND embedding.model_sha256 = $2
LEFT JOIN gallery.faceless ON faceless.photograph = eligible.id AND faceless.model_sha256 = $2
WHERE eligible.number = ANY($1)
"""


async def read_changes(conn: Conn, model: str, dimension: int, after: int) -> Change:
    """What changed since change `after`: photographs, vectors of those that may be searched, the newest change."""
    async with conn.transaction(isolation="repeatable_read"):
        through = await conn.fetchval(THROUGH)
        numbers = [row["number"] for row in await conn.fetch(CHANGED, after, through)]
        vectors: dict[int, Vector] = {}
        listed: dict[int, str] = {}
        unmeasured: frozenset[int] = frozenset()
        faceless: frozenset[int] = frozenset()
        for at in range(0, len(numbers), MANY):
            rows = await conn.fetch(ELIGIBLE_AMONG, numbers[at : at + MANY], model)
            vectors |= {row["number"]: _vector(row, dimension) for row in rows if row["vector"] is not None}
            nobody, no_face = _without_vector(rows)
            unmeasured, faceless = unmeasured | nobody, faceless | no_face
            listed |= {row["number"]: row["legal_basis"] for row in rows if row["legal_basis"] != ARREST}
    return Change(tuple(numbers), vectors, through, listed, unmeasured, faceless)


def _vector(row: Any, dimension: int) -> Vector:
    """float32 of shape (dimension,), finite. Enrolment writes no other; what else writes to the database might."""
    vector = np.frombuffer(row["vector"], "<f4")
    if len(vector) == dimension and np.isfinite(vector).all():
        return vector
    raise VectorError(
        f"Photograph {row['number']} of the gallery has a vector of {len(vector)} dimensions, and the model's have "
        f"{dimension}, all of them numbers: something else than enrolment wrote it. Nothing is searched until that row "
        "of gallery.embedding is deleted and the photograph embedded again (leadgate gallery embed)."
    )


async def newest_change(conn: Conn) -> int:
    """The number of the last change that was committed."""
    return int(await conn.fetchval(THROUGH))


PEOPLE = "SELECT count(DISTINCT person) FROM gallery.eligible"


async def count_people(conn: Conn) -> int:
    """How many people may be searched for."""
    return int(await conn.fetchval(PEOPLE))


# --- what is shown ----------------------------------------------------------------------------------------------------

WHOSE = "SELECT number, person FROM gallery.eligible WHERE number = ANY($1) AND legal_basis = ANY($2)"


async def whose(conn: Conn, numbers: list[int], allowed: Allowed) -> dict[int, str]:
    """The person on each of these photographs, as far as it may be searched at this very moment (M12, M42)."""
    return {row["number"]: row["person"] for row in await conn.fetch(WHOSE, numbers, list(allowed))}


PHOTOS_OF = """
SELECT id, number, person, legal_basis, agency, arrest_id, taken_on FROM gallery.eligible
WHERE person = ANY($1) AND legal_basis = ANY($2) ORDER BY person, taken_on DESC, id
"""


async def photos_of(conn: Conn, people: list[str], allowed: Allowed) -> dict[str, list[tuple[int, GalleryPhoto]]]:
    """By person: every photograph of these classes that may be shown, with its number, newest first (M15)."""
    out: dict[str, list[tuple[int, GalleryPhoto]]] = {}
    for row in await conn.fetch(PHOTOS_OF, people, list(allowed)):
        out.setdefault(row["person"], []).append((row["number"], _photo(row)))
    return out


def _photo(row: Any) -> GalleryPhoto:
    return GalleryPhoto(
        photo_id=row["id"],
        taken_on=row["taken_on"],
        agency=row["agency"],
        arrest_id=row["arrest_id"],
        legal_basis=row["legal_basis"],
    )


PICTURE = """
SELECT picture.jpeg FROM gallery.eligible JOIN gallery.picture ON picture.photograph = eligible.id
WHERE eligible.id = $1
"""


async def picture(conn: Conn, photo_id: str) -> bytes | None:
    """The photograph as it may be shown; None where there is none, or none any more."""
    return await conn.fetchval(PICTURE, photo_id)


PERSON = "SELECT id, name, sex, birth_year, height_cm, weight_kg, marks FROM gallery.person WHERE id = $1"


CUSTODY = "SELECT began, ended FROM gallery.custody WHERE person = $1 ORDER BY began"


async def person(conn: Conn, person_id: str, allowed: Allowed) -> PersonFacts | None:
    """Pedigree and eligible photographs of these classes; None where nothing about the person may be shown."""
    row = await conn.fetchrow(PERSON, person_id)
    photos = (await photos_of(conn, [person_id], allowed)).get(person_id)
    if row is None or not photos:
        return None
    pedigree = {key: value for key, value in dict(row).items() if key != "id"}
    custody = tuple((spell["began"], spell["ended"]) for spell in await conn.fetch(CUSTODY, person_id))
    shown = tuple(photo for _, photo in photos)
    return PersonFacts(person_id=row["id"], photos=shown, custody=custody, **pedigree)


SOME = """
SELECT eligible.number, picture.jpeg FROM gallery.eligible
JOIN gallery.picture ON picture.photograph = eligible.id
JOIN gallery.embedding ON embedding.photograph = eligible.id AND embedding.model_sha256 = $1
ORDER BY eligible.number LIMIT $2
"""


IDENTITY = "SELECT id, (SELECT oid FROM pg_database WHERE datname = current_database()) AS oid FROM gallery.identity"


async def identity(conn: Conn) -> str:
    """Which gallery this is: 32 hexadecimal digits, different for every database, a copy of one included."""
    row = await conn.fetchrow(IDENTITY)
    return hashlib.sha256(f"{row['id']} {row['oid']}".encode()).hexdigest()[:32]


async def some_pictures(conn: Conn, model: str, count: int) -> list[tuple[int, bytes]]:
    """A few photographs that may be searched with this model: (number, picture)."""
    return [(row["number"], row["jpeg"]) for row in await conn.fetch(SOME, model, count)]


async def hear_changes(url: str, changed: Callable[[], None]) -> None:
    """Calls `changed` at every change of the gallery, and after every reconnection, until cancelled."""
    while True:
        with contextlib.suppress(*AWAY):
            conn = await asyncpg.connect(url, timeout=int(CONNECT_TIMEOUT), command_timeout=COMMAND_TIMEOUT)
            try:
                await conn.add_listener(CHANNEL, lambda *_: changed())
                changed()
                while not conn.is_closed():
                    await asyncio.sleep(5)
                    await conn.execute("SELECT 1")
            finally:
                conn.terminate()
        await asyncio.sleep(PAUSE)
