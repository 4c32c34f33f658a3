"""The page in a real Chromium, on a desk and on a phone: three people in three tabs, no complaint, nothing an aid cannot read."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from deploy.workspace.person import Director
from deploy.workspace.workspace import Workspace

from .chromium import BROWSER, DESKTOP, PHONE, Browser, Tab, chromium
from .conftest import Cast, picture, room
from .desk import card, desk

pytestmark = [pytest.mark.browser, pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed here")]
PICTURES = Path(os.environ.get("LEADGATE_SCREENSHOTS", "artifacts/workspace"))
AXE = Path(__file__).parent / "judges" / "node_modules" / "axe-core" / "axe.min.js"
FETCHED = AXE.exists()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as found:
        yield found


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "camera-2.jpg"
    path.write_bytes(picture())
    return path


async def serious(tab: Tab, axe: str) -> list[str]:
    """What axe-core finds of serious or critical impact; nothing where it was not fetched (see judges/package.json)."""
    if not axe:
        return []
    await tab.run(axe + ";0")
    found = await tab.run(
        "axe.run(document).then(r => r.violations.map(v => [v.impact, v.id, v.nodes.map(n => n.html.slice(0, 120))]))"
    )
    return [json.dumps(v) for v in found if v[0] in {"serious", "critical"}]


async def overflow(tab: Tab) -> int:
    """How many pixels the page is wider than its window."""
    return await tab.run("document.documentElement.scrollWidth - innerWidth")


@pytest.mark.parametrize(("size", "dark"), [(DESKTOP, False), (DESKTOP, True), (PHONE, False), (PHONE, True)])
async def test_the_story_by_hand_in_a_browser(
    ws: Workspace, browser: Browser, cast: Cast, photo: Path, size: tuple[int, int], dark: bool
):
    name = f"{'phone' if size == PHONE else 'desk'}-{'dark' if dark else 'light'}"
    shots, seen = PICTURES / name, []
    axe = await asyncio.to_thread(AXE.read_text, "utf-8") if FETCHED else ""

    async def look(tab: Tab, step: str) -> None:
        await tab.still()
        await tab.picture(shots / f"{step}.png")
        seen.extend(await serious(tab, axe))
        assert await overflow(tab) <= 0, step

    async with desk(ws):
        tab = await browser.tab(ws.base, size, dark=dark)
        await tab.sees("Choose who you are")
        await look(tab, "1-who")
        await tab.click(".person", "Dana Ruiz")
        if size == PHONE:
            await tab.click(".place", "face-intake")
        await tab.wait("!!document.querySelector('.write')")
        await tab.choose_file(".stage .composer input[type=file]", photo)
        await tab.wait("document.querySelector('.send').disabled === false")
        await tab.write(".write", "From camera 2.")
        await tab.click(".send")
        await tab.sees("1 reply")
        await look(tab, "2-channel")
        await tab.click(".replies")
        await tab.click(".side .btn.primary", "Fill in the form")
        await tab.sees("Case number")
        await tab.click("dialog .btn.primary", "Request")
        await tab.sees("Please complete this required field.")
        await look(tab, "3-form")
        await tab.click("dialog .btn", "Explain the uses")
        await tab.sees("The six uses are these.")
        await look(tab, "4-stacked")
        await tab.click("dialog .btn", "Back")
        await tab.sees("Case number")
        await tab.click("dialog .btn", "Not now")
        await tab.wait("!document.querySelector('dialog')")
        await tab.click(".side .btn.danger", "Withdraw")
        await tab.sees("The ledger keeps that it was asked for.")
        await look(tab, "5-confirm")
        await tab.click("dialog .btn.danger", "Withdraw")
        await tab.sees("Withdrawn.")
        await look(tab, "6-thread")
        home = await browser.tab(f"{ws.base}/#as=dana.ruiz&channel=home", size, dark=dark)
        await home.sees("search waits for you")
        await look(home, "7-home")
    assert tab.complaints == []
    assert home.complaints == []
    assert seen == []


async def test_lines_of_plain_text_stay_lines(ws: Workspace, browser: Browser):
    tab = await browser.tab(ws.base, DESKTOP)
    await tab.sees("Choose who you are")
    said = json.dumps({"type": "plain_text", "text": "• one\n• two :tada:", "emoji": False})
    drawn = f"import('/page/mrkdwn.js').then((m) => m.textObject({said}).map((n) => n.tagName || n))"
    assert await tab.run(drawn) == ["• one", "BR", "• two :tada:"]
    assert tab.complaints == []


async def test_three_people_in_three_tabs_see_each_other_at_once_and_only_what_is_theirs(
    ws: Workspace, browser: Browser, client
):
    dana, sam, eva = [
        await browser.tab(f"{ws.base}/#as={name}&channel={where}")
        for name, where in (("dana.ruiz", "face-intake"), ("sam.okafor", "squad-room"), ("eva.lind", "face-review"))
    ]
    await sam.wait("!!document.querySelector('.write')")
    await eva.wait("!!document.querySelector('.write')")
    await dana.write(".write", "A word for the squad")
    await dana.press("Enter", 13)
    await dana.sees("A word for the squad")
    await sam.wait("document.querySelector('.place.unread .badge')?.innerText === '1'")
    await sam.click(".place", "face-intake")
    await sam.sees("A word for the squad")
    await sam.wait("!document.querySelector('.place.unread')")
    assert not await eva.run("document.body.innerText.includes('face-intake')")
    await client.chat_postMessage(channel=room(ws, "face-review"), text="A card", blocks=card("2026-075-1"))
    await eva.sees("Face search requested")
    assert not await dana.run("document.body.innerText.includes('Face search requested')")
    assert dana.complaints == sam.complaints == eva.complaints == []


async def test_the_keyboard_is_enough(ws: Workspace, browser: Browser):
    async with desk(ws):
        tab = await browser.tab(f"{ws.base}/#as=dana.ruiz&channel=face-intake")
        await tab.write(".write", "/face-u")
        await tab.sees("What was searched, why, and what came of it")
        await tab.press("Enter", 13)
        await tab.wait("document.querySelector('.write').value === '/face-usage '")
        await tab.press("Enter", 13)
        await tab.sees("Usage for this month: 0 searches.")
        await tab.sees("Only visible to you")
        await tab.write(".write", "photo below")
        await tab.press("Enter", 13)
        await tab.wait("document.querySelector('.messages').lastElementChild.innerText.includes('photo below')")
        await tab.run(
            "[...document.querySelectorAll('.message')].at(-1).querySelector('.tools button:last-child').focus()"
        )
        await tab.press("Enter", 13)
        await tab.sees("Request a face search")
        await tab.press("Enter", 13)
        await tab.sees("Case number")
        assert await tab.run("!!document.activeElement.closest('dialog')")
        await tab.press("Escape", 27)
        await tab.wait("!document.querySelector('dialog')")
        assert tab.complaints == []


async def test_a_picture_is_dropped_into_the_channel(ws: Workspace, browser: Browser, cast: Cast):
    tab = await browser.tab(f"{ws.base}/#as=dana.ruiz&channel=face-intake")
    await tab.wait("!!document.querySelector('.write')")
    await tab.run(
        "(() => { const d = new DataTransfer(); d.items.add(new File(['x'], 'dropped.txt', {type: 'text/plain'}));"
        "document.querySelector('.pane').dispatchEvent(new DragEvent('drop', {dataTransfer: d, bubbles: true, cancelable: true})); })()"
    )
    await tab.wait("document.querySelector('.send').disabled === false")
    await tab.click(".send")
    await (await cast("sam")).wait_message("#face-intake", lambda m: bool(m.get("files")))
    await tab.sees("dropped.txt")


async def test_the_guide_says_what_to_do_next_and_what_the_ledger_recorded(ws: Workspace, browser: Browser):
    tab = await browser.tab(f"{ws.base}/#as=dana.ruiz&channel=face-intake")
    await tab.wait("!!document.querySelector('.write')")
    guide = {
        "title": "What to do next",
        "steps": [
            {"person": "dana.ruiz", "title": "Post a photograph", "done": True},
            {"person": "eva.lind", "title": "Compare", "text": "Answer for each candidate.", "channel": "face-review"},
        ],
        "ledger": [{"seq": 7, "at": "10:42:03", "who": "Dana Ruiz", "what": "Photograph posted"}],
    }
    async with aiohttp.ClientSession() as http:
        assert (await http.put(f"{ws.base}/_ui/guide", json=guide)).status == 403
        head = {"Authorization": f"Bearer {ws.credentials.guide_key}"}
        assert (await http.put(f"{ws.base}/_ui/guide", json=guide, headers=head)).status == 200
    await tab.sees("Open a tab as Eva")
    await tab.sees("Photograph posted")
    assert await tab.run("document.querySelector('.step.now').innerText.includes('Compare')")


async def test_what_a_person_types_is_never_markup(ws: Workspace, browser: Browser, cast: Cast):
    evil = "<img src=x onerror=alert(1)><script>alert(2)</script> <https://e.org|*bold*> `code`"
    await (await cast("sam")).post_message("#face-intake", evil)
    tab = await browser.tab(f"{ws.base}/#as=dana.ruiz&channel=face-intake")
    await tab.sees("<script>alert(2)</script>")
    assert await tab.run("document.querySelectorAll('.messages img[src=x], .messages script').length") == 0
    assert tab.complaints == []


async def test_the_page_asks_nobody_else_for_anything(ws: Workspace, browser: Browser):
    async with aiohttp.ClientSession() as http, http.get(ws.base) as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    tab = await browser.tab(f"{ws.base}/#as=dana.ruiz&channel=face-intake")
    await tab.wait("!!document.querySelector('.write')")
    asked = await tab.run("performance.getEntriesByType('resource').map(e => new URL(e.name).origin)")
    assert set(asked) == {ws.base}


async def test_the_page_finds_its_way_back_when_the_workspace_was_away(
    ws: Workspace, browser: Browser, director: Director, cast: Cast
):
    tab = await browser.tab(f"{ws.base}/#as=dana.ruiz&channel=face-intake")
    await tab.wait("!!document.querySelector('.write')")
    for queue in ws.feed._open[ws.state.user_id("dana.ruiz")]:
        queue.put_nowait({"type": "reload"})
    await (await cast("sam")).post_message("#face-intake", "while you were away")
    await tab.sees("while you were away")
