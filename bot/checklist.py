"""The morphological comparison of one candidate, component by component, as one examiner noted it (ASTM E3149)."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bot.database import Conn
from policy.model import Label, PersonId, SearchId
from policy.morphology import Component, Found
from policy.typed import plain


class Finding(BaseModel):
    """What the page sends of one component."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    finding: Found
    note: Annotated[str, Field(max_length=500), AfterValidator(plain)] = ""


KEEP = """
INSERT INTO casework.checklist (search, examiner, candidate, component, finding, note, noted_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (search, examiner, candidate, component) DO UPDATE
SET finding = excluded.finding, note = excluded.note, noted_at = excluded.noted_at
"""


async def keep(
    conn: Conn, search: SearchId, examiner: PersonId, candidate: Label, component: str, found: Finding, now: datetime
) -> None:
    """The examiner's finding on that component stands, whatever it was before."""
    await conn.execute(KEEP, search, examiner, candidate, component, found.finding, found.note, now)


OF = "SELECT candidate, component, finding, note FROM casework.checklist WHERE search = $1 AND examiner = $2"


async def of(conn: Conn, search: SearchId, examiner: PersonId) -> dict[str, dict[str, dict[str, str]]]:
    """What the examiner noted so far: candidate -> component -> finding and note."""
    noted: dict[str, dict[str, dict[str, str]]] = {}
    for row in await conn.fetch(OF, search, examiner):
        kept = {"finding": row["finding"], "note": row["note"]}
        noted.setdefault(row["candidate"], {})[row["component"]] = kept
    return noted


COMPARED = "SELECT component, finding FROM casework.checklist WHERE search = $1 AND examiner = $2 AND candidate = $3"


async def compared(conn: Conn, search: SearchId, examiner: PersonId, candidate: Label) -> dict[Component, Found]:
    """What the examiner found so far of one candidate."""
    rows = await conn.fetch(COMPARED, search, examiner, candidate)
    return {Component(row["component"]): Found(row["finding"]) for row in rows}


FIND = """
INSERT INTO casework.checklist (search, examiner, candidate, component, finding, note, noted_at)
VALUES ($1, $2, $3, $4, $5, '', $6)
ON CONFLICT (search, examiner, candidate, component) DO UPDATE
SET finding = excluded.finding, noted_at = excluded.noted_at
"""


async def find(
    conn: Conn,
    search: SearchId,
    examiner: PersonId,
    candidate: Label,
    component: Component,
    found: Found,
    now: datetime,
) -> None:
    """The finding stands; a note that was written beside an earlier one stays."""
    await conn.execute(FIND, search, examiner, candidate, component, found, now)
