"""The Home tab says what waits for whom; an examination is given back, handed over, and reminded of."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from deploy.demo import play
from deploy.workspace.person import RefusedError
from tests.journeys.conftest import quiet
from tests.journeys.examining import labels_on, open_sheet
from tests.workspace.chromium import BROWSER, DESKTOP, PHONE, chromium
from tests.workspace.test_page import AXE, FETCHED, overflow, serious

PICTURES = Path(os.environ.get("LEADGATE_SCREENSHOTS", "artifacts/home"))


async def home(who, search: str, *, there: bool) -> dict:
    """The tab once it shows the search, or does not any more."""

    async def view():
        shown = await who.home()
        return shown if shown and (search in json.dumps(shown["blocks"])) == there else None

    return await who.wait_for(view, 30)


async def press(who, search: str, action: str) -> None:
    """The tab may be drawn anew while the finger is on its way: whoever sees so presses again."""
    for _ in range(20):
        tab = await home(who, search, there=True)
        try:
            await who.click(tab, action, value=search)
        except RefusedError:
            await asyncio.sleep(0.25)
        else:
            return
    raise AssertionError(f"{action} never held still")


async def test_what_waits_stands_on_the_home_tab_and_is_opened_given_back_and_handed_over_from_there(town, enrolled):
    async with (
        town.person("dana.ruiz") as dana,
        town.person("eva.lind") as eva,
        town.person("noor.haddad") as noor,
        town.person("mara.quinn") as mara,
    ):
        _, search = await play.request(dana, town.room("intake"), enrolled, quiet)
        root = await play.review_thread(eva, town.room("review"), search)
        tab = await home(eva, search, there=True)
        shown = json.dumps(tab["blocks"])
        assert "due in" in shown
        assert not [word for word in ("dana", "Dana", dana.id, "suspect", "2026-075") if word in shown]
        await home(dana, search, there=False)

        sheet = await open_sheet(eva, root)
        label = labels_on(sheet)[0]
        await eva.select(sheet, f"answer_{label}", "same", block_id=f"candidate_{label}")
        await eva.close_view(everything=True)

        async def begun():
            return "you have begun" in json.dumps((await home(eva, search, there=True))["blocks"]) or None

        await eva.wait_for(begun, 20)
        await press(eva, search, "hand_back")
        await eva.wait_view(lambda v: v.get("callback_id") == "hand_back")
        assert await eva.submit({"reason": "I am called to court."}) == {}
        free = await noor.wait_message(
            town.room("review"), lambda m: "waits for an examiner" in m["text"], root["ts"], timeout=30
        )
        assert not [word for word in ("Eva", eva.id, "court") if word in json.dumps(free["blocks"])]

        await mara.command(town.room("oversight"), "/face-queue")
        listed = await mara.wait_for(lambda: _listed(mara, town, search), 20)
        await mara.click(listed, "hand_over", value=search)
        form = await mara.wait_view(lambda v: v.get("callback_id") == "hand_over")
        select = next(b for b in form["blocks"] if b.get("block_id") == "to")
        offered = {option["text"]["text"]: option["value"] for option in select["element"]["options"]}
        assert "Dana Ruiz" not in offered
        assert await mara.submit({"to": offered["Noor Haddad"], "reason": "Eva is in court."}) == {}
        await home(eva, search, there=True)  # two are needed, and nobody else may
        await press(noor, search, "hand_back")
        await noor.wait_view(lambda v: v.get("callback_id") == "hand_back")
        assert await noor.submit({"reason": "My shift is over."}) == {}
        await mara.click(listed, "hand_over", value=search)
        await mara.wait_view(lambda v: v.get("callback_id") == "hand_over")
        assert await mara.submit({"to": offered["Noor Haddad"], "reason": "She is back on shift."}) == {}
        await noor.wait_for(lambda: told(noor, search, waits=1, done=2), 30)
        assert await told(eva, search, waits=0, done=1)
        kinds = await town.kinds(search)
    asked = [kind for kind in kinds if kind in {"ExaminersDrawn", "HandedBack", "HandedOver"}]
    again = ["HandedBack", "ExaminersDrawn", "HandedOver"]
    assert asked == ["ExaminersDrawn", *again, *again]


WAITS, DONE = "waits for you", "does not wait for you any more"


async def told(who, search: str, *, waits: int, done: int) -> bool | None:
    """Whether so many of the app's messages to this person say that it waits for them, and so many that it does not."""
    direct = [channel["id"] for channel in await who.channels() if channel.get("is_im")]
    messages = [m for one in direct for m in await who.messages(one) if search in m["text"]]
    texts = [m["text"] for m in messages if play.has(m, "open_worksheet") == m["text"].endswith(WAITS)]
    counted = [texts.count(f"Examination {search} {how}") for how in (WAITS, DONE)]
    return counted == [waits, done] or None


