"""A photograph enters the gallery: with its legal basis, once, and with an entry in the ledger (SQL)."""

from dataclasses import dataclass
from datetime import date, datetime
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


@dataclass(frozen=True, slots=True)
class Measured:
    """What the matcher made of the photograph: the digest of the file, the picture to be shown, the vector."""

    sha256: str
    jpeg: bytes
    vector: Vector
    model: str


# --- batches ----------------------------------------------------------------------------------------------------------

PUT_BATCH = """
INSERT INTO gallery.batch (id, manifest_sha256, needs_approval, made_by, made_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT ON CONSTRAINT one_batch_per_manifest DO NOTHING RETURNING id
"""
BATCH_OF = "SELECT id FROM gallery.batch WHERE manifest_sha256 = $1 AND made_by = $2"
LEDGER = "SELECT ledger.append('gallery', $1, $2, $3, $4)"


async def open_batch(conn: Conn, manifest_sha256: str, *, needs_approval: bool, by: str, now: datetime) -> str:
    """The batch of this manifest: made now, or found where an earlier run was interrupted."""
    async with conn.transaction():
        batch = uuid4().hex
        if await conn.fetchval(PUT_BATCH, batch, manifest_sha256, needs_approval, by, now) is None:
            return await conn.fetchval(BATCH_OF, manifest_sha256, by)
        said = {"batch": batch, "manifest_sha256": manifest_sha256, "needs_approval": needs_approval}
        await conn.execute(LEDGER, "BatchOpened", now, by, said)
    return batch


WAITING = "SELECT made_by, approved_by FROM gallery.batch WHERE id = $1 FOR UPDATE"
APPROVE = "UPDATE gallery.batch SET approved_by = $2, approved_at = $3 WHERE id = $1"


async def approve(conn: Conn, batch: str, *, by: str, now: datetime) -> str | None:
    """The batch's photographs can be searched; or a sentence that says why not: nobody approves their own batch."""
    async with conn.transaction():
        row = await conn.fetchrow(WAITING, batch)
        if row is None:
            return f"There is no batch {batch}."
        if row["approved_by"] is not None:
            return f"{row['approved_by']} approved it before."
        if row["made_by"] == by:
            return "A batch is approved by somebody other than who enrolled it."
        await conn.execute(APPROVE, batch, by, now)
        await conn.execute(LEDGER, "BatchApproved", now, by, {"batch": batch})
    return None


# --- photographs ------------------------------------------------------------------------------------------------------

KNOWN = "SELECT person, ingest_sha256 FROM gallery.photograph WHERE ingest_sha256 = ANY($1)"
EXPUNGED = "SELECT ingest_sha256 FROM gallery.expunged WHERE ingest_sha256 = ANY($1)"


async def known(conn: Conn, sha256s: list[str]) -> set[tuple[str, str]]:
    """(person, digest) of those of these files that are enrolled."""
    return {(row["person"], row["ingest_sha256"]) for row in await conn.fetch(KNOWN, sha256s)}


async def expunged(conn: Conn, sha256s: list[str]) -> set[str]:
    """Those of these files that a court had expunged: they are not enrolled again."""
    return {row["ingest_sha256"] for row in await conn.fetch(EXPUNGED, sha256s)}


PUT_PERSON = """
INSERT INTO gallery.person (id, name, sex, birth_year, height_cm, weight_kg, marks)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING
"""
PUT_PHOTOGRAPH = """
INSERT INTO gallery.photograph
    (id, person, legal_basis, agency, arrest_id, taken_on, sealed, juvenile, ingest_sha256, enrolled_by, batch)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT ON CONSTRAINT once_per_person DO NOTHING RETURNING id
"""
PUT_PICTURE = "INSERT INTO gallery.picture (photograph, jpeg) VALUES ($1, $2)"
PUT_EMBEDDING = "INSERT INTO gallery.embedding (photograph, model_sha256, vector) VALUES ($1, $2, $3)"


async def enrol(conn: Conn, row: Enrolment, made: Measured, *, batch: str | None, by: str, now: datetime) -> str | None:
    """The photograph is in the gallery, and the ledger says who enrolled it: its id; None where it was there before."""
    photo_id = uuid4().hex
    async with conn.transaction():
        pedigree = (row.sex, row.birth_year, row.height_cm, row.weight_kg, row.marks)
        await conn.execute(PUT_PERSON, row.person, row.name, *pedigree)
        facts = (row.legal_basis, row.agency, row.arrest_id, row.taken_on, row.sealed, row.juvenile)
        if await conn.fetchval(PUT_PHOTOGRAPH, photo_id, row.person, *facts, made.sha256, by, batch) is None:
            return None
        await conn.execute(PUT_PICTURE, photo_id, made.jpeg)
        await conn.execute(PUT_EMBEDDING, photo_id, made.model, made.vector.astype("<f4").tobytes())
        said = {"photo": photo_id, "ingest_sha256": made.sha256, "model_sha256": made.model, "batch": batch}
        await conn.execute(LEDGER, "PhotographEnrolled", now, by, said)
    return photo_id
