"""What a camera does to a scene: mugshots in a booking room, stills from surveillance and from phones."""

import io
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.random import RandomState
from PIL import Image

from .arrays import Floats, Pixels
from .backdrop import Place, counter, measuring_wall, place
from .clothes import Clothes
from .identity import Beard, Identity
from .light import Light
from .render import Person, View, rendered
from .srgb import to_linear, to_srgb

MUGSHOT: Final = (360, 450)
STILL: Final = (560, 420)
COLOURS: Final = (  # sRGB of plain clothes
    (64, 70, 82),
    (104, 106, 110),
    (44, 46, 50),
    (96, 52, 46),
    (58, 74, 104),
    (92, 86, 70),
    (66, 84, 68),
    (150, 148, 142),
    (112, 96, 120),
    (124, 112, 92),
)
MOODS: Final = (
    {},
    {"mouthSmileLeft": 0.45, "mouthSmileRight": 0.45, "cheekSquintLeft": 0.3, "cheekSquintRight": 0.3},
    {"eyeSquintLeft": 0.5, "eyeSquintRight": 0.5},
    {"browInnerUp": 0.4, "browOuterUpLeft": 0.3, "browOuterUpRight": 0.3},
    {"jawOpen": 0.14},
    {"mouthPressLeft": 0.4, "mouthPressRight": 0.4},
)


@dataclass(frozen=True, slots=True)
class Nuisance:
    """What stands between a probe and a clean picture. Degrees, pixels of the still, grey levels, JPEG quality."""

    yaw: float
    pitch: float
    roll: float
    above: float
    scale: float  # pixels per decimetre at the face, before `shrink`
    key: float
    fill: float
    side: float  # where the key light comes from: −1 left … 1 right
    blur: float
    noise: float
    shrink: float
    quality: int
    mood: int
    where: Place


def clothes(random: RandomState) -> Clothes:
    red, green, blue = COLOURS[random.randint(len(COLOURS))]
    vee = random.uniform(0.15, 0.3) if random.random_sample() < 0.3 else 0.0  # noqa: PLR2004
    return Clothes((red, green, blue), random.uniform(-0.06, 0.05), vee)


def mugshot(person: Person, stature: float, nth: int = 0) -> Pixels:
    """An arrest photograph: frontal, even light, plain clothes, a measuring wall. RGB (450, 360, 3)."""
    random = RandomState(person.who.seed * 7 + nth + 11)
    width, height = MUGSHOT
    scale = random.uniform(120, 126)
    view = View(
        width,
        height,
        scale,
        yaw=random.normal(0, 1.6),
        pitch=random.normal(0, 1.6),
        roll=random.normal(0, 1.0),
        shift=(random.normal(0, 4), 3 + random.normal(0, 4)),
        wall=0.3,
        expression={"mouthSmileLeft": random.uniform(0, 0.14), "mouthSmileRight": random.uniform(0, 0.14)},
    )
    exposed = 0.87 + 0.35 * person.who.skin.tone  # booking-room photographs are exposed for the face
    light = Light((random.normal(0.25, 0.12), 0.5, 1.0), 0.64 * exposed, 0.46 * exposed)
    wall = measuring_wall(width, height, scale, view.distance, stature, random.uniform(150, 172))
    picture = to_srgb(rendered(person, view, light, clothes(random), to_linear(wall) * 0.9))
    return np.clip(picture + random.normal(0, 1.2, picture.shape), 0, 255).astype(np.uint8)


def nuisance(random: RandomState, *, hard: bool = False) -> Nuisance:
    """Drawn as a surveillance camera or a phone would bring it; `hard`: small, turned, blurred, compressed."""
    yaw = random.uniform(12, 20) * random.choice([-1, 1]) if hard else random.uniform(-20, 20)
    return Nuisance(
        yaw=float(yaw),
        pitch=random.uniform(-6, 8),
        roll=random.uniform(-7, 7),
        above=random.uniform(2, 14),
        scale=random.uniform(72, 92),
        key=random.uniform(0.35, 0.85),
        fill=random.uniform(0.2, 0.5),
        side=random.uniform(-1.1, 1.1),
        blur=random.uniform(0.6, 1.4) if hard else random.uniform(0.3, 1.3),
        noise=random.uniform(4, 7) if hard else random.uniform(1.5, 6),
        shrink=random.uniform(0.48, 0.58) if hard else random.uniform(0.6, 1.0),
        quality=int(random.choice([40, 48] if hard else [50, 62, 75])),
        mood=random.randint(len(MOODS)),
        where=list(Place)[random.randint(len(Place))],
    )


