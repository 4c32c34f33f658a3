"""The viewer: what chat cannot show, side by side, to one person at a time, each view recorded before it is seen.

Opened from Slack by a link that works once. Serves examiners the probe, candidates by label in their own order and the
checklist; no score, no rank, no name, no record (M17). Photographs pass through, marked with who sees them, and are
kept nowhere (M38).
"""

import asyncio
from dataclasses import asdict
from typing import Annotated

from aiohttp import web
from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import from_json

from bot import checklist, copies, ids, leadsheet, ledger, pages, photos, sights
from bot.acts import LEAD, SHEET
from bot.casework import Casework
from bot.database import Pool
from bot.desk import keep_given_out
from bot.handing import gathered
from bot.matching import Matcher, MatcherRefusedError
from bot.preparing import Preparing
from bot.sights import Sight
from bot.viewer_guard import NO_PHOTOGRAPH, ClosedError, guarded, refusal
from bot.viewer_opening import Opening
from bot.viewer_pictures import Pictures
from bot.viewer_seats import Seat, Seats, stream_of
from bot.viewer_words import TITLES, TOLD
from bot.views import comparison, review
from policy.model import Label, SearchId
from policy.preparation import Operation

NOT_AN_OPERATION = "That is not one of the operations there are. Nothing was changed."
NOT_A_FINDING = "That is not a finding of the checklist. Nothing was changed."
PARTS = ("viewer.css", "viewer.js", "stage.js", "register.js", "checklist.js", "preparation.js", "crop.js", "open.js")


