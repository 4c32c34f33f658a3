"""Vectors -> nearest photographs, exactly, while the gallery goes on changing.

What was in the last snapshot is scanned (`scan`); what was enrolled since is in a USearch index, searched exactly; what
was sealed or expunged since is left out of both. A search never waits for a snapshot that is being made.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import onnxruntime  # noqa: F401 # pyright: ignore[reportUnusedImport] - loaded after usearch, it crashes the process
from numpy.typing import NDArray
from usearch.compiled import MetricKind, ScalarKind
from usearch.index import Index

from matcher import snapshot
from matcher.classes import Allowed, Classes
from matcher.scan import CertifiedScan, Rows
from matcher.snapshot import Leaves, Numbers, Snapshot

Vector = NDArray[np.float32]
FRESH_AT_MOST = 20_000  # then they are merged into a snapshot, and again whenever they are a tenth of it


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest photographs by number, best first, and the proof that no other is nearer."""

    found: tuple[tuple[int, float], ...]
    searched: int
    rescored: int
    error_bound: float


@dataclass(frozen=True, slots=True)
class Change:
    """Photographs of which something changed, and the vectors of those that may be searched now."""

    numbers: tuple[int, ...]
    eligible: Mapping[int, Vector]
    through: int
    listed: Mapping[int, str] = field(default_factory=dict[int, str])  # the classes of those that are in one (Classes)


