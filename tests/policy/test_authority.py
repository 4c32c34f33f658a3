"""Every command, in every state, by every role and relation: who may give it is what is written here, and nobody else."""

from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest

from policy import matrix
from policy import model as m
from policy.aftermath import Evidence, LeadOutcome
from policy.authority import AUTHORITY, may, may_examine, stoppable
from policy.preparation import Greyscale
from policy.questions import QUESTIONS, Question, closed_only, may_ask, own_photograph
from policy.visibility import context_closed, readable
from policy.workflow import decide
from tests import story as s

COMMANDS: dict[str, m.Command] = {
    "RequestSearch": s.ASK,
    "InjectKnownAnswer": m.InjectKnownAnswer("k-1", "suspect"),
    "ApproveRequest": m.ApproveRequest(approve=True, reason="Sound."),
    "AllowRepository": m.AllowRepository(allow=True, reason="Sound."),
    "OverrideQuality": m.OverrideQuality(proceed=True, reason="Sound."),
    "DeclareConflict": m.DeclareConflict("A neighbour."),
    "Quarantine": m.Quarantine(),
    "AssessPhoto": s.SEEN,
    "RejectPhoto": m.RejectPhoto(s.SHA, "format", "No."),
    "ChooseFace": m.ChooseFace(0),
    "PrepareProbe": m.PrepareProbe(Greyscale(), s.SHA, "cd" * 32, 1),
    "RecordCandidates": s.FOUND,
    "DropCandidate": m.DropCandidate(s.K7),
    "RecordPosted": s.OPENED,
    "DrawExaminers": m.DrawExaminers((m.Eligible(s.EVA.id, 0),), "by chance"),
    "OpenExamination": m.OpenExamination(),
    "AnswerCandidate": m.AnswerCandidate(s.K7, m.Support.DIFFERENT),
    "HandBack": m.HandBack("I am called away."),
    "HandOver": m.HandOver(m.PersonId("somebody-else"), "Nobody has begun."),
    "Conclude": s.LEAD,
    "OpenContext": s.LOOKED,
    "DecideLead": s.APPROVE,
    "ReturnReview": m.ReturnReview("The light differs; one more opinion, please."),
    "AppendNote": m.AppendNote("The scar may be make-up."),
    "GiveUp": m.GiveUp(),
    "Acknowledge": m.Acknowledge(),
    "RecordEvidence": m.RecordEvidence(Evidence.PHYSICAL, "Latent print on the till, lab report 26-114."),
    "RecordOutcome": m.RecordOutcome(LeadOutcome.ELIMINATED, ""),
    "ExpireLead": m.ExpireLead(),
    "RecallLead": m.RecallLead("The witness named another man."),
    "AcknowledgeRecall": m.AcknowledgeRecall(),
    "Withdraw": m.Withdraw("Solved."),
}
S, R = m.State, m.Role
RELATIONS = (
    "requester",
    "approver",
    "overrider",
    "conflicted",
    "examining",  # answered candidates, has not concluded
    "first examiner",
    "second examiner",
    "deciding supervisor",
    "handed back",  # began to examine and gave it back
    "handed to",  # was asked to examine by a supervisor
    "returned it",  # asked for one more opinion
    "executive who allowed",
    "stranger",
)
EVERY = frozenset(RELATIONS)
STARTED = frozenset(S) - {S.NEW}
OUTSIDERS = EVERY - {"requester", "conflicted"}
UNEXAMINED = OUTSIDERS - {"examining", "handed back", "first examiner", "second examiner"}
READ_THE_REQUEST = {"approver", "overrider", "returned it", "executive who allowed"}
COMPARING = OUTSIDERS - READ_THE_REQUEST - {"first examiner", "second examiner"}

