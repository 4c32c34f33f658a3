"""The viewer, from the button in Slack to the last recorded view: over HTTP, and in a real Chromium."""

import asyncio
import hashlib
import io
import json
import math
import os
import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from yarl import URL

from bot import ids, ledger
from bot.pages import HEADERS
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


class Link(str):
    """A one-time link, and the code that stands beside it."""

    __slots__ = ("code",)
    code: str


async def link(town, root, name, value=None):
    """The one-time link that this person's own Slack gives them."""
    async with town.person(name) as who:
        await who.click(root, "open_viewer", value=value)
        modal = await who.wait_view(lambda v: v["title"]["text"] == "Viewer")
        await who.close_view()
    made = Link(next(e["url"] for b in modal["blocks"] for e in b.get("elements", []) if "url" in e))
    made.code = "".join(re.findall(r"\*(\d{3}) (\d{3})\*", json.dumps(modal["blocks"]))[0])
    return made


async def open_link(browser, address, token=None, code=None):
    """What the page behind the link does: the secret goes into a form of the viewer's own origin, with the code."""
    page, _, secret = address.partition("#")
    origin = page.removesuffix("/viewer/open")
    said = {"token": token or secret, "code": address.code if code is None else code}
    return await browser.post(page, data=said, headers={"Origin": origin})


async def seated(browser, address, size=DESKTOP, *, dark=False):
    """A tab at the viewer; where the browser is new to it, the code is typed."""
    tab = await browser.tab(address, size, dark=dark)
    await tab.wait("location.pathname === '/viewer/' || !!document.getElementById('code')")
    if await tab.run("!!document.getElementById('code')"):
        await tab.write("#code", address.code)
        await tab.press("Enter", 13)
    await tab.wait(SHOWN)
    return tab


# Every photograph that is asked for is there, and lies where it belongs.
SHOWN = (
    "location.pathname === '/viewer/' && document.getElementById('viewer').textContent !== '' && "
    "[...document.querySelectorAll('.stage img')].filter(i => i.closest('.pane').getClientRects().length)"
    ".every(i => i.naturalWidth > 0 && !i.classList.contains('waiting'))"
)


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
        served = await shown.read()
        assert Image.open(io.BytesIO(served)).format == "JPEG"
        assert (await thief.get(f"{origin}/viewer/pictures/probe")).status == 403
    new = (await views(town, search))[before:]
    assert [(e.kind, e.actor) for e in new] == [
        ("ViewerOpened", "eva.lind"),
        ("Refused", "unknown"),
        ("Viewed", "eva.lind"),
    ]
    assert new[0].data == {"proved": "code"}
    assert new[2].data["what"] == sheet["candidates"][0]
    assert new[2].data["sha256"] == hashlib.sha256(served).hexdigest() != new[2].data["of_sha256"]


async def test_a_link_without_its_code_seats_nobody_who_is_not_known_here(town, review):
    """Noor has Eva's link, unused; and then guesses."""
    search, root = review
    address = await link(town, root, "eva.lind")
    origin = address.partition("/viewer")[0]
    before = len(await views(town, search))
    wrong = f"{(int(address.code) + 1) % 10**6:06}"
    async with jar() as noor:
        asked = await open_link(noor, address, code="")
        assert "Type the code" in await asked.text()
        for _ in range(5):
            assert (await open_link(noor, address, code=wrong)).status == 403
        assert "wrong five times" in await (await open_link(noor, address, code=wrong)).text()
        assert (await open_link(noor, address)).status == 403
        for door in ("", "sheet.json", "pictures/probe", "places/probe"):
            assert (await noor.get(f"{origin}/viewer/{door}")).status == 403
    new = (await views(town, search))[before:]
    assert {e.actor for e in new} == {"unknown"}
    assert [e.data.get("rule", e.kind) for e in new] == [
        "ViewerCodeAsked",
        *["viewer-link-person"] * 5,
        *["viewer-link-tries"] * 2,
    ]


