"""Every refusal that somebody can meet at intake and approval, through the doors of the workspace: what they see."""

import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.demo import play
from policy.authority import AUTHORITY
from policy.model import AllowRepository, ApproveRequest, RequestSearch
from tests.bot.test_refusals import rules_in
from tests.journeys.test_purposes import BEYOND, ask, decide

ROOT = Path(__file__).parents[2]
NEXT_YEAR = datetime(datetime.now(UTC).year + 1, 12, 31, tzinfo=UTC)
UNKNOWN = "2026-075-404404"
RALLY = "The man in the still held a sign at the rally before the precinct on Sunday."
SLACKS_OWN = "Please complete this required field."
GOOD = play.REQUEST | {"purpose": "suspect", "circumstances": []}

# what is changed in a good request: the question it is said beside, and in which words
BESIDE = {
    "case-number": ({"case-number": "12"}, "case-number", "does not look like a Complaint number"),
    "case-exists": ({"case-number": UNKNOWN}, "case-number", "knows no case of this number"),
    "field:basis": ({"basis": "see report"}, "basis", "say what the facts are"),
    "field:image-source": ({"image-source": "drawn"}, "image-source", "photograph of the actual person"),
    "field:circumstances": ({"circumstances": ["known"]}, "circumstances", "confirm a suspicion"),
    "field:offence": ({"offence": ""}, "offence", SLACKS_OWN),
    "attested": ({"attested": []}, "attested", SLACKS_OWN),
}
ABOVE = {
    "field:suspicion": "“rally”: it may touch protected activity",
    "has-role": "with the role requester",
    "is-certified": "Ask your supervisor to renew it",
    "fits-state": "waits for approval",
}
TOLD = {
    "own-photograph": "Only the person who posted",
    "approves-not-own": "who asked may not approve",
    "no-conflict": "stand aside",
    "approves-not-examined": "You examined the candidates",
}
APART = {  # what was done first, what is refused then, and the words
    "allows-not-approved": ("approve_request", "allow_repository", "for somebody else to allow"),
    "approves-not-allowed": ("allow_repository", "approve_request", "for somebody else to approve"),
}
LATE = {
    "approval-owed": "nobody waits for one",
    "exception-asked": "does not ask for photographs",
    "decides-with-reason": "needs a reason in writing",
}
NOT_OFFERED = {
    "authorised-purpose": "the form offers the authorised uses alone",
    "repository": "the form offers the classes alone that an executive may allow",
    "permission-ends": "the form offers no longer time than the pack lets it stand",
    "own-pack": "a search is always given its own pack at the door",
    "full-member": "tests/journeys/test_full_members.py has guests and strangers at each door",
}
"""What no person can bring about, and why; tests/bot/test_refusals.py has the policy's answer all the same."""


def test_every_refusal_of_intake_and_approval_is_met_below():
    bars = {bar.rule for one in (RequestSearch, ApproveRequest, AllowRepository) for bar in AUTHORITY[one].bars}
    of_all = {"has-role", "is-certified", "fits-state", "own-pack", "decides-with-reason", "permission-ends"}
    met = {*BESIDE, *ABOVE, *TOLD, *APART, *LATE, *NOT_OFFERED}
    assert {rule if not rule.startswith("field:") else "field:" for rule in met} == bars | of_all | _of_intake()


def _of_intake() -> set[str]:
    """The rules that the modules of intake make, and the one of whom the form is for."""
    return rules_in(ROOT / "policy" / "intake.py", ROOT / "policy" / "questions.py", ROOT / "bot" / "intake.py")


@asynccontextmanager
async def roster(town, person: str, *roles: str, until: datetime | None = NEXT_YEAR):
    """For as long as this lasts, the roster has these roles and that certification of the person."""
    change = "UPDATE casework.person SET roles = $2, certified_until = $3 WHERE id = $1"
    [before] = await town.sql("SELECT roles, certified_until FROM casework.person WHERE id = $1", person)
    await town.sql(change, person, list(roles), until)
    try:
        yield
    finally:
        await town.sql(change, person, before["roles"], before["certified_until"])


# --- the form ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
async def posted(town, enrolled):
    """A photograph that Dana posted, for which every request below is refused: (the post, its card, the search)."""
    town.cases[UNKNOWN] = (200, b'{"exists": false}')
    async with town.person("dana.ruiz") as dana:
        room = town.room("intake")
        post = await dana.post_photo(room, enrolled.path.read_bytes(), "refused.jpg")
        card = await dana.wait_message(room, lambda m: play.has(m, "start_request"), post["ts"])
        value = next(e["value"] for b in card["blocks"] for e in b.get("elements", []) if e.get("value"))
        return post, card, value.split()[0]


