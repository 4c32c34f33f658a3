"""What was enrolled since the last snapshot: taken in as fast as memory is written, compared by USearch's kernel."""

from dataclasses import dataclass, field

import numpy as np
import onnxruntime  # noqa: F401 # pyright: ignore[reportUnusedImport] - loaded after usearch, it crashes the process
from numpy.typing import NDArray
from usearch.compiled import MetricKind
from usearch.index import search

from matcher.snapshot import Leaves, Numbers, Vectors

Vector = NDArray[np.float32]
ROOM = 1024  # photographs, at first


@dataclass(slots=True)
class Room:
    """Rows that may be shared by one `Fresh` and those that it grew out of: none of them looks beyond its own."""

    numbers: Numbers
    vectors: Vectors
    leaves: Leaves
    used: int = 0


@dataclass(frozen=True, slots=True)
class Fresh:
    """Photographs in the order in which they came. It never changes: what comes or goes makes another."""

    dimension: int
    count: int = 0
    _room: Room | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return self.count

    @property
    def numbers(self) -> Numbers:
        return self._room.numbers[: self.count] if self._room else np.zeros(0, np.int64)

    @property
    def vectors(self) -> Vectors:
        return self._room.vectors[: self.count] if self._room else np.zeros((0, self.dimension), np.float32)

    @property
    def leaves(self) -> Leaves:
        return self._room.leaves[: self.count] if self._room else np.zeros((0, 32), np.uint8)

    def with_more(self, numbers: Numbers, vectors: Vectors, leaves: Leaves) -> "Fresh":
        """These, too: written behind the others, and only where there is no more room are the others copied."""
        if not len(numbers):
            return self
        count = self.count + len(numbers)
        room = self._room
        if room is None or room.used != self.count or count > len(room.numbers):
            room = self._roomier(max(ROOM, 2 * count))
        new = slice(self.count, count)
        room.numbers[new], room.vectors[new], room.leaves[new] = numbers, vectors, leaves
        room.used = count
        return Fresh(self.dimension, count, room)

    def _roomier(self, size: int) -> Room:
        room = Room(
            np.zeros(size, np.int64), np.zeros((size, self.dimension), np.float32), np.zeros((size, 32), np.uint8)
        )
        old = slice(0, self.count)
        room.numbers[old], room.vectors[old], room.leaves[old] = self.numbers, self.vectors, self.leaves
        return room

    def without(self, numbers: Numbers) -> "Fresh":
        """All but these."""
        stay = ~np.isin(self.numbers, numbers)
        if stay.all():
            return self
        return Fresh(self.dimension).with_more(self.numbers[stay], self.vectors[stay], self.leaves[stay])

    def nearest(self, probe: Vector, count: int, barred: frozenset[int], threads: int) -> list[tuple[int, float]]:
        """(number, cosine), best first; asked for so many more that the barred ones cannot take anybody's place."""
        if self.count <= len(barred):
            return []
        wanted = min(count + len(barred), self.count)
        matches = search(self.vectors, probe, wanted, MetricKind.IP, exact=True, threads=threads)
        numbers = self.numbers[matches.keys.astype(np.int64)].tolist()
        found = [(number, 1.0 - float(d)) for number, d in zip(numbers, matches.distances, strict=True)]
        return [each for each in found if each[0] not in barred][:count]