# The expectation, apart from the code: command -> roles, states, relations. Where an approval is owed, an exception asked.
EXPECTED = {
    "RequestSearch": ({R.REQUESTER}, {S.NEW}, EVERY),
    "InjectKnownAnswer": ({R.SYSTEM}, {S.NEW}, EVERY),
    "ApproveRequest": ({R.SUPERVISOR}, STARTED, UNEXAMINED - {"approver", "executive who allowed"}),
    "AllowRepository": ({R.EXECUTIVE}, {S.HELD}, OUTSIDERS - {"approver"}),
    "OverrideQuality": ({R.SUPERVISOR}, {S.QUALITY_HELD}, OUTSIDERS),
    "DeclareConflict": (
        {R.EXAMINER, R.SUPERVISOR, R.EXECUTIVE},
        STARTED - {S.LEAD, S.CLOSED},
        EVERY - {"first examiner", "second examiner"},
    ),
    "Quarantine": ({R.SYSTEM}, STARTED - {S.HELD}, EVERY),
    "AssessPhoto": ({R.SYSTEM}, {S.REQUESTED}, EVERY),
    "RejectPhoto": ({R.SYSTEM}, {S.REQUESTED}, EVERY),
    "ChooseFace": ({R.REQUESTER}, {S.FACE_NEEDED}, {"requester"}),
    "PrepareProbe": ({R.EXAMINER}, {S.QUALITY_HELD}, OUTSIDERS),
    "RecordCandidates": ({R.SYSTEM}, {S.ASSESSED}, EVERY),
    "DropCandidate": ({R.SYSTEM}, {S.SEARCHED}, EVERY),
    "RecordPosted": ({R.SYSTEM}, STARTED, EVERY),
    "DrawExaminers": ({R.SYSTEM}, {S.SEARCHED, S.IN_REVIEW, S.DISAGREED}, EVERY),
    "OpenExamination": ({R.EXAMINER}, {S.IN_REVIEW, S.DISAGREED}, COMPARING),
    "AnswerCandidate": ({R.EXAMINER}, {S.IN_REVIEW, S.DISAGREED}, COMPARING),
    "HandBack": (
        {R.EXAMINER},
        {S.IN_REVIEW, S.DISAGREED},
        EVERY - {"requester", "first examiner", "second examiner"},
    ),
    "HandOver": ({R.SUPERVISOR}, {S.IN_REVIEW, S.DISAGREED}, OUTSIDERS),
    "Conclude": ({R.EXAMINER}, {S.IN_REVIEW, S.DISAGREED}, COMPARING),
    "OpenContext": ({R.SYSTEM}, {S.AGREED}, EVERY),
    "ReturnReview": ({R.SUPERVISOR}, {S.AGREED}, UNEXAMINED),
    "AppendNote": (
        {R.EXAMINER},
        {S.IN_REVIEW, S.DISAGREED, S.AGREED, S.LEAD, S.CLOSED},
        {"first examiner", "second examiner"},
    ),
    "GiveUp": ({R.SYSTEM}, {S.REQUESTED, S.ASSESSED, S.SEARCHED, S.AGREED}, EVERY),
    "DecideLead": ({R.SUPERVISOR}, {S.AGREED}, UNEXAMINED),
    "Acknowledge": ({R.REQUESTER}, {S.LEAD}, {"requester"}),
    "RecordEvidence": ({R.REQUESTER}, {S.LEAD}, {"requester"}),
    "RecordOutcome": ({R.REQUESTER}, {S.LEAD}, {"requester"}),
    "ExpireLead": ({R.SYSTEM}, {S.LEAD}, EVERY),
    "RecallLead": ({R.SUPERVISOR, R.SYSTEM}, {S.LEAD}, EVERY),
    "AcknowledgeRecall": ({R.REQUESTER}, {S.LEAD}, {"requester"}),
    "Withdraw": (
        {R.REQUESTER},
        {S.HELD, S.REQUESTED, S.FACE_NEEDED, S.QUALITY_HELD, S.ASSESSED, S.SEARCHED, S.IN_REVIEW},
        {"requester"},
    ),
}


def ids(name: str) -> m.PersonId:
    return m.PersonId(name.replace(" ", "-"))


def scene(state: m.State) -> m.Search:
    """A search in `state` to which each relation belongs one person; an approval is owed and an exception asked for."""
    if state is S.NEW:
        return m.Search(m.SearchId("LG-AAAAAAAAAAAA"))
    concluded = m.Examination(
        ids("first examiner"), {s.K7: m.Answer.POSSIBLE}, m.Conclusion.POSSIBLE_MATCH, s.K7, "x", s.SHA
    )
    return m.Search(
        m.SearchId("LG-AAAAAAAAAAAA"),
        state,
        pack=s.pack().id,
        requested_by=ids("requester"),
        approvers=2,
        approvals=(m.Approval(ids("approver"), s.NOON, "Sound."),),
        repositories=("parole",),
        overridden_by=ids("overrider"),
        allowed_by=ids("executive who allowed"),
        handed_back=(ids("handed back"),),
        asked=(ids("handed to"),),
        returned=(ids("returned it"),),
        conflicted=(ids("conflicted"),),
        examinations=(
            concluded,
            replace(concluded, examiner=ids("second examiner")),
            m.Examination(ids("examining"), {s.K7: m.Answer.POSSIBLE}),
        ),
        decided_by=ids("deciding supervisor"),
        acknowledged_at=s.NOON,
        candidates=s.CANDIDATES,
    )


