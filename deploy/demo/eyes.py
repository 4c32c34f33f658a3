"""The scripted examiners' eyes: they look at the pictures that examiners are shown, and at nothing else."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 48  # pixels; a re-encoded copy of a picture still looks the same at this size
SAME = 8.0  # mean absolute difference of grey levels, 0 to 255; copies stay below 3, other people above 15


def glance(picture: bytes | Path) -> np.ndarray:
    """A small grey copy, float32 of shape (48, 48)."""
    source = io.BytesIO(picture) if isinstance(picture, bytes) else picture
    with Image.open(source) as opened:
        return np.asarray(opened.convert("L").resize((SIDE, SIDE)), dtype=np.float32)


def same_picture(shown: bytes, known: Path) -> bool:
    """Whether what is shown is a copy of a photograph the examiner knows from the cast."""
    return float(np.abs(glance(shown) - glance(known)).mean()) < SAME
