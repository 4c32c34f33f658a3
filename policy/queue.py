"""What waits for an examiner, in an order that tells nothing of what it is about (S9, M17).

Whatever waits longest comes first, counted from the moment its review was opened: neither the offence, the requester
nor the search's result has a part in it. What others have begun or locked changes neither order nor words.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from policy.authority import examination, may
from policy.model import Actor, AnswerCandidate, Label, Post, Search, SearchId
from policy.morphology import Support
from policy.pack import Pack

ANSWER = AnswerCandidate(Label(""), Support.NEITHER)  # asked of the policy, never submitted


@dataclass(frozen=True, slots=True)
class Waiting:
    """One review that somebody may examine now."""

    search: SearchId
    since: datetime  # when its review was opened
    answered: int  # by this examiner alone
    candidates: int


def queue(
    searches: Iterable[Search], by: Actor, pack_of: Callable[[Search], Pack], now: datetime
) -> tuple[Waiting, ...]:
    """What `by` may examine now, longest waiting first; empty for whoever may examine nothing."""
    mine = [_waiting(s, by) for s in searches if Post.REVIEW in s.posts and not may(s, ANSWER, by, pack_of(s), now)]
    return tuple(sorted(mine, key=lambda one: (one.since, one.search)))


def _waiting(search: Search, by: Actor) -> Waiting:
    begun = examination(search, by.id)
    return Waiting(search.id, opened(search), len(begun.answers) if begun else 0, len(search.candidates))


def opened(search: Search) -> datetime:
    """When the review was opened: Slack's timestamps of messages are seconds since 1970."""
    _, ts = search.posts[Post.REVIEW].split()
    return datetime.fromtimestamp(float(ts), UTC)
