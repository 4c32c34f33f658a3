"""A photograph below the floor is prepared at the viewer, searched as prepared, and compared as it was received (M10)."""

import asyncio
import io
import json

import aiohttp
import pytest
from PIL import Image

from bot.pages import HEADERS
from deploy.demo import play
from tests.journeys.conftest import quiet
from tests.journeys.examining import candidates, open_sheet
from tests.journeys.test_purposes import decide
from tests.journeys.test_viewer import (
    IN_A_BROWSER,
    JUDGED,
    PICTURES,
    SHOWN,
    jar,
    key,
    link,
    open_link,
    seated,
    tabbed,
    views,
)
from tests.workspace.chromium import DESKTOP, PHONE, chromium
from tests.workspace.test_page import AXE, overflow, serious


def shrunk(path, factor: float) -> bytes:
    """The same picture from farther away: fewer pixels between the eyes than may be searched."""
    picture = Image.open(path).convert("RGB")
    out = io.BytesIO()
    size = (round(picture.width * factor), round(picture.height * factor))
    picture.resize(size, Image.Resampling.LANCZOS).save(out, "JPEG", quality=95)
    return out.getvalue()


async def held(town, data: bytes, name: str):
    """A request whose photograph is held for its quality: (search, what the examiners are shown)."""
    async with town.person("dana.ruiz") as dana, town.person("eva.lind") as eva:
        post = await dana.post_photo(town.room("intake"), data, name)
        search = await play.ask(dana, town.room("intake"), post, quiet)
        if name.startswith("two"):
            asked = await dana.wait_message(town.room("intake"), lambda m: play.has(m, "choose_face_1"), post["ts"])
            await dana.click(asked, "choose_face_1")
        wanted = await eva.wait_message(
            town.room("review"), lambda m: search in m["text"] and "may be prepared" in m["text"], timeout=40
        )
    return search, wanted


async def faces_in(town, picture: bytes) -> int:
    """How many faces the matcher itself finds."""
    headers = {"Authorization": f"Bearer {town.system.secrets.matcher}"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{town.system.matcher_url}/v1/faces", data=picture, headers=headers) as answer,
    ):
        return len((await answer.json())["faces"])


class Bench:
    """An examiner at the preparation page, over HTTP."""

    def __init__(self, browser, origin):
        self.browser, self.origin = browser, origin

    async def apply(self, **operation):
        """(status, what the page is told)"""
        headers = {"Origin": self.origin}
        answer = await self.browser.post(f"{self.origin}/viewer/preparation", json=operation, headers=headers)
        return answer.status, await answer.json()

    async def picture(self, name):
        answer = await self.browser.get(f"{self.origin}/viewer/pictures/{name}")
        assert answer.status == 200
        return await answer.read()


async def lineage(town, search):
    [row] = await town.sql("SELECT body FROM casework.search WHERE id = $1", search)
    return json.loads(row["body"])["preparations"]


FORBIDDEN = [
    {"op": "restore"},
    {"op": "mirror"},
    {"op": "super-resolution", "factor": 2},
    {"op": "scale", "factor": 9},
    {"op": "brightness", "levels": 20, "left": 0, "top": 0, "width": 9, "height": 9},
    {"op": "crop", "left": 0, "top": 0, "width": 5000, "height": 5000},
    {"op": "crop", "left": 0, "top": 0, "width": 40, "height": 40},
]


MALFORMED = [
    b"",
    b"\xff",
    b"[" * 4000,
    b'{"op":' * 600,
    b"null",
    b'["op"]',
    b'{"op": "rotate", "degrees": NaN}',
    b'{"op": "rotate", "degrees": 1e400}',
    b'{"op": "rotate", "degrees": "\\ud800"}',
    b'{"op": "crop", "left": 0.5, "top": 0, "width": 9, "height": 9}',
]


