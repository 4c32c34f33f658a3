"""Known-answer cases: what an opinion on one is worth, and how often examiners err, with intervals (X2, S7). Pure.

A known-answer case is an examination like every other, whose answer was known before: examiners cannot tell it from the
rest, no lead comes of it, and it is counted in no statistics but these.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from statistics import NormalDist

from policy.model import (
    Conclusion,
    Event,
    ExaminersAgreed,
    Label,
    LeadIssued,
    Outcome,
    PersonId,
    PhotoAssessed,
    QualityHeld,
    Search,
    SearchClosed,
)

REQUESTER = PersonId("known-answer")  # on the roster without roles or an account: nobody can act as it
CONCLUDED = "A known-answer case: the examination is over, and no lead comes of it."
UNFIT = "A known-answer case whose photograph cannot be compared. It was not examined."
CONFIDENCE = 0.95


class Verdict(StrEnum):
    """What an opinion on a known-answer case was."""

    RIGHT = "right"
    WRONG_PERSON = "wrong-person"  # somebody was named who is not the person: a false positive
    MISSED = "missed"  # the person was among the candidates and nobody was named
    INCONCLUSIVE = "inconclusive"


def verdict(conclusion: Conclusion, named: Label | None, truth: Label | None) -> Verdict:
    """`truth` is the candidate who is the person in the photograph; None where none of them is."""
    match conclusion:
        case Conclusion.POSSIBLE_MATCH:
            return Verdict.RIGHT if named is not None and named == truth else Verdict.WRONG_PERSON
        case Conclusion.NO_POSSIBLE_MATCH:
            return Verdict.RIGHT if truth is None else Verdict.MISSED
        case Conclusion.INCONCLUSIVE:
            return Verdict.INCONCLUSIVE


def truth_of(search: Search, person: str | None) -> Label | None:
    """The candidate who is that person of the gallery, where the search found them."""
    return next((c.label for c in search.candidates if person is not None and c.person == person), None)


def without_consequence(search: Search, events: tuple[Event, ...]) -> tuple[Event, ...]:
    """What follows in a known-answer case: it ends where a real one would go on to anybody but examiners."""
    return tuple(event for one in events for event in _instead(one)) if search.known else events


def _instead(event: Event) -> tuple[Event, ...]:
    match event:
        case SearchClosed():
            return (SearchClosed(Outcome.KNOWN_ANSWER, CONCLUDED),)
        case ExaminersAgreed():
            return (event, SearchClosed(Outcome.KNOWN_ANSWER, CONCLUDED))
        case QualityHeld():
            return (SearchClosed(Outcome.KNOWN_ANSWER, UNFIT),)
        case PhotoAssessed(faces=faces) if len(faces) > 1:
            return (event, SearchClosed(Outcome.KNOWN_ANSWER, UNFIT))
        case LeadIssued():
            return ()
        case _:
            return (event,)


@dataclass(frozen=True, slots=True)
class Result:
    """One examiner's opinion on one known-answer case."""

    unit: str
    mated: bool  # the person in the photograph was among the candidates
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Proportion:
    """`errors` of `trials`, and the interval that holds the true rate with 95 % confidence (Wilson 1927)."""

    errors: int
    trials: int

    @property
    def rate(self) -> float | None:
        return self.errors / self.trials if self.trials else None

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.errors, self.trials)


@dataclass(frozen=True, slots=True)
class Rates:
    """How often a unit errs. Inconclusive opinions are no false positives; where the person was there, they missed."""

    unit: str
    false_positives: Proportion  # of the opinions on cases without the person: those that named somebody
    misses: Proportion  # of the opinions on cases with the person: those that did not name them
    wrong_person: int  # of the misses: those that named somebody else


def wilson(errors: int, trials: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The score interval of a proportion; (0, 1) where nothing was tried. Holds its level where errors are few."""
    if trials == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    middle = (errors + z * z / 2) / (trials + z * z)
    reach = z / (trials + z * z) * sqrt(errors * (trials - errors) / trials + z * z / 4)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def rates(results: Iterable[Result]) -> list[Rates]:
    """One for each unit, by name."""
    by_unit: dict[str, list[Result]] = {}
    for result in results:
        by_unit.setdefault(result.unit, []).append(result)
    return [_rates(unit, by_unit[unit]) for unit in sorted(by_unit)]


def _rates(unit: str, results: Sequence[Result]) -> Rates:
    absent = [r.verdict for r in results if not r.mated]
    there = [r.verdict for r in results if r.mated]
    named = absent.count(Verdict.WRONG_PERSON)
    found = there.count(Verdict.RIGHT)
    return Rates(
        unit,
        Proportion(named, len(absent)),
        Proportion(len(there) - found, len(there)),
        there.count(Verdict.WRONG_PERSON),
    )
