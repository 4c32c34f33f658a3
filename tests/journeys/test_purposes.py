"""All six authorised uses from photo to notice, what a supervisor has to approve first, and what is refused in which words."""

import json
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from bot.packs import load_pack
from deploy.demo import play
from tests.journeys.conftest import quiet

PACK, _ = load_pack("nypd-2020")
ANSWERS = {
    "timing": "has",
    "offence": "PL 160.15 robbery in the first degree",
    "sub-role": "missing",
    "identification": "withheld",
    "imminence": "A caller says that a bomb will go off in the station at six tonight, and names the platform.",
    "basis": play.BASIS,
    "image-source": "cctv",
    "requester": "12345, 75 Pct Det Squad, Sgt. Alvarez",
    "attested": ["yes"],
}


async def ask(town, who, probe, purpose: str, **changes) -> tuple[dict, str, dict[str, str]]:
    """`who` posts the photograph and fills in the form for the purpose: (the post, the search's id, what is wrong)."""
    room = town.room("intake")
    use = PACK.purpose(purpose)
    post = await who.post_photo(room, probe.path.read_bytes(), probe.path.name)
    card = await who.wait_message(room, lambda m: play.has(m, "start_request"), post["ts"], timeout=40)
    await who.click(card, "start_request")
    form = await who.wait_view(lambda v: v["callback_id"] == "request_form")
    await who.select(form, "answer", purpose, block_id="purpose")
    form = await who.wait_view(lambda v: any(b.get("block_id") == "case-number" for b in v["blocks"]))
    custody = {"image-source": "custody"} if purpose == "arrestee" else {}  # the only one that this use takes
    answers = ANSWERS | {"purpose": purpose, "case-number": use.case_number_example} | custody | changes
    if "repositories" in answers:
        await who.select(form, "answer", answers["repositories"], block_id="repositories")
        form = await who.wait_view(lambda v: any(b.get("block_id") == "repositories-reason" for b in v["blocks"]))
    for ticked in answers.get("circumstances", ()):
        await who.select(form, "answer", answers["circumstances"], block_id="circumstances")
        due = [f.name for f in PACK.fields(use) if f.when and f.when.says == ticked]
        form = await who.wait_view(
            lambda v, due=due: all(any(b.get("block_id") == n for b in v["blocks"]) for n in due)
        )
    shown = {b.get("block_id") for b in form["blocks"]} | {"purpose"}
    wrong = await who.submit({name: value for name, value in answers.items() if name in shown})
    if wrong:
        await who.close_view(everything=True)
    return post, json.loads(form["private_metadata"])["search"], wrong


@pytest.mark.parametrize("purpose", [p.code for p in PACK.purposes])
async def test_each_authorised_use_from_photo_to_notice(purpose, town, enrolled):
    async with town.person("dana.ruiz") as dana, town.person("eva.lind") as eva, town.person("noor.haddad") as noor:
        post, search, wrong = await ask(town, dana, enrolled, purpose)
        assert wrong == {}
        root = await play.review_thread(eva, town.room("review"), search)
        for examiner in (eva, noor):
            await play.examine(examiner, root, None)
        await play.notice_of(dana, town.room("intake"), post["ts"], leads=False)
    kinds = await town.kinds(search)
    assert kinds.count("SearchRequested") == kinds.count("SearchRun") == kinds.count("SearchClosed") == 1


async def decide(
    town, search: str, action: str, reason: str = "Read, and decided on the facts stated.", by="mara.quinn", **also: str
) -> None:
    """Mara, or whoever is named, answers what the supervisors are asked about this search."""
    async with town.person(by) as who:
        asked = await who.wait_message(
            town.room("oversight"), lambda m: search in m["text"] and play.has(m, action), timeout=30
        )
        await who.click(asked, action)
        await who.wait_view(lambda v: v.get("callback_id") == "approval")
        assert await who.submit({"reason": reason, **also}) == {}


