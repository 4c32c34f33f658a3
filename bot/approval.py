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
    Refused,
    SearchId,
)

COMMANDS: Mapping[str, Callable[[str], Command]] = {
    "approve_request": lambda reason: ApproveRequest(approve=True, reason=reason),
    "reject_request": lambda reason: ApproveRequest(approve=False, reason=reason),
    "allow_repository": lambda reason: AllowRepository(allow=True, reason=reason),
    "deny_repository": lambda reason: AllowRepository(allow=False, reason=reason),
    "override_quality": lambda reason: OverrideQuality(proceed=True, reason=reason),
    "refuse_quality": lambda reason: OverrideQuality(proceed=False, reason=reason),
    "declare_conflict": DeclareConflict,
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
        command = COMMANDS[pressed.action]("?")
        if refused := self._casework.may(await self._casework.look(search_id), command, by):
            await self._casework.refuse(search_id, refused, by)
            await self._desk.open_view(pressed.trigger, review.telling(refused.reason))
            return
        await self._desk.open_view(pressed.trigger, approval.reason_form(search_id, pressed.action))

    async def answered(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Recorded with its reason before the form closes."""
        form = clicks.submission(body)
        by = await self._people.actor(form.team, form.account)
        command = COMMANDS[form.meta["action"]](form.values.get("reason", ""))
        match await self._casework.submit(SearchId(form.meta["search"]), command, by):
            case (Refused(_, reason),):
                await ack(response_action="errors", errors={"reason": reason})
            case _:
                await ack()
