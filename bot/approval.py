"""Approvals: held requests, exceptional photographs, poor images, and conflicts of interest. Reasons in writing."""

from collections.abc import Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck

from bot import clicks
from bot.casework import Casework
from bot.desk import Desk
from bot.people import People
from bot.views import approval, review
from policy.model import (
    AllowRepository,
    ApproveRequest,
    Command,
    DeclareConflict,
    OverrideQuality,
    RecallLead,
    Refused,
    SearchId,
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
}


class Approvals:
    """The doors of whoever has to approve, and of whoever has to stand aside."""

    def __init__(self, casework: Casework, people: People, desk: Desk) -> None:
        self._casework = casework
        self._people = people
        self._desk = desk

    async def asked(self, body: dict[str, Any]) -> None:
        """The form for the reason, or a sentence why not."""
        pressed = clicks.click(body)
        search_id = SearchId(pressed.value)
        by = await self._people.actor(pressed.team, pressed.account)
        search, command = await self._casework.look(search_id), COMMANDS[pressed.action]("?", None)
        if refused := self._casework.may(search, command, by):
            await self._casework.refuse(search_id, refused, by)
            await self._desk.open_view(pressed.trigger, review.telling(refused.reason))
            return
        longest = self._casework.pack_of(search).repositories.exception_days
        await self._desk.open_view(pressed.trigger, approval.reason_form(search_id, pressed.action, longest))

    async def answered(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Recorded with its reason before the form closes."""
        form = clicks.submission(body)
        by = await self._people.actor(form.team, form.account)
        untrusted_days = form.values.get(approval.PERMITTED_FOR, "")
        days = int(untrusted_days) if untrusted_days.isdecimal() else None
        command = COMMANDS[form.meta["action"]](form.values.get("reason", ""), days)
        match await self._casework.submit(SearchId(form.meta["search"]), command, by):
            case (Refused(_, reason),):
                await ack(response_action="errors", errors={"reason": reason})
            case _:
                await ack()
