"""Known-answer cases: they go the way of every other, nothing comes of them, and the figures are what statistics say."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from policy import known_answers as k
from policy import model as m
from tests import story as s

INJECT = m.InjectKnownAnswer("k-1", "suspect")
TO_REVIEW = [(INJECT, s.SYSTEM), *s.TO_REVIEW[1:]]
SECOND, ARBITER = s.says(s.LEAD, s.NOOR), s.says(s.LEAD, s.BEN)
PLAYED = {
    "both find the same": [*s.says(s.LEAD, s.EVA), *SECOND],
    "both find nobody": [*s.says(s.NO_LEAD, s.EVA), *s.says(s.NO_LEAD, s.NOOR)],
    "they differ and an arbiter agrees with one": [*s.says(s.NO_LEAD, s.EVA), *SECOND, *ARBITER],
    "they differ and an arbiter with neither": [*s.says(s.NO_LEAD, s.EVA), *SECOND, *s.says(s.OTHER_LEAD, s.BEN)],
}


def test_the_record_says_plainly_what_it_was_and_when():
    _, (injected,) = s.tell([(INJECT, s.SYSTEM)])
    assert injected == m.KnownAnswerInjected(k.REQUESTER, s.NOON, s.pack().id, "suspect", "k-1")


@pytest.mark.parametrize("name", PLAYED)
def test_however_it_is_answered_it_ends_without_a_lead_and_as_what_it_is(name):
    search, told = s.tell([*TO_REVIEW, *PLAYED[name]])
    assert (search.state, search.outcome, search.lead) == (m.State.CLOSED, m.Outcome.KNOWN_ANSWER, None)
    assert [type(e) for e in told if isinstance(e, (m.LeadIssued, m.LeadDecided))] == []


@pytest.mark.parametrize("name", PLAYED)
def test_until_it_is_over_the_examiners_side_is_what_it_is_of_a_real_one(name):
    """The same states, and the same events but for how it began and how it ended."""
    _, known = s.tell([*TO_REVIEW, *PLAYED[name]])
    _, real = s.tell([*s.TO_REVIEW, *PLAYED[name]])
    begun = [e for e in known if not isinstance(e, (m.KnownAnswerInjected, m.SearchClosed))]
    assert begun == [e for e in real if not isinstance(e, (m.SearchRequested, m.SearchClosed))]


@pytest.mark.parametrize("seen", [s.SEEN_TWO, replace(s.SEEN, faces=()), replace(s.SEEN, faces=(s.POOR_FACE,))])
def test_a_photograph_that_asks_for_somebody_ends_it_at_once(seen):
    search, _ = s.tell([(INJECT, s.SYSTEM), (seen, s.SYSTEM)])
    assert (search.state, search.outcome) == (m.State.CLOSED, m.Outcome.KNOWN_ANSWER)


def test_nobody_but_the_system_injects_and_nobody_twice():
    for by in [one for one in s.EVERYBODY if one is not s.SYSTEM]:
        assert s.refusals(s.tell([(INJECT, by)])[1]) == ["has-role"]
    assert len(s.tell([(INJECT, s.SYSTEM), (INJECT, s.SYSTEM)])[1]) == 1


NAMED, NONE, OPEN = m.Conclusion.POSSIBLE_MATCH, m.Conclusion.NO_POSSIBLE_MATCH, m.Conclusion.INCONCLUSIVE


@pytest.mark.parametrize(
    ("conclusion", "named", "truth", "verdict"),
    [
        (NAMED, s.K7, s.K7, k.Verdict.RIGHT),
        (NAMED, s.P4, s.K7, k.Verdict.WRONG_PERSON),
        (NAMED, s.P4, None, k.Verdict.WRONG_PERSON),
        (NONE, None, s.K7, k.Verdict.MISSED),
        (NONE, None, None, k.Verdict.RIGHT),
        (OPEN, None, s.K7, k.Verdict.INCONCLUSIVE),
        (OPEN, None, None, k.Verdict.INCONCLUSIVE),
    ],
)
def test_what_an_opinion_was_follows_from_the_answer(conclusion, named, truth, verdict):
    assert k.verdict(conclusion, named, truth) is verdict


@settings(deadline=None)
@given(st.integers(0, 400), st.data())
def test_the_interval_is_the_one_that_a_statistics_library_gives(trials, data):
    errors = data.draw(st.integers(0, trials))
    low, high = k.wilson(errors, trials)
    if trials == 0:
        assert (low, high) == (0.0, 1.0)
        return
    theirs = binomtest(errors, trials).proportion_ci(0.95, method="wilson")
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    assert low - 1e-12 <= errors / trials <= high + 1e-12


def test_the_rates_are_told_by_unit_and_each_over_its_own_cases():
    fis = [
        k.Result("FIS", True, v)
        for v in (k.Verdict.RIGHT, k.Verdict.MISSED, k.Verdict.WRONG_PERSON, k.Verdict.INCONCLUSIVE)
    ]
    fis += [k.Result("FIS", False, v) for v in (k.Verdict.RIGHT, k.Verdict.WRONG_PERSON, k.Verdict.INCONCLUSIVE)]
    one, two = k.rates([*fis, k.Result("SAU", False, k.Verdict.RIGHT)])
    assert (one.unit, one.false_positives, one.misses, one.wrong_person) == (
        "FIS",
        k.Proportion(1, 3),
        k.Proportion(3, 4),
        1,
    )
    assert (two.unit, two.false_positives, two.misses) == ("SAU", k.Proportion(0, 1), k.Proportion(0, 0))
    assert two.misses.rate is None
