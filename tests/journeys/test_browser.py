"""The story played in a real Chromium against the running system: four people in four tabs, on a desk and on a phone.

Screenshots go to LEADGATE_SCREENSHOTS (artifacts/journey where it is not set).
"""

import asyncio
import json
import os
from pathlib import Path

import aiohttp
import pytest

from deploy.demo import guide, newcomers, play
from deploy.workspace.person import Person
from tests.workspace.chromium import BROWSER, DESKTOP, PHONE, Tab, chromium
from tests.workspace.test_page import AXE, FETCHED, overflow, serious

pytestmark = [pytest.mark.browser, pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed here")]
PICTURES = Path(os.environ.get("LEADGATE_SCREENSHOTS", "artifacts/journey"))

FILL = """((label, value) => {
  const named = [...document.querySelectorAll('dialog label')].find(n => n.innerText.startsWith(label));
  const control = named && document.getElementById(named.htmlFor);
  if (!control) return false;
  control.value = value;
  control.dispatchEvent(new Event('input', {bubbles: true}));
  control.dispatchEvent(new Event('change', {bubbles: true}));
  return true;
})"""


async def fill(tab: Tab, label: str, value: str) -> None:
    """The control with that label has that value, as if it had been typed or chosen."""
    await tab.wait(f"{FILL}({json.dumps(label)}, {json.dumps(value)})")


async def last(tab: Tab, selector: str, text: str = "") -> None:
    """The last of them that says so is clicked, once it is there."""
    await tab.wait(
        f"(() => {{ const n = [...document.querySelectorAll({json.dumps(selector)})]"
        f".filter(n => n.innerText.includes({json.dumps(text)})).pop(); n?.click(); return !!n; }})()"
    )


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
async def test_the_demos_story_by_hand_in_a_browser(size, town, enrolled):
    shots, seen, tabs = PICTURES / ("phone" if size == PHONE else "desk"), [], []
    axe = await asyncio.to_thread(AXE.read_text, "utf-8") if FETCHED else ""
    page = town.system.page

    async def look(tab: Tab, step: str) -> None:
        await tab.still()
        await tab.picture(shots / f"{step}.png")
        seen.extend(await serious(tab, axe))
        assert await overflow(tab) <= 0, step

    async with chromium() as browser:

        async def become(name: str, channel: str) -> Tab:
            tab = await browser.tab(f"{page}/#as={name}&channel={channel}", size)
            await tab.wait("!!document.querySelector('.write')")
            tabs.append(tab)
            return tab

        rail = asyncio.create_task(guide.lead(town.system))
        dana = await become("dana.ruiz", "face-intake")
        async with Person(page, "dana.ruiz") as watcher:
            before = {m["ts"] for m in await watcher.messages(town.room("intake"))}
        await dana.choose_file(".stage .composer input[type=file]", enrolled.path)
        await dana.wait("document.querySelector('.send').disabled === false")
        await dana.click(".send")
        async with Person(page, "dana.ruiz") as watcher:
            post = await watcher.wait_message(
                town.room("intake"), lambda m: m["ts"] not in before and bool(m.get("files"))
            )
            card = await watcher.wait_message(town.room("intake"), lambda m: play.has(m, "start_request"), post["ts"])
        search = card["blocks"][1]["elements"][0]["value"].split()[0]
        await dana.wait("[...document.querySelectorAll('.replies')].length > 0")
        await look(dana, "1-intake")
        await last(dana, ".replies")
        await dana.click(".side .btn.primary", "Request a search")
        await fill(dana, "Authorised purpose", "suspect")
        await dana.sees("Complaint number")
        for label, value in (
            ("The person", "has"),
            ("Offence", "PL 160.15 robbery in the first degree"),
            ("Basis", play.BASIS),
            ("Where the image comes from", "cctv"),
            ("Your shield, command and supervisor", play.REQUEST["requester"]),
            ("Complaint number", "12"),
        ):
            await fill(dana, label, value)
        await dana.run("document.querySelector('dialog .block[data-block=attested] input').click()")
        await look(dana, "2-form")
        await dana.click("dialog .btn.primary", "Request")
        await dana.sees("does not look like")
        await look(dana, "3-form-refused")
        await fill(dana, "Complaint number", "2026-075-001234")
        await dana.click("dialog .btn.primary", "Request")
        await dana.wait("!document.querySelector('dialog')")

        for name in ("eva.lind", "noor.haddad"):
            await examine(town, become, look, name, search, enrolled)
        mara = await become("mara.quinn", "face-oversight")
        await mara.sees(f"Decision on {search}")
        if size == DESKTOP:  # a phone has the guide folded away
            await mara.wait("document.querySelectorAll('.step.done').length === 4")
            await mara.wait("document.querySelector('.step.now strong').innerText === 'Decide'")
        await last(mara, ".stage .btn", "Approve")
        await fill(mara, "Reason", "Two sound examinations; the differences are explained.")
        await look(mara, "6-decision")
        await mara.click("dialog .btn.primary", "Approve")
        await dana.sees("INVESTIGATIVE LEAD ONLY")
        await look(dana, "7-lead")
        await last(dana, ".side .btn", "Acknowledge")
        await dana.sees("Before you see it")
        await look(dana, "8-acknowledgement")
        await dana.click("dialog .btn", "I will comply")
        async with Person(page, "dana.ruiz") as watcher:
            app = await watcher.wait_for(lambda: direct_channel(watcher), 60)
        await town.settled(search)
        direct = await browser.tab(f"{page}/#as=dana.ruiz&channel={app}", size)
        tabs.append(direct)
        await direct.sees("this arrest photograph")
        await look(direct, "9-photograph")
        rail.cancel()
    # Photographs leave Slack after the decision: a tab that still shows one asks for it once more.
    assert [c for tab in tabs for c in tab.complaints if not ("403" in c and "/_ui/files/" in c)] == []
    assert seen == []
    assert (await town.kinds(search)).count("LeadAcknowledged") == 1


async def direct_channel(person: Person) -> str | None:
    """The app's, which is there from the moment it has something to hand over."""
    return next((c["id"] for c in await person.channels() if c.get("is_im")), None)


async def examine(town, become, look, name, search, probe) -> None:
    """The examiner answers on the page; which picture shows the person, they see with their eyes.

    Eva comes to her worksheet from the examiners' channel, Noor from what the app told nobody else.
    """
    first, room = name == "eva.lind", town.room("review")
    async with Person(town.system.page, name) as eyes:
        root = await play.review_thread(eyes, room, search)
        assert "Candidate " not in json.dumps(await eyes.messages(room, root["ts"]))
        told = await eyes.wait_for(lambda: direct_channel(eyes), 60)
        tab = await become(name, "face-review" if first else told)
        await tab.sees(f"Examination {search}" if first else f"Examination {search} waits for you")
        await look(tab, "4-review" if first else "4-drawn-by-lot")
        await last(tab, ".stage .btn", "worksheet")
        await tab.sees("Your conclusion")
        sheet, answers = await eyes.wait_view(lambda v: v.get("callback_id") == "worksheet"), {}
        for label, file in play.candidates(sheet):
            shown = await eyes.image(file)
            answers[label] = "same" if any(play.same_picture(shown, known) for known in probe.known) else "different"
    if first:
        await tab.run("document.querySelector('.modal-body').scrollTop = 140")  # both faces can be seen
        await look(tab, "4-worksheet")
    for label, answer in answers.items():
        await tab.choose(f"dialog [data-action=answer_{label}]", answer)
        await asyncio.sleep(0.1)
    picked = next(label for label, answer in answers.items() if answer == "same")
    await tab.sees("Every candidate is answered")
    await fill(tab, "Your conclusion", f"possible-match {picked}")
    await fill(tab, "Differences considered", "The light falls from the side; the hairline is hidden.")
    if first:
        await look(tab, "5-conclusion")
    await tab.click("dialog .btn.primary", "Lock my opinion")
    await tab.sees("component by component")
    await tab.run(
        "document.querySelectorAll('dialog [type=radio]').forEach((one) => { if (one.value === 'similar') one.click(); })"
    )
    if first:
        await look(tab, "5-comparison")
    await tab.click("dialog .btn.primary", "Lock my opinion")
    await tab.sees("is locked")
    await tab.click("dialog .btn", "Close")
    await tab.wait("!document.querySelector('dialog')")


async def test_a_newcomer_puts_their_own_face_into_the_gallery_and_is_found(town):
    """From the page's guide, through the operator's own commands; the picture must not be one of the script's people."""
    face = [p.path for p in play.probes() if p.person is None][-1]
    async with newcomers.door(town.system) as door, chromium() as browser:
        rail = asyncio.create_task(guide.lead(town.system, door))
        tab = await browser.tab(f"{town.system.page}/#as=dana.ruiz&channel=face-intake", DESKTOP)
        await tab.wait("!!document.querySelector('#enrol-name')")
        await tab.run("document.querySelector('#enrol-name').value = 'Nell Newcomer'")
        await tab.choose_file("#enrol-file", face)
        await tab.run("document.querySelector('form.enrol').requestSubmit()")
        await tab.sees("You are in the gallery", 90)
        await tab.picture(PICTURES / "desk" / "newcomer.png")
        assert tab.complaints == []
        rail.cancel()
    secret = {"Authorization": f"Bearer {town.system.secrets.matcher}"}
    async with aiohttp.ClientSession(town.system.matcher_url, headers=secret) as http:
        for _ in range(100):
            async with http.post("/v1/search?k=2", data=await asyncio.to_thread(face.read_bytes)) as answer:
                best = (await answer.json())["candidates"][0]
            if best["person_id"].startswith("N-"):
                break
            await asyncio.sleep(0.1)
        async with http.get(f"/v1/people/{best['person_id']}") as answer:
            assert (await answer.json())["name"] == "Nell Newcomer"


def test_the_script_knows_ones_own_face_by_the_folder_that_it_lies_in(tmp_path):
    for name in ("gallery/ann/1.jpg", "gallery/bob/1.jpg", "probes/ann/2.jpg", "probes/eve/1.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    known = play.probe_of(tmp_path / "probes/ann/2.jpg", tmp_path / "gallery")
    assert (known.person, [p.name for p in known.known]) == ("ann", ["1.jpg"])
    assert play.probe_of(tmp_path / "probes/eve/1.jpg", tmp_path / "gallery").known == ()
    assert play.probe_of(tmp_path / "probes/ann/2.jpg", None).known == ()
