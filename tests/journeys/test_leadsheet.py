"""The lead sheet reaches the requester after the acknowledgement, once, and the ledger has its hash."""

import asyncio
import hashlib
import json

import pypdfium2

from tests.journeys.test_story import lead


async def test_the_requester_who_acknowledged_has_the_lead_sheet_and_the_ledger_has_its_hash(town, enrolled):
    search, _, _, photograph = await lead(town, enrolled)
    async with town.person("dana.ruiz") as dana:
        sent = await dana.wait_message(photograph["channel"], lambda m: f"Lead sheet of search {search}" in m["text"])
        pdf = await dana.image(sent["files"][0]["id"])
    assert sent["files"][0]["name"] == f"lead-sheet-{search}.pdf"
    document = pypdfium2.PdfDocument(pdf)
    told = [page.get_textpage().get_text_bounded() for page in document]
    document.close()
    assert all("NOT AN IDENTIFICATION" in page for page in told)
    assert search in told[0]
    [row] = await town.sql("SELECT entry FROM ledger.entry WHERE stream = $1", f"sheet:{search}")
    entry = json.loads(bytes(row["entry"]))
    assert entry["kind"] == "LeadSheetHanded"
    assert entry["data"]["sha256"] == hashlib.sha256(pdf).hexdigest()


async def test_an_operator_writes_the_same_sheet_to_a_file_and_no_sheet_of_what_is_no_lead(town, enrolled, tmp_path):
    search, *_ = await lead(town, enrolled)
    env, path = town.system.bot_environment(), tmp_path / "sheet.pdf"
    status, said = await town.system.command("leads", "sheet", search, str(path), env=env)
    assert status == 0, said
    entries = await town.sql("SELECT entry FROM ledger.entry WHERE stream = $1 ORDER BY seq", f"sheet:{search}")
    told = [json.loads(bytes(row["entry"])) for row in entries]
    assert [entry["kind"] for entry in told] == ["LeadSheetHanded", "LeadSheetWritten"]
    digest = hashlib.sha256(await asyncio.to_thread(path.read_bytes)).hexdigest()
    assert {entry["data"]["sha256"] for entry in told} == {digest}
    status, said = await town.system.command("leads", "sheet", "LG-AAAAAAAAAAAA", str(tmp_path / "no.pdf"), env=env)
    assert (status, "not a lead" in said) == (2, True)