async def open_form(dana, card):
    await dana.click(card, "start_request")
    form = await dana.wait_view(lambda v: v["callback_id"] == "request_form")
    await dana.select(form, "answer", "suspect", block_id="purpose")
    return await dana.wait_view(lambda v: any(b.get("block_id") == "case-number" for b in v["blocks"]))


@pytest.mark.parametrize("rule", BESIDE)
async def test_what_is_wrong_with_an_answer_is_said_beside_the_question(rule, town, posted):
    changes, field, words = BESIDE[rule]
    _, card, search = posted
    before = await town.kinds(search)
    async with town.person("dana.ruiz") as dana:
        await open_form(dana, card)
        wrong = await dana.submit(GOOD | changes)
        assert wrong.keys() == {field}
        assert words in wrong[field]
        await dana.close_view()
    new = (await town.entries(search))[len(before) :]
    assert [entry.data["rule"] for entry in new] == ([] if words == SLACKS_OWN else [rule])


async def test_everything_that_is_wrong_is_said_at_once(town, posted):
    async with town.person("dana.ruiz") as dana:
        await open_form(dana, posted[1])
        wrong = await dana.submit(GOOD | {"case-number": "12", "basis": "tbd", "image-source": "drawn"})
        await dana.close_view()
    assert wrong.keys() == {"case-number", "basis", "image-source"}


async def above(dana) -> str:
    """What stands above the form, once something does."""
    form = await dana.wait_view(lambda v: v["blocks"][0]["type"] == "section")
    assert next(b for b in form["blocks"] if b.get("block_id") == "basis")["element"]["initial_value"]
    return form["blocks"][0]["text"]["text"]


async def test_a_protest_brings_the_question_that_it_makes_necessary_and_answered_it_goes_on(town, enrolled):
    async with town.person("dana.ruiz") as dana:
        post = await dana.post_photo(town.room("intake"), enrolled.path.read_bytes(), "rally.jpg")
        card = await dana.wait_message(town.room("intake"), lambda m: play.has(m, "start_request"), post["ts"])
        form = await open_form(dana, card)
        assert "suspicion" not in {b.get("block_id") for b in form["blocks"]}
        assert await dana.submit(GOOD | {"basis": RALLY}) == {}
        assert ABOVE["field:suspicion"] in await above(dana)
        assert await dana.submit({"suspicion": play.BASIS}) == {}
        await dana.wait_message(town.room("intake"), lambda m: "Waiting for approval" in m["text"], post["ts"])
    search = json.loads(form["private_metadata"])["search"]
    assert (await town.kinds(search))[:3] == ["Refused", "SearchRequested", "RequestHeld"]


@pytest.mark.parametrize("rule", ["has-role", "is-certified"])
async def test_who_may_not_request_is_told_so_above_the_form_or_instead_of_it(rule, town, posted):
    roles, until = ((), NEXT_YEAR) if rule == "has-role" else (("requester",), datetime(2026, 1, 1, tzinfo=UTC))
    async with town.person("dana.ruiz") as dana:
        await open_form(dana, posted[1])
        async with roster(town, "dana.ruiz", *roles, until=until):
            assert await dana.submit(GOOD) == {}
            assert ABOVE[rule] in await above(dana)
            await dana.close_view()
            await dana.click(posted[1], "start_request")
            assert ABOVE[rule] in json.dumps(await dana.wait_view(lambda v: v.get("callback_id") != "request_form"))
            await dana.close_view()
    assert (await town.entries(posted[2]))[-1].data["rule"] == rule


async def test_who_did_not_post_the_photograph_is_told_so(town, posted):
    async with town.person("sam.okafor") as sam:
        await sam.click(posted[1], "start_request")
        assert TOLD["own-photograph"] in json.dumps(await sam.wait_view())
        await sam.close_view()
    assert (await town.entries(posted[2]))[-1].data["rule"] == "own-photograph"


# --- the approval -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
async def held(town, enrolled):
    """A request of Mara's that a supervisor and an executive have to let go on: (the post, the question, the search)."""
    async with town.person("mara.quinn") as mara, roster(town, "mara.quinn", "requester", "supervisor"):
        asks = {"repositories": ["parole"], "circumstances": ["minor"]} | BEYOND
        post, search, wrong = await ask(town, mara, enrolled, "suspect", **asks)
        assert wrong == {}
        await mara.invite(town.room("oversight"), "noor.haddad")
        question = await mara.wait_message(
            town.room("oversight"), lambda m: search in m["text"] and play.has(m, "approve_request"), timeout=30
        )
        yield post, question, search


async def told(person, question, action: str = "approve_request") -> str:
    """What the person is told instead of the form for the reason."""
    await person.click(question, action)
    view = await person.wait_view(lambda v: v.get("callback_id") != "approval")
    await person.close_view()
    return json.dumps(view, ensure_ascii=False)


def said(question) -> bool:
    """Whether it shows what was decided on it."""
    return "1 of 1 approvals given" in json.dumps(question["blocks"]) or not play.has(question, "approve_request")


