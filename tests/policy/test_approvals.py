"""What is held is approved before anything is searched; what ran as an emergency is approved in time or withheld."""

from dataclasses import replace
from datetime import timedelta
from functools import reduce

import pytest

from policy import model as m
from policy.approval import banned
from policy.authority import OVERDUE, searchable, withheld
from policy.cases import complete
from policy.workflow import decide, evolve
from tests import story as s
from tests.story import BEN, DANA, EVA, MARA, NOOR, OMNI, REX, SAM, SYSTEM, TOVE, VERA

MINOR = replace(s.ASK, fields={**s.FIELDS, "circumstances": "minor"})
BEYOND = {"repositories-reason": "He was on parole when the still was taken; the office consented to a search."}
PAROLE = replace(s.ASK, fields={**s.ASK.fields, **BEYOND}, repositories=("parole",))
POOR = m.AssessPhoto(s.SHA, (m.Face(0, "poor", ("inter-eye-distance",), 30.0),), "model")
YES, NO = m.ApproveRequest(approve=True, reason="Sound."), m.ApproveRequest(approve=False, reason="Not sound.")
ALLOW, DENY = m.AllowRepository(allow=True, reason="Sound."), m.AllowRepository(allow=False, reason="Not sound.")
PROCEED, STOP = (
    m.OverrideQuality(proceed=True, reason="It will do."),
    m.OverrideQuality(proceed=False, reason="It will not."),
)
STATES, OUTCOMES = m.State, m.Outcome

