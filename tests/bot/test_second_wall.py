"""Around the door, in plain SQL and as the bot's own role: the database refuses what the policy refuses."""

import json

import asyncpg
import pytest

from bot import store
from policy import model as m
from policy.model import Search
from tests import story as s
from tests.story import BEN, EVA, NOOR

SEARCH = m.SearchId("LG-AAAAAAAAAAAA")
OPINION = "INSERT INTO casework.opinion VALUES ($1, $2, $3, 'possible-match', 'K7', $4, $5)"
APPROVAL = "INSERT INTO casework.approval VALUES ($1, $2, $3, $4)"
LEAD = "INSERT INTO casework.lead VALUES ($1, 'K7', $2, $3, $4, $5)"
CONTEXT = "INSERT INTO casework.context VALUES ($1, 'K7', $2, $3)"
RESOLUTION = "INSERT INTO casework.resolution VALUES ($1, $2, $3, $4)"
PERMISSION = "INSERT INTO casework.permission VALUES ($1, $2, $3, $4, 'Consented to in writing.', $5, $6)"
RETURNED = "INSERT INTO casework.returned VALUES ($1, $2, $3, $4, $5)"
PEOPLE = "INSERT INTO casework.person (id, name, roles, certified_until) VALUES ($1, $1, $2, $3)"


@pytest.fixture
async def bot(casework, database):
    """The bot's own login, at a search that is in review, with people whom the story does not know."""
    for command, by in s.TO_REVIEW:
        await casework.submit(SEARCH, command, by)
    conn = await asyncpg.connect(database.url("bot"))
    later = s.NOON + s.timedelta(days=30)
    await conn.execute(PEOPLE, "lapsed", ["examiner", "supervisor"], s.NOON)
    await conn.execute(PEOPLE, "never", ["examiner", "supervisor"], None)
    await conn.execute(PEOPLE, "clerk", ["auditor"], later)
    await conn.execute(PEOPLE, "both", ["examiner", "supervisor"], later)
    await conn.execute(PEOPLE, "chief", ["supervisor"], later)
    yield conn
    await conn.close()


async def at_once(conn, *statements):
    async with conn.transaction():
        for statement, *arguments in statements:
            await conn.execute(statement, *arguments)


def opinion(who, requester=s.DANA.id, compared=s.COMPARED):
    return OPINION, SEARCH, requester, who, s.NOON, json.dumps(compared)


def approval(who):
    return APPROVAL, SEARCH, s.DANA.id, who, s.NOON


def lead(first, second, supervisor):
    return LEAD, SEARCH, first, second, supervisor, s.NOON


def looked(*contradicts):
    return CONTEXT, SEARCH, list(contradicts), s.NOON


def resolved(fact, who="chief"):
    return RESOLUTION, SEARCH, fact, who, s.NOON


def returned(who="chief", reason="The light differs.", n=1):
    return RETURNED, SEARCH, n, who, reason, s.NOON


