"""A supervisor who doubts two opinions asks for a third; what an examiner sees later stands beside their opinion."""

import json

from deploy.demo import play
from tests.journeys.conftest import quiet


async def told_directly(who, search: str) -> dict | None:
    """The app's direct message about that search."""
    for channel in await who.channels():
        if channel.get("is_im"):
            for message in await who.messages(channel["id"]):
                if search in message["text"]:
                    return message
    return None


async def test_one_more_opinion_is_asked_for_blind_and_all_three_carry_the_lead(town, enrolled):
    async with (
        town.person("dana.ruiz") as dana,
        town.person("eva.lind") as eva,
        town.person("noor.haddad") as noor,
        town.person("ben.tanaka") as ben,
        town.person("mara.quinn") as mara,
    ):
        post, search = await play.request(dana, town.room("intake"), enrolled, quiet)
        root = await play.review_thread(eva, town.room("review"), search)
        assert all([await play.examine(who, root, enrolled) for who in (eva, noor)])
        over = await eva.wait_message(
            town.room("review"), lambda m: m["ts"] == root["ts"] and play.has(m, "see_context"), timeout=30
        )
        await eva.click(over, "add_note")
        await eva.wait_view(lambda v: v.get("callback_id") == "add_note")
        assert await eva.submit({"note": "The scar at the chin may be make-up."}) == {}

        asked = await mara.wait_message(
            town.room("oversight"), lambda m: search in m["text"] and play.has(m, "return_review"), timeout=30
        )
        asked = await mara.wait_message(
            town.room("oversight"),
            lambda m: m["ts"] == asked["ts"] and "may be make-up" in json.dumps(m.get("blocks")),
            timeout=30,
        )
        await eva.invite(town.room("review"), ben.name)
        await mara.click(asked, "return_review")
        await mara.wait_view(lambda v: v.get("callback_id") == "return_review")
        assert await mara.submit({"reason": "The light differs; I want a third pair of eyes."}) == {}
        await mara.wait_message(
            town.room("oversight"), lambda m: m["ts"] == asked["ts"] and "one more examiner" in m["text"], timeout=30
        )

        called = await ben.wait_message(
            town.room("review"), lambda m: "waits for an examiner" in m["text"], root["ts"], timeout=30
        )
        told = json.dumps([called, await ben.messages(town.room("review"), root["ts"])])
        words = ("make-up", "third pair", "agree", "differ", "one more", "third", "Mara", mara.id)
        assert not [word for word in words if word in told]
        asked_of_ben = await ben.wait_for(lambda: told_directly(ben, search), 30)
        assert asked_of_ben["text"] == f"Examination {search} waits for you"
        assert await play.examine(ben, called, enrolled)
        await ben.close_view(everything=True)
        await ben.leave(town.room("review"))
        again = await mara.wait_message(
            town.room("oversight"), lambda m: m["ts"] == asked["ts"] and play.has(m, "approve_lead"), timeout=30
        )
        assert "3 examiners concluded, separately: 3 named" in json.dumps(again["blocks"])
        await mara.wait_message(
            town.room("oversight"), lambda m: "one more opinion is locked" in m["text"], asked["ts"], timeout=30
        )
        await mara.click(again, "approve_lead")
        await mara.wait_view(lambda v: v.get("callback_id") == "decide_lead")
        assert await mara.submit({"reason": "Three sound examinations."}) == {}
        notice = await play.notice_of(dana, town.room("intake"), post["ts"], leads=True)
        assert "Added later: The scar at the chin may be make-up." in json.dumps(notice["blocks"], ensure_ascii=False)
        over = await noor.wait_message(
            town.room("review"), lambda m: m["ts"] == root["ts"] and play.has(m, "add_note"), timeout=30
        )
        await noor.click(over, "add_note")
        await noor.wait_view(lambda v: v.get("callback_id") == "add_note")
        assert await noor.submit({"note": "Seen again: the ears differ more than I thought."}) == {}
        told = await mara.wait_message(
            town.room("oversight"), lambda m: "added to their opinion" in m["text"], asked["ts"], timeout=30
        )
        assert "the ears differ" in json.dumps(told["blocks"])
        assert play.has(told, "recall_lead")
    kinds = await town.kinds(search)
    assert kinds.count("ReviewReturned") == 1
    assert kinds.count("ExaminersAgreed") == 2
    assert kinds.index("LeadIssued") > kinds.index("ReviewReturned")
    [row] = await town.sql("SELECT count(*) AS n FROM casework.opinion WHERE search = $1", search)
    assert row["n"] == 3


DIES = """
DO $do$ BEGIN
CREATE FUNCTION public.dies() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    NEW.state := 'dead'; NEW.attempts := 8; NEW.finished_at := now() - interval '5 hours';
    RETURN NEW;
END $$;
CREATE TRIGGER dies BEFORE INSERT ON casework.job FOR EACH ROW WHEN (NEW.kind = 'run-search')
    EXECUTE FUNCTION public.dies();
END $do$
"""


async def test_what_the_desk_cannot_do_is_said_to_supervisors_and_in_the_end_to_the_requester(town, enrolled):
    """The job died five hours ago; what it died of does not matter here."""
    async with town.person("dana.ruiz") as dana, town.person("mara.quinn") as mara:
        await town.sql(DIES)
        try:
            post, search = await play.request(dana, town.room("intake"), enrolled, quiet)

            async def dead():
                return await town.sql(
                    "SELECT 1 FROM casework.job WHERE payload ->> 'search' = $1 AND state = 'dead'", search
                )

            await dana.wait_for(dead, 60)
        finally:
            await town.sql("DROP FUNCTION public.dies() CASCADE")
        told = await mara.wait_message(
            town.room("oversight"), lambda m: f"Search {search} is stuck" in m["text"], timeout=90
        )
        assert "leadgate jobs retry" in json.dumps(told["blocks"])
        notice = await dana.wait_message(
            town.room("intake"), lambda m: m["text"].startswith("FAULT."), post["ts"], timeout=60
        )
        assert "says nothing about any person" in json.dumps(notice["blocks"])
    [row] = await town.sql("SELECT outcome FROM casework.search WHERE id = $1", search)
    assert row["outcome"] == "error"
