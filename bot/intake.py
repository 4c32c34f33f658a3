"""Photo posted -> form -> RequestSearch; the face that is meant; the lead acknowledged. Listeners submit commands."""

from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck

from bot import clicks, ids, jobs
from bot.cases import NO_SUCH_CASE, Cases, Found
from bot.casework import Casework
from bot.clicks import Click
from bot.desk import Desk
from bot.people import People
from bot.views import request, review
from bot.views.blocks import View
from policy.intake import chosen, normalised
from policy.model import Acknowledge, ChooseFace, Origin, Refused, RequestSearch, SearchId
from policy.pack import Pack

FIELD_OF_RULE = {
    "authorised-purpose": request.PURPOSE,
    "case-number": request.CASE_NUMBER,
    "attested": request.ATTESTED,
    "repository": request.REPOSITORIES,
}
ONLY_OWNER = Refused("own-photograph", "Only the person who posted the photograph may request a search of it.")
NOT_HERE = "Post the photograph in the intake channel and press the button beneath it. Nothing was searched."
NO_PHOTO = "There is no photograph on that message. Nothing was searched."
NOT_REQUESTER = Refused(
    "has-role", "You are not on the roster of people who may request a search. Nothing was searched."
)


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
        refused = ONLY_OWNER if pressed.account != owner else None
        command = RequestSearch("", "", {}, attested=False, origin=Origin(pressed.channel, thread, file))
        refused = refused or self._casework.may(await self._casework.look(search), command, by)
        if refused:
            await self._casework.refuse(search, refused, by)
            await self._desk.open_view(pressed.trigger, review.telling(refused.reason))
            return
        meta = {"search": search, "file": file, "owner": owner, "channel": pressed.channel, "thread": thread}
        await self._desk.open_view(pressed.trigger, self._form(meta, await self._casework.draft(search, by)))

    async def form_changed(self, body: dict[str, Any]) -> None:
        """The form asks what the purpose and the answers so far require; what was typed stays."""
        click = clicks.click(body)
        await self._desk.update_view(click.view_id, self._form(click.meta, click.values), click.view_hash)

    def _form(self, meta: Mapping[str, Any], answers: Mapping[str, str]) -> View:
        return request.form(self._pack, SearchId(meta["search"]), meta["file"], meta["owner"], meta, answers)

    async def form_closed(self, body: dict[str, Any]) -> None:
        """What was typed is kept for whoever typed it."""
        form = clicks.submission(body)
        by = await self._people.actor(form.team, form.account)
        await self._casework.keep_draft(SearchId(form.meta["search"]), by, form.values)

    async def form_submitted(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """The request is recorded before it is acknowledged, or the form says what is missing, beside the question."""
        form = clicks.submission(body)
        if request.CASE_NUMBER not in form.values:  # only the purpose was asked so far
            await ack(response_action="update", view=self._form(form.meta, form.values))
            return
        by = await self._people.actor(form.team, form.account)
        search = SearchId(form.meta["search"])
        found = await self._cases.find(normalised(form.values[request.CASE_NUMBER]))
        if found is Found.UNKNOWN:
            await self._casework.refuse(search, NO_SUCH_CASE, by)
            await ack(response_action="errors", errors={request.CASE_NUMBER: NO_SUCH_CASE.reason})
            return
        if found is not Found.NOT_ASKED:
            await self._casework.note(f"lookup:{search}", "CaseAsked", by, {"found": found.value})
        match await self._casework.submit(search, _request(form), by):
            case (Refused(rule, reason),) if _field(rule) in form.values:
                await ack(response_action="errors", errors={_field(rule): reason})
            case (Refused(_, reason),):
                await ack(response_action="errors", errors={request.PURPOSE: reason})
            case _:
                await ack()

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


def _request(form: clicks.Submission) -> RequestSearch:
    fixed = {request.PURPOSE, request.CASE_NUMBER, request.ATTESTED, request.REPOSITORIES}
    return RequestSearch(
        purpose=form.values.get(request.PURPOSE, ""),
        case_number=form.values.get(request.CASE_NUMBER, ""),
        fields={name: value for name, value in form.values.items() if name not in fixed},
        attested=form.values.get(request.ATTESTED) == "yes",
        origin=Origin(form.meta["channel"], form.meta["thread"], form.meta["file"]),
        repositories=tuple(chosen(form.values.get(request.REPOSITORIES, ""))),
    )


def _field(rule: str) -> str:
    if rule.startswith("field:"):
        return rule.removeprefix("field:")
    return FIELD_OF_RULE.get(rule, request.PURPOSE)
