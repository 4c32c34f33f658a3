"""The steps that errands share: the search of a job, once it is sealed; its photograph; a message that stands once."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date

from bot import copies, ids, photos, store
from bot.casework import SYSTEM, Casework, stream_of
from bot.database import Pool
from bot.desk import Desk
from bot.matching import Matcher, MatcherRefusedError
from bot.people import account_of
from bot.queue import Lease
from bot.sealing import stream_sealed
from bot.views.blocks import Block
from bot.views.lead import Beside
from policy.model import (
    Candidate,
    PersonId,
    Post,
    RecordPosted,
    Search,
    SearchId,
)

Message = tuple[str, list[Block]]
Errand = Callable[[Lease], Awaitable[None]]

FACES, LEAD, SHEET = "faces", "lead", "sheet"  # labels of uploads that are no candidates


@dataclass(frozen=True, slots=True)
class Rooms:
    """The channels of the desk."""

    intake: str
    review: str
    oversight: str

    @property
    def all(self) -> frozenset[str]:
        return frozenset({self.intake, self.review, self.oversight})


@dataclass(frozen=True, slots=True)
class Acts:
    """What errands act with. Built by the composition root."""

    casework: Casework
    pool: Pool
    desk: Desk
    matcher: Matcher
    kek: bytes
    team: str
    rooms: Rooms
    seal: bool
    images: bool = True  # False: no photograph of ours stands in Slack (M38)

    async def search(self, lease: Lease) -> Search:
        """The search that the job is about."""
        return await self.casework.look(SearchId(lease.payload["search"]))

    async def sealed(self, lease: Lease) -> Search:
        """The search, once everything that led here is under a signed checkpoint: no disclosure before seal."""
        search = await self.search(lease)
        if self.seal:
            async with self.pool.acquire() as conn:
                await stream_sealed(conn, stream_of(search.id))
        return search

    async def post(
        self, lease: Lease, search: Search, what: Post, message: Message, to: tuple[str, str | None] | None = None
    ) -> None:
        """The message stands once, and the ledger says that it does."""
        channel, thread = to or thread_of(search)
        key = ids.post_key(search.id, what)
        posted = await self.desk.post(key, channel, message, thread=thread, again=lease.again)
        await self.casework.submit(search.id, RecordPosted(what, *posted), SYSTEM, lease=lease)

    async def account(self, search: Search) -> str | None:
        """The requester's Slack account; None where they have none any more."""
        assert search.requested_by is not None, "a notice for a search nobody requested"
        async with self.pool.acquire() as conn:
            return await account_of(conn, self.team, PersonId(search.requested_by))

    async def original(self, search: SearchId) -> bytes | None:
        """The photograph as it was received; None before, and once its time is over."""
        async with self.pool.acquire() as conn, conn.transaction():
            return await photos.opened(conn, self.kek, search, "original")

    async def original_or_fail(self, search: SearchId) -> bytes:
        photo = await self.original(search)
        assert photo is not None, "assessed without a photograph"
        return photo

    async def to_be_searched(self, search: Search) -> bytes:
        """The latest prepared copy, or the photograph as it was received (M10)."""
        async with self.pool.acquire() as conn, conn.transaction():
            return await copies.latest(conn, self.kek, search)


def thread_of(search: Search) -> tuple[str, str]:
    """Channel and thread in which the photograph was posted."""
    assert search.origin is not None, "requested without an origin"
    return search.origin.channel, search.origin.message


async def known_beside(search: Search, pool: Pool, matcher: Matcher) -> Beside:
    """What a notice says that the search does not know of itself; of a record that was sealed since, no date."""
    async with pool.acquire() as conn:
        earlier = await store.earlier(conn, search.id)
    chosen = next((c for c in search.candidates if c.label == search.lead), None)
    if chosen is None:
        return Beside(earlier)
    try:
        return Beside(earlier, await taken_on(search, chosen, matcher))
    except MatcherRefusedError:
        return Beside(earlier)


async def taken_on(search: Search, chosen: Candidate, matcher: Matcher) -> date | None:
    """When the photograph that was compared was taken; None where that is not recorded."""
    facts = await matcher.person(chosen.person, str(search.evidence["classes"]).split())
    return next((photo.taken_on for photo in facts.photos if photo.photo_id == chosen.photos[0]), None)
