"""After all journeys: everything the bot sent in any of them is something that others' Block Kit validators take."""

from tests.journeys import test_story
from tests.workspace.judges.block_kit import payloads_in, verdicts


async def test_every_payload_of_every_journey_is_one_that_the_judges_take(town, enrolled):
    await test_story.lead(town, enrolled)
    payloads = payloads_in((await town.director("record"))["calls"])
    assert len(payloads) >= 10
    assert verdicts(payloads) == {}
