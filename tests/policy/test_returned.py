"""A supervisor asks for one more opinion (M23), an examiner adds to theirs (M22), the desk gives up (M24)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from policy import model as m
from policy.foils import shown_to
from policy.visibility import context_closed
from policy.workflow import FAULT, decide
from tests import story as s
from tests.story import BEN, DANA, EVA, MARA, NOOR, OMNI, SYSTEM, VERA

BACK = m.ReturnReview(" The light differs. ")
RETURNED = [*s.AGREED, (BACK, MARA)]
FOURTH = replace(BEN, id=m.PersonId("fourth"))


def test_one_more_examiner_compares_and_the_reason_is_kept():
    search, events = s.tell(RETURNED)
    assert events[-1] == m.ReviewReturned(MARA.id, s.NOON, "The light differs.")
    assert (search.state, search.lead, search.returned, search.outcome) == (m.State.DISAGREED, None, (MARA.id,), None)
    assert search.context is not None, "the record was looked at, and stays so"


def test_whoever_compares_then_sees_everybody_and_nothing_of_the_record():
    search, _ = s.tell([*RETURNED, (m.OpenExamination(), BEN)])
    assert set(shown_to(search, BEN.id)) == {c.label for c in s.CANDIDATES}
    assert context_closed(search, BEN).rule == "sees-after-locking"
    assert context_closed(search, EVA).rule == "sees-after-locking"  # closed again while somebody compares


def test_where_they_agree_the_supervisor_is_asked_again_and_all_three_carry_the_lead():
    search, events = s.tell([*RETURNED, *s.says(s.LEAD, BEN)])
    assert (search.state, search.lead, events[-1]) == (m.State.AGREED, s.K7, m.ExaminersAgreed(s.K7))
    search, events = s.tell([(s.APPROVE, VERA)], search=search)
    assert events[-1].examiners == (EVA.id, NOOR.id, BEN.id)


@pytest.mark.parametrize("other", [s.NO_LEAD, s.OTHER_LEAD, replace(s.NO_LEAD, conclusion=m.Conclusion.INCONCLUSIVE)])
def test_where_they_do_not_agree_there_is_no_lead(other):
    search, events = s.tell([*RETURNED, *s.says(other, BEN)])
    assert (search.state, search.outcome) == (m.State.CLOSED, m.Outcome.NO_POSSIBLE_MATCH)
    assert events[-1].reason == "The examiners did not agree on a candidate."


def test_each_return_asks_for_one_opinion_more():
    search, _ = s.tell([*RETURNED, *s.says(s.LEAD, BEN), (BACK, MARA)])
    assert (search.state, search.returned) == (m.State.DISAGREED, (MARA.id, MARA.id))
    search, events = s.tell(s.says(s.LEAD, FOURTH), search=search)
    assert (search.state, events[-1]) == (m.State.AGREED, m.ExaminersAgreed(s.K7))


def test_after_an_arbiter_three_of_four_are_needed():
    rules = s.pack("bja-template")
    rules = s.pack().model_copy(update={"review": rules.review.model_copy(update={"disagreement": "arbiter"})})
    steps = [*s.TO_REVIEW, *s.says(s.LEAD, EVA), *s.says(s.NO_LEAD, NOOR), *s.says(s.LEAD, BEN), (s.LOOKED, SYSTEM)]
    agreed, _ = s.tell([*steps, (BACK, MARA)], rules)
    assert agreed.state is m.State.DISAGREED
    assert s.tell(s.says(s.LEAD, FOURTH), rules, agreed)[0].state is m.State.AGREED
    assert s.tell(s.says(s.NO_LEAD, FOURTH), rules, agreed)[0].outcome is m.Outcome.NO_POSSIBLE_MATCH


def test_it_is_not_returned_without_a_reason_nor_before_the_record_was_looked_at():
    assert s.refusals(s.tell([*s.AGREED, (m.ReturnReview(" "), MARA)])[1]) == ["decides-with-reason"]
    assert s.refusals(s.tell([*s.AGREED[:-1], (BACK, MARA)])[1]) == ["context-first"]


def test_pressed_twice_it_is_returned_once_and_by_somebody_else_not_at_all():
    once, _ = s.tell(RETURNED)
    assert s.tell([(BACK, MARA)], search=once) == (once, [])
    assert s.refusals(s.tell([(BACK, VERA)], search=once)[1]) == ["fits-state"]
    assert once.returned == (MARA.id,)


def test_a_second_return_pressed_twice_is_one_return():
    again, _ = s.tell([*RETURNED, *s.says(s.LEAD, BEN), (s.LOOKED, SYSTEM), (BACK, VERA)])
    assert again.returned == (MARA.id, VERA.id)
    assert s.tell([(BACK, VERA)], search=again) == (again, [])
    assert s.refusals(s.tell([(BACK, MARA)], search=again)[1]) == ["fits-state"]


def test_a_supervisor_who_asked_or_examined_returns_nothing():
    asked = [(s.ASK, OMNI), *s.AGREED[1:], (BACK, OMNI)]
    assert s.refusals(s.tell(asked)[1]) == ["reviews-not-own"]
    examined = [*s.TO_REVIEW, *s.says(s.LEAD, OMNI), *s.says(s.LEAD, EVA), (s.LOOKED, SYSTEM), (BACK, OMNI)]
    assert s.refusals(s.tell(examined)[1]) == ["decides-not-own"]


def test_a_supervisor_who_returned_it_is_not_the_one_more_who_compares():
    """They saw whom the others named, and the record: what they would say is no opinion of their own (M22)."""
    returned, _ = s.tell([*s.AGREED, (BACK, OMNI)])
    search, events = s.tell([(m.OpenExamination(), OMNI), *s.says(s.LEAD, OMNI)], search=returned)
    assert search == returned
    assert set(s.refusals(events)) == {"examines-not-returned"}
    handed = m.HandOver(OMNI.id, "Nobody has begun.")
    assert s.refusals(s.tell([(handed, MARA)], search=returned)[1]) == ["hands-to-another"]


NOTE = m.AppendNote(" The scar may be make-up. ")


@pytest.mark.parametrize(
    "steps",
    [
        [*s.TO_REVIEW, *s.says(s.LEAD, EVA)],
        s.AGREED,
        RETURNED,
        [*s.AGREED, (s.APPROVE, MARA)],
        [*s.TO_REVIEW, *s.says(s.NO_LEAD, EVA), *s.says(s.NO_LEAD, NOOR)],
    ],
)
def test_what_is_added_stands_beside_the_opinion_and_changes_nothing_of_it(steps):
    before, _ = s.tell(steps)
    search, events = s.tell([(NOTE, EVA), (NOTE, EVA)], search=before)
    assert events == [m.NoteAppended(EVA.id, s.NOON, "The scar may be make-up.")]
    assert search == replace(before, notes=(m.Note(EVA.id, s.NOON, "The scar may be make-up."),))


@pytest.mark.parametrize(
    ("text", "rule", "told"),
    [
        ("n/a", "says-something", "Say what should be known beside your opinion."),
        (
            "A perfect match, surely.",
            "sober-words",
            "“match” says more than a comparison can: write what you see.",
        ),
    ],
)
def test_what_is_added_says_something_and_no_more_than_can_be_seen(text, rule, told):
    _, events = s.tell([*s.AGREED, (m.AppendNote(text), EVA)])
    assert events[-1] == m.Refused(rule, told)


def test_two_examiners_may_add_the_same_words():
    search, _ = s.tell([*s.AGREED, (NOTE, EVA), (NOTE, NOOR)])
    assert [note.by for note in search.notes] == [EVA.id, NOOR.id]


@pytest.mark.parametrize("steps", [[(s.ASK, DANA)], [(s.ASK, DANA), (s.SEEN, SYSTEM)], s.TO_REVIEW[:3], s.AGREED[:-1]])
def test_a_fault_ends_the_search_and_says_nothing_about_anybody(steps):
    search, events = s.tell([*steps, (m.GiveUp(), SYSTEM), (m.GiveUp(), SYSTEM)])
    assert events[-1] == m.SearchClosed(m.Outcome.ERROR, FAULT)
    assert (search.state, search.outcome, search.lead) == (m.State.CLOSED, m.Outcome.ERROR, None)
    assert FAULT == (
        "The desk could not go on with this search because of a fault of its own. This says nothing about any person. "
        "The administrators know. Post the photograph again if the case still needs it."
    )


@pytest.mark.parametrize("steps", [s.TO_REVIEW, [*s.TO_REVIEW, *s.says(s.LEAD, EVA)], RETURNED])
def test_a_fault_takes_nothing_out_of_peoples_hands(steps):
    assert s.refusals(s.tell([*steps, (m.GiveUp(), SYSTEM)])[1]) == ["fits-state"]


def test_what_is_over_stays_as_it_ended():
    for end in ([*s.TO_REVIEW, (m.Withdraw("Solved."), DANA)], [*s.AGREED, (s.APPROVE, MARA)]):
        before, _ = s.tell(end)
        assert decide(before, m.GiveUp(), SYSTEM, s.pack(), s.NOON + timedelta(days=1)) == ()
