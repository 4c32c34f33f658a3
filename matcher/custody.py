"""The gallery's legal life after enrolment: sealed, unsealed, expunged, counted, looked through (SQL)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import LiteralString

from matcher.enrolment import LEDGER, ONE_AT_A_TIME
from matcher.gallery import Conn

# A court's order names an arrest or a person, seldom a photograph: each of the three is understood. The same file under
# another identity is the same photograph.
FOUND = """
SELECT id, person, agency, arrest_id, CASE WHEN id = $1 THEN 'photograph' WHEN person = $1 THEN 'person'
    ELSE 'arrest' END AS kind FROM gallery.photograph
WHERE (id = $1 AND $2 IN ('', 'photograph') OR person = $1 AND $2 IN ('', 'person')
    OR arrest_id = $1 AND $2 IN ('', 'arrest')) AND $3 IN ('', agency)
ORDER BY number FOR UPDATE
"""
SAME_PICTURES = """
SELECT id, person, agency, arrest_id, 'same file' AS kind FROM gallery.photograph
WHERE ingest_sha256 IN (SELECT ingest_sha256 FROM gallery.photograph WHERE id = ANY($1)) AND id <> ALL($1)
ORDER BY number FOR UPDATE
"""
SEAL = "UPDATE gallery.photograph SET sealed = true, seal_order = $2 WHERE id = ANY($1) AND NOT sealed RETURNING id"
UNSEAL = "UPDATE gallery.photograph SET sealed = false, seal_order = NULL WHERE id = ANY($1) AND sealed RETURNING id"


class AmbiguousError(Exception):
    """What an order names is several things; the message says which, and how to name one of them."""


class Kind(StrEnum):
    """What the name in an order is the name of."""

    PHOTOGRAPH = "photograph"
    ARREST = "arrest"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class What:
    """What an order is about: a name; of what, and at which agency, where that is not clear without."""

    name: str
    kind: Kind | None = None
    agency: str = ""


@dataclass(frozen=True, slots=True)
class Meant:
    """A photograph that an order is about, and how it came to be meant."""

    id: str
    person: str
    agency: str
    arrest_id: str
    kind: str


@dataclass(frozen=True, slots=True)
class Changed:
    """How many photographs were meant, and how many of them are now what they were not before."""

    meant: int
    changed: int


async def meant(conn: Conn, what: What) -> list[Meant]:
    """The photographs that an order is about, the same files under other identities last.

    Raises AmbiguousError where the name is that of a person and of an arrest, or of arrests of several agencies:
    what a court said of one is never done to another.
    """
    found = [Meant(**dict(row)) for row in await conn.fetch(FOUND, what.name, what.kind or "", what.agency)]
    _check_one(what, found)
    same = await conn.fetch(SAME_PICTURES, [one.id for one in found])
    return found + [Meant(**dict(row)) for row in same]


def _check_one(what: What, found: list[Meant]) -> None:
    kinds = sorted({one.kind for one in found})
    if len(kinds) > 1:
        raise AmbiguousError(f"{what.name} names {' and '.join(f'a {kind}' for kind in kinds)}. Say which is meant.")
    agencies = sorted({one.agency for one in found})
    if kinds == [Kind.ARREST] and len(agencies) > 1:
        raise AmbiguousError(f"{what.name} is an arrest at {' and at '.join(agencies)}. Say whose is meant.")


async def seal(conn: Conn, what: What, *, order: str, by: str, now: datetime) -> Changed:
    """No search finds these photographs from now on, nor others that are enrolled of the same arrest later."""
    return await _change(conn, what, SEAL, "PhotographsSealed", order, by, now, order)


async def unseal(conn: Conn, what: What, *, order: str, by: str, now: datetime) -> Changed:
    """Searches find these photographs again."""
    return await _change(conn, what, UNSEAL, "PhotographsUnsealed", order, by, now)


async def _change(
    conn: Conn, what: What, statement: LiteralString, kind: str, order: str, by: str, now: datetime, *more: str
) -> Changed:
    async with conn.transaction():
        await conn.execute(ONE_AT_A_TIME)
        ids = [one.id for one in await meant(conn, what)]
        changed = [row["id"] for row in await conn.fetch(statement, ids, *more)]
        if changed:
            await conn.execute(LEDGER, kind, now, by, {"photos": changed, "order": order})
    return Changed(len(ids), len(changed))


REMEMBER = """
INSERT INTO gallery.expunged (photograph, ingest_sha256, court_order, expunged_by, expunged_at)
SELECT id, ingest_sha256, $2, $3, $4 FROM gallery.photograph WHERE id = ANY($1)
"""
EXPUNGE = "DELETE FROM gallery.photograph WHERE id = ANY($1)"
EMPTY = "DELETE FROM gallery.person WHERE NOT EXISTS (SELECT FROM gallery.photograph WHERE person = person.id)"


async def expunge(conn: Conn, what: What, *, order: str, by: str, now: datetime) -> Changed:
    """Photographs, pictures and vectors are gone, and so is a person of whom nothing is left.

    What stays is the digest of each file, so that nobody enrols it again, and the ledger's word that it was expunged.
    """
    async with conn.transaction():
        await conn.execute(ONE_AT_A_TIME)
        ids = [one.id for one in await meant(conn, what)]
        if ids:
            await conn.execute(REMEMBER, ids, order, by, now)
            await conn.execute(EXPUNGE, ids)
            await conn.execute(EMPTY)
            await conn.execute(LEDGER, "PhotographsExpunged", now, by, {"photos": ids, "order": order})
    return Changed(len(ids), len(ids))


STATS = """
SELECT (SELECT count(*) FROM gallery.photograph) AS photographs,
    (SELECT count(*) FROM gallery.person) AS people,
    (SELECT count(*) FROM gallery.eligible) AS eligible,
    (SELECT count(*) FROM gallery.photograph WHERE sealed) AS sealed,
    (SELECT count(*) FROM gallery.photograph WHERE juvenile) AS juvenile,
    (SELECT count(*) FROM gallery.batch WHERE needs_approval AND approved_by IS NULL) AS batches_waiting,
    (SELECT count(*) FROM gallery.expunged) AS expunged,
    (SELECT count(*) FROM gallery.eligible WHERE NOT EXISTS (
        SELECT FROM gallery.embedding WHERE photograph = eligible.id AND model_sha256 = $1)) AS without_vector
"""


async def stats(conn: Conn, model: str) -> dict[str, int]:
    """How many of what."""
    return dict(await conn.fetchrow(STATS, model))


SAME_FILE = """
SELECT ingest_sha256, array_agg(DISTINCT person ORDER BY person) AS people FROM gallery.photograph
GROUP BY ingest_sha256 HAVING count(DISTINCT person) > 1
"""
NUMBERED = """
SELECT photograph.number, photograph.id, photograph.person FROM gallery.photograph WHERE number = ANY($1)
"""


@dataclass(frozen=True, slots=True)
class Numbered:
    """A photograph by its number."""

    photo: str
    person: str


async def same_file(conn: Conn) -> list[tuple[str, list[str]]]:
    """Files that are enrolled under several identities."""
    return [(row["ingest_sha256"], row["people"]) for row in await conn.fetch(SAME_FILE)]


async def numbered(conn: Conn, numbers: list[int]) -> dict[int, Numbered]:
    """Whose photographs these are."""
    return {row["number"]: Numbered(row["id"], row["person"]) for row in await conn.fetch(NUMBERED, numbers)}
