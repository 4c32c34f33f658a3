"""Skin painted on the canvas: colour and relief of one identity. Procedural throughout; no photograph is used."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import RandomState

from .arrays import Floats
from .canvas import HEIGHT, WIDTH, Front, Painter, angle_and_height, noise
from .hair import beard_density, scalp_density
from .identity import Beard, Identity, Style


@dataclass(frozen=True, slots=True)
class Painted:
    """Colour: sRGB 0 … 255, (HEIGHT, WIDTH, 3). Relief: height in arbitrary units, (HEIGHT, WIDTH)."""

    colour: Floats
    relief: Floats


def painted(who: Identity, front: Front, lips: Floats) -> Painted:
    """The skin of a person: tone, flush, freckles, moles, lines, lips, and the shade of hair close to the skin."""
    random = RandomState(who.seed + 1)
    colour = np.empty((HEIGHT, WIDTH, 3), np.float32)
    colour[:] = who.skin.colour
    _mottle(colour, random)
    relief = 0.5 * noise(random, 2.2) + 0.5 * noise(random, 4)
    on, under = Painter(colour, front), Painter(relief[..., None], front)
    _flush(on, who)
    _eyes(on, who)
    _freckles(on, who, front, random)
    _moles(on, who)
    _lines(on, under, who, random)
    on.blend(lips * who.lip_strength, who.lip * 0.75 + who.skin.colour * 0.25)
    _shade_of_hair(on, who, random)
    return Painted(np.clip(colour, 0, 255), relief)


def _mottle(colour: Floats, random: RandomState) -> None:
    """Unevenness at several sizes, and a slight shift between red and green, as blood and melanin make it."""
    for grain, strength in ((120, 0.018), (45, 0.016), (16, 0.012), (5, 0.012), (2.2, 0.018)):
        colour *= 1 + strength * noise(random, grain)[..., None]
    colour += noise(random, 60)[..., None] * np.array([2.0, -1.0, -0.8], np.float32)


def _flush(on: Painter, who: Identity) -> None:
    red = who.skin.colour * np.array([1.03, 0.82, 0.8], np.float32)
    strength = 0.42 * who.skin.flush
    for x, y, width, height in (
        (0.46, 6.98, 0.26, 0.22),
        (-0.46, 6.98, 0.26, 0.22),
        (0, 6.97, 0.17, 0.15),
        (0, 6.32, 0.2, 0.14),
        (0.78, 7.05, 0.16, 0.24),
        (-0.78, 7.05, 0.16, 0.24),
    ):
        on.blend(strength * on.spot(x, y, width, height), red)


def _eyes(on: Painter, who: Identity) -> None:
    """Thinner skin around the eyes is darker, and the lids most."""
    dark = who.skin.colour * np.array([0.8, 0.7, 0.72], np.float32)
    for side in (1, -1):
        on.blend((0.16 + 0.2 * who.skin.lines) * on.spot(side * 0.3, 7.15, 0.2, 0.08), dark)
        on.blend(0.3 * on.spot(side * 0.32, 7.37, 0.2, 0.06), dark)
        on.blend(0.18 * on.spot(side * 0.14, 7.27, 0.06, 0.12), dark)


def _freckles(on: Painter, who: Identity, front: Front, random: RandomState) -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    for _ in range(int(260 * who.skin.freckles)):
        at = front.place(random.normal(0, 0.36), random.normal(7.04, 0.13))
        strength = float(random.uniform(0.25, 0.8))
        cv2.circle(mask, (int(at[0] * 16), int(at[1] * 16)), int(random.uniform(10, 22)), strength, -1, cv2.LINE_AA, 4)
    on.blend(cv2.GaussianBlur(mask, (0, 0), 0.8) * 0.5, who.skin.colour * np.array([0.74, 0.6, 0.52], np.float32))


def _moles(on: Painter, who: Identity) -> None:
    for x, y, size in who.skin.moles:
        on.blend(0.75 * on.spot(x, y, 0.018 * size, 0.018 * size), who.skin.colour * 0.45)


def _lines(on: Painter, under: Painter, who: Identity, random: RandomState) -> None:
    """The lines of age: across the forehead, beside eyes and mouth. Mostly relief, hardly colour."""
    strength = who.skin.lines
    if strength < 0.05:  # noqa: PLR2004 - none to be seen
        return
    courses = [
        ([(x, 7.74 + 0.13 * k + 0.03 * np.cos(4 * x)) for x in np.linspace(-0.5, 0.5, 12)], 2.5) for k in range(3)
    ]
    for side in (1, -1):
        courses.append(([(side * (0.2 + 0.17 * t), 6.98 - 0.34 * t) for t in np.linspace(0, 1, 8)], 3.5))
        courses.append(
            ([(side * (0.16 + 0.3 * t), 7.13 - 0.09 * np.sin(np.pi * t)) for t in np.linspace(0, 1, 7)], 2.5)
        )
        courses += [
            ([(side * (0.54 + 0.11 * t), 7.27 + (k - 1) * 0.06 * t) for t in np.linspace(0, 1, 5)], 1.5)
            for k in range(3)
        ]
    for points, width in courses:
        part = strength * random.uniform(0.5, 1)
        mask = on.line(points, width, 0.9 * width)
        on.blend(0.3 * part * mask, who.skin.colour * 0.72)
        under.canvas -= 3.0 * part * mask[..., None]


def _shade_of_hair(on: Painter, who: Identity, random: RandomState) -> None:
    """Where hair grows densely or is cut short, the skin beneath looks darker. Strands are drawn over this."""
    angle, height = angle_and_height()
    scalp = scalp_density(who.hair, angle, height, male=who.male)
    grain = np.clip(0.85 + 0.15 * noise(random, 2.2), 0, 1)
    strength = {Style.SHAVEN: 0.16, Style.BUZZ: 0.8, Style.RECEDING: 0.75}.get(who.hair.style, 0.92)
    on.blend(scalp * strength * grain, who.hair.colour * 0.7 + who.skin.colour * 0.05)
    beard = beard_density(who.beard if who.male else Beard.NONE, angle, height)
    full = {Beard.NONE: 0.0, Beard.STUBBLE: 0.3}.get(who.beard, 0.55) * who.beard_density
    on.blend(beard * full * grain, who.hair.colour * 0.65 + who.skin.colour * 0.2)
    brow = brow_mask(on, who)
    on.blend(0.45 * who.brows.density * brow, who.brow_colour * 0.7 + who.skin.colour * 0.2)


def brow_mask(on: Painter, who: Identity) -> Floats:
    t = np.linspace(0, 1, 12, dtype=np.float32)
    course = np.stack([who.brows.start + who.brows.length * t, who.brows.height(t)], 1)
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    for side in (1, -1):
        mask = np.maximum(mask, on.line(course * (side, 1), who.brows.thickness * 190, 3.0))
    return mask
