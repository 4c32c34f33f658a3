"""Known-answer cases at rest: sealed like every photograph, given once, their answers seen by nobody who examines."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot import ledger, photos
from bot.database import Conn
from policy.known_answers import Result, Verdict
from policy.model import PersonId, SearchId

STREAM = "known-answers"


@dataclass(frozen=True, slots=True)
class Case:
    """A photograph, and who of the gallery is in it; nobody where `person` is None."""

    id: str
    sha256: str
    person: str | None


ADD = """
INSERT INTO casework.known_answer (id, sha256, person, nonce, sealed, added_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (sha256) DO NOTHING RETURNING id
"""


async def add(conn: Conn, kek: bytes, name: str, photo: bytes, person: str | None, now: datetime) -> bool:
    """The case is there to be drawn; False where that photograph was there already."""
    digest = photos.sha256(photo)
    nonce, sealed = await photos.sealed(conn, kek, _key(name), f"known|{digest}", photo)
    if await conn.fetchval(ADD, name, digest, person, nonce, sealed, now) is None:
        return False
    data = {"case": name, "sha256": digest}
    await ledger.append(conn, STREAM, "KnownAnswerAdded", at=now, actor="operator", data=data)
    return True


OPEN = "SELECT id, sha256, person, nonce, sealed FROM casework.known_answer WHERE id = $1"


async def opened(conn: Conn, kek: bytes, name: str) -> tuple[Case, bytes]:
    """The case and its photograph."""
    row = await conn.fetchrow(OPEN, name)
    assert row is not None, "a case that was never added"
    photo = await photos.unsealed(conn, kek, _key(name), f"known|{row['sha256']}", row["nonce"], row["sealed"])
    return Case(row["id"], row["sha256"], row["person"]), photo


def _key(name: str) -> SearchId:
    """Sealed under a key of its own, as a search's photographs are."""
    return SearchId(f"known-answer {name}")


DRAW = """
UPDATE casework.known_answer SET drawn_for = $1 WHERE drawn_for IS NULL AND id = (
    SELECT id FROM casework.known_answer WHERE drawn_for IS NULL ORDER BY id OFFSET $2 LIMIT 1 FOR UPDATE)
RETURNING id
"""


async def draw(conn: Conn, search: SearchId, nth: int) -> str | None:
    """The `nth` of the cases that are left is drawn for good; None where it is gone."""
    return await conn.fetchval(DRAW, search, nth)


LEFT = "SELECT count(*) FROM casework.known_answer WHERE drawn_for IS NULL"


async def left(conn: Conn) -> int:
    """How many cases are still to be given."""
    return int(await conn.fetchval(LEFT))


SET_RATE = "INSERT INTO casework.known_answer_rate (in_a_hundred, set_by, set_at) VALUES ($1, $2, $3)"
RATE = "SELECT in_a_hundred FROM casework.known_answer_rate ORDER BY n DESC LIMIT 1"


async def set_rate(conn: Conn, in_a_hundred: float, by: PersonId, now: datetime) -> None:
    """So many cases are given in a hundred examinations from now on, and the ledger says who wants it."""
    await conn.execute(SET_RATE, in_a_hundred, by, now)
    data = {"in_a_hundred": in_a_hundred}
    await ledger.append(conn, STREAM, "KnownAnswerRateSet", at=now, actor=by, data=data)


async def rate(conn: Conn) -> float:
    """How many cases are given in a hundred examinations; none before somebody sets it."""
    return float(await conn.fetchval(RATE) or 0.0)


KEEP_RESULT = """
INSERT INTO casework.known_answer_result (search, examiner, unit, mated, verdict, concluded_at)
SELECT opinion.search, opinion.examiner, person.unit, $3, $4, opinion.concluded_at
FROM casework.opinion JOIN casework.person ON person.id = opinion.examiner
WHERE opinion.search = $1 AND opinion.examiner = $2
ON CONFLICT (search, examiner) DO NOTHING
"""


async def keep_result(conn: Conn, search: SearchId, examiner: PersonId, verdict: Verdict, *, mated: bool) -> None:
    """The verdict on that opinion stands, counted for the unit its examiner is of now."""
    await conn.execute(KEEP_RESULT, search, examiner, mated, verdict.value)


RESULTS = "SELECT unit, mated, verdict FROM casework.known_answer_result"


async def results(conn: Conn) -> list[Result]:
    """Every verdict so far."""
    return [Result(row["unit"], row["mated"], Verdict(row["verdict"])) for row in await conn.fetch(RESULTS)]


# --- how opinions come about, known answers or not ------------------------------------------------------------------

IDLE = 300.0  # seconds; a longer pause is one, whatever was done in it

SIT = """
INSERT INTO casework.sitting (search, examiner, opened_at, seen_at, probe_sha256) VALUES ($1, $2, $3, $3, $5)
ON CONFLICT (search, examiner) DO UPDATE
SET seconds = sitting.seconds
        + least($4, greatest(0, extract(epoch FROM excluded.seen_at - sitting.seen_at)::double precision)),
    seen_at = greatest(sitting.seen_at, excluded.seen_at),
    probe_sha256 = coalesce(excluded.probe_sha256, sitting.probe_sha256)
WHERE NOT EXISTS (SELECT FROM casework.opinion
    WHERE opinion.search = sitting.search AND opinion.examiner = sitting.examiner)
"""


async def sat_down(conn: Conn, search: SearchId, examiner: PersonId, now: datetime, probe: str | None = None) -> None:
    """The examiner is at it now, at the worksheet or at the viewer; the time since they last were is counted (S7).

    Pauses count for five minutes at most: a night between two sittings is no time at the photographs. `probe` is the
    SHA-256 of the submitted image, where a copy of it was served to them.
    """
    await conn.execute(SIT, search, examiner, now, IDLE, probe)


SERVED = "SELECT probe_sha256 FROM casework.sitting WHERE search = $1 AND examiner = $2"


async def probe_served(conn: Conn, search: SearchId, examiner: PersonId) -> str | None:
    """Of which submitted image a copy was served to that examiner at the viewer; None before."""
    return await conn.fetchval(SERVED, search, examiner)


HASTY = """
WITH took AS (
    SELECT opinion.examiner, sitting.seconds
            + least($2, greatest(0, extract(epoch FROM opinion.concluded_at - sitting.seen_at)::double precision))
            AS seconds,
        coalesce(cardinality(opinion.shown), jsonb_array_length(search.body -> 'candidates')) AS shown
    FROM casework.opinion
    JOIN casework.sitting ON sitting.search = opinion.search AND sitting.examiner = opinion.examiner
    JOIN casework.search ON search.id = opinion.search)
SELECT examiner, count(*) AS opinions, count(*) FILTER (WHERE seconds < $1 * shown) AS hasty,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS median
FROM took GROUP BY examiner ORDER BY examiner
"""


async def dwell(conn: Conn, least: float) -> list[Mapping[str, Any]]:
    """By examiner: opinions, those that took less than `least` seconds for each candidate, median seconds."""
    return [dict(row) for row in await conn.fetch(HASTY, least, IDLE)]


AGREEING = """
SELECT one.examiner AS one, other.examiner AS other, count(*) AS together,
    count(*) FILTER (WHERE one.conclusion = other.conclusion AND one.candidate IS NOT DISTINCT FROM other.candidate)
        AS agreed
FROM casework.opinion AS one
JOIN casework.opinion AS other ON other.search = one.search AND one.examiner < other.examiner
WHERE one.requested_by <> 'known-answer'
GROUP BY one.examiner, other.examiner ORDER BY one.examiner, other.examiner
"""


async def pairs(conn: Conn) -> list[Mapping[str, Any]]:
    """By pair of examiners: how many examinations they shared, and in how many they agreed in everything."""
    return [dict(row) for row in await conn.fetch(AGREEING)]
