"""Scalp hair by style: how long, which way, how curly."""

from typing import Final

import numpy as np
from numpy.random import RandomState

from .arrays import Floats
from .canvas import ramp
from .facial_hair import beard, brows, lashes
from .hair import Roots, angle_of, on_ear, roots, scalp_density
from .head import Head, unit
from .identity import Beard, Hair, Identity, Style
from .strands import BACK, CENTRE, SIDE, UP, Fall, Field, Skull, Strands, clumped, curled, fallen

KNOT: Final = np.array([0, 7.8, -1.0], np.float32)  # where tied hair is tied


def hair_strands(head: Head, shaped: Floats, who: Identity) -> list[Strands]:
    """All strands of a person, in the space of the shaped head."""
    random = RandomState(who.seed + 2)
    drawn = [brows(head, shaped, who, random), *lashes(head, shaped, who, random)]
    if who.beard is not Beard.NONE:
        drawn.append(beard(head, shaped, who, random))
    if who.hair.style is not Style.SHAVEN:
        drawn += _scalp(head, shaped, who, random)
    return drawn


def _scalp(head: Head, shaped: Floats, who: Identity, random: RandomState) -> list[Strands]:
    hair = who.hair

    def density(rest: Floats) -> Floats:
        dense = scalp_density(hair, angle_of(rest), rest[:, 1], male=who.male)
        return dense * ~on_ear(rest)

    counts = {Style.BUZZ: 16000, Style.CROP: 16000, Style.RECEDING: 12000, Style.COILS: 15000}
    start = roots(head, shaped, density, counts.get(hair.style, 11000), random)
    skull = Skull(head, shaped)
    fall = _fall(hair, start, density(start.rest), random)
    points = fallen(start, fall, skull, random)
    match hair.style:
        case Style.COILS:
            points = curled(clumped(points, 700, 0.5, random), 0.02, 5, random)
        case Style.CURLS:
            points = curled(clumped(points, 420, 0.8, random), 0.035, 2.2, random)
        case Style.LONG | Style.BOB:
            points = clumped(points, 260, 0.55, random)
            if hair.curl > 0.3:  # noqa: PLR2004 - straight below
                points = curled(points, 0.05 * hair.curl, 3.0 * hair.length / 1.8, random)
        case Style.TIED:
            points = clumped(points, 300, 0.35, random)
        case _:
            points = clumped(points, 700, 0.5, random)
    drawn = [_coloured(points, hair, random)]
    if hair.style is Style.TIED:
        drawn.append(_coloured(_bun(shaped, random) if hair.fringe else _tail(hair, random), hair, random))
    return drawn


def _fall(hair: Hair, start: Roots, density: Floats, random: RandomState) -> Fall:
    count = len(start.at)
    top = ramp(7.75, 8.2, start.rest[:, 1])
    vary = random.uniform(0.8, 1.1, count).astype(np.float32) * (0.35 + 0.65 * density)
    layer = random.random_sample(count).astype(np.float32)
    match hair.style:
        case Style.BUZZ:
            return Fall(0.05 * vary, _forward, 0.75, 0.2, 0, 0 * layer, 3)
        case Style.CROP | Style.RECEDING:
            length = (0.09 + 0.13 * top * hair.length) * vary
            return Fall(length, _forward, 0.5, 0.35, 0.3, 0.02 + 0.06 * layer * top, 6)
        case Style.PARTED:
            length = (0.12 + 0.34 * top * hair.length) * vary
            return Fall(length, _from_part(hair.part), 0.3, 0.6, 0.5, 0.02 + 0.07 * layer * top, 9)
        case Style.SWEPT_BACK:
            length = (0.16 + 0.4 * top * hair.length) * vary
            return Fall(length, _backward, 0.34, 0.4, 0.1, 0.03 + 0.1 * layer * top, 9)
        case Style.COILS:
            return Fall(hair.length * vary, _outward, 0.95, 0.1, 0, 0 * layer, 24)
        case Style.CURLS:
            length = (0.16 + 0.3 * top * hair.length) * vary
            return Fall(length, _from_part(hair.part), 0.6, 0.25, 0.5, 0.03 + 0.12 * layer, 16)
        case Style.TIED:
            far = np.linalg.norm(start.at - KNOT, axis=1).astype(np.float32)
            return Fall(far * 1.05, _to_knot, 0.06, 0.8, 0, 0.015 + 0.06 * layer, 16)
        case _:
            return _long(hair, start, vary, layer)


