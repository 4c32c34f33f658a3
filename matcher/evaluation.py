"""How often the matcher misses and how often it offers strangers, in the terms of NIST FRTE and ISO/IEC 19795-1.

Pure: vectors and labels in, figures out. A photograph without a detected face has a vector of zeros and counts as an
error wherever its person should have been found: leaving it out would flatter the matcher.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Scores = NDArray[np.float64]
Flags = NDArray[np.bool_]
RANKS = (1, 10, 20, 50)
FPIRS = (1e-1, 1e-2, 1e-3)
FARS = (1e-2, 1e-3, 1e-4, 1e-5)
UNSEEN = -1.0  # the score of a pair of which one has no detected face
BLOCK = 1024


@dataclass(frozen=True, slots=True)
class Interval:
    """A share with its 95 % interval, people having been resampled."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Verification:
    """One to one: given pairs, the same person or not."""

    pairs: int
    accuracy: float  # mean of the folds, the threshold chosen on the other nine
    deviation: float  # standard error of that mean
    tar_at_far: Mapping[float, float]
    far: Scores  # the ROC's points
    tar: Scores


@dataclass(frozen=True, slots=True)
class Identification:
    """One to many: each person's first photograph is the gallery, all others are probes."""

    gallery: int
    probes: int
    hit_at_rank: Mapping[int, float]  # 1 - FNIR(N, R, T=0): the mate is among the first R
    fnir_at_fpir: Mapping[float, float]  # the mate scores below the threshold that strangers pass at that rate
    threshold_at_fpir: Mapping[float, float]


@dataclass(frozen=True, slots=True)
class Searched:
    """What searching each probe gave: the mate's score and rank, and the best stranger's score."""

    people: NDArray[np.int64]  # of the probes
    mate: Scores
    rank: NDArray[np.int64]  # from 1
    stranger: Scores


# --- one to one -------------------------------------------------------------------------------------------------------


def verification(scores: Scores, same: Flags, fold: NDArray[np.int64] | None = None) -> Verification:
    """Figures over given pairs: float of shape (n,), whether each pair is the same person, and the list's own folds.

    Without folds of its own, pairs of each kind are dealt out to ten in turn. ValueError where fewer than two folds
    have a pair, or all pairs are of one kind.
    """
    if same.all() or not same.any():
        raise ValueError("all pairs are of one kind")
    folds = _fold_accuracies(scores, same, _dealt(same) if fold is None else fold)
    if len(folds) < 2:  # noqa: PLR2004
        raise ValueError("there is but one fold")
    far, tar = roc(scores, same)
    return Verification(
        pairs=len(scores),
        accuracy=float(folds.mean()),
        deviation=float(folds.std(ddof=1) / np.sqrt(len(folds))),
        tar_at_far={at: float(np.interp(at, far, tar)) for at in FARS[:2]},
        far=far,
        tar=tar,
    )


def roc(scores: Scores, same: Flags) -> tuple[Scores, Scores]:
    """False and true accept rates at every threshold, from none accepted to all; between points, lines."""
    order = np.argsort(-scores, kind="stable")
    hit = same[order]
    last = np.append(np.diff(scores[order]) != 0, [True])  # equal scores pass together
    far = np.cumsum(~hit)[last] / max(int((~same).sum()), 1)
    tar = np.cumsum(hit)[last] / max(int(same.sum()), 1)
    return np.append(0.0, far), np.append(0.0, tar)


def _dealt(same: Flags, folds: int = 10) -> NDArray[np.int64]:
    fold = np.zeros(len(same), np.int64)
    for kind in (same, ~same):
        fold[kind] = np.arange(int(kind.sum())) % folds
    return fold


def _fold_accuracies(scores: Scores, same: Flags, fold: NDArray[np.int64]) -> Scores:
    held = [fold == at for at in np.unique(fold) if (fold != at).any()]
    return np.array([_accuracy(scores[h], same[h], best_threshold(scores[~h], same[~h])) for h in held])


def _accuracy(scores: Scores, same: Flags, threshold: float) -> float:
    return float(((scores >= threshold) == same).mean())