TWO = (opinion(EVA.id), opinion(NOOR.id))
REFUSED = {
    "an opinion of the requester": ("reviews_not_own", [opinion(s.DANA.id)]),
    "an opinion of somebody whose certification ran out": ("is_certified", [opinion("lapsed")]),
    "an opinion of somebody never certified": ("is_certified", [opinion("never")]),
    "an opinion of no examiner": ("has_role", [opinion("clerk")]),
    "an opinion that names somebody with nothing compared": ("compares_components", [opinion(EVA.id, compared={})]),
    "an opinion that names somebody with one component left out": (
        "compares_components",
        [opinion(EVA.id, compared={c: found for c, found in s.COMPARED.items() if c != "ears"} | {"aura": "similar"})],
    ),
    "an approval and an opinion of one person": ("approves_not_examined", [approval("both"), opinion("both")]),
    "an approval of the requester": ("approves_not_own", [approval(s.DANA.id)]),
    "an approval of no supervisor": ("has_role", [approval("clerk")]),
    "an approval of somebody whose certification ran out": ("is_certified", [approval("lapsed")]),
    "a lead of one examiner": ("two_examiners", [opinion(EVA.id), lead(EVA.id, EVA.id, "chief")]),
    "a lead without a supervisor": ("supervisor_decides", [*TWO, lead(EVA.id, NOOR.id, None)]),
    "a lead decided by no supervisor": ("has_role", [*TWO, lead(EVA.id, NOOR.id, "clerk")]),
    "a lead decided by the uncertified": ("is_certified", [*TWO, lead(EVA.id, NOOR.id, "never")]),
    "a lead decided by a third examiner": (
        "decides_not_own",
        [*TWO, opinion("both"), lead(EVA.id, NOOR.id, "both")],
    ),
    "a review that an examiner sends back": ("returned_by_an_outsider", [*TWO, opinion("both"), returned("both")]),
    "a review that the requester sends back": ("returned_by_an_outsider", [*TWO, returned(s.DANA.id)]),
    "a review that is sent back for no reason": ("returned_reason_check", [*TWO, returned(reason=" ")]),
    "a lead of two after it was sent back": (
        "lead_after_returns",
        [*TWO, returned(), looked(), lead(EVA.id, NOOR.id, "chief")],
    ),
    "a lead of three after it was sent back twice": (
        "lead_after_returns",
        [*TWO, opinion(BEN.id), returned(), returned(n=2), looked(), lead(EVA.id, NOOR.id, "chief")],
    ),
    "a search that calls itself a lead": (
        "lead_is_on_record",
        [("UPDATE casework.search SET state = 'lead', outcome = 'possible-match'",)],
    ),
    "another purpose": ("request_stays", [("UPDATE casework.search SET purpose = 'another'",)]),
    "another pack": ("request_stays", [("UPDATE casework.search SET pack = 'another@1.0.0'",)]),
    "another requester": ("request_stays", [("UPDATE casework.search SET requested_by = 'chief'",)]),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_the_database_refuses(name, bot):
    rule, statements = REFUSED[name]
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await at_once(bot, *statements)
    assert refused.value.constraint_name == rule


async def test_whoever_approved_does_not_examine_later(bot):
    await at_once(bot, approval("both"))
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await at_once(bot, opinion("both"))
    assert refused.value.constraint_name == "examines_not_approved"


async def test_the_lead_of_two_examiners_and_a_supervisor_stands(bot):
    await at_once(bot, *TWO, looked(), lead(EVA.id, NOOR.id, "chief"))
    assert await bot.fetchval("SELECT count(*) FROM casework.lead") == 1


async def test_under_a_pack_that_asks_for_three_two_are_too_few(bot, database):
    owner = await asyncpg.connect(database.url("postgres"))
    await owner.execute("UPDATE casework.pack SET examiners = 3")
    await owner.close()
    with pytest.raises(asyncpg.CheckViolationError, match="2 of 3 examiners agree"):
        await at_once(bot, *TWO, lead(EVA.id, NOOR.id, "chief"))
    await at_once(bot, *TWO, opinion(BEN.id), looked(), lead(EVA.id, NOOR.id, "chief"))


async def test_a_lead_of_three_stands_after_it_was_sent_back(bot):
    await at_once(bot, *TWO, returned(), opinion(BEN.id), looked(), lead(EVA.id, NOOR.id, "chief"))
    assert await bot.fetchval("SELECT count(*) FROM casework.lead") == 1


ISSUED = lead(EVA.id, NOOR.id, "chief")
LOOKED = {
    "a lead whose candidate's record nobody looked at": ("context_first", [*TWO, ISSUED]),
    "a record looked at before the opinions": ("opinions_first", [opinion(EVA.id), looked()]),
    "a contradiction that nobody resolved": ("resolves_contradictions", [*TWO, looked("height"), ISSUED]),
    "one of two contradictions resolved": (
        "resolves_contradictions",
        [*TWO, looked("height", "custody"), resolved("height"), ISSUED],
    ),
    "a contradiction that somebody else resolved": (
        "resolves_contradictions",
        [*TWO, looked("height"), resolved("height", "both"), ISSUED],
    ),
    "a fact that nobody knows": ("context_contradicts_check", [*TWO, looked("shoe-size"), ISSUED]),
}


@pytest.mark.parametrize("name", LOOKED)
async def test_no_lead_passes_by_the_arrest_record(name, bot):
    rule, statements = LOOKED[name]
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await at_once(bot, *statements)
    assert refused.value.constraint_name == rule


async def test_a_lead_whose_contradictions_were_resolved_stands(bot):
    await at_once(bot, *TWO, looked("height", "age"), resolved("height"), resolved("age"), ISSUED)
    assert await bot.fetchval("SELECT count(*) FROM casework.lead") == 1


async def held(conn, **changed) -> m.SearchId:
    """A search that waits for an approval, written past the door."""
    body = store.as_json(Search(m.SearchId("LG-BBBBBBBBBBBB"))) | {"approvers": 1, "state": "held"} | changed
    row = await conn.fetchrow("SELECT pack, purpose, requested_by, requested_at FROM casework.search")
    await conn.execute(
        "INSERT INTO casework.search VALUES ($1, 1, 'held', $2, $3, 'X-1', $4, $5, NULL, $6)",
        body["id"],
        row["pack"],
        row["purpose"],
        row["requested_by"],
        row["requested_at"],
        json.dumps(body | {"pack": row["pack"]}),
    )
    return body["id"]


async def test_a_held_search_does_not_move_on_by_itself(bot):
    search = await held(bot)
    move = ("UPDATE casework.search SET state = 'requested' WHERE id = $1", search)
    with pytest.raises(asyncpg.CheckViolationError, match="waits for an approval"):
        await at_once(bot, move)
    await at_once(bot, (APPROVAL, search, s.DANA.id, "chief", s.NOON), move)


async def test_nobody_is_told_that_fewer_have_to_approve(bot):
    search = await held(bot)
    fewer = "UPDATE casework.search SET body = body || '{\"approvers\": 0}' WHERE id = $1"
    with pytest.raises(asyncpg.CheckViolationError, match="does not change"):
        await bot.execute(fewer, search)


async def test_a_row_says_no_other_pack_than_its_search(bot):
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await held(bot)
        await bot.execute(
            "INSERT INTO casework.search SELECT 'LG-CCCCCCCCCCCC', version, state, pack, purpose, case_number,"
            ' requested_by, requested_at, outcome, body || \'{"pack": "another@1.0.0"}\' FROM casework.search'
            " WHERE id = 'LG-BBBBBBBBBBBB'"
        )
    assert refused.value.constraint_name == "own_pack"


async def test_whoever_asked_does_not_decide_as_a_supervisor_either(bot):
    """One person may hold both roles; in a search of their own they are the requester."""
    await bot.execute("UPDATE casework.person SET roles = roles || '{supervisor}' WHERE id = $1", s.DANA.id)
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await at_once(bot, *TWO, lead(EVA.id, NOOR.id, s.DANA.id))
    assert refused.value.constraint_name == "decides_not_own"


async def test_there_is_no_opinion_before_the_review(bot):
    await bot.execute("UPDATE casework.search SET state = 'searched' WHERE id = $1", SEARCH)
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await at_once(bot, opinion(EVA.id))
    assert refused.value.constraint_name == "opinion_in_review"


async def beyond(conn) -> m.SearchId:
    """A search of parole photographs that a supervisor approved."""
    search = await held(conn, repositories=["parole"])
    await at_once(conn, (APPROVAL, search, s.DANA.id, "chief", s.NOON))
    return search


def permission(search, executive, classes=("parole",), until=s.NEXT_YEAR):
    return PERMISSION, search, s.DANA.id, executive, list(classes), s.NOON, until


MOVE = "UPDATE casework.search SET state = 'requested' WHERE id = $1"


async def test_photographs_beyond_arrests_are_searched_only_with_an_executives_permission(bot):
    search = await beyond(bot)
    with pytest.raises(asyncpg.CheckViolationError, match="no executive allowed"):
        await at_once(bot, (MOVE, search))
    await at_once(bot, permission(search, s.REX.id), (MOVE, search))


PERMISSIONS = {
    "of a supervisor": ("has_role", {"executive": "chief"}),
    "of who asked": ("approves_not_own", {"executive": s.DANA.id}),
    "of another class": ("exception_asked", {"executive": s.REX.id, "classes": ("juvenile",)}),
    "that ended before it began": ("permission_check", {"executive": s.REX.id, "until": s.NOON}),
}


@pytest.mark.parametrize("name", PERMISSIONS)
async def test_no_permission_stands(name, bot):
    rule, said = PERMISSIONS[name]
    search = await beyond(bot)
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await at_once(bot, permission(search, **said))
    assert refused.value.constraint_name == rule


async def test_nobody_widens_a_permission_afterwards(bot):
    search = await beyond(bot)
    await at_once(bot, permission(search, s.REX.id))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await bot.execute("UPDATE casework.permission SET allowed_until = 'infinity'")


# --- what becomes of a lead -------------------------------------------------------------------------------------------

EVIDENCE = "INSERT INTO casework.corroboration VALUES ($1, $2, $3, $4, $5)"
OUTCOME = "INSERT INTO casework.aftermath VALUES ($1, $2, $3, $4)"


@pytest.fixture
async def issued(casework, bot):
    """The same login, at a lead that its requester acknowledged."""
    for command, by in [*s.AGREED[len(s.TO_REVIEW) :], (s.APPROVE, s.MARA), (m.Acknowledge(), s.DANA)]:
        await casework.submit(SEARCH, command, by)
    return bot


def evidence(kind, who=s.DANA.id, at=s.NOON, n=1):
    return EVIDENCE, SEARCH, n, kind, who, at


def outcome(said, who=s.DANA.id, at=s.NOON):
    return OUTCOME, SEARCH, said, who, at


AFTER = {
    "an arrest on the lead alone": ("independent_evidence_first", [outcome("arrest")]),
    "an arrest on a lineup": ("independent_evidence_first", [evidence("procedure"), outcome("arrest")]),
    "an arrest before the evidence": (
        "independent_evidence_first",
        [evidence("physical", at=s.NOON + s.timedelta(hours=1)), outcome("arrest")],
    ),
    "an outcome by somebody else": ("own_request", [outcome("eliminated", who=s.SAM.id)]),
    "evidence by somebody else": ("own_request", [evidence("physical", who=s.SAM.id)]),
    "an outcome that nobody knows": ("aftermath_outcome_check", [outcome("solved")]),
    "evidence that nobody knows": ("corroboration_kind_check", [evidence("hunch")]),
}


@pytest.mark.parametrize("name", AFTER)
async def test_the_database_lets_nobody_arrest_on_a_lead_alone(name, issued):
    rule, statements = AFTER[name]
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await at_once(issued, *statements)
    assert refused.value.constraint_name == rule


async def test_an_arrest_on_independent_evidence_stands(issued):
    await at_once(issued, evidence("procedure"), evidence("physical", n=2), outcome("arrest"))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await issued.execute("UPDATE casework.aftermath SET outcome = 'eliminated'")


async def test_nothing_becomes_of_a_lead_that_nobody_acknowledged(casework, bot):
    for command, by in [*s.AGREED[len(s.TO_REVIEW) :], (s.APPROVE, s.MARA)]:
        await casework.submit(SEARCH, command, by)
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await at_once(bot, outcome("eliminated"))
    assert refused.value.constraint_name == "acknowledged_first"
