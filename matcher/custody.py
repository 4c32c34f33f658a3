"""The gallery's legal life after enrolment: sealed, unsealed, expunged, counted, looked through (SQL)."""

from dataclasses import dataclass
from datetime import datetime

from matcher.enrolment import LEDGER
from matcher.gallery import Conn

# A court's order names an arrest or a person, seldom a photograph: each of the three is understood.
MEANT = """
SELECT id FROM gallery.photograph WHERE id = $1 OR arrest_id = $1 OR person = $1 ORDER BY number FOR UPDATE
"""
SEAL = "UPDATE gallery.photograph SET sealed = true, seal_order = $2 WHERE id = ANY($1) AND NOT sealed RETURNING id"
UNSEAL = "UPDATE gallery.photograph SET sealed = false, seal_order = NULL WHERE id = ANY($1) AND sealed RETURNING id"


async def seal(conn: Conn, what: str, *, order: str, by: str, now: datetime) -> int:
    """No search finds these photographs from now on: how many there were that it found before."""
    return await _change(conn, what, SEAL, "PhotographsSealed", order, by, now, order)


async def unseal(conn: Conn, what: str, *, order: str, by: str, now: datetime) -> int:
    """Searches find these photographs again."""
    return await _change(conn, what, UNSEAL, "PhotographsUnsealed", order, by, now)


async def _change(
    conn: Conn, what: str, statement: str, kind: str, order: str, by: str, now: datetime, *more: str
) -> int:
    async with conn.transaction():
        meant = [row["id"] for row in await conn.fetch(MEANT, what)]
        changed = [row["id"] for row in await conn.fetch(statement, meant, *more)]  # pyright: ignore[reportArgumentType]
        if changed:
            await conn.execute(LEDGER, kind, now, by, {"photos": changed, "order": order})
    return len(changed)


REMEMBER = """
INSERT INTO gallery.expunged (photograph, ingest_sha256, court_order, expunged_by, expunged_at)
SELECT id, ingest_sha256, $2, $3, $4 FROM gallery.photograph WHERE id = ANY($1)
"""
EXPUNGE = "DELETE FROM gallery.photograph WHERE id = ANY($1)"
EMPTY = "DELETE FROM gallery.person WHERE NOT EXISTS (SELECT FROM gallery.photograph WHERE person = person.id)"


async def expunge(conn: Conn, what: str, *, order: str, by: str, now: datetime) -> int:
    """Photographs, pictures and vectors are gone, and so is a person of whom nothing is left.

    What stays is the digest of each file, so that nobody enrols it again, and the ledger's word that it was expunged.
    """
    async with conn.transaction():
        meant = [row["id"] for row in await conn.fetch(MEANT, what)]
        if meant:
            await conn.execute(REMEMBER, meant, order, by, now)
            await conn.execute(EXPUNGE, meant)
            await conn.execute(EMPTY)
            await conn.execute(LEDGER, "PhotographsExpunged", now, by, {"photos": meant, "order": order})
    return len(meant)


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
