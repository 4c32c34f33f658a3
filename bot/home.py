"""The Home tab, and who takes an examination on: given back by an examiner, handed over by a supervisor (S9, S10)."""

from typing import Any

from slack_bolt.async_app import AsyncAck

from bot import clicks, ledger, waiting
from bot.acts import Rooms
from bot.casework import Casework
from bot.database import AWAY, Pool
from bot.desk import Desk
from bot.people import People, StandingUnknownError
from bot.views import home, review
from bot.views.blocks import View
from policy import seats
from policy.authority import examination, may_examine
from policy.model import Command, HandBack, HandOver, PersonId, Refused, Role, Search, SearchId
from policy.questions import Question, may_ask
from policy.timers import for_whom

NOBODY = "Nobody on the roster may examine this one: all have, or stand aside, or are not certified."


class Home:
    """The doors. Built by the composition root."""

    def __init__(self, casework: Casework, pool: Pool, people: People, desk: Desk, rooms: Rooms) -> None:
        self._casework = casework
        self._pool = pool
        self._people = people
        self._desk = desk
        self._rooms = rooms

    async def opened(self, event: dict[str, Any], team: str) -> None:
        """The tab shows what waits for whoever opened it, at this moment."""
        if event.get("tab") != "home":
            return
        try:
            view = await self._drawn(team, event["user"])
        except (*AWAY, StandingUnknownError):
            view = home.away()
        await self._desk.publish(event["user"], view)

    async def _drawn(self, team: str, account: str) -> View:
        by = await self._people.actor_in(self._rooms.review, team, account, Role.EXAMINER)
        async with self._pool.acquire() as conn:
            found = await waiting.every(conn, self._casework.packs)
        now = self._casework.now()
        mine = [one for one in found if for_whom(one, by, self._casework.pack_of(one.search), now)]
        theirs = [(one, examination(one.search, by.id) is not None, by.id in seats.kept(one.search)) for one in mine]
        return home.tab(theirs, now)

    async def queue(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """/face-queue: everything that waits, to a supervisor alone."""
        by = await self._people.actor(body["team_id"], body["user_id"])
        refused, now = may_ask(Question.QUEUE, by), self._casework.now()
        async with self._pool.acquire() as conn, conn.transaction():
            data = {"command": "face-queue", "allowed": refused is None}
            await ledger.append(conn, "oversight", "Asked", at=now, actor=by.id, data=data)
            found = await waiting.every(conn, self._casework.packs) if not refused else []
        if refused:
            await ack(text=refused.reason)
        else:
            await ack(text="What waits", blocks=home.queue(found, now))

    async def hand_back_asked(self, body: dict[str, Any]) -> None:
        pressed = clicks.click(body)
        by = await self._people.actor(pressed.team, pressed.account)
        search = await self._casework.look(SearchId(pressed.value))
        if not await self._refused(pressed, search, HandBack("?"), by):
            await self._desk.open_view(pressed.trigger, home.hand_back_form(search))

    async def hand_over_asked(self, body: dict[str, Any]) -> None:
        """Those who may examine it are offered, by name; nobody else is."""
        pressed = clicks.click(body)
        by = await self._people.actor(pressed.team, pressed.account)
        search = await self._casework.look(SearchId(pressed.value))
        if await self._refused(pressed, search, HandOver(PersonId("?"), "?"), by):
            return
        pack, now = self._casework.pack_of(search), self._casework.now()
        async with self._pool.acquire() as conn:
            people = await waiting.examiners(conn)
        free = {str(actor.id): name for actor, name in people if may_examine(search, actor, pack, now)}
        view = home.hand_over_form(search, free) if free else review.telling(NOBODY)
        await self._desk.open_view(pressed.trigger, view)

    async def _refused(self, pressed: clicks.Click, search: Search, command: Command, by: Any) -> bool:
        refused = self._casework.may(search, command, by)
        if refused:
            await self._casework.refuse(search.id, refused, by)
            await self._desk.open_view(pressed.trigger, review.telling(refused.reason))
        return refused is not None

    async def handed_back(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        form = clicks.submission(body)
        await self._answer(ack, form, HandBack(form.values.get(home.REASON, "")))

    async def handed_over(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        form = clicks.submission(body)
        await self._answer(ack, form, HandOver(PersonId(form.values[home.TO]), form.values.get(home.REASON, "")))

    async def _answer(self, ack: AsyncAck, form: clicks.Submission, command: Command) -> None:
        by = await self._people.actor(form.team, form.account)
        match await self._casework.submit(SearchId(form.meta["search"]), command, by):
            case (Refused(_, reason),):
                await ack(response_action="errors", errors={home.REASON: reason})
            case _:
                await ack()
