"""Only full members of the workspace act, whatever the roster says: asked at the click, told kindly, recorded (M36, M30).

The roster of this system is what an operator put there; nothing takes a role from somebody whom Slack demotes.
"""

import asyncio
import json
import os
import shutil
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deploy.demo import play, system
from tests.journeys.conftest import SHARED_MEMORY, Town, quiet
from tests.journeys.examining import labels_on, open_sheet

FULL = {"is_restricted": False, "is_bot": False, "team": "", "deleted": False}
DEMOTED = {
    "a guest": ({"is_restricted": True}, "You are a guest in this workspace"),
    "a stranger": ({"team": "T0ELSEWHERE"}, "Your account belongs to another workspace"),
    "a bot": ({"is_bot": True}, "This Slack account is a bot's"),
}


@pytest.fixture(scope="module")
async def elsewhere():
    parent = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None
    root = Path(tempfile.mkdtemp(prefix="leadgate-members-", dir=parent))
    fed_by_hand = {"LEADGATE_ROSTER_FROM_GROUPS": "false"}
    try:
        async with system.running(
            root, durable=False, workspace_options=("--control",), settings=fed_by_hand
        ) as running:
            town = Town(running)
            await town.director("rates", scale=50)
            await town.director("clock", timings={"ack": 30, "trigger": 60})  # how long Slack waits is no matter here
            yield town
    finally:
        shutil.rmtree(root, ignore_errors=True)


async def offered(town, who, probe, name):
    """`who` has posted a photograph: (the card with the button, the search)."""
    room = town.room("intake")
    post = await who.post_photo(room, probe.path.read_bytes(), name)
    card = await who.wait_message(room, lambda m: play.has(m, "start_request"), post["ts"])
    search = next(e["value"].split()[0] for b in card["blocks"] for e in b.get("elements", []) if e.get("value"))
    return card, search


async def refused(town, search):
    return [(e.actor, e.data["rule"]) for e in await town.entries(search) if e.kind == "Refused"]


@asynccontextmanager
async def demoted(town, *people, **made):
    """They are no full members meanwhile, and the bot has heard so."""

    async def heard():
        return "user_change" not in (await town.director("record"))["pending"] or None

    for person in people:
        await town.director("person", person=person.id, **made)
    await people[0].wait_for(heard, 30)
    try:
        yield
    finally:
        for person in people:
            await town.director("person", person=person.id, **FULL)
        await people[0].wait_for(heard, 30)


@pytest.mark.parametrize("what", DEMOTED)
async def test_whoever_is_no_full_member_any_more_is_told_so_and_the_attempt_is_recorded(what, elsewhere, enrolled):
    made, words = DEMOTED[what]
    async with elsewhere.person("sam.okafor") as sam:
        card, search = await offered(elsewhere, sam, enrolled, f"{what}.jpg")
        async with demoted(elsewhere, sam, **made):
            await sam.click(card, "start_request")
            told = json.dumps(await sam.wait_view())
            assert words in told
            assert "the attempt was recorded" in told
            await sam.close_view()
        assert await refused(elsewhere, search) == [("sam.okafor", "full-member")]
        await sam.click(card, "start_request")
        await sam.wait_view(lambda v: v["callback_id"] == "request_form")
        await sam.close_view()


async def test_a_click_that_was_on_its_way_when_the_account_was_deactivated_does_nothing(elsewhere, enrolled):
    async with elsewhere.person("sam.okafor") as sam, elsewhere.person("dana.ruiz") as dana:
        card, search = await offered(elsewhere, sam, enrolled, "left.jpg")
        await elsewhere.director("fault", plan=[{"where": "block_actions", "what": "delay", "seconds": 5.0}])
        click = asyncio.create_task(sam.click(card, "start_request"))
        await asyncio.sleep(0.5)
        async with demoted(elsewhere, sam, deleted=True):
            await dana.wait_for(lambda: refused(elsewhere, search), 30)
            await asyncio.wait({click})
        assert await refused(elsewhere, search) == [("sam.okafor", "full-member")]
        assert "This Slack account is deactivated" in json.dumps(await sam.wait_view())
        await sam.close_view()


async def test_a_form_that_was_open_when_its_requester_became_a_guest_requests_nothing(elsewhere, enrolled):
    async with elsewhere.person("sam.okafor") as sam:
        card, search = await offered(elsewhere, sam, enrolled, "open.jpg")
        await sam.click(card, "start_request")
        form = await sam.wait_view(lambda v: v["callback_id"] == "request_form")
        await sam.select(form, "answer", "suspect", block_id="purpose")
        await sam.wait_view(lambda v: any(b.get("block_id") == "case-number" for b in v["blocks"]))
        async with demoted(elsewhere, sam, is_restricted=True):
            assert await sam.submit(play.REQUEST | {"purpose": "suspect"}) == {}
            form = await sam.wait_view(lambda v: v["blocks"][0]["type"] == "section")
            assert "You are a guest in this workspace" in form["blocks"][0]["text"]["text"]
        await sam.close_view()
    assert await elsewhere.kinds(search) == ["Refused"]


async def test_an_examiner_and_a_supervisor_who_became_guests_are_refused_where_they_are(elsewhere, enrolled):
    async with (
        elsewhere.person("dana.ruiz") as dana,
        elsewhere.person("eva.lind") as eva,
        elsewhere.person("mara.quinn") as mara,
    ):
        _, search = await play.request(dana, elsewhere.room("intake"), enrolled, quiet)
        root = await play.review_thread(eva, elsewhere.room("review"), search)
        sheet = await open_sheet(eva, root)
        label, oversight = labels_on(sheet)[0], elsewhere.room("oversight")
        async with demoted(elsewhere, eva, mara, is_restricted=True):
            await eva.select(sheet, f"answer_{label}", "same", block_id=f"candidate_{label}")
            told = await eva.wait_view(lambda v: v.get("callback_id") != "worksheet")
            assert "You are a guest in this workspace" in json.dumps(told)
            await eva.close_view()
            await mara.command(oversight, "/face-usage")
            said = await mara.wait_message(oversight, lambda m: "You are a guest" in m["text"])
            assert said["is_ephemeral"]
    assert (await refused(elsewhere, search))[-1] == ("eva.lind", "full-member")
    asked = await elsewhere.sql("SELECT entry FROM ledger.entry WHERE stream = 'oversight' ORDER BY n DESC LIMIT 1")
    assert json.loads(bytes(asked[0]["entry"]))["data"]["allowed"] is False


async def test_while_slack_cannot_say_who_somebody_is_they_are_told_so_and_nothing_is_done(elsewhere, enrolled):
    async with elsewhere.person("dana.ruiz") as dana, elsewhere.person("noor.haddad") as noor:
        _, search = await play.request(dana, elsewhere.room("intake"), enrolled, quiet)
        root = await play.review_thread(noor, elsewhere.room("review"), search)
        await elsewhere.director("fault", plan=[{"where": "users.info", "what": "http_500", "times": 9}])
        await noor.click(root, "open_worksheet")
        told = json.dumps(await noor.wait_view())
        assert "Slack could not be asked" in told
        assert "nothing was done" in told
        await noor.close_view()
        await elsewhere.director("fault", clear=True)
        await open_sheet(noor, root)
        await noor.close_view()
