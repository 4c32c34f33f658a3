"""A sealed description and the arrest record: nobody sees either before the opinions; what contradicts is resolved, and
prints on the lead.
"""

import json

import pypdfium2

from deploy.demo import play
from tests.journeys.conftest import quiet
from tests.journeys.test_purposes import ask

WORDS = "A slight woman of quincewise bearing in a red cap, who limped."  # no message of Slack's has the second word
DESCRIBED = {
    "circumstances": ["witness"],
    "description": WORDS,
    "witness-height": "4'8-4'10",
    "witness-sex": "female",
    "incident-date": "2026-03-12",
}
HEIGHT = "The witness lay on the floor and saw him from below; her statement of 14 March says so."
CUSTODY = "The jail's own paper of 13 March has day release from 8 to 20 h on that day."


async def in_custody(town, person: str, tmp_path) -> None:
    """The county's register says that they were, that month."""
    file = tmp_path / "custody.csv"
    file.write_text(f"person,began,ended\n{person},2026-03-01,2026-03-31\n", encoding="utf-8")
    words = ("gallery", "custody", str(file), "--register", "County jail", "--by", "clerk")
    status, said = await town.system.command(*words, env=town.system.matcher_environment())
    assert (status, "1 of 1 spells" in said) == (0, True), said


async def test_what_contradicts_the_record_is_resolved_in_writing_and_prints_on_the_lead(town, enrolled, tmp_path):
    await in_custody(town, enrolled.person, tmp_path)
    async with (
        town.person("dana.ruiz") as dana,
        town.person("eva.lind") as eva,
        town.person("noor.haddad") as noor,
        town.person("mara.quinn") as mara,
    ):
        post, search, wrong = await ask(town, dana, enrolled, "suspect", **DESCRIBED)
        assert wrong == {}
        root = await play.review_thread(eva, town.room("review"), search)
        assert await play.examine(eva, root, enrolled)
        await eva.close_view(everything=True)
        sealed = json.dumps(
            [await eva.messages(town.room("review")), await eva.messages(town.room("review"), root["ts"])]
        )
        assert "quincewise" not in sealed
        assert await play.examine(noor, root, enrolled)
        over = await eva.wait_message(
            town.room("review"), lambda m: m["ts"] == root["ts"] and play.has(m, "see_context")
        )
        asked = await mara.wait_message(
            town.room("oversight"), lambda m: search in m["text"] and play.has(m, "approve_lead"), timeout=30
        )
        told = json.dumps(asked["blocks"], ensure_ascii=False)
        assert "Height: described 4'8-4'10" in told
        assert "in custody from 2026-03-01 until 2026-03-31: CONTRADICTS" in told
        assert "Sex: described female; on record female: fits" in told

        await eva.click(over, "see_context")
        shown = json.dumps(await eva.wait_view(lambda v: "on record" in json.dumps(v["blocks"])))
        assert "quincewise" in shown
        await eva.close_view(everything=True)

        await mara.click(asked, "approve_lead")
        form = await mara.wait_view(lambda v: v.get("callback_id") == "decide_lead")
        blocks = [b.get("block_id") for b in form["blocks"]]
        assert {"resolution-height", "resolution-custody", "reason"} <= set(blocks)
        reason = {"reason": "Two sound examinations."}
        wrong = await mara.submit(reason | {"resolution-height": "see report", "resolution-custody": CUSTODY})
        assert "in writing" in wrong["resolution-height"]
        assert await mara.submit(reason | {"resolution-height": HEIGHT, "resolution-custody": CUSTODY}) == {}

        notice = await play.notice_of(dana, town.room("intake"), post["ts"], leads=True)
        assert HEIGHT in json.dumps(notice["blocks"])
        direct = (await play.acknowledge(dana, notice))["channel"]
        sent = await dana.wait_message(direct, lambda m: f"Lead sheet of search {search}" in m["text"], timeout=30)
        document = pypdfium2.PdfDocument(await dana.image(sent["files"][0]["id"]))
        sheet = " ".join(page.get_textpage().get_text_bounded() for page in document)
        document.close()
    assert "Contradictory facts" in sheet
    assert "day release from 8 to 20 h" in " ".join(sheet.split())
    entries = await town.entries(search)
    kinds = [entry.kind for entry in entries]
    assert kinds.index("ExaminersAgreed") < kinds.index("ContextOpened") < kinds.index("LeadDecided")
    opened = next(entry for entry in entries if entry.kind == "ContextOpened")
    assert opened.data["contradicts"] == ["height", "custody"]
    assert "quincewise" not in json.dumps([entry.data for entry in entries])  # the ledger only commits to the words
    await town.sql("DELETE FROM gallery.custody")


async def test_the_record_is_closed_to_whoever_did_not_examine(town, enrolled):
    async with (
        town.person("dana.ruiz") as dana,
        town.person("eva.lind") as eva,
        town.person("noor.haddad") as noor,
        town.person("ben.tanaka") as ben,
    ):
        _, search = await play.request(dana, town.room("intake"), enrolled, quiet)
        root = await play.review_thread(eva, town.room("review"), search)
        await eva.invite(town.room("review"), ben.name)
        for examiner in (eva, noor):
            assert await play.examine(examiner, root, enrolled)
            await examiner.close_view(everything=True)
        over = await ben.wait_message(
            town.room("review"), lambda m: m["ts"] == root["ts"] and play.has(m, "see_context")
        )
        await ben.click(over, "see_context")
        assert "for whoever examined" in json.dumps(await ben.wait_view())
        await ben.close_view()
        await ben.leave(town.room("review"))
    refused = [entry.data["rule"] for entry in await town.entries(search) if entry.kind == "Refused"]
    assert refused[-1] == "sees-after-locking"