async def test_a_browser_that_proved_itself_needs_no_further_code_until_its_person_leaves(town, review):
    search, root = review
    first, second, third, foreign = [
        await link(town, root, name) for name in ("eva.lind", "eva.lind", "eva.lind", "noor.haddad")
    ]
    origin = first.partition("/viewer")[0]
    async with jar() as browser:
        assert (await open_link(browser, first)).status == 200
        again = await open_link(browser, second, code="")
        assert again.url.path == "/viewer/"
        assert (await views(town, search))[-1].data == {"proved": "browser"}
        left = await browser.post(f"{origin}/viewer/leave", headers={"Origin": origin})
        assert "You have left" in await left.text()
        assert (await browser.get(f"{origin}/viewer/sheet.json")).status == 403
        assert "Type the code" in await (await open_link(browser, third, code="")).text()
        assert (await open_link(browser, foreign)).url.path == "/viewer/"
    assert [e.kind for e in (await views(town, search))[-3:]] == ["ViewerLeft", "ViewerCodeAsked", "ViewerOpened"]


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
        parts = ("viewer.js", "stage.js", "register.js", "checklist.js", "preparation.js", "crop.js", "viewer.css")
        for path in ("", "sheet.json", *parts, "places/probe", "pictures/probe"):
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


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)
NOTES = st.text(max_size=600) | st.sampled_from(["\x00", "\ud800", "a\x00b", "👂", "\u202e"])
FINDINGS = st.fixed_dictionaries({"finding": st.sampled_from(["similar", "different", "strong"]), "note": NOTES})
BODIES = st.one_of(
    st.binary(max_size=5000),
    st.sampled_from([b"[" * 4000, b'{"finding":' * 300, b'"\\ud800"', b"1e999"]),
    (JSONS | FINDINGS).map(lambda said: json.dumps(said).encode()),
)
PARTS = st.sampled_from(
    ["probe", "ears", "faces", "..", "A1.99", "%00", "%ED%A0%80", "%2e%2e%2f", "a" * 300]
) | st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).map(lambda said: quote(said, safe=""))


@pytest.fixture(scope="module")
async def at_the_viewer(town, review):
    """Eva at the viewer, over HTTP: (her browser, the viewer's origin, a candidate's label)."""
    _, root = review
    address = await link(town, root, "eva.lind")
    origin = address.partition("/viewer")[0]
    async with jar() as eva:
        await open_link(eva, address)
        sheet = await (await eva.get(f"{origin}/viewer/sheet.json")).json()
        yield eva, origin, sheet["candidates"][0]


async def judged(answer):
    """No fault, the headers, and some words to whoever was refused."""
    said = await answer.read()
    assert answer.status < 500, (answer.status, said)
    assert answer.status < 400 or len(said) > 20
    assert [name for name in HEADERS if answer.headers.get(name) != HEADERS[name]] == []


@settings(max_examples=60, deadline=None)
@given(body=BODIES, part=PARTS, text=NOTES)
async def test_whatever_is_sent_to_the_viewer_no_answer_is_a_fault_or_lacks_the_headers(
    at_the_viewer, body, part, text
):
    """The body of a finding or an operation, any part of a path, any link with any code."""
    eva, origin, label = at_the_viewer
    ours = {"Origin": origin}
    await judged(await eva.put(f"{origin}/viewer/checklist/{label}/ears", data=body, headers=ours))
    await judged(await eva.post(f"{origin}/viewer/preparation", data=body, headers=ours))
    for path in (f"pictures/{part}", f"places/{part}", f"checklist/{part}/ears", part):
        await judged(await eva.get(URL(f"{origin}/viewer/{path}", encoded=True)))
    typed = text.encode(errors="replace").decode()
    async with jar() as nobody:
        form = {"token": typed, "code": typed}
        await judged(await nobody.post(f"{origin}/viewer/open", data=form, headers=ours))


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


LANDMARKS = """
fetch(document.images[NTH].src.replace('pictures', 'places')).then(a => a.json()).then(place => {
    const image = document.images[NTH], lies = new DOMMatrix(getComputedStyle(image).transform);
    return place.landmarks.map(([x, y]) => {
        const on = lies.transformPoint({x: x * image.naturalWidth, y: y * image.naturalHeight});
        return [on.x, on.y];
    });
})
"""


async def register(tab):
    """How the faces lie on their glasses: (pixels between their middles, how many times as wide one is as the other)."""
    one, other = [await tab.run(LANDMARKS.replace("NTH", n)) for n in "01"]
    middles = [[sum(p[axis] for p in face) / 5 for axis in (0, 1)] for face in (one, other)]
    wide = [math.dist(face[0], face[4]) + math.dist(face[1], face[3]) for face in (one, other)]
    return math.dist(*middles), max(wide) / min(wide)


def in_register(how):
    """Middle on middle, and of one size as far as two people's faces are of one shape."""
    between, wider = how
    return between < 1 and wider < 1.1


