"""Exact search near the speed of memory, with a proof for every search that nothing outside the answer belongs to it.

The gallery is held twice: as int8, which is scanned whole, and as float32, of which only the rows that could matter are
read. With the true quantisation error of every row and of the probe known, the exact cosine lies within `error_bound`
of the scanned one (Cauchy-Schwarz); so every row whose scanned score reaches (k-th best exact score - error_bound) is
scored again in float32, and no other row can be among the k best. Graph indexes give no such proof and lose mates
(hnswlib issue 341: top-1 .77 at 1 M faces).
"""

import itertools
import mmap
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, cast

import numkong
import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
Codes = NDArray[np.int8]
Rows = NDArray[np.int64]
Scores = NDArray[np.float64]
Look = Callable[[int, Codes], None]  # the first row of a chunk, and its codes

LEVELS = 127
CHUNK = 32_768  # rows at most: their scores stay in the second-level cache while they are looked through
SMALL_CHUNK = 4_096  # rows at least: below, calling costs more than scanning
FIRST = 2_048  # scores that the first cut is taken from
HUGE_PAGE = 2 << 20
CACHE_LINE = 64
BATCH = 32  # probes that share one pass over memory
NARROW = 256  # dimensions up to which the matrix kernel is faster for a single probe, too (1 M x 128: 4.9 ms, not 8.0)


@dataclass(frozen=True, slots=True)
class Nearest:
    """The k best rows, best first, and why no other can be: the certificate of completeness (X5)."""

    rows: Rows  # int64 of shape (k,) or fewer
    scores: Vector  # cosines, float32, the same shape
    searched: int
    rescored: int
    error_bound: float


@dataclass(frozen=True, slots=True)
class Quantised:
    """Rows as int8: `codes / scale` differs from the row by at most `error` (length of the difference), rows[i] too."""

    codes: Codes
    scale: float
    error: float
    longest: float  # the length of the longest of `codes / scale`


