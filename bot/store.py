"""Searches at rest. The row's columns repeat what constraints and reports need; `body` holds the whole search."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from pydantic import TypeAdapter

from bot.database import Conn
from policy.foils import shown_to
from policy.model import (
    ContextOpened,
    Event,
    EvidenceRecorded,
    ExaminationConcluded,
    LeadDecided,
    LeadIssued,
    OutcomeRecorded,
    QualityOverridden,
    RepositoryAllowed,
    RequestApproved,
    ReviewReturned,
    Search,
    SearchId,
)

SEARCH = TypeAdapter(Search)

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('leadgate search ' || $1, 0))"


async def lock(conn: Conn, search_id: SearchId) -> None:
    """Nobody else decides on this search until the transaction ends, whether its row exists yet or not."""
    await conn.execute(LOCK, search_id)


LOAD = "SELECT body FROM casework.search WHERE id = $1"


async def load(conn: Conn, search_id: SearchId) -> Search:
    """The search as it stands; a new one where nothing was ever accepted."""
    row = await conn.fetchrow(LOAD, search_id)
    return SEARCH.validate_python(row["body"]) if row else Search(search_id)


SAVE = """
INSERT INTO casework.search AS held
    (id, version, state, pack, purpose, case_number, requested_by, requested_at, outcome, body, state_since)
