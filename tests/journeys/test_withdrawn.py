"""Whoever asked for a search stops it, from the card beneath their photograph, as long as nobody decides on it."""

import json

from deploy.demo import play
from tests.journeys.conftest import quiet
from tests.journeys.test_purposes import ask


async def withdraw(who, town, post: dict, search: str, reason: str = "The complainant took it back.") -> dict[str, str]:
    """The button on the card, and the form that asks once more: what was wrong with it."""
    card = await who.wait_message(
        town.room("intake"), lambda m: search in m["text"] and play.has(m, "withdraw_search"), post["ts"], timeout=30
    )
    await who.click(card, "withdraw_search")
    form = await who.wait_view(lambda v: v.get("callback_id") == "approval")
    assert "withdraw this search: it ends" in json.dumps(form["blocks"])
    return await who.submit({"reason": reason})


async def test_what_is_being_examined_is_withdrawn_and_nobody_examines_it_any_more(town, enrolled):
    async with town.person("dana.ruiz") as dana, town.person("eva.lind") as eva, town.person("sam.okafor") as sam:
        post, search = await play.request(dana, town.room("intake"), enrolled, quiet)
        root = await play.review_thread(eva, town.room("review"), search)
        card = await sam.wait_message(
            town.room("intake"), lambda m: search in m["text"] and play.has(m, "withdraw_search"), post["ts"]
        )
        await sam.click(card, "withdraw_search")
        assert "Only the person who requested" in json.dumps(await sam.wait_view())
        await sam.close_view()

        assert await withdraw(dana, town, post, search) == {}
        notice = await dana.wait_message(
            town.room("intake"), lambda m: m["text"].startswith("WITHDRAWN"), post["ts"], timeout=30
        )
        assert "The complainant took it back." in json.dumps(notice["blocks"])
        await town.settled(search)
        thread = await dana.messages(town.room("intake"), post["ts"])
        assert not [m for m in thread if play.has(m, "withdraw_search")]
        await eva.wait_message(
            town.room("review"), lambda m: m["ts"] == root["ts"] and not play.has(m, "open_worksheet"), timeout=30
        )
    assert (await town.kinds(search)).count("SearchClosed") == 1
    [row] = await town.sql("SELECT outcome FROM casework.search WHERE id = $1", search)
    assert row["outcome"] == "withdrawn"


async def test_what_waits_for_an_approval_is_withdrawn_though_the_certification_ran_out(town, enrolled):
    """Nobody is kept from stopping a search; and the supervisors are not asked any longer."""
    async with town.person("dana.ruiz") as dana, town.person("mara.quinn") as mara:
        post, search, wrong = await ask(town, dana, enrolled, "suspect", circumstances=["minor"])
        assert wrong == {}
        asked = await mara.wait_message(
            town.room("oversight"), lambda m: search in m["text"] and play.has(m, "approve_request"), timeout=30
        )
        [until] = await town.sql("SELECT certified_until FROM casework.person WHERE id = 'dana.ruiz'")
        await town.sql("UPDATE casework.person SET certified_until = now() WHERE id = 'dana.ruiz'")
        try:
            assert await withdraw(dana, town, post, search) == {}
        finally:
            certified = "UPDATE casework.person SET certified_until = $1 WHERE id = 'dana.ruiz'"
            await town.sql(certified, until["certified_until"])
        over = await mara.wait_message(
            town.room("oversight"), lambda m: m["ts"] == asked["ts"] and "was withdrawn" in m["text"], timeout=30
        )
        assert not play.has(over, "approve_request")
        await town.settled(search)
    kinds = await town.kinds(search)
    assert kinds[-1] == "SearchClosed" or kinds[-2:] == ["SearchClosed", "Posted"]
    assert "PhotoAssessed" not in kinds
