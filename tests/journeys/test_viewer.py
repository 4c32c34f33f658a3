"""The viewer, from the button in Slack to the last recorded view: over HTTP, and in a real Chromium."""

import asyncio
import io
import json
import os
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from PIL import Image

from bot import ids, ledger
from deploy.demo import play
from tests.journeys.conftest import quiet
from tests.workspace.chromium import BROWSER, DESKTOP, PHONE, chromium
from tests.workspace.test_page import AXE, FETCHED, overflow, serious

PICTURES = Path(os.environ.get("LEADGATE_SCREENSHOTS", "artifacts/viewer"))


@pytest.fixture(scope="module")
async def review(town, enrolled):
    """A search in review: (its id, the root of its thread)."""
    async with town.person("dana.ruiz") as dana, town.person("eva.lind") as eva:
        _, search = await play.request(dana, town.room("intake"), enrolled, quiet)
        return search, await play.review_thread(eva, town.room("review"), search)


async def link(town, root, name, value=None):
    """The one-time link that this person's own Slack gives them."""
    async with town.person(name) as who:
        await who.click(root, "open_viewer", value=value)
        modal = await who.wait_view(lambda v: v["title"]["text"] == "Viewer")
        await who.close_view()
    return next(e["url"] for b in modal["blocks"] for e in b.get("elements", []))


async def open_link(browser, address, token=None):
    """What the page behind the link does: the secret goes into a form of the viewer's own origin."""
    page, _, secret = address.partition("#")
    origin = page.removesuffix("/viewer/open")
    return await browser.post(page, data={"token": token or secret}, headers={"Origin": origin})


def jar():
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))


async def views(town, search):
    import asyncpg

    conn = await asyncpg.connect(town.system.database_url("postgres"))
    try:
        return await ledger.read(conn, f"viewer:{search}")
    finally:
        await conn.close()


async def test_a_link_opens_once_and_every_photograph_that_is_seen_stands_in_the_ledger(town, review):
    search, root = review
    address = await link(town, root, "eva.lind")
    origin = address.partition("/viewer")[0]
    before = len(await views(town, search))
    async with jar() as eva, jar() as thief:
        assert (await open_link(eva, address)).status == 200
        again = await open_link(thief, address)
        assert again.status == 403
        assert "was used before" in await again.text()
        sheet = await (await eva.get(f"{origin}/viewer/sheet.json")).json()
        shown = await eva.get(f"{origin}/viewer/pictures/{sheet['candidates'][0]}")
        assert Image.open(io.BytesIO(await shown.read())).format == "JPEG"
        assert (await thief.get(f"{origin}/viewer/pictures/probe")).status == 403
    new = (await views(town, search))[before:]
    assert [(e.kind, e.actor) for e in new] == [
        ("ViewerOpened", "eva.lind"),
        ("Refused", "unknown"),
        ("Viewed", "eva.lind"),
    ]
    assert new[2].data == {"what": sheet["candidates"][0]}


async def test_a_link_does_not_open_where_somebody_else_is_at_the_viewer(town, review):
    search, root = review
    evas, noors = [await link(town, root, name) for name in ("eva.lind", "noor.haddad")]
    async with jar() as browser:
        assert (await open_link(browser, evas)).status == 200
        foreign = await open_link(browser, noors)
        assert foreign.status == 403
        assert "somebody else" in await foreign.text()
    last = (await views(town, search))[-1]
    assert (last.kind, last.actor, last.data["rule"]) == ("Refused", "eva.lind", "viewer-link-own")


async def test_a_forged_link_and_an_expired_one_are_refused_and_recorded(town, review):
    search, root = review
    address = await link(town, root, "eva.lind")
    async with jar() as browser:
        forged = await open_link(browser, address, "A" * 43)
        assert forged.status == 403
        assert "was not made here" in await forged.text()
        await town.sql(
            "UPDATE casework.viewer_link SET made_at = made_at - interval '1 hour', "
            "expires_at = expires_at - interval '1 hour' WHERE search = $1 AND used_at IS NULL",
            search,
        )
        expired = await open_link(browser, address)
        assert expired.status == 403
        assert "older than five minutes" in await expired.text()
    assert (await views(town, search))[-1].data["rule"] == "viewer-link-fresh"
    unknown = await town.sql("SELECT entry FROM ledger.entry WHERE stream = 'viewer' ORDER BY seq DESC LIMIT 1")
    assert json.loads(bytes(unknown[0]["entry"]))["data"]["rule"] == "viewer-link-known"


async def test_a_detective_gets_no_link_and_the_attempt_is_recorded(town, review):
    search, root = review
    async with town.person("mara.quinn") as mara:
        await mara.click(root, "open_viewer")
        told = await mara.wait_view(lambda v: v["title"]["text"] == "Leadgate")
        await mara.close_view()
    assert "examin" in json.dumps(told["blocks"])
    assert (await town.entries(search))[-1].kind == "Refused"


STRICT = ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'")


