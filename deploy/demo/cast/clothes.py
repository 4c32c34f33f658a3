"""Plain clothes: a T-shirt or a jumper, drawn on the body's own surface and lifted a little off it."""

from dataclasses import dataclass

import numpy as np

from .arrays import Flags, Floats
from .canvas import ramp
from .head import SKIN, Head, normals

THICK = 0.05  # decimetres
BAND = 0.09


@dataclass(frozen=True, slots=True)
class Clothes:
    """Colour sRGB 0 … 255; `neck` moves the neckline down, in decimetres; `vee` is how pointed it is."""

    colour: tuple[float, float, float]
    neck: float = 0.0
    vee: float = 0.0

    def inside(self, rest: Floats) -> Floats:
        """How far below the neckline a point of the body at rest lies, in decimetres; negative above."""
        x, y, z = rest[..., 0], rest[..., 1], rest[..., 2]
        front = ramp(-0.2, 0.6, z)
        round_ = 0.34 * np.exp(-((x / 0.5) ** 2)) + self.vee * np.clip(1 - np.abs(x) / 0.55, 0, 1)
        line = 6.05 - 0.12 * np.clip(np.abs(x) - 0.5, 0, 1) - front * (round_ + self.neck)
        return line - y

    def covers(self, rest: Floats) -> Flags:
        return self.inside(rest) > 0

    def colours(self, rest: Floats) -> Floats:
        depth = self.inside(rest)
        band = np.where(depth < BAND, 0.86, 1.0) * (1 - 0.25 * np.exp(-(((depth - BAND) / 0.012) ** 2)))
        return (np.array(self.colour, np.float32) * band[:, None]).astype(np.float32)

    def weave(self, rest: Floats) -> Floats:
        """The cloth's relief: ribs along the neckline, a fine knit below."""
        depth = self.inside(rest)
        ribs = np.sin(rest[:, 0] * 130)
        knit = 0.4 * np.sin(rest[:, 0] * 170) * np.sin(rest[:, 1] * 170)
        folds = 3 * np.sin(rest[:, 0] * 5 + 3 * rest[:, 1]) * np.sin(2.1 * rest[:, 1] + 0.7)
        return np.where(depth < BAND, ribs, knit + folds).astype(np.float32)


def dressed(shaped: Floats, head: Head, clothes: Clothes) -> Floats:
    """The vertices with cloth lifted off the skin."""
    lift = THICK * ramp(-0.03, 0.05, clothes.inside(head.rest)) * (head.rest[:, 1] < 6.3)  # noqa: PLR2004 - not the face
    return (shaped + normals(shaped, head.corners[SKIN]) * lift[:, None]).astype(np.float32)
