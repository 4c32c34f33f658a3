"""What is behind people: the measuring wall of a booking room, and the places that cameras look at.

Every function answers sRGB 0 … 255 of shape (height, width, 3), float32.
"""

from collections.abc import Callable
from enum import StrEnum
from itertools import pairwise

import cv2
import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from .arrays import Floats
from .canvas import noise
from .render import AIM

EYES = 7.28  # decimetres, as the mesh has them
CROWN = 11.5  # centimetres from the eyes to the top of the head
BEHIND = 3.6  # decimetres from the face to the wall


class Place(StrEnum):
    SHOP = "shop"
    CORRIDOR = "corridor"
    STREET = "street at night"
    LOBBY = "lobby"


def measuring_wall(width: int, height: int, scale: float, distance: float, stature: float, tone: float) -> Floats:
    """A grey wall with lines every 5 cm and numbers every 10, true to the person's stature in centimetres."""
    wall = np.full((height, width, 3), tone, np.float32) * np.array([0.97, 1.0, 1.02], np.float32)
    wall *= np.linspace(1.05, 0.9, height, dtype=np.float32)[:, None, None]
    wall *= (1 - 0.1 * np.linspace(-1, 1, width, dtype=np.float32) ** 2)[None, :, None]
    size = scale * distance / (distance + BEHIND)
    marks = np.zeros((height, width), np.uint8)
    for mark in range(100, 240, 5):
        above = EYES + (mark - (stature - CROWN)) / 10 - AIM[1]
        _mark(marks, mark, height / 2 - above * size)
    wall *= 1 - 0.3 * (marks / np.float32(255))[..., None]
    return np.asarray(cv2.GaussianBlur(wall, (0, 0), 0.7), np.float32)


def _mark(marks: NDArray[np.uint8], mark: int, row: float) -> None:
    width = marks.shape[1]
    whole = mark % 10 == 0
    cv2.line(marks, (0, round(row * 8)), (width * 8, round(row * 8)), 255 if whole else 110, 1, cv2.LINE_AA, 3)
    if whole:
        for column in (4, width - 30):
            cv2.putText(marks, str(mark), (column, int(row) - 3), cv2.FONT_HERSHEY_SIMPLEX, 0.38, 255, 1, cv2.LINE_AA)


def place(where: Place, random: RandomState, width: int, height: int) -> Floats:
    drawn = PLACES[where](random, width, height)
    grain = 1 + 0.02 * noise(random, 3, (height, width))[..., None]
    return np.asarray(cv2.GaussianBlur(drawn * grain, (0, 0), 1.6), np.float32)


def _shop(random: RandomState, width: int, height: int) -> Floats:
    """Shelves with boxes and bottles."""
    picture = np.full((height, width, 3), 92, np.float32)
    rows = np.linspace(0.02, 0.95, 6) * height
    for top, bottom in pairwise(rows):
        column = random.uniform(-20, 0)
        while column < width:
            wide, tall = random.uniform(16, 42), random.uniform(0.5, 0.88) * (bottom - top)
            colour = random.uniform(50, 165, 3) * 0.75 + 20
            corners = (int(column), int(bottom - 8 - tall)), (int(column + wide - 3), int(bottom - 8))
            cv2.rectangle(picture, *corners, tuple(float(c) for c in colour), -1)
            column += wide
        cv2.rectangle(picture, (0, int(bottom) - 8), (width, int(bottom)), (126.0, 120.0, 112.0), -1)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 2.2), np.float32)


