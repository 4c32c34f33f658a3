"""What waits for an examiner: what they may examine, longest first, whatever it is about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from policy import model as m
from policy.queue import opened, queue
from tests import story as s


def review(name: str, minutes: int, steps: list[s.Step]) -> m.Search:
    """A search whose review was opened so many minutes before noon."""
    search, _ = s.tell(steps)
    at = (s.NOON - timedelta(minutes=minutes)).timestamp()
    return replace(search, id=m.SearchId(name), posts=search.posts | {m.Post.REVIEW: f"C2 {at}"})


def names(searches: list[m.Search], by: m.Actor) -> list[str]:
    return [one.search for one in queue(searches, by, lambda _: s.pack(), s.NOON)]


def test_the_longest_waiting_comes_first_whatever_is_asked_and_whoever_asks():
    urgent = replace(review("LG-B", 5, s.TO_REVIEW), fields={"offence": "PL 125.27"}, requested_by=s.SAM.id)
    searches = [urgent, review("LG-A", 90, s.TO_REVIEW), review("LG-C", 30, s.TO_REVIEW)]
    assert names(searches, s.EVA) == names(searches[::-1], s.EVA) == ["LG-A", "LG-C", "LG-B"]


def test_what_a_colleague_has_begun_or_locked_moves_nothing():
    untouched = [review("LG-A", 20, s.TO_REVIEW), review("LG-B", 10, s.TO_REVIEW)]
    locked = [untouched[0], review("LG-B", 10, [*s.TO_REVIEW, *s.says(s.LEAD, s.EVA)])]
    seen, before = (queue(searches, s.NOOR, lambda _: s.pack(), s.NOON) for searches in (locked, untouched))
    assert seen == before


def test_an_examiner_sees_how_far_they_are_themselves():
    begun = review("LG-A", 20, [*s.TO_REVIEW, s.answers(s.EVA)[0]])
    assert [(one.answered, one.candidates) for one in queue([begun], s.EVA, lambda _: s.pack(), s.NOON)] == [(1, 3)]


@pytest.mark.parametrize(
    ("by", "steps"),
    [
        (s.DANA, s.TO_REVIEW),
        (s.MARA, s.TO_REVIEW),
        (s.EVA, [*s.TO_REVIEW, *s.says(s.LEAD, s.EVA)]),
        (s.NOOR, [*s.TO_REVIEW, (m.DeclareConflict("A neighbour."), s.NOOR)]),
        (s.BEN, s.AGREED),
        (s.EVA, s.TO_REVIEW[:-1]),
        (replace(s.EVA, certified_until=s.NOON - timedelta(days=1)), s.TO_REVIEW),
    ],
    ids=["requester", "supervisor", "locked", "conflict", "over", "not opened", "certification ended"],
)
def test_nothing_waits_for_whoever_may_not_examine_it(by, steps):
    search, _ = s.tell(steps)
    assert names([search], by) == []


def test_a_disagreement_waits_for_whoever_has_not_said_like_any_other_review():
    rules = s.pack()
    rules = rules.model_copy(update={"review": rules.review.model_copy(update={"disagreement": "arbiter"})})
    fresh, _ = s.tell(s.TO_REVIEW, rules)
    differing, _ = s.tell([*s.TO_REVIEW, *s.says(s.LEAD, s.EVA), *s.says(s.NO_LEAD, s.NOOR)], rules)
    assert differing.state is m.State.DISAGREED
    assert queue([differing], s.EVA, lambda _: rules, s.NOON) == ()
    before, after = (queue([search], s.BEN, lambda _: rules, s.NOON) for search in (fresh, differing))
    assert before == after != ()


def test_a_review_was_opened_when_slack_says_its_message_was_posted():
    search, _ = s.tell(s.TO_REVIEW)
    assert opened(search) == datetime(1970, 1, 1, 0, 0, 2, tzinfo=UTC)
