"""From photograph to notice, through the workspace's doors."""

import json

from deploy.demo import play
from tests.journeys.conftest import quiet
from tests.journeys.test_purposes import PACK, ask


async def lead(town, probe):
    """Dana's photograph becomes a lead: (search, the post, the notice, the direct message)."""
    async with (
        town.person("dana.ruiz") as dana,
        town.person("eva.lind") as eva,
        town.person("noor.haddad") as noor,
        town.person("mara.quinn") as mara,
    ):
        post, search = await play.request(dana, town.room("intake"), probe, quiet)
        root = await play.review_thread(eva, town.room("review"), search)
        picks = [await play.examine(who, root, probe) for who in (eva, noor)]
        assert picks[0] is not None
        assert picks[0] == picks[1]
        await play.approve(mara, town.room("oversight"), search)
        notice = await play.notice_of(dana, town.room("intake"), post["ts"], leads=True)
        photograph = await play.acknowledge(dana, notice)
        await town.settled(search)
        return search, post, notice, photograph


async def test_a_photograph_becomes_an_investigative_lead_and_every_step_stands_in_the_ledger(town, enrolled):
    search, post, _, photograph = await lead(town, enrolled)
    kinds = await town.kinds(search)
    people = 20
    shown = [len(e.data["labels"]) for e in await town.entries(search) if e.kind == "CandidatesShown"]
    assert shown == [people, PACK.foils.shown]
    assert kinds.count("CandidateAnswered") == sum(shown)
    assert [k for k in kinds if k not in {"CandidateAnswered", "CandidatesShown", "Posted"}] == [
        "Refused",  # the first case number did not fit
        "SearchRequested",
        "PhotoAssessed",
        "FaceChosen",
        "SearchRun",
        "ExaminersDrawn",
        "ExaminationConcluded",
        "ExaminationConcluded",
        "ExaminersAgreed",
        "ContextOpened",
        "LeadDecided",
        "LeadIssued",
        "LeadAcknowledged",
    ]
    assert sorted(e.data["what"] for e in await town.entries(search) if e.kind == "Posted") == [
        "decision",
        "notice",
        "photograph",
        "review",
    ]
    async with town.person("dana.ruiz") as dana:
        shown = await dana.image(next(b["slack_file"]["id"] for b in photograph["blocks"] if b["type"] == "image"))
        thread = await dana.messages(town.room("intake"), post["ts"])
    assert any(play.same_picture(shown, known) for known in enrolled.known)
    assert [m["text"][:24] for m in thread[1:]] == [f"Search {search}: Closed"[:24], "INVESTIGATIVE LEAD ONLY."]


async def test_a_photograph_of_somebody_who_is_not_enrolled_becomes_no_lead(town, stranger):
    async with town.person("dana.ruiz") as dana, town.person("eva.lind") as eva, town.person("noor.haddad") as noor:
        post, search = await play.request(dana, town.room("intake"), stranger, quiet)
        root = await play.review_thread(eva, town.room("review"), search)
        assert [await play.examine(who, root, None) for who in (eva, noor)] == [None, None]
        notice = await play.notice_of(dana, town.room("intake"), post["ts"], leads=False)
        assert "excludes no one" in json.dumps(notice["blocks"])
    assert "LeadIssued" not in await town.kinds(search)


FORBIDDEN = ("score", "rank", "S-0", "arrest", "dana", "2026-075", "%")


async def test_nothing_an_examiner_can_see_names_a_score_a_rank_a_person_or_the_requester(town, enrolled):
    async with town.person("dana.ruiz") as dana, town.person("eva.lind") as eva:
        _, search = await play.request(dana, town.room("intake"), enrolled, quiet)
        root = await play.review_thread(eva, town.room("review"), search)
        await eva.click(root, "open_worksheet")
        sheet = await eva.wait_view(lambda v: v.get("callback_id") == "worksheet")
        seen = json.dumps([await eva.messages(town.room("review"), root["ts"]), sheet])
        await eva.close_view()
    assert [word for word in FORBIDDEN if word in seen.lower().replace("%2f", "")] == []


async def test_usage_is_counted_for_supervisors_and_refused_to_detectives_and_both_are_recorded(town):
    async with town.person("mara.quinn") as mara, town.person("dana.ruiz") as dana:
        await mara.command(town.room("oversight"), "/face-usage", "1")
        told = await mara.wait_message(
            town.room("oversight"),
            lambda m: bool(m.get("is_ephemeral")) and "Suspect of a crime" in json.dumps(m.get("blocks")),
        )
        assert "Suspect of a crime" in json.dumps(told["blocks"])
        await dana.command(town.room("intake"), "/face-usage")
        await dana.wait_message(
            town.room("intake"), lambda m: bool(m.get("is_ephemeral")) and "role auditor or supervisor" in m["text"]
        )
    asked = await town.sql("SELECT entry FROM ledger.entry WHERE stream = 'oversight' ORDER BY seq DESC LIMIT 2")
    assert [json.loads(bytes(row["entry"]))["data"]["allowed"] for row in asked] == [False, True]


async def test_the_searches_of_a_case_are_listed_to_supervisors_alone_and_the_number_stays_out_of_the_ledger(
    town, enrolled
):
    number = "2026-077-004321"
    async with town.person("mara.quinn") as mara, town.person("dana.ruiz") as dana:
        _, search, wrong = await ask(town, dana, enrolled, "suspect", **{"case-number": number})
        assert wrong == {}
        await mara.command(town.room("oversight"), "/face-case", number.lower())
        told = await mara.wait_message(
            town.room("oversight"), lambda m: bool(m.get("is_ephemeral")) and search in json.dumps(m.get("blocks"))
        )
        assert "Dana" not in json.dumps(told["blocks"])
        await dana.command(town.room("intake"), "/face-case", number)
        await dana.wait_message(
            town.room("intake"), lambda m: bool(m.get("is_ephemeral")) and "auditor or supervisor" in m["text"]
        )
    asked = await town.sql("SELECT entry FROM ledger.entry WHERE stream = 'oversight' ORDER BY seq DESC LIMIT 2")
    refused, listed = [bytes(row["entry"]) for row in asked]
    assert json.loads(listed)["data"] == {"command": "face-case", "allowed": True, "searches": [search]}
    assert json.loads(refused)["data"] == {"command": "face-case", "allowed": False, "searches": []}
    assert number.encode() not in listed + refused
