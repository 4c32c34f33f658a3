"""What the key light does not reach: depth seen from the light, compared softly."""

import cv2
import numpy as np

from .arrays import Floats, Indices
from .rasterise import triangles

SIDE = 420  # pixels
REACH = 2.6  # decimetres to either side of the head
SLACK = 0.06  # decimetres: nothing shadows itself
TAPS = [(0.0, 0.0)] + [
    (r * np.cos(a), r * np.sin(a)) for r, n in ((3.0, 6), (6.5, 9)) for a in 2 * np.pi * np.arange(n) / n
]


class Shadow:
    """The shadow that a mesh and strands (their points) cast, away from a light far away."""

    def __init__(self, direction: Floats, centre: Floats, vertices: Floats, corners: Indices, strands: Floats) -> None:
        across = np.cross([0, 1, 0], direction)
        across = across / np.linalg.norm(across)
        self._frame = np.stack([across, np.cross(direction, across), direction], 1).astype(np.float32)
        self._centre = centre
        nearest = triangles(self._seen(vertices).astype(np.float64), corners, SIDE, SIDE).depth
        points = self._seen(strands)
        cell = np.round(points[:, :2]).astype(np.int64)
        on = ((cell >= 0) & (cell < SIDE)).all(1)
        np.maximum.at(nearest.ravel(), cell[on, 1] * SIDE + cell[on, 0], points[on, 2])
        self._nearest = cv2.medianBlur(nearest, 3)

    def _seen(self, points: Floats) -> Floats:
        seen = (points - self._centre) @ self._frame
        scale = SIDE / (2 * REACH)
        return np.stack([SIDE / 2 + seen[:, 0] * scale, SIDE / 2 - seen[:, 1] * scale, seen[:, 2]], 1)

    def lit(self, points: Floats) -> Floats:
        """0 in the shadow … 1 in the light, for each of `points` (n, 3)."""
        seen = self._seen(points)
        total = np.zeros(len(points), np.float32)
        for dx, dy in TAPS:
            column = np.clip(np.round(seen[:, 0] + dx), 0, SIDE - 1).astype(np.int64)
            row = np.clip(np.round(seen[:, 1] + dy), 0, SIDE - 1).astype(np.int64)
            blocked = self._nearest[row, column] - seen[:, 2] - SLACK
            total += np.clip(1 - blocked / 0.05, 0, 1)
        return total / len(TAPS)
