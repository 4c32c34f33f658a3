"""Around the door, in plain SQL and as the bot's own role: the database refuses what the policy refuses."""

import json
from dataclasses import replace

import asyncpg
import pytest

from bot import store
from bot.casework import hold_to, register
from bot.roster import RESERVED
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
OVERRIDDEN = "INSERT INTO casework.overridden VALUES ($1, $2, $3, $4)"
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
    await conn.execute(PEOPLE, "chief", ["supervisor", "executive"], later)
    await conn.execute(PEOPLE, "late", ["executive"], s.NOON)
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


def overridden(who):
    return OVERRIDDEN, SEARCH, s.DANA.id, who, s.NOON


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
    "a review that an examiner sends back": ("examines_not_returned", [*TWO, opinion("both"), returned("both")]),
    "an opinion of whoever sent it back": ("examines_not_returned", [*TWO, returned("both"), opinion("both")]),
    "an opinion of whoever let the photograph through": (
        "examines_not_approved",
        [overridden("both"), opinion("both")],
    ),
    "a poor photograph that the requester lets through": ("approves_not_own", [overridden(s.DANA.id)]),
    "a poor photograph that no supervisor lets through": ("has_role", [overridden("clerk")]),
    "a poor photograph let through by the uncertified": ("is_certified", [overridden("lapsed")]),
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


ACCOUNT = "INSERT INTO casework.account VALUES ($1, $2, $3)"
NOBODY_IS = {
    "the system": (PEOPLE, "system", ["supervisor"], None),
    "the operator": (PEOPLE, "operator", [], None),
    "Slack": (PEOPLE, "slack", ["auditor"], None),
    "the known answer with a role": (
        "UPDATE casework.person SET roles = $2 WHERE id = $1",
        "known-answer",
        ["auditor"],
    ),
    "the known answer at work": ("UPDATE casework.person SET active = true WHERE id = $1", "known-answer"),
    "an account without a name": (ACCOUNT, "T1", "", EVA.id),
    "an account of no workspace": (ACCOUNT, "", "UEVA", EVA.id),
}


@pytest.mark.parametrize("name", NOBODY_IS)
async def test_nobody_on_the_roster_is(name, bot):
    with pytest.raises(asyncpg.CheckViolationError):
        await bot.execute(*NOBODY_IS[name])


def test_what_no_person_is_called_is_the_same_in_code_and_database():
    assert frozenset({"system", "operator", "slack", "known-answer"}) == RESERVED


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


NYPD, IN_A_WEEK = s.pack(), s.NOON + s.timedelta(days=7)
WRITTEN = "INSERT INTO casework.search VALUES ($1, 1, $2, $3, $4, 'X-1', $5, $6, NULL, $7, $6)"


async def held(conn, pack=NYPD, purpose="suspect", **changed) -> m.SearchId:
    """A search that waits for an approval, or whatever else it says of itself, written past the door."""
    body = (
        store.as_json(Search(m.SearchId("LG-BBBBBBBBBBBB")))
        | {"approvers": 1, "state": "held", "pack": pack.id}
        | changed
    )
    said = (body["id"], body["state"], pack.id, purpose, s.DANA.id, s.NOON, json.dumps(body))
    await conn.execute(WRITTEN, *said)
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


def permission(search, executive, classes=("parole",), until=IN_A_WEEK):
    return PERMISSION, search, s.DANA.id, executive, list(classes), s.NOON, until


MOVE = "UPDATE casework.search SET state = 'requested' WHERE id = $1"


async def test_photographs_beyond_arrests_are_searched_only_with_an_executives_permission(bot):
    search = await beyond(bot)
    with pytest.raises(asyncpg.CheckViolationError, match="no executive allowed"):
        await at_once(bot, (MOVE, search))
    await at_once(bot, permission(search, s.REX.id), (MOVE, search))


