"""The morphological comparison of one candidate, component by component, as one examiner noted it (ASTM E3149)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.database import Conn
from policy.model import Label, PersonId, SearchId

# Top to bottom, as the practice asks; listed components are used where visible (E3149-26).
COMPONENTS: Mapping[str, str] = {
    "skin": "Skin",
    "outline": "Head and face outline",
    "proportion": "Composition and proportion",
    "hairline": "Hairline and baldness",
    "forehead": "Forehead",
    "eyebrows": "Eyebrows",
    "eyes": "Eyes",
    "cheeks": "Cheeks",
    "nose": "Nose",
    "ears": "Ears",
    "mouth": "Mouth",
    "chin": "Chin and jaw",
    "neck": "Neck",
    "facial-hair": "Facial hair",
    "lines": "Facial lines",
    "scars": "Scars",
    "marks": "Marks",
    "alterations": "Alterations: tattoo, piercing, make-up",
}
FINDINGS: Mapping[str, str] = {
    "similar": "Similar",
    "different": "Different",
    "explainable": "Explainable",
    "not-comparable": "Not comparable",
}


class Finding(BaseModel):
    """What the page sends of one component."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    finding: Literal["similar", "different", "explainable", "not-comparable"]
    note: Annotated[str, Field(max_length=500)] = ""


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
