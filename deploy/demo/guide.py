"""The guide rail of the page: what to do next, as whom, and beside it what the ledger just recorded.

It reads as the auditor does and writes nothing: whoever follows it acts through Slack like everybody else.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

import aiohttp
import structlog

from bot import database
from bot.database import AWAY, Conn, Pool
from deploy.demo.system import System

log = structlog.get_logger()

EVERY = 0.7  # seconds
SHOWN = 40  # ledger entries


STANDING_BY = ("eva.lind", "noor.haddad", "ben.tanaka")  # Ben only once somebody has let him into #face-review


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the newest photograph has come."""

    posted: bool = False
    state: str = "new"
    concluded: tuple[str, ...] = ()  # whose opinion is locked, the first one first
    asked: tuple[str, ...] = ()  # for whom the lot, or a supervisor, keeps a seat; some of them may have concluded
    acknowledged: bool = False
    outcome: str | None = None
    aside: frozenset[str] = frozenset()  # who gave it back, or declared a conflict of interest


NEWEST = """
SELECT search.state, search.outcome, search.body -> 'acknowledged_at' <> 'null' AS acknowledged,
    ARRAY(SELECT examiner FROM casework.opinion WHERE opinion.search = search.id ORDER BY concluded_at) AS concluded,
    ARRAY(SELECT jsonb_array_elements_text(search.body -> 'asked')) AS asked,
    ARRAY(SELECT jsonb_array_elements_text(search.body -> 'conflicted' || (search.body -> 'handed_back'))) AS aside
FROM casework.job LEFT JOIN casework.search ON search.id = job.key
WHERE job.kind = 'photo-posted' ORDER BY job.id DESC LIMIT 1
"""


async def standing(conn: Conn) -> Standing:
    row = await conn.fetchrow(NEWEST)
    if row is None:
        return Standing()
    if row["state"] is None:
        return Standing(posted=True)
    examiners = tuple(row["concluded"]), tuple(row["asked"])
    return Standing(True, row["state"], *examiners, bool(row["acknowledged"]), row["outcome"], frozenset(row["aside"]))


def steps(now: Standing) -> list[dict[str, Any]]:
    """The story's steps, each with who does it and whether it is done."""
    asked = now.state != "new"
    told = [
        _step(
            "dana.ruiz", "face-intake", "Post a photograph", "Drop one of the demonstration's stills.", done=now.posted
        ),
        _step(
            "dana.ruiz",
            "face-intake",
            "Request a search",
            "The button beneath it: purpose, case, basis, and who you are.",
            done=asked,
        ),
        *_compare(now),
    ]
    if now.outcome in {None, "possible-match"}:
        decided = now.outcome is not None
        told.append(
            _step("mara.quinn", "face-oversight", "Decide", "In writing. A lead is no identification.", done=decided)
        )
        told.append(
            _step(
                "dana.ruiz",
                "face-intake",
                "Acknowledge the lead",
                "Then you see the photograph.",
                done=now.acknowledged,
            )
        )
    else:
        told.append(
            _step("dana.ruiz", "face-intake", "Read the notice", "Three of four searches end like this.", done=True)
        )
    return told


FIRST = "Compare, alone", "Drawn by lot. Open your worksheet: the candidates stand there, in no thread."
SECOND = "Compare, blind", "Drawn by lot, too. Open yours: you do not see the other's answer."
ONE_MORE = "Compare, as one more", "Another opinion is needed. Whoever is not in #face-review has to be invited first."


def _compare(now: Standing) -> list[dict[str, Any]]:
    """A step for each opinion that is there or needed, by whoever gave it or is to; before the lot, as it will fall."""
    named = tuple(dict.fromkeys((*now.concluded, *now.asked)))
    needed = max(2, len(named), len(now.concluded) + (now.state == "disagreed"))
    people = [*named, *(one for one in STANDING_BY if one not in {*named, *now.aside})][:needed]
    over = now.outcome is not None
    words = chain((FIRST, SECOND), repeat(ONE_MORE))
    return [
        _step(person, "face-review", title, text, done=over or person in now.concluded)
        for person, (title, text) in zip(people, words, strict=False)
    ]


def _step(person: str, channel: str, title: str, text: str, *, done: bool) -> dict[str, Any]:
    return {"person": person, "channel": channel, "title": title, "text": text, "done": done}


LATEST = "SELECT n, stream, entry, recorded_at FROM ledger.entry ORDER BY n DESC LIMIT $1"
NOT_TOLD = frozenset({"PhotographEnrolled", "PersonEnrolled"})


async def latest(conn: Conn) -> list[dict[str, Any]]:
    """The ledger's newest entries, oldest first, as the rail shows them."""
    return [_told(row) for row in reversed(await conn.fetch(LATEST, SHOWN)) if _kind(row) not in NOT_TOLD]


def _kind(row: Any) -> str:
    return json.loads(bytes(row["entry"]))["kind"]


def _told(row: Any) -> dict[str, Any]:
    said: Mapping[str, Any] = json.loads(bytes(row["entry"]))
    words = "".join(f" {c.lower()}" if c.isupper() else c for c in said["kind"]).strip().capitalize()
    detail = said["data"].get("rule") or said["data"].get("what") or row["stream"].partition(":")[2]
    return {
        "seq": row["n"],
        "what": words,
        "who": said["actor"],
        "detail": detail,
        "at": f"{row['recorded_at']:%H:%M:%S}",
    }


def _enrol(url: str) -> dict[str, Any]:
    return {
        "enrol": {
            "url": url,
            "title": "Try it with your own face",
            "label": "Put me in the gallery",
            "hint": "It stays on this machine, in the demonstration's own folder.",
        }
    }


async def lead(system: System, newcomers: str = "") -> None:
    """Keeps the rail true until cancelled; it takes newcomers' pictures where `newcomers` is the address of a door."""
    extra = _enrol(newcomers) if newcomers else {}
    pool = await database.connect(system.database_url("auditor"), name="leadgate-guide", size=1)
    headers = {"Authorization": f"Bearer {system.credentials['guide_key']}"}
    before: dict[str, Any] = {}
    try:
        async with aiohttp.ClientSession(headers=headers) as session:
            while True:
                before = await _tell(system, pool, session, before, extra)
                await asyncio.sleep(EVERY)
    finally:
        await pool.close()


async def _tell(
    system: System, pool: Pool, session: aiohttp.ClientSession, before: dict[str, Any], extra: dict[str, Any]
) -> dict[str, Any]:
    try:
        async with pool.acquire() as conn:
            now = {
                "title": "What to do next",
                "steps": steps(await standing(conn)),
                "ledger": await latest(conn),
            } | extra
        if now != before:
            async with session.put(f"{system.page}/_ui/guide", json=now) as answer:
                answer.raise_for_status()
    except (*AWAY, aiohttp.ClientError) as error:
        log.warning("guide.put-off", error=type(error).__name__)
        return before
    return now
