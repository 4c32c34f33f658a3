"""Vectors -> nearest photographs, exactly, while the gallery goes on changing.

What was in the last snapshot is scanned (`scan`); what was enrolled since is compared one by one (`fresh`); what was
sealed or expunged since is left out of both. A search is given the gallery of one moment, which never changes: it waits
neither for an approval of fifty thousand photographs nor for a snapshot that is being made.

What USearch does here, and what it does not. Its exact search compares what is fresh, and numkong, the library of
kernels beneath it, scans the rest. Its `Index` holds neither: whatever is added to it is tied into a graph (a minute
for 100,000 vectors), which an exact search never looks at and which, searched, loses mates; it writes in place and does
not notice a flipped byte; its i8 is scaled by 127 whatever the vectors are, which leaves twice as many to be rescored;
and it gives no bound, from which a search could be certified complete. So keys (the photographs' numbers), several
photographs of a person, adding, removing, saving and the memory-mapped view are those of `snapshot`, whose files are
checksummed, rooted and replaced as one.
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from matcher import snapshot
from matcher.classes import Allowed, Classes
from matcher.fresh import Fresh, Vector
from matcher.scan import CertifiedScan, Rows
from matcher.snapshot import Leaves, Nodes, Numbers, Snapshot

FRESH_AT_MOST = 20_000  # then they are merged into a snapshot, and again whenever they are a tenth of it
Flags = NDArray[np.bool_]
NONE: frozenset[int] = frozenset()


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
    unmeasured: frozenset[int] = NONE  # may be searched, and have no vector of this model
    faceless: frozenset[int] = NONE  # nor ever will: this model finds not one face in them


@dataclass(frozen=True, slots=True)
class Contents:
    """What is searched at one moment: eligible photographs, by their number in the database. It never changes."""

    held: Snapshot
    scan: CertifiedScan
    threads: int
    classes: Classes
    fresh: Fresh
    gone: Rows  # of the snapshot, ascending: sealed, expunged or measured anew since
    nodes: Nodes
    through: int
    unmeasured: frozenset[int]
    faceless: frozenset[int]
    _left_out: dict[Allowed, Rows] = field(default_factory=dict[Allowed, Rows], repr=False)  # as they were asked for

    @classmethod
    def of(cls, held: Snapshot, threads: int, classes: Classes) -> "Contents":
        """The snapshot's own."""
        return cls(
            held=held,
            scan=CertifiedScan(held.vectors, quantised=held.quantised, threads=threads, read=held.read),
            threads=threads,
            classes=classes,
            fresh=Fresh(held.vectors.shape[1]),
            gone=np.zeros(0, np.int64),
            nodes=held.nodes,
            through=held.through,
            unmeasured=held.unmeasured,
            faceless=held.faceless,
        )

    def __len__(self) -> int:
        return len(self.scan) - len(self.gone) + len(self.fresh)

    def root(self) -> str:
        """The root of what is searched (M14): the same whether it was loaded, caught up or rebuilt."""
        return snapshot.root(self.nodes)

    def nearest(self, probe: Vector, count: int, allowed: Allowed | None = None) -> Neighbours:
        """The `count` nearest to `probe` (float32 of shape (d,), length 1), every eligible photograph compared.

        With `allowed`, the photographs of these classes alone.
        """
        barred = self._barred_fresh(allowed)
        new = self.fresh.nearest(probe, count, barred, self.threads)
        compared = len(self.fresh) - len(barred)
        old = self.scan.search(probe, count, self._out(allowed))
        both = [(int(self.held.numbers[row]), float(score)) for row, score in zip(old.rows, old.scores, strict=True)]
        both = sorted(both + new, key=lambda one: (-one[1], one[0]))[:count]
        return Neighbours(tuple(both), old.searched + compared, old.rescored + compared, old.error_bound)

    def _out(self, allowed: Allowed | None) -> Rows:
        """The snapshot's rows that such a search leaves out, ascending."""
        if allowed is None:
            return self.gone
        if allowed not in self._left_out:
            self._left_out[allowed] = np.union1d(self.gone, self.classes.barred(self.held.numbers, allowed))
        return self._left_out[allowed]

    def _barred_fresh(self, allowed: Allowed | None) -> frozenset[int]:
        if allowed is None or not len(self.fresh):
            return NONE
        numbers = np.sort(self.fresh.numbers)
        return frozenset(numbers[self.classes.barred(numbers, allowed)].tolist())

    def changed(self, change: Change) -> "Contents":
        """What is searched after that change. Takes milliseconds for each thousand photographs in it."""
        self.classes.add(change.listed)  # what a photograph is of never changes, and earlier moments do not hold these
        numbers = np.unique(np.asarray(change.numbers, np.int64))
        eligible = np.array(sorted(change.eligible), np.int64)
        vectors = _stacked([change.eligible[n] for n in eligible.tolist()], eligible, self.fresh.dimension)
        leaves = snapshot.hashed(eligible, vectors)
        before, _ = self._rows_of(numbers)
        rows, there = self._rows_of(eligible)
        back = np.zeros(len(eligible), np.bool_)  # those that the snapshot holds as they are now
        back[there] = (self.held.leaves[rows] == leaves[there]).all(axis=1)
        gone = np.setdiff1d(np.union1d(self.gone, before), rows[back[there]], assume_unique=True)
        fresh = self.fresh.without(numbers).with_more(eligible[~back], vectors[~back], leaves[~back])
        touched = np.unique(numbers // snapshot.BUCKET).tolist()
        return replace(
            self,
            fresh=fresh,
            gone=gone,
            nodes=_nodes(self.nodes, touched, self.held, gone, fresh),
            through=change.through,
            unmeasured=_after(self.unmeasured, change.numbers, change.unmeasured),
            faceless=_after(self.faceless, change.numbers, change.faceless),
            _left_out={},
        )

    def _rows_of(self, wanted: Numbers) -> tuple[Rows, Flags]:
        """The snapshot's rows of those of these photographs that it holds, and which they are."""
        rows = np.searchsorted(self.held.numbers, wanted)
        there = rows < len(self.held.numbers)
        there[there] = self.held.numbers[rows[there]] == wanted[there]
        return rows[there], there

    def merged(self) -> Snapshot:
        """All of it as one snapshot. May take long."""
        rows = np.delete(np.arange(len(self.scan)), self.gone)
        numbers = np.concatenate([self.held.numbers[rows], self.fresh.numbers])
        leaves = np.concatenate([self.held.leaves[rows], self.fresh.leaves])
        vectors = np.empty((len(numbers), self.fresh.dimension), np.float32)
        vectors[: len(rows)] = self.held.vectors[rows] if len(self.gone) else self.held.vectors
        vectors[len(rows) :] = self.fresh.vectors
        if (np.diff(numbers) < 0).any():
            order = np.argsort(numbers, kind="stable")
            numbers, leaves, vectors = numbers[order], leaves[order], vectors[order]
        made = snapshot.made(numbers, vectors, self.through, leaves)
        return replace(made, unmeasured=self.unmeasured, faceless=self.faceless)


def _stacked(vectors: list[Vector], numbers: Numbers, dimension: int) -> NDArray[np.float32]:
    for number, vector in zip(numbers.tolist(), vectors, strict=True):
        if vector.shape != (dimension,):
            raise ValueError(f"photograph {number}: a vector of {vector.shape} is not of this model")
    return np.stack(vectors) if vectors else np.zeros((0, dimension), np.float32)


def _after(before: frozenset[int], changed: Iterable[int], now: frozenset[int]) -> frozenset[int]:
    return before.difference(changed) | now if before or now else before


def _nodes(nodes: Nodes, touched: list[int], held: Snapshot, gone: Rows, fresh: Fresh) -> Nodes:
    """The tree's nodes after what is in these buckets changed."""
    out = {bucket: node for bucket, node in nodes.items() if bucket not in set(touched)}
    for bucket in touched:
        out |= snapshot.nodes_of(*_bucket(bucket, held, gone, fresh))
    return out


def _bucket(bucket: int, held: Snapshot, gone: Rows, fresh: Fresh) -> tuple[Numbers, Leaves]:
    """Numbers and leaves of what is searched, of one bucket."""
    low, high = np.searchsorted(held.numbers, (bucket * snapshot.BUCKET, (bucket + 1) * snapshot.BUCKET))
    left = gone[slice(*np.searchsorted(gone, (low, high)))]
    rows = np.setdiff1d(np.arange(low, high), left, assume_unique=True)
    added = np.flatnonzero(fresh.numbers // snapshot.BUCKET == bucket)
    numbers = np.concatenate([held.numbers[rows], fresh.numbers[added]])
    return numbers, np.concatenate([held.leaves[rows], fresh.leaves[added]])


class GalleryIndex:
    """What is searched now. Changed by one thread at a time, while others search what `now` was for them."""

    def __init__(self, held: Snapshot, threads: int = 2, classes: Classes | None = None) -> None:
        """`classes`: of every photograph in `held`, where they are not all arrest photographs."""
        self._lock = threading.Lock()
        self._meanwhile: list[Change] | None = None  # changes since `merged` began
        self.now = Contents.of(held, threads, classes or Classes())

    def __len__(self) -> int:
        return len(self.now)

    @property
    def through(self) -> int:
        return self.now.through

    @property
    def unsaved(self) -> bool:
        """Whether something changed since the snapshot that this rests on."""
        now = self.now
        same = (now.held.unmeasured, now.held.faceless) == (now.unmeasured, now.faceless)
        return bool(len(now.gone) or len(now.fresh)) or not same

    @property
    def crowded(self) -> bool:
        """Whether so much changed that searching would be faster on a snapshot of its own."""
        return len(self.now.fresh) > max(FRESH_AT_MOST, len(self.now.scan) // 10)

    def nearest(self, probe: Vector, count: int, allowed: Allowed | None = None) -> Neighbours:
        """As of this moment: `Contents.nearest`."""
        return self.now.nearest(probe, count, allowed)

    def root(self) -> str:
        """As of this moment: `Contents.root`."""
        return self.now.root()

    def change(self, change: Change) -> None:
        """Of the photographs in it, those with a vector can be found from now on, and the others cannot."""
        with self._lock:
            self.now = self.now.changed(change)
            if self._meanwhile is not None:
                self._meanwhile.append(change)

    def prove(self) -> None:
        """What searches have not read yet is as it was written, too; SnapshotError where it is not."""
        self.now.held.prove()

    def merged(self) -> Snapshot:
        """Everything that is searched now, as one snapshot. May take long: searching and changing go on meanwhile."""
        self.prove()
        with self._lock:
            now, self._meanwhile = self.now, []
        return now.merged()

    def rest_on(self, held: Snapshot) -> None:
        """What `merged` made is scanned from now on, and what changed meanwhile is changed in it, too."""
        with self._lock:
            now = Contents.of(held, self.now.threads, self.now.classes)
            for change in self._meanwhile or ():
                if change.through > held.through:
                    now = now.changed(change)
            self.now, self._meanwhile = now, None
