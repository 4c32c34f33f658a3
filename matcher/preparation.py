"""A copy of a probe, prepared for the search by one plain operation of a closed list (M10). Lossless, without metadata.

The same bytes and the same operation give the same copy: a lineage can be done again and compared by its hashes.
"""

import io
from typing import assert_never

import numpy as np
from PIL import Image

from matcher.contract import (
    BrightnessBy,
    ContrastBy,
    CropTo,
    GammaBy,
    GreyscaleIt,
    Operation,
    RotateBy,
    ScaleBy,
)
from matcher.decoders import MIN_SIDE
from matcher.faces import Pixels
from matcher.images import MAX_BYTES, ImageRefusedError

MOST_PIXELS = 16_000_000
MIDDLE = 128.0
LEVELS = np.arange(256, dtype=np.float64)


def prepared(pixels: Pixels, operation: Operation) -> bytes:
    """The copy after `operation`, as PNG. ImageRefusedError says in a sentence why not."""
    return lossless(_changed(pixels, operation))


def lossless(changed: Pixels) -> bytes:
    """The pixels as PNG, within what may be searched."""
    height, width = changed.shape[:2]
    if min(height, width) < MIN_SIDE:
        raise ImageRefusedError("too-few-pixels", "So little of the picture would be left that it cannot hold a face.")
    out = io.BytesIO()
    if height * width <= MOST_PIXELS:
        Image.fromarray(changed).save(out, "PNG", compress_level=4)
    if not 0 < out.tell() <= MAX_BYTES:
        raise ImageRefusedError("too-many-pixels", "The copy would be too large to be searched. Crop it first.")
    return out.getvalue()


def _changed(pixels: Pixels, operation: Operation) -> Pixels:
    match operation:
        case CropTo():
            return _cropped(pixels, operation)
        case RotateBy():
            image = Image.fromarray(pixels)
            return np.asarray(image.rotate(operation.degrees, Image.Resampling.BICUBIC, expand=True), np.uint8)
        case ScaleBy():
            return _scaled(pixels, operation.factor)
        case BrightnessBy():
            return _levels(pixels, LEVELS + operation.levels)
        case ContrastBy():
            return _levels(pixels, MIDDLE + (LEVELS - MIDDLE) * operation.factor)
        case GammaBy():
            return _levels(pixels, 255.0 * (LEVELS / 255.0) ** (1.0 / operation.gamma))
        case GreyscaleIt():
            return np.asarray(Image.fromarray(pixels).convert("L").convert("RGB"), np.uint8)
        case _:
            assert_never(operation)


def _cropped(pixels: Pixels, to: CropTo) -> Pixels:
    height, width = pixels.shape[:2]
    if to.left + to.width > width or to.top + to.height > height:
        raise ImageRefusedError("outside", f"The crop reaches over the edge: the copy has {width} × {height} pixels.")
    return np.ascontiguousarray(pixels[to.top : to.top + to.height, to.left : to.left + to.width])


def _scaled(pixels: Pixels, factor: float) -> Pixels:
    height, width = (max(1, round(side * factor)) for side in pixels.shape[:2])
    if height * width > MOST_PIXELS:
        raise ImageRefusedError("too-many-pixels", "The copy would be too large to be searched. Crop it first.")
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS), np.uint8)


def _levels(pixels: Pixels, curve: np.ndarray) -> Pixels:
    """One curve for every pixel and channel: nothing is done to a part of the picture."""
    return np.clip(np.rint(curve), 0, 255).astype(np.uint8)[pixels]