def _corridor(random: RandomState, width: int, height: int) -> Floats:
    """Two walls, a floor and a door at the end."""
    picture = np.full((height, width, 3), (158, 160, 156), np.float32)
    middle, half, top, bottom = width * random.uniform(0.42, 0.58), width * 0.16, height * 0.18, height * 0.68
    near, far = [(0, 0), (width, 0), (width, height), (0, height)], None
    far = [(middle - half, top), (middle + half, top), (middle + half, bottom), (middle - half, bottom)]
    shades = ((196, 197, 192), (138, 141, 140), (96, 92, 86), (148, 150, 147))
    for i, shade in enumerate(shades):
        face = np.array([near[i], near[(i + 1) % 4], far[(i + 1) % 4], far[i]], np.int32)
        cv2.fillConvexPoly(picture, face, shade, cv2.LINE_AA)
    door = (int(middle - half * 0.45), int(top + 0.14 * (bottom - top))), (int(middle + half * 0.45), int(bottom))
    cv2.rectangle(picture, *door, (112.0, 96.0, 78.0), -1)
    cv2.rectangle(picture, *door, (84.0, 74.0, 62.0), 2)
    for k in (0.3, 0.62):
        left, right, row = int(middle - half * 0.5), int(middle + half * 0.5), int(top * k)
        cv2.line(picture, (left, row), (right, row), (246.0, 246.0, 238.0), 4, cv2.LINE_AA)
    return picture


def _street(random: RandomState, width: int, height: int) -> Floats:
    """Night: a house front with some windows lit, and a pavement."""
    picture = np.full((height, width, 3), (27, 29, 36), np.float32)
    picture[int(height * 0.74) :] = (40, 40, 42)
    wide, tall = width * random.uniform(0.09, 0.13), height * 0.2
    for top in np.arange(height * 0.03, height * 0.6, tall * 1.35):
        for left in np.arange(-random.uniform(0, wide), width, wide * 1.7):
            lit = random.random_sample() < 0.3  # noqa: PLR2004 - most are dark
            colour = (168.0, 140.0, 92.0) if lit else (16.0, 18.0, 24.0)
            corners = (int(left), int(top)), (int(left + wide), int(top + tall))
            cv2.rectangle(picture, *corners, tuple(c * random.uniform(0.7, 1) for c in colour), -1)
            cv2.line(
                picture,
                (int(left), int(top + tall / 2)),
                (int(left + wide), int(top + tall / 2)),
                (24.0, 24.0, 28.0),
                3,
            )
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 2.0), np.float32)


def _lobby(random: RandomState, width: int, height: int) -> Floats:
    """A pale wall, a window, a notice board."""
    picture = np.full((height, width, 3), random.uniform(140, 176, 3).mean(), np.float32)
    picture *= np.linspace(0.8, 1.12, width, dtype=np.float32)[None, :, None] * np.array([1.02, 1.0, 0.95], np.float32)
    left = int(width * random.uniform(0.02, 0.12))
    cv2.rectangle(
        picture, (left, int(height * 0.08)), (left + width // 5, int(height * 0.5)), (216.0, 224.0, 230.0), -1
    )
    cv2.rectangle(picture, (left, int(height * 0.08)), (left + width // 5, int(height * 0.5)), (120.0, 116.0, 108.0), 4)
    right = int(width * random.uniform(0.72, 0.8))
    cv2.rectangle(
        picture, (right, int(height * 0.2)), (right + width // 6, int(height * 0.48)), (128.0, 104.0, 78.0), -1
    )
    for _ in range(7):
        x, y = right + int(random.uniform(4, width // 6 - 26)), int(height * random.uniform(0.22, 0.42))
        cv2.rectangle(picture, (x, y), (x + 18, y + 22), tuple(random.uniform(150, 226, 3).tolist()), -1)
    return picture


PLACES: dict[Place, Callable[[RandomState, int, int], Floats]] = {
    Place.SHOP: _shop,
    Place.CORRIDOR: _corridor,
    Place.STREET: _street,
    Place.LOBBY: _lobby,
}


def counter(picture: Floats, row: int) -> None:
    """A counter in front, from this row down; `picture` in linear light is changed."""
    height = len(picture)
    picture[row:] = np.linspace(0.09, 0.05, height - row, dtype=np.float32)[:, None, None] * np.array(
        [1.1, 0.95, 0.75], np.float32
    )
    picture[row : row + 5] *= 2.2
