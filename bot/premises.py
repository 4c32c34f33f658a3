"""The workspace itself: the roster follows its user groups, and the bot is in no channel that it was not set up for.

Slack's events say when to look; what an event that never came would have said is found by looking all the same.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from slack_sdk.errors import SlackApiError

from bot import ids, jobs
from bot.acts import Rooms
from bot.casework import Casework
from bot.desk import Desk
from bot.queue import Lease
from bot.roster import Roster
from bot.views import premises

EVERY = timedelta(minutes=10)  # a revoked role, or an uninvited bot, stands no longer than this


class Premises:
    """The rounds and their errands. Built by the composition root."""

    def __init__(self, casework: Casework, desk: Desk, rooms: Rooms, roster: Roster | None) -> None:
        self._casework = casework
        self._desk = desk
        self._rooms = rooms
        self._roster = roster

    def by_kind(self) -> Mapping[str, Callable[[Lease], Awaitable[None]]]:
        return {"sync-roster": self.sync_roster, "leave-channel": self.leave_channel}

    async def leave_others(self) -> None:
        """Every channel that the bot is in and that is none of ours is being left."""
        when = f"{self._casework.now():%Y-%m-%dT%H:%M}"
        for channel in sorted(await self._desk.channels() - self._rooms.all):
            await self._casework.remember(jobs.leave(channel, when))

    async def keep_roster(self) -> None:
        """The roster says what the user groups say now, where it is fed from them."""
        if self._roster is not None:
            await self._roster.sync()

    async def sync_roster(self, lease: Lease) -> None:
        """The same, because something changed."""
        await self.keep_roster()
        await self._casework.finish(lease)

    async def leave_channel(self, lease: Lease) -> None:
        """The bot is in no channel that it was not set up for, and the supervisors know who wanted it there (M39).

        Where Slack does not let it go they know that, too, once a day: somebody has to take it out.
        """
        channel, inviter = lease.payload["channel"], lease.payload["inviter"]
        try:
            news = await self._desk.leave(channel) or bool(inviter) or lease.again
            key, message = ids.post_key(lease.key, "left"), premises.left(channel, inviter)
        except SlackApiError as error:
            if error.response.status_code >= 429:  # noqa: PLR2004 - too many requests, or Slack is away: tried again
                raise
            news, today = True, f"{channel}:{self._casework.now().date()}"
            key, message = ids.post_key(today, "not-left"), premises.not_left(channel, inviter)
        if news:
            await self._desk.post(key, self._rooms.oversight, message, again=lease.again)
        await self._casework.finish(lease)
