"""Who a synthetic person is: everything that stays the same from picture to picture, drawn from one seed.

Skin tone is drawn apart from the shape of the head: neither says anything about the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.random import RandomState

from .arrays import Floats
from .shape import shape_of

Rgb = Floats


class Style(StrEnum):
    SHAVEN = "shaven"
    BUZZ = "buzz"
    CROP = "crop"
    PARTED = "parted"
    SWEPT_BACK = "swept back"
    RECEDING = "receding"
    COILS = "coils"
    CURLS = "curls"
    BOB = "bob"
    LONG = "long"
    TIED = "tied"


class Beard(StrEnum):
    NONE = "none"
    STUBBLE = "stubble"
    SHORT = "short"
    GOATEE = "goatee"
    MOUSTACHE = "moustache"


@dataclass(frozen=True, slots=True)
class Skin:
    """Tone is the share of melanin, 0 … 1; colour is sRGB 0 … 255; the rest are strengths, 0 … 1."""

    tone: float
    colour: Rgb
    flush: float
    freckles: float
    lines: float
    moles: tuple[tuple[float, float, float], ...]  # x, y, size


@dataclass(frozen=True, slots=True)
class Brows:
    """Lengths in decimetres of the face."""

    start: float
    length: float
    thickness: float
    density: float
    arch: float
    lift: float

    def height(self, t: Floats) -> Floats:
        """The brow's middle at t, 0 near the nose … 1 at the temple: rises to two thirds, then falls."""
        risen = self.arch * np.sin(np.pi * np.minimum(0.75 * t + 0.1, 1))
        return (7.452 + self.lift + risen - 0.0875 * np.maximum(t - 0.6, 0)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Hair:
    """`line` moves the hairline up, `part` is where it is parted, both in decimetres; `curl` 0 straight … 1."""

    style: Style
    colour: Rgb
    grey: float
    length: float
    line: float
    part: float
    curl: float
    fringe: bool


@dataclass(frozen=True, slots=True)
class Identity:
    seed: int
    male: bool
    age: int
    weight: float  # −1 slight … 1 heavy
    shape: Mapping[str, float]
    skin: Skin
    iris: Rgb
    lip: Rgb
    lip_strength: float
    brows: Brows
    brow_colour: Rgb
    hair: Hair
    beard: Beard
    beard_density: float
    lashes: float


# sRGB from the least to the most melanin, after the range of the Monk Skin Tone scale's middle eight.
TONES: Final = np.array(
    [[226, 188, 166], [214, 172, 146], [196, 148, 118], [170, 127, 99], [144, 102, 76], [115, 80, 59], [90, 62, 47]],
    np.float32,
)
IRISES: Final = np.array(
    [[52, 32, 20], [74, 46, 26], [96, 66, 36], [98, 98, 66], [92, 112, 134], [104, 114, 118]], np.float32
)
HAIRS: Final = np.array(
    [[24, 20, 18], [34, 26, 21], [52, 36, 25], [84, 59, 38], [126, 96, 62], [106, 56, 34]], np.float32
)
GREY: Final = np.array([152, 150, 147], np.float32)
YOUNG, OLD = 19, 72

MEN: Final = {
    Style.SHAVEN: 0.1,
    Style.BUZZ: 0.18,
    Style.CROP: 0.24,
    Style.PARTED: 0.16,
    Style.SWEPT_BACK: 0.1,
    Style.RECEDING: 0.1,
    Style.CURLS: 0.12,
}
WOMEN: Final = {Style.LONG: 0.36, Style.BOB: 0.22, Style.TIED: 0.26, Style.CROP: 0.06, Style.CURLS: 0.1}
BEARDS: Final = {Beard.NONE: 0.42, Beard.STUBBLE: 0.26, Beard.SHORT: 0.16, Beard.GOATEE: 0.09, Beard.MOUSTACHE: 0.07}


def identity(seed: int) -> Identity:
    """The person of this seed, always the same."""
    random = RandomState(seed)
    male = bool(random.random_sample() < 0.6)  # noqa: PLR2004 - near the share of men among those arrested is .7
    age = int(np.clip(random.gamma(3.2, 6.0) + 18, YOUNG, OLD))
    weight = float(np.clip(random.normal(0.05, 0.4), -0.7, 0.9))
    years = (age - YOUNG) / (OLD - YOUNG)
    shape = shape_of(random, male=male, age=0.75 * years, weight=weight)
    skin = _skin(random, years)
    hair = _hair(random, skin, male=male, years=years)
    brow = _pick(random, HAIRS[:4]) if hair.grey > 0.6 else hair.colour * 0.65  # noqa: PLR2004 - brows grey last
    beard = Beard(_weighted(random, BEARDS)) if male else Beard.NONE
    return Identity(
        seed=seed,
        male=male,
        age=age,
        weight=weight,
        shape=shape,
        skin=skin,
        iris=IRISES[_index(random, skin.tone, 0.42, (0.5, 0.4, 0.1), (0.18, 0.22, 0.2, 0.16, 0.16, 0.08))],
        lip=_lip(random, skin, male=male),
        lip_strength=random.uniform(0.45, 0.75) if male else random.uniform(0.6, 0.95),
        brows=_brows(random, male=male),
        brow_colour=(brow * (1 - 0.5 * hair.grey) + GREY * 0.5 * hair.grey).astype(np.float32),
        hair=hair,
        beard=beard,
        beard_density=random.uniform(0.6, 1.0),
        lashes=random.uniform(0.2, 0.5) if male else random.uniform(0.6, 1.0),
    )


def _skin(random: RandomState, years: float) -> Skin:
    tone = float(random.random_sample())
    at = tone * (len(TONES) - 1)
    low = min(int(at), len(TONES) - 2)
    colour = TONES[low] * (low + 1 - at) + TONES[low + 1] * (at - low)
    colour = colour * (1 + random.normal(0, 0.03)) * (1 + random.normal(0, 1, 3) * (0.015, 0.01, 0.018))
    count = random.randint(0, 3)
    moles = tuple((random.uniform(-0.5, 0.5), random.uniform(6.4, 7.7), random.uniform(0.5, 1)) for _ in range(count))
    freckled = tone < 0.4 and random.random_sample() < 0.25  # noqa: PLR2004 - a quarter of the fair
    return Skin(
        tone=tone,
        colour=np.clip(colour, 30, 235).astype(np.float32),
        flush=random.uniform(0.05, 0.6),
        freckles=random.uniform(0.3, 1) if freckled else 0.0,
        lines=float(np.clip(1.1 * years - 0.12 + random.normal(0, 0.06), 0, 1)),
        moles=moles,
    )


def _hair(random: RandomState, skin: Skin, *, male: bool, years: float) -> Hair:
    colour = HAIRS[_index(random, skin.tone, 0.45, (0.5, 0.38, 0.12), (0.1, 0.2, 0.26, 0.22, 0.14, 0.08))]
    grey = float(np.clip((years - 0.35) * 1.7 + random.normal(0, 0.15), 0, 1)) if years > 0.25 else 0.0  # noqa: PLR2004
    style = Style(_weighted(random, MEN if male else WOMEN))
    coiled = random.random_sample() < (0.65 if skin.tone > 0.6 else 0.08)  # noqa: PLR2004
    if coiled and style not in {Style.SHAVEN, Style.BUZZ, Style.TIED}:
        style = Style.COILS
    lengths = {Style.COILS: (0.12, 0.3) if male else (0.18, 0.42), Style.BOB: (0.95, 1.25), Style.LONG: (1.7, 2.4)}
    return Hair(
        style=style,
        colour=(colour * (1 - grey) + GREY * grey).astype(np.float32),
        grey=grey,
        length=random.uniform(*lengths.get(style, (0.8, 1.2))),
        line=float(np.clip(random.normal(0, 0.05) + (0.04 * years if male else -0.03), -0.08, 0.1)),
        part=float(random.choice([-0.3, -0.22, 0.0, 0.22, 0.3])),
        curl=1.0 if style in {Style.CURLS, Style.COILS} else float(random.beta(1.2, 3.5)),
        fringe=bool(random.random_sample() < 0.3),  # noqa: PLR2004
    )


def _brows(random: RandomState, *, male: bool) -> Brows:
    """Level, softly arched brows: a brow that falls towards the nose reads as a scowl."""
    return Brows(
        start=random.uniform(0.08, 0.17),
        length=random.uniform(0.32, 0.46),
        thickness=random.uniform(0.018, 0.046) if male else random.uniform(0.012, 0.03),
        density=random.uniform(0.4, 1.0),
        arch=random.uniform(0.015, 0.05) if male else random.uniform(0.025, 0.07),
        lift=random.uniform(-0.02, 0.06),
    )


def _lip(random: RandomState, skin: Skin, *, male: bool) -> Rgb:
    natural = skin.colour * np.array([0.86, 0.62, 0.6]) + random.normal(0, 4, 3)
    if male or random.random_sample() < 0.7:  # noqa: PLR2004
        return natural.astype(np.float32)
    painted = (np.array([150, 58, 62]) + random.normal(0, 10, 3)) * (1 - 0.4 * skin.tone)
    return (0.6 * natural + 0.4 * painted).astype(np.float32)


def _index(
    random: RandomState, tone: float, dark: float, of_dark: tuple[float, ...], of_fair: tuple[float, ...]
) -> int:
    shares = of_dark if tone > dark else of_fair
    return int(random.choice(len(shares), p=np.array(shares) / sum(shares)))


def _pick(random: RandomState, colours: Rgb) -> Rgb:
    return colours[random.randint(len(colours))]


def _weighted(random: RandomState, shares: Mapping[str, float] | Mapping[Style, float] | Mapping[Beard, float]) -> str:
    names, weights = list(shares), np.array(list(shares.values()))
    return str(random.choice(names, p=weights / weights.sum()))
