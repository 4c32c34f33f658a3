"""What waits for whom (SQL), and the errands that remind: once when it is due, once more when it waits too long."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from bot import ids, jobs, store
from bot.acts import Rooms
from bot.casework import Casework
from bot.database import Conn, Pool
from bot.desk import Desk
from bot.people import account_of
from bot.queue import Job, Lease
from bot.views import home
from policy import seats
from policy.model import Actor, PersonId, Post, Role, Search, SearchId
from policy.pack import Pack
from policy.timers import Stage, Waiting, waiting

WAITS = """
SELECT body, state_since FROM casework.search WHERE outcome IS NULL
    AND state IN ('held', 'face-needed', 'quality-held', 'in-review', 'disagreed', 'agreed')
ORDER BY state_since, id LIMIT 1000
"""


async def every(conn: Conn, packs: Mapping[str, Pack]) -> list[Waiting]:
    """Every search that waits for people, the longest first."""
    rows = await conn.fetch(WAITS)
    searches = [(store.SEARCH.validate_python(row["body"]), row["state_since"]) for row in rows]
    found = [waiting(search, since, packs[search.pack]) for search, since in searches]
    return [one for one in found if one is not None]


EXAMINERS = """
SELECT id, name, roles, certified_until FROM casework.person WHERE active AND 'examiner' = ANY (roles) ORDER BY name, id
"""


async def examiners(conn: Conn) -> list[tuple[Actor, str]]:
    """Everybody on the roster who examines, with their names."""
    rows = await conn.fetch(EXAMINERS)
    return [
        (Actor(PersonId(r["id"]), frozenset(Role(role) for role in r["roles"]), r["certified_until"]), r["name"])
        for r in rows
    ]


def reminders(found: list[Waiting], now: datetime) -> list[Job]:
    """Those that are due and have not been asked for before: once for each time it began to wait or was given back."""
    ordered: list[Job] = []
    for one in found:
        times = len(one.search.handed_back)  # given back, it waits for somebody else
        began = f"{one.search.id}:{one.stage}:{one.since.timestamp():.0f}:{times}"
        payload = {"search": one.search.id}
        if now >= one.due:
            ordered.append(Job("remind-waiting", began, payload | {"stage": one.stage.value}))
        if now >= one.escalates:
            ordered.append(Job("escalate-waiting", began, payload | {"stage": one.stage.value}))
    return ordered


class Reminders:
    """The errands. Built by the composition root."""

    def __init__(self, casework: Casework, pool: Pool, desk: Desk, team: str, rooms: Rooms) -> None:
        self._casework = casework
        self._pool = pool
        self._desk = desk
        self._team = team
        self._rooms = rooms

    def by_kind(self) -> Mapping[str, Callable[[Lease], Awaitable[None]]]:
        return {
            "remind-waiting": self.remind,
            "escalate-waiting": self.escalate,
            "tell-handed": self.tell_handed,
            "settle-handed": self.settle_handed,
        }

    async def order(self) -> None:
        """What is due by now is in the queue."""
        async with self._pool.acquire() as conn:
            found = await every(conn, self._casework.packs)
        for job in reminders(found, self._casework.now()):
            await self._casework.remember(job)

    async def remind(self, lease: Lease) -> None:
        """Where they work, those whom it waits for read that it waits."""
        if one := await self._still(lease):
            channel, thread = _where(one, self._rooms)
            key = ids.post_key(lease.key, "waits")
            await self._desk.post(key, channel, home.reminder(one), thread=thread, again=lease.again)
        await self._casework.finish(lease)

    async def escalate(self, lease: Lease) -> None:
        """The supervisors know that it has waited too long, whosever turn it is."""
        if one := await self._still(lease):
            key = ids.post_key(lease.key, "escalated")
            await self._desk.post(key, self._rooms.oversight, home.escalation(one), again=lease.again)
        await self._casework.finish(lease)

    async def tell_handed(self, lease: Lease) -> None:
        """Whoever was drawn or asked for an examination knows it, and no more than that (M17)."""
        search = await self._casework.look(SearchId(lease.payload["search"]))
        who = PersonId(lease.payload["to"])
        async with self._pool.acquire() as conn:
            account = await account_of(conn, self._team, who)
        key = ids.post_key(lease.key, "handed")
        if account is not None and who in seats.kept(search):
            channel = await self._desk.direct_channel(account)
            await self._desk.post(key, channel, home.handed(search), again=lease.again)
            search = await self._casework.look(search.id)
            if who not in seats.kept(search):  # it ended while that was on its way
                await self._settle(key, search)
        await self._casework.finish(lease)

    async def settle_handed(self, lease: Lease) -> None:
        """Whoever was told that it waits for them reads that it does not, and finds no buttons that are refused."""
        search = await self._casework.look(SearchId(lease.payload["search"]))
        for who, told in jobs.told_of_it(search):
            if who not in seats.kept(search):
                await self._settle(ids.post_key(told, "handed"), search)
        await self._casework.finish(lease)

    async def _settle(self, key: str, search: Search) -> None:
        if posted := await self._desk.posted(key):
            await self._desk.update(*posted, home.settled(search))

    async def _still(self, lease: Lease) -> Waiting | None:
        """What the job was about, where it waits yet."""
        async with self._pool.acquire() as conn:
            found = await every(conn, self._casework.packs)
        named = (lease.payload["search"], lease.payload["stage"])
        return next((one for one in found if (one.search.id, one.stage.value) == named), None)


def _where(one: Waiting, rooms: Rooms) -> tuple[str, str | None]:
    """The channel and thread of those whom it waits for."""
    match one.stage:
        case Stage.EXAMINATION | Stage.ARBITRATION:
            return _thread(one.search, rooms)
        case Stage.FACE:
            assert one.search.origin is not None, "a face is asked for where a photograph was posted"
            return one.search.origin.channel, one.search.origin.message
        case Stage.APPROVAL | Stage.QUALITY | Stage.DECISION:
            return rooms.oversight, None


def _thread(search: Search, rooms: Rooms) -> tuple[str, str | None]:
    posted = search.posts.get(Post.REVIEW.value)
    return rooms.review, posted.split()[1] if posted else None