KEYS = {
    "Tab": 9,
    "Enter": 13,
    " ": 32,
    "ArrowLeft": 37,
    "ArrowUp": 38,
    "ArrowRight": 39,
    "ArrowDown": 40,
}
FOCUSED = """
(() => {
    const e = document.activeElement, r = e.getBoundingClientRect(), on = getComputedStyle(e);
    const top = document.elementFromPoint(r.x + r.width / 2, r.y + Math.min(r.height / 2, 20));
    return {
        what: e.id || e.name || e.textContent.trim(), tag: e.tagName,
        seen: e.matches(':focus-visible') && parseFloat(on.outlineWidth) >= 2 && on.outlineStyle !== 'none',
        free: r.top >= 0 && r.top < innerHeight && (e === top || e.contains(top)),
    };
})()
"""


async def key(tab, name, *, back=False):
    """A key as a keyboard sends it."""
    text = {" ": " ", "Enter": "\r"}.get(name, name if len(name) == 1 else "")
    code = KEYS.get(name) or ord(name.upper())
    for kind in ("keyDown", "keyUp"):
        down = {"text": text} if text and kind == "keyDown" else {}
        await tab.say(
            "Input.dispatchKeyEvent",
            type=kind,
            key=name,
            code=name,
            windowsVirtualKeyCode=code,
            modifiers=8 if back else 0,
            **down,
        )


async def tabbed(tab, until, most=80):
    """Tab is pressed until the focus is there; answers where it was on the way. It can be seen all along."""
    way = []
    for _ in range(most):
        await key(tab, "Tab")
        at = await tab.run(FOCUSED)
        assert (at["seen"], at["free"]) == (True, True), at
        way.append(at["what"])
        if at["what"] == until:
            return way
    raise AssertionError(f"{until} was never reached: {way}")


IN_A_BROWSER = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed here")
JUDGED = pytest.mark.skipif(
    BROWSER is None or not FETCHED, reason="no Chromium, or no axe-core: npm install --prefix tests/workspace/judges"
)


@pytest.mark.browser
@JUDGED
@pytest.mark.parametrize(("size", "dark"), [(DESKTOP, False), (DESKTOP, True), (PHONE, False)])
async def test_axe_finds_nothing_serious_at_the_viewer(size, dark, town, review):
    _, root = review
    axe = await asyncio.to_thread(AXE.read_text, "utf-8")
    address = await link(town, root, "eva.lind")
    async with chromium() as browser:
        code = await browser.tab(address, size, dark=dark)
        await code.sees("Type the code")
        assert await serious(code, axe) == []
        tab = await seated(browser, address, size, dark=dark)
        assert await serious(tab, axe) == []
        await tab.run("document.querySelector('details').open = true")
        await key(tab, "f")
        assert await serious(tab, axe) == []


@pytest.mark.browser
@IN_A_BROWSER
@pytest.mark.parametrize(("size", "dark"), [(DESKTOP, False), (DESKTOP, True), (PHONE, False)])
async def test_two_faces_lie_in_register_and_one_moves_alone(size, dark, town, review):
    _, root = review
    shots = PICTURES / f"{'phone' if size == PHONE else 'desk'}-{'dark' if dark else 'light'}"
    address = await link(town, root, "eva.lind")

    async def look(step):
        await tab.still()
        await tab.picture(shots / f"{step}.png")
        assert await overflow(tab) <= 0

    async with chromium() as browser:
        tab = await browser.tab(address, size, dark=dark)
        await tab.sees("Type the code")
        await look("0-code")
        tab = await seated(browser, address, size, dark=dark)
        await look("1-side-by-side")
        assert in_register(await register(tab))
        for name in ("+", "+", "g"):
            await key(tab, name)
        assert in_register(await register(tab))
        await look("2-zoomed-with-grid")
        await key(tab, "0")
        await tab.choose("#moves", "1")
        await key(tab, "+")
        assert not in_register(await register(tab))
        await key(tab, "0")
        assert in_register(await register(tab))
        await key(tab, "e")
        await look("3-whole")
        assert not in_register(await register(tab))
        await key(tab, "e")
        await key(tab, "f")
        assert await tab.run("document.querySelectorAll('.pane.lit').length") == 1
        assert in_register(await register(tab))
        await look("4-flicker")
        assert tab.complaints == []


