"""First and second examiner, arbiter, supervisor: each answers alone, and what they may is decided at the click."""

from collections.abc import Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck

from bot import clicks, ids
from bot.acts import Rooms
from bot.casework import Casework
from bot.clicks import Click
from bot.desk import Desk
from bot.people import People
from bot.views import comparison, context, review
from bot.views.blocks import View
from policy.contradictions import Fact
from policy.foils import seen_by, shown_to
from policy.model import (
    Actor,
    AnswerCandidate,
    AppendNote,
    Command,
    Conclude,
    Conclusion,
    DecideLead,
    Label,
    OpenExamination,
    Refused,
    ReturnReview,
    Role,
    Search,
    SearchId,
)
from policy.morphology import Answer, Support, outward
from policy.seats import taken
from policy.visibility import context_closed, readable
from policy.workflow import Events, examination, wanting

OF_DIFFERENCES = ("differences-considered", "sober-words")  # refusals that stand beside that field
LOOK_FIRST = "Look at it at the viewer, then lock your opinion here."
PROBE_ANSWER = AnswerCandidate(Label(""), Support.NEITHER)  # asked of the policy, never submitted


def _asked_beside(reason: str, values: Mapping[str, str]) -> str:
    """The question of the form that the refusal is about: the contradiction it names, or the reason."""
    named = (context.question(fact) for fact in Fact if reason.startswith(fact.capitalize()))
    return next((block for block in named if block in values), "reason")


def _shows(before: Search, by: Actor, command: AnswerCandidate, events: Events) -> bool:
    """Whether the sheet has to be drawn anew: a conclusion became possible or impossible, or it is time to say how far.

    views.update is rationed; the answer itself is on the examiner's screen already.
    """
    mine = examination(before, by.id)
    answers = mine.answers if mine else {}
    left = len(shown_to(before, by.id)) - len({*answers, command.label})
    refused = any(isinstance(event, Refused) for event in events)
    return refused or Answer.POSSIBLE in {outward(command.support), answers.get(command.label)} or left % 5 == 0


