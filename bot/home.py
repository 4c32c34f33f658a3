"""The Home tab: drawn anew whenever somebody opens it. It records nothing and decides nothing."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bot import store
from bot.casework import Casework
from bot.database import AWAY, Pool
from bot.desk import Desk
from bot.people import People
from bot.views import home
from bot.views.blocks import View
from policy.model import Role
from policy.queue import queue


class Home:
    """What waits for whoever opens the tab."""

    def __init__(
        self, pool: Pool, casework: Casework, people: People, desk: Desk, room: str, clock: Callable[[], datetime]
    ) -> None:
        self._pool = pool
        self._casework = casework
        self._people = people
        self._desk = desk
        self._room = room
        self._clock = clock

    async def opened(self, body: Mapping[str, Any]) -> None:
        """The tab shows what waits now; the tab of messages beside it is Slack's own."""
        event = body["event"]
        if event.get("tab") == "home":
            await self._desk.publish_view(event["user"], await self._drawn(body["team_id"], event["user"]))

    async def _drawn(self, team: str, account: str) -> View:
        try:
            return await self._waiting(team, account)
        except AWAY:
            return home.away()

    async def _waiting(self, team: str, account: str) -> View:
        by = await self._people.actor_in(self._room, team, account, Role.EXAMINER)
        if Role.EXAMINER not in by.roles:
            return home.for_others()
        async with self._pool.acquire() as conn:
            searches = await store.under_examination(conn)
        now = self._clock()
        return home.waiting(queue(searches, by, self._casework.pack_of, now), now)
