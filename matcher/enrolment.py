"""A photograph enters the gallery: with its legal basis, once, and with an entry in the ledger (SQL)."""

import hashlib
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any
from uuid import uuid4

from matcher.gallery import Conn
from matcher.index import Vector


@dataclass(frozen=True, slots=True)
class Enrolment:
    """One photograph to enrol, with everything the law asks about it (M12)."""

    person: str
    name: str
    legal_basis: str
    agency: str
    arrest_id: str
    taken_on: date
    sealed: bool = False
    juvenile: bool = False
    sex: str | None = None
    birth_year: int | None = None
    height_cm: float | None = None
    weight_kg: float | None = None
    marks: str | None = None
    source_sha256: str | None = None  # of the image as the agency exported it, where this file is a conversion of it


@dataclass(frozen=True, slots=True)
class Measured:
    """What the matcher made of the photograph: the digest of the file, the picture to be shown, the vector."""

    sha256: str
    jpeg: bytes
    vector: Vector
    model: str


# --- rules ------------------------------------------------------------------------------------------------------------

LEDGER = "SELECT ledger.append('gallery', $1, $2, $3, $4)"
ONE_RULE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('leadgate gallery rule', 0))"
RULE = "SELECT n, pack, pack_sha256, dual_control FROM gallery.rule ORDER BY n DESC LIMIT 1"
PUT_RULE = """
INSERT INTO gallery.rule (pack, pack_sha256, dual_control, set_by, set_at) VALUES ($1, $2, $3, $4, $5) RETURNING n
"""
OWNS = "SELECT pg_has_role(session_user, 'leadgate_owner', 'MEMBER')"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a policy pack asks of enrolment: with `dual_control`, nothing is searched before a second person agreed."""

    pack: str  # name@version
    sha256: str
    dual_control: bool


async def put_rule(conn: Conn, rule: Rule, *, by: str, now: datetime) -> int | None:
    """The rule is in force: its number. None where it is looser than the one in force, and whoever asks is not the
    owner of the database.
    """
    async with conn.transaction():
        await conn.execute(ONE_RULE_AT_A_TIME)
        held = await conn.fetchrow(RULE)
        if held and (held["pack"], held["pack_sha256"], held["dual_control"]) == (
            rule.pack,
            rule.sha256,
            rule.dual_control,
        ):
            return held["n"]
        if held and held["dual_control"] and not rule.dual_control and not await conn.fetchval(OWNS):
            return None
        return await conn.fetchval(PUT_RULE, rule.pack, rule.sha256, rule.dual_control, by, now)


# --- batches ----------------------------------------------------------------------------------------------------------

PUT_BATCH = """
INSERT INTO gallery.batch (id, manifest_sha256, needs_approval, made_by, made_at, rule)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (manifest_sha256, made_by, needs_approval) WHERE approved_by IS NULL DO NOTHING RETURNING id
"""
BATCH_OF = """
SELECT id FROM gallery.batch
WHERE manifest_sha256 = $1 AND made_by = $2 AND needs_approval = $3 AND approved_by IS NULL
"""


async def open_batch(
    conn: Conn, manifest_sha256: str, rule: int, *, needs_approval: bool, by: str, now: datetime
) -> str:
    """The open batch of this manifest: made now, under that rule, or found where an earlier run was interrupted."""
    while True:
        async with conn.transaction():
            batch = uuid4().hex
            if await conn.fetchval(PUT_BATCH, batch, manifest_sha256, needs_approval, by, now, rule):
                said = {"batch": batch, "manifest_sha256": manifest_sha256, "needs_approval": needs_approval}
                await conn.execute(LEDGER, "BatchOpened", now, by, said | {"rule": rule})
                return batch
        if held := await conn.fetchval(BATCH_OF, manifest_sha256, by, needs_approval):  # or approved in this moment
            return held


WAITING = """
SELECT batch.id, batch.made_by, batch.made_at, batch.manifest_sha256, rule.pack,
    (SELECT count(*) FROM gallery.photograph WHERE batch = batch.id) AS photographs,
    (SELECT count(DISTINCT person) FROM gallery.photograph WHERE batch = batch.id) AS people
FROM gallery.batch JOIN gallery.rule ON rule.n = batch.rule
WHERE batch.needs_approval AND batch.approved_by IS NULL ORDER BY batch.made_at, batch.id
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A batch that nobody has approved."""

    id: str
    made_by: str
    made_at: datetime
    manifest_sha256: str
    pack: str
    photographs: int
    people: int


async def waiting(conn: Conn) -> list[Waiting]:
    """Batches that wait for a second person, the oldest first."""
    return [Waiting(**dict(row)) for row in await conn.fetch(WAITING)]


TO_APPROVE = "SELECT made_by, approved_by, needs_approval FROM gallery.batch WHERE id = $1 FOR UPDATE"
CONTENT = "SELECT ingest_sha256 FROM gallery.photograph WHERE batch = $1 ORDER BY number"
APPROVE = "UPDATE gallery.batch SET approved_by = $2, approved_at = $3 WHERE id = $1"


async def approve(conn: Conn, batch: str, *, by: str, now: datetime) -> str | None:
    """The batch's photographs can be searched; or a sentence that says why not: nobody approves their own batch."""
    async with conn.transaction():
        row = await conn.fetchrow(TO_APPROVE, batch)
        if row is None:
            return f"There is no batch {batch}."
        if row["approved_by"] is not None:
            return f"{row['approved_by']} approved it before."
        if not row["needs_approval"]:
            return "It needs no approval."
        if _folded(row["made_by"]) == _folded(by):
            return "A batch is approved by somebody other than who enrolled it."
        files = [row["ingest_sha256"] for row in await conn.fetch(CONTENT, batch)]
        if not files:
            return "There is no photograph in it yet."
        await conn.execute(APPROVE, batch, by, now)
        content = hashlib.sha256("\n".join(files).encode()).hexdigest()  # what exactly was agreed to
        said = {"batch": batch, "photographs": len(files), "content_sha256": content}
        await conn.execute(LEDGER, "BatchApproved", now, by, said)
    return None


