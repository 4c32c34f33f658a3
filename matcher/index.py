"""Vectors -> nearest neighbours: USearch, exact. Graph search loses mates on faces (HNSW top-1 .77 at 1 M)."""

from collections.abc import Sequence

import numpy as np

# Loaded before usearch: in the other order its shared library crashes (usearch 2.26.6, onnxruntime 1.32.0).
import onnxruntime  # noqa: F401 # pyright: ignore[reportUnusedImport]
from numpy.typing import NDArray
from usearch.compiled import MetricKind, ScalarKind
from usearch.index import Index

Vector = NDArray[np.float32]


class NearestPhotos:
    """The eligible photographs of the gallery, by their number in the database. Built anew, never half changed."""

    def __init__(self, keys: Sequence[int], vectors: Vector) -> None:
        """`vectors` float32 of shape (n, dimension), each of length 1; `keys` n different numbers."""
        self.size = len(keys)
        self._index = Index(ndim=vectors.shape[1], metric=MetricKind.Cos, dtype=ScalarKind.F32)
        if self.size:
            self._index.add(np.asarray(keys, np.uint64), vectors)

    def nearest(self, probe: Vector, count: int) -> list[tuple[int, float]]:
        """(key, cosine) of the `count` nearest, best first, every photograph having been compared."""
        if not self.size:
            return []
        found = self._index.search(probe, min(count, self.size), exact=True)
        return [(int(m.key), 1.0 - float(m.distance)) for m in found]