def huge(shape: tuple[int, int]) -> Codes:
    """Room for int8 of that shape in huge pages where the system has them: read twice as fast as small ones."""
    size = max(shape[0] * shape[1], 1)
    room = mmap.mmap(-1, -(-size // HUGE_PAGE) * HUGE_PAGE)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        room.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(room, np.int8, count=shape[0] * shape[1]).reshape(shape)


def small(shape: tuple[int, int]) -> Codes:
    """Room for a few rows, at the start of a cache line: a probe across two of them is read a quarter slower.

    (To be given a huge page for them takes longer than to write them.)
    """
    room = np.empty(shape[0] * shape[1] + CACHE_LINE, np.int8)
    start = -room.ctypes.data % CACHE_LINE
    return room[start : start + shape[0] * shape[1]].reshape(shape)


def quantise(vectors: Vector, room: Callable[[tuple[int, int]], Codes] = huge) -> Quantised:
    """float32 of shape (n, d) as int8, scaled by the largest component: a clipped row would ruin the bound of all."""
    blocks = range(0, len(vectors), CHUNK)
    largest = max((float(np.abs(vectors[at : at + CHUNK]).max(initial=0)) for at in blocks), default=0.0)
    scale = LEVELS / largest if largest > 0 else 1.0
    codes, error, longest = room((len(vectors), vectors.shape[1])), 0.0, 0.0
    for at in blocks:
        rows = np.asarray(vectors[at : at + CHUNK], np.float32)
        codes[at : at + CHUNK] = np.rint(rows * np.float32(scale))
        this_error, this_longest = errors_of(rows, codes[at : at + CHUNK], scale)
        error, longest = max(error, this_error), max(longest, this_longest)
    return Quantised(codes, scale, error, longest)


def errors_of(vectors: Vector, codes: Codes, scale: float) -> tuple[float, float]:
    """(error, longest) of `Quantised`, as these codes mean these vectors."""
    error = longest = 0.0
    for at in range(0, len(vectors), CHUNK):
        meant = codes[at : at + CHUNK] / np.float64(scale)
        rows = np.asarray(vectors[at : at + CHUNK], np.float32)
        error = max(error, float(np.linalg.norm(rows - meant, axis=1).max(initial=0)))
        longest = max(longest, float(np.linalg.norm(meant, axis=1).max(initial=0)))
    return error, longest


def rounding_of(dimension: int) -> float:
    """How far a cosine may be off that was summed up in float32, in whatever order.

    Each of d products and sums errs by at most half of float32's epsilon; the other half is for lengths that are not
    quite 1. (Higham, Accuracy and Stability of Numerical Algorithms, 3.1.) At 512 dimensions a 500th of the bound.
    """
    return dimension * float(np.finfo(np.float32).eps)


class CertifiedScan:
    """An unchanging set of vectors, searched whole. Several threads may search it at once."""

    def __init__(
        self,
        vectors: Vector,
        *,
        quantised: Quantised | None = None,
        threads: int = 2,
        read: Callable[[Rows], Vector] | None = None,
    ) -> None:
        """`vectors` float32 of shape (n, d), rows of length 1; may be mapped from a file: few of its rows are read.

        They are read by `read`, where one is given: it may refuse what it finds.
        """
        self.vectors = vectors
        self._read = read or vectors.__getitem__
        self.quantised = quantised or quantise(vectors)
        self._chunks = [(at, self.quantised.codes[at : at + size]) for at, size in _chunks(len(vectors), threads)]
        self._threads = max(1, min(threads, len(self._chunks)))
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="scan")

    def __len__(self) -> int:
        return len(self.vectors)

    def close(self) -> None:
        """The scanning threads have ended."""
        self._pool.shutdown()

    def search(self, probe: Vector, k: int, without: Rows | None = None) -> Nearest:
        """The k best rows for `probe` (float32 of length d and norm 1), rows in `without` never being among them."""
        return self.search_all(probe[None, :], k, without)[0]

    def search_all(self, probes: Vector, k: int, without: Rows | None = None) -> list[Nearest]:
        """As `search`, for float32 of shape (m, d); up to 32 probes share each pass over memory."""
        if probes.shape[1] != self.vectors.shape[1]:
            raise ValueError(f"a probe of {probes.shape[1]} dimensions; the gallery has {self.vectors.shape[1]}")
        gone = np.sort(without) if without is not None else np.zeros(0, np.int64)
        found: list[Nearest] = []
        for at in range(0, len(probes), BATCH):
            found += self._pass(np.ascontiguousarray(probes[at : at + BATCH], np.float32), k, gone)
        return found

    def _pass(self, probes: Vector, k: int, gone: Rows) -> list[Nearest]:
        count = min(k, len(self) - len(gone))
        if count <= 0:
            return [_nothing(len(self) - len(gone)) for _ in probes]
        coded = quantise(probes, small)
        bounds = self._bounds(probes, coded)
        unit = self.quantised.scale * coded.scale  # one of exact cosine, in scanned scores
        kept = [_Kept(count, 2 * bound * unit) for bound in bounds]
        alone = len(probes) == 1 and probes.shape[1] > NARROW
        look = self._one(coded.codes, kept, gone) if alone else self._many(coded.codes, kept, gone)
        self._everywhere(look)
        searched = len(self) - len(gone)
        return [
            self._rescored(probe, each, unit, bound, searched)
            for probe, each, bound in zip(probes, kept, bounds, strict=True)
        ]

    def _everywhere(self, look: Look) -> None:
        """Every chunk was looked at: each thread takes the next one, until none is left."""
        turns = itertools.count()  # `next` of it is one step, whichever thread takes it

        def work(_: int) -> None:
            while (turn := next(turns)) < len(self._chunks):
                look(*self._chunks[turn])

        if self._threads == 1:
            work(0)
        else:
            list(self._pool.map(work, range(self._threads)))

    def _bounds(self, probes: Vector, coded: Quantised) -> list[float]:
        """How far the scanned cosine can be from the exact one: |x·p − x'·p'| ≤ |x − x'||p| + |x'||p − p'|."""
        lengths = np.linalg.norm(probes.astype(np.float64), axis=1)
        errors = np.linalg.norm(probes - coded.codes / np.float64(coded.scale), axis=1)
        held, rounding = self.quantised, rounding_of(probes.shape[1])
        return [float(held.error * p + held.longest * e + rounding) for p, e in zip(lengths, errors, strict=True)]

    def _one(self, codes: Codes, kept: "list[_Kept]", gone: Rows) -> Look:
        (only,) = kept

        def look(start: int, chunk: Codes) -> None:
            scores = np.asarray(cast("Any", numkong.dot(chunk, codes)))
            only.look(start, _leaving_out(scores, start, gone))

        return look

    def _many(self, codes: Codes, kept: "list[_Kept]", gone: Rows) -> Look:
        packed = numkong.dots_pack(np.ascontiguousarray(codes))

        def look(start: int, chunk: Codes) -> None:
            block = cast("Any", numkong.dots_packed(chunk, packed))
            for scores, each in zip(np.asarray(block).T, kept, strict=True):
                each.look(start, _leaving_out(scores.astype(np.float64), start, gone))

        return look

    def _rescored(self, probe: Vector, kept: "_Kept", unit: float, bound: float, searched: int) -> Nearest:
        rows, scores = kept.gathered()
        first = np.argpartition(scores, len(scores) - kept.count)[-kept.count :]
        kth = float((self._read(np.sort(rows[first])) @ probe).min())
        rows = np.sort(rows[scores >= (kth - bound) * unit])
        exact = np.asarray(self._read(rows) @ probe, np.float32)
        best = np.lexsort((rows, -exact))[: kept.count]  # of equal scores, the one enrolled first
        return Nearest(rows[best], exact[best], searched, len(rows), bound)


class _Kept:
    """Rows that may still belong to the best, gathered chunk by chunk by several threads.

    The cut only rises, and each thread may use one that is a little old: then it keeps more than it has to.
    """

    __slots__ = ("_best", "_cut", "_parts", "_slack", "count")

    def __init__(self, count: int, slack: float) -> None:
        self.count = count
        self._slack = slack
        self._cut = -np.inf
        self._best: Scores = np.zeros(0)
        self._parts: list[tuple[Rows, Scores]] = []

    def look(self, start: int, scores: Scores) -> None:
        """Keeps what may matter of a chunk's scanned scores."""
        cut = self._cut
        if cut == -np.inf and len(scores) > self.count:
            few = scores[: max(FIRST, self.count)]  # the k-th best of a few is no better than that of all
            cut = float(np.partition(few, len(few) - self.count)[-self.count]) - self._slack
        at = np.flatnonzero(scores >= cut)
        if len(at):
            picked = scores[at]
            self._parts.append((at + start, picked))
            self._raise(picked)

    def _raise(self, picked: Scores) -> None:
        """What another thread adds meanwhile may be forgotten here: that leaves the cut too low, never too high."""
        seen = np.concatenate([self._best, picked])
        if len(seen) >= self.count:
            seen = np.partition(seen, len(seen) - self.count)[-self.count :]
            self._cut = max(self._cut, float(seen[0]) - self._slack)
        self._best = seen

    def gathered(self) -> tuple[Rows, Scores]:
        return np.concatenate([rows for rows, _ in self._parts]), np.concatenate([scores for _, scores in self._parts])


def _chunks(rows: int, threads: int) -> Iterator[tuple[int, int]]:
    """(first row, how many), smaller towards the end, so that no thread waits long for the last of another's."""
    at = 0
    while at < rows:
        size = min(rows - at, CHUNK, max(SMALL_CHUNK, (rows - at) // (4 * threads)))
        yield at, size
        at += size


def _leaving_out(scores: Scores, start: int, gone: Rows) -> Scores:
    """Scores in which rows that may not be searched cannot win: filtered before ranking, not after (M12)."""
    low, high = np.searchsorted(gone, (start, start + len(scores)))
    if low < high:
        scores = scores.copy()
        scores[gone[low:high] - start] = -np.inf
    return scores


def _nothing(searched: int) -> Nearest:
    return Nearest(np.zeros(0, np.int64), np.zeros(0, np.float32), searched, 0, 0.0)