PERMISSIONS = {
    "of a supervisor": ("has_role", {"executive": "both"}),
    "of an executive whose certification ran out": ("is_certified", {"executive": "late"}),
    "of whoever approved the request": ("allows_not_approved", {"executive": "chief"}),
    "for longer than the pack lets it stand": (
        "permission_ends",
        {"executive": s.REX.id, "until": s.NOON + s.timedelta(days=8)},
    ),
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


# --- what the pack asks, whatever the row says of itself ----------------------------------------------------------------

DETROIT, EUROPE = s.pack("detroit-2024"), s.pack("eu-aiact-post-rbi")
DUE = {"approval_due": "2026-03-14T12:00:00Z"}
BELIEVED = {
    "that nobody has to approve it": (DETROIT, "violent-crime", {"approvers": 0}, "approvers_of_the_pack"),
    "that one person has to": (DETROIT, "violent-crime", {"approvers": 1}, "approvers_of_the_pack"),
    "that it is an emergency, where the pack knows none": (
        DETROIT,
        "violent-crime",
        {"approvers": 2, **DUE},
        "held_until_approved",
    ),
    "that it is an emergency, for a purpose that is none": (s.pack(), "suspect", DUE, "held_until_approved"),
    "that its approval is due later than the pack says": (
        s.pack(),
        "imminent-threat",
        {"approval_due": "2026-03-14T12:00:01Z"},
        "held_until_approved",
    ),
    "that it is an emergency of which nobody owes an approval": (
        s.pack(),
        "imminent-threat",
        {"approvers": 0, **DUE},
        "approvers_of_the_pack",
    ),
    "that it is an emergency, though it gives cause for concern": (
        s.pack(),
        "imminent-threat",
        {**DUE, "concerns": ["It may touch protected activity."]},
        "held_until_approved",
    ),
    "that nobody has to approve what gives cause for concern": (
        s.pack(),
        "suspect",
        {"approvers": 0, "concerns": ["The person may be a minor."]},
        "approvers_of_the_pack",
    ),
    "that judges need not approve": (EUROPE, "authorised", {"approvers": 0}, "approvers_of_the_pack"),
    "that photographs may be searched that the pack does not know": (
        s.pack("utah-2021"),
        s.pack("utah-2021").purposes[0].code,
        {"approvers": 0, "repositories": ["parole"]},
        "approvers_of_the_pack",
    ),
}


@pytest.fixture
async def packs(bot, pool):
    """The bot's login, and every pack on record."""
    async with pool.acquire() as conn, conn.transaction():
        for name in s.NAMES:
            await register(conn, s.pack(name), s.text_of(name))
    return bot


@pytest.mark.parametrize("name", BELIEVED)
@pytest.mark.parametrize("state", ["requested", "searched"])
async def test_a_row_is_not_believed(name, state, packs):
    pack, purpose, said, rule = BELIEVED[name]
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await held(packs, pack, purpose, **said, state=state)
    assert refused.value.constraint_name == rule


async def test_nor_where_it_ran_and_is_closed(packs):
    closed = {"approvers": 0, "state": "held", "evidence": {"k": 20}}
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await held(packs, DETROIT, "violent-crime", **closed)
    assert refused.value.constraint_name == "approvers_of_the_pack"


async def test_what_the_packs_ask_for_stands(packs):
    """The walls let through what may pass: an emergency of the pack's own, and a request that needs nobody."""
    await held(packs, s.pack(), "imminent-threat", **DUE, state="requested")
    await held(packs, s.pack(), "suspect", id="LG-CCCCCCCCCCCC", approvers=0, state="requested")


async def test_a_pack_whose_terms_are_not_on_record_lets_nothing_be_searched(bot, superuser):
    await superuser.execute("DELETE FROM casework.terms")
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await held(bot, approvers=0, state="requested")
    assert refused.value.constraint_name == "terms_on_record"


async def test_a_pack_that_was_on_record_before_its_terms_were_is_held_to_them_from_the_next_start(
    bot, pool, superuser
):
    await superuser.execute("DELETE FROM casework.terms")
    async with pool.acquire() as conn, conn.transaction():
        await hold_to(conn, s.pack())
    await held(bot, approvers=0, state="requested")


async def test_nobody_changes_what_a_pack_asks(packs):
    for change in ("UPDATE casework.terms SET approvers = 0", "DELETE FROM casework.terms"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await packs.execute(change)


async def test_of_two_classes_asked_for_both_are_permitted_or_nothing_is_searched(bot):
    search = await held(bot, repositories=["parole", "other-lawful"])
    await at_once(bot, (APPROVAL, search, s.DANA.id, "chief", s.NOON), permission(search, s.REX.id))
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await at_once(bot, (MOVE, search))
    assert refused.value.constraint_name == "permitted_in_writing"


FACE = {"faces": [{"index": 0, "tier": "good", "reasons": [], "inter_eye_px": 90.0}], "face": 0}
GO_ON = "UPDATE casework.search SET state = $2, state_since = $3 WHERE id = $1"


async def test_a_permission_that_ran_out_lets_nothing_be_searched(bot):
    search = await held(bot, repositories=["parole"], **FACE)
    until = s.NOON + s.timedelta(hours=1)
    await at_once(
        bot,
        (APPROVAL, search, s.DANA.id, "chief", s.NOON),
        permission(search, s.REX.id, until=until),
        (GO_ON, search, "assessed", s.NOON),
    )
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await at_once(bot, (GO_ON, search, "searched", until))
    assert refused.value.constraint_name == "permission_ended"
    await at_once(bot, (GO_ON, search, "searched", until - s.timedelta(seconds=1)))
    await at_once(bot, (GO_ON, search, "in-review", until + s.timedelta(days=1)))  # what was found in time stays found


@pytest.mark.parametrize(
    ("tier", "by", "stands"),
    [
        ("good", None, True),
        ("limited", None, True),
        ("poor", None, False),
        ("poor", "chief", True),
        ("unsuitable", "chief", False),
    ],
)
@pytest.mark.parametrize("state", ["assessed", "searched", "in-review"])
async def test_a_face_below_the_floor_is_searched_only_where_a_supervisor_let_it_through(tier, by, stands, state, bot):
    face = {"faces": [{"index": 0, "tier": tier, "reasons": [], "inter_eye_px": 30.0}], "face": 0}
    search = await held(bot, approvers=0, **face)
    through = [(OVERRIDDEN, search, s.DANA.id, by, s.NOON)] if by else []
    if stands:
        await at_once(bot, *through, (GO_ON, search, state, s.NOON))
    else:
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await at_once(bot, *through, (GO_ON, search, state, s.NOON))
        assert refused.value.constraint_name == "quality_floor"


async def test_without_a_face_nothing_is_searched(bot):
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await held(bot, approvers=0, state="searched")
    assert refused.value.constraint_name == "quality_floor"


BEYOND = {"repositories-reason": "He was on parole when the still was taken; the office consented to a search."}
PAROLE = replace(s.ASK, fields={**s.FIELDS, **BEYOND}, repositories=("parole",))


async def test_the_executive_who_allowed_further_photographs_does_not_examine(casework, bot):
    other = m.SearchId("LG-CCCCCCCCCCCC")
    await bot.execute("UPDATE casework.person SET roles = roles || '{examiner}' WHERE id = $1", s.REX.id)
    approve, allow = m.ApproveRequest(approve=True, reason="Sound."), m.AllowRepository(allow=True, reason="Sound.")
    for command, by in [(PAROLE, s.DANA), (approve, s.MARA), (allow, s.REX), *s.TO_REVIEW[1:]]:
        await casework.submit(other, command, by)
    opinion_of_rex = (OPINION, other, s.DANA.id, s.REX.id, s.NOON, json.dumps(s.COMPARED))
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await at_once(bot, opinion_of_rex)
    assert refused.value.constraint_name == "examines_not_approved"


async def test_whoever_sent_it_back_does_not_examine_later_nor_the_other_way_round(bot):
    await at_once(bot, *TWO, returned("both"))
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await at_once(bot, opinion("both"))
    assert refused.value.constraint_name == "examines_not_returned"


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
