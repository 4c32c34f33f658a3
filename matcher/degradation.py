"""Photographs made worse on purpose, one way at a time: what a street camera does to a face."""

import io
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from matcher import dataset, images
from matcher.faces import Faces
from matcher.images import Photo

Pixels = NDArray[np.uint8]


def smaller(pixels: Pixels, factor: float) -> Pixels:
    """Taken from further away: fewer pixels, then enlarged again as a desk would."""
    height, width = pixels.shape[:2]
    size = max(8, round(width * factor)), max(8, round(height * factor))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def blurred(pixels: Pixels, sigma: float) -> Pixels:
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8)


def compressed(pixels: Pixels, quality: float) -> Pixels:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=int(quality))
    return np.asarray(Image.open(out).convert("RGB"), np.uint8)


def darker(pixels: Pixels, factor: float) -> Pixels:
    """Less light, and the sensor's noise with it."""
    noise = np.random.default_rng(0).normal(0, 3, pixels.shape)
    return np.clip(pixels * factor + noise, 0, 255).astype(np.uint8)


def rolled(pixels: Pixels, degrees: float) -> Pixels:
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return np.asarray(cv2.warpAffine(pixels, turn, (width, height), borderMode=cv2.BORDER_REFLECT), np.uint8)


def turned(pixels: Pixels, degrees: float) -> Pixels:
    """The head turned aside, as far as a flat picture can: seen in perspective from that side."""
    height, width = pixels.shape[:2]
    angle, away = np.deg2rad(degrees), 2.0 * width
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (width / 2, height / 2)
    depth = away / (away + corners[:, 0] * np.sin(angle))
    seen = np.stack([corners[:, 0] * np.cos(angle), corners[:, 1]], 1) * depth[:, None]
    middle = np.array([width / 2, height / 2])
    there = cv2.getPerspectiveTransform((corners + middle).astype(np.float32), (seen + middle).astype(np.float32))
    return np.asarray(cv2.warpPerspective(pixels, there, (width, height), borderMode=cv2.BORDER_REFLECT), np.uint8)


def covered(pixels: Pixels, share: float) -> Pixels:
    """A bar over the middle of the picture, where such sets have the face, from below up to `share` of it."""
    height, width = pixels.shape[:2]
    out = pixels.copy()
    out[round(height * (0.7 - 0.4 * share)) : round(height * 0.7), width // 4 : width * 3 // 4] = (40, 60, 110)
    return out


def framed(pixels: Pixels, times: float) -> Pixels:
    """A small face in a large picture: the photograph in the middle of one `times` as wide and high."""
    height, width = pixels.shape[:2]
    out = np.full((round(height * times), round(width * times), 3), 96, np.uint8)
    top, left = (out.shape[0] - height) // 2, (out.shape[1] - width) // 2
    out[top : top + height, left : left + width] = pixels
    return out


def filling(pixels: Pixels, share: float) -> Pixels:
    """A face that fills the picture: the middle of the photograph, `share` of its width and height."""
    height, width = (round(side * share) for side in pixels.shape[:2])
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return np.ascontiguousarray(pixels[top : top + height, left : left + width])


RASTER, TILT = 3.3, 0.04  # pixels from line to line, radians: what a camera sees of a screen held a little askew


def screened(pixels: Pixels, depth: float) -> Pixels:
    """Photographed from a screen: its raster over the picture, `depth` of the brightness."""
    rows, columns = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    across = np.cos(2 * np.pi * (columns * np.cos(TILT) + rows * np.sin(TILT)) / RASTER)
    down = np.cos(2 * np.pi * (rows * np.cos(TILT) - columns * np.sin(TILT)) / RASTER)
    return np.clip(pixels * (1 + depth * (across + down) / 2)[:, :, None], 0, 255).astype(np.uint8)


WAYS: dict[str, Callable[[Pixels, float], Pixels]] = {
    "resolution": smaller,
    "blur": blurred,
    "compression": compressed,
    "light": darker,
    "roll": rolled,
    "pose": turned,
    "occlusion": covered,
    "screen": screened,
    "framed": framed,
    "filling": filling,
}
LEVELS: tuple[tuple[str, float], ...] = (
    *(("resolution", level) for level in (1.0, 0.5, 0.3, 0.2)),
    *(("blur", level) for level in (1.0, 2.0, 3.0)),
    *(("compression", level) for level in (50, 20, 10)),
    *(("light", level) for level in (0.5, 0.25, 0.1)),
    *(("roll", level) for level in (15, 30, 45)),
    *(("pose", level) for level in (20, 40, 55)),
    *(("occlusion", level) for level in (0.25, 0.5)),
    *(("screen", level) for level in (0.2, 0.5)),
    *(("framed", level) for level in (8, 16, 24)),
    *(("filling", level) for level in (0.5, 0.4, 0.3)),
)


def vector(faces: Faces, job: tuple[str, float, Path]) -> NDArray[np.float32] | None:
    """The embedding of the photograph made worse; None where no face is found in it any more."""
    way, level, path = job
    photo = images.decode(path.read_bytes())
    worse = Photo(WAYS[way](photo.pixels, level), photo.sha256, photo.format)
    return dataset.embedded(faces, worse)
