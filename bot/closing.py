"""A case that was closed on another person: every lead of it is recalled, by a supervisor who says how that is known.

Whoever has such a lead may have acted on it, and may not be the one who hears of it (X13).
"""

from typing import Any

from slack_bolt.async_app import AsyncAck

from bot import clicks, ledger, store
from bot.acts import Rooms
from bot.casework import Casework
from bot.database import Pool
from bot.desk import Desk
from bot.people import People
from bot.views import aftermath
from policy import intake, placeholders
from policy.aftermath import ANOTHER
from policy.model import Actor, RecallLead, Refused, Role, SearchId
from policy.questions import Question, closed_only, may_ask

NO_LEADS = "There is no lead under that number. Nothing was changed. `/face-case` shows what there is of a case."
HOW_IT_IS_KNOWN = "Say how it is known: whoever has a lead of this case reads it."
REASON_MIN_CHARS = 10


class Closing:
    """The command's second half and its form. Built by the composition root."""

    def __init__(self, casework: Casework, pool: Pool, people: People, desk: Desk, rooms: Rooms) -> None:
        self._casework = casework
        self._pool = pool
        self._people = people
        self._desk = desk
        self._rooms = rooms

    async def asked(self, ack: AsyncAck, body: dict[str, Any], untrusted_number: str) -> None:
        """A supervisor sees what would be recalled, and nothing is before they confirm it with a reason."""
        by = await self._people.actor(body["team_id"], body["user_id"])
        number = intake.normalised(untrusted_number)
        refused = may_ask(Question.CLOSING, by)
        async with self._pool.acquire() as conn, conn.transaction():
            leads = await store.leads_under(conn, number) if not refused else []
            rows = await store.of_case(conn, number, closed_only=closed_only(by)) if not refused else []
            data = {"command": "face-recall", "allowed": refused is None, "searches": leads}
            await ledger.append(conn, "oversight", "Asked", at=self._casework.now(), actor=by.id, data=data)
        if refused:
            await ack(text=refused.reason)
        elif not leads:
            await ack(text=NO_LEADS)
        else:
            await ack()
            still_open = sum(row["outcome"] is None for row in rows)
            await self._desk.open_view(body["trigger_id"], aftermath.closing_form(number, leads, still_open))

    async def confirmed(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Every lead of the case is recalled, those issued since the form was opened among them; the ledger has it."""
        form = clicks.submission(body)
        by = await self._people.actor_in(self._rooms.oversight, form.team, form.account, Role.SUPERVISOR)
        reason = form.values.get("reason", "").strip()
        if placeholders.is_placeholder(reason, REASON_MIN_CHARS):
            await ack(response_action="errors", errors={"reason": HOW_IT_IS_KNOWN})
            return
        async with self._pool.acquire() as conn:
            leads = await store.leads_under(conn, form.meta["case"])
        refused = [await self._recall(one, reason, by) for one in leads]
        if leads and all(refused):
            await ack(response_action="errors", errors={"reason": str(refused[0])})
            return
        recalled = [one for one, why in zip(leads, refused, strict=True) if not why]
        await self._casework.note("oversight", "CaseClosedOnAnother", by, {"searches": recalled})
        await ack(response_action="update", view=aftermath.closed_on_another(form.meta["case"], recalled))

    async def _recall(self, search: SearchId, reason: str, by: Actor) -> str:
        """Why it was not recalled; empty where it was, now or before."""
        match await self._casework.submit(search, RecallLead(f"{ANOTHER} {reason}"), by):
            case (Refused(_, why),):
                return why
            case _:
                return ""
