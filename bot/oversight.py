"""What supervisors ask of the record. Every question is itself recorded (M33)."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from slack_bolt.async_app import AsyncAck

from bot import ledger, store
from bot.acts import Rooms
from bot.casework import Casework
from bot.closing import Closing
from bot.database import Pool
from bot.people import People
from bot.views import review
from bot.views.blocks import literal
from policy import intake
from policy.model import RecallLead, Refused, Role, SearchId
from policy.pack import Pack
from policy.questions import Question, closed_only, may_ask

PERIOD = re.compile(r"(\d{4}-\d{2}-\d{2})(?:\s+(\d{4}-\d{2}-\d{2}))?")
DEFAULT_DAYS = 30
HOW = (
    "Say a period as `2026-01-01 2026-02-01` (the end is excluded), a number of days, or nothing for the last 30 days."
)


class Oversight:
    """Slash commands of supervisors and auditors."""

    def __init__(self, pool: Pool, people: People, pack: Pack, closing: Closing, rooms: Rooms) -> None:
        self._pool = pool
        self._people = people
        self._pack = pack
        self._closing = closing
        self._rooms = rooms

    async def recall(self, ack: AsyncAck, body: dict[str, Any], casework: Casework) -> None:
        """/face-recall: one command, and nobody may use the lead any more (M27), or any lead of a case (X13)."""
        said = (body.get("text") or "").strip()
        found = RECALL.fullmatch(said)
        if found is None and said and not A_LEAD.match(said):
            await self._closing.asked(ack, body, said)
            return
        if found is None:
            await ack(text=HOW_TO_RECALL)
            return
        team, account = body["team_id"], body["user_id"]
        by = await self._people.actor_in(self._rooms.oversight, team, account, Role.SUPERVISOR)
        match await casework.submit(SearchId(found[1]), RecallLead(found[2]), by):
            case (Refused(_, reason),):
                await ack(text=literal(reason))
            case _:
                await ack(text=RECALLED)

    async def usage(self, ack: AsyncAck, body: dict[str, Any], now: datetime) -> None:
        """/face-usage: counts by purpose and outcome for a period, to the supervisor alone."""
        by = await self._people.actor(body["team_id"], body["user_id"])
        period = read_period(body.get("text") or "", now)
        refused = may_ask(Question.USAGE, by)
        async with self._pool.acquire() as conn, conn.transaction():
            data = {"command": "face-usage", "allowed": refused is None}
            data |= {"since": period[0].isoformat(), "until": period[1].isoformat()} if period else {}
            await ledger.append(conn, "oversight", "Asked", at=now, actor=by.id, data=data)
            rows = await store.usage(conn, *period) if period and not refused else []
        if refused:
            await ack(text=refused.reason)
        elif period is None:
            await ack(text=HOW)
        else:
            labels = {purpose.code: purpose.label for purpose in self._pack.purposes}
            since, until = (moment.date().isoformat() for moment in period)
            await ack(text="Use of facial recognition", blocks=review.usage(rows, labels, since, until))

    async def case(self, ack: AsyncAck, body: dict[str, Any], now: datetime) -> None:
        """/face-case: every search of a case, to the supervisor alone; which were shown is recorded, the number is not.

        Who examines as well sees what is over only: before, they read nothing of a request (M17).
        """
        by = await self._people.actor(body["team_id"], body["user_id"])
        number = intake.normalised(body.get("text") or "")
        refused = may_ask(Question.CASE, by)
        async with self._pool.acquire() as conn, conn.transaction():
            asked = bool(number) and not refused
            rows = await store.of_case(conn, number, closed_only=closed_only(by)) if asked else []
            data = {"command": "face-case", "allowed": refused is None, "searches": [row["id"] for row in rows]}
            await ledger.append(conn, "oversight", "Asked", at=now, actor=by.id, data=data)
        if refused:
            await ack(text=refused.reason)
        elif not number:
            await ack(text="Say the case number, as it stood in the request: `2026-075-001234`.")
        else:
            labels = {purpose.code: purpose.label for purpose in self._pack.purposes}
            await ack(text="Searches of a case", blocks=review.of_case(rows, labels, number))


RECALL = re.compile(r"(LG-[0-9A-Z]{12})\s+(\S.*)", re.DOTALL)
A_LEAD = re.compile(r"LG-", re.IGNORECASE)
HOW_TO_RECALL = (
    "Say which lead and why: `LG-ABCDEFGHJKLM the witness has since named another man`. Where a case was closed on "
    "another person, say its number alone: `2026-075-001234`."
)
RECALLED = "The lead is recalled. Its requester is told to destroy what they have, and is reminded until they answer."


def read_period(untrusted: str, now: datetime) -> tuple[datetime, datetime] | None:
    """The period asked for, its end excluded; None where it cannot be read or ends before it begins."""
    text = untrusted.strip()
    tomorrow = datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)
    if not text:
        return tomorrow - timedelta(days=DEFAULT_DAYS), tomorrow
    if text.isdecimal() and 0 < int(text[:6]) <= 3660:  # noqa: PLR2004 - ten years
        return tomorrow - timedelta(days=int(text)), tomorrow
    if not (found := PERIOD.fullmatch(text)):
        return None
    try:
        since = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
        until = datetime.fromisoformat(found[2]).replace(tzinfo=UTC) if found[2] else tomorrow
    except ValueError:
        return None
    return (since, until) if since < until else None