VALUES ($1, 1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (id) DO UPDATE SET
    version = held.version + 1, state = excluded.state, outcome = excluded.outcome, body = excluded.body,
    state_since = CASE WHEN held.state = excluded.state THEN held.state_since ELSE excluded.state_since END
"""


async def save(conn: Conn, search: Search, now: datetime) -> None:
    """The row says what the search says, and since when it is in its state."""
    await conn.execute(
        SAVE,
        search.id,
        search.state.value,
        search.pack,
        search.purpose,
        search.case_number,
        search.requested_by,
        search.requested_at,
        search.outcome.value if search.outcome else None,
        as_json(search),
        now,
    )


def as_json(search: Search) -> dict[str, Any]:
    return cast("dict[str, Any]", SEARCH.dump_python(search, mode="json"))


OPINION = """
INSERT INTO casework.opinion (search, requested_by, examiner, conclusion, candidate, concluded_at, components, shown)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
CONTEXT = "INSERT INTO casework.context (search, candidate, contradicts, opened_at) VALUES ($1, $2, $3, $4)"
RESOLUTION = "INSERT INTO casework.resolution (search, fact, resolved_by, resolved_at) VALUES ($1, $2, $3, $4)"
RETURNED = """
INSERT INTO casework.returned (search, n, supervisor, reason, returned_at) VALUES ($1, $2, $3, $4, $5)
"""
CORROBORATION = """
INSERT INTO casework.corroboration (search, n, kind, recorded_by, recorded_at) VALUES ($1, $2, $3, $4, $5)
"""
AFTERMATH = """
INSERT INTO casework.aftermath (search, outcome, recorded_by, recorded_at, n)
SELECT $1, $2, $3, $4, 1 + count(*) FROM casework.aftermath AS held WHERE held.search = $1
"""
APPROVAL = "INSERT INTO casework.approval (search, requested_by, approver, approved_at) VALUES ($1, $2, $3, $4)"
OVERRIDDEN = "INSERT INTO casework.overridden (search, requested_by, supervisor, overridden_at) VALUES ($1, $2, $3, $4)"
PERMISSION = """
INSERT INTO casework.permission (search, requested_by, executive, classes, reason, allowed_at, allowed_until)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
LEAD = """
INSERT INTO casework.lead (search, candidate, first_examiner, second_examiner, supervisor, issued_at)
VALUES ($1, $2, $3, $4, $5, $6)
"""


async def testify(conn: Conn, search: Search, event: Event, now: datetime) -> None:
    """Approvals, opinions and leads stand in tables of their own: constraints are the second wall behind `decide`."""
    match event:
        case ExaminationConcluded():
            shown = list(shown_to(search, event.by))
            said = (event.conclusion.value, event.candidate, now, dict(event.components), shown)
            await conn.execute(OPINION, search.id, search.requested_by, event.by, *said)
        case RequestApproved():
            await conn.execute(APPROVAL, search.id, search.requested_by, event.by, event.at)
        case EvidenceRecorded():
            said = (len(search.corroboration), event.kind, event.by, event.at)
            await conn.execute(CORROBORATION, search.id, *said)
        case OutcomeRecorded():
            await conn.execute(AFTERMATH, search.id, event.outcome, event.by, event.at)
        case QualityOverridden():
            await conn.execute(OVERRIDDEN, search.id, search.requested_by, event.by, now)
        case RepositoryAllowed():
            said = (list(search.repositories), event.reason, now, event.until)
            await conn.execute(PERMISSION, search.id, search.requested_by, event.by, *said)
        case ContextOpened():
            await conn.execute(CONTEXT, search.id, event.candidate, list(event.contradicts), event.at)
        case ReviewReturned():
            await conn.execute(RETURNED, search.id, len(search.returned), event.by, event.reason, event.at)
        case LeadDecided():
            for fact in event.resolutions:
                await conn.execute(RESOLUTION, search.id, fact, event.by, now)
        case LeadIssued():
            first, second = event.examiners[:2]
            await conn.execute(LEAD, search.id, event.candidate, first, second, search.decided_by, now)
        case _:
            pass


USAGE = """
SELECT purpose, coalesce(outcome, 'open') AS outcome, count(*) AS searches FROM casework.search
WHERE requested_at >= $1 AND requested_at < $2 AND requested_by <> 'known-answer'
GROUP BY purpose, 2 ORDER BY purpose, 2
"""


async def usage(conn: Conn, since: datetime, until: datetime) -> list[Mapping[str, Any]]:
    """Counts by purpose and outcome of what was requested in the period, its end excluded; known answers are none."""
    return [dict(row) for row in await conn.fetch(USAGE, since, until)]


EARLIER = """
SELECT coalesce(held.outcome, 'open') AS outcome, count(*) AS searches FROM casework.search AS held
JOIN casework.search AS this ON this.case_number = held.case_number AND this.requested_at > held.requested_at
WHERE this.id = $1 AND this.case_number <> 'purged' GROUP BY 1 ORDER BY 1
"""


async def earlier(conn: Conn, search_id: SearchId) -> dict[str, int]:
    """How many searches of the same case were requested before this one, by their outcome."""
    return {row["outcome"]: row["searches"] for row in await conn.fetch(EARLIER, search_id)}


OF_CASE = """
SELECT id, purpose, state, outcome, requested_at FROM casework.search
WHERE case_number = $1 AND requested_by <> 'known-answer' AND (outcome IS NOT NULL OR NOT $2)
ORDER BY requested_at DESC, id LIMIT 100
"""


async def of_case(conn: Conn, case_number: str, *, closed_only: bool) -> list[Mapping[str, Any]]:
    """The searches of a case, the latest first: what they were for and what came of them, and nobody's name."""
    return [dict(row) for row in await conn.fetch(OF_CASE, case_number, closed_only)]


UNDER = """
SELECT id FROM casework.search WHERE case_number = $1 AND state = 'lead' AND case_number <> 'purged'
ORDER BY requested_at, id
"""


async def leads_under(conn: Conn, number: str) -> list[SearchId]:
    """Every lead of the case with that number."""
    return [SearchId(row["id"]) for row in await conn.fetch(UNDER, number)]


EVERY = "SELECT id FROM casework.search WHERE requested_by <> 'known-answer' ORDER BY requested_at, id"


async def every(conn: Conn) -> list[SearchId]:
    """Every search that somebody requested, in order."""
    return [SearchId(row["id"]) for row in await conn.fetch(EVERY)]