@pytest.mark.browser
@IN_A_BROWSER
@pytest.mark.parametrize(("size", "who"), [(DESKTOP, "eva.lind"), (PHONE, "noor.haddad")])
async def test_an_examiner_compares_with_the_keyboard_alone(size, who, town, review):
    """Tab to each thing that acts, arrows and space on it; and then by single keys. What has the focus is seen."""
    _, root = review
    address = await link(town, root, who)
    async with chromium() as browser:
        tab = await seated(browser, address, size)
        await tab.front()
        way = await tabbed(tab, "before")
        assert way == ["Leave", "before"]
        await tabbed(tab, "candidate")
        second = await tab.run("document.getElementById('candidate').options[1].value")
        await key(tab, "ArrowDown")
        await tab.sees(f"Comparison, candidate {second}")
        way = await tabbed(tab, "brightness")
        tools = ["closer", "farther", "reset", "register", "moves", "flicker", "grid", "grey", "brightness"]
        assert [one for one in way if not one.startswith("photograph")] == ["next", "stage", *tools]
        await key(tab, "ArrowRight")
        assert await tab.run("document.getElementById('brightness').value") == "101"
        await tabbed(tab, "skin")
        await key(tab, " ")
        await tab.sees("Kept: Skin.")
        await key(tab, "ArrowDown")
        await tab.wait(
            f"fetch('/viewer/sheet.json').then(a => a.json()).then(s => s.noted['{second}']?.skin?.finding === 'different')"
        )
        await key(tab, "Tab")
        await tab.say("Input.insertText", text="n4p: letters and digits are only written here")
        await key(tab, "Tab")
        await tab.wait(
            f"fetch('/viewer/sheet.json').then(a => a.json()).then(s => s.noted['{second}']?.skin?.note?.startsWith('n4p'))"
        )
        for name in ("j", "3"):
            await key(tab, name)
        await tab.sees("Kept: Composition and proportion.")
        await tabbed(tab, "onward")
        await key(tab, "Enter")
        third = await tab.run("document.getElementById('candidate').options[2].value")
        await tab.sees(f"Comparison, candidate {third}")
        assert tab.complaints == []


@pytest.mark.browser
@IN_A_BROWSER
async def test_no_photograph_is_in_any_cache_and_a_link_that_was_used_shows_none(town, review):
    _, root = review
    address = await link(town, root, "eva.lind")
    async with chromium() as browser:
        tab = await seated(browser, address)
        assert await tab.run("location.href") == address.replace("open#" + address.partition("#")[2], "")
        uncached = await tab.run(
            "Promise.all([...document.images].map(i => fetch(i.src, {cache: 'only-if-cached', mode: 'same-origin'})"
            ".then(a => a.status, () => 504)))"
        )
        assert uncached == [504, 504]
        assert await tab.run("caches.keys()") == []
        assert await asyncio.to_thread(photographs_in, browser.profile) == []
        again = await browser.tab(address)
        await again.sees("was used before")
        assert await again.run("document.querySelectorAll('img').length") == 0


@pytest.mark.browser
@IN_A_BROWSER
async def test_a_note_without_a_finding_outlasts_a_turn_to_another_candidate(town, review):
    _, root = review
    address = await link(town, root, "eva.lind")
    note = "document.querySelector('[data-component=neck] [type=text]').value"
    async with chromium() as browser:
        tab = await seated(browser, address)
        await tab.write("[data-component=neck] [type=text]", "short")
        await tab.click("#next")
        await tab.wait(note + " === ''")
        await tab.click("#before")
        await tab.wait(note + " === 'short'")


@pytest.mark.browser
@IN_A_BROWSER
async def test_a_photograph_that_may_no_longer_be_shown_says_so_in_its_place(town, review):
    search, root = review
    address = await link(town, root, "eva.lind")
    async with chromium() as browser:
        tab = await seated(browser, address)
        second = await tab.run("document.getElementById('candidate').options[1].value")
        [row] = await town.sql("SELECT body FROM casework.search WHERE id = $1", search)
        [photo] = [c["photos"][0] for c in json.loads(row["body"])["candidates"] if c["label"] == second]
        await town.sql("UPDATE gallery.photograph SET sealed = true, seal_order = 'CPL 160.50' WHERE id = $1", photo)
        try:
            await tab.click("#next")
            await tab.sees("This photograph may no longer be shown.")
        finally:
            await town.sql("UPDATE gallery.photograph SET sealed = false, seal_order = NULL WHERE id = $1", photo)
        await tab.click(".said button")
        await tab.wait(SHOWN)
        assert await tab.run("document.querySelectorAll('.said').length") == 0
