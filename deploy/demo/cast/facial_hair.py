"""Brows, beards and lashes, as short strands."""

import numpy as np
from numpy.random import RandomState

from .arrays import Floats
from .canvas import place, ramp, sample
from .hair import Roots, angle_of, beard_density, roots
from .head import Head, unit
from .identity import Beard, Identity
from .strands import BACK, SIDE, UP, Strands


def brows(head: Head, shaped: Floats, who: Identity, random: RandomState) -> Strands:
    b = who.brows

    def along(rest: Floats) -> Floats:
        return (np.abs(rest[:, 0]) - b.start) / b.length

    def density(rest: Floats) -> Floats:
        t = along(rest)
        thick = b.thickness * (1 - 0.65 * ramp(0.5, 1, t)) * (0.75 + 0.25 * ramp(0, 0.15, t))
        across = np.exp(-(((rest[:, 1] - b.height(np.clip(t, 0, 1))) / thick) ** 2))
        return across * ramp(-0.05, 0.08, t) * ramp(1.03, 0.85, t) * (rest[:, 2] > 0.8)  # noqa: PLR2004

    start = roots(head, shaped, density, int(1000 * b.density), random)
    t = np.clip(along(start.rest), 0, 1)
    lean = (0.7 - 0.85 * t + random.normal(0, 0.1, len(t)))[:, None]
    wish = np.cos(lean) * np.sign(start.rest[:, :1]) * SIDE + np.sin(lean) * UP
    length = random.uniform(0.022, 0.042, len(t)).astype(np.float32)
    points = _short(start, wish, length, 0.25)
    colour = who.brow_colour * random.uniform(0.7, 1.2, (len(points), 1))
    return Strands(points, np.clip(colour, 4, 220).astype(np.float32), 0.1, 0.8)


def beard(head: Head, shaped: Floats, who: Identity, random: RandomState) -> Strands:
    def density(rest: Floats) -> Floats:
        lips = sample(head.lips, place(rest))[:, 0]
        dense = beard_density(who.beard, angle_of(rest), rest[:, 1]) * np.clip(1 - 2.5 * lips, 0, 1)
        return dense * (rest[:, 1] < 7.5) * (rest[:, 2] > 0.2)  # noqa: PLR2004 - the front, not the mouth's inside

    stubble = who.beard is Beard.STUBBLE
    start = roots(head, shaped, density, int((5000 if stubble else 9000) * who.beard_density), random)
    wish = -UP - 0.2 * BACK + 0.35 * np.sign(start.rest[:, :1]) * SIDE * (start.rest[:, 1:2] > 6.7)  # noqa: PLR2004
    length = random.uniform(0.5, 1.1, len(start.at)) * (0.012 if stubble else 0.05) * (0.4 + 0.6 * density(start.rest))
    points = _short(start, wish + random.normal(0, 0.25, wish.shape), length.astype(np.float32), 0.35)
    colour = who.hair.colour * random.uniform(0.55, 1.05, (len(points), 1))
    return Strands(points, np.clip(colour, 4, 215).astype(np.float32), 0.15, 0.35 if stubble else 0.75)


def lashes(head: Head, shaped: Floats, who: Identity, random: RandomState) -> list[Strands]:
    """From the front lashes close up into a line along the lid: strokes along the mesh's lash cards."""
    drawn: list[Strands] = []
    for part, count, cover in (("upper-lashes", 500, 0.35 + 0.45 * who.lashes), ("lower-lashes", 200, 0.22)):
        quads = head.lashes[part]
        card = shaped[quads[random.randint(0, len(quads), count)]]
        a, b, d = card[:, 0], card[:, 1], card[:, 3]
        wide = (np.abs(b - a)[:, :1] > np.abs(d - a)[:, :1]).astype(np.float32)
        along, across = wide * (b - a) + (1 - wide) * (d - a), wide * (d - a) + (1 - wide) * (b - a)
        at = a + across * random.random_sample((count, 1)) + along * random.uniform(-0.2, 0.7, (count, 1))
        points = np.stack([at, at + 0.5 * along], 1).astype(np.float32)
        colour = np.broadcast_to(np.minimum(who.hair.colour * 0.4, 30), (count, 3)).astype(np.float32)
        drawn.append(Strands(points, colour, 0.0, cover))
    return drawn


def _short(start: Roots, wish: Floats, length: Floats, lift: float) -> Floats:
    """Strands of three points, lying along the skin towards `wish`."""
    along = unit(wish - (wish * start.normal).sum(1, keepdims=True) * start.normal)
    first = start.at + length[:, None] * 0.5 * unit(lift * start.normal + (1 - lift) * along)
    last = first + length[:, None] * 0.5 * unit(0.3 * lift * start.normal + along)
    return np.stack([start.at, first, last], 1)
