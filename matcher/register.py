"""When people of the gallery were in custody, as an agency's register says (SQL). Whoever was, was not at the scene."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from matcher.enrolment import LEDGER
from matcher.gallery import Conn


@dataclass(frozen=True, slots=True)
class Spell:
    """One time in custody, both days included; without an end, still there."""

    person: str
    began: date
    ended: date | None


UNKNOWN = "SELECT who FROM unnest($1::text[]) AS who WHERE NOT EXISTS (SELECT FROM gallery.person WHERE id = who)"
PUT = """
INSERT INTO gallery.custody AS held (person, began, ended, said_by) VALUES ($1, $2, $3, $4)
ON CONFLICT (person, began) DO UPDATE SET ended = excluded.ended, said_by = excluded.said_by
WHERE held.ended IS DISTINCT FROM excluded.ended RETURNING person
"""


async def unknown(conn: Conn, spells: Sequence[Spell]) -> list[str]:
    """Those of whom the gallery holds nothing."""
    people = sorted({spell.person for spell in spells})
    return sorted(row["who"] for row in await conn.fetch(UNKNOWN, people))


async def record(conn: Conn, spells: Sequence[Spell], *, register: str, by: str, now: datetime) -> int:
    """The spells stand, a changed end among them; how many are new or changed. The ledger says whose, not when."""
    async with conn.transaction():
        new = [s for s in spells if await conn.fetchval(PUT, s.person, s.began, s.ended, register)]
        if new:
            said = {"register": register, "people": sorted({spell.person for spell in new}), "spells": len(new)}
            await conn.execute(LEDGER, "CustodyRecorded", now, by, said)
    return len(new)
