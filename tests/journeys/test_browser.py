"""The story on the page itself: a detective, an examiner and a supervisor in three tabs of a real browser."""

import json
import os
from pathlib import Path

import pytest

from deploy.demo import play
from tests.workspace.chromium import BROWSER, DESKTOP, PHONE, Tab, chromium
from tests.workspace.judges.block_kit import payloads_in, verdicts
from tests.workspace.test_page import AXE, FETCHED, serious

pytestmark = [pytest.mark.browser, pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed here")]
PICTURES = Path(os.environ.get("LEADGATE_SCREENSHOTS", "artifacts/workspace"))


class Witness:
    """Looks at every step: a picture of it, and what an aid for reading could not read."""

    def __init__(self, folder: str) -> None:
        self.folder = PICTURES / folder
        self.axe = AXE.read_text("utf-8") if FETCHED else ""
        self.found: list[str] = []

    async def look(self, tab: Tab, step: str) -> None:
        await tab.wait("[...document.images].every(i => i.complete)")
        await tab.picture(self.folder / f"{step}.png")
        self.found += [f"{step}: {v}" for v in await serious(tab, self.axe)]


def field(block: str) -> str:
    return f'dialog .block[data-block="{block}"] .field-control'


async def ask(tab: Tab, photo: Path, witness: Witness) -> None:
    """The detective posts the photograph and fills in the form."""
    await tab.wait("!!document.querySelector('.write')")
    await tab.choose_file(".stage .composer input[type=file]", photo)
    await tab.wait("document.querySelector('.send').disabled === false")
    await tab.click(".send")
    await tab.click(".replies", "reply")
    await tab.click(".side .btn.primary", "Request a search")
    await tab.choose(field("purpose"), "suspect")
    await tab.wait(f"!!document.querySelector({json.dumps(field('case-number'))})")
    await tab.write(field("case-number"), "12")
    for block, value in play.REQUEST.items():
        if block == "attested":
            await tab.click(f'dialog .block[data-block="{block}"] input')
        elif await tab.run(f"document.querySelector({json.dumps(field(block))}).tagName") == "SELECT":
            await tab.choose(field(block), str(value))
        elif block != "case-number":
            await tab.write(field(block), str(value))
    await tab.click("dialog .btn.primary")
    await tab.wait("!!document.querySelector('.problem:not([hidden])')")
    await witness.look(tab, "2-refused-beside-the-question")
    await tab.run(f"document.querySelector({json.dumps(field('case-number'))}).value = ''")
    await tab.write(field("case-number"), str(play.REQUEST["case-number"]))
    await tab.click("dialog .btn.primary")
    await tab.wait("!document.querySelector('dialog')")


async def examine(tab: Tab, possible: str, witness: Witness) -> None:
    """The examiner answers each candidate and locks the opinion."""
    await tab.click(".btn.primary", "Open my worksheet")
    await tab.wait("document.querySelectorAll('dialog select').length > 1")
    await witness.look(tab, "4-worksheet")
    labels = await tab.run(
        "[...document.querySelectorAll('dialog select[data-action^=answer_]')].map(n => n.dataset.action)"
    )
    for label in labels:
        answer = "possible" if label == f"answer_{possible}" else "excluded"
        await tab.choose(f'dialog select[data-action="{label}"]', answer)
        await tab.wait("!document.querySelector('dialog [aria-busy]')")
    await tab.sees("Every candidate is answered")
    await tab.wait(f"!!document.querySelector('dialog option[value=\"possible-match {possible}\"]')")
    await tab.choose(field("conclusion"), f"possible-match {possible}")
    await tab.write(field("differences"), "The light falls from the side; it does not exclude.")
    await tab.click("dialog .btn.primary", "Lock my opinion")
    await tab.sees("is locked")
    await tab.click("dialog .btn", "Close")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
async def test_a_photograph_becomes_a_lead_on_the_page(town, enrolled, size: tuple[int, int]):
    witness = Witness(f"story-{'phone' if size == PHONE else 'desk'}")
    page, probe = town.system.page, enrolled
    async with chromium() as browser, town.person("noor.haddad") as noor, town.person("eva.lind") as eva_sees:
        before = {m["ts"] for m in await eva_sees.messages(town.room("review"))}
        dana = await browser.tab(f"{page}/#as=dana.ruiz&channel=face-intake", size)
        await ask(dana, probe.path, witness)
        await witness.look(dana, "1-intake")
        root = await eva_sees.wait_message(
            town.room("review"), lambda m: m["ts"] not in before and play.has(m, "open_worksheet"), timeout=60
        )
        picked = await play.examine(noor, root, probe)
        assert picked
        eva = await browser.tab(f"{page}/#as=eva.lind&channel=face-review&thread={root['ts']}", size)
        await eva.sees("Open my worksheet")
        await witness.look(eva, "3-review")
        await examine_in(eva, picked, witness)
        mara = await browser.tab(f"{page}/#as=mara.quinn&channel=face-oversight", size)
        await mara.sees("Decision on", 30)
        await witness.look(mara, "5-decision")
        await approve(mara)
        await dana.sees("INVESTIGATIVE LEAD ONLY", 30)
        await witness.look(dana, "6-lead")
        await dana.click(".side .btn.primary", "Acknowledge")
        await dana.sees("Before you see it")
        await witness.look(dana, "7-before-you-see-it")
        await dana.click("dialog .btn.primary, dialog .btn", "I will comply")
        await dana.wait("!document.querySelector('dialog')")
        for tab in (dana, eva, mara):
            assert tab.complaints == []
    assert witness.found == []


async def examine_in(tab: Tab, picked: str, witness: Witness) -> None:
    await examine(tab, picked, witness)


async def approve(tab: Tab) -> None:
    await tab.run(
        "[...document.querySelectorAll('.btn.primary')].filter(b => b.innerText.includes('Approve')).at(-1).click()"
    )
    await tab.write(field("reason"), "Two sound examinations; differences considered and explained.")
    await tab.click("dialog .btn.primary", "Approve")
    await tab.wait("!document.querySelector('dialog')")


async def test_everything_the_bot_sent_on_the_way_is_judged_and_nobody_disagrees(town):
    payloads = payloads_in((await town.director("record"))["calls"])
    assert len(payloads) > 10
    assert verdicts(payloads) == {}
