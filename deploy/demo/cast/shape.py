"""The dials of the head's shape: which targets of the mesh an identity turns, and how far at most.

Gains stay small on purpose. At full gain many faces become caricatures, and a demonstration of a police system that
shows caricatures demeans people. Jaw, forehead and brow are damped most.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.random import RandomState

GAIN: Final = 0.6


@dataclass(frozen=True, slots=True)
class Dial:
    """A pair of opposite targets. `%s` in the name stands for the two sides, which turn together, almost."""

    name: str
    gain: float
    less: str = "decr"
    more: str = "incr"


FACE: Final = (
    Dial("head/head-scale-horiz", 0.6),
    Dial("head/head-scale-vert", 0.6),
    Dial("head/head-fat", 0.6),
    Dial("head/head-angle", 0.5, "in", "out"),
    Dial("forehead/forehead-scale-vert", 0.5),
    Dial("forehead/forehead-trans", 0.3, "backward", "forward"),
    Dial("forehead/forehead-temple", 0.4),
    Dial("forehead/forehead-nubian", 0.2),
    Dial("chin/chin-bones", 0.45),
    Dial("chin/chin-height", 0.9),
    Dial("chin/chin-jaw-drop", 0.25),
    Dial("chin/chin-prognathism", 0.15),
    Dial("chin/chin-prominent", 0.45),
    Dial("chin/chin-width", 0.9),
    Dial("eyebrows/eyebrows-angle", 0.08, "down", "up"),
    Dial("eyebrows/eyebrows-trans", 0.9, "down", "up"),
    Dial("mouth/mouth-cupidsbow", 0.9),
    Dial("mouth/mouth-lowerlip-height", 0.9),
    Dial("mouth/mouth-lowerlip-volume", 0.7),
    Dial("mouth/mouth-upperlip-height", 0.9),
    Dial("mouth/mouth-upperlip-volume", 0.7),
    Dial("mouth/mouth-scale-horiz", 1.0),
    Dial("mouth/mouth-scale-depth", 0.5),
    Dial("mouth/mouth-trans", 1.0, "down", "up"),
    Dial("mouth/mouth-philtrum-volume", 0.7),
    Dial("mouth/mouth-angles", 0.25, "down", "up"),
    Dial("nose/nose-base", 0.9, "down", "up"),
    Dial("nose/nose-curve", 0.9, "concave", "convex"),
    Dial("nose/nose-flaring", 0.8),
    Dial("nose/nose-greek", 0.5),
    Dial("nose/nose-hump", 0.9),
    Dial("nose/nose-nostrils-angle", 0.7, "down", "up"),
    Dial("nose/nose-nostrils-width", 0.9),
    Dial("nose/nose-point", 0.9, "down", "up"),
    Dial("nose/nose-point-width", 1.0),
    Dial("nose/nose-scale-depth", 0.8),
    Dial("nose/nose-scale-horiz", 1.0),
    Dial("nose/nose-scale-vert", 1.1),
    Dial("nose/nose-trans", 0.9, "down", "up"),
    Dial("nose/nose-volume", 0.9),
    Dial("nose/nose-width1", 0.9),
    Dial("nose/nose-width2", 0.9),
    Dial("nose/nose-width3", 0.9),
    Dial("neck/neck-scale-horiz", 0.5),
    Dial("neck/neck-double", 0.3),
)
SIDES: Final = (
    Dial("cheek/%s-cheek-bones", 0.95),
    Dial("cheek/%s-cheek-inner", 0.9),
    Dial("cheek/%s-cheek-trans", 0.9, "down", "up"),
    Dial("cheek/%s-cheek-volume", 0.95),
    Dial("ears/%s-ear-scale", 0.6),
    Dial("ears/%s-ear-wing", 0.6),
    Dial("ears/%s-ear-lobe", 0.7),
    Dial("eyes/%s-eye-bag", 0.6),
    Dial("eyes/%s-eye-corner1", 0.9, "down", "up"),
    Dial("eyes/%s-eye-corner2", 1.0, "down", "up"),
    Dial("eyes/%s-eye-epicanthus", 0.9, "in", "out"),
    Dial("eyes/%s-eye-eyefold", 0.9, "concave", "convex"),
    Dial("eyes/%s-eye-height1", 0.9),
    Dial("eyes/%s-eye-height2", 0.8),
    Dial("eyes/%s-eye-height3", 0.9),
    Dial("eyes/%s-eye-scale", 1.0),
    Dial("eyes/%s-eye-trans", 1.1, "in", "out"),
    Dial("eyes/%s-eye-trans", 0.6, "down", "up"),
)
OUTLINES: Final = ("diamond", "invertedtriangular", "oval", "rectangular", "round", "square", "triangular")
ASYMMETRIES: Final = {"brown": 2, "cheek": 2, "eye": 8, "jaw": 3, "mouth": 2, "nose": 4, "temple": 2}
ANCESTRIES: Final = ("african", "asian", "caucasian")  # the mesh's own names for three of its shape targets
WEIGHTS: Final = ("minweight", "averageweight", "maxweight")


def shape_of(random: RandomState, *, male: bool, age: float, weight: float) -> Mapping[str, float]:
    """An identity's targets and how far each is turned. `age` 0 young … 1 old, `weight` −1 slight … 1 heavy."""
    mixed = random.dirichlet([0.35, 0.35, 0.35])
    turned = _build(mixed, male=male, age=age, weight=weight)
    turned |= {
        f"head/head-{o}": float(share) * random.uniform(0.2, 0.55)
        for o, share in zip(OUTLINES, random.dirichlet([0.5] * len(OUTLINES)), strict=True)
    }
    for dial in FACE:
        _turn(turned, dial, dial.name, _amount(random, dial))
    for dial in SIDES:
        amount = _amount(random, dial)
        for side in "lr":
            _turn(turned, dial, dial.name % side, amount + random.normal(0, 0.03))
    for part, count in ASYMMETRIES.items():
        turned[f"asym/asym-{part}-{random.randint(1, count + 1)}-{'lr'[random.randint(2)]}"] = random.uniform(0, 0.22)
    return turned


