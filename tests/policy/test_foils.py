"""Whoever examines after a locked opinion sees its pick among look-alikes, or look-alikes alone, and not which (X1)."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import foils
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


def second(picked: m.Label | None, rules=None, draw: str = "") -> tuple[m.Label, ...]:
    """Whom the second examiner is shown when the first named that one or nobody."""
    search, _ = s.tell([*UP_TO_REVIEW, *says(picked, s.EVA), (m.OpenExamination(draw), s.NOOR)], rules)
    return search.shown[s.NOOR.id]


def test_the_first_examiner_compares_every_candidate_and_that_is_recorded():
    _, told = s.tell([*UP_TO_REVIEW, (OPEN, s.EVA)])
    assert told[-1] == m.CandidatesShown(s.EVA.id, LABELS)


@given(st.text(max_size=8))
def test_whom_a_draw_shows_is_the_same_with_no_pick_and_with_the_pick_of_any_of_them(draw):
    shown = second(None, draw=draw)
    assert {second(label, draw=draw) for label in shown} == {shown}


def test_who_is_shown_is_chance():
    assert len({second(None, draw=str(n)) for n in range(20)}) > 1


def test_who_is_shown_does_not_say_whom_the_software_ranked_highest():
    """Of the twelve most alike, each is shown as often as any other, the first as often as the twelfth."""
    often = Counter(label for n in range(600) for label in foils_of(None, str(n)))
    assert often.keys() == set(LABELS[: 2 * SHOWN])
    assert all(240 <= often[label] <= 360 for label in often), often  # 300 each, give or take five deviations


def test_a_pick_from_further_down_has_its_foils_from_among_its_neighbours():
    often = Counter(label for n in range(200) for label in foils_of(LABELS[17], str(n)))
    assert often.pop(LABELS[17]) == 200
    assert often.keys() == set(LABELS[6:17])


def foils_of(picked: m.Label | None, draw: str) -> tuple[m.Label, ...]:
    return foils.opened(TOLD[picked], s.NOOR.id, s.pack(), draw)[0].labels


TOLD = {picked: s.tell([*UP_TO_REVIEW, *says(picked, s.EVA)])[0] for picked in (None, LABELS[17])}


@given(st.sampled_from([None, *LABELS]), st.text(max_size=8))
def test_as_many_are_shown_whatever_the_first_concluded_and_the_pick_is_among_them(picked, draw):
    shown = second(picked, draw=draw)
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
    hidden, shown = LABELS[19], second(None)
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
    _, told = s.tell([*steps, *says(None, s.NOOR, shown)[1:-1], (replace(s.LEAD, candidate=hidden), s.NOOR)])
    assert s.refusals(told)[-1:] == ["names-candidate"]


def test_an_opinion_is_on_every_candidate_that_was_shown():
    shown = second(None)
    _, told = s.tell([*UP_TO_REVIEW, *says(None, s.EVA), *says(None, s.NOOR, shown[:-1])])
    assert s.refusals(told) == ["answers-all"]


def test_what_an_examiner_sees_of_a_search_is_those_shown_and_no_others():
    search, _ = s.tell([*UP_TO_REVIEW, *says(None, s.EVA), (OPEN, s.NOOR)])
    assert tuple(c.label for c in seen_by(search, s.NOOR.id).candidates) == second(None)
    assert seen_by(search, s.EVA.id) == search


def test_what_an_examiner_sees_of_a_search_stands_by_label_and_not_by_rank():
    by_rank = tuple(replace(c, label=label) for c, label in zip(MANY, reversed(LABELS), strict=True))
    search = m.Search(m.SearchId("LG-AAAAAAAAAAAA"), candidates=by_rank)
    assert tuple(c.label for c in seen_by(search, s.EVA.id).candidates) == LABELS


def test_which_candidates_are_still_open_is_said_by_label_and_not_by_rank():
    by_rank = tuple(replace(c, label=label) for c, label in zip(MANY, reversed(LABELS), strict=True))
    found = (m.RecordCandidates(by_rank, {"k": 20}), s.SYSTEM)
    _, told = s.tell([*s.TO_REVIEW[:2], found, s.TO_REVIEW[3], (s.NO_LEAD, s.EVA)])
    assert f"Still open: {', '.join(LABELS)}." in told[-1].reason


@pytest.mark.parametrize("wrong", ["shown = 2", "shown = 51", "pick = true"])
def test_a_pack_shows_three_at_least_and_says_where_it_is_from(wrong):
    text = s.text_of().replace("[foils]\nshown = 6", f"[foils]\n{wrong}")
    assert text != s.text_of()
    with pytest.raises(PackError, match="foils"):
        parse(text, "nypd-2020.toml")