class Review:
    """The examiners' and supervisors' doors."""

    def __init__(self, casework: Casework, people: People, desk: Desk, rooms: Rooms) -> None:
        self._casework = casework
        self._people = people
        self._desk = desk
        self._rooms = rooms

    async def open_worksheet(self, body: dict[str, Any]) -> None:
        """The examiner's own sheet, or a sentence why not; the attempt is recorded either way it is refused."""
        pressed = clicks.click(body)
        search_id = SearchId(pressed.value)
        by = await self._examiner(pressed)
        search = await self._casework.look(search_id)
        if refused := self._casework.may(search, PROBE_ANSWER, by):
            await self._casework.refuse(search_id, refused, by)
            await self._desk.open_view(pressed.trigger, review.telling(refused.reason))
            return
        await self._casework.submit(search_id, OpenExamination(ids.draw()), by)
        await self._casework.sat_down(search_id, by)
        await self._desk.open_view(pressed.trigger, await self._sheet(await self._casework.look(search_id), by))

    async def candidate_answered(self, body: dict[str, Any]) -> None:
        """The answer is kept as soon as it is chosen: nothing an examiner did is lost with the modal."""
        chosen = clicks.click(body)
        search_id = SearchId(chosen.meta["search"])
        command = AnswerCandidate(Label(chosen.action.removeprefix("answer_")), Support(chosen.value))
        by = await self._examiner(chosen)
        before = await self._casework.look(search_id)
        events = await self._casework.submit(search_id, command, by)
        await self._casework.sat_down(search_id, by)
        if _shows(before, by, command, events):
            await self._show(chosen, search_id, by, events, chosen.meta["page"])

    async def page_turned(self, body: dict[str, Any]) -> None:
        pressed = clicks.click(body)
        search, page = pressed.value.split()
        await self._show(pressed, SearchId(search), await self._examiner(pressed), (), int(page))

    async def _show(self, click: Click, search_id: SearchId, by: Actor, events: tuple[object, ...], page: int) -> None:
        match events:
            case (Refused(_, reason),):
                view = review.telling(reason)
            case _:
                view = await self._sheet(await self._casework.look(search_id), by, page)
        await self._desk.update_view(click.view_id, view)

    async def concluded(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """The opinion is locked before the modal closes, or the modal says what is missing."""
        form = clicks.submission(body)
        search_id = SearchId(form.meta["search"])
        conclusion, candidate = review.read_conclusion(form.values[review.CONCLUSION])
        by = await self._people.actor_in(self._rooms.review, form.team, form.account, Role.EXAMINER)
        found = await self._casework.compared(search_id, candidate, by) if candidate else {}
        said = form.values.get(review.DIFFERENCES, "")
        probe = form.meta["probe"] or await self._casework.probe_served(search_id, by)  # shown on the sheet, or there
        command = Conclude(conclusion, candidate, said, probe, found)
        if candidate and await self._asks_for_comparison(search_id, command, by):
            await self._casework.keep_draft(search_id, command, by, {review.DIFFERENCES: said})
            await ack(response_action="update", view=comparison.sheet(search_id, candidate, probe, found))
            return
        match await self._casework.submit(search_id, command, by):
            case (Refused(rule, reason),):
                field = review.DIFFERENCES if rule in OF_DIFFERENCES else review.CONCLUSION
                told = f"{reason} {LOOK_FIRST}" if not probe and rule == "original-probe" else reason
                await ack(response_action="errors", errors={field: told})
            case _:
                await ack(response_action="update", view=review.locked(await self._casework.look(search_id)))

    async def _asks_for_comparison(self, search_id: SearchId, command: Conclude, by: Actor) -> bool:
        """Whether the comparison alone is missing: a question still to be answered, and no attempt to be recorded."""
        search = await self._casework.look(search_id)
        if self._casework.may(search, command, by):
            return False
        lacks = wanting(search, command, by, self._casework.pack_of(search))
        return lacks is not None and lacks.rule in {"compares-components", "something-similar"}

    async def compared(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """The findings are kept, and the opinion that waited for them is locked before the form closes."""
        form = clicks.submission(body)
        search_id, candidate = SearchId(form.meta["search"]), Label(form.meta["candidate"])
        by = await self._people.actor_in(self._rooms.review, form.team, form.account, Role.EXAMINER)
        search = await self._casework.look(search_id)
        if candidate in shown_to(search, by.id) and not self._casework.may(search, PROBE_ANSWER, by):
            await self._casework.compare(search_id, candidate, comparison.read(form.values), by)
        said = (await self._casework.draft(search_id, by)).get(review.DIFFERENCES, "")
        found = await self._casework.compared(search_id, candidate, by)
        command = Conclude(Conclusion.POSSIBLE_MATCH, candidate, said, form.meta["probe"], found)
        match await self._casework.submit(search_id, command, by):
            case (Refused(_, reason),):
                view = review.telling(reason)
            case _:
                view = review.locked(await self._casework.look(search_id))
        await ack(response_action="update", view=view)

    async def open_decision(self, body: dict[str, Any]) -> None:
        """The supervisor's form, or a sentence why not."""
        pressed = clicks.click(body)
        approve = pressed.action == "approve_lead"
        search_id = SearchId(pressed.value)
        by = await self._people.actor_in(self._rooms.oversight, pressed.team, pressed.account, Role.SUPERVISOR)
        search = await self._casework.look(search_id)
        if refused := self._casework.may(search, DecideLead(approve, "?"), by):
            await self._casework.refuse(search_id, refused, by)
            await self._desk.open_view(pressed.trigger, review.telling(refused.reason))
            return
        await self._desk.open_view(pressed.trigger, review.decision_form(search, approve=approve))

    async def return_asked(self, body: dict[str, Any]) -> None:
        """The form in which a supervisor asks for one more opinion, or a sentence why not."""
        pressed = clicks.click(body)
        by = await self._people.actor_in(self._rooms.oversight, pressed.team, pressed.account, Role.SUPERVISOR)
        await self._form(pressed, ReturnReview("?"), by, review.return_form)

    async def returned(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        form = clicks.submission(body)
        by = await self._people.actor_in(self._rooms.oversight, form.team, form.account, Role.SUPERVISOR)
        await self._given(ack, form, ReturnReview(form.values.get("reason", "")), by, "reason")

    async def note_asked(self, body: dict[str, Any]) -> None:
        """The form in which an examiner adds to a locked opinion, or a sentence why not."""
        pressed = clicks.click(body)
        await self._form(pressed, AppendNote("?"), await self._examiner(pressed), review.note_form)

    async def noted(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        form = clicks.submission(body)
        by = await self._people.actor_in(self._rooms.review, form.team, form.account, Role.EXAMINER)
        await self._given(ack, form, AppendNote(form.values.get("note", "")), by, "note")

    async def _form(self, pressed: Click, command: Command, by: Actor, form: Callable[[Search], View]) -> None:
        search = await self._casework.look(SearchId(pressed.value))
        refused = self._casework.may(search, command, by)
        if refused:
            await self._casework.refuse(search.id, refused, by)
        await self._desk.open_view(pressed.trigger, review.telling(refused.reason) if refused else form(search))

    async def _given(self, ack: AsyncAck, form: clicks.Submission, command: Command, by: Actor, field: str) -> None:
        match await self._casework.submit(SearchId(form.meta["search"]), command, by):
            case (Refused(_, reason),):
                await ack(response_action="errors", errors={field: reason})
            case _:
                await ack()

    async def decided(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        form = clicks.submission(body)
        by = await self._people.actor_in(self._rooms.oversight, form.team, form.account, Role.SUPERVISOR)
        resolutions = {fact: form.values.get(context.question(fact), "") for fact in Fact}
        said = {fact.value: text for fact, text in resolutions.items() if text}
        command = DecideLead(bool(form.meta["approve"]), form.values.get("reason", ""), said)
        match await self._casework.submit(SearchId(form.meta["search"]), command, by):
            case (Refused(_, reason),):
                await ack(response_action="errors", errors={_asked_beside(reason, form.values): reason})
            case _:
                await ack()

    async def open_context(self, body: dict[str, Any]) -> None:
        """What was described and what is on record, to whoever may see it by now; recorded before it is shown (M22)."""
        pressed = clicks.click(body)
        by = await self._examiner(pressed)
        search = await self._casework.look(SearchId(pressed.value))
        if refused := context_closed(search, by):
            await self._casework.refuse(search.id, refused, by)
            await self._desk.open_view(pressed.trigger, review.telling(refused.reason))
            return
        await self._casework.note(f"viewer:{search.id}", "ContextSeen", by, {})
        described = readable(search, by, self._casework.pack_of(search)).get("description", "")
        await self._desk.open_view(pressed.trigger, context.sheet(search, described))

    async def _examiner(self, click: Click) -> Actor:
        return await self._people.actor_in(self._rooms.review, click.team, click.account, Role.EXAMINER)

    async def _sheet(self, search: Search, by: Actor, page: int = 0) -> dict[str, Any]:
        full = taken(search, by.id, self._casework.pack_of(search))
        search = seen_by(search, by.id)
        files = await self._desk.uploads(search.id)
        seed = ids.bundle_seed(search.id, by.id)
        typed = (await self._casework.draft(search.id, by)).get(review.DIFFERENCES, "")
        return review.worksheet(search, examination(search, by.id), files, seed, page, typed, taken=full)