def _build(mixed: np.ndarray, *, male: bool, age: float, weight: float) -> dict[str, float]:
    """Sex, age and weight: the mesh's own blend of its corner shapes."""
    masculine = 0.92 if male else 0.06
    sexes, ages = {"male": masculine, "female": 1 - masculine}, {"young": 1 - age, "old": age}
    heavy = (max(-weight, 0.0), 1 - abs(weight), max(weight, 0.0))
    turned: dict[str, float] = {}
    for sex, by_sex in sexes.items():
        for years, by_age in ages.items():
            for ancestry, share in zip(ANCESTRIES, mixed, strict=True):
                turned[f"macrodetails/{ancestry}-{sex}-{years}"] = float(share) * by_sex * by_age
            for name, share in zip(WEIGHTS, heavy, strict=True):
                turned[f"macrodetails/universal-{sex}-{years}-averagemuscle-{name}"] = share * by_sex * by_age
    return turned


def _amount(random: RandomState, dial: Dial) -> float:
    return float(np.clip(random.normal(0, 0.62), -1.2, 1.2)) * dial.gain * GAIN


def _turn(turned: dict[str, float], dial: Dial, name: str, amount: float) -> None:
    turned[f"{name}-{dial.more if amount > 0 else dial.less}"] = abs(amount)


def targets() -> tuple[str, ...]:
    """Every target an identity can turn."""
    names = {f"head/head-{o}" for o in OUTLINES}
    names |= _build(np.ones(3), male=True, age=0.5, weight=0.5).keys()
    for dial in FACE:
        names |= {f"{dial.name}-{end}" for end in (dial.less, dial.more)}
    for dial in SIDES:
        names |= {f"{dial.name % side}-{end}" for end in (dial.less, dial.more) for side in "lr"}
    for part, count in ASYMMETRIES.items():
        names |= {f"asym/asym-{part}-{n}-{side}" for n in range(1, count + 1) for side in "lr"}
    return tuple(sorted(names))