def _long(hair: Hair, start: Roots, vary: Floats, layer: Floats) -> Fall:
    """Long hair: all tips near one height, so lower roots grow shorter strands."""
    length = np.maximum(hair.length * (0.9 + 0.1 * vary) - 0.75 * (8.4 - start.rest[:, 1]) * 0.6, 0.4)
    if hair.fringe:
        front = (np.abs(angle_of(start.rest)) < 0.62) & (start.rest[:, 2] > 0.75)  # noqa: PLR2004 - over the forehead
        length = np.where(front, 0.42 * vary, length)
    return Fall(length.astype(np.float32), _parting(hair), 0.15, 0.6, 0.8, 0.02 + 0.09 * layer, 26)


def _forward(at: Floats) -> Floats:
    top = ramp(7.8, 8.15, at[:, 1])[:, None]
    return top * (-BACK - 0.15 * UP + 0.25 * SIDE) + (1 - top) * (-UP + 0.25 * BACK)


def _backward(at: Floats) -> Floats:
    top = ramp(7.8, 8.15, at[:, 1])[:, None]
    return top * (BACK + 0.1 * UP) + (1 - top) * (BACK - 0.6 * UP)


def _outward(at: Floats) -> Floats:
    return unit(at - CENTRE)


def _to_knot(at: Floats) -> Floats:
    return unit(KNOT - at)


def _from_part(part: float) -> Field:
    def field(at: Floats) -> Floats:
        top = ramp(7.8, 8.2, at[:, 1])[:, None]
        side = np.tanh((at[:, :1] - part) * 12)
        far = ramp(0.85, 0.6, np.abs(at[:, :1]))
        return top * (far * side * SIDE + 0.45 * BACK - 0.2 * UP) + (1 - top) * (-UP + 0.3 * BACK)

    return field


def _parting(hair: Hair) -> Field:
    """From the part to either side, then down, and kept off the face."""

    def field(at: Floats) -> Floats:
        top = ramp(7.9, 8.35, at[:, 1])[:, None]
        side = np.tanh((at[:, :1] - hair.part) * 10)
        before = (ramp(0.25, 0.8, at[:, 2]) * ramp(6.3, 6.9, at[:, 1]))[:, None]
        if hair.fringe:
            before = before * ramp(0.5, 0.7, np.abs(at[:, 0]))[:, None]
        far = ramp(0.98, 0.7, np.abs(at[:, 0]))[:, None]
        return far * (top * (side * SIDE + 0.4 * BACK) + before * (1.2 * side * SIDE + 0.9 * BACK)) - 0.25 * UP

    return field


def _bun(shaped: Floats, random: RandomState) -> Floats:
    """A knot of hair on the crown."""
    count, steps = 1500, 24
    axis = unit(random.normal(0, 1, (count, 1, 3)).astype(np.float32) + np.array([0, 1.5, 0], np.float32))
    across = unit(np.cross(axis, SIDE + 0.1 * UP))
    other = np.cross(axis, across)
    turn = random.uniform(0, 2 * np.pi, (count, 1, 1)) + np.linspace(0, 3, steps)[None, :, None]
    radius = 0.33 * random.uniform(0.75, 1, (count, 1, 1))
    return (
        np.array([0, shaped[:, 1].max() + 0.1, -0.15]) + radius * (np.cos(turn) * across + np.sin(turn) * other)
    ).astype(np.float32)


def _tail(hair: Hair, random: RandomState) -> Floats:
    """A tail of hair from the back of the neck over one shoulder."""
    side = 1 if hair.part >= 0 else -1
    knots = np.array([[0.0, 7.3, -0.9], [0.75, 6.7, -0.5], [0.95, 6.15, 0.45], [0.72, 5.3, 1.0]], np.float32)
    t = np.linspace(0, 1, 26, dtype=np.float32)[None, :, None]
    a, b, c, d = (knot * np.array([side, 1, 1], np.float32) for knot in knots)
    course = (1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t**2 * (1 - t) * c + t**3 * d
    away = random.normal(0, 0.075, (2200, 1, 3)) * (1 - 0.5 * t) + random.normal(0, 0.01, (2200, 26, 3))
    return (course + away).astype(np.float32)


def _coloured(points: Floats, hair: Hair, random: RandomState) -> Strands:
    tint = 1 + 0.16 * random.normal(0, 1, (len(points), 1))
    colour = hair.colour * np.clip(tint, 0.5, 1.6)
    white = random.random_sample((len(points), 1)) < 0.5 * hair.grey
    colour = np.where(white, colour * 0.5 + 95, colour)
    return Strands(points, np.clip(colour, 4, 225).astype(np.float32), 0.25 if hair.style is Style.COILS else 1.0)
