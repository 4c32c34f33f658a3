"""The lead sheet reaches the requester after the acknowledgement, once, and the ledger has its hash."""

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