async def test_of_three_who_could_only_those_are_let_in_who_were_drawn_by_lot(town, enrolled):
    """Whoever was not drawn reads so at the click, and on their Home tab there is nothing."""
    room = town.room("review")
    async with town.person("dana.ruiz") as dana, town.person("eva.lind") as eva, town.person("ben.tanaka") as ben:
        await eva.invite(room, ben.name)
        _, search = await play.request(dana, town.room("intake"), enrolled, quiet)
        root = await play.review_thread(eva, room, search)
        [drawn] = [entry.data for entry in await town.entries(search) if entry.kind == "ExaminersDrawn"]
        assert (drawn["among"], drawn["short"], len(drawn["examiners"])) == (3, 0, 2)
        [left] = {"eva.lind", "noor.haddad", "ben.tanaka"} - set(drawn["examiners"])
        async with town.person(left) as other, town.person(drawn["examiners"][0]) as one:
            await home(one, search, there=True)
            await home(other, search, there=False)
            await other.click(root, "open_worksheet")
            assert "drawn by lot" in json.dumps(await other.wait_view())
            await other.close_view()
            await one.wait_for(lambda: told(one, search, waits=1, done=0), 30)
            assert await play.examine(one, root, None) is None
            await one.close_view(everything=True)
        await ben.leave(room)
    refused = [entry.data["rule"] for entry in await town.entries(search) if entry.kind == "Refused"]
    assert refused[-1] == "drawn-by-lot"


async def _listed(who, town, search):
    for message in await who.messages(town.room("oversight")):
        if search in json.dumps(message.get("blocks") or []) and play.has(message, "hand_over"):
            return message
    return None


async def test_what_waits_too_long_is_said_where_they_work_and_then_to_the_supervisors(town, enrolled):
    async with town.person("dana.ruiz") as dana, town.person("eva.lind") as eva, town.person("mara.quinn") as mara:
        _, search = await play.request(dana, town.room("intake"), enrolled, quiet)
        root = await play.review_thread(eva, town.room("review"), search)
        long_ago = "UPDATE casework.search SET state_since = now() - interval '3 days' WHERE id = $1"
        await town.sql(long_ago, search)
        await eva.wait_message(
            town.room("review"), lambda m: "overdue" in m["text"] and search in m["text"], root["ts"], timeout=90
        )
        told = await mara.wait_message(
            town.room("oversight"), lambda m: f"Waiting too long: {search}" in m["text"], timeout=30
        )
        assert play.has(told, "hand_over")


@pytest.mark.browser
@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed here")
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
async def test_tab_and_queue_can_be_read_and_used_on_a_desk_and_on_a_phone(size, town, enrolled):
    axe = await asyncio.to_thread(AXE.read_text, "utf-8") if FETCHED else ""
    shots, page = PICTURES / ("phone" if size == PHONE else "desk"), town.system.page
    async with town.person("dana.ruiz") as dana, town.person("eva.lind") as eva, town.person("mara.quinn") as mara:
        _, search = await play.request(dana, town.room("intake"), enrolled, quiet)
        await play.review_thread(eva, town.room("review"), search)
        await mara.command(town.room("oversight"), "/face-queue")
        await mara.wait_for(lambda: _listed(mara, town, search), 20)
        await mara.command(town.room("oversight"), "/face-case", "2026-075-001234")
    async with chromium() as browser:
        home_tab = await browser.tab(f"{page}/#as=eva.lind&channel=home", size)
        await home_tab.wait(f"document.body.innerText.includes({json.dumps(search)})")
        queue = await browser.tab(f"{page}/#as=mara.quinn&channel=face-oversight", size)
        await queue.wait("document.body.innerText.includes('What waits')")
        await queue.wait("document.body.innerText.includes('Searches of a case')")
        for tab, name in ((home_tab, "home"), (queue, "queue")):
            await tab.still()
            await tab.picture(shots / f"{name}.png")
            assert await serious(tab, axe) == []
            assert await overflow(tab) <= 0
            assert tab.complaints == []
