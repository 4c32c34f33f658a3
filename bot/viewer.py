"""The viewer: what chat cannot show, side by side, to one examiner at a time, each view recorded before it is seen.

Opened from Slack by a link that works once. Serves probe, candidates by label in the examiner's own order and the
checklist; no score, no rank, no name, no record (M17). Photographs pass through and are kept nowhere (M38).
"""

import html
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web
from pydantic import ValidationError

from bot import checklist, clicks, ids, ledger, photos, viewer_links
from bot.casework import Casework
from bot.database import AWAY, Pool
from bot.desk import Desk
from bot.matching import Matcher, MatcherAwayError, MatcherRefusedError
from bot.people import People
from bot.review import PROBE_ANSWER
from bot.viewer_links import Holder, Opened, Session, Unopened
from bot.views import review
from policy.model import Actor, Label, Refused, Role, Search, SearchId

log = structlog.get_logger()

PAGE = Path(__file__).parent / "viewer_page"
COOKIE = "leadgate_viewer"
TYPES = {".css": "text/css", ".js": "text/javascript", ".html": "text/html"}
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",  # no-referrer would take the Origin from our own forms, too
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
NO_SESSION = "Nobody is at the viewer in this browser, or the fifteen minutes are over. Open it from Slack again."
ELSEWHERE = "This came from another page than the viewer's own. Nothing was done."
AWAY_NOW = "This could not be recorded just now, so nothing is shown. Try again in a minute."
NO_PHOTOGRAPH = "This photograph may no longer be shown, or is not part of this examination."
NOT_A_FINDING = "That is not a finding of the checklist. Nothing was changed."

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Seat:
    """An examiner at the viewer, who may see this examination now."""

    session: Session
    by: Actor
    search: Search