async def test_a_poor_photograph_is_prepared_step_by_step_and_the_copy_is_what_is_searched(town, enrolled):
    original = shrunk(enrolled.path, 0.35)
    search, wanted = await held(town, original, "small.jpg")
    assert [word for word in ("dana", "2026-075", "suspect") if word in json.dumps(wanted).lower()] == []
    address = await link(town, wanted, "eva.lind", f"{search} preparation")
    async with jar() as browser:
        assert (await open_link(browser, address)).status == 200
        bench = Bench(browser, address.partition("/viewer")[0])
        for operation in FORBIDDEN:
            status, said = await bench.apply(**operation)
            assert (status in {409, 422}, "Nothing was changed" in said["reason"]) == (True, True), (operation, said)
        assert await lineage(town, search) == []
        headers = {"Origin": bench.origin}
        for body in MALFORMED:
            answer = await browser.post(f"{bench.origin}/viewer/preparation", data=body, headers=headers)
            assert (answer.status, "Nothing was changed" in await answer.text()) == (422, True), body
            assert all(answer.headers[name] == value for name, value in HEADERS.items())
        assert await lineage(town, search) == []
        for operation in ({"op": "scale", "factor": 2.0}, {"op": "gamma", "gamma": 1.2}, {"op": "greyscale"}):
            status, said = await bench.apply(**operation)
            assert status == 200, said
        assert [step["what"] for step in said["lineage"]] == ["scaled by 2 (Lanczos)", "gamma 1.2", "greyscale"]
        before, after = [Image.open(io.BytesIO(await bench.picture(name))) for name in ("probe", "prepared")]
        assert after.size == (before.width * 2, before.height * 2)
    await decide(town, search, "override_quality")
    async with town.person("noor.haddad") as noor:
        root = await play.review_thread(noor, town.room("review"), search)
        sheet = await open_sheet(noor, root)
        await noor.close_view()
    shown = [b["alt_text"] for b in sheet["blocks"] if b["type"] == "image"][:2]
    assert shown == ["Submitted image", "Prepared copy: searched with, not decided on"]
    steps = await lineage(town, search)
    kept = {row["sha256"] for row in await town.sql("SELECT sha256 FROM casework.prepared WHERE search = $1", search)}
    [row] = await town.sql("SELECT body FROM casework.search WHERE id = $1", search)
    body = json.loads(row["body"])
    assert [step["before_sha256"] for step in steps] == [body["photo_sha256"], *(s["after_sha256"] for s in steps[:-1])]
    assert {step["after_sha256"] for step in steps} <= kept
    assert body["evidence"]["probe_sha256"] == steps[-1]["after_sha256"] != body["photo_sha256"]
    assert enrolled.person in {c["person"] for c in await candidates(town, search)}
    events = [e for e in await town.entries(search) if e.kind == "ProbePrepared"]
    assert [(e.actor, e.data["operation"]["op"]) for e in events] == [
        ("eva.lind", op) for op in ("scale", "gamma", "greyscale")
    ]


async def test_of_two_people_the_other_is_masked_before_anything_is_done_and_in_all_that_examiners_see(town):
    rows = [json.loads(line) for line in (play.PICTURES.parent / "probes.jsonl").read_text("utf-8").splitlines()]
    path = play.PICTURES.parent / next(row["probe"] for row in rows if row["faces"] == 2)
    original = shrunk(path, 0.4)
    assert await faces_in(town, original) == 2
    search, wanted = await held(town, original, "two.jpg")
    address = await link(town, wanted, "noor.haddad", f"{search} preparation")
    async with jar() as browser:
        assert (await open_link(browser, address)).status == 200
        bench = Bench(browser, address.partition("/viewer")[0])
        assert (await bench.apply(op="scale", factor=3.0))[0] == 200
        assert await faces_in(town, await bench.picture("prepared")) == 1
    steps = await lineage(town, search)
    assert [(s["operation"]["op"], s["operation"].get("keep")) for s in steps] == [("mask", 1), ("scale", None)]
    await decide(town, search, "override_quality")
    async with town.person("eva.lind") as eva:
        root = await play.review_thread(eva, town.room("review"), search)
        sheet = await open_sheet(eva, root)
        await eva.close_view()
        files = [b["slack_file"]["id"] for b in sheet["blocks"] if b["type"] == "image"][:2]
        assert [await faces_in(town, await eva.image(file)) for file in files] == [1, 1]
    address = await link(town, root, "eva.lind")
    async with jar() as browser:
        await open_link(browser, address)
        bench = Bench(browser, address.partition("/viewer")[0])
        assert await faces_in(town, await bench.picture("prepared")) == 1
        assert (await bench.apply(op="greyscale"))[0] == 422  # an examination prepares nothing
    assert len(await lineage(town, search)) == 2


async def bench(browser, town, wanted, search, size):
    """An examiner's tab at the preparation page."""
    tab = await seated(browser, await link(town, wanted, "eva.lind", f"{search} preparation"), size)
    await tab.wait("document.querySelectorAll('#operations fieldset').length === 8")
    await tab.wait("document.getElementById('size').textContent !== ''")
    return tab


@pytest.fixture(scope="module")
async def small(town, enrolled):
    """A photograph below the floor: (search, what the examiners are shown)."""
    return await held(town, shrunk(enrolled.path, 0.3), "smaller.jpg")


