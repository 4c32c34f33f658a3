"""Where hair grows: how densely, by angle and height of the head, and the roots that follow from it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import RandomState

from .arrays import Flags, Floats
from .canvas import AXIS_Z, ramp
from .head import SKIN, Head, normals, unit
from .identity import Beard, Hair, Style
from .rasterise import weighted

BEHIND_EAR = 1.36  # radians from the front
Density = Callable[[Floats], Floats]  # of points of the head at rest (n, 3): 0 … 1


def scalp_density(hair: Hair, angle: Floats, height: Floats, *, male: bool) -> Floats:
    """0 … 1: how densely scalp hair grows at this angle and height of the head at rest."""
    away = np.abs(angle)
    rounded, corners = (0.12, 0.05) if male else (0.3, 0.0)
    line = 7.98 + hair.line + corners * np.abs(np.sin(2.2 * angle)) - rounded * ramp(0.35, 1.1, away)
    if hair.style is Style.RECEDING:
        line = line + 0.1 + 0.2 * np.exp(-(((away - 0.55) / 0.24) ** 2))
    line = np.where(away > 1.0, line + (7.42 - line) * ramp(1.0, 1.24, away), line)  # temples
    long = hair.style in {Style.LONG, Style.BOB} or (hair.style is Style.COILS and not male)
    nape = 6.5 if long else 6.95
    line = np.where(away > BEHIND_EAR, line + (nape - line) * ramp(1.5, 1.9, away), line)  # behind the ears
    return ramp(-0.05, 0.11, height - line)


def beard_density(beard: Beard, angle: Floats, height: Floats) -> Floats:
    """0 … 1: how densely a beard of this cut grows; the lips are not left out here."""
    away = np.abs(angle)
    cheek = 6.73 + 0.36 * ramp(0.34, 1.1, away)
    low = ramp(cheek + 0.05, cheek - 0.07, height) * ramp(6.08, 6.26, height) * ramp(1.5, 1.3, away)
    burns = ramp(1.02, 1.16, away) * ramp(1.42, 1.32, away) * ramp(7.5, 7.3, height) * ramp(6.5, 6.8, height)
    lip = ramp(0.34, 0.22, away) * ramp(6.89, 6.83, height + 0.15 * away) * ramp(6.66, 6.74, height)
    chin = ramp(0.3, 0.2, away) * ramp(6.62, 6.54, height) * ramp(6.16, 6.3, height)
    corners = np.exp(-(((away - 0.29) / 0.05) ** 2)) * ramp(6.86, 6.78, height) * ramp(6.3, 6.4, height)
    none = np.zeros_like(away)
    return {
        Beard.NONE: none,
        Beard.STUBBLE: np.maximum(np.maximum(low, burns), lip),
        Beard.SHORT: np.maximum(np.maximum(low, burns), lip),
        Beard.GOATEE: np.maximum(np.maximum(lip, chin), corners),
        Beard.MOUSTACHE: lip,
    }[beard]


@dataclass(frozen=True, slots=True)
class Roots:
    """Points on the skin: at rest, as shaped, and the shaped skin's normal there; each (n, 3)."""

    rest: Floats
    at: Floats
    normal: Floats


def roots(head: Head, shaped: Floats, density: Density, count: int, random: RandomState) -> Roots:
    """About `count` points of the skin, denser where `density` of the rest point, 0 … 1, is higher."""
    corners = head.corners[SKIN]
    three = head.rest[corners]
    middle = three.mean(1)
    densest = np.maximum(density(three.reshape(-1, 3)).reshape(-1, 3).max(1), density(middle))
    area = np.linalg.norm(np.cross(three[:, 1] - three[:, 0], three[:, 2] - three[:, 0]), axis=1)
    weight = densest * area
    chosen = random.choice(len(corners), 2 * count, p=weight / weight.sum())
    u, v = np.sqrt(random.random_sample(2 * count)), random.random_sample(2 * count)
    shares = np.stack([1 - u, u * (1 - v), u * v], 1).astype(np.float32)
    rest = weighted(three[chosen], shares)
    kept = np.flatnonzero(random.random_sample(2 * count) * densest[chosen] < density(rest))[:count]
    normal = normals(shaped, corners)
    at, facing = (weighted(values[corners[chosen[kept]]], shares[kept]) for values in (shaped, normal))
    return Roots(rest[kept], at, unit(facing))


def angle_of(rest: Floats) -> Floats:
    return np.arctan2(rest[:, 0], rest[:, 2] - AXIS_Z)


def on_ear(rest: Floats) -> Flags:
    x, y, z = np.abs(rest[:, 0]), rest[:, 1], rest[:, 2]
    return (x > 0.7) & (y > 6.7) & (y < 7.45) & (z > -0.15) & (z < 0.75)  # noqa: PLR2004