def best_threshold(scores: Scores, same: Flags) -> float:
    """Where most pairs are told apart; the middle of the gap between two scores."""
    order = np.argsort(scores, kind="stable")
    ordered, hit = scores[order], same[order]
    right = np.append(0, np.cumsum(~hit)) + np.append(int(hit.sum()), hit.sum() - np.cumsum(hit))
    at = int(np.argmax(right))
    low = ordered[at - 1] if at else ordered[0] - 1
    high = ordered[at] if at < len(ordered) else ordered[-1] + 1
    return float((low + high) / 2)


def tar_over_all_pairs(vectors: Vectors, people: NDArray[np.int64], fars: Sequence[float] = FARS) -> dict[float, float]:
    """TAR at FAR over every pair of the set; a pair with an undetected face is a pair not accepted."""
    genuine, impostor = all_pairs(vectors, people)
    ordered = np.sort(impostor)[::-1]
    out: dict[float, float] = {}
    for far in fars:
        allowed = int(far * len(ordered))
        if allowed and len(genuine):
            out[far] = float((genuine > ordered[min(allowed, len(ordered) - 1)]).mean())
    return out


def all_pairs(vectors: Vectors, people: NDArray[np.int64]) -> tuple[Scores, NDArray[np.float32]]:
    """Scores of every mated pair, and of every non-mated pair (float32)."""
    genuine: list[NDArray[np.float32]] = []
    impostor: list[NDArray[np.float32]] = []
    seen = np.any(vectors != 0, axis=1)
    for at in range(0, len(vectors), BLOCK):
        block = slice(at, at + BLOCK)
        scores = vectors[block] @ vectors.T
        scores[np.logical_not(np.outer(seen[block], seen))] = UNSEEN
        later = np.arange(len(vectors))[None, :] > np.arange(at, at + len(scores))[:, None]
        mated = np.equal(people[block][:, None], people[None, :])
        genuine.append(scores[later & mated])
        impostor.append(scores[later & ~mated])
    return np.concatenate(genuine).astype(np.float64), np.concatenate(impostor)


# --- one to many ------------------------------------------------------------------------------------------------------


