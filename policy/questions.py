"""Who may ask what of the record, beside the commands of `authority`: nowhere else is that decided. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from policy.model import Actor, Refused, Role


class Question(StrEnum):
    """What is asked with a slash command; every one is recorded, whether it is answered or not (M33)."""

    USAGE = "/face-usage"
    CASE = "/face-case"
    QUEUE = "/face-queue"
    QUALITY = "/face-quality"
    RATE = "/face-quality rate"  # sets how many known-answer cases are given
    CLOSING = "/face-recall CASE"  # which leads there are of a case that was closed on another person


@dataclass(frozen=True, slots=True)
class Asking:
    """Whom a question is answered, and what of the answer they do not see all the same."""

    roles: frozenset[Role]
    but: str = ""  # for the table


OVERSEERS = frozenset({Role.SUPERVISOR, Role.AUDITOR})
SUPERVISORS = frozenset({Role.SUPERVISOR})
QUESTIONS: Mapping[Question, Asking] = {
    Question.USAGE: Asking(OVERSEERS),
    Question.CASE: Asking(OVERSEERS, "who examines as well sees what is over only"),
    Question.QUEUE: Asking(SUPERVISORS),
    Question.QUALITY: Asking(SUPERVISORS),
    Question.RATE: Asking(SUPERVISORS),
    Question.CLOSING: Asking(SUPERVISORS, "who examines as well sees what is over only"),
}


def may_ask(question: Question, by: Actor) -> Refused | None:
    """The refusal; None where the question is answered."""
    if by.barred:
        return Refused("full-member", by.barred)
    roles = QUESTIONS[question].roles
    if roles & by.roles:
        return None
    told = (
        f"This is for people with the role {' or '.join(sorted(roles))}; you do not have it. The attempt was recorded."
    )
    return Refused("has-role", told)


def closed_only(by: Actor) -> bool:
    """Whether `by` hears of what is over only: who may still examine it reads nothing of a request before (M17)."""
    return Role.EXAMINER in by.roles


ONLY_OWNER = Refused("own-photograph", "Only the person who posted the photograph may request a search of it.")


def own_photograph(posted_by: str, account: str) -> Refused | None:
    """A search of a photograph is requested by whoever posted it; both are accounts, opaque to the policy."""
    return None if account == posted_by else ONLY_OWNER