async def test_nothing_the_viewer_sends_may_be_stored_or_framed_or_says_who_a_candidate_is(town, review, enrolled):
    search, root = review
    address = await link(town, root, "eva.lind")
    origin = address.partition("/viewer")[0]
    sent = {}
    async with jar() as eva:
        answer = await open_link(eva, address)
        cookie = answer.history[0].headers["Set-Cookie"]
        assert all(word in cookie for word in ("HttpOnly", "SameSite=Strict", "Path=/viewer", "Max-Age=900"))
        for path in ("", "sheet.json", "viewer.js", "stage.js", "checklist.js", "viewer.css", "pictures/probe"):
            answer = await eva.get(f"{origin}/viewer/{path}")
            assert answer.status == 200, path
            assert answer.headers["Cache-Control"] == "no-store"
            assert [word for word in STRICT if word not in answer.headers["Content-Security-Policy"]] == []
            sent[path] = str(dict(answer.headers)) + (await answer.read()).decode("latin-1")
        sheet = json.loads(await (await eva.get(f"{origin}/viewer/sheet.json")).text())
    [row] = await town.sql("SELECT body FROM casework.search WHERE id = $1", search)
    candidates = json.loads(row["body"])["candidates"]
    named = {c["person"] for c in candidates} | {p for c in candidates for p in c["photos"]}
    everything = "".join(text for path, text in sent.items() if path != "pictures/probe")
    assert [word for word in {*named, "score", "dana", "2026-075", "arrest", "suspect"} if word in everything] == []
    assert sheet["candidates"] != [c["label"] for c in sorted(candidates, key=lambda c: c["rank"])]
    assert sorted(sheet["candidates"]) == sorted(c["label"] for c in candidates)
    assert sheet["examination"] == search
    assert ids.bundle_seed(search, "eva.lind") != ids.bundle_seed(search, "noor.haddad")


async def test_a_finding_is_kept_shown_again_and_only_taken_from_the_viewers_own_page(town, review):
    _, root = review
    address = await link(town, root, "noor.haddad")
    origin = address.partition("/viewer")[0]
    async with jar() as noor:
        await open_link(noor, address)
        sheet = await (await noor.get(f"{origin}/viewer/sheet.json")).json()
        place = f"{origin}/viewer/checklist/{sheet['candidates'][0]}/ears"
        found = {"finding": "different", "note": "The lobe is attached here."}
        assert (await noor.put(place, json=found)).status == 403
        assert (await noor.put(place, json=found, headers={"Origin": "http://127.0.0.1:1"})).status == 403
        assert (await noor.put(place, json=found, headers={"Origin": origin})).status == 204
        wrong = {"finding": "strong match"}
        assert (await noor.put(place, json=wrong, headers={"Origin": origin})).status == 422
        assert (await noor.put(place + "x", json=found, headers={"Origin": origin})).status == 422
    async with jar() as later:
        await open_link(later, await link(town, root, "noor.haddad"))
        sheet = await (await later.get(f"{origin}/viewer/sheet.json")).json()
    assert sheet["noted"] == {sheet["candidates"][0]: {"ears": found}}


async def test_a_right_that_is_lost_closes_the_viewer_at_the_next_view(town, review):
    search, root = review
    address = await link(town, root, "noor.haddad")
    origin = address.partition("/viewer")[0]
    certified = "UPDATE casework.person SET certified_until = now() + $1::interval WHERE id = 'noor.haddad'"
    async with jar() as noor:
        assert (await open_link(noor, address)).status == 200
        await town.sql(certified, timedelta(days=-1))
        try:
            assert (await noor.get(f"{origin}/viewer/pictures/probe")).status == 403
        finally:
            await town.sql(certified, timedelta(days=365))
        assert (await noor.get(f"{origin}/viewer/pictures/probe")).status == 200
    assert [e.kind for e in (await views(town, search))[-2:]] == ["Refused", "Viewed"]


def photographs_in(profile):
    """Files of the browser's profile that hold a JPEG: its caches, its history, whatever it writes."""
    files = [file for file in profile.rglob("*") if file.is_file() and not file.is_symlink()]
    return [str(file.relative_to(profile)) for file in files if b"\xff\xd8\xff\xe0\x00\x10JFIF" in file.read_bytes()]


@pytest.mark.browser
@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed here")
@pytest.mark.parametrize(
    ("size", "dark", "findings"), [(DESKTOP, False, "21"), (DESKTOP, True, "32"), (PHONE, False, "13")]
)
async def test_an_examiner_compares_with_the_keyboard_alone(size, dark, findings, town, review):
    _, root = review
    name = f"{'phone' if size == PHONE else 'desk'}-{'dark' if dark else 'light'}"
    axe = await asyncio.to_thread(AXE.read_text, "utf-8") if FETCHED else ""
    address, found = await link(town, root, "eva.lind"), []

    async def look(step):
        await asyncio.sleep(0.4)
        await tab.picture(PICTURES / name / f"{step}.png")
        assert await overflow(tab) <= 0
        found.extend(await serious(tab, axe))

    async with chromium() as browser:
        tab = await browser.tab(address, size, dark=dark)
        await tab.wait("document.querySelectorAll('#components fieldset').length === 18")
        await tab.wait("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
        assert await tab.run("location.href") == address.replace("open#" + address.partition("#")[2], "")
        await look("1-side-by-side")
        for key in ("j", "k", findings[0], "j", findings[1], "+", "+", "g"):
            await tab.press(key, ord(key.upper()))
        await tab.sees("Kept: Head and face outline.")
        both = await tab.run("[...document.querySelectorAll('.stage img')].map(i => i.style.transform)")
        assert both[0] == both[1] != ""
        await look("2-zoomed-with-grid")
        await tab.press("f", ord("F"))
        assert await tab.run("document.querySelectorAll('.pane.lit').length") == 1
        await tab.press("f", ord("F"))
        second = await tab.run("document.getElementById('candidate').options[1].value")
        await tab.press("n", ord("N"))
        await tab.sees(f"candidate {second}")
        assert tab.complaints == []
        uncached = await tab.run(
            "Promise.all([...document.images].map(i => fetch(i.src, {cache: 'only-if-cached', mode: 'same-origin'})"
            ".then(a => a.status, () => 504)))"
        )
        assert uncached == [504, 504]
        assert await tab.run("caches.keys()") == []
        assert await asyncio.to_thread(photographs_in, browser.profile) == []
        again = await browser.tab(address, size)
        await again.sees("was used before")
        assert await again.run("document.querySelectorAll('img').length") == 0
    assert found == []
