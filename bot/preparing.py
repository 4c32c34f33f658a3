"""A poor photograph may be prepared for the search: copies made by plain operations, each of them recorded (M10)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from bot import copies, ids, photos
from bot.acts import Rooms
from bot.casework import Casework
from bot.database import Pool
from bot.desk import Desk
from bot.matching import Matcher
from bot.queue import Lease
from bot.views import preparing
from policy.model import Actor, PrepareProbe, Refused, Search, SearchId, State
from policy.preparation import Mask, Operation, Original
from policy.workflow import searched_copy

Errand = Callable[[Lease], Awaitable[None]]
AT_FIRST = "preparation"


class Preparing:
    """The jobs that call for it, and the making of copies. Built by the composition root."""

    def __init__(self, casework: Casework, pool: Pool, desk: Desk, matcher: Matcher, kek: bytes, rooms: Rooms) -> None:
        self._casework = casework
        self._pool = pool
        self._desk = desk
        self._matcher = matcher
        self._kek = kek
        self._rooms = rooms

    def by_kind(self) -> Mapping[str, Errand]:
        return {"ask-preparation": self.ask, "settle-preparation": self.settle}

    async def ask(self, lease: Lease) -> None:
        """The examiners know that a photograph waits which they may prepare; by then it may be over."""
        search = await self._casework.look(SearchId(lease.payload["search"]))
        if search.state is State.QUALITY_HELD:
            key = ids.post_key(search.id, AT_FIRST)
            await self._desk.post(key, self._rooms.review, preparing.wanted(search), again=lease.again)
        await self._casework.finish(lease)

    async def settle(self, lease: Lease) -> None:
        """The message says that nothing can be prepared any more."""
        search = SearchId(lease.payload["search"])
        if known := await self._desk.posted(ids.post_key(search, AT_FIRST)):
            await self._desk.update(*known, preparing.over(await self._casework.look(search)))
        await self._casework.finish(lease)

    async def latest(self, search: Search) -> bytes:
        """The bytes that would be searched now: the latest copy, or the original."""
        async with self._pool.acquire() as conn, conn.transaction():
            return await copies.latest(conn, self._kek, search)

    async def apply(self, search: Search, operation: Operation, by: Actor) -> Refused | None:
        """One more copy is kept and recorded, or why not. Other faces are masked first, in a step of its own (M5).

        MatcherRefusedError where the operation cannot be done to this copy.
        """
        if len(search.faces) > 1 and searched_copy(search) == search.photo_sha256:
            assert search.face is not None, "prepared before a face was chosen"
            if refused := await self._step(search, Mask(search.face), by):
                return refused
            search = await self._casework.look(search.id)
        return await self._step(search, operation, by)

    async def _step(self, search: Search, operation: Operation, by: Actor) -> Refused | None:
        made = await self._made(search, operation)
        faces = len((await self._matcher.faces(made)).faces)
        after = photos.sha256(made)
        if after != search.photo_sha256:
            async with self._pool.acquire() as conn, conn.transaction():
                await photos.keep_prepared(conn, self._kek, search.id, made)
        command = PrepareProbe(operation, searched_copy(search), after, faces)
        match await self._casework.submit(search.id, command, by):
            case (Refused() as refused,):
                return refused
            case _:
                return None

    async def _made(self, search: Search, operation: Operation) -> bytes:
        match operation:
            case Original():
                return await self.latest(replace(search, preparations=()))
            case Mask(keep):
                return await self._matcher.masked(await self.latest(search), keep)
            case _:
                return await self._matcher.prepared(await self.latest(search), operation)
