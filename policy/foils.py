"""Which candidates an examiner is shown: every one, or a few among whom an earlier examiner's pick may be (X1). Pure.

Whoever sits down once an opinion is locked is shown so many candidates as the pack says: those most like the probe,
and the pick of that opinion where it named somebody. Whether it did shows in neither the number nor, where the pick is
among the most alike anyway, in who is shown: the same people stand there with a pick and with none. To choose a foil is
to disagree (M21). An arbiter, and whoever sat down before any opinion was locked, compares every candidate.
"""

from dataclasses import replace

from policy.authority import examination
from policy.model import CandidatesShown, Label, PersonId, Search, State
from policy.pack import Pack


def opened(search: Search, person: PersonId, pack: Pack) -> tuple[CandidatesShown, ...]:
    """Who is shown is settled when the examiner first sits down, and stays; nothing where it was settled before."""
    return () if person in search.shown else (CandidatesShown(person, _drawn(search, person, pack)),)


def seen_by(search: Search, person: PersonId) -> Search:
    """`search` with the candidates that `person` is shown and no others; every one where nothing else was settled."""
    labels = shown_to(search, person)
    return replace(search, candidates=tuple(c for c in search.candidates if c.label in labels))


def shown_to(search: Search, person: PersonId) -> tuple[Label, ...]:
    """The labels of the candidates that `person` compares, sorted: their order says nothing."""
    return search.shown.get(person) or _everybody(search)


def _everybody(search: Search) -> tuple[Label, ...]:
    return tuple(sorted(candidate.label for candidate in search.candidates))


def _drawn(search: Search, person: PersonId, pack: Pack) -> tuple[Label, ...]:
    locked = [e for e in search.examinations if e.conclusion is not None]
    begun = examination(search, person) is not None
    if pack.foils is None or not locked or begun or search.state is not State.IN_REVIEW:
        return _everybody(search)
    pick = locked[0].candidate
    most_alike = sorted(search.candidates, key=lambda c: (c.label != pick, c.rank))
    return tuple(sorted(candidate.label for candidate in most_alike[: pack.foils.shown]))
