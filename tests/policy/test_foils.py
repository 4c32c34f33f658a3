"""Whoever examines after a locked opinion sees its pick among look-alikes, or look-alikes alone, and not which (X1)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import model as m
from policy.foils import seen_by, shown_to
from policy.pack import PackError, parse
from tests import story as s

LABELS = tuple(m.Label(f"{letter}{number}") for letter in "ABCD" for number in range(2, 7))
MANY = tuple(m.Candidate(label, f"S-{n}", (f"p-{n}",), n, 1 - n / 100) for n, label in enumerate(LABELS, start=1))
OPEN = m.OpenExamination()
SHOWN = 6
UP_TO_REVIEW: list[s.Step] = [*s.TO_REVIEW[:2], (m.RecordCandidates(MANY, {"k": 20}), s.SYSTEM), s.TO_REVIEW[3]]
ARBITER = s.pack().model_copy(
    update={"review": s.pack().review.model_copy(update={"disagreement": "arbiter"})},
)
ALL_THE_SAME = s.pack().model_copy(update={"foils": None})


def says(picked: m.Label | None, by: m.Actor, labels=LABELS) -> list[s.Step]:
    """`by` sits down, answers those shown, and names that one or nobody."""
    answers = [
        (m.AnswerCandidate(label, m.Support.SAME if label == picked else m.Support.DIFFERENT), by) for label in labels
    ]
    return [(OPEN, by), *answers, (replace(s.LEAD, candidate=picked) if picked else s.NO_LEAD, by)]


def second(picked: m.Label | None, rules=None) -> tuple[m.Label, ...]:
    """Whom the second examiner is shown when the first named that one or nobody."""
    search, _ = s.tell([*UP_TO_REVIEW, *says(picked, s.EVA), (OPEN, s.NOOR)], rules)
    return search.shown[s.NOOR.id]


def test_the_first_examiner_compares_every_candidate_and_that_is_recorded():
    _, told = s.tell([*UP_TO_REVIEW, (OPEN, s.EVA)])
    assert told[-1] == m.CandidatesShown(s.EVA.id, LABELS)


def test_a_pick_among_the_most_alike_leaves_no_trace_in_who_is_shown():
    alike = [second(label) for label in LABELS[:SHOWN]]
    assert set(alike) == {second(None)} == {LABELS[:SHOWN]}


@given(st.sampled_from([None, *LABELS]))
def test_as_many_are_shown_whatever_the_first_concluded_and_the_pick_is_among_them(picked):
    shown = second(picked)
    assert len(set(shown)) == SHOWN
    assert set(shown) <= set(LABELS)
    assert picked is None or picked in shown
    assert list(shown) == sorted(shown)


def test_a_pack_without_foils_shows_everybody_to_everybody():
    assert second(LABELS[3], ALL_THE_SAME) == LABELS


def test_whoever_sat_down_before_an_opinion_was_locked_goes_on_with_every_candidate():
    search, told = s.tell([*UP_TO_REVIEW, (OPEN, s.NOOR), *says(LABELS[0], s.EVA), (OPEN, s.NOOR)])
    assert shown_to(search, s.NOOR.id) == LABELS
    assert [e.by for e in told if isinstance(e, m.CandidatesShown)] == [s.NOOR.id, s.EVA.id]


def test_whoever_answered_before_an_opinion_was_locked_goes_on_with_every_candidate():
    began = (m.AnswerCandidate(LABELS[9], m.Support.DIFFERENT), s.NOOR)
    search, _ = s.tell([*UP_TO_REVIEW, began, *says(LABELS[0], s.EVA), (OPEN, s.NOOR)])
    assert shown_to(search, s.NOOR.id) == LABELS


def test_two_who_see_the_pick_and_name_it_agree_though_one_saw_fewer():
    pick = LABELS[11]
    search, told = s.tell([*UP_TO_REVIEW, *says(pick, s.EVA), *says(pick, s.NOOR, second(pick))])
    assert s.refusals(told) == []
    assert (search.state, search.lead) == (m.State.AGREED, pick)


@pytest.mark.parametrize("picked", [LABELS[0], LABELS[11], None])
def test_whoever_names_a_foil_disagrees(picked):
    foil = next(label for label in second(picked) if label != picked)
    told_by = [*UP_TO_REVIEW, *says(picked, s.EVA), *says(foil, s.NOOR, second(picked))]
    closed, _ = s.tell(told_by)
    assert (closed.state, closed.outcome, closed.lead) == (m.State.CLOSED, m.Outcome.NO_POSSIBLE_MATCH, None)
    differing, _ = s.tell(told_by, ARBITER)
    assert differing.state is m.State.DISAGREED
    arbiter, _ = s.tell([(OPEN, s.BEN)], ARBITER, differing)
    assert arbiter.shown[s.BEN.id] == LABELS


def test_nobody_answers_or_names_a_candidate_whom_they_were_not_shown():
    hidden = LABELS[15]
    _, told = s.tell([*UP_TO_REVIEW, *says(None, s.EVA), (OPEN, s.NOOR)])
    before = len(told)
    steps = [
        *UP_TO_REVIEW,
        *says(None, s.EVA),
        (OPEN, s.NOOR),
        (m.AnswerCandidate(hidden, m.Support.SAME), s.NOOR),
    ]
    _, told = s.tell(steps)
    assert s.refusals(told[before:]) == ["names-candidate"]
    _, told = s.tell([*steps, *says(None, s.NOOR, LABELS[:SHOWN])[1:-1], (replace(s.LEAD, candidate=hidden), s.NOOR)])
    assert s.refusals(told)[-1:] == ["names-candidate"]


def test_an_opinion_is_on_every_candidate_that_was_shown():
    shown = second(None)
    _, told = s.tell([*UP_TO_REVIEW, *says(None, s.EVA), *says(None, s.NOOR, shown[:-1])])
    assert s.refusals(told) == ["answers-all"]


def test_what_an_examiner_sees_of_a_search_is_those_shown_and_no_others():
    search, _ = s.tell([*UP_TO_REVIEW, *says(None, s.EVA), (OPEN, s.NOOR)])
    assert tuple(c.label for c in seen_by(search, s.NOOR.id).candidates) == LABELS[:SHOWN]
    assert seen_by(search, s.EVA.id) == search


@pytest.mark.parametrize("wrong", ["shown = 2", "shown = 51", "pick = true"])
def test_a_pack_shows_three_at_least_and_says_where_it_is_from(wrong):
    text = s.text_of().replace("[foils]\nshown = 6", f"[foils]\n{wrong}")
    assert text != s.text_of()
    with pytest.raises(PackError, match="foils"):
        parse(text, "nypd-2020.toml")
