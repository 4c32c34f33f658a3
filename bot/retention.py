"""What is kept goes when its time is over, class by class, as the pack of each search says; a legal hold stops that.

Photographs are deleted, and with the last one the key that opens them; what request, candidates, opinions and lead say
of people is erased from the ledger, which goes on proving that it was there. What went is in the ledger and thus under
the signer's checkpoint: that entry is the certificate of the purge (M32).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot import ledger, store
from bot.casework import stream_of
from bot.database import Conn
from policy.model import SearchId
from policy.pack import Pack

FIELDS: Mapping[str, tuple[str, ...]] = {  # of the ledger, as KIND.FIELD: each belongs to one class
    "request": (
        "SearchRequested.case_number",
        "SearchRequested.case_number_typed",
        "SearchRequested.fields",
        "ContextOpened.checks",
        "LeadDecided.resolutions",
    ),
    "candidates": ("SearchRun.candidates",),
    "opinions": ("ExaminationConcluded.differences", "NoteAppended.note"),
    "lead": ("EvidenceRecorded.reference", "OutcomeRecorded.note"),
}
HANDED_OUT = "handed-out"  # digests by which it is known again (M26): they stay as long as anything that was handed out
CLASSES = ("probe", "working-copy", *FIELDS)
SYSTEM = "retention"


@dataclass(frozen=True, slots=True)
class Due:
    """One class of what is kept of one search, whose time was over at `since`; `days` is 0 where it was refused."""

    search: SearchId
    of: str
    days: int
    since: datetime


OVER = """
SELECT over.search, over.pack, over.created, over.closed, search.body ->> 'refused_by' IS NOT NULL AS refused,
    ARRAY(SELECT kind FROM casework.photo WHERE photo.search = over.search) AS photos,
    EXISTS (SELECT FROM casework.prepared WHERE prepared.search = over.search) AS prepared,
    EXISTS (SELECT FROM casework.given_out WHERE given_out.search = over.search) AS handed_out,
    ARRAY(SELECT DISTINCT entry.kind || '.' || private.field FROM ledger.private JOIN ledger.entry USING (n)
        WHERE entry.stream = 'search:' || over.search) AS worded
FROM casework.over JOIN casework.search ON search.id = over.search
WHERE over.search = coalesce($1, over.search) ORDER BY over.search
"""


async def due(conn: Conn, packs: Mapping[str, Pack], now: datetime, search: SearchId | None = None) -> list[Due]:
    """What has to go by `now`, of every search or of one; nothing that is held, nothing of one that is still open."""
    rows = await conn.fetch(OVER, search)
    every = [one for row in rows for one in _of(row, packs[row["pack"]])]
    return [one for one in every if one.since <= now or not one.days]


def _of(row: Any, pack: Pack) -> Iterable[Due]:
    kept = {
        "probe": bool({"original", "marked"} & set(row["photos"])),
        "working-copy": "copy" in row["photos"] or row["prepared"],
        **{of: not set(fields).isdisjoint(row["worded"]) for of, fields in FIELDS.items()},
    }
    for rule in pack.retention:
        if kept.get(rule.of):
            began = row["created"] if rule.counted_from == "created" else row["closed"]
            days = 0 if rule.until_refused and row["refused"] else rule.days
            yield Due(SearchId(row["search"]), rule.of, days, began + timedelta(days=days))
    longest = max((rule.days for rule in pack.retention if rule.of in CLASSES), default=0)
    if row["handed_out"] and longest:
        yield Due(SearchId(row["search"]), HANDED_OUT, longest, row["closed"] + timedelta(days=longest))


PURGE = "SELECT sha256 FROM casework.purge($1, $2, $3)"


async def purge(conn: Conn, one: Due, now: datetime) -> int:
    """It is gone, and the ledger says what it was: how many photographs or fields. In the caller's transaction."""
    await store.lock(conn, one.search)
    gone = [row["sha256"] for row in await conn.fetch(PURGE, one.search, one.of, now)]
    words = 0
    if fields := FIELDS.get(one.of):
        why = f"retention: {one.days} days" if one.days else "the request was not approved"
        words = await ledger.erase_fields(conn, stream_of(one.search), fields, at=now, actor=SYSTEM, why=why)
    data = {"search": one.search, "class": one.of, "days": one.days, "sha256": sorted(gone), "fields": words}
    await ledger.append(conn, f"retention:{one.search}", "Purged", at=now, actor=SYSTEM, data=data)
    return len(gone) + words


PURGE_LOGS = "SELECT logs.purge($1)"


async def purge_logs(conn: Conn, pack: Pack, now: datetime) -> int:
    """Operational logs older than the pack keeps them, and never those of the last year, are gone: how many."""
    days = max([365, *(rule.days for rule in pack.retention if rule.of == "logs")])
    gone = int(await conn.fetchval(PURGE_LOGS, now - timedelta(days=days)))
    if gone:
        data = {"class": "logs", "days": days, "records": gone}
        await ledger.append(conn, "retention", "Purged", at=now, actor=SYSTEM, data=data)
    return gone


HOLD = """
INSERT INTO casework.hold (search, reason, held_by, held_at) SELECT id, $2, $3, $4 FROM casework.search WHERE id = $1
ON CONFLICT (search) DO NOTHING RETURNING search
"""


async def hold(conn: Conn, search: SearchId, reason: str, by: str, now: datetime) -> bool:
    """Nothing of the search goes until it is released; False where it is held already or does not exist."""
    held = await conn.fetchval(HOLD, search, reason, by, now) is not None
    if held:
        data = {"search": search, "reason": reason, "by": by}
        await ledger.append(conn, f"retention:{search}", "LegalHold", at=now, actor="operator", data=data)
    return held


RELEASE = "DELETE FROM casework.hold WHERE search = $1 RETURNING search"


async def release(conn: Conn, search: SearchId, reason: str, by: str, now: datetime) -> bool:
    """The clock runs again, as if it had never stood still; False where nothing was held."""
    released = await conn.fetchval(RELEASE, search) is not None
    if released:
        data = {"search": search, "reason": reason, "by": by}
        await ledger.append(conn, f"retention:{search}", "LegalHoldReleased", at=now, actor="operator", data=data)
    return released


HELD = "SELECT search, reason, held_by, held_at FROM casework.hold ORDER BY held_at, search"


async def held(conn: Conn) -> list[Any]:
    """Every legal hold."""
    return await conn.fetch(HELD)
