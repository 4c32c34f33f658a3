"""What takes a reason in writing: approvals of requests, photographs and images; recalls; standing aside; stopping."""

from collections.abc import Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck

from bot import clicks
from bot.acts import Rooms
from bot.casework import Casework
from bot.desk import Desk
from bot.people import People
from bot.views import approval, review
from policy.approval import banned
from policy.model import (
    Actor,
    AllowRepository,
    ApproveRequest,
    Command,
    DeclareConflict,
    OverrideQuality,
    RecallLead,
    Refused,
    Role,
    SearchId,
    Withdraw,
)

COMMANDS: Mapping[str, Callable[[str, int | None], Command]] = {
    "approve_request": lambda reason, _: ApproveRequest(approve=True, reason=reason),
    "reject_request": lambda reason, _: ApproveRequest(approve=False, reason=reason),
    "allow_repository": lambda reason, days: AllowRepository(allow=True, reason=reason, days=days),
    "deny_repository": lambda reason, _: AllowRepository(allow=False, reason=reason),
    "override_quality": lambda reason, _: OverrideQuality(proceed=True, reason=reason),
    "refuse_quality": lambda reason, _: OverrideQuality(proceed=False, reason=reason),
    "recall_lead": lambda reason, _: RecallLead(reason),
    "declare_conflict": lambda reason, _: DeclareConflict(reason),
    "withdraw_search": lambda reason, _: Withdraw(reason),
}
IN_OVERSIGHT: Mapping[str, Role] = {
    **dict.fromkeys(COMMANDS.keys() - {"declare_conflict", "withdraw_search"}, Role.SUPERVISOR),
    "allow_repository": Role.EXECUTIVE,
    "deny_repository": Role.EXECUTIVE,
}


class Approvals:
    """The doors of whoever has to approve, of whoever has to stand aside, and of whoever asked and asks no more."""

    def __init__(self, casework: Casework, people: People, desk: Desk, rooms: Rooms) -> None:
        self._casework = casework
        self._people = people
        self._desk = desk
        self._rooms = rooms

    async def asked(self, body: dict[str, Any]) -> None:
        """The form for the reason, or a sentence why not."""
        pressed = clicks.click(body)
        search_id = SearchId(pressed.value)
        by = await self._actor(pressed.action, pressed.team, pressed.account)
        search, command = await self._casework.look(search_id), COMMANDS[pressed.action]("?", None)
        if refused := self._casework.may(search, command, by):
            await self._casework.refuse(search_id, refused, by)
            await self._desk.open_view(pressed.trigger, review.telling(refused.reason))
            return
        pack = self._casework.pack_of(search)
        longest, bans = pack.repositories.exception_days, banned(search, pack)
        await self._desk.open_view(pressed.trigger, approval.reason_form(search_id, pressed.action, longest, bans))

    async def answered(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Recorded with its reason before the form closes."""
        form = clicks.submission(body)
        by = await self._actor(form.meta["action"], form.team, form.account)
        untrusted_days = form.values.get(approval.PERMITTED_FOR, "")
        days = int(untrusted_days) if untrusted_days.isdecimal() else None
        command = COMMANDS[form.meta["action"]](form.values.get("reason", ""), days)
        match await self._casework.submit(SearchId(form.meta["search"]), command, by):
            case (Refused(_, reason),):
                await ack(response_action="errors", errors={"reason": reason})
            case _:
                await ack()

    async def _actor(self, action: str, team: str, account: str) -> Actor:
        """Whoever decides is in the supervisors' channel at this moment (M20); anybody may stand aside or withdraw."""
        role = IN_OVERSIGHT.get(action)
        if role is None:
            return await self._people.actor(team, account)
        return await self._people.actor_in(self._rooms.oversight, team, account, role)
