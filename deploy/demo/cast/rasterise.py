"""Triangles and strands -> pixels: a software rasteriser with a depth buffer, in numpy."""

from dataclasses import dataclass

import numpy as np

from .arrays import Flags, Floats, Indices

TINY, RIM = 1e-9, 1e-5  # no area; as much outside as rounding may put a point on an edge
NOTHING = -1
FAR = np.float32(-1e9)


@dataclass(frozen=True, slots=True)
class Fragments:
    """What each pixel shows: the triangle (NOTHING where none), its barycentric weights, and the depth.

    Depth grows towards the camera. Shapes (height, width), (height, width, 3), (height, width).
    """

    triangle: Indices
    weights: Floats
    depth: Floats

    @property
    def hit(self) -> Flags:
        return self.triangle >= 0


def triangles(points: Floats, corners: Indices, width: int, height: int) -> Fragments:
    """The nearest triangle of each pixel. `points` (n, 3): column, row and depth; those turned away are left out."""
    v = points[corners]
    one, two = v[:, 1] - v[:, 0], v[:, 2] - v[:, 0]
    area = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]
    a, b, c = v[:, 0, :2], v[:, 1, :2], v[:, 2, :2]
    low = np.maximum(np.ceil(np.minimum(np.minimum(a, b), c) - 0.5), 0).astype(np.int64)
    high = np.minimum(np.floor(np.maximum(np.maximum(a, b), c) - 0.5), (width - 1, height - 1)).astype(np.int64)
    seen = np.flatnonzero((high >= low).all(1) & (area < -TINY))
    x, y, of = _cells(low[seen], high[seen])
    t = seen[of]
    dx, dy = x + 0.5 - v[t, 0, 0], y + 0.5 - v[t, 0, 1]
    u = (dx * two[t, 1] - dy * two[t, 0]) / area[t]
    w = (dy * one[t, 0] - dx * one[t, 1]) / area[t]
    inside = (u >= -RIM) & (w >= -RIM) & (u + w <= 1 + RIM)
    t, x, y, u, w = t[inside], x[inside], y[inside], u[inside], w[inside]
    z = v[t, 0, 2] * (1 - u - w) + v[t, 1, 2] * u + v[t, 2, 2] * w
    order = np.argsort(z, kind="stable")  # the nearest is written last
    cell = (y * width + x)[order]
    return _gathered(cell, t[order], u[order], w[order], z[order], width, height)


def _cells(low: Indices, high: Indices) -> tuple[Indices, Indices, Indices]:
    """Every pixel of every bounding box: column, row, and which box."""
    across = high[:, 0] - low[:, 0] + 1
    count = across * (high[:, 1] - low[:, 1] + 1)
    of = np.repeat(np.arange(len(low)), count)
    nth = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    return low[of, 0] + nth % across[of], low[of, 1] + nth // across[of], of


def _gathered(cell: Indices, t: Indices, u: Floats, w: Floats, z: Floats, width: int, height: int) -> Fragments:
    triangle = np.full(width * height, NOTHING, np.int64)
    weights = np.zeros((width * height, 3), np.float32)
    depth = np.full(width * height, FAR, np.float32)
    triangle[cell], depth[cell] = t, z
    weights[cell] = np.stack([1 - u - w, u, w], -1)
    return Fragments(triangle.reshape(height, width), weights.reshape(height, width, 3), depth.reshape(height, width))


def weighted(values: Floats, weights: Floats) -> Floats:
    """Corner values (n, 3, channels) by barycentric weights (n, 3): shape (n, channels)."""
    total = values[:, 0] * weights[:, :1]
    total += values[:, 1] * weights[:, 1:2]
    total += values[:, 2] * weights[:, 2:]
    return total


@dataclass(frozen=True, slots=True)
class Samples:
    """Points along strands, as drawn: pixel, depth, which strand, how far along it (0 root, 1 tip)."""

    cell: Indices
    depth: Floats
    strand: Indices
    along: Floats
    step: Indices


def strands(points: Floats, width: int, height: int, behind: Floats, slack: float) -> Samples:
    """The nearest strand of each pixel. `points` (strands, steps, 3); hidden where further than `behind` − `slack`."""
    first, last = points[:, :-1], points[:, 1:]
    span = np.abs(last - first)
    count = np.clip(np.ceil(np.maximum(span[..., 0], span[..., 1])), 1, 60).astype(np.int64)
    of = np.repeat(np.arange(count.size), count.ravel())
    nth = np.arange(len(of)) - np.repeat(np.cumsum(count.ravel()) - count.ravel(), count.ravel())
    t = ((nth + 0.5) / count.ravel()[of])[:, None]
    at = first.reshape(-1, 3)[of] * (1 - t) + last.reshape(-1, 3)[of] * t
    x, y = np.floor(at[:, 0]).astype(np.int64), np.floor(at[:, 1]).astype(np.int64)
    on = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    cell, z, of, t = (y * width + x)[on], at[on, 2], of[on], t[on, 0]
    seen = z > behind.ravel()[cell] - slack
    cell, z, of, t = cell[seen], z[seen], of[seen], t[seen]
    order = np.argsort(z, kind="stable")
    nearest = np.full(width * height, NOTHING, np.int64)
    nearest[cell[order]] = order
    kept = nearest[nearest >= 0]
    segments = points.shape[1] - 1
    along = (of[kept] % segments + t[kept]) / segments
    return Samples(
        cell[kept], z[kept].astype(np.float32), of[kept] // segments, along.astype(np.float32), of[kept] % segments
    )