async def test_a_request_that_may_show_a_minor_waits_for_a_supervisor(town, enrolled):
    async with town.person("dana.ruiz") as dana, town.person("eva.lind") as eva:
        post, search, wrong = await ask(town, dana, enrolled, "suspect", circumstances=["minor"])
        assert wrong == {}
        await dana.wait_message(town.room("intake"), lambda m: "Waiting for approval" in m["text"], post["ts"])
        assert "PhotoAssessed" not in await town.kinds(search)
        await decide(town, search, "approve_request")
        await play.review_thread(eva, town.room("review"), search)
    assert (await town.kinds(search)).count("RequestApproved") == 1


async def test_a_request_that_is_not_approved_ends_with_a_notice_and_nothing_was_searched(town, enrolled):
    async with town.person("dana.ruiz") as dana:
        changes = {"circumstances": ["protected"], "suspicion": play.BASIS}
        post, search, wrong = await ask(town, dana, enrolled, "suspect", **changes)
        assert wrong == {}
        await decide(town, search, "reject_request")
        notice = await dana.wait_message(town.room("intake"), lambda m: "NOT APPROVED" in m["text"], post["ts"])
    assert "says nothing about any person" in json.dumps(notice["blocks"])
    assert "SearchRun" not in await town.kinds(search)


async def test_an_emergency_that_touches_protected_activity_waits_and_the_question_says_why(town, enrolled):
    async with town.person("dana.ruiz") as dana, town.person("mara.quinn") as mara, town.person("eva.lind") as eva:
        changes = {"circumstances": ["protected", "minor"], "suspicion": play.BASIS}
        post, search, wrong = await ask(town, dana, enrolled, "imminent-threat", **changes)
        assert wrong == {}
        await dana.wait_message(town.room("intake"), lambda m: "Waiting for approval" in m["text"], post["ts"])
        asked = await mara.wait_message(
            town.room("oversight"), lambda m: search in m["text"] and play.has(m, "approve_request"), timeout=30
        )
        told = json.dumps(asked["blocks"], ensure_ascii=False)
        assert "An emergency, and it waits for you" in told
        assert "may be a minor" in told
        assert "PhotoAssessed" not in await town.kinds(search)
        await decide(town, search, "approve_request")
        await play.review_thread(eva, town.room("review"), search)


async def test_words_of_a_banned_use_are_answered_in_writing_before_anything_is_searched(town, enrolled):
    async with town.person("dana.ruiz") as dana, town.person("mara.quinn") as mara:
        basis = "The man in the still told the clerk that he would be deported before he paid, and took the till."
        _, search, wrong = await ask(town, dana, enrolled, "suspect", basis=basis)
        assert wrong == {}
        asked = await mara.wait_message(
            town.room("oversight"), lambda m: search in m["text"] and play.has(m, "approve_request"), timeout=30
        )
        await mara.click(asked, "approve_request")
        form = await mara.wait_view(lambda v: v.get("callback_id") == "approval")
        assert "Never permitted" in json.dumps(form["blocks"])
        assert "why it is not that use" in (await mara.submit({"reason": "Sound request."}))["reason"]
        why = "He said it himself, mocking; this is a robbery, and nobody's immigration status is asked for."
        assert await mara.submit({"reason": why}) == {}
    kinds = await town.kinds(search)
    assert kinds[2:4] == ["Refused", "RequestApproved"]


async def test_an_emergency_is_searched_at_once_and_its_approval_is_asked_for(town, enrolled):
    async with town.person("dana.ruiz") as dana, town.person("eva.lind") as eva:
        _, search, wrong = await ask(town, dana, enrolled, "imminent-threat")
        assert wrong == {}
        await play.review_thread(eva, town.room("review"), search)
        await decide(town, search, "approve_request", "The call was recorded; the threat is specific.")
    await town.settled_but_for(search, "check-approval")
    assert (await town.kinds(search)).count("RequestApproved") == 1