STORIES = {
    "a minor is held": ([(MINOR, DANA)], STATES.HELD, []),
    "a minor, approved": ([(MINOR, DANA), (YES, MARA)], STATES.REQUESTED, []),
    "a minor, approved without a reason": (
        [(MINOR, DANA), (replace(YES, reason=" "), MARA)],
        STATES.HELD,
        ["decides-with-reason"],
    ),
    "a minor, not approved": ([(MINOR, DANA), (NO, MARA)], STATES.CLOSED, []),
    "a minor, not approved, then approved": (
        [(MINOR, DANA), (NO, MARA), (YES, VERA)],
        STATES.CLOSED,
        ["approval-owed"],
    ),
    "a minor, approved, then not": ([(MINOR, DANA), (YES, MARA), (NO, VERA)], STATES.REQUESTED, ["approval-owed"]),
    "a minor, approved by a detective": ([(MINOR, DANA), (YES, SAM)], STATES.HELD, ["has-role"]),
    "a minor, approved by who asked": ([(MINOR, OMNI), (YES, OMNI)], STATES.HELD, ["approves-not-own"]),
    "a minor, approved by who stands aside": (
        [(MINOR, DANA), (m.DeclareConflict("My nephew."), MARA), (YES, MARA)],
        STATES.HELD,
        ["no-conflict"],
    ),
    "a minor, withdrawn": ([(MINOR, DANA), (m.Withdraw("Found."), DANA)], STATES.CLOSED, []),
    "a minor, looked at too early": ([(MINOR, DANA), (s.SEEN, SYSTEM)], STATES.HELD, ["fits-state"]),
    "an approver examines": (
        [(MINOR, DANA), (YES, OMNI), *s.TO_REVIEW[1:], (s.LEAD, OMNI)],
        STATES.IN_REVIEW,
        ["examines-not-approved"],
    ),
    "an ordinary request asks for nobody's approval": (
        [(s.ASK, DANA), (YES, MARA)],
        STATES.REQUESTED,
        ["approval-owed"],
    ),
    "parole photographs are held": ([(PAROLE, DANA)], STATES.HELD, []),
    "parole photographs, allowed": ([(PAROLE, DANA), (YES, MARA), (ALLOW, REX)], STATES.REQUESTED, []),
    "parole photographs, allowed first": ([(PAROLE, DANA), (ALLOW, REX), (YES, MARA)], STATES.REQUESTED, []),
    "parole photographs, approved only": ([(PAROLE, DANA), (YES, MARA)], STATES.HELD, []),
    "parole photographs, allowed only": ([(PAROLE, DANA), (ALLOW, REX)], STATES.HELD, []),
    "parole photographs, not allowed": ([(PAROLE, DANA), (DENY, REX)], STATES.CLOSED, []),
    "parole photographs, allowed without a reason": (
        [(PAROLE, DANA), (replace(ALLOW, reason=""), REX)],
        STATES.HELD,
        ["decides-with-reason"],
    ),
    "parole photographs, allowed by a supervisor": ([(PAROLE, DANA), (ALLOW, MARA)], STATES.HELD, ["has-role"]),
    "arrest photographs need nobody": ([(replace(s.ASK, repositories=("arrest",)), DANA)], STATES.REQUESTED, []),
    "an executive allows what nobody asked": ([(MINOR, DANA), (ALLOW, REX)], STATES.HELD, ["exception-asked"]),
    "a poor face waits": ([(s.ASK, DANA), (POOR, SYSTEM)], STATES.QUALITY_HELD, []),
    "a poor face, let through": ([(s.ASK, DANA), (POOR, SYSTEM), (PROCEED, MARA)], STATES.ASSESSED, []),
    "a poor face, not let through": ([(s.ASK, DANA), (POOR, SYSTEM), (STOP, MARA)], STATES.CLOSED, []),
    "a poor face, let through without a reason": (
        [(s.ASK, DANA), (POOR, SYSTEM), (replace(PROCEED, reason="\n"), MARA)],
        STATES.QUALITY_HELD,
        ["decides-with-reason"],
    ),
    "a poor face, let through by who asked": (
        [(s.ASK, OMNI), (POOR, SYSTEM), (PROCEED, OMNI)],
        STATES.QUALITY_HELD,
        ["approves-not-own"],
    ),
    "a poor face, withdrawn": ([(s.ASK, DANA), (POOR, SYSTEM), (m.Withdraw("Enough."), DANA)], STATES.CLOSED, []),
    "whoever let it through examines": (
        [(s.ASK, DANA), (POOR, SYSTEM), (PROCEED, OMNI), (s.FOUND, SYSTEM), (s.OPENED, SYSTEM), (s.LEAD, OMNI)],
        STATES.IN_REVIEW,
        ["examines-not-approved"],
    ),
    "an examiner stands aside": (
        [*s.TO_REVIEW, (m.DeclareConflict("A neighbour."), EVA), (s.LEAD, EVA)],
        STATES.IN_REVIEW,
        ["no-conflict"],
    ),
    "an examiner stands aside without saying why": (
        [*s.TO_REVIEW, (m.DeclareConflict(" "), EVA)],
        STATES.IN_REVIEW,
        ["decides-with-reason"],
    ),
    "a supervisor stands aside": (
        [*s.AGREED, (m.DeclareConflict("A neighbour."), MARA), (s.APPROVE, MARA)],
        STATES.AGREED,
        ["no-conflict"],
    ),
    "whoever answered a candidate decides": (
        [*s.TO_REVIEW, (m.AnswerCandidate(s.K7, m.Support.SAME), OMNI), *s.AGREED[4:], (s.APPROVE, OMNI)],
        STATES.AGREED,
        ["decides-not-own"],
    ),
    "nothing is owed and nothing is quarantined": (
        [*s.AGREED, (m.Quarantine(), SYSTEM), (s.APPROVE, MARA)],
        STATES.LEAD,
        [],
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_each_story_ends_where_the_policy_says(name):
    steps, state, rules = STORIES[name]
    search, events = s.tell(steps)
    assert search.state is state
    assert s.refusals(events) == rules
    assert reduce(evolve, events, m.Search(search.id)) == search


@pytest.mark.parametrize("name", STORIES)
def test_doing_every_step_twice_changes_nothing_and_scolds_nobody(name):
    steps = STORIES[name][0]
    once, told = s.tell(steps)
    twice, told_twice = s.tell([step for step in steps for _ in range(2)])
    assert twice == once
    assert set(s.refusals(told_twice)) == set(s.refusals(told))


def test_what_a_held_request_says_is_recorded():
    search, events = s.tell([(MINOR, DANA)])
    requested, held = events
    assert (requested.approvers, requested.approval_due, requested.repositories) == (1, None, ())
    assert held.concerns == search.concerns == ("The person may be a minor: a supervisor has to approve it.",)
    assert search.fields == MINOR.fields


def test_whoever_approved_is_recorded_with_time_and_reason():
    search, _ = s.tell([(MINOR, DANA), (replace(YES, reason=" Sound. "), MARA)])
    assert search.approvals == (m.Approval(MARA.id, s.NOON, "Sound."),)
    assert search.approvers == 1


@pytest.mark.parametrize(
    ("steps", "outcome", "reason"),
    [
        ([(MINOR, DANA), (NO, MARA)], OUTCOMES.REJECTED, "The request was not approved. Not sound."),
        ([(PAROLE, DANA), (DENY, REX)], OUTCOMES.REJECTED, "The request was not approved. Not sound."),
        (
            [(s.ASK, DANA), (POOR, SYSTEM), (STOP, MARA)],
            OUTCOMES.UNSUITABLE,
            "The face is not clear enough to be compared (inter-eye-distance). Nothing was searched. A better picture may help.",
        ),
    ],
)
def test_the_requester_is_told_why_nothing_was_searched(steps, outcome, reason):
    search, _ = s.tell(steps)
    assert (search.outcome, search.reason) == (outcome, reason)


def test_who_rejected_is_recorded():
    _, events = s.tell([(PAROLE, DANA), (DENY, REX)])
    assert events[-2:] == [
        m.RequestRejected(REX.id, s.NOON, "Not sound."),
        m.SearchClosed(OUTCOMES.REJECTED, "The request was not approved. Not sound."),
    ]


def test_who_let_a_poor_face_through_is_recorded():
    search, events = s.tell([(s.ASK, DANA), (POOR, SYSTEM), (PROCEED, MARA)])
    assert m.QualityHeld(0, ("inter-eye-distance",)) in events
    assert events[-1] == m.QualityOverridden(MARA.id, "It will do.")
    assert search.overridden_by == MARA.id


def test_of_several_faces_the_chosen_one_has_to_be_good_enough():
    faces = m.AssessPhoto(s.SHA, (s.FACE, m.Face(1, "poor", (), 30.0)), "model")
    good, _ = s.tell([(s.ASK, DANA), (faces, SYSTEM), (m.ChooseFace(0), DANA)])
    poor, _ = s.tell([(s.ASK, DANA), (faces, SYSTEM), (m.ChooseFace(1), DANA)])
    stopped, _ = s.tell([(STOP, MARA)], search=poor)
    assert (good.state, poor.state, poor.face) == (STATES.ASSESSED, STATES.QUALITY_HELD, 1)
    assert stopped.reason.startswith("The face is not clear enough to be compared (quality).")


# --- an executive's permission runs out ----------------------------------------------------------------------------------


def test_a_permission_is_recorded_with_name_reason_and_expiry():
    search, events = s.tell([(PAROLE, DANA), (ALLOW, REX)])
    assert events[-1] == m.RepositoryAllowed(REX.id, s.NOON + timedelta(days=7), "Sound.")
    assert (search.allowed_by, search.allowed_until) == (REX.id, s.NOON + timedelta(days=7))
    assert search.repositories == ("parole",)
    assert search.fields["repositories-reason"] == BEYOND["repositories-reason"]


@pytest.mark.parametrize("typed", ["", "see report", "needed"])
def test_whoever_asks_for_parole_photographs_says_why(typed):
    without = replace(PAROLE, fields={**s.ASK.fields, "repositories-reason": typed})
    (refused,) = decide(m.Search(m.SearchId("x")), without, DANA, s.pack(), s.NOON)
    assert refused.rule == "field:repositories-reason"


def test_why_is_neither_asked_nor_kept_where_arrest_photographs_are_searched_alone():
    search, _ = s.tell([(replace(PAROLE, repositories=()), DANA)])
    assert "repositories-reason" not in search.fields


@pytest.mark.parametrize(("days", "until"), [(1, 1), (3, 3), (7, 7), (None, 7)])
def test_an_executive_says_for_how_long(days, until):
    search, _ = s.tell([(PAROLE, DANA), (replace(ALLOW, days=days), REX)])
    assert search.allowed_until == s.NOON + timedelta(days=until)


@pytest.mark.parametrize("days", [-1, 0, 8, 10**9])
def test_a_permission_ends_when_the_pack_says_at_the_latest(days):
    search, events = s.tell([(PAROLE, DANA), (replace(ALLOW, days=days), REX)])
    assert (s.refusals(events), search.allowed_until) == (["permission-ends"], None)


@pytest.mark.parametrize(
    ("late", "state"), [(timedelta(days=7, microseconds=-1), STATES.SEARCHED), (timedelta(days=7), STATES.CLOSED)]
)
def test_a_permission_that_ran_out_lets_nothing_be_searched(late, state):
    search, _ = s.tell([(PAROLE, DANA), (ALLOW, REX), (YES, MARA), (s.SEEN, SYSTEM)])
    events = decide(search, s.FOUND, SYSTEM, s.pack(), s.NOON + late)
    after = reduce(evolve, events, search)
    assert after.state is state
    assert (after.outcome is OUTCOMES.REJECTED) == (state is STATES.CLOSED)
    assert bool(after.candidates) == (state is STATES.SEARCHED)
    told = "The permission to search further photographs ran out before the search. Nothing found is kept."
    assert after.reason == ("" if state is STATES.SEARCHED else told)


def test_the_gallery_is_searched_in_the_classes_that_are_permitted_and_allowed_until_then():
    asked, _ = s.tell([(PAROLE, DANA)])
    allowed, _ = s.tell([(ALLOW, REX)], search=asked)
    until = s.NOON + timedelta(days=7)
    assert searchable(asked, s.pack(), s.NOON) == ("arrest",)
    assert searchable(allowed, s.pack(), until - timedelta(seconds=1)) == ("arrest", "parole")
    assert searchable(allowed, s.pack(), until) == ("arrest",)


@pytest.mark.parametrize("asked", [("licence",), ("parole", "licence"), ("arrest", "", "parole")])
def test_a_class_that_the_pack_does_not_name_is_refused(asked):
    command = replace(PAROLE, repositories=asked)
    (refused,) = decide(m.Search(m.SearchId("x")), command, DANA, s.pack(), s.NOON)
    assert refused.rule == "repository"


# --- packs that want approval of everything ------------------------------------------------------------------------------


def test_detroit_wants_two_people_besides_the_requester():
    rules = s.pack("detroit-2024")
    ask = complete(rules, "violent-crime")
    one, _ = s.tell([(ask, DANA), (YES, MARA), (YES, MARA)], rules)
    two, _ = s.tell([(YES, VERA)], rules, one)
    assert (one.state, one.approvers, len(one.approvals)) == (STATES.HELD, 2, 1)
    assert (two.state, len(two.approvals)) == (STATES.REQUESTED, 2)


def test_one_rejection_outweighs_one_approval():
    rules = s.pack("detroit-2024")
    search, _ = s.tell([(complete(rules, "violent-crime"), DANA), (YES, MARA), (NO, VERA)], rules)
    assert (search.state, search.outcome) == (STATES.CLOSED, OUTCOMES.REJECTED)


def test_a_pack_wants_approval_for_the_purposes_it_names_and_no_others():
    rules = s.pack("eu-aiact-post-rbi")
    states = {p.code: s.tell([(complete(rules, p.code), DANA)], rules)[0].state for p in rules.purposes}
    assert states == {"first-identification": STATES.REQUESTED, "authorised": STATES.HELD, "urgent": STATES.REQUESTED}


# --- emergencies ---------------------------------------------------------------------------------------------------------

THREAT = complete(s.pack(), "imminent-threat")
EMERGENCY: list[s.Step] = [(THREAT, DANA), *s.AGREED[1:]]
DUE = s.NOON + timedelta(hours=24)


def at(search: m.Search, command: m.Command, by: m.Actor, now) -> tuple[m.Search, list[str]]:
    events = decide(search, command, by, s.pack(), now)
    return reduce(evolve, events, search), s.refusals(list(events))


def test_an_emergency_runs_at_once_and_owes_its_approval_within_a_day():
    search, _ = s.tell([(THREAT, DANA)])
    assert (search.state, search.approvers, search.approval_due) == (STATES.REQUESTED, 1, DUE)


def test_an_emergency_of_a_pack_that_wants_two_approvals_owes_two():
    rules = s.pack("detroit-2024").model_copy(
        update={"emergency": s.pack().emergency.model_copy(update={"purposes": ("violent-crime",)})}
    )
    search, _ = s.tell([(complete(rules, "violent-crime"), DANA)], rules)
    assert (search.state, search.approvers) == (STATES.REQUESTED, 2)


def test_an_emergency_that_asks_for_further_photographs_still_waits_for_the_executive():
    search, _ = s.tell([(replace(THREAT, fields={**THREAT.fields, **BEYOND}, repositories=("parole",)), DANA)])
    assert search.state is STATES.HELD


@pytest.mark.parametrize("now", [DUE - timedelta(microseconds=1), DUE, DUE + timedelta(days=9)])
def test_nobody_decides_or_acknowledges_what_is_overdue(now):
    """The deadline holds by itself: no job has to run for it."""
    agreed, _ = s.tell(EMERGENCY)
    issued, _ = s.tell([(s.APPROVE, MARA)], search=agreed)
    late = ["quarantined"] if now >= DUE else []
    assert at(agreed, s.APPROVE, MARA, now)[1] == late
    assert at(issued, m.Acknowledge(), DANA, now)[1] == late
    assert withheld(issued, now) == (OVERDUE if late else "")


def test_the_quarantine_is_recorded_once_it_is_due_and_not_before():
    search, _ = s.tell(EMERGENCY)
    assert decide(search, m.Quarantine(), SYSTEM, s.pack(), DUE - timedelta(seconds=1)) == ()
    events = decide(search, m.Quarantine(), SYSTEM, s.pack(), DUE)
    after = reduce(evolve, events, search)
    assert events == (m.Quarantined(OVERDUE),)
    assert after.quarantined == OVERDUE
    assert decide(after, m.Quarantine(), SYSTEM, s.pack(), DUE) == ()
    assert withheld(after, s.NOON) == OVERDUE


def test_a_late_approval_lifts_the_quarantine():
    search, _ = s.tell([*EMERGENCY, (s.APPROVE, MARA)])
    quarantined, _ = at(search, m.Quarantine(), SYSTEM, DUE)
    approved, refused = at(quarantined, YES, MARA, DUE + timedelta(days=1))
    assert refused == []
    assert approved.quarantined == ""
    assert approved.approvals[0].at > search.approval_due
    assert at(approved, m.Acknowledge(), DANA, DUE + timedelta(days=2))[1] == []


def test_an_approval_in_time_keeps_it_from_ever_being_withheld():
    search, _ = s.tell([(THREAT, DANA), (YES, MARA), *EMERGENCY[1:], (s.APPROVE, VERA)])
    assert search.state is STATES.LEAD
    assert withheld(search, DUE + timedelta(days=20)) == ""
    assert decide(search, m.Quarantine(), SYSTEM, s.pack(), DUE) == ()


def test_whoever_examined_does_not_approve_the_emergency():
    for by in (EVA, NOOR, replace(EVA, roles=OMNI.roles)):
        _, events = s.tell([*EMERGENCY, (YES, by)])
        assert s.refusals(events) == ["has-role" if by in {EVA, NOOR} else "approves-not-examined"]


def test_an_emergency_refused_while_it_runs_stops():
    search, _ = s.tell([*EMERGENCY[:3], (NO, MARA)])
    assert (search.state, search.outcome) == (STATES.CLOSED, OUTCOMES.REJECTED)


def test_an_emergency_refused_after_its_lead_is_withheld_for_good():
    search, events = s.tell([*EMERGENCY, (s.APPROVE, MARA), (NO, VERA), (YES, TOVE), (m.Acknowledge(), DANA)])
    assert s.refusals(events) == ["approval-owed", "quarantined"]
    assert search.state is STATES.LEAD
    assert search.quarantined == "A supervisor did not approve the request. Nobody may use its result. Not sound."
    assert search.refused_by == VERA.id


def test_an_emergency_refused_after_it_was_closed_stays_closed_and_the_refusal_is_recorded():
    closed, _ = s.tell([*EMERGENCY[:4], *s.says(s.NO_LEAD, EVA), *s.says(s.NO_LEAD, BEN)])
    after, _ = s.tell([(NO, MARA)], search=closed)
    assert (after.state, after.outcome, after.refused_by) == (closed.state, closed.outcome, MARA.id)


def test_the_examination_of_an_overdue_emergency_may_go_on_and_its_result_is_withheld():
    search, _ = s.tell(EMERGENCY[:-1])
    after, refused = at(search, s.LEAD, NOOR, DUE)
    assert (after.state, refused) == (STATES.AGREED, [])


EVERY_EMERGENCY = [(name, one) for name in s.NAMES if (path := s.pack(name).emergency) for one in path.purposes]
SUSPECTED = "He was filmed setting a parked van on fire two streets away, an hour later."


@pytest.mark.parametrize(("name", "purpose"), EVERY_EMERGENCY)
@pytest.mark.parametrize(
    "answers", [{"circumstances": "minor"}, {"circumstances": "protected,minor", "suspicion": SUSPECTED}]
)
def test_an_emergency_that_gives_cause_for_concern_waits_like_every_other_request(name, purpose, answers):
    """What people do under the First Amendment, or a child, is no less theirs because somebody is in a hurry (M43)."""
    rules = s.pack(name)
    ask = complete(rules, purpose)
    search, events = s.tell([(replace(ask, fields={**ask.fields, **answers}), DANA)], rules)
    assert s.refusals(events) == []
    assert (search.state, search.approval_due) == (STATES.HELD, None)
    assert search.approvers >= 1
    assert len(search.concerns) == len(answers["circumstances"].split(","))
    assert s.tell([(s.SEEN, SYSTEM)], rules, search)[0].photo_sha256 == ""


BANNED = "We deport undocumented people who were found near the immigration office tonight."


@pytest.mark.parametrize("purpose", ["suspect", "imminent-threat"])
def test_words_of_a_banned_use_wait_for_somebody_who_says_why_it_is_not_that_use(purpose):
    ask = complete(s.pack(), purpose)
    held, _ = s.tell([(replace(ask, fields={**ask.fields, "basis": BANNED}), DANA)])
    (ban,) = banned(held, s.pack())
    assert held.state is STATES.HELD
    assert ban.text in held.concerns[0]
    still, events = s.tell([(YES, MARA)], search=held)
    assert (still, s.refusals(events)) == (held, ["answers-the-ban"])
    assert f"in {s.pack().narrative_min_chars} characters or more" in events[0].reason
    assert ban.text in events[-1].reason
    why = "The threat came from that office's own staff; nobody's status is asked for or matters here."
    assert s.tell([(replace(YES, reason=why), MARA)], search=held)[0].state is STATES.REQUESTED
    assert s.tell([(NO, MARA)], search=held)[0].outcome is OUTCOMES.REJECTED


def test_where_no_ban_is_mentioned_any_reason_will_do():
    held, _ = s.tell([(MINOR, DANA)])
    assert banned(held, s.pack()) == ()
    assert s.tell([(YES, MARA)], search=held)[0].state is STATES.REQUESTED


# --- one person, one part ------------------------------------------------------------------------------------------------

BOTH = replace(REX, id=m.PersonId("both"), roles=frozenset(m.Role) - {m.Role.SYSTEM})


def test_one_person_does_not_both_approve_a_request_and_allow_its_further_photographs():
    approved, told = s.tell([(PAROLE, DANA), (YES, BOTH), (ALLOW, BOTH)])
    assert (approved.state, s.refusals(told)) == (STATES.HELD, ["allows-not-approved"])
    allowed, told = s.tell([(PAROLE, DANA), (ALLOW, BOTH), (YES, BOTH)])
    assert (allowed.state, s.refusals(told)) == (STATES.HELD, ["approves-not-allowed"])


def test_the_executive_who_allowed_further_photographs_does_not_examine():
    search, _ = s.tell([(PAROLE, DANA), (YES, MARA), (ALLOW, BOTH), *s.TO_REVIEW[1:]])
    assert s.refusals(s.tell([(m.OpenExamination(), BOTH)], search=search)[1]) == ["examines-not-approved"]
    handed = m.HandOver(BOTH.id, "Nobody has begun.")
    assert s.refusals(s.tell([(handed, VERA)], search=search)[1]) == ["hands-to-another"]


def test_an_executive_whose_certification_ran_out_allows_nothing():
    late = replace(REX, certified_until=s.NOON)
    search, told = s.tell([(PAROLE, DANA), (ALLOW, late)])
    assert (search.allowed_by, s.refusals(told)) == (None, ["is-certified"])


def test_whoever_asked_may_stop_it_though_their_certification_ran_out():
    search, _ = s.tell([(s.ASK, DANA), (m.Withdraw("Found."), replace(DANA, certified_until=s.NOON))])
    assert search.outcome is OUTCOMES.WITHDRAWN


# --- what is asked, and what is kept of it ---------------------------------------------------------------------------------


def test_answers_to_questions_that_were_not_asked_are_not_kept():
    ask = replace(
        s.ASK,
        fields={**s.FIELDS, "suspicion": "x" * 50, "edits": "cropped", "shoe-size": "44", "witness-height": "180 cm"},
    )
    search, _ = s.tell([(ask, DANA)])
    assert search.fields == s.FIELDS


def test_a_request_sent_twice_is_the_same_request_whatever_was_not_asked():
    ask = replace(s.ASK, fields={**s.FIELDS, "shoe-size": "44"})
    search, events = s.tell([(ask, DANA), (ask, DANA)])
    assert len(events) == 1
    assert search.state is STATES.REQUESTED


@pytest.mark.parametrize(
    ("answer", "rule"),
    [
        ({"circumstances": "known"}, "field:circumstances"),
        ({"circumstances": "minor,known"}, "field:circumstances"),
        ({"circumstances": "never"}, "field:circumstances"),
        ({"circumstances": "edited"}, "field:edits"),
        ({"circumstances": "earlier"}, "field:earlier-searches"),
        ({"circumstances": "protected"}, "field:suspicion"),
        ({"circumstances": "protected", "suspicion": "see report"}, "field:suspicion"),
        ({"image-source": "drawn"}, "field:image-source"),
        (
            {"basis": "He was at the vigil on Sunday and threw a bottle at the mounted officers there."},
            "field:suspicion",
        ),
        ({"offence": "Obstruction at a PROTEST"}, "field:suspicion"),
    ],
)
def test_what_is_ticked_or_told_brings_its_question(answer, rule):
    (refused,) = decide(
        m.Search(m.SearchId("x")), replace(s.ASK, fields={**s.FIELDS, **answer}), DANA, s.pack(), s.NOON
    )
    assert refused.rule == rule


SUSPICION = "He was filmed setting a parked van on fire, an hour after the march had ended."


@pytest.mark.parametrize(
    ("answer", "concerns"),
    [
        ({}, []),
        ({"circumstances": "edited,earlier", "edits": "cropped", "earlier-searches": "none that I know"}, []),
        ({"circumstances": "minor"}, ["minor"]),
        ({"circumstances": "minor,protected", "suspicion": SUSPICION}, ["protected", "minor", "march"]),
        (
            {"basis": "He was at the vigil on Sunday and threw a bottle at the officers.", "suspicion": SUSPICION},
            ["vigil"],
        ),
        ({"basis": "A vigilant neighbour filmed the demonstrated use of a crowbar on the door."}, []),
        ({"basis": "The man said on the phone that he would be deported before he paid for it."}, ["deport"]),
    ],
)
def test_whatever_gives_cause_brings_the_request_to_a_supervisor(answer, concerns):
    search, events = s.tell([(replace(s.ASK, fields={**s.FIELDS, **answer}), DANA)])
    assert s.refusals(events) == []
    assert len(search.concerns) == len(concerns)
    assert sorted(word in " ".join(search.concerns) for word in concerns) == [True] * len(concerns)
    assert search.state is (STATES.HELD if concerns else STATES.REQUESTED)
