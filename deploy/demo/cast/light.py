"""How surfaces and strands answer light: a soft key light, light from all around, skin that scatters red furthest."""

from dataclasses import dataclass

import cv2
import numpy as np

from .arrays import Flags, Floats

WRAP = np.array([0.3, 0.23, 0.2], np.float32)  # light goes around the edge of skin, red furthest
SCATTER = (0.026, 0.014, 0.009)  # decimetres by which red, green and blue spread under the skin
EYE = np.array([0, 0, 1], np.float32)


@dataclass(frozen=True, slots=True)
class Light:
    """Where the key light stands, how strong it and the light from all around are, and their colour."""

    towards: tuple[float, float, float] = (0.25, 0.5, 1.0)
    key: float = 0.6
    fill: float = 0.55
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @property
    def direction(self) -> Floats:
        towards = np.array(self.towards, np.float32)
        return towards / np.linalg.norm(towards)


@dataclass(frozen=True, slots=True)
class Surface:
    """The seen points of surfaces, row by row where `hit` (height, width); colour in linear light."""

    hit: Flags
    colour: Floats
    normal: Floats
    gloss: Floats
    soft: Floats  # 1 where light scatters beneath, as in skin
    open: Floats
    lit: Floats  # 0 in the key light's shadow … 1


def lit_surface(surface: Surface, light: Light, scale: float) -> Floats:
    """The light each point sends to the camera, (n, 3). `scale`: pixels per decimetre."""
    facing = surface.normal @ light.direction
    wrap = WRAP * surface.soft[:, None] + 0.06
    key = np.clip((facing[:, None] + wrap) / (1 + wrap), 0, 1) * surface.lit[:, None]
    around = 0.74 + 0.22 * surface.normal[:, 1:2] + 0.06 * surface.normal[:, 2:3]
    falling = light.key * 1.5 * key + light.fill * 0.85 * around * surface.open[:, None]
    falling = _scattered(falling, surface, scale)
    shine = _shine(surface, light)
    return (surface.colour * falling + shine[:, None]) * np.array(light.tint, np.float32)


def _scattered(falling: Floats, surface: Surface, scale: float) -> Floats:
    """Light falling on skin comes out a little further on, red furthest (Jensen et al. 2001)."""
    mask = np.zeros(surface.hit.shape, np.float32)
    mask[surface.hit] = surface.soft
    spread = falling.copy()
    for channel, reach in enumerate(SCATTER):
        plane = np.zeros(surface.hit.shape, np.float32)
        plane[surface.hit] = falling[:, channel] * surface.soft
        sigma = max(reach * scale, 0.3)
        total, count = blurred(plane, sigma), blurred(mask, sigma)
        soft = (total / np.maximum(count, 1e-4))[surface.hit]
        spread[:, channel] = np.where(surface.soft > 0, soft, falling[:, channel])
    return spread


def blurred(plane: Floats, sigma: float) -> Floats:
    """A Gaussian blur; wide ones on a smaller copy, where they cost little and look the same."""
    coarser = max(1, int(sigma / 3))
    if coarser == 1:
        return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma), np.float32)
    height, width = plane.shape[:2]
    small = cv2.resize(plane, (-(-width // coarser), -(-height // coarser)), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), sigma / coarser)
    return np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _shine(surface: Surface, light: Light) -> Floats:
    """Highlights: broad on skin, sharp on the wet eye; stronger at grazing angles."""
    half = light.direction + EYE
    half = half / np.linalg.norm(half)
    near = np.clip(surface.normal @ half, 0, 1)
    wet = surface.gloss > 0.9  # noqa: PLR2004 - the eyes
    broad = 0.16 * near**12 + 0.12 * near**40
    sharp = 1.6 * near**900 + 0.06 * near**20
    grazing = 1 + 1.5 * (1 - np.clip(surface.normal[:, 2], 0, 1)) ** 4
    return surface.gloss * np.where(wet, sharp, broad * grazing) * light.key * surface.lit * surface.open


def lit_hair(colour: Floats, heading: Floats, along: Floats, open_: Floats, shine: float, light: Light) -> Floats:
    """Strands after Kajiya and Kay (1989): light by the angle to the strand, a highlight across it."""
    to_light = heading @ light.direction
    to_eye = heading[:, 2]
    across_light, across_eye = (np.sqrt(np.clip(1 - dot**2, 0, 1)) for dot in (to_light, to_eye))
    bright = light.key * 1.1 * across_light + light.fill * 0.8
    deep = (0.45 + 0.55 * np.sqrt(along)) * open_
    mirror = np.clip(across_light * across_eye - to_light * to_eye, 0, 1)
    glint = shine * light.key * (0.09 * mirror**40 + 0.04 * mirror**8)
    own = np.sqrt(np.maximum(colour, 1e-4))
    return (
        (colour * bright[:, None] + glint[:, None] * own) * deep[:, None] * np.array(light.tint, np.float32)
    ).astype(np.float32)