async def test_the_lead_of_an_emergency_that_is_not_approved_is_withheld(town, enrolled):
    """What stood in the notice is gone from it, and the button that opened the photograph does nothing."""
    async with (
        town.person("dana.ruiz") as dana,
        town.person("eva.lind") as eva,
        town.person("noor.haddad") as noor,
        town.person("mara.quinn") as mara,
    ):
        post, search, wrong = await ask(town, dana, enrolled, "imminent-threat")
        assert wrong == {}
        root = await play.review_thread(eva, town.room("review"), search)
        for examiner in (eva, noor):
            assert await play.examine(examiner, root, enrolled)
        await play.approve(mara, town.room("oversight"), search)
        notice = await play.notice_of(dana, town.room("intake"), post["ts"], leads=True)
        await decide(town, search, "reject_request", "The call was a hoax, and known to be one.")
        gone = await dana.wait_message(town.room("intake"), lambda m: m["text"].startswith("WITHHELD"), post["ts"])
        assert gone["ts"] == notice["ts"]
        assert not play.has(gone, "acknowledge_lead")
    await town.settled_but_for(search, "check-approval")
    kinds = await town.kinds(search)
    assert "Quarantined" in kinds
    assert "LeadAcknowledged" not in kinds


BEYOND = {"repositories-reason": "The man in the still wore the ankle tag of somebody on parole; see the other still."}


async def overdue(town, search: str, due: datetime) -> None:
    """The approval was due at that hour; whoever looks for it does so now."""
    conn = await asyncpg.connect(town.system.database_url("postgres"))
    try:
        async with conn.transaction():  # as nobody but an owner can: what was requested does not change
            await conn.execute("SET LOCAL session_replication_role = replica")
            body = json.dumps({"approval_due": f"{due:%Y-%m-%dT%H:%M:%SZ}"})
            await conn.execute("UPDATE casework.search SET body = body || $2 WHERE id = $1", search, body)
            soon = "UPDATE casework.job SET run_at = now() WHERE kind = 'check-approval' AND key = $1"
            await conn.execute(soon, search)
            await conn.execute("NOTIFY leadgate_job")
    finally:
        await conn.close()


async def test_what_was_handed_over_of_an_emergency_is_taken_back_when_it_is_overdue_and_given_again(town, enrolled):
    """Photograph and sheet leave the requester's messages, and come back with a late approval."""
    async with (
        town.person("dana.ruiz") as dana,
        town.person("eva.lind") as eva,
        town.person("noor.haddad") as noor,
        town.person("mara.quinn") as mara,
    ):
        post, search, wrong = await ask(town, dana, enrolled, "imminent-threat")
        assert wrong == {}
        root = await play.review_thread(eva, town.room("review"), search)
        for examiner in (eva, noor):
            assert await play.examine(examiner, root, enrolled)
        await play.approve(mara, town.room("oversight"), search)
        notice = await play.notice_of(dana, town.room("intake"), post["ts"], leads=True)
        direct = (await play.acknowledge(dana, notice))["channel"]
        shown = await dana.wait_message(direct, lambda m: f"Arrest photograph of search {search}" in m["text"])
        sheet = await dana.wait_message(shown["channel"], lambda m: f"Lead sheet of search {search}" in m["text"])
        await overdue(town, search, datetime.now(UTC) - timedelta(hours=1))
        gone = await dana.wait_message(
            shown["channel"], lambda m: m["ts"] == shown["ts"] and m["text"].startswith("WITHHELD")
        )
        assert "slack_file" not in json.dumps(gone["blocks"])
        await town.settled(search)
        assert not await town.stands(sheet["files"][0]["id"])
        assert await town.sql("SELECT 1 FROM casework.upload WHERE search = $1", search) == []
        await decide(town, search, "approve_request", "Late, but the threat was real.")
        again = await dana.wait_message(
            shown["channel"], lambda m: m["ts"] == shown["ts"] and "slack_file" in json.dumps(m["blocks"])
        )
        assert again["text"].startswith("INVESTIGATIVE LEAD ONLY")
        await town.settled(search)
        [label] = await town.sql("SELECT file FROM casework.upload WHERE search = $1 AND label = 'sheet'", search)
        assert await town.stands(label["file"])
        back = await dana.wait_message(
            town.room("intake"), lambda m: m["text"].startswith("INVESTIGATIVE LEAD ONLY"), post["ts"]
        )
        assert back["ts"] == notice["ts"]
    kinds = await town.kinds(search)
    assert kinds.index("Quarantined") < kinds.index("RequestApproved")


