"""An examiner at a worksheet, saying whatever a test has them say."""

import json
from typing import Any

from deploy.demo import play
from deploy.workspace.person import Person

Json = dict[str, Any]
DIFFERENCES = "The light falls from the side and the mouth is open here; neither excludes."


async def candidates(town, search: str) -> list[Json]:
    """The candidates as the database has them: what no examiner sees."""
    [row] = await town.sql("SELECT body FROM casework.search WHERE id = $1", search)
    return json.loads(row["body"])["candidates"]


async def open_sheet(who: Person, root: Json) -> Json:
    """The worksheet of this thread, on top of this person's screen."""
    await who.click(root, "open_worksheet")
    return await who.wait_view(lambda v: v.get("callback_id") == "worksheet")


def labels_on(sheet: Json) -> list[str]:
    """The candidates in this examiner's own order."""
    found = [b["block_id"] for b in sheet["blocks"] if b.get("block_id", "").startswith("candidate_")]
    return [block.removeprefix("candidate_") for block in found]


async def conclude(
    who: Person, root: Json, picked: str | None, *, inconclusive: bool = False, differences: str = DIFFERENCES
) -> Json:
    """Every candidate is answered and the opinion locked; answers the sheet as it was opened."""
    sheet = await open_sheet(who, root)
    for label in labels_on(sheet):
        answer = "same" if label == picked else "different"
        await who.select(sheet, f"answer_{label}", answer, block_id=f"candidate_{label}")
    await who.wait_view(lambda v: "Every candidate is answered" in json.dumps(v["blocks"]))
    none = "inconclusive" if inconclusive else "no-possible-match"
    conclusion = f"possible-match {picked}" if picked else none
    wrong = await play.lock(who, {"conclusion": conclusion, "differences": differences if picked else ""})
    assert wrong == {}, wrong
    await who.close_view()
    return sheet
