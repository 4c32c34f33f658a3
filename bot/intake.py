"""Photo posted -> form -> RequestSearch; the face that is meant; the lead acknowledged. Listeners submit commands."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck

from bot import clicks, ids, jobs
from bot.cases import Cases, CaseSystemRefusesError
from bot.casework import Casework
from bot.clicks import Click
from bot.database import AWAY
from bot.desk import Desk
from bot.people import People
from bot.views import request, review
from bot.views.blocks import View
from policy import intake
from policy.model import Acknowledge, Actor, CaseKnown, ChooseFace, Origin, Refused, RequestSearch, SearchId
from policy.pack import Pack
from policy.questions import own_photograph

log = structlog.get_logger()

FIELD_OF_RULE = {
    "authorised-purpose": request.PURPOSE,
    "case-number": request.CASE_NUMBER,
    "case-exists": request.CASE_NUMBER,
    "attested": request.ATTESTED,
    "repository": request.REPOSITORIES,
}
NOT_HERE = "Post the photograph in the intake channel and press the button beneath it. Nothing was searched."
NO_PHOTO = "There is no photograph on that message. Nothing was searched."


class Intake:
    """The requester's doors."""

    def __init__(self, casework: Casework, people: People, desk: Desk, pack: Pack, channel: str, cases: Cases) -> None:
        self._casework = casework
        self._people = people
        self._desk = desk
        self._pack = pack
        self._channel = channel
        self._cases = cases

    async def remember(self, untrusted_event: Mapping[str, Any], team: str) -> None:
        """Photographs posted in the intake channel will be answered, whatever happens after this."""
        if untrusted_event.get("type") != "message" or untrusted_event.get("channel") != self._channel:
            return
        for job in jobs.offers(untrusted_event, team, self._channel):
            await self._casework.remember(job)

    async def start_request(self, body: dict[str, Any]) -> None:
        """The button beneath the photograph: opens the form for whoever posted it."""
        pressed = clicks.click(body)
        search, file, owner = pressed.value.split()
        await self._open_form(pressed, SearchId(search), file, owner)

    async def shortcut(self, body: dict[str, Any]) -> None:
        """The message shortcut: the second door to the same form."""
        used = clicks.click(body)
        message: Mapping[str, Any] = body["message"]
        if used.channel != self._channel:
            await self._desk.open_view(used.trigger, review.telling(NOT_HERE))
        elif not message.get("files"):
            await self._desk.open_view(used.trigger, review.telling(NO_PHOTO))
        else:
            file = message["files"][0]["id"]
            for job in jobs.offers({**message, "channel": used.channel}, used.team, self._channel):
                await self._casework.remember(job)
            await self._open_form(used, ids.search_of(used.team, file), file, message.get("user", ""))

    async def new_search(self, body: dict[str, Any]) -> None:
        """The global shortcut says where photographs go."""
        await self._desk.open_view(body["trigger_id"], review.telling(NOT_HERE))

    async def _open_form(self, pressed: Click, search: SearchId, file: str, owner: str) -> None:
        by = await self._people.actor(pressed.team, pressed.account)
        thread = pressed.thread or ""
        refused = own_photograph(owner, pressed.account)
        command = RequestSearch("", "", {}, attested=False, origin=Origin(pressed.channel, thread, file))
        refused = refused or self._casework.may(await self._casework.look(search), command, by)
        if refused:
            await self._casework.refuse(search, refused, by)
            await self._desk.open_view(pressed.trigger, review.telling(refused.reason))
            return
        meta = {"search": search, "file": file, "owner": owner, "channel": pressed.channel, "thread": thread}
        await self._desk.open_view(pressed.trigger, self._form(meta, await self._casework.draft(search, by)))

    async def form_changed(self, body: dict[str, Any]) -> None:
        """The form asks what the purpose and the answers so far require; what was typed stays, and is kept."""
        click = clicks.click(body)
        await self._desk.update_view(click.view_id, self._form(click.meta, click.values), click.view_hash)
        await self._keep(click)

    def _form(self, meta: Mapping[str, Any], answers: Mapping[str, str], told: Sequence[str] = ()) -> View:
        return request.form(self._pack, SearchId(meta["search"]), meta["file"], meta["owner"], meta, answers, told)

    async def form_closed(self, body: dict[str, Any]) -> None:
        """What was typed is kept for whoever typed it. Slack may tell of a close without what stood in the form."""
        form = clicks.submission(body)
        if form.values:
            await self._keep(form)

    async def _keep(self, form: Click | clicks.Submission) -> None:
        """The answers so far are found again, but for the attestation, which is given when the request is sent.

        A courtesy: while the database is away the form itself still has them, and a modal that says so would stand in
        its place.
        """
        answers = {name: text for name, text in form.values.items() if name != request.ATTESTED}
        with contextlib.suppress(*AWAY):
            by = await self._people.actor(form.team, form.account)
            await self._casework.keep_draft(SearchId(form.meta["search"]), _request(form), by, answers)

    async def form_submitted(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """The request is recorded before it is acknowledged, or the form says all that is wrong with it."""
        form = clicks.submission(body)
        if request.CASE_NUMBER not in form.values:  # only the purpose was asked so far
            await ack(response_action="update", view=self._form(form.meta, form.values))
            return
        by = await self._people.actor(form.team, form.account)
        search = SearchId(form.meta["search"])
        command = await self._looked_up(search, _request(form), by)
        match await self._casework.submit(search, command, by):
            case (Refused() as refused,):
                await self._say_why(ack, form, self._refusals(command, refused))
                await self._keep(form)
            case _:
                await ack()

    async def _looked_up(self, search: SearchId, command: RequestSearch, by: Actor) -> RequestSearch:
        """The request with what the case system says of its number, which is asked of nothing but what could pass."""
        before = await self._casework.look(search)
        if self._casework.may(before, command, by) or intake.screen(command, self._pack, self._casework.now()):
            return command
        try:
            known = await self._cases.find(intake.normalised(command.case_number))
        except CaseSystemRefusesError as refuses:
            log.warning("cases.refused", status=refuses.status)
            await self._casework.remember(refuses.alarm(self._casework.now()))
            known = CaseKnown.OFFLINE
        return replace(command, case_known=known)

    def _refusals(self, command: RequestSearch, first: Refused) -> Sequence[Refused]:
        """Everything that is wrong with the answers; where they were not what it was about, the one reason."""
        found = tuple(intake.findings(command, self._pack, self._casework.now()))
        return found if first in found else (first,)

    async def _say_why(self, ack: AsyncAck, form: clicks.Submission, refused: Sequence[Refused]) -> None:
        """Each reason beside its question; above the form, drawn anew, where one has no question in it yet."""
        beside = {_field(one.rule): one.reason for one in reversed(refused)}
        if beside.keys() <= form.values.keys():
            await ack(response_action="errors", errors=beside)
            return
        told = [one.reason for one in refused]
        screen = self._pack.protected_activity
        if screen and screen.statement in beside.keys() - form.values.keys():
            told.insert(0, intake.protected(self._pack, form.values))
        await ack(response_action="update", view=self._form(form.meta, form.values, told))

    async def face_chosen(self, body: dict[str, Any]) -> None:
        pressed = clicks.click(body)
        search, index = pressed.value.split()
        by = await self._people.actor(pressed.team, pressed.account)
        await self._answer(pressed, await self._casework.submit(SearchId(search), ChooseFace(int(index)), by))

    async def lead_acknowledged(self, body: dict[str, Any]) -> None:
        """The acknowledgement is recorded; only then is the photograph handed over, by the worker (M25)."""
        pressed = clicks.click(body)
        by = await self._people.actor(pressed.team, pressed.account)
        await self._answer(pressed, await self._casework.submit(SearchId(pressed.value), Acknowledge(), by))

    async def _answer(self, pressed: Click, events: tuple[object, ...]) -> None:
        match events:
            case (Refused(_, reason),):
                await self._desk.open_view(pressed.trigger, review.telling(reason))
            case _:
                pass


def _request(form: Click | clicks.Submission) -> RequestSearch:
    fixed = {request.PURPOSE, request.CASE_NUMBER, request.ATTESTED, request.REPOSITORIES}
    return RequestSearch(
        purpose=form.values.get(request.PURPOSE, ""),
        case_number=form.values.get(request.CASE_NUMBER, ""),
        fields={name: value for name, value in form.values.items() if name not in fixed},
        attested=form.values.get(request.ATTESTED) == "yes",
        origin=Origin(form.meta["channel"], form.meta["thread"], form.meta["file"]),
        repositories=tuple(intake.chosen(form.values.get(request.REPOSITORIES, ""))),
    )


def _field(rule: str) -> str:
    """The question that the rule is about; empty where it is about none."""
    if rule.startswith("field:"):
        return rule.removeprefix("field:")
    return FIELD_OF_RULE.get(rule, "")