def actor(role: m.Role | None, relation: str) -> m.Actor:
    return m.Actor(ids(relation), frozenset({role} if role else ()), s.NEXT_YEAR)


def test_every_command_there_is_is_named_here():
    assert (
        COMMANDS.keys()
        == EXPECTED.keys()
        == {command.__name__ for command in AUTHORITY}
        == {c.__name__ for c in m.Command.__args__}
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_whoever_may_give_a_command_is_named_and_nobody_else_may(name):
    """Roles x states x relations, exhaustively."""
    roles, states, relations = EXPECTED[name]
    wrong = []
    for state, role, relation in product(S, (None, *R), RELATIONS):
        allowed = may(scene(state), COMMANDS[name], actor(role, relation), s.pack(), s.NOON) is None
        named = role in roles and state in states and (relation in relations or state is S.NEW)
        if allowed != named:
            wrong.append((state, role, relation, allowed))
    assert wrong == []


def test_the_matrix_is_exhaustive():
    assert len(COMMANDS) * len(S) * (len(R) + 1) * len(RELATIONS) == 32 * 12 * 7 * 13


@pytest.mark.parametrize("name", COMMANDS)
def test_holding_every_role_helps_nobody_past_a_relation(name):
    _, states, relations = EXPECTED[name]
    for state, relation in product(states - {S.NEW}, RELATIONS):
        omni = m.Actor(ids(relation), frozenset(R), s.NEXT_YEAR)
        assert (may(scene(state), COMMANDS[name], omni, s.pack(), s.NOON) is None) == (relation in relations)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_search_is_never_decided_under_another_pack(name):
    for state in STARTED:
        omni = m.Actor(ids("stranger"), frozenset(R), s.NEXT_YEAR)
        refused = may(scene(state), COMMANDS[name], omni, s.pack("detroit-2024"), s.NOON)
        assert refused
        assert refused.rule == "own-pack"


OWED = {"RecordEvidence", "RecordOutcome", "AcknowledgeRecall"}  # by whoever has the lead, certified still or not
OWED |= {"RecallLead", "HandBack", "HandOver", "AppendNote"}  # nothing is seen or decided by these
OWED |= {"DeclareConflict", "Withdraw"}  # nobody is kept from standing aside, or from stopping a search
CERTIFIED = [name for name in COMMANDS if R.SYSTEM not in EXPECTED[name][0] and name not in OWED]


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("until", [None, s.NOON, s.NOON - timedelta(days=1)])
def test_an_expired_certification_bars_what_needs_one_and_nothing_else(name, until):
    roles, states, relations = EXPECTED[name]
    for state, role in product(states, roles):
        relation = "stranger" if "stranger" in relations else min(relations)
        by = replace(actor(role, relation), certified_until=until)
        refused = may(scene(state), COMMANDS[name], by, s.pack(), s.NOON)
        assert (refused.rule if refused else None) == ("is-certified" if name in CERTIFIED else None)


def test_a_certification_counts_to_its_last_moment():
    assert (
        may(scene(S.NEW), s.ASK, replace(s.DANA, certified_until=s.NOON + timedelta(microseconds=1)), s.pack(), s.NOON)
        is None
    )


def test_a_pack_that_wants_no_certification_asks_for_none():
    rules = s.pack().model_copy(update={"certification": s.pack().certification.model_copy(update={"required": False})})
    assert may(scene(S.NEW), s.ASK, replace(s.DANA, certified_until=None), rules, s.NOON) is None


@pytest.mark.parametrize(
    "bar", {bar for authority in AUTHORITY.values() for bar in authority.bars}, ids=lambda bar: bar.rule
)
def test_every_bar_says_why_in_a_sentence(bar):
    assert bar.reason.endswith(".")
    assert len(bar.reason) > 20


@pytest.mark.parametrize(
    ("command", "by", "state", "rule"),
    [
        (COMMANDS["ApproveRequest"], "requester", S.HELD, "approves-not-own"),
        (COMMANDS["ApproveRequest"], "conflicted", S.HELD, "no-conflict"),
        (COMMANDS["ApproveRequest"], "first examiner", S.LEAD, "approves-not-examined"),
        (COMMANDS["ApproveRequest"], "approver", S.HELD, "approval-owed"),
        (s.LEAD, "requester", S.IN_REVIEW, "reviews-not-own"),
        (s.LEAD, "approver", S.IN_REVIEW, "examines-not-approved"),
        (s.LEAD, "overrider", S.IN_REVIEW, "examines-not-approved"),
        (s.LEAD, "executive who allowed", S.IN_REVIEW, "examines-not-approved"),
        (s.LEAD, "returned it", S.DISAGREED, "examines-not-returned"),
        (s.LEAD, "first examiner", S.IN_REVIEW, "opinion-locked"),
        (s.APPROVE, "handed back", S.AGREED, "decides-not-own"),
        (COMMANDS["AllowRepository"], "approver", S.HELD, "allows-not-approved"),
        (COMMANDS["ApproveRequest"], "executive who allowed", S.HELD, "approves-not-allowed"),
        (s.APPROVE, "examining", S.AGREED, "decides-not-own"),
        (s.APPROVE, "requester", S.AGREED, "reviews-not-own"),
        (COMMANDS["DeclareConflict"], "second examiner", S.IN_REVIEW, "opinion-locked"),
        (m.Acknowledge(), "stranger", S.LEAD, "own-request"),
        (m.Acknowledge(), "requester", S.AGREED, "fits-state"),
        (COMMANDS["RecordOutcome"], "stranger", S.LEAD, "own-request"),
    ],
)
def test_a_refusal_names_the_rule(command, by, state, rule):
    omni = m.Actor(ids(by), frozenset(R), s.NEXT_YEAR)
    refused = may(scene(state), command, omni, s.pack(), s.NOON)
    assert refused
    assert refused.rule == rule


def test_nobody_approves_where_nobody_waits():
    search = replace(scene(S.REQUESTED), approvers=1)
    for state in STARTED:
        refused = may(
            replace(search, state=state), COMMANDS["ApproveRequest"], actor(R.SUPERVISOR, "stranger"), s.pack(), s.NOON
        )
        assert refused
        assert refused.rule == "approval-owed"


def test_an_executive_allows_only_what_was_asked_for_and_once():
    asked = scene(S.HELD)
    for search in (replace(asked, repositories=()), replace(asked, allowed_until=s.NEXT_YEAR)):
        refused = may(search, COMMANDS["AllowRepository"], actor(R.EXECUTIVE, "stranger"), s.pack(), s.NOON)
        assert refused
        assert refused.rule == "exception-asked"


def test_the_role_that_is_missing_is_named():
    (refused,) = decide(scene(S.HELD), COMMANDS["DeclareConflict"], s.DANA, s.pack(), s.NOON)
    assert refused == m.Refused(
        "has-role", "This is for people with the role examiner or executive or supervisor; you do not have it."
    )


# --- the readable table -------------------------------------------------------------------------------------------------

README = Path(matrix.__file__).with_name("README.md")


def test_the_table_in_the_readme_is_the_one_that_holds():
    text = README.read_text(encoding="utf-8")
    assert matrix.renewed(text) == text, "run `leadgate policy readme`"
    assert matrix.table() in text


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_tells_each_command_its_roles_and_its_states(name):
    row = next(row for row in matrix.table().splitlines() if f"`{name}`" in row)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    roles, states, _ = EXPECTED[name]
    assert cells[1] == ", ".join(sorted(roles))
    assert {state for state, cell in zip(S, cells[2:14], strict=True) if cell == "●"} == set(states)


# --- who asks what of the record ---------------------------------------------------------------------------------------

ASKED = {
    "/face-usage": {R.SUPERVISOR, R.AUDITOR},
    "/face-case": {R.SUPERVISOR, R.AUDITOR},
    "/face-queue": {R.SUPERVISOR},
    "/face-quality": {R.SUPERVISOR},
    "/face-quality rate": {R.SUPERVISOR},
    "/face-recall CASE": {R.SUPERVISOR},
}


def test_every_question_there_is_is_named_here():
    assert ASKED.keys() == {question.value for question in Question} == {question.value for question in QUESTIONS}


@pytest.mark.parametrize(("question", "role"), list(product(Question, (None, *R))))
def test_whoever_is_answered_is_named_and_nobody_else_is(question, role):
    refused = may_ask(question, actor(role, "stranger"))
    assert (refused is None) == (role in ASKED[question])
    assert refused is None or (refused.rule, "The attempt was recorded." in refused.reason) == ("has-role", True)


def test_who_examines_as_well_hears_of_what_is_over_only():
    assert closed_only(s.OMNI)
    assert not closed_only(s.MARA)


def test_only_whoever_posted_a_photograph_gets_its_form():
    assert own_photograph("U1", "U1") is None
    assert own_photograph("U1", "U2").rule == "own-photograph"


def test_the_questions_stand_in_the_readable_table_too():
    rows = matrix.asking().splitlines()
    for question, roles in ASKED.items():
        row = next(row for row in rows if f"`{question}`" in row)
        assert [cell.strip() for cell in row.strip("|").split("|")][1] == ", ".join(sorted(roles))
    assert "own-photograph" in rows[-1]


@pytest.mark.parametrize("relation", RELATIONS)
def test_whoever_a_supervisor_may_hand_an_examination_to_is_whoever_may_examine_it(relation):
    search = scene(S.IN_REVIEW)
    examiner = actor(R.EXAMINER, relation)
    assert may_examine(search, examiner, s.pack(), s.NOON) == (relation in COMPARING)
    assert not may_examine(search, replace(examiner, certified_until=None), s.pack(), s.NOON)


@pytest.mark.parametrize("state", S)
def test_what_may_be_stopped_is_what_may_be_withdrawn(state):
    assert stoppable(scene(state)) == (state in EXPECTED["Withdraw"][1])


# --- who reads what -----------------------------------------------------------------------------------------------------

DESCRIBED = {"description": "6 ft 2, 230 lb, scar on the chin"}
ANSWERS = {"basis": s.BASIS, **DESCRIBED}
LOCKED = {"first examiner", "second examiner"}


def asked(state: m.State) -> m.Search:
    return replace(scene(state), purpose="suspect", fields=ANSWERS)


@pytest.mark.parametrize("state", STARTED)
def test_the_description_by_a_witness_is_sealed_from_examiners_and_so_is_the_basis(state):
    """The description opens with the last opinion; the basis never does, to nobody who examined (M22)."""
    opened = DESCRIBED if state in {S.AGREED, S.LEAD, S.CLOSED} else {}
    for relation in ("first examiner", "second examiner", "examining", "stranger"):
        assert readable(asked(state), actor(R.EXAMINER, relation), s.pack()) == opened
        if relation != "stranger":
            omni = m.Actor(ids(relation), frozenset(R), s.NEXT_YEAR)
            assert readable(asked(state), omni, s.pack()) == opened


@pytest.mark.parametrize("state", STARTED)
def test_the_record_opens_to_whoever_locked_an_opinion_and_only_once_all_are(state):
    looked = replace(asked(state), context=())
    for relation in RELATIONS:
        for role in (R.EXAMINER, R.SUPERVISOR, R.REQUESTER):
            closed = context_closed(looked, actor(role, relation))
            may_see = relation in LOCKED and state in {S.AGREED, S.LEAD, S.CLOSED}
            assert (closed is None) == may_see
            assert may_see or closed.rule == "sees-after-locking"
            assert context_closed(asked(state), actor(role, relation)) is not None


@pytest.mark.parametrize("state", STARTED)
def test_supervisors_and_auditors_read_the_request_and_so_does_who_wrote_it(state):
    for role, relation in (
        (R.SUPERVISOR, "stranger"),
        (R.AUDITOR, "stranger"),
        (R.EXECUTIVE, "stranger"),
        (None, "requester"),
    ):
        assert readable(asked(state), actor(role, relation), s.pack()) == ANSWERS
    assert readable(asked(state), actor(R.REQUESTER, "stranger"), s.pack()) == {}


def test_what_a_pack_shows_to_examiners_they_see_after_their_opinions_only():
    fields = tuple(
        f.model_copy(update={"shown_to": ("examiner",) if f.name == "basis" else ("auditor",)})
        for f in s.pack().common_fields
    )
    rules = s.pack().model_copy(update={"common_fields": fields})
    for relation, state in product(("first examiner", "stranger"), STARTED):
        seen = readable(asked(state), actor(R.EXAMINER, relation), rules)
        assert seen == ({"basis": s.BASIS} if state in {S.AGREED, S.LEAD, S.CLOSED} else {})


def test_an_answer_to_a_question_that_the_pack_does_not_know_is_shown_to_nobody_but_its_author():
    search = replace(asked(S.LEAD), purpose="gone")
    assert readable(search, actor(R.SUPERVISOR, "stranger"), s.pack()) == {}


@pytest.mark.parametrize("name", COMMANDS)
def test_whoever_is_no_full_member_of_the_workspace_may_do_nothing_whatever_their_roles(name):
    """M36: a guest, a stranger, a bot, a deactivated account; in every state, and they are told why."""
    guest = replace(s.OMNI, roles=frozenset(R), barred="You are a guest.")
    for state in S:
        refused = may(m.Search(m.SearchId("LG-AAAAAAAAAAAA"), state=state), COMMANDS[name], guest, s.pack(), s.NOON)
        assert (refused.rule, refused.reason) == ("full-member", "You are a guest.")
