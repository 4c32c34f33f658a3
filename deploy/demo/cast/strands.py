"""How hair falls: strands that leave the skin, follow a direction, lie on the head, clump and curl."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.random import RandomState

from .arrays import Floats
from .canvas import sample
from .hair import Roots
from .head import Head, unit

Field = Callable[[Floats], Floats]  # of points (n, 3): where hair there wants to go

LOWEST: Final = 6.4  # below, hair hangs free and is hidden by the shoulders
CENTRE: Final = np.array([0, 7.5, 0.25], np.float32)  # of the skull
UP, BACK, SIDE = (np.array(v, np.float32) for v in ([0, 1, 0], [0, 0, -1], [1, 0, 0]))


@dataclass(frozen=True, slots=True)
class Strands:
    """Points (strands, steps, 3) in decimetres; colour (strands, 3) in sRGB 0 … 255; `cover` is how opaque they are."""

    points: Floats
    colour: Floats
    shine: float
    cover: float = 1.0


class Skull:
    """The head's surface as a distance from its centre by direction: what hair lies on."""

    ROWS, COLUMNS = 48, 96

    def __init__(self, head: Head, shaped: Floats) -> None:
        skull = head.skin_vertices[head.rest[head.skin_vertices, 1] > LOWEST]
        points = shaped[skull] - CENTRE
        row, column = self._cell(points)
        radius = np.zeros((self.ROWS, self.COLUMNS), np.float32)
        np.maximum.at(radius, (row.astype(int), column.astype(int) % self.COLUMNS), np.linalg.norm(points, axis=1))
        for _ in range(12):
            radius = np.where(radius > 0, radius, cv2.dilate(radius, np.ones((3, 3), np.uint8)))
        self._radius = np.asarray(cv2.GaussianBlur(radius, (0, 0), 0.7), np.float32)

    def _cell(self, points: Floats) -> tuple[Floats, Floats]:
        far = np.linalg.norm(points, axis=-1) + 1e-9
        row = np.arccos(np.clip(points[..., 1] / far, -1, 1)) / np.pi * (self.ROWS - 1)
        column = (np.arctan2(points[..., 0], points[..., 2]) / (2 * np.pi) + 0.5) * (self.COLUMNS - 1)
        return row, column

    def outside(self, points: Floats, clearance: Floats) -> Floats:
        """The points, moved out where they were nearer to the surface than `clearance` (n,)."""
        apart = points - CENTRE
        row, column = self._cell(apart)
        surface = sample(self._radius, np.stack([column, row], 1))[:, 0] + clearance
        far = np.linalg.norm(apart, axis=1)
        out = np.where(points[:, 1] > LOWEST, np.maximum(surface / far, 1), 1)
        return (CENTRE + apart * out[:, None]).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Fall:
    """How strands leave the root and go on: `lift` 0 along the skin … 1 straight up, `give` how soon they follow."""

    length: Floats
    field: Field
    lift: float
    give: float
    gravity: float
    clearance: Floats
    steps: int


def fallen(start: Roots, fall: Fall, skull: Skull, random: RandomState) -> Floats:
    """The strands' points: (n, steps + 1, 3)."""
    wish = fall.field(start.rest)
    along = wish - (wish * start.normal).sum(1, keepdims=True) * start.normal
    heading = unit(fall.lift * start.normal + (1 - fall.lift) * unit(along) + random.normal(0, 0.1, along.shape))
    points, step = [start.at], (fall.length / fall.steps)[:, None]
    for k in range(fall.steps):
        there = points[-1] + heading * step
        grown = min(1.0, (k + 1) / 3)
        there = skull.outside(there, fall.clearance * grown)
        wish = fall.field(there) + fall.gravity * -UP
        heading = unit(heading + fall.give * (unit(wish) - heading) + random.normal(0, 0.03, heading.shape))
        points.append(there)
    return np.stack(points, 1).astype(np.float32)


def clumped(points: Floats, locks: int, strength: float, random: RandomState) -> Floats:
    """Strands drawn towards the nearest of `locks` leading strands, more so at the tips."""
    leaders = random.choice(len(points), min(locks, len(points)), replace=False)
    first = points[:, 0] - CENTRE
    apart = (first[leaders] ** 2).sum(1) - 2 * first @ first[leaders].T
    leader = leaders[apart.argmin(1)]
    share = strength * np.linspace(0, 1, points.shape[1], dtype=np.float32)[None, :, None] ** 1.5
    return points * (1 - share) + (points[leader] + 0.35 * (points[:, :1] - points[leader, :1])) * share


def curled(points: Floats, radius: float, turns: float, random: RandomState) -> Floats:
    """Strands wound into curls of this radius, in decimetres; neighbours wind alike."""
    along = np.linspace(0, 1, points.shape[1], dtype=np.float32)[None, :, None]
    heading = unit(np.gradient(points, axis=1).astype(np.float32))
    across = unit(np.cross(heading, UP + 0.3 * SIDE))
    other = np.cross(heading, across)
    phase = (9 * points[:, :1, :1] + 7 * points[:, :1, 1:2] + 5 * points[:, :1, 2:]) * 2
    phase = phase + random.normal(0, 0.5, (len(points), 1, 1))
    turn = 2 * np.pi * turns * along + phase
    return points + radius * np.minimum(4 * along, 1) * (np.cos(turn) * across + np.sin(turn) * other)