async def form_for(person, question, action: str) -> None:
    await person.click(question, action)
    await person.wait_view(lambda v: v.get("callback_id") == "approval")


async def test_who_may_not_approve_is_told_instead_of_the_form(town, held):
    _, question, search = held
    async with town.person("mara.quinn") as mara, town.person("ada.bell") as ada:
        assert TOLD["approves-not-own"] in await told(mara, question)
        assert "with the role supervisor" in await told(ada, question)
        async with roster(town, "ada.bell", "supervisor", until=None):
            assert "Ask your supervisor to renew it" in await told(ada, question)
        async with roster(town, "ada.bell", "supervisor"):
            await form_for(ada, question, "declare_conflict")
            assert await ada.submit({"reason": "A neighbour of mine."}) == {}
            assert TOLD["no-conflict"] in await told(ada, question)
    refused = [entry.data["rule"] for entry in await town.entries(search) if entry.kind == "Refused"]
    assert refused == ["approves-not-own", "has-role", "is-certified", "no-conflict"]


async def test_who_comes_too_late_or_says_nothing_is_told_beside_the_reason(town, held):
    """Two people have the form open at once; what the second sends is about what the first has settled."""
    _, question, search = held
    async with (
        town.person("noor.haddad") as noor,
        town.person("ben.tanaka") as ben,
        town.person("mara.quinn") as mara,
        town.person("vera.santos") as vera,
        roster(town, "noor.haddad", "supervisor", "executive"),
        roster(town, "ben.tanaka", "supervisor", "executive"),
        roster(town, "vera.santos", "supervisor", "executive"),
    ):
        await mara.invite(town.room("oversight"), "ben.tanaka")
        turns = (("approve_request", "approval-owed", noor, vera), ("allow_repository", "exception-asked", ben, vera))
        for action, rule, first, second in turns:  # nobody does both
            await form_for(first, question, action)
            await form_for(second, question, action)
            if action == "approve_request":
                assert LATE["decides-with-reason"] in (await first.submit({"reason": " "}))["reason"]
            assert await first.submit({"reason": "Read, and decided on the facts stated."}) == {}
            assert LATE[rule] in (await second.submit({"reason": "Read as well."}))["reason"]
            await second.close_view()
            question = await noor.wait_message(town.room("oversight"), lambda m: search in m["text"] and said(m))


async def test_whoever_examined_an_emergency_does_not_approve_it(town, enrolled):
    async with town.person("dana.ruiz") as dana, town.person("eva.lind") as eva, town.person("mara.quinn") as mara:
        _, search, wrong = await ask(town, dana, enrolled, "imminent-threat")
        assert wrong == {}
        root = await play.review_thread(eva, town.room("review"), search)
        await eva.click(root, "open_worksheet")
        sheet = await eva.wait_view(lambda v: v.get("callback_id") == "worksheet")
        label, _ = play.candidates(sheet)[0]
        await eva.select(sheet, f"answer_{label}", "different", block_id=f"candidate_{label}")
        await eva.close_view()
        await mara.invite(town.room("oversight"), "eva.lind")
        question = await eva.wait_message(
            town.room("oversight"), lambda m: search in m["text"] and play.has(m, "approve_request"), timeout=30
        )
        async with roster(town, "eva.lind", "examiner", "supervisor"):
            assert TOLD["approves-not-examined"] in await told(eva, question)
        await eva.leave(town.room("oversight"))


async def test_a_request_that_was_made_already_is_not_made_again(town, enrolled):
    async with town.person("dana.ruiz") as dana:
        post, _, wrong = await ask(town, dana, enrolled, "suspect", circumstances=["minor"])
        assert wrong == {}
        await dana.shortcut("request_search", post)
        assert ABOVE["fits-state"] in json.dumps(await dana.wait_view(lambda v: v.get("callback_id") != "request_form"))
        await dana.close_view()


@pytest.mark.parametrize("rule", APART)
async def test_one_person_does_not_both_approve_a_request_and_allow_its_photographs(rule, town, enrolled):
    first, then, words = APART[rule]
    async with (
        roster(town, "ada.bell", "supervisor", "executive"),
        town.person("dana.ruiz") as dana,
        town.person("ada.bell") as ada,
    ):
        _, search, wrong = await ask(town, dana, enrolled, "suspect", repositories=["parole"], **BEYOND)
        assert wrong == {}
        await decide(town, search, first, by="ada.bell", **({"days": "3"} if first == "allow_repository" else {}))
        asked = await ada.wait_message(
            town.room("oversight"), lambda m: search in m["text"] and play.has(m, then), timeout=30
        )
        await ada.click(asked, then)
        assert words in json.dumps(await ada.wait_view())
        await ada.close_view()
    assert (await town.entries(search))[-1].data["rule"] == rule