class Viewer:
    """The viewer's doors: the button in Slack, and the page. Built by the composition root."""

    def __init__(
        self,
        pool: Pool,
        casework: Casework,
        people: People,
        desk: Desk,
        matcher: Matcher,
        kek: bytes,
        channel: str,
        url: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._pool = pool
        self._casework = casework
        self._people = people
        self._desk = desk
        self._matcher = matcher
        self._kek = kek
        self._channel = channel
        self._url = url.rstrip("/")
        self._clock = clock

    def app(self) -> web.Application:
        """What is served under /viewer."""
        made = web.Application(middlewares=[_guarded], client_max_size=4096)
        made.router.add_get("/viewer/open", self.link_followed)
        made.router.add_post("/viewer/open", self.link_used)
        made.router.add_get("/viewer/", self.page)
        made.router.add_get("/viewer/sheet.json", self.sheet)
        made.router.add_get("/favicon.ico", _nothing)
        made.router.add_get("/viewer/pictures/{label}", self.picture)
        made.router.add_put("/viewer/checklist/{label}/{component}", self.noted)
        for name in ("viewer.css", "viewer.js", "stage.js", "checklist.js", "open.js"):
            made.router.add_get(f"/viewer/{name}", _file)
        return made

    # --- from Slack -------------------------------------------------------------------------------------------------

    async def offered(self, body: dict[str, Any]) -> None:
        """The examiner has a link of their own, or a sentence why not; a refused attempt is recorded."""
        pressed = clicks.click(body)
        search_id = SearchId(pressed.value)
        by = await self._examiner(pressed.team, pressed.account)
        if refused := self._casework.may(await self._casework.look(search_id), PROBE_ANSWER, by):
            await self._casework.refuse(search_id, refused, by)
            await self._desk.open_view(pressed.trigger, review.telling(refused.reason))
            return
        now = self._clock()
        holder = Holder(search_id, by.id, pressed.team, pressed.account)
        async with self._pool.acquire() as conn, conn.transaction():
            token = await viewer_links.make(conn, holder, now)
            await ledger.append(conn, _stream(holder), "ViewerLinkMade", at=now, actor=by.id, data={})
        await self._desk.open_view(pressed.trigger, review.viewer_link(f"{self._url}/viewer/open#{token}"))

    # --- the link ---------------------------------------------------------------------------------------------------

    async def link_followed(self, _: web.Request) -> web.Response:
        """The page that uses the link: by itself a GET spends nothing, since scanners and previews follow links.

        The secret stands behind the #, which browsers send to nobody: it is in no log of ours or of a proxy.
        """
        return _html("open.html")

    async def link_used(self, request: web.Request) -> web.Response:
        """The link is spent, and this browser has a session of fifteen minutes; or a page says why not."""
        self._from_our_own_page(request)
        untrusted = str((await request.post()).get("token", ""))
        now = self._clock()
        async with self._pool.acquire() as conn, conn.transaction():
            present = await viewer_links.session(conn, request.cookies.get(COOKIE, ""), now)
            match await viewer_links.use(conn, untrusted, present, now):
                case Opened(session, secret):
                    holder = session.holder
                    await ledger.append(conn, _stream(holder), "ViewerOpened", at=now, actor=holder.examiner, data={})
                    return self._seated(secret)
                case Unopened(rule, reason, holder):
                    who = present.holder.examiner if present else "unknown"
                    await ledger.append(
                        conn, _stream(holder), "Refused", at=now, actor=who, data={"rule": rule, "reason": reason}
                    )
        return _telling(reason, 403)

    def _seated(self, secret: str) -> web.Response:
        answer = web.Response(status=303, headers={"Location": "/viewer/"})
        age = int(viewer_links.SESSION_FOR.total_seconds())
        answer.set_cookie(
            COOKIE,
            secret,
            max_age=age,
            path="/viewer",
            httponly=True,
            samesite="Strict",
            secure=self._url.startswith("https:"),
        )
        return answer

    # --- the page ---------------------------------------------------------------------------------------------------

    async def page(self, request: web.Request) -> web.Response:
        await self._seat(request)
        return _html("viewer.html")

    async def sheet(self, request: web.Request) -> web.Response:
        """What the page needs to know: labels in the examiner's own order, and what they noted so far."""
        seat = await self._seat(request)
        async with self._pool.acquire() as conn:
            noted = await checklist.of(conn, seat.search.id, seat.by.id)
        ordered = review.order(seat.search, ids.bundle_seed(seat.search.id, seat.by.id))
        return web.json_response(
            {
                "examination": seat.search.id,
                "viewer": seat.by.id,
                "seconds": int((seat.session.until - self._clock()).total_seconds()),
                "candidates": [candidate.label for candidate in ordered],
                "components": list(checklist.COMPONENTS.items()),
                "findings": list(checklist.FINDINGS.items()),
                "noted": noted,
            }
        )

    async def picture(self, request: web.Request) -> web.Response:
        """A photograph, once the ledger says who sees it."""
        seat, label = await self._seat(request), request.match_info["label"]
        candidate = next((c for c in seat.search.candidates if c.label == label), None)
        if candidate is None and label != review.PROBE:
            return _telling(NO_PHOTOGRAPH, 404)
        await self._record(seat, "Viewed", {"what": label})
        if candidate:
            shown = await self._matcher.gallery_photo(candidate.photos[0])
        else:
            shown = await self._probe(seat.search.id)
        return web.Response(body=shown, content_type="image/jpeg")

    async def _probe(self, search: SearchId) -> bytes:
        async with self._pool.acquire() as conn, conn.transaction():
            copy = await photos.opened(conn, self._kek, search, "copy")
        assert copy is not None, "in review without the copy that examiners see"
        return copy

    async def noted(self, request: web.Request) -> web.Response:
        """The finding is kept before the page says so."""
        self._from_our_own_page(request)
        seat = await self._seat(request)
        label, component = request.match_info["label"], request.match_info["component"]
        found = _finding(await request.read())
        known = component in checklist.COMPONENTS and label in {c.label for c in seat.search.candidates}
        if found is None or not known:
            return _telling(NOT_A_FINDING, 422)
        now, by = self._clock(), seat.by.id
        said = {"candidate": label, "component": component, "finding": found.finding}
        async with self._pool.acquire() as conn, conn.transaction():
            await checklist.keep(conn, seat.search.id, by, Label(label), component, found, now)
            stream = _stream(seat.session.holder)
            await ledger.append(
                conn, stream, "ComponentCompared", at=now, actor=by, data=said, private={"note": found.note}
            )
        return web.Response(status=204)

    # --- who is there -----------------------------------------------------------------------------------------------

    async def _seat(self, request: web.Request) -> Seat:
        """Who is at the viewer, asked anew each time: a right that was lost closes the page at the next view."""
        async with self._pool.acquire() as conn:
            session = await viewer_links.session(conn, request.cookies.get(COOKIE, ""), self._clock())
        if session is None:
            raise _Closed(NO_SESSION)
        by = await self._examiner(session.holder.team, session.holder.account)
        search = await self._casework.look(session.holder.search)
        if refused := self._casework.may(search, PROBE_ANSWER, by):
            await self._refuse(session, by, refused)
            raise _Closed(refused.reason)
        return Seat(session, by, search)

    async def _refuse(self, session: Session, by: Actor, refused: Refused) -> None:
        data = {"rule": refused.rule, "reason": refused.reason}
        async with self._pool.acquire() as conn, conn.transaction():
            stream = _stream(session.holder)
            await ledger.append(conn, stream, "Refused", at=self._clock(), actor=by.id, data=data)

    async def _record(self, seat: Seat, kind: str, data: Mapping[str, str]) -> None:
        async with self._pool.acquire() as conn, conn.transaction():
            stream = _stream(seat.session.holder)
            await ledger.append(conn, stream, kind, at=self._clock(), actor=seat.by.id, data=data)
        log.info("viewer.seen", search=seat.search.id, kind=kind, actor=seat.by.id)

    async def _examiner(self, team: str, account: str) -> Actor:
        return await self._people.actor_in(self._channel, team, account, Role.EXAMINER)

    def _from_our_own_page(self, request: web.Request) -> None:
        """Every change comes from the viewer's own origin: another page's form or script stays outside."""
        if request.headers.get("Origin") != self._url:
            raise _Closed(ELSEWHERE)


class _Closed(Exception):  # noqa: N818 - what the person is told, not a fault
    """The viewer shows nothing, for a reason that the person is told."""

    @property
    def reason(self) -> str:
        return str(self.args[0])


@web.middleware
async def _guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every answer carries the headers; whatever is away, nothing is shown."""
    try:
        answer = await handler(request)
    except _Closed as closed:
        answer = _telling(closed.reason, 403)
    except MatcherRefusedError:
        answer = _telling(NO_PHOTOGRAPH, 404)
    except (*AWAY, MatcherAwayError) as error:
        log.warning("viewer.away", error=type(error).__name__)
        answer = _telling(AWAY_NOW, 503)
    except web.HTTPException as error:
        answer = _telling(f"There is nothing here ({error.reason}).", error.status)
    answer.headers.update(HEADERS)
    return answer


def _stream(holder: Holder | None) -> str:
    """Views have a stream of their own: what a search is, is folded from its own stream alone."""
    return f"viewer:{holder.search}" if holder else "viewer"


def _finding(untrusted: bytes) -> checklist.Finding | None:
    try:
        return checklist.Finding.model_validate_json(untrusted)
    except ValidationError:
        return None


def _html(name: str, status: int = 200) -> web.Response:
    return web.Response(text=(PAGE / name).read_text(encoding="utf-8"), content_type="text/html", status=status)


def _telling(reason: str, status: int) -> web.Response:
    text = (PAGE / "told.html").read_text(encoding="utf-8").replace("{reason}", html.escape(reason))
    return web.Response(text=text, content_type="text/html", status=status)


async def _nothing(_: web.Request) -> web.Response:
    """Browsers ask for an icon; there is none."""
    return web.Response(status=204)


async def _file(request: web.Request) -> web.Response:
    """A part of the page; the name is one of those that were routed."""
    path = PAGE / Path(request.path).name
    return web.Response(text=path.read_text(encoding="utf-8"), content_type=TYPES[path.suffix])
