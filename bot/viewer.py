"""The viewer: what chat cannot show, side by side, to one person at a time, each view recorded before it is seen.

Opened from Slack by a link that works once. Serves examiners the probe, candidates by label in their own order and the
checklist; no score, no rank, no name, no record (M17). Photographs pass through, marked with who sees them, and are
kept nowhere (M38).
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import structlog
from aiohttp import web
from pydantic import Field, TypeAdapter, ValidationError

from bot import checklist, clicks, copies, ids, leadsheet, ledger, pages, photos, sights, viewer_links, watermark
from bot.acts import LEAD, SHEET, Rooms
from bot.casework import Casework
from bot.database import AWAY, Pool
from bot.desk import Desk, keep_given_out
from bot.handing import gathered
from bot.matching import Matcher, MatcherAwayError, MatcherRefusedError
from bot.people import People, StandingUnknownError
from bot.preparing import Preparing
from bot.sights import Sight
from bot.viewer_links import Holder, Opened, Session, Unopened
from bot.views import comparison, review
from policy.foils import seen_by
from policy.model import Actor, Label, OpenExamination, Refused, Role, Search, SearchId, State
from policy.preparation import Operation
from policy.seats import taken
from policy.workflow import searched_copy

log = structlog.get_logger()

COOKIE = "leadgate_viewer"
NO_SESSION = "Nobody is at the viewer in this browser, or the fifteen minutes are over. Open it from Slack again."
ELSEWHERE = "This came from another page than the viewer's own. Nothing was done."
AWAY_NOW = "This could not be recorded just now, so nothing is shown. Try again in a minute."
NO_PHOTOGRAPH = "This photograph may no longer be shown, or is not part of this examination."
NOT_YET = Refused("acknowledged-first", "The photograph is shown once the limits of a lead are acknowledged.")
TOLD: Mapping[Sight, str] = {
    Sight.EXAMINATION: "The conclusion is given on your worksheet, in Slack.",
    Sight.DECISION: "The examiners agree on this candidate. The decision is given in Slack, with a reason.",
    Sight.QUALITY: (
        "This photograph is below the floor of what can be compared. Whether it is searched all the same is decided in "
        "Slack, with a reason."
    ),
    Sight.FACES: "Each face has a number. Say in Slack which one is meant; the others are not searched.",
    Sight.PREPARATION: (
        "This copy is what will be searched; the original stays, and every comparison is made against it. Each "
        "operation changes the whole picture and is recorded with your name."
    ),
    Sight.LEAD: (
        "INVESTIGATIVE LEAD ONLY. The person in the submitted image may be the person in this arrest photograph. This "
        "is not an identification. It does not by itself justify arrest, search, or an identification procedure."
    ),
}
NOT_AN_OPERATION = "That is not one of the operations there are. Nothing was changed."
NOT_A_FINDING = "That is not a finding of the checklist. Nothing was changed."

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Seat:
    """Somebody at the viewer, who may see this now."""

    session: Session
    by: Actor
    search: Search

    @property
    def sight(self) -> Sight:
        return self.session.holder.sight


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
        preparing: Preparing,
        rooms: Rooms,
        url: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._pool = pool
        self._casework = casework
        self._people = people
        self._desk = desk
        self._matcher = matcher
        self._kek = kek
        self._preparing = preparing
        self._rooms = rooms
        self._url = url.rstrip("/")
        self._clock = clock

    def app(self) -> web.Application:
        """What is served under /viewer."""
        made = web.Application(middlewares=[_guarded], client_max_size=4096)
        made.router.add_get("/viewer/open", self.link_followed)
        made.router.add_post("/viewer/open", self.link_used)
        made.router.add_get("/viewer/", self.page)
        made.router.add_get("/viewer/sheet.json", self.sheet)
        made.router.add_get("/favicon.ico", pages.nothing)
        made.router.add_get("/viewer/pictures/{label}", self.picture)
        made.router.add_get("/viewer/lead-sheet.pdf", self.lead_sheet)
        made.router.add_post("/viewer/preparation", self.prepared)
        made.router.add_put("/viewer/checklist/{label}/{component}", self.noted)
        for name in ("viewer.css", "viewer.js", "stage.js", "checklist.js", "preparation.js", "open.js"):
            made.router.add_get(f"/viewer/{name}", pages.part)
        return made

    # --- from Slack -------------------------------------------------------------------------------------------------

    async def offered(self, body: dict[str, Any]) -> None:
        """Whoever may has a link of their own, or a sentence why not; a refused attempt is recorded."""
        pressed = clicks.click(body)
        untrusted_search, sight = sights.read(pressed.value)
        if sight is None:
            return
        search_id = SearchId(untrusted_search)
        by = await self._person(sight, pressed.team, pressed.account)
        if refused := self._may(await self._casework.look(search_id), sight, by):
            await self._casework.refuse(search_id, refused, by)
            await self._desk.open_view(pressed.trigger, review.telling(refused.reason))
            return
        full = False
        if sight is Sight.EXAMINATION:
            await self._casework.submit(search_id, OpenExamination(ids.draw()), by)
            search = await self._casework.look(search_id)
            full = taken(search, by.id, self._casework.pack_of(search))
        now = self._clock()
        holder = Holder(search_id, by.id, pressed.team, pressed.account, sight)
        async with self._pool.acquire() as conn, conn.transaction():
            token = await viewer_links.make(conn, holder, now)
            data = {"sight": sight.value}
            await ledger.append(conn, _stream(holder), "ViewerLinkMade", at=now, actor=by.id, data=data)
        await self._desk.open_view(pressed.trigger, review.viewer_link(f"{self._url}/viewer/open#{token}", taken=full))

    # --- the link ---------------------------------------------------------------------------------------------------

    async def link_followed(self, _: web.Request) -> web.Response:
        """The page that uses the link: by itself a GET spends nothing, since scanners and previews follow links.

        The secret stands behind the #, which browsers send to nobody: it is in no log of ours or of a proxy.
        """
        return pages.page("open.html")

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
                    await ledger.append(conn, _stream(holder), "ViewerOpened", at=now, actor=holder.person, data={})
                    return self._seated(secret)
                case Unopened(rule, reason, holder):
                    who = present.holder.person if present else "unknown"
                    await ledger.append(
                        conn, _stream(holder), "Refused", at=now, actor=who, data={"rule": rule, "reason": reason}
                    )
        return pages.telling(reason, 403)

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
        return pages.page("viewer.html")

    async def sheet(self, request: web.Request) -> web.Response:
        """What the page needs to know: labels in the examiner's own order, and what they noted so far."""
        seat = await self._seat(request)
        async with self._pool.acquire() as conn:
            noted = await checklist.of(conn, seat.search.id, seat.by.id)
        seen = sights.candidates(seat.sight, seat.search)
        ordered = review.order(seat.search, ids.bundle_seed(seat.search.id, seat.by.id))
        compares = seat.sight is Sight.EXAMINATION
        return web.json_response(
            {
                "sight": seat.sight,
                "told": TOLD[seat.sight],
                "examination": seat.search.id,
                "viewer": seat.by.id,
                "seconds": int((seat.session.until - self._clock()).total_seconds()),
                "lineage": copies.lineage(seat.search),
                "prepared": sights.PREPARED in sights.pictures(seat.sight, seat.search),
                "sheet": f"lead-sheet-{seat.search.id}.pdf" if seat.sight is Sight.LEAD else "",
                "picture": sights.pictures(seat.sight, seat.search)[0],
                "candidates": [candidate.label for candidate in ordered if candidate.label in seen],
                "components": list(comparison.COMPONENTS.items()) if compares else [],
                "findings": list(comparison.FINDINGS.items()) if compares else [],
                "noted": noted,
            }
        )

    async def picture(self, request: web.Request) -> web.Response:
        """A photograph, once the ledger says who sees it."""
        seat, name = await self._seat(request), request.match_info["label"]
        if name not in sights.pictures(seat.sight, seat.search):
            return pages.telling(NO_PHOTOGRAPH, 404)
        await self._record(seat, "Viewed", {"what": name})
        mark = f"{seat.by.id} · {seat.search.id} · {self._clock():%Y-%m-%d %H:%M} UTC"
        served = await asyncio.to_thread(watermark.burnt, await self._picture(seat.search, name), mark)
        if seat.sight is Sight.LEAD:
            await self._given_out(seat.search.id, LEAD, served)
        return web.Response(body=served, content_type="image/jpeg")

    async def _given_out(self, search: SearchId, what: str, data: bytes) -> None:
        async with self._pool.acquire() as conn:
            await keep_given_out(conn, search, what, data)

    async def _picture(self, search: Search, name: str) -> bytes:
        match name:
            case sights.PROBE if search.state is State.QUALITY_HELD:  # examiners' copy is made once it is searched
                assert search.face is not None, "held before a face was chosen"
                return await self._matcher.copy(await self._kept(search.id, "original"), search.face)
            case sights.PROBE:
                return await self._kept(search.id, "copy")
            case sights.PREPARED:
                face = search.face if searched_copy(search) == search.photo_sha256 else 0
                return await self._matcher.copy(await self._preparing.latest(search), face or 0)
            case sights.FACES:
                return await self._matcher.marked(await self._kept(search.id, "original"))
            case _:
                candidate = next(c for c in search.candidates if c.label == name)
                return await self._matcher.gallery_photo(candidate.photos[0])

    async def _kept(self, search: SearchId, kind: photos.Kind) -> bytes:
        async with self._pool.acquire() as conn, conn.transaction():
            photo = await photos.opened(conn, self._kek, search, kind)
        assert photo is not None, f"seen before there was a {kind}"
        return photo

    async def lead_sheet(self, request: web.Request) -> web.Response:
        """The lead sheet, where Slack may not carry it; the ledger has its hash before the requester has it."""
        seat = await self._seat(request)
        if seat.sight is not Sight.LEAD:
            return pages.telling(NO_PHOTOGRAPH, 404)
        pack = self._casework.pack_of(seat.search)
        parts = await gathered(seat.search, pack, self._pool, self._kek, self._matcher)
        sheet = await asyncio.to_thread(leadsheet.pdf, parts)
        await self._record(seat, "LeadSheetServed", {"sha256": photos.sha256(sheet)})
        await self._given_out(seat.search.id, SHEET, sheet)
        name = f"lead-sheet-{seat.search.id}.pdf"
        attached = {"Content-Disposition": f'attachment; filename="{name}"'}
        return web.Response(body=sheet, content_type="application/pdf", headers=attached)

    async def noted(self, request: web.Request) -> web.Response:
        """The finding is kept before the page says so."""
        self._from_our_own_page(request)
        seat = await self._seat(request)
        label, component = request.match_info["label"], request.match_info["component"]
        found = _finding(await request.read())
        compared = sights.candidates(seat.sight, seat.search) if seat.sight is Sight.EXAMINATION else ()
        known = component in set(comparison.COMPONENTS) and label in compared
        if found is None or not known:
            return pages.telling(NOT_A_FINDING, 422)
        now, by = self._clock(), seat.by.id
        said = {"candidate": label, "component": component, "finding": found.finding}
        async with self._pool.acquire() as conn, conn.transaction():
            await checklist.keep(conn, seat.search.id, by, Label(label), component, found, now)
            stream = _stream(seat.session.holder)
            await ledger.append(
                conn, stream, "ComponentCompared", at=now, actor=by, data=said, private={"note": found.note}
            )
        return web.Response(status=204)

    async def prepared(self, request: web.Request) -> web.Response:
        """One operation more, kept and recorded before the page shows the copy; or a sentence why not."""
        self._from_our_own_page(request)
        seat = await self._seat(request)
        operation = _operation(await request.read())
        if operation is None or seat.sight is not Sight.PREPARATION:
            return web.json_response({"reason": NOT_AN_OPERATION}, status=422)
        try:
            refused = await self._preparing.apply(seat.search, operation, seat.by)
        except MatcherRefusedError as no:
            return web.json_response({"reason": f"{no.problem.reason} Nothing was changed."}, status=422)
        if refused:
            return web.json_response({"reason": refused.reason}, status=409)
        return web.json_response({"lineage": copies.lineage(await self._casework.look(seat.search.id))})

    # --- who is there -----------------------------------------------------------------------------------------------

    async def _seat(self, request: web.Request) -> Seat:
        """Who is at the viewer, asked anew each time: a right that was lost closes the page at the next view."""
        async with self._pool.acquire() as conn:
            session = await viewer_links.session(conn, request.cookies.get(COOKIE, ""), self._clock())
        if session is None:
            raise _Closed(NO_SESSION)
        by = await self._person(session.holder.sight, session.holder.team, session.holder.account)
        search = await self._casework.look(session.holder.search)
        if refused := self._may(search, session.holder.sight, by):
            await self._refuse(session, by, refused)
            raise _Closed(refused.reason)
        examines = session.holder.sight is Sight.EXAMINATION
        return Seat(session, by, seen_by(search, by.id) if examines else search)

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

    def _may(self, search: Search, sight: Sight, by: Actor) -> Refused | None:
        refused = self._casework.may(search, sights.QUESTIONS[sight], by)
        return refused or (None if sights.open_to(sight, search) else NOT_YET)

    async def _person(self, sight: Sight, team: str, account: str) -> Actor:
        match sight:
            case Sight.EXAMINATION | Sight.PREPARATION:
                return await self._people.actor_in(self._rooms.review, team, account, Role.EXAMINER)
            case Sight.DECISION | Sight.QUALITY:
                return await self._people.actor_in(self._rooms.oversight, team, account, Role.SUPERVISOR)
            case Sight.FACES | Sight.LEAD:
                return await self._people.actor(team, account)

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
        answer = pages.telling(closed.reason, 403)
    except MatcherRefusedError:
        answer = pages.telling(NO_PHOTOGRAPH, 404)
    except (*AWAY, MatcherAwayError, StandingUnknownError) as error:
        log.warning("viewer.away", error=type(error).__name__)
        answer = pages.telling(AWAY_NOW, 503)
    except web.HTTPException as error:
        answer = pages.telling(f"There is nothing here ({error.reason}).", error.status)
    answer.headers.update(pages.HEADERS)
    return answer


def _stream(holder: Holder | None) -> str:
    """Views have a stream of their own: what a search is, is folded from its own stream alone."""
    return f"viewer:{holder.search}" if holder else "viewer"


def _finding(untrusted: bytes) -> checklist.Finding | None:
    try:
        return checklist.Finding.model_validate_json(untrusted)
    except ValidationError:
        return None


OPERATION: TypeAdapter[Operation] = TypeAdapter(Annotated[Operation, Field(discriminator="op")])


def _operation(untrusted: bytes) -> Operation | None:
    """One of the closed list, with its own parameters and no others: there is no operation on a part of a picture."""
    try:
        asked = json.loads(untrusted)
        operation = OPERATION.validate_python(asked)
    except ValueError:
        return None
    return operation if OPERATION.dump_python(operation).keys() == asked.keys() else None