def clear(random: RandomState) -> Nuisance:
    """A good still: near, sharp, evenly lit, hardly turned; from a phone or a camera at a counter."""
    drawn = nuisance(random)
    return replace(
        drawn,
        yaw=random.uniform(-9, 9),
        pitch=random.uniform(-3, 4),
        above=random.uniform(1, 5),
        scale=random.uniform(94, 104),
        key=random.uniform(0.55, 0.7),
        fill=random.uniform(0.38, 0.5),
        side=random.uniform(-0.5, 0.5),
        blur=random.uniform(0.3, 0.6),
        noise=random.uniform(1.5, 3),
        shrink=1.0,
        quality=80,
        mood=0,
    )


def still(person: Person, with_: Nuisance, random: RandomState) -> Pixels:
    """A frame with one person in it, as the camera gave it away. RGB."""
    width, height = STILL
    scene = to_linear(place(with_.where, random, width, height)) * (0.55 * with_.key + 0.7 * with_.fill)
    return shot(step_into(scene, person, with_, random, random.uniform(-60, 60)), with_, random)


def step_into(scene: Floats, person: Person, with_: Nuisance, random: RandomState, column: float) -> Floats:
    """The scene, in linear light, with the person before it; `column` is the face's distance from the middle."""
    height, width = scene.shape[:2]
    row = random.uniform(-50, -20)
    view = View(
        width,
        height,
        with_.scale,
        yaw=with_.yaw,
        pitch=with_.pitch,
        roll=with_.roll,
        above=with_.above,
        shift=(column, row),
        distance=26,
        expression=MOODS[with_.mood],
    )
    tint = (random.uniform(0.94, 1.08), 1.0, random.uniform(0.86, 1.08))
    light = Light((with_.side, random.uniform(0.3, 1.0), 1.0), with_.key, with_.fill, tint)
    return rendered(person, view, light, clothes(random), scene)


def shot(scene: Floats, with_: Nuisance, random: RandomState) -> Pixels:
    """Lens, sensor and codec: blur, fewer pixels, noise, JPEG."""
    scene = scene.copy()
    height, width = scene.shape[:2]
    if with_.where is Place.SHOP:
        counter(scene, int(height * 0.88))
    blurred = cv2.GaussianBlur(scene, (0, 0), with_.blur / with_.shrink * 0.7)
    size = round(width * with_.shrink), round(height * with_.shrink)
    small = to_srgb(np.asarray(cv2.resize(blurred, size, interpolation=cv2.INTER_AREA), np.float32)).astype(np.float32)
    grain = (
        random.normal(0, with_.noise, small.shape) * 0.6 + random.normal(0, with_.noise, (*small.shape[:2], 1)) * 0.6
    )
    return through_jpeg(np.clip(small + grain, 0, 255).astype(np.uint8), with_.quality)


def through_jpeg(pixels: Pixels, quality: int) -> Pixels:
    """What is left after the recorder's compression."""
    packed = io.BytesIO()
    Image.fromarray(pixels).save(packed, "JPEG", quality=quality)
    return np.asarray(Image.open(packed).convert("RGB"))


def younger(who: Identity, years: int) -> Identity:
    """The same person some years earlier: fewer lines, less grey, another beard, hair a little different."""
    random = RandomState(who.seed * 3 + years)
    beard = Beard.STUBBLE if who.beard is Beard.NONE and who.male and random.random_sample() < 0.4 else who.beard  # noqa: PLR2004
    beard = Beard.NONE if who.beard is not Beard.NONE and random.random_sample() < 0.5 else beard  # noqa: PLR2004
    back = years / 50
    return replace(
        who,
        age=who.age - years,
        skin=replace(who.skin, lines=max(0.0, who.skin.lines - back)),
        hair=replace(who.hair, length=who.hair.length * random.uniform(0.85, 1.15)),
        beard=beard,
    )