class Viewer:
    """The viewer's pages and what they ask for. Built by the composition root."""

    def __init__(
        self,
        pool: Pool,
        casework: Casework,
        matcher: Matcher,
        kek: bytes,
        preparing: Preparing,
        seats: Seats,
        opening: Opening,
    ) -> None:
        self._pool = pool
        self._casework = casework
        self._matcher = matcher
        self._kek = kek
        self._preparing = preparing
        self._seats = seats
        self._opening = opening
        self._pictures = Pictures(pool, matcher, preparing, kek)

    def app(self) -> web.Application:
        """What is served under /viewer."""
        made = web.Application(middlewares=[guarded], client_max_size=4096)
        made.router.add_get("/viewer/open", self._opening.followed)
        made.router.add_post("/viewer/open", self._opening.used)
        made.router.add_post("/viewer/leave", self._opening.left)
        made.router.add_get("/viewer/", self.page)
        made.router.add_get("/viewer/sheet.json", self.sheet)
        made.router.add_get("/favicon.ico", pages.nothing)
        made.router.add_get("/viewer/pictures/{name}", self.picture)
        made.router.add_get("/viewer/places/{name}", self.places)
        made.router.add_get("/viewer/lead-sheet.pdf", self.lead_sheet)
        made.router.add_post("/viewer/preparation", self.prepared)
        made.router.add_put("/viewer/checklist/{label}/{component}", self.noted)
        for name in PARTS:
            made.router.add_get(f"/viewer/{name}", pages.part)
        return made

    @property
    def opening(self) -> Opening:
        return self._opening

    async def page(self, request: web.Request) -> web.Response:
        await self._seats.taken(request)
        return pages.page("viewer.html")

    async def sheet(self, request: web.Request) -> web.Response:
        """What the page needs to know: labels in the examiner's own order, and what they noted so far."""
        seat = await self._seats.taken(request)
        async with self._pool.acquire() as conn:
            noted = await checklist.of(conn, seat.search.id, seat.by.id)
        seen = sights.candidates(seat.sight, seat.search)
        ordered = review.order(seat.search, ids.bundle_seed(seat.search.id, seat.by.id))
        compares = seat.sight is Sight.EXAMINATION
        photographs = sights.photographs(seat.sight, seat.search)
        return web.json_response(
            {
                "sight": seat.sight,
                "title": TITLES[seat.sight],
                "told": TOLD[seat.sight],
                "examination": seat.search.id,
                "viewer": seat.by.id,
                "seconds": int((seat.session.until - self._seats.clock()).total_seconds()),
                "lineage": copies.lineage(seat.search),
                "prepared": sights.PREPARED in sights.pictures(seat.sight, seat.search),
                "sheet": f"lead-sheet-{seat.search.id}.pdf" if seat.sight is Sight.LEAD else "",
                "picture": sights.pictures(seat.sight, seat.search)[0],
                "candidates": [candidate.label for candidate in ordered if candidate.label in seen],
                "photographs": photographs,
                "components": list(comparison.COMPONENTS.items()) if compares else [],
                "findings": list(comparison.FINDINGS.items()) if compares else [],
                "noted": noted,
            }
        )

    async def picture(self, request: web.Request) -> web.Response:
        """A photograph, once the ledger says who sees it, and which bytes."""
        seat = await self._seats.taken(request)
        name = _seen(request, seat)
        mark = f"{seat.by.id} · {seat.search.id} · {self._seats.clock():%Y-%m-%d %H:%M} UTC"
        marked = await self._pictures.marked(seat.search, name, mark)
        await self._seats.record(seat, "Viewed", {"what": name, **marked.hashes})
        await self._seats.attend(seat, original=name == sights.PROBE)
        if seat.sight is Sight.LEAD:
            await self._given_out(seat.search.id, LEAD, marked.jpeg)
        return web.Response(body=marked.jpeg, content_type="image/jpeg")

    async def _given_out(self, search: SearchId, what: str, data: bytes) -> None:
        async with self._pool.acquire() as conn:
            await keep_given_out(conn, search, what, data)

    async def places(self, request: web.Request) -> web.Response:
        """Where the face is in a photograph, so that the page shows two of them in the same place."""
        seat = await self._seats.taken(request)
        return web.json_response(asdict(await self._pictures.place(seat.search, _seen(request, seat))))

    async def lead_sheet(self, request: web.Request) -> web.Response:
        """The lead sheet, where Slack may not carry it; the ledger has its hash before the requester has it."""
        seat = await self._seats.taken(request)
        if seat.sight is not Sight.LEAD:
            return refusal(request, NO_PHOTOGRAPH, 404)
        pack = self._casework.pack_of(seat.search)
        parts = await gathered(seat.search, pack, self._pool, self._kek, self._matcher)
        sheet = await asyncio.to_thread(leadsheet.pdf, parts)
        await self._seats.record(seat, "LeadSheetServed", {"sha256": photos.sha256(sheet)})
        await self._given_out(seat.search.id, SHEET, sheet)
        name = f"lead-sheet-{seat.search.id}.pdf"
        attached = {"Content-Disposition": f'attachment; filename="{name}"'}
        return web.Response(body=sheet, content_type="application/pdf", headers=attached)

    async def noted(self, request: web.Request) -> web.Response:
        """The finding is kept before the page says so."""
        self._seats.from_our_own_page(request)
        seat = await self._seats.taken(request)
        label, component = request.match_info["label"], request.match_info["component"]
        found = _finding(await request.read())
        compared = sights.candidates(seat.sight, seat.search) if seat.sight is Sight.EXAMINATION else ()
        known = component in set(comparison.COMPONENTS) and label in compared
        if found is None or not known:
            return refusal(request, NOT_A_FINDING, 422)
        now, by = self._seats.clock(), seat.by.id
        said = {"candidate": label, "component": component, "finding": found.finding}
        async with self._pool.acquire() as conn, conn.transaction():
            await checklist.keep(conn, seat.search.id, by, Label(label), component, found, now)
            stream = stream_of(seat.session.holder)
            await ledger.append(
                conn, stream, "ComponentCompared", at=now, actor=by, data=said, private={"note": found.note}
            )
        await self._seats.attend(seat)
        return web.Response(status=204)

    async def prepared(self, request: web.Request) -> web.Response:
        """One operation more, kept and recorded before the page shows the copy; or a sentence why not."""
        self._seats.from_our_own_page(request)
        seat = await self._seats.taken(request)
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


def _seen(request: web.Request, seat: Seat) -> str:
    """The name of the photograph that is asked for, which may be seen."""
    name = request.match_info["name"]
    if name not in sights.pictures(seat.sight, seat.search):
        raise ClosedError(NO_PHOTOGRAPH, 404)
    return name


def _finding(untrusted: bytes) -> checklist.Finding | None:
    try:
        return checklist.Finding.model_validate_json(untrusted)
    except ValidationError:
        return None


OPERATION: TypeAdapter[Operation] = TypeAdapter(Annotated[Operation, Field(discriminator="op")])


def _operation(untrusted: bytes) -> Operation | None:
    """One of the closed list, with its own parameters and no others: there is no operation on a part of a picture."""
    try:
        asked = from_json(untrusted, allow_inf_nan=False)  # however deep it is nested
        operation = OPERATION.validate_python(asked)
    except ValueError:
        return None
    return operation if OPERATION.dump_python(operation).keys() == asked.keys() else None
