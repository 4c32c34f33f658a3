"""The canvas on which skin is painted: a cylinder around the head at rest, unrolled.

Columns are the angle around the vertical axis (the face in the middle), rows are the height. Lengths are in
decimetres, as in the head mesh: x to the person's left, y up, z to the front; the eyes at y = 7.3, the mouth at 6.7.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.random import RandomState

from .arrays import Floats

Colour = Sequence[float] | Floats

WIDTH, HEIGHT = 1152, 832
TURN = 0.75 * np.pi  # radians to either side; what lies behind takes the edge's colour
TOP, BOTTOM = 8.6, 5.4
AXIS_Z = 0.45


def place(points: Floats) -> Floats:
    """Where rest points (…, 3) lie on the canvas: (…, 2), column and row."""
    angle = np.arctan2(points[..., 0], points[..., 2] - AXIS_Z)
    column = (angle / TURN * 0.5 + 0.5) * WIDTH
    row = (TOP - points[..., 1]) / (TOP - BOTTOM) * HEIGHT
    return np.stack([np.clip(column, 0, WIDTH - 1), np.clip(row, 0, HEIGHT - 1)], -1).astype(np.float32)


def sample(canvas: Floats, at: Floats) -> Floats:
    """The canvas' values at `at` (n, 2): shape (n, channels), bilinear."""
    count, row = len(at), 4096  # cv2.remap refuses rows of 32,767 and more
    padded = np.pad(at, ((0, -count % row), (0, 0))).reshape(-1, row, 2).astype(np.float32)
    values = cv2.remap(canvas, padded[..., 0], padded[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(values, np.float32).reshape(padded.shape[0] * row, -1)[:count]


def angle_and_height() -> tuple[Floats, Floats]:
    """The angle of every column and the height of every row, as two canvases."""
    columns = (np.arange(WIDTH, dtype=np.float32) / WIDTH - 0.5) * 2 * TURN
    rows = TOP - np.arange(HEIGHT, dtype=np.float32) / HEIGHT * (TOP - BOTTOM)
    angle, height = np.meshgrid(columns, rows)
    return angle.astype(np.float32), height.astype(np.float32)


def noise(random: RandomState, grain: float, shape: tuple[int, int] = (HEIGHT, WIDTH)) -> Floats:
    """Smooth noise of standard deviation near 1, its spots about `grain` pixels wide."""
    rows, columns = (max(2, int(side / grain)) for side in shape)
    coarse = random.normal(0, 1, (rows, columns)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32)


def ramp(start: float | Floats, end: float | Floats, x: Floats) -> Floats:
    """0 at `start`, 1 at `end`, smooth between."""
    t = np.clip((x - start) / (end - start), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


class Painter:
    """Paints on a canvas (HEIGHT, WIDTH, channels), at places given as (x, y) of the face seen from the front."""

    def __init__(self, canvas: Floats, front: "Front") -> None:
        self.canvas = canvas
        self._front = front

    def blend(self, mask: Floats, colour: Colour) -> None:
        """Lays `colour` over the canvas where the mask, 0 to 1, says so."""
        rows, columns = (np.flatnonzero(mask.max(axis) > 0.003) for axis in (1, 0))  # noqa: PLR2004 - invisible below
        if len(rows) == 0:
            return
        box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        weight = mask[box][..., None]
        self.canvas[box] = self.canvas[box] * (1 - weight) + np.asarray(colour, np.float32) * weight

    def spot(self, x: float, y: float, width: float, height: float) -> Floats:
        """A soft spot's mask; its half-widths in decimetres."""
        column, row = self._front.place(x, y)
        across, along = width * WIDTH / (2 * TURN * 0.95), height * HEIGHT / (TOP - BOTTOM)
        columns = np.exp(-(((np.arange(WIDTH) - column) / across) ** 2))
        rows = np.exp(-(((np.arange(HEIGHT) - row) / along) ** 2))
        return np.outer(rows, columns).astype(np.float32)

    def line(self, points: Sequence[tuple[float, float]] | Floats, width: float, soft: float) -> Floats:
        """A soft line's mask; width and softness in pixels of the canvas."""
        mask = np.zeros((HEIGHT, WIDTH), np.float32)
        placed = np.array([self._front.place(x, y) for x, y in points])
        cv2.polylines(mask, [np.round(placed * 16).astype(np.int32)], False, 1.0, max(1, round(width)), cv2.LINE_AA, 4)
        return np.asarray(np.clip(cv2.GaussianBlur(mask, (0, 0), soft), 0, 1), np.float32)


class Front:
    """Where the points of the face, seen from the front, lie on the canvas."""

    LEFT, LOW, STEP = -0.9, 6.0, 0.02

    def __init__(self, points: Floats, normals: Floats) -> None:
        seen = (points[:, 2] > 0.7) & (normals[:, 2] > 0.05) & (points[:, 1] > self.LOW)  # noqa: PLR2004 - the face
        points = points[seen]
        xs, ys = np.meshgrid(np.arange(91) * self.STEP + self.LEFT, np.arange(126) * self.STEP + self.LOW)
        self._depth = np.zeros(xs.shape, np.float32)
        for row in range(len(ys)):
            apart = (points[:, :1] - xs[row]) ** 2 + (points[:, 1:2] - ys[row]) ** 2
            near = np.argpartition(apart, 6, 0)[:6]
            weight = 1 / (np.take_along_axis(apart, near, 0) + 1e-4)
            self._depth[row] = (points[near, 2] * weight).sum(0) / weight.sum(0)

    def place(self, x: float, y: float) -> Floats:
        row = int(np.clip(round((y - self.LOW) / self.STEP), 0, 125))
        column = int(np.clip(round((x - self.LEFT) / self.STEP), 0, 90))
        return place(np.array([x, y, self._depth[row, column]], np.float32))
