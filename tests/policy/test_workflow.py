"""Who may do what, when."""

from dataclasses import replace
from datetime import timedelta
from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy import model as m
from policy.authority import examiners
from policy.workflow import decide, evolve
from tests import story as s
from tests.story import BEN, DANA, EVA, MARA, NOOR, OMNI, SAM, SYSTEM, says

STORIES = {
    "two examiners and a supervisor agree": ([*s.AGREED, (s.APPROVE, MARA)], m.State.LEAD, None),
    "the supervisor has not decided": (s.AGREED, m.State.AGREED, None),
    "the supervisor does not approve": ([*s.AGREED, (m.DecideLead(False, "Lighting."), MARA)], m.State.CLOSED, None),
    "the supervisor gives no reason": (
        [*s.AGREED, (m.DecideLead(True, " "), MARA)],
        m.State.AGREED,
        "decides-with-reason",
    ),
    "one examiner twice": (
        [*s.TO_REVIEW, *says(s.LEAD, EVA), (s.OTHER_LEAD, EVA)],
        m.State.IN_REVIEW,
        "opinion-locked",
    ),
    "two examiners name two people": (
        [*s.TO_REVIEW, *says(s.LEAD, EVA), *says(s.OTHER_LEAD, NOOR)],
        m.State.CLOSED,
        None,
    ),
    "one sees nobody": ([*s.TO_REVIEW, *says(s.LEAD, EVA), *says(s.NO_LEAD, NOOR)], m.State.CLOSED, None),
    "both see nobody": ([*s.TO_REVIEW, *says(s.NO_LEAD, EVA), *says(s.NO_LEAD, NOOR)], m.State.CLOSED, None),
    "a third examiner comes late": ([*s.AGREED, (s.LEAD, BEN)], m.State.AGREED, "fits-state"),
    "the requester examines": (
        [(s.ASK, OMNI), *s.TO_REVIEW[1:], (s.LEAD, OMNI)],
        m.State.IN_REVIEW,
        "reviews-not-own",
    ),
    "the requester decides": (
        [(s.ASK, OMNI), *s.TO_REVIEW[1:], *says(s.LEAD, EVA), *says(s.LEAD, NOOR), (s.APPROVE, OMNI)],
        m.State.AGREED,
        "reviews-not-own",
    ),
    "an examiner decides": (
        [*s.TO_REVIEW, *says(s.LEAD, OMNI), *says(s.LEAD, EVA), (s.APPROVE, OMNI)],
        m.State.AGREED,
        "decides-not-own",
    ),
    "a detective examines": ([*s.TO_REVIEW, (s.LEAD, SAM)], m.State.IN_REVIEW, "has-role"),
    "a candidate is left out": ([*s.TO_REVIEW, (s.LEAD, EVA)], m.State.IN_REVIEW, "answers-all"),
    "a possible match without differences": (
        [*s.TO_REVIEW, *s.answers(EVA, s.K7), (replace(s.LEAD, differences=" "), EVA)],
        m.State.IN_REVIEW,
        "differences-considered",
    ),
    "a possible match with somebody excluded": (
        [*s.TO_REVIEW, *s.answers(EVA, s.P4), (s.LEAD, EVA)],
        m.State.IN_REVIEW,
        "names-candidate",
    ),
    "no possible match that names somebody": (
        [*s.TO_REVIEW, *s.answers(EVA, s.K7), (replace(s.NO_LEAD, candidate=s.K7), EVA)],
        m.State.IN_REVIEW,
        "names-none",
    ),
    "compared with an edited image": (
        [*s.TO_REVIEW, *s.answers(EVA, s.K7), (replace(s.LEAD, probe_sha256="cd" * 32), EVA)],
        m.State.IN_REVIEW,
        "original-probe",
    ),
    "a candidate of another search": (
        [*s.TO_REVIEW, (m.AnswerCandidate(m.Label("Z9"), m.Support.DIFFERENT), EVA)],
        m.State.IN_REVIEW,
        "names-candidate",
    ),
    "a lead before the search": ([(s.ASK, DANA), (s.LEAD, EVA)], m.State.REQUESTED, "fits-state"),
    "several faces": ([(s.ASK, DANA), (s.SEEN_TWO, SYSTEM)], m.State.FACE_NEEDED, None),
    "one of several faces": (
        [(s.ASK, DANA), (s.SEEN_TWO, SYSTEM), (m.ChooseFace(1), DANA)],
        m.State.ASSESSED,
        None,
    ),
    "a face that is not there": (
        [(s.ASK, DANA), (s.SEEN_TWO, SYSTEM), (m.ChooseFace(7), DANA)],
        m.State.FACE_NEEDED,
        "names-face",
    ),
    "a face chosen by somebody else": (
        [(s.ASK, DANA), (s.SEEN_TWO, SYSTEM), (m.ChooseFace(1), SAM)],
        m.State.FACE_NEEDED,
        "own-request",
    ),
    "no face": ([(s.ASK, DANA), (m.AssessPhoto(s.SHA, (), "model"), SYSTEM)], m.State.CLOSED, None),
    "a face too small": (
        [(s.ASK, DANA), (m.AssessPhoto(s.SHA, (s.POOR_FACE,), "model"), SYSTEM)],
        m.State.CLOSED,
        None,
    ),
    "not a photograph": (
        [(s.ASK, DANA), (m.RejectPhoto(s.SHA, "format", "Not an image."), SYSTEM)],
        m.State.CLOSED,
        None,
    ),
    "an empty gallery": (
        [(s.ASK, DANA), (s.SEEN, SYSTEM), (m.RecordCandidates((), {"k": 20}), SYSTEM)],
        m.State.CLOSED,
        None,
    ),
    "somebody was sealed since": (
        [(s.ASK, DANA), (s.SEEN, SYSTEM), (s.FOUND, SYSTEM), (m.DropCandidate(s.K7), SYSTEM)],
        m.State.SEARCHED,
        None,
    ),
    "everybody was sealed since": (
        [
            (s.ASK, DANA),
            (s.SEEN, SYSTEM),
            (s.FOUND, SYSTEM),
            *[(m.DropCandidate(c.label), SYSTEM) for c in s.CANDIDATES],
        ],
        m.State.CLOSED,
        None,
    ),
    "withdrawn": ([(s.ASK, DANA), (m.Withdraw("Solved."), DANA)], m.State.CLOSED, None),
    "withdrawn by somebody else": ([(s.ASK, DANA), (m.Withdraw("Solved."), SAM)], m.State.REQUESTED, "own-request"),
    "acknowledged by somebody else": (
        [*s.AGREED, (s.APPROVE, MARA), (m.Acknowledge(), SAM)],
        m.State.LEAD,
        "own-request",
    ),
    "asked by somebody unknown": ([(s.ASK, s.NOBODY)], m.State.NEW, "has-role"),
    "asked again for another case": (
        [(s.ASK, DANA), (replace(s.ASK, case_number="2026-075-009999"), DANA)],
        m.State.REQUESTED,
        "fits-state",
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_each_story_ends_where_the_policy_says(name):
    steps, state, rule = STORIES[name]
    search, events = s.tell(steps)
    assert search.state is state
    assert s.refusals(events) == ([rule] if rule else [])


@pytest.mark.parametrize("name", STORIES)
def test_doing_every_step_twice_changes_nothing_and_scolds_nobody(name):
    steps = STORIES[name][0]
    once, told = s.tell(steps)
    twice, told_twice = s.tell([step for step in steps for _ in range(2)])
    accepted = [e for e in told if not isinstance(e, m.Refused)]
    assert twice == once
    assert [e for e in told_twice if not isinstance(e, m.Refused)] == accepted
    assert set(s.refusals(told_twice)) == set(s.refusals(told))


@pytest.mark.parametrize("name", STORIES)
def test_folding_the_events_gives_the_search(name):
    search, events = s.tell(STORIES[name][0])
    assert reduce(evolve, events, m.Search(search.id)) == search


def test_an_arbiter_is_called_where_the_pack_says_so_and_two_of_three_make_a_lead():
    rules = s.pack()
    rules = rules.model_copy(update={"review": rules.review.model_copy(update={"disagreement": "arbiter"})})
    search, _ = s.tell([*s.TO_REVIEW, *says(s.LEAD, EVA), *says(s.NO_LEAD, NOOR)], rules)
    assert search.state is m.State.DISAGREED
    for_it, _ = s.tell(says(s.LEAD, BEN), rules, search)
    against, _ = s.tell(says(s.OTHER_LEAD, BEN), rules, search)
    again, events = s.tell([(s.LEAD, EVA), (s.OTHER_LEAD, EVA)], rules, search)
    assert (for_it.state, for_it.lead) == (m.State.AGREED, s.K7)
    assert (against.state, against.outcome) == (m.State.CLOSED, m.Outcome.NO_POSSIBLE_MATCH)
    assert again == search
    assert s.refusals(events) == ["opinion-locked"]


def test_without_a_supervisor_in_the_pack_two_examiners_make_the_lead():
    rules = s.pack()
    rules = rules.model_copy(update={"review": rules.review.model_copy(update={"supervisor_decides": False})})
    search, events = s.tell(s.AGREED, rules)
    assert search.state is m.State.LEAD
    assert events[-1].examiners == (EVA.id, NOOR.id)


@pytest.mark.parametrize(
    ("command", "by", "state"), [(s.ASK, DANA, []), (s.LEAD, EVA, s.TO_REVIEW), (s.APPROVE, MARA, s.AGREED)]
)
def test_nobody_acts_on_a_certification_that_has_run_out(command, by, state):
    search, _ = s.tell(state)
    for until in (None, s.NOON, s.NOON - timedelta(days=1)):
        (refused,) = decide(search, command, replace(by, certified_until=until), s.pack(), s.NOON)
        assert isinstance(refused, m.Refused)
        assert refused.rule == "is-certified"


COMMANDS = st.sampled_from(
    [
        s.ASK,
        s.SEEN,
        s.SEEN_TWO,
        m.ChooseFace(0),
        m.ChooseFace(1),
        s.FOUND,
        s.OPENED,
        *[m.AnswerCandidate(c.label, a) for c in s.CANDIDATES for a in m.Support],
        s.LEAD,
        s.OTHER_LEAD,
        s.NO_LEAD,
        s.APPROVE,
        m.DecideLead(approve=False, reason="Not alike."),
        m.Acknowledge(),
        m.Withdraw("Enough."),
        m.DropCandidate(s.K7),
        m.RejectPhoto(s.SHA, "format", "No."),
    ]
)
ANYBODY = st.sampled_from(s.EVERYBODY)
PREFIX = st.sampled_from([[], s.TO_REVIEW[:2], s.TO_REVIEW, [*s.TO_REVIEW, *says(s.LEAD, EVA)], s.AGREED])


@settings(max_examples=400, deadline=None)
@given(asker=st.sampled_from([DANA, OMNI]), before=PREFIX, then=st.lists(st.tuples(COMMANDS, ANYBODY), max_size=25))
def test_no_lead_without_two_examiners_and_a_supervisor_all_of_them_other_than_the_asker(asker, before, then):
    steps = [(c, asker if by is DANA else by) for c, by in before]
    search, events = s.tell([*steps, *then])
    issued = [e for e in events if isinstance(e, m.LeadIssued)]
    assert len(issued) <= 1
    for lead in issued:
        who = [*lead.examiners, search.decided_by, search.requested_by]
        assert len(set(who)) == len(who) == 4
        assert search.requested_by not in examiners(search)
        assert all(
            e.answers.keys() >= {c.label for c in search.candidates} for e in search.examinations if e.conclusion
        )
    assert reduce(evolve, events, m.Search(search.id)) == search


@settings(max_examples=200, deadline=None)
@given(then=st.lists(st.tuples(COMMANDS, ANYBODY), max_size=15))
def test_no_search_is_run_without_an_accepted_request(then):
    _, events = s.tell(then)
    kinds = [type(e) for e in events]
    if m.SearchRun in kinds:
        assert m.SearchRequested in kinds[: kinds.index(m.SearchRun)]
