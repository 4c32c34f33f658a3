"""A person, a camera and a light -> a picture: perspective, soft light, skin that scatters, hair strand by strand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np

from . import canvas
from .arrays import Flags, Floats, Indices
from .clothes import Clothes, dressed
from .head import EYES, SKIN, Head, normals
from .identity import Identity
from .light import Light, Surface, blurred, lit_hair, lit_surface
from .rasterise import Samples, strands, triangles, weighted
from .shadow import Shadow
from .skin import Painted, painted
from .srgb import to_linear
from .strands import Strands
from .styles import hair_strands

EXPRESSIONS: Final = frozenset(
    f"{name}{side}"
    for name in (
        "mouthSmile",
        "mouthFrown",
        "mouthPress",
        "mouthStretch",
        "browOuterUp",
        "browDown",
        "eyeSquint",
        "eyeBlink",
        "cheekSquint",
    )
    for side in ("Left", "Right")
) | {"jawOpen", "browInnerUp", "mouthPucker"}
PIVOT: Final = np.array([0, 6.35, 0.35], np.float32)  # the neck, about which the head turns
AIM: Final = np.array([0, 7.15, 0.6], np.float32)  # what the camera looks at
MOUTH: Final = {"upper-teeth": (196, 188, 172), "lower-teeth": (186, 178, 162), "tongue": (140, 72, 70)}
SHOULDER: Final = (1.55, 5.6)
SEAM: Final = 6.67  # where the lips meet, at rest
FINER: Final = 2  # pixels are drawn this many times finer, and averaged


@dataclass(frozen=True, slots=True)
class View:
    """How somebody is seen. Angles in degrees; `scale` is pixels per decimetre at the face, `distance` decimetres."""

    width: int
    height: int
    scale: float
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    above: float = 0.0  # the camera's own angle from above
    shift: tuple[float, float] = (0.0, 0.0)  # of the face from the picture's middle, in pixels
    wall: float = 0.0  # how dark the shadow on the wall behind is
    distance: float = 18.0
    expression: Mapping[str, float] = field(default_factory=dict[str, float])


class Person:
    """Somebody ready to be rendered: identity, mesh and painted skin."""

    def __init__(self, head: Head, who: Identity) -> None:
        self.head = head
        self.who = who
        self.skin: Painted = painted(who, head.front, head.lips)


def rendered(person: Person, view: View, light: Light, clothes: Clothes, backdrop: Floats) -> Floats:
    """The picture in linear light, (height, width, 3), before `backdrop`, which has the same shape."""
    drawing = _Drawing(person, view, clothes)
    scene = cv2.resize(backdrop, (drawing.width, drawing.height), interpolation=cv2.INTER_LINEAR)
    drawn = drawing.onto(np.asarray(scene, np.float32), light)
    return np.asarray(cv2.resize(drawn, (view.width, view.height), interpolation=cv2.INTER_AREA), np.float32)


class _Drawing:
    """One picture in the making: geometry posed and projected, then surfaces and strands lit."""

    def __init__(self, person: Person, view: View, clothes: Clothes) -> None:
        self._person, self._view, self._clothes = person, view, clothes
        self.width, self.height = view.width * FINER, view.height * FINER
        head = person.head
        turned = dict(person.who.shape)
        for name, amount in view.expression.items():
            turned[name] = turned.get(name, 0) + amount
        shaped = head.shaped(turned)
        self._strands = hair_strands(head, shaped, person.who)
        self._vertices = arms_down(self._posed(dressed(shaped, head, clothes)), head.rest)
        self._parts = [p for p in head.corners if p not in MOUTH or "jawOpen" in view.expression]
        self._corners = np.concatenate([head.corners[p] for p in self._parts])
        self._part = np.repeat(np.arange(len(self._parts)), [len(head.corners[p]) for p in self._parts])
        self._seen = triangles(self._projected(self._vertices), self._corners, self.width, self.height)

    # --- where --------------------------------------------------------------------------------------------------

    def _posed(self, points: Floats) -> Floats:
        """The head turned about the neck; the shoulders stay, the neck goes halfway."""
        view = self._view
        share = canvas.ramp(5.75, 6.4, points[..., 1])[..., None]
        turned = (points - PIVOT) @ rotation(view.yaw, view.pitch, view.roll).T + PIVOT
        return (points * (1 - share) + turned * share).astype(np.float32)

    def _projected(self, points: Floats) -> Floats:
        """Column, row and depth, which is one over the distance."""
        view = self._view
        seen = ((points - AIM) @ rotation(0, view.above, 0).T).astype(np.float64)
        far = view.distance - seen[..., 2]
        size = view.scale * FINER * view.distance / far
        column = self.width / 2 + view.shift[0] * FINER + seen[..., 0] * size
        row = self.height / 2 + view.shift[1] * FINER - seen[..., 1] * size
        return np.stack([column, row, 1 / far], -1)

    # --- how it looks -------------------------------------------------------------------------------------------

    def onto(self, scene: Floats, light: Light) -> Floats:
        """The person drawn over `scene`, in linear light."""
        picture = scene * (1 - self._view.wall * self._behind())[..., None]
        fallen = [self._fallen(s) for s in self._strands]
        depth = self._seen.depth.copy()
        for samples, _ in fallen:
            np.maximum.at(depth.ravel(), samples.cell, samples.depth)
        free = openness(depth, self._view)
        surface = self._surface(light, free)
        picture[self._seen.hit] = lit_surface(surface, light, self._view.scale * FINER)
        for drawn, (samples, heading) in zip(self._strands, fallen, strict=True):
            near = samples.depth >= depth.ravel()[samples.cell] - 1e-7
            cell, strand = samples.cell[near], samples.strand[near]
            colour = to_linear(drawn.colour)[strand]
            shown = lit_hair(colour, heading[near], samples.along[near], free.ravel()[cell], drawn.shine, light)
            flat = picture.reshape(-1, 3)
            flat[cell] = flat[cell] * (1 - drawn.cover) + shown * drawn.cover
        return picture

    def _behind(self) -> Floats:
        """The soft shadow on a wall close behind."""
        reach = 0.35 * self._view.scale * FINER
        move = np.array([[1, 0, -0.6 * reach], [0, 1, 0.35 * reach]], np.float32)
        moved = cv2.warpAffine(self._seen.hit.astype(np.float32), move, (self.width, self.height))
        return blurred(np.asarray(moved, np.float32), reach)

    def _fallen(self, drawn: Strands) -> tuple[Samples, Floats]:
        posed = self._posed(drawn.points)
        samples = strands(self._projected(posed), self.width, self.height, self._seen.depth, 2e-4)
        heading = np.diff(posed, axis=1)
        heading /= np.linalg.norm(heading, axis=2, keepdims=True) + 1e-9
        return samples, heading[samples.strand, samples.step]

    def _surface(self, light: Light, free: Floats) -> Surface:
        hit = self._seen.hit
        corners = self._corners[self._seen.triangle[hit]]
        weights = self._seen.weights[hit]
        rest, at, normal = (
            weighted(values[corners], weights) for values in (self._person.head.rest, self._vertices, self._normals())
        )
        look = self._look(rest, self._part[self._seen.triangle[hit]], normal)
        relief = np.zeros(hit.shape, np.float32)
        relief[hit] = look.relief
        hair = np.concatenate([self._posed(s.points).reshape(-1, 3)[::3] for s in self._strands])
        shadow = Shadow(light.direction, AIM, self._vertices, self._corners, hair)
        return Surface(
            hit=hit,
            colour=to_linear(look.colour),
            normal=_bumped(look.normal, relief, hit, look.bump, self._view.scale),
            gloss=look.gloss,
            soft=look.soft,
            open=free[hit],
            lit=shadow.lit(at),
        )

    def _look(self, rest: Floats, part: Indices, normal: Floats) -> "_Look":
        """Colour, relief and gloss of the seen points, by what they belong to."""
        person, at = self._person, canvas.place(rest)
        skin = part == self._parts.index(SKIN)
        lips = np.where(skin, canvas.sample(person.head.lips, at)[:, 0], 0)
        look = _Look(
            colour=canvas.sample(person.skin.colour, at),
            relief=canvas.sample(person.skin.relief, at)[:, 0],
            bump=np.where(skin, np.float32(0.07), np.float32(0)),
            normal=normal,
            gloss=np.where(skin, 0.3 + 0.15 * lips, 0.1).astype(np.float32),
            soft=skin.astype(np.float32),
        )
        look.colour[:] *= (1 - creases(rest, normal, lips))[:, None]
        worn = self._clothes.covers(rest) & skin
        look.colour[worn] = self._clothes.colours(rest[worn])
        look.relief[worn] = self._clothes.weave(rest[worn])
        look.gloss[worn], look.soft[worn], look.bump[worn] = 0, 0, 0.12
        for name, colour in MOUTH.items():
            if name in self._parts:
                look.colour[part == self._parts.index(name)] = colour
        for name in EYES:
            mine = part == self._parts.index(name)
            gaze = rest[mine] - person.head.eye_centres[name]
            look.colour[mine] = eye_colours(gaze, person.who.iris)
            look.normal[mine] = gaze @ rotation(self._view.yaw, self._view.pitch, self._view.roll).T
            look.gloss[mine] = 1.0
        return look

    def _normals(self) -> Floats:
        total = np.zeros_like(self._vertices)
        for corners in self._person.head.corners.values():
            total += normals(self._vertices, corners)
        return total


@dataclass(frozen=True, slots=True)
class _Look:
    """The seen points before light: colour sRGB, relief and how much it shows, gloss, softness; (n, …)."""

    colour: Floats
    relief: Floats
    bump: Floats
    normal: Floats
    gloss: Floats
    soft: Floats


def arms_down(points: Floats, rest: Floats) -> Floats:
    """The mesh holds its arms out; people in front of a camera let them hang."""
    side = np.sign(rest[:, 0])
    turn = np.radians(38) * canvas.ramp(1.35, 2.1, np.abs(rest[:, 0]))
    x, y = side * points[:, 0] - SHOULDER[0], points[:, 1] - SHOULDER[1]
    moved = points.copy()
    moved[:, 0] = side * (SHOULDER[0] + x * np.cos(turn) + y * np.sin(turn))
    moved[:, 1] = SHOULDER[1] - x * np.sin(turn) + y * np.cos(turn)
    return np.where(turn[:, None] > 0, moved, points)


def openness(depth: Floats, view: View) -> Floats:
    """How much of the sky each pixel sees, 0 … 1, from the depth around it: folds and corners are darker."""
    far = np.where(depth > 0, 1 / np.maximum(depth, 1e-6), view.distance + 3).astype(np.float32)
    near = np.minimum(far, view.distance + 1.2)
    shade = np.zeros(depth.shape, np.float32)
    for reach, strength in ((0.02, 3.5), (0.06, 2.2), (0.15, 1.4), (0.4, 0.5)):
        around = blurred(near, max(reach * view.scale * FINER, 0.5))
        shade += np.clip((far - around) * strength, 0, 0.5)
    return np.clip(1 - shade, 0.25, 1)


def creases(rest: Floats, normal: Floats, lips: Floats) -> Floats:
    """0 … 0.8: how dark a point is because it lies between the lips or in a nostril, where little light comes."""
    steep = normal[:, 1] / (np.linalg.norm(normal, axis=1) + 1e-9)
    between = lips * canvas.ramp(0.72, 0.98, np.abs(steep)) * (np.abs(rest[:, 1] - SEAM) < 0.07)  # noqa: PLR2004
    nose = (np.abs(rest[:, 0]) < 0.17) & (rest[:, 1] > 6.84) & (rest[:, 1] < 7.0) & (rest[:, 2] > 1.38)  # noqa: PLR2004
    return np.maximum(0.65 * between, 0.7 * nose * canvas.ramp(-0.72, -0.95, steep)).astype(np.float32)


def eye_colours(gaze: Floats, iris: Floats) -> Floats:
    """SRGB of points of the eyeball, given from its centre: sclera, iris, limbal ring, pupil, the lid's shade."""
    away = np.arccos(np.clip(gaze[:, 2] / (np.linalg.norm(gaze, axis=1) + 1e-9), -1, 1))
    around = np.arctan2(gaze[:, 1], gaze[:, 0])
    white = np.array([204, 196, 190], np.float32) - np.clip(away - 0.55, 0, 1)[:, None] * np.array([20, 70, 70])
    rays = 1.25 + 0.12 * np.sin(23 * around) + 0.08 * np.sin(41 * around)
    ring = canvas.ramp(0.32, 0.46, away)
    inner = iris * (rays * (1 - 0.6 * ring))[:, None]
    share = canvas.ramp(0.5, 0.44, away)[:, None]
    colour = white * (1 - share) + inner * share
    colour = colour * (1 - canvas.ramp(0.22, 0.17, away)[:, None] * 0.94)
    return (colour * (1 - 0.4 * canvas.ramp(0.03, 0.12, gaze[:, 1])[:, None])).astype(np.float32)


def _bumped(normal: Floats, relief: Floats, hit: Flags, bump: Floats, scale: float) -> Floats:
    """Unit normals, tilted by the relief's slope in the picture."""
    strength = bump * min(1.0, scale / 150)
    across, down = (cv2.Sobel(relief, cv2.CV_32F, i, 1 - i, ksize=3, scale=0.25)[hit] for i in (1, 0))
    straight = normal / (np.linalg.norm(normal, axis=1, keepdims=True) + 1e-9)
    tilted = straight + np.stack([-across * strength, down * strength, np.zeros_like(bump)], 1)
    return (tilted / np.linalg.norm(tilted, axis=1, keepdims=True)).astype(np.float32)


def rotation(yaw: float, pitch: float, roll: float) -> Floats:
    """Yaw, then pitch, then roll, in degrees: a matrix for column vectors."""
    (cy, cp, cr), (sy, sp, sr) = np.cos(np.radians([yaw, pitch, roll])), np.sin(np.radians([yaw, pitch, roll]))
    turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    tilt = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return (tilt @ nod @ turn).astype(np.float32)
