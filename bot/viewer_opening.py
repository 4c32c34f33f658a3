"""How somebody comes to the viewer and leaves it: the button in Slack, the link, the code, and the way out."""

import html
from typing import Any

from aiohttp import web

from bot import clicks, ids, ledger, pages, sights, viewer_links
from bot.casework import Casework
from bot.database import Conn, Pool
from bot.desk import Desk
from bot.sights import Sight
from bot.viewer_guard import refusal
from bot.viewer_links import Browser, Holder, Opened, Unopened
from bot.viewer_seats import BROWSER_COOKIE, COOKIE, Seats, stream_of
from bot.views import review
from policy.model import OpenExamination, SearchId
from policy.seats import taken

LEFT = "You have left, and this browser stands for nobody any more. Nothing that was kept is lost."


class Opening:
    """The doors. Built by the composition root."""

    def __init__(self, pool: Pool, casework: Casework, desk: Desk, seats: Seats) -> None:
        self._pool = pool
        self._casework = casework
        self._desk = desk
        self._seats = seats

    # --- from Slack -------------------------------------------------------------------------------------------------

    async def offered(self, body: dict[str, Any]) -> None:
        """Whoever may has a link of their own, or a sentence why not; a refused attempt is recorded."""
        pressed = clicks.click(body)
        untrusted_search, sight = sights.read(pressed.value)
        if sight is None:
            return
        search_id = SearchId(untrusted_search)
        by = await self._seats.person(sight, pressed.team, pressed.account)
        if refused := self._seats.may(await self._casework.look(search_id), sight, by):
            await self._casework.refuse(search_id, refused, by)
            await self._desk.open_view(pressed.trigger, review.telling(refused.reason))
            return
        full = False
        if sight is Sight.EXAMINATION:
            await self._casework.submit(search_id, OpenExamination(ids.draw()), by)
            search = await self._casework.look(search_id)
            full = taken(search, by.id, self._casework.pack_of(search))
        now = self._seats.clock()
        holder = Holder(search_id, by.id, pressed.team, pressed.account, sight)
        async with self._pool.acquire() as conn, conn.transaction():
            link = await viewer_links.make(conn, holder, now)
            data = {"sight": sight.value}
            await ledger.append(conn, stream_of(holder), "ViewerLinkMade", at=now, actor=by.id, data=data)
        address = f"{self._seats.url}/viewer/open#{link.token}"
        await self._desk.open_view(pressed.trigger, review.viewer_link(address, link.code, taken=full))

    # --- the link ---------------------------------------------------------------------------------------------------

    async def followed(self, _: web.Request) -> web.Response:
        """The page that uses the link: by itself a GET spends nothing, since scanners and previews follow links.

        The secret stands behind the #, which browsers send to nobody: it is in no log of ours or of a proxy.
        """
        return pages.page("open.html")

    async def used(self, request: web.Request) -> web.Response:
        """The link is spent, and this browser has a session of fifteen minutes; or a page asks for the code, or says
        why not.
        """
        self._seats.from_our_own_page(request)
        form = await request.post()
        token, code = str(form.get("token", "")), str(form.get("code", ""))
        browser, now = await self._seats.browser(request), self._seats.clock()
        async with self._pool.acquire() as conn, conn.transaction():
            answer = await viewer_links.use(conn, token, code, browser, now)
            await self._record(conn, answer, browser)
        match answer:
            case Opened():
                return self._seated(answer)
            case Unopened(again=True):
                return _code_asked(token, answer)
            case Unopened():
                return refusal(request, answer.reason, 403)

    async def _record(self, conn: Conn, answer: Opened | Unopened, browser: Browser) -> None:
        now = self._seats.clock()
        match answer:
            case Opened(session):
                holder = session.holder
                data = {"proved": "browser" if answer.browser == browser.secret else "code"}
                await ledger.append(conn, stream_of(holder), "ViewerOpened", at=now, actor=holder.person, data=data)
            case Unopened(viewer_links.ASKED, _, holder):
                await ledger.append(conn, stream_of(holder), "ViewerCodeAsked", at=now, actor="unknown", data={})
            case Unopened(rule, reason, holder):
                known = browser.present.holder.person if browser.present else browser.person
                data = {"rule": rule, "reason": reason}
                await ledger.append(conn, stream_of(holder), "Refused", at=now, actor=known or "unknown", data=data)

    def _seated(self, opened: Opened) -> web.Response:
        answer = web.Response(status=303, headers={"Location": "/viewer/"})
        for name, secret, age in (
            (COOKIE, opened.secret, viewer_links.SESSION_FOR),
            (BROWSER_COOKIE, opened.browser, viewer_links.BROWSER_FOR),
        ):
            answer.set_cookie(
                name,
                secret,
                max_age=int(age.total_seconds()),
                path="/viewer",
                httponly=True,
                samesite="Strict",
                secure=self._seats.url.startswith("https:"),
            )
        return answer

    # --- the way out ------------------------------------------------------------------------------------------------

    async def left(self, request: web.Request) -> web.Response:
        """This browser stands for nobody, and what it had open is closed: for a workstation that others use, too."""
        self._seats.from_our_own_page(request)
        browser, now = await self._seats.browser(request), self._seats.clock()
        async with self._pool.acquire() as conn, conn.transaction():
            await viewer_links.end(conn, request.cookies.get(BROWSER_COOKIE, ""), now)
            if browser.present:
                holder = browser.present.holder
                await ledger.append(conn, stream_of(holder), "ViewerLeft", at=now, actor=holder.person, data={})
        answer = pages.telling(LEFT, 200)
        for name in (COOKIE, BROWSER_COOKIE):
            answer.del_cookie(name, path="/viewer")
        return answer


def _code_asked(untrusted_token: str, why: Unopened) -> web.Response:
    """The page that asks for the code; what was typed before stands nowhere."""
    text = (pages.PAGE / "code.html").read_text(encoding="utf-8")
    wrong = why.rule != viewer_links.ASKED
    for name, said in (("{reason}", why.reason), ("{token}", untrusted_token)):
        text = text.replace(name, html.escape(said))
    return web.Response(text=text, content_type="text/html", status=403 if wrong else 200)
