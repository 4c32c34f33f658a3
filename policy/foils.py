"""Which candidates an examiner is shown: every one, or a few among whom an earlier examiner's pick may be (X1). Pure.

Whoever sits down once an opinion is locked is shown so many candidates as the pack says: the pick of that opinion where
it named somebody, and look-alikes drawn by chance from the most alike, twice as many as are shown. Whether there is a
pick shows neither in the number nor in who is shown: for any draw, the same people stand there with no pick and with
the pick of any of them. Nor does it say whom the software ranked highest: those are left out as often as any other. A
pick from further down has its foils from among its neighbours: it stands out no more than they do. To choose a foil is
to disagree (M21). An arbiter, and whoever sat down before any opinion was locked, compares every candidate.
"""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

from policy.authority import examination
from policy.model import CandidatesShown, Label, PersonId, Search, State
from policy.pack import Pack

POOL = 2  # foils are drawn from so many times as many as are shown


def opened(search: Search, person: PersonId, pack: Pack, draw: str) -> tuple[CandidatesShown, ...]:
    """Who is shown is settled when the examiner first sits down, and stays; nothing where it was settled before."""
    return () if person in search.shown else (CandidatesShown(person, _drawn(search, person, pack, draw)),)


def seen_by(search: Search, person: PersonId) -> Search:
    """`search` with the candidates that `person` is shown and no others; every one where nothing else was settled.

    They stand by label: nothing that is made of it can tell their rank.
    """
    labels = shown_to(search, person)
    shown = sorted((c for c in search.candidates if c.label in labels), key=lambda c: c.label)
    return replace(search, candidates=tuple(shown))


def shown_to(search: Search, person: PersonId) -> tuple[Label, ...]:
    """The labels of the candidates that `person` compares, sorted: their order says nothing."""
    return search.shown.get(person) or _everybody(search)


def _everybody(search: Search) -> tuple[Label, ...]:
    return tuple(sorted(candidate.label for candidate in search.candidates))


def _drawn(search: Search, person: PersonId, pack: Pack, draw: str) -> tuple[Label, ...]:
    locked = [e for e in search.examinations if e.conclusion is not None]
    begun = examination(search, person) is not None
    if pack.foils is None or not locked or begun or search.state is not State.IN_REVIEW:
        return _everybody(search)
    pick = locked[0].candidate
    pool = _alike([c.label for c in sorted(search.candidates, key=lambda c: c.rank)], pick, POOL * pack.foils.shown)
    by_chance = sorted(pool, key=lambda label: (label != pick, sha256(f"{draw} {label}".encode()).digest()))
    return tuple(sorted(by_chance[: pack.foils.shown]))


def _alike(ranked: Sequence[Label], pick: Label | None, size: int) -> Sequence[Label]:
    """The `size` most alike, or as many down to a pick that is not among them."""
    last = max(size, ranked.index(pick) + 1) if pick is not None and pick in ranked else size
    return ranked[:last][-size:]
