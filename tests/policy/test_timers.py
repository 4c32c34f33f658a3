"""What waits for whom, and when it is time to say so."""

from dataclasses import replace
from datetime import timedelta

import pytest

from policy import model as m
from policy import seats
from policy.timers import STAGES, Stage, for_whom, waiting
from tests import story as s
from tests.story import BEN, DANA, EVA, MARA, NOOR, SAM, VERA

HOURS = {"approval": 4, "face": 24, "quality": 8, "examination": 24, "arbitration": 24, "decision": 8}


def told(steps):
    search, _ = s.tell(steps)
    one = waiting(search, s.NOON, s.pack())
    assert one is not None
    return one


def whose(steps):
    one = told(steps)
    everybody = (DANA, SAM, EVA, NOOR, BEN, MARA, VERA)
    return {by.id for by in everybody if for_whom(one, by, s.pack(), s.NOON)}


@pytest.mark.parametrize(("state", "stage"), STAGES.items())
def test_every_stage_has_its_own_hours_and_twice_as_many_until_somebody_above_knows(state, stage):
    one = waiting(m.Search(m.SearchId("LG-AAAAAAAAAAAA"), state), s.NOON, s.pack())
    hours = timedelta(hours=HOURS[stage])
    assert (one.since, one.due, one.escalates) == (s.NOON, s.NOON + hours, s.NOON + 2 * hours)


@pytest.mark.parametrize("state", set(m.State) - STAGES.keys())
def test_what_machines_do_and_what_is_over_waits_for_nobody(state):
    assert waiting(m.Search(m.SearchId("LG-AAAAAAAAAAAA"), state), s.NOON, s.pack()) is None


def test_an_examination_waits_for_every_examiner_who_may_and_has_not_locked():
    assert whose(s.TO_REVIEW) == {"eva", "noor", "ben"}
    assert whose([*s.TO_REVIEW, *s.says(s.LEAD, EVA)]) == {"noor", "ben"}
    assert whose([*s.TO_REVIEW, (m.DeclareConflict("A neighbour."), BEN)]) == {"eva", "noor"}


HANDED = [*s.TO_REVIEW, (m.HandOver(NOOR.id, "Nobody has begun."), MARA)]


def test_what_was_handed_over_to_one_waits_for_somebody_else_as_well_while_two_are_needed():
    assert whose(HANDED) == {"eva", "noor", "ben"}
    assert whose([*HANDED, *s.says(s.LEAD, EVA)]) == {"noor"}
    assert whose([*HANDED, *s.says(s.LEAD, EVA), (m.HandBack("Called away."), NOOR)]) == {"noor", "ben"}
    assert whose([*HANDED, *s.says(s.LEAD, NOOR)]) == {"eva", "ben"}


def test_whoever_has_begun_keeps_what_a_supervisor_hands_to_another():
    """They could not give it back otherwise, nor find what they began."""
    locked = [*s.TO_REVIEW, *s.says(s.LEAD, BEN), (m.AnswerCandidate(s.K7, m.Support.SAME), EVA)]
    assert whose([*locked, (m.HandOver(NOOR.id, "Eva is in court."), MARA)]) == {"eva", "noor"}


def test_whoever_gives_it_back_takes_it_from_nobody_else():
    handed, _ = s.tell([*s.TO_REVIEW, (m.AnswerCandidate(s.K7, m.Support.SAME), EVA), HANDED[-1]])
    back, _ = s.tell([(m.HandBack("Called away."), EVA)], search=handed)
    assert (handed.asked, back.asked) == ((NOOR.id,), (NOOR.id,))


def test_once_it_is_due_it_waits_for_whoever_may():
    one = told([*HANDED, *s.says(s.LEAD, EVA)])
    assert [for_whom(one, BEN, s.pack(), at) for at in (s.NOON, one.due)] == [False, True]


def test_decisions_and_approvals_wait_for_supervisors_who_may_and_a_face_for_who_asked():
    assert whose(s.AGREED) == {"mara", "vera"}
    assert whose([(s.ASK, DANA), (s.SEEN_TWO, s.SYSTEM)]) == {"dana"}


def test_what_was_given_back_is_forgotten_by_all_but_the_record():
    begun = [*s.TO_REVIEW, (m.AnswerCandidate(s.K7, m.Support.SAME), EVA)]
    search, events = s.tell([*begun, (m.HandBack(" Called away. "), EVA)])
    assert (search.examinations, search.handed_back) == ((), (EVA.id,))
    assert events[-1] == m.HandedBack(EVA.id, "Called away.")
    again, _ = s.tell(s.says(s.LEAD, EVA), search=search)
    assert [e.examiner for e in again.examinations] == [EVA.id]


def test_a_supervisor_who_began_to_examine_and_gave_it_back_does_not_decide():
    both = replace(MARA, roles=MARA.roles | EVA.roles)
    begun = [(m.AnswerCandidate(s.K7, m.Support.SAME), both), (m.HandBack("Called away."), both)]
    _, events = s.tell([*s.TO_REVIEW, *begun, *s.AGREED[len(s.TO_REVIEW) :], (s.APPROVE, both)])
    assert s.refusals(events) == ["decides-not-own"]


WRONG = {
    "given back by who never began": ((m.HandBack("Called away."), EVA), "begun-first"),
    "given back for no reason": ((m.HandBack(" "), EVA), "decides-with-reason"),
    "handed to who asked": ((m.HandOver(DANA.id, "She knows him."), MARA), "hands-to-another"),
    "handed over for no reason": ((m.HandOver(EVA.id, ""), MARA), "decides-with-reason"),
    "handed over by an examiner": ((m.HandOver(EVA.id, "Busy."), BEN), "has-role"),
}


@pytest.mark.parametrize("name", WRONG)
def test_nobody_gives_independence_away(name):
    step, rule = WRONG[name]
    search, events = s.tell([*s.TO_REVIEW, step])
    assert (s.refusals(events), search.asked) == ([rule], ())


def test_whoever_locked_an_opinion_is_not_asked_for_another():
    _, events = s.tell([*s.TO_REVIEW, *s.says(s.LEAD, EVA), (m.HandOver(EVA.id, "Once again."), MARA)])
    assert s.refusals(events) == ["hands-to-another"]


def test_every_stage_is_asked_of_the_pack():
    assert s.pack().timers.hours() == HOURS
    assert {stage.value for stage in Stage} == HOURS.keys()


def test_what_was_handed_over_waits_for_them_until_their_opinion_is_locked():
    handed, _ = s.tell([*s.TO_REVIEW, (m.HandOver(s.EVA.id, "Noor is in court."), s.MARA)])
    others, _ = s.tell(s.says(s.NO_LEAD, s.BEN), search=handed)
    begun, _ = s.tell(s.answers(s.EVA), search=others)
    locked, _ = s.tell([(s.NO_LEAD, s.EVA)], search=begun)
    assert [seats.kept(search) for search in (handed, others, begun)] == [(s.EVA.id,)] * 3
    assert seats.kept(locked) == ()