def _folded(name: str) -> str:
    """One person is one name, however it is spelt."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


# --- photographs ------------------------------------------------------------------------------------------------------

KNOWN = "SELECT person, ingest_sha256 FROM gallery.photograph WHERE ingest_sha256 = ANY($1)"
EXPUNGED = "SELECT ingest_sha256 FROM gallery.expunged WHERE ingest_sha256 = ANY($1)"


async def known(conn: Conn, sha256s: list[str]) -> set[tuple[str, str]]:
    """(person, digest) of those of these files that are enrolled."""
    return {(row["person"], row["ingest_sha256"]) for row in await conn.fetch(KNOWN, sha256s)}


async def expunged(conn: Conn, sha256s: list[str]) -> set[str]:
    """Those of these files that a court had expunged: they are not enrolled again."""
    return {row["ingest_sha256"] for row in await conn.fetch(EXPUNGED, sha256s)}


ONE_AT_A_TIME = (
    "SELECT pg_advisory_xact_lock(hashtextextended('leadgate gallery', 0))"  # with whoever carries out orders
)
PUT_PERSON = """
INSERT INTO gallery.person (id, name, sex, birth_year, height_cm, weight_kg, marks)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING RETURNING id
"""
PERSON = "SELECT sex, birth_year FROM gallery.person WHERE id = $1"
PUT_PHOTOGRAPH = """
INSERT INTO gallery.photograph (id, person, legal_basis, agency, arrest_id, taken_on, sealed, juvenile, source_sha256,
    ingest_sha256, enrolled_by, batch)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT ON CONSTRAINT once_per_person DO NOTHING RETURNING id
"""
PUT_PICTURE = "INSERT INTO gallery.picture (photograph, jpeg) VALUES ($1, $2)"
PUT_EMBEDDING = "INSERT INTO gallery.embedding (photograph, model_sha256, vector) VALUES ($1, $2, $3)"


class Outcome(Enum):
    """What became of a photograph that was handed over."""

    ENROLLED = "enrolled"
    THERE_BEFORE = "there before"
    BATCH_CLOSED = "batch closed"  # somebody approved the batch meanwhile; it takes nothing in any more
    EXPUNGED = "expunged"  # a court had it expunged, perhaps a moment ago
    ANOTHER_PERSON = "another person"  # whoever is enrolled under this number is of another sex or year of birth


OPEN = "SELECT approved_by IS NULL FROM gallery.batch WHERE id = $1 FOR SHARE"


async def enrol(conn: Conn, row: Enrolment, made: Measured, *, batch: str, by: str, now: datetime) -> Outcome:
    """The photograph is in the gallery, whole, and the ledger says who enrolled it; or nothing of it is."""
    photo_id = uuid4().hex
    async with conn.transaction():
        if not await conn.fetchval(OPEN, batch):  # an approval waits for us, and then covers this photograph
            return Outcome.BATCH_CLOSED
        await conn.execute(ONE_AT_A_TIME)
        if await expunged(conn, [made.sha256]):
            return Outcome.EXPUNGED
        pedigree = (row.sex, row.birth_year, row.height_cm, row.weight_kg, row.marks)
        new = await conn.fetchval(PUT_PERSON, row.person, row.name, *pedigree)
        if not new and _contradicts(row, await conn.fetchrow(PERSON, row.person)):
            return Outcome.ANOTHER_PERSON
        facts = (row.legal_basis, row.agency, row.arrest_id, row.taken_on, row.sealed, row.juvenile, row.source_sha256)
        if await conn.fetchval(PUT_PHOTOGRAPH, photo_id, row.person, *facts, made.sha256, by, batch) is None:
            return Outcome.THERE_BEFORE
        await conn.execute(PUT_PICTURE, photo_id, made.jpeg)
        await conn.execute(PUT_EMBEDDING, photo_id, made.model, made.vector.astype("<f4").tobytes())
        said = {"photo": photo_id, "ingest_sha256": made.sha256, "model_sha256": made.model, "batch": batch}
        source = {"source_sha256": row.source_sha256} if row.source_sha256 else {}
        await conn.execute(LEDGER, "PhotographEnrolled", now, by, said | source)
    return Outcome.ENROLLED


def _contradicts(row: Enrolment, held: Any) -> bool:
    """Names are not compared: whoever is arrested often gives another. Sex and year of birth are the record's own."""
    return any(
        mine is not None and its is not None and mine != its
        for mine, its in ((row.sex, held["sex"]), (row.birth_year, held["birth_year"]))
    )