class GalleryIndex:
    """The eligible photographs, by their number in the database. Searched and changed by different threads at once."""

    def __init__(self, held: Snapshot, threads: int = 2, classes: Classes | None = None) -> None:
        """`classes`: of every photograph in `held`, where they are not all arrest photographs."""
        self._threads = threads
        self._classes = classes or Classes()
        self._lock = threading.Lock()  # USearch's concurrent adds leave nodes unreachable (USearch issue 735)
        self._rest_on(held)

    def _rest_on(self, held: Snapshot) -> None:
        self._held = held
        self._scan = CertifiedScan(held.vectors, quantised=held.quantised, threads=self._threads, read=held.read)
        self._gone: Rows = np.zeros(0, np.int64)
        self._barred: dict[Allowed, Rows] = {}  # rows out of reach of a search that may reach these classes
        self._left_out: dict[Allowed, Rows] = {}  # those, and the rows that are gone
        dimension = held.vectors.shape[1]
        self._fresh = Index(ndim=dimension, metric=MetricKind.IP, dtype=ScalarKind.F32)
        self._leaves: dict[int, bytes] = {}
        self._nodes, self._touched = dict(held.nodes), set[int]()  # buckets whose node is not yet what it should be
        self._meanwhile: list[Change] | None = None  # changes since `merged` began
        self.through = held.through

    def __len__(self) -> int:
        return len(self._scan) - len(self._gone) + len(self._fresh)

    @property
    def unsaved(self) -> bool:
        """Whether something changed since the snapshot that this rests on."""
        return bool(len(self._gone) or len(self._fresh))

    @property
    def crowded(self) -> bool:
        """Whether so much changed that searching would be faster on a snapshot of its own."""
        return len(self._fresh) > max(FRESH_AT_MOST, len(self._scan) // 10)

    def nearest(self, probe: Vector, count: int, allowed: Allowed | None = None) -> Neighbours:
        """The `count` nearest to `probe` (float32 of shape (d,), length 1), every eligible photograph compared.

        With `allowed`, the photographs of these classes alone.
        """
        with self._lock:
            scan, held, out = self._scan, self._held, self._out(allowed)
            barred = self._barred_fresh(allowed)
            fresh = self._nearest_fresh(probe, count, barred)
            compared = len(self._fresh) - len(barred)
        old = scan.search(probe, count, out)
        both = [(int(held.numbers[row]), float(score)) for row, score in zip(old.rows, old.scores, strict=True)]
        both = sorted(both + fresh, key=lambda one: (-one[1], one[0]))[:count]
        return Neighbours(tuple(both), old.searched + compared, old.rescored + compared, old.error_bound)

    def _out(self, allowed: Allowed | None) -> Rows:
        """The snapshot's rows that such a search leaves out, ascending."""
        if allowed is None:
            return self._gone
        if allowed not in self._left_out:
            if allowed not in self._barred:
                self._barred[allowed] = self._classes.barred(self._held.numbers, allowed)
            barred = self._barred[allowed]
            self._left_out[allowed] = np.union1d(self._gone, barred) if len(barred) else self._gone
        return self._left_out[allowed]

    def _barred_fresh(self, allowed: Allowed | None) -> frozenset[int]:
        if allowed is None or not len(self._fresh):
            return frozenset()
        numbers = np.array(sorted(self._leaves), np.int64)
        return frozenset(numbers[self._classes.barred(numbers, allowed)].tolist())

    def _nearest_fresh(self, probe: Vector, count: int, barred: frozenset[int]) -> list[tuple[int, float]]:
        """Asked for so many more that the barred ones cannot take anybody's place."""
        if len(self._fresh) <= len(barred):
            return []
        matches = self._fresh.search(probe, min(count + len(barred), len(self._fresh)), exact=True)
        found = [(int(match.key), 1.0 - float(match.distance)) for match in matches]
        return [each for each in found if each[0] not in barred][:count]

    def change(
        self,
        numbers: Iterable[int],
        eligible: Mapping[int, Vector],
        through: int,
        listed: Mapping[int, str] | None = None,
    ) -> None:
        """Of the photographs `numbers`, those in `eligible` can be found from now on, and the others cannot.

        `listed`: the classes of those in `eligible` that are no arrest photographs.
        """
        change = Change(tuple(sorted(set(numbers))), eligible, through, listed or {})
        with self._lock:
            self._apply(change)
            if self._meanwhile is not None:
                self._meanwhile.append(change)

    def _apply(self, change: "Change") -> None:
        self._classes.add(change.listed)
        self._left_out.clear()
        if change.listed:
            self._barred.clear()
        rows, there = self._rows_of(change.numbers)
        gone = set(self._gone.tolist())
        for number, row, known in zip(change.numbers, rows, there, strict=True):
            if known:
                (gone.discard if number in change.eligible else gone.add)(row)
            elif number in self._leaves:
                self._fresh.remove(number)
                del self._leaves[number]
            if not known and number in change.eligible:
                self._add(number, change.eligible[number])
        self._gone = np.array(sorted(gone), np.int64)
        self._touched |= {number // snapshot.BUCKET for number in change.numbers}
        self.through = change.through

    def _rows_of(self, numbers: Sequence[int]) -> tuple[list[int], list[bool]]:
        wanted = np.asarray(numbers, np.int64)
        rows = np.searchsorted(self._held.numbers, wanted)
        there = [
            row < len(self._held.numbers) and self._held.numbers[row] == n for row, n in zip(rows, wanted, strict=True)
        ]
        return rows.tolist(), there

    def _add(self, number: int, vector: Vector) -> None:
        if vector.shape != (self._held.vectors.shape[1],):
            raise ValueError(f"photograph {number}: a vector of {vector.shape} is not of this model")
        self._fresh.add(number, vector, threads=1)
        self._leaves[number] = snapshot.hashed(np.array([number]), vector[None, :])[0].tobytes()

    def root(self) -> str:
        """The root of what is searched now (M14): the same whether it was loaded, caught up or rebuilt."""
        with self._lock:
            fresh = np.array(sorted(self._leaves), np.int64)
            for bucket in self._touched:
                self._nodes.pop(bucket, None)
                self._nodes |= snapshot.nodes_of(*self._bucket(bucket, fresh))
            self._touched = set()
            return snapshot.root(self._nodes)

    def _bucket(self, bucket: int, fresh: Numbers) -> tuple[Numbers, Leaves]:
        """Numbers and leaves of what is searched now, of one bucket."""
        ends = (bucket * snapshot.BUCKET, (bucket + 1) * snapshot.BUCKET)
        low, high = np.searchsorted(self._held.numbers, ends)
        gone = self._gone[slice(*np.searchsorted(self._gone, (low, high)))]
        rows = np.setdiff1d(np.arange(low, high), gone, assume_unique=True)
        added = fresh[slice(*np.searchsorted(fresh, ends))]
        numbers = np.concatenate([self._held.numbers[rows], added])
        return numbers, np.concatenate([self._held.leaves[rows], self._leaves_of(added)])

    def _leaves_of(self, fresh: Numbers) -> Leaves:
        return np.array([np.frombuffer(self._leaves[n], np.uint8) for n in fresh.tolist()], np.uint8).reshape(-1, 32)

    def _all(self) -> tuple[Numbers, Leaves, Rows, Numbers]:
        """Numbers and leaves of everything that is searched; which rows of the snapshot, which fresh numbers it is."""
        rows = np.delete(np.arange(len(self._scan)), self._gone)
        fresh = np.array(sorted(self._leaves), np.int64)
        numbers = np.concatenate([self._held.numbers[rows], fresh])
        return numbers, np.concatenate([self._held.leaves[rows], self._leaves_of(fresh)]), rows, fresh

    def prove(self) -> None:
        """What searches have not read yet is as it was written, too; SnapshotError where it is not."""
        self._held.prove()

    def merged(self) -> Snapshot:
        """Everything that is searched now, as one snapshot. May take long: searching and changing go on meanwhile."""
        self.prove()
        with self._lock:
            numbers, leaves, rows, fresh = self._all()
            held, through = self._held, self.through
            self._meanwhile = []
            vectors = np.empty((len(numbers), held.vectors.shape[1]), np.float32)
            if len(fresh):
                vectors[len(rows) :] = self._fresh.get(fresh)
        vectors[: len(rows)] = held.vectors if len(rows) == len(held.vectors) else held.vectors[rows]
        order = np.argsort(numbers, kind="stable")
        if (np.diff(numbers) < 0).any():
            numbers, leaves, vectors = numbers[order], leaves[order], vectors[order]
        return snapshot.made(numbers, vectors, through, leaves)

    def rest_on(self, held: Snapshot) -> None:
        """What `merged` made is scanned from now on, and what changed meanwhile is changed in it, too."""
        with self._lock:
            meanwhile = [change for change in self._meanwhile or () if change.through > held.through]
            self._rest_on(held)
            for change in meanwhile:
                self._apply(change)
