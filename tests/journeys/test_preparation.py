"""A photograph below the floor is prepared at the viewer, searched as prepared, and compared as it was received (M10)."""

import asyncio
import io
import json

import aiohttp
import pytest
from PIL import Image

from deploy.demo import play
from tests.journeys.conftest import quiet
from tests.journeys.examining import candidates, open_sheet
from tests.journeys.test_purposes import decide
from tests.journeys.test_viewer import PICTURES, jar, link, open_link, views
from tests.workspace.chromium import BROWSER, DESKTOP, PHONE, chromium
from tests.workspace.test_page import AXE, FETCHED, overflow, serious


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


@pytest.mark.browser
@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed here")
async def test_the_preparation_page_on_a_workstation_and_a_phone(town, enrolled):
    search, wanted = await held(town, shrunk(enrolled.path, 0.3), "smaller.jpg")
    axe = await asyncio.to_thread(AXE.read_text, "utf-8") if FETCHED else ""
    found = []
    async with chromium() as browser:
        for size, name in ((DESKTOP, "desk"), (PHONE, "phone")):
            address = await link(town, wanted, "eva.lind", f"{search} preparation")
            tab = await browser.tab(address, size)
            await tab.wait("document.querySelectorAll('#operations fieldset').length === 8")
            await tab.wait("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
            await tab.run("document.querySelector('[data-op=contrast] button').focus()")
            await tab.press("Enter", 13)
            await tab.sees("Done and recorded.")
            await tab.wait("document.images[1].complete && document.images[1].naturalWidth > 0")
            await tab.picture(PICTURES / f"{name}-light" / "preparation.png")
            assert await overflow(tab) <= 0
            found.extend(await serious(tab, axe))
            assert tab.complaints == []
    assert found == []
    assert [s["operation"]["op"] for s in await lineage(town, search)] == ["contrast", "contrast"]
    assert "Viewed" in [e.kind for e in await views(town, search)]