async def test_photographs_beyond_arrests_are_searched_only_once_an_executive_allowed_them(town, enrolled):
    await town.sql("UPDATE casework.person SET roles = roles || '{executive}' WHERE name = 'Ada Bell'")
    try:
        async with town.person("dana.ruiz") as dana, town.person("eva.lind") as eva:
            post, search, wrong = await ask(town, dana, enrolled, "suspect", repositories=["parole"], **BEYOND)
            assert wrong == {}
            await dana.wait_message(town.room("intake"), lambda m: "Waiting for approval" in m["text"], post["ts"])
            await decide(town, search, "approve_request")
            assert "PhotoAssessed" not in await town.kinds(search)
            async with town.person("mara.quinn") as mara:
                still = await mara.wait_message(
                    town.room("oversight"),
                    lambda m: search in m["text"] and "1 of 1 approvals given" in json.dumps(m["blocks"]),
                )
                assert play.has(still, "allow_repository")
            consented = "The parole office consented in writing."
            await decide(town, search, "allow_repository", consented, by="ada.bell", days="3")
            await play.review_thread(eva, town.room("review"), search)
    finally:
        await town.sql("UPDATE casework.person SET roles = array_remove(roles, 'executive') WHERE name = 'Ada Bell'")
    [row] = await town.sql("SELECT body FROM casework.search WHERE id = $1", search)
    assert json.loads(row["body"])["evidence"]["classes"] == "arrest parole"


async def test_an_examiner_who_knows_somebody_stands_aside_for_good(town, enrolled):
    async with town.person("dana.ruiz") as dana, town.person("eva.lind") as eva:
        _, search = await play.request(dana, town.room("intake"), enrolled, quiet)
        root = await play.review_thread(eva, town.room("review"), search)
        await eva.click(root, "declare_conflict")
        await eva.wait_view(lambda v: v.get("callback_id") == "approval")
        assert await eva.submit({"reason": "The complainant is my neighbour."}) == {}
        await eva.click(root, "open_worksheet")
        assert "conflict of interest" in json.dumps(await eva.wait_view())
        await eva.close_view()
    kinds = [kind for kind in await town.kinds(search) if kind != "ExaminersDrawn"]  # the seat may be drawn anew
    assert kinds[-2:] == ["ConflictDeclared", "Refused"]


@pytest.mark.parametrize("how", ["it was closed", "it was drawn anew"])
async def test_a_form_that_was_not_sent_is_found_again_as_it_was(how, town, enrolled):
    """Also where nobody could tell us of its end: what stood in it is kept whenever it is drawn anew."""
    async with town.person("dana.ruiz") as dana:
        post = await dana.post_photo(town.room("intake"), enrolled.path.read_bytes(), "draft.jpg")
        card = await dana.wait_message(town.room("intake"), lambda m: play.has(m, "start_request"), post["ts"])
        await dana.click(card, "start_request")
        form = await dana.wait_view()
        await dana.select(form, "answer", "suspect", block_id="purpose")
        form = await dana.wait_view(lambda v: any(b.get("block_id") == "case-number" for b in v["blocks"]))
        await dana.submit({"basis": play.BASIS})  # refused by the page for what is still missing; the text stays
        if how == "it was closed":
            await dana.close_view()
        else:
            await dana.select(form, "answer", ["minor"], block_id="circumstances")
            draft = "SELECT 1 FROM casework.draft WHERE search = $1"
            await dana.wait_for(lambda: town.sql(draft, json.loads(form["private_metadata"])["search"]))
        await dana.click(card, "start_request")
        again = await dana.wait_view(lambda v: v["id"] != form["id"])
        await dana.close_view(everything=True)
    basis = next(b for b in again["blocks"] if b.get("block_id") == "basis")
    assert basis["element"]["initial_value"] == play.BASIS


async def test_the_bot_leaves_a_channel_that_is_none_of_its_own_and_supervisors_are_told(town):
    async with town.person("mara.quinn") as mara:
        squad = town.system.channels["squad-room"]
        await town.director("channel", channel="squad-room", add=["@bot"])
        await mara.wait_message(town.room("oversight"), lambda m: "invited into another channel" in m["text"])
        slack = town.system.slack()
        members = (await slack.conversations_members(channel=squad))["members"]
        await slack.session.close() if slack.session else None
    assert town.system.credentials["bot_user_id"] not in members