def search(
    vectors: Vectors, people: NDArray[np.int64], *, gallery_people: int | None = None, seed: int = 0
) -> Searched:
    """Each person's first photograph enrolled, every other photograph searched.

    With `gallery_people`, a smaller gallery: people are left out at random, together with their probes.
    """
    _, first = np.unique(people, return_index=True)
    if gallery_people is not None and gallery_people < len(first):
        first = np.sort(np.random.default_rng(seed).permutation(first)[:gallery_people])
    position = {int(people[row]): at for at, row in enumerate(first)}
    enrolled = set(first.tolist())
    probes = np.array([row for row in range(len(people)) if row not in enrolled and int(people[row]) in position], int)
    parts = [
        _searched(vectors[rows], vectors[first], np.array([position[int(people[row])] for row in rows], int))
        for rows in np.array_split(probes, max(1, len(probes) // BLOCK))
        if len(rows)
    ]
    if not parts:
        return Searched(people[probes], np.zeros(0), np.zeros(0, np.int64), np.zeros(0))
    return Searched(
        people[probes],
        np.concatenate([mate for mate, _, _ in parts]),
        np.concatenate([rank for _, rank, _ in parts]),
        np.concatenate([stranger for _, _, stranger in parts]),
    )


def _searched(probes: Vectors, gallery: Vectors, mates: NDArray[np.int64]) -> tuple[Scores, NDArray[np.int64], Scores]:
    scores = (probes @ gallery.T).astype(np.float64)
    scores[~probes.any(axis=1)] = UNSEEN
    scores[:, ~gallery.any(axis=1)] = UNSEEN
    rows = np.arange(len(probes))
    mate = scores[rows, mates]
    scores[rows, mates] = -np.inf
    before = np.count_nonzero(scores >= mate[:, None], axis=1)  # of equal scores the stranger's is counted first
    rank = np.asarray(before, np.int64) + 1
    return mate, rank, scores.max(axis=1, initial=UNSEEN)


def identification(found: Searched, gallery: int) -> Identification:
    """FNIR at ranks and at FPIRs. A search whose mate is not enrolled is answered by the best stranger alone."""
    thresholds = {fpir: _quantile(found.stranger, 1 - fpir) for fpir in FPIRS}
    return Identification(
        gallery=gallery,
        probes=len(found.mate),
        hit_at_rank={rank: float((found.rank <= rank).mean()) for rank in RANKS},
        fnir_at_fpir={fpir: fnir(found, threshold) for fpir, threshold in thresholds.items()},
        threshold_at_fpir=thresholds,
    )


def _quantile(scores: Scores, share: float) -> float:
    return float(np.quantile(scores, share, method="higher")) if len(scores) else 1.0


def fnir(found: Searched, threshold: float) -> float:
    """The share of mated searches whose mate does not score above the threshold."""
    return float((found.mate <= threshold).mean()) if len(found.mate) else 0.0


def fpir(found: Searched, threshold: float) -> float:
    """The share of searches in which a stranger scores above the threshold: were the mate not enrolled, an alarm."""
    return float((found.stranger > threshold).mean()) if len(found.stranger) else 0.0


def fnir_at_rank(found: Searched, rank: int) -> float:
    """The share of mated searches whose mate is not among the first `rank`: FNIR(N, R, T = 0)."""
    return float((found.rank > rank).mean()) if len(found.rank) else 0.0


def with_interval(
    found: Searched, figure: Callable[[Searched], float], *, rounds: int = 500, seed: int = 0
) -> Interval:
    """The figure, and where 95 % of its values lie when people are drawn again: photographs of one hang together."""
    rng = np.random.default_rng(seed)
    people, index = np.unique(found.people, return_inverse=True)
    rows_of = np.split(np.argsort(index, kind="stable"), np.cumsum(np.bincount(index))[:-1]) if len(index) else []
    drawn: list[float] = []
    for _ in range(rounds):
        rows = np.concatenate([rows_of[at] for at in rng.integers(0, len(people), len(people))])
        drawn.append(figure(_rows(found, rows)))
    low, high = np.percentile(drawn, (2.5, 97.5))
    return Interval(figure(found), float(low), float(high))


def _rows(found: Searched, rows: NDArray[np.int64]) -> Searched:
    return Searched(found.people[rows], found.mate[rows], found.rank[rows], found.stranger[rows])


# --- quality and groups -----------------------------------------------------------------------------------------------


def error_versus_discard(quality: Scores, error: Flags, shares: Sequence[float]) -> list[float]:
    """The error rate among what is left when the worst `shares` by quality are discarded (ISO/IEC 29794-1).

    A measure that predicts error makes the curve fall; one that does not leaves it level.
    """
    best_first = np.argsort(-quality, kind="stable")
    kept = [max(1, round(len(quality) * (1 - share))) for share in shares]
    return [float(error[best_first[:count]].mean()) for count in kept]


def by_group(
    found: Searched, groups: Mapping[int, str], threshold: float
) -> dict[str, tuple[int, float, float, float]]:
    """By group of people: (probes, FNIR at rank 1, FNIR and FPIR at the one threshold that all groups share)."""
    return {
        group: (len(one.mate), fnir_at_rank(one, 1), fnir(one, threshold), fpir(one, threshold))
        for group, one in split(found, groups).items()
    }


def split(found: Searched, groups: Mapping[int, str]) -> dict[str, Searched]:
    """The searches of each group's people; of whom no group is known, of none."""
    named = np.array([groups.get(int(person), "") for person in found.people])
    return {group: _rows(found, np.flatnonzero(named == group)) for group in sorted(set(named) - {""})}


def differential(rates: Mapping[str, float]) -> tuple[str, float | None]:
    """The group with the highest rate, and how many times the lowest group's that is; None where the lowest is 0."""
    worst = max(rates, key=lambda group: rates[group])
    least = min(rates.values())
    return worst, rates[worst] / least if least > 0 else None
