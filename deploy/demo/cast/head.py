"""The head: MakeHuman's base mesh (CC0 1.0), its shape targets and expression units, subdivided once.

Units are decimetres; x to the person's left, y up, z to the front. `head.npz` is packed by `pack_head`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

from .arrays import Floats, Indices
from .canvas import Front

SKIN: Final = "body"
EYES: Final = ("left-eye", "right-eye")
LASHES: Final = ("upper-lashes", "lower-lashes")
PARTS: Final = (SKIN, *EYES, "upper-teeth", "lower-teeth", "tongue", *LASHES)
DRAWN: Final = PARTS[:6]  # lashes are drawn as strands
DATA: Final = Path(__file__).with_name("head.npz")


@dataclass(frozen=True, slots=True)
class Targets:
    """Offsets of the cage's vertices by target: rows start[i] to end[i] of `vertices` and `offsets` are target i's."""

    ends: Mapping[str, tuple[int, int]]
    vertices: Indices
    offsets: Floats

    def apply(self, cage: Floats, turned: Mapping[str, float]) -> Floats:
        moved = cage.copy()
        for name, amount in turned.items():
            start, end = self.ends[name]
            moved[self.vertices[start:end]] += np.float32(amount) * self.offsets[start:end]
        return moved


class Head:
    """The mesh. Vertices after subdivision: the cage's own first, then one for each edge and face of the skin."""

    def __init__(self, path: Path = DATA) -> None:
        with np.load(path) as data:
            self._cage: Floats = data["vertices"]
            faces = {part: data[f"faces/{part}"].astype(np.int64) for part in PARTS}
            names, ends = data["target_names"], data["target_ends"]
            spans = zip(np.concatenate([[0], ends[:-1]]), ends, strict=True)
            self._targets = Targets(
                {str(name): (int(a), int(b)) for name, (a, b) in zip(names, spans, strict=True)},
                data["target_vertices"].astype(np.int64),
                data["target_offsets"].astype(np.float32) / 1000,
            )
            self.lips: Floats = data["lips"].astype(np.float32) / 255
        self._finer = Subdivision(faces[SKIN], len(self._cage))
        self.lashes = {part: faces[part] for part in LASHES}
        self.faces = {part: faces[part] for part in DRAWN} | {SKIN: self._finer.faces}
        self.corners = {part: np.concatenate([f[:, [0, 1, 2]], f[:, [0, 2, 3]]]) for part, f in self.faces.items()}
        self.rest = self._finer.apply(self._cage)
        self.rest_normals = normals(self.rest, self.corners[SKIN])
        self._eyes = np.unique(np.concatenate([self.faces[part] for part in EYES]))
        self.eye_centres = {part: self.rest[np.unique(self.faces[part])].mean(0) for part in EYES}

    def shaped(self, turned: Mapping[str, float]) -> Floats:
        """The vertices with these targets turned; the eyes stay where they are at rest, whatever the stature."""
        finer = self._finer.apply(self._targets.apply(self._cage, turned))
        return finer + (self.rest[self._eyes].mean(0) - finer[self._eyes].mean(0))

    @cached_property
    def front(self) -> Front:
        return Front(self.rest, self.rest_normals)

    @cached_property
    def skin_vertices(self) -> Indices:
        return np.unique(self.corners[SKIN])


class Subdivision:
    """One step of Catmull and Clark's subdivision (1978), prepared for one set of quads."""

    def __init__(self, quads: Indices, count: int) -> None:
        self._quads = quads
        ends = np.stack([quads, np.roll(quads, -1, 1)], -1).reshape(-1, 2)
        self._edges, edge_of = np.unique(np.sort(ends, 1), axis=0, return_inverse=True)
        edge_of = edge_of.reshape(-1)
        self._beside = np.repeat(np.arange(len(quads)), 4)
        self._edge_of = edge_of
        self._inner = np.bincount(edge_of, minlength=len(self._edges)) == 2  # noqa: PLR2004 - a face on either side
        self._valence = np.bincount(self._edges.ravel(), minlength=count).astype(np.float32)
        self._fixed = np.ones(count, bool)  # all that the quads do not touch
        self._fixed[np.unique(quads)] = False
        self._fixed[np.unique(self._edges[~self._inner])] = True  # the rim keeps its place
        self.faces = self._split(quads, edge_of.reshape(-1, 4), count)

    def _split(self, quads: Indices, edges: Indices, count: int) -> Indices:
        on_edge = count + edges
        middle = count + len(self._edges) + np.arange(len(quads))
        return np.concatenate([np.stack([quads[:, i], on_edge[:, i], middle, on_edge[:, i - 1]], 1) for i in range(4)])

    def apply(self, cage: Floats) -> Floats:
        """The finer vertices: shape (cage + edges + faces, 3)."""
        middles = cage[self._quads].mean(1)
        halves = cage[self._edges].mean(1)
        beside = _sums(self._edge_of, middles[self._beside], len(self._edges))
        on_edge = np.where(self._inner[:, None], halves / 2 + beside / 4, halves)
        return np.concatenate([self._moved(cage, middles, halves), on_edge, middles]).astype(np.float32)

    def _moved(self, cage: Floats, middles: Floats, halves: Floats) -> Floats:
        n = np.maximum(self._valence, 1)[:, None]
        around = _sums(self._quads.ravel(), middles[self._beside], len(cage)) / n
        along = _sums(self._edges.ravel(), np.repeat(halves, 2, 0), len(cage)) / n
        moved = (around + 2 * along + (n - 3) * cage) / n
        return np.where(self._fixed[:, None], cage, moved)


def _sums(into: Indices, values: Floats, count: int) -> Floats:
    return np.stack([np.bincount(into, values[:, i], count) for i in range(values.shape[1])], 1).astype(np.float32)


def normals(vertices: Floats, corners: Indices) -> Floats:
    """Unit normals, averaged over the triangles around each vertex; zero where there is none."""
    v = vertices[corners]
    face = np.cross(v[:, 1] - v[:, 0], v[:, 2] - v[:, 0])
    total = _sums(corners.ravel(), np.repeat(face, 3, 0), len(vertices))
    return total / (np.linalg.norm(total, axis=1, keepdims=True) + 1e-12)


def unit(vectors: Floats) -> Floats:
    return (vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-9)).astype(np.float32)
