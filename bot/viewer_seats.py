"""Who is at the viewer, asked anew at each view, and what they saw or were refused, recorded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from aiohttp import web

from bot import ledger, sights, viewer_links
from bot.acts import Rooms
from bot.casework import Casework
from bot.database import Pool
from bot.people import People
from bot.sights import Sight
from bot.viewer_guard import ClosedError
from bot.viewer_links import Browser, Holder, Session
from policy.foils import seen_by
from policy.model import Actor, Refused, Role, Search

log = structlog.get_logger()

COOKIE, BROWSER_COOKIE = "leadgate_viewer", "leadgate_browser"
NO_SESSION = "Nobody is at the viewer in this browser, or the fifteen minutes are over. Open it from Slack again."
ELSEWHERE = "This came from another page than the viewer's own. Nothing was done."
NOT_YET = Refused("acknowledged-first", "The photograph is shown once the limits of a lead are acknowledged.")


@dataclass(frozen=True, slots=True)
class Seat:
    """Somebody at the viewer, who may see this now."""

    session: Session
    by: Actor
    search: Search

    @property
    def sight(self) -> Sight:
        return self.session.holder.sight


class Seats:
    """Asked by every door of the viewer. Built by the composition root."""

    def __init__(
        self, pool: Pool, casework: Casework, people: People, rooms: Rooms, url: str, clock: Callable[[], datetime]
    ) -> None:
        self._pool = pool
        self._casework = casework
        self._people = people
        self._rooms = rooms
        self.url = url.rstrip("/")
        self.clock = clock

    async def taken(self, request: web.Request) -> Seat:
        """Who is at the viewer: a right that was lost closes the page at the next view."""
        async with self._pool.acquire() as conn:
            session = await viewer_links.session(conn, request.cookies.get(COOKIE, ""), self.clock())
        if session is None:
            raise ClosedError(NO_SESSION)
        by = await self.person(session.holder.sight, session.holder.team, session.holder.account)
        search = await self._casework.look(session.holder.search)
        if refused := self.may(search, session.holder.sight, by):
            await self._refuse(session, by, refused)
            raise ClosedError(refused.reason)
        examines = session.holder.sight is Sight.EXAMINATION
        return Seat(session, by, seen_by(search, by.id) if examines else search)

    async def browser(self, request: web.Request) -> Browser:
        """Whom the browser stands for, and who is at the viewer in it."""
        cookies = request.cookies
        async with self._pool.acquire() as conn:
            return await viewer_links.browser(
                conn, cookies.get(BROWSER_COOKIE, ""), cookies.get(COOKIE, ""), self.clock()
            )

    def may(self, search: Search, sight: Sight, by: Actor) -> Refused | None:
        refused = self._casework.may(search, sights.QUESTIONS[sight], by)
        return refused or (None if sights.open_to(sight, search) else NOT_YET)

    async def person(self, sight: Sight, team: str, account: str) -> Actor:
        match sight:
            case Sight.EXAMINATION | Sight.PREPARATION:
                return await self._people.actor_in(self._rooms.review, team, account, Role.EXAMINER)
            case Sight.DECISION | Sight.QUALITY:
                return await self._people.actor_in(self._rooms.oversight, team, account, Role.SUPERVISOR)
            case Sight.FACES | Sight.LEAD:
                return await self._people.actor(team, account)

    async def record(self, seat: Seat, kind: str, data: Mapping[str, str]) -> None:
        """The ledger says what was seen."""
        async with self._pool.acquire() as conn, conn.transaction():
            stream = stream_of(seat.session.holder)
            await ledger.append(conn, stream, kind, at=self.clock(), actor=seat.by.id, data=data)
        log.info("viewer.seen", search=seat.search.id, kind=kind, actor=seat.by.id)

    async def attend(self, seat: Seat, *, original: bool = False) -> None:
        """The time spent at an examination is counted; and that its original was served, where it was (M19)."""
        if seat.sight is Sight.EXAMINATION:
            await self._casework.sat_down(seat.search.id, seat.by, seat.search.photo_sha256 if original else None)

    async def _refuse(self, session: Session, by: Actor, refused: Refused) -> None:
        data = {"rule": refused.rule, "reason": refused.reason}
        async with self._pool.acquire() as conn, conn.transaction():
            stream = stream_of(session.holder)
            await ledger.append(conn, stream, "Refused", at=self.clock(), actor=by.id, data=data)

    def from_our_own_page(self, request: web.Request) -> None:
        """Every change comes from the viewer's own origin: another page's form or script stays outside."""
        if request.headers.get("Origin") != self.url:
            raise ClosedError(ELSEWHERE)


def stream_of(holder: Holder | None) -> str:
    """Views have a stream of their own: what a search is, is folded from its own stream alone."""
    return f"viewer:{holder.search}" if holder else "viewer"
