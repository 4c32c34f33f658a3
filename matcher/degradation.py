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


WAYS: dict[str, Callable[[Pixels, float], Pixels]] = {
    "resolution": smaller,
    "blur": blurred,
    "compression": compressed,
    "light": darker,
    "roll": rolled,
}
LEVELS: tuple[tuple[str, float], ...] = (
    *(("resolution", level) for level in (1.0, 0.5, 0.3, 0.2)),
    *(("blur", level) for level in (1.0, 2.0, 3.0)),
    *(("compression", level) for level in (50, 20, 10)),
    *(("light", level) for level in (0.5, 0.25, 0.1)),
    *(("roll", level) for level in (15, 30, 45)),
)


def vector(faces: Faces, job: tuple[str, float, Path]) -> NDArray[np.float32] | None:
    """The embedding of the photograph made worse; None where no face is found in it any more."""
    way, level, path = job
    photo = images.decode(path.read_bytes())
    worse = Photo(WAYS[way](photo.pixels, level), photo.sha256, photo.format)
    return dataset.embedded(faces, worse)