@pytest.mark.browser
@JUDGED
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
async def test_axe_finds_nothing_serious_at_the_preparation_page(size, town, small):
    search, wanted = small
    async with chromium() as browser:
        tab = await bench(browser, town, wanted, search, size)
        assert await serious(tab, await asyncio.to_thread(AXE.read_text, "utf-8")) == []


@pytest.mark.browser
@IN_A_BROWSER
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
async def test_a_photograph_is_prepared_with_the_keyboard_alone(size, town, small):
    """Every digit and the minus are typed; Enter applies; what has the focus is seen."""
    search, wanted = small
    before = len(await lineage(town, search))
    async with chromium() as browser:
        tab = await bench(browser, town, wanted, search, size)
        await tab.front()
        way = await tabbed(tab, "degrees")
        assert way[-7:] == ["draw", "left", "top", "width", "height", "Apply crop", "degrees"]
        await tabbed(tab, "levels")
        for typed in "-1234567890":
            await key(tab, typed)
        assert await tab.run("document.activeElement.value") == "-1234567890"
        await key(tab, "Tab", back=True)
        await key(tab, "Tab")  # what stands there is marked, and overwritten
        for typed in "-7":
            await key(tab, typed)
        await key(tab, "Enter")
        await tab.sees("Done and recorded.")
        await tabbed(tab, "Apply contrast")
        await key(tab, " ")
        await tab.wait(f"document.querySelectorAll('#lineage li').length === {before + 2}")
        await tab.still()
        await tab.picture(PICTURES / f"{'phone' if size == PHONE else 'desk'}-light" / "preparation.png")
        assert await overflow(tab) <= 0
        assert tab.complaints == []
    steps = [s["operation"] for s in (await lineage(town, search))[before:]]
    assert [(s["op"], s.get("levels"), s.get("factor")) for s in steps] == [
        ("brightness", -7, None),
        ("contrast", None, 1.2),
    ]
    assert "Viewed" in [e.kind for e in await views(town, search)]


@pytest.mark.browser
@IN_A_BROWSER
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
async def test_a_crop_is_drawn_on_the_copy_and_its_numbers_say_the_same(size, town, small):
    search, wanted = small
    async with chromium() as browser:
        tab = await bench(browser, town, wanted, search, size)
        await tab.click("[data-op=original] .apply")
        await tab.sees("Done and recorded.")
        await tab.wait(SHOWN)
        numbers = "[...document.querySelectorAll('[data-op=crop] input')].map(i => Number(i.value))"
        left, top, wide, high = await tab.run(numbers)
        told = f"The latest copy is {wide} × {high} pixels."
        assert (left, top, await tab.run("document.getElementById('size').textContent")) == (0, 0, told)
        await tab.click("#draw")
        await tab.run("window.scrollTo(0, 0)")
        r = await tab.run("(({x, y, width, height}) => [x, y, width, height])"
                          "(document.querySelector('#candidate-pane .glass').getBoundingClientRect())")  # fmt: skip
        by = min(r[2] / wide, r[3] / high)
        at = [r[0] + (r[2] - by * wide) / 2, r[1] + (r[3] - by * high) / 2]  # where the copy begins behind the glass
        meant = [round(share * side) for share, side in ((0.3, wide), (0.05, high), (0.65, wide), (0.9, high))]
        begin = at[0] + by * meant[0], at[1] + by * meant[1]
        await dragged(tab, *begin, begin[0] + by * meant[2], begin[1] + by * meant[3])
        drawn = await tab.run(numbers)
        assert max(abs(a - b) for a, b in zip(drawn, meant, strict=True)) <= 1, (drawn, meant)
        await tab.still()
        await tab.picture(PICTURES / f"{'phone' if size == PHONE else 'desk'}-light" / "crop.png")
        await tab.click("[data-op=crop] .apply")
        await tab.wait(f"document.getElementById('size').textContent.includes('{drawn[2]} × {drawn[3]}')")
        assert await tab.run(numbers) == [0, 0, *drawn[2:]]
    cropped = (await lineage(town, search))[-1]["operation"]
    assert [cropped[name] for name in ("left", "top", "width", "height")] == drawn


async def dragged(tab, x, y, to_x, to_y):
    """The mouse goes down, along, and up."""
    for kind, at in (("mousePressed", (x, y)), ("mouseMoved", (to_x, to_y)), ("mouseReleased", (to_x, to_y))):
        await tab.say("Input.dispatchMouseEvent", type=kind, x=at[0], y=at[1], button="left", buttons=1, clickCount=1)
