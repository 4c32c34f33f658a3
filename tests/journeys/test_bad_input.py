"""What goes wrong is said in a clear sentence, leaves an entry where a person acted, and loses nothing."""

import asyncio
import io
import json
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from deploy.demo import play
from tests.journeys.conftest import quiet
from tests.journeys.test_purposes import ask


def png(width: int, height: int) -> bytes:
    """A PNG that claims to be that large, in a few kilobytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(b"\0" * ((width // 8 + 1) * min(height, 2000)), 9)
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def wall() -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((640, 480)).convert("RGB").save(out, "JPEG")
    return out.getvalue()


UNSUITABLE = {
    "a photograph without a face": (wall(), "wall.jpg", "No face"),
    "a text file named .jpg": (b"not a picture at all, but words " * 40, "note.jpg", "JPEG"),
    "an empty file": (b"", "empty.jpg", "JPEG"),
    "a hundred megapixels": (png(12000, 9000), "bomb.png", "pixel"),
    "a truncated photograph": (None, "half.jpg", "damaged"),
}


async def file_request(town, data: bytes, name: str, who: str = "dana.ruiz"):
    """`who` posts the file and requests a search: (post, search)."""
    async with town.person(who) as dana:
        post = await dana.post_photo(town.room("intake"), data, name)
        card = await dana.wait_message(town.room("intake"), lambda m: play.has(m, "start_request"), post["ts"])
        await dana.click(card, "start_request")
        form = await dana.wait_view(lambda v: v["callback_id"] == "request_form")
        await dana.select(form, "answer", "suspect", block_id="purpose")
        await dana.wait_view(lambda v: any(b.get("block_id") == "case-number" for b in v["blocks"]))
        assert await dana.submit(play.REQUEST | {"purpose": "suspect"}) == {}
        return post, json.loads(form["private_metadata"])["search"]


@pytest.mark.parametrize("name", UNSUITABLE)
async def test_a_photograph_that_cannot_be_searched_is_said_to_be_so(name, town, enrolled):
    data, filename, word = UNSUITABLE[name]
    whole = enrolled.path.read_bytes()
    post, search = await file_request(town, data if data is not None else whole[: len(whole) // 2], filename)
    async with town.person("dana.ruiz") as dana:
        notice = await dana.wait_message(town.room("intake"), lambda m: "UNSUITABLE" in m["text"], post["ts"])
    assert word.lower() in notice["text"].lower()
    await town.settled(search)
    assert (await town.kinds(search))[-2:] == ["SearchClosed", "Posted"]


async def test_a_heic_photograph_is_searched(town):
    """iPhones post HEIC and bots receive it as HEIC."""
    data = Path(__file__).with_name("phone.heic").read_bytes()  # still-02 of the synthetic cast
    _, search = await file_request(town, data, "IMG_0001.HEIC")
    async with town.person("eva.lind") as eva:
        await play.review_thread(eva, town.room("review"), search)


async def test_of_several_faces_the_requester_says_which_and_nobody_else(town):
    row = next(
        json.loads(line)
        for line in (play.PICTURES.parent / "probes.jsonl").read_text().splitlines()
        if json.loads(line).get("faces") == 2
    )
    path = play.PICTURES.parent / row["probe"]
    post, search = await file_request(town, path.read_bytes(), path.name)
    async with town.person("dana.ruiz") as dana, town.person("sam.okafor") as sam, town.person("eva.lind") as eva:
        room = town.room("intake")
        asked = await dana.wait_message(room, lambda m: play.has(m, "choose_face_1"), post["ts"])
        await sam.click(asked, "choose_face_0")
        told = await sam.wait_view()
        assert "Only the person who requested" in json.dumps(told)
        await sam.close_view()
        await dana.click(asked, "choose_face_1")
        await play.review_thread(eva, town.room("review"), search)
    kinds = await town.kinds(search)
    assert kinds.count("Refused") == 1
    assert kinds.count("FaceChosen") == 1


async def test_a_form_sent_twice_and_a_button_pressed_twice_are_one_request(town, enrolled):
    """Slack delivers the click and the submission twice; the person presses the button again besides."""
    plan = [{"where": kind, "what": "duplicate", "times": 1} for kind in ("block_actions", "view_submission")]
    async with town.person("dana.ruiz") as dana:
        room = town.room("intake")
        post = await dana.post_photo(room, enrolled.path.read_bytes(), "again.jpg")
        card = await dana.wait_message(room, lambda m: play.has(m, "start_request"), post["ts"])
        await town.director("fault", plan=plan[:1])
        await dana.click(card, "start_request")
        form = await dana.wait_view(lambda v: v["callback_id"] == "request_form")
        await dana.select(form, "answer", "suspect", block_id="purpose")
        await dana.wait_view(lambda v: any(b.get("block_id") == "case-number" for b in v["blocks"]))
        await town.director("fault", plan=plan[1:])
        assert await dana.submit(play.REQUEST | {"purpose": "suspect"}) == {}
        search = json.loads(form["private_metadata"])["search"]
    await town.settled(search)
    assert (await town.director("fault"))["left"] == []
    kinds = await town.kinds(search)
    assert kinds.count("SearchRequested") == 1
    assert kinds.count("Refused") == 0
    assert kinds.count("SearchRun") == 1


async def test_only_whoever_posted_the_photograph_may_request_a_search_of_it(town, enrolled):
    async with town.person("dana.ruiz") as dana, town.person("sam.okafor") as sam:
        room = town.room("intake")
        post = await dana.post_photo(room, enrolled.path.read_bytes(), "hers.jpg")
        card = await sam.wait_message(room, lambda m: play.has(m, "start_request"), post["ts"])
        await sam.click(card, "start_request")
        assert "Only the person who posted" in json.dumps(await sam.wait_view())
        await sam.close_view()
        search = next(e["value"].split()[0] for b in card["blocks"] for e in b.get("elements", []) if e.get("value"))
    assert await town.kinds(search) == ["Refused"]


async def test_the_message_shortcut_opens_the_same_form(town, enrolled):
    async with town.person("dana.ruiz") as dana:
        post = await dana.post_photo(town.room("intake"), enrolled.path.read_bytes(), "shortcut.jpg")
        await dana.shortcut("request_search", post)
        form = await dana.wait_view(lambda v: v["callback_id"] == "request_form")
        assert json.loads(form["private_metadata"])["file"] == post["files"][0]["id"]
        await dana.close_view()
        words = await dana.post_message(town.room("intake"), "Any news?")
        await dana.shortcut("request_search", words)
        assert "no photograph" in json.dumps(await dana.wait_view())
        await dana.close_view()


async def test_a_supervisor_who_is_in_the_review_channel_is_no_examiner(town, enrolled):
    async with town.person("dana.ruiz") as dana, town.person("mara.quinn") as mara:
        _, search = await play.request(dana, town.room("intake"), enrolled, quiet)
        root = await play.review_thread(mara, town.room("review"), search)
        await mara.click(root, "open_worksheet")
        assert "role examiner" in json.dumps(await mara.wait_view())
        await mara.close_view()
    refused = [e for e in await town.entries(search) if e.kind == "Refused"]
    assert [(e.actor, e.data["rule"]) for e in refused[1:]] == [("mara.quinn", "has-role")]


async def test_an_examiner_who_left_the_channel_is_refused_at_the_click(town, enrolled):
    async with town.person("dana.ruiz") as dana, town.person("noor.haddad") as noor, town.person("eva.lind") as eva:
        _, search = await play.request(dana, town.room("intake"), enrolled, quiet)
        root = await play.review_thread(noor, town.room("review"), search)
        await noor.click(root, "open_worksheet")
        sheet = await noor.wait_view(lambda v: v.get("callback_id") == "worksheet")
        label, _ = play.candidates(sheet)[0]
        await noor.leave(town.room("review"))
        await noor.select(sheet, f"answer_{label}", "different", block_id=f"candidate_{label}")
        assert "role examiner" in json.dumps(await noor.wait_view(lambda v: v.get("callback_id") != "worksheet"))
        await noor.close_view()
        await eva.invite(town.room("review"), "noor.haddad")
    assert (await town.kinds(search))[-1] == "Refused"


async def test_a_supervisor_who_left_the_channel_approves_and_recalls_nothing(town, enrolled):
    """Not even with the form that was open before."""
    async with town.person("dana.ruiz") as dana, town.person("mara.quinn") as mara, town.person("ada.bell") as ada:
        _, search, wrong = await ask(town, dana, enrolled, "suspect", circumstances=["minor"])
        assert wrong == {}
        asked = await mara.wait_message(
            town.room("oversight"), lambda m: search in m["text"] and play.has(m, "approve_request"), timeout=30
        )
        await mara.click(asked, "approve_request")
        await mara.wait_view(lambda v: v.get("callback_id") == "approval")
        await mara.leave(town.room("oversight"))
        try:
            assert "role supervisor" in (await mara.submit({"reason": "Read, and decided."}))["reason"]
            await mara.close_view()
            await mara.command(town.room("review"), "/face-recall", f"{search} Nobody may use it.")
            await mara.wait_for(lambda: _refused_to(town, search, "mara.quinn", 2), 20)
        finally:
            await ada.invite(town.room("oversight"), "mara.quinn")
    assert "RequestApproved" not in await town.kinds(search)


async def _refused_to(town, search: str, who: str, times: int) -> bool:
    refused = [e for e in await town.entries(search) if (e.kind, e.actor) == ("Refused", who)]
    return [e.data["rule"] for e in refused] == ["has-role"] * times


async def test_events_that_slack_delivers_twice_are_answered_once(town, enrolled):
    await town.director("fault", plan=[{"where": "*", "what": "duplicate", "times": 4}])
    async with town.person("dana.ruiz") as dana:
        post, search = await play.request(dana, town.room("intake"), enrolled, quiet)
        await dana.wait_message(town.room("intake"), lambda m: search in m["text"], post["ts"])
        await asyncio.sleep(0.5)
        thread = await dana.messages(town.room("intake"), post["ts"])
    await town.director("fault", clear=True)
    assert len(thread) == 2
    assert (await town.kinds(search)).count("SearchRequested") == 1


async def test_while_the_matcher_is_down_nothing_is_lost_and_then_it_goes_on(town, enrolled):
    matcher = town.system.children["matcher"]
    await matcher.stop()
    async with town.person("dana.ruiz") as dana, town.person("eva.lind") as eva:
        _, search = await play.request(dana, town.room("intake"), enrolled, quiet)
        await asyncio.sleep(2)
        assert (await town.kinds(search))[-1] == "SearchRequested"
        await matcher.start()
        await play.review_thread(eva, town.room("review"), search)


async def test_while_postgres_is_down_people_are_told_so_and_nothing_is_half_done(town, enrolled):
    async with town.person("dana.ruiz") as dana, town.person("eva.lind") as eva:
        room = town.room("intake")
        post = await dana.post_photo(room, enrolled.path.read_bytes(), "outage.jpg")
        card = await dana.wait_message(room, lambda m: play.has(m, "start_request"), post["ts"])
        await dana.click(card, "start_request")
        form = await dana.wait_view(lambda v: v["callback_id"] == "request_form")
        await dana.select(form, "answer", "suspect", block_id="purpose")
        await dana.wait_view(lambda v: any(b.get("block_id") == "case-number" for b in v["blocks"]))
        await asyncio.to_thread(town.system.postgres.stop, "immediate")
        told = await dana.submit(play.REQUEST | {"purpose": "suspect"})
        assert "could not be recorded" in json.dumps(told)
        await asyncio.to_thread(town.system.postgres.start)
        await dana.wait_for(lambda: _accepted(dana), 30)
        search = json.loads(form["private_metadata"])["search"]
        await play.review_thread(eva, town.room("review"), search)
    assert (await town.kinds(search)).count("SearchRequested") == 1


async def _accepted(dana) -> bool:
    return await dana.submit(play.REQUEST | {"purpose": "suspect"}) == {}
