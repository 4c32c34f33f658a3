"""Photographs leave Slack after the decision; and in a workspace that keeps none they appear at the viewer alone."""

import io
import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from PIL import Image

from deploy.demo import play, system
from deploy.workspace.person import RefusedError
from tests.journeys.conftest import LEASE, SHARED_MEMORY, Town, quiet
from tests.journeys.examining import candidates, conclude, labels_on, open_sheet
from tests.journeys.test_story import lead
from tests.journeys.test_viewer import jar, link, open_link


async def streams(town, stream):
    rows = await town.sql("SELECT kind, entry FROM ledger.entry WHERE stream = $1 ORDER BY seq", stream)
    return [(row["kind"], json.loads(bytes(row["entry"]))["data"]) for row in rows]


async def test_after_the_decision_no_photograph_of_the_examination_is_in_slack_and_each_is_recorded(town, enrolled):
    search, *_, photograph = await lead(town, enrolled)
    calls = (await town.director("record"))["calls"]
    gone = await streams(town, f"images:{search}")
    labels = [c["label"] for c in await candidates(town, search)]
    assert sorted(data["what"] for _, data in gone) == sorted([*labels, "probe"])
    deleted = [said["file"] for method, said in calls if method == "files.delete"]
    assert {data["file"] for _, data in gone} <= set(deleted)
    async with town.person("eva.lind") as eva, town.person("dana.ruiz") as dana:
        for _, data in gone:
            with pytest.raises(RefusedError):
                await eva.image(data["file"])
        assert await dana.image(next(b["slack_file"]["id"] for b in photograph["blocks"] if b["type"] == "image"))
        messages = [m for m in await eva.messages(town.room("review")) if search in m["text"]]
    assert "image" not in [b["type"] for m in messages for b in m["blocks"]]


@pytest.fixture(scope="module")
async def bare(town):
    """A workspace that keeps no photographs. (`town` first: it is needed by others and stays up.)"""
    parent = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None
    root = Path(tempfile.mkdtemp(prefix="leadgate-bare-", dir=parent))
    settings = {"LEADGATE_IMAGES_IN_SLACK": "false"}
    try:
        async with system.running(
            root, lease_seconds=LEASE, durable=False, workspace_options=("--control",), settings=settings
        ) as running:
            bare = Town(running)
            await bare.director("rates", scale=50)
            yield bare
    finally:
        shutil.rmtree(root, ignore_errors=True)


async def at_the_viewer(town, message, name, value=None):
    """What this person's viewer shows: (sheet, {picture: bytes})."""
    address = await link(town, message, name, value)
    origin = address.partition("/viewer")[0]
    async with jar() as browser:
        assert (await open_link(browser, address)).status == 200
        sheet = await (await browser.get(f"{origin}/viewer/sheet.json")).json()
        names = [sheet["picture"], *sheet["candidates"]]
        shown = {}
        for one in names:
            answer = await browser.get(f"{origin}/viewer/pictures/{one}")
            assert answer.status == 200
            shown[one] = await answer.read()
        if sheet["sheet"]:
            shown["pdf"] = await (await browser.get(f"{origin}/viewer/lead-sheet.pdf")).read()
        other = await browser.get(f"{origin}/viewer/pictures/{'probe' if sheet['picture'] == 'faces' else 'faces'}")
        assert other.status == 404
    return sheet, shown


async def test_a_workspace_that_keeps_no_photographs_sees_a_whole_lead_at_the_viewer_alone(bare, enrolled):
    """Requester, two examiners, supervisor and requester again; not one photograph of ours was sent to Slack."""
    async with (
        bare.person("dana.ruiz") as dana,
        bare.person("eva.lind") as eva,
        bare.person("noor.haddad") as noor,
        bare.person("mara.quinn") as mara,
    ):
        post, search = await play.request(dana, bare.room("intake"), enrolled, quiet)
        asked = await dana.wait_message(bare.room("intake"), lambda m: "please delete" in m["text"], post["ts"])
        assert "sealed" in json.dumps(asked["blocks"])
        root = await play.review_thread(eva, bare.room("review"), search)
        picked = next(c["label"] for c in await candidates(bare, search) if c["person"] == enrolled.person)
        sheet, shown = await at_the_viewer(bare, root, "eva.lind")
        assert len(shown) == len(sheet["candidates"]) + 1
        assert all(Image.open(io.BytesIO(one)).format == "JPEG" for one in shown.values())
        await nobody_concludes_on_what_they_were_not_served(noor, root)
        await at_the_viewer(bare, root, "noor.haddad")
        for who in (eva, noor):
            sheet = await conclude(who, root, picked)
            assert "image" not in [b["type"] for b in sheet["blocks"]]
        decision = await mara.wait_message(bare.room("oversight"), lambda m: search in m["text"])
        sheet, shown = await at_the_viewer(bare, decision, "mara.quinn")
        assert (sheet["sight"], sheet["candidates"], sheet["components"]) == ("decision", [picked], [])
        await play.approve(mara, bare.room("oversight"), search)
        notice = await play.notice_of(dana, bare.room("intake"), post["ts"], leads=True)
        handed = await play.acknowledge(dana, notice)
        sheet, shown = await at_the_viewer(bare, handed, "dana.ruiz")
        assert sheet["told"].startswith("INVESTIGATIVE LEAD ONLY")
        assert shown["pdf"].startswith(b"%PDF-")
        await bare.settled(search)
    seen = [(kind, data.get("what")) for kind, data in await streams(bare, f"viewer:{search}") if kind == "Viewed"]
    assert seen[-4:] == [("Viewed", "probe"), ("Viewed", picked)] * 2
    calls = [method for method, _ in (await bare.director("record"))["calls"]]
    assert [m for m in calls if m in {"files.getUploadURLExternal", "files.completeUploadExternal"}] == []
    assert [kind for kind, _ in await streams(bare, f"images:{search}")] == ["DeletionAsked"]
    await what_was_posted_is_deleted_by_its_owner(bare, search, post)


async def nobody_concludes_on_what_they_were_not_served(who, root):
    """Every candidate is answered, and the submitted image was never seen: an opinion on nothing is not locked (M19)."""
    sheet = await open_sheet(who, root)
    for label in labels_on(sheet):
        await who.select(sheet, f"answer_{label}", "different", block_id=f"candidate_{label}")
    await who.wait_view(lambda v: "Every candidate is answered" in json.dumps(v["blocks"]))
    wrong = await play.lock(who, {"conclusion": "no-possible-match", "differences": ""})
    assert "Look at it at the viewer" in wrong["conclusion"]
    await who.close_view()


async def what_was_posted_is_deleted_by_its_owner(bare, search, post):
    """Until then supervisors hear of it; afterwards nobody is asked any more."""
    await bare.sql("UPDATE casework.job SET run_at = now() WHERE kind = 'look-for-intake'")
    async with bare.person("mara.quinn") as mara, bare.person("dana.ruiz") as dana:
        await mara.wait_message(bare.room("oversight"), lambda m: f"{search} still stands" in m["text"])
        await dana.delete_file(post["files"][0]["id"])
        await dana.wait_message(bare.room("intake"), lambda m: "no longer in Slack" in m["text"], post["ts"])
        await bare.settled(search)
    assert (await streams(bare, f"images:{search}"))[-1][0] == "ImageDeleted"
