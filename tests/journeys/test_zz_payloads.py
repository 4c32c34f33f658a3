"""After all journeys: everything the bot sent in any of them is something that others' Block Kit validators take.

The figures go to LEADGATE_JUDGED (artifacts/judged.json where it is not set).
"""

import asyncio
import json
import os
from collections import Counter
from pathlib import Path

from deploy.workspace.server import REMEMBERED
from tests.journeys import test_story
from tests.workspace.judges.block_kit import FETCHED, payloads_in, verdicts
from tests.workspace.test_judges import LAX, REFERENCE

FIGURES = Path(os.environ.get("LEADGATE_JUDGED", "artifacts/judged.json"))


async def test_every_payload_of_every_journey_is_one_that_the_judges_take(town, enrolled):
    await test_story.lead(town, enrolled)
    calls = (await town.director("record"))["calls"]
    payloads = payloads_in(calls)
    methods = Counter(method for method, _ in calls)
    refused = await asyncio.to_thread(verdicts, payloads)
    figures = {
        "calls": len(calls),
        "payloads judged": len(payloads),
        "judges": ["slack_sdk.models", "slackblocks", *(["@slack/types under tsc"] if FETCHED else [])],
        "methods called": dict(sorted(methods.items())),
        "methods in Slack's reference": len(REFERENCE),
        "disagreements explained": {why: len(names) for why, names in LAX.items()},
        "disagreements unexplained": len(refused),
    }
    await asyncio.to_thread(_keep, json.dumps(figures, indent=2))
    assert len(calls) < REMEMBERED  # none was forgotten
    assert len(payloads) >= 10
    assert methods.keys() <= REFERENCE.keys()
    assert refused == {}


def _keep(text: str) -> None:
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(text + "\n", encoding="utf-8")
