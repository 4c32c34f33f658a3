"""The scripted examiners' eyes: they look at the pictures that examiners are shown, and at nothing else."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 48  # pixels; a re-encoded copy of a picture still looks the same at this size
SAME = 1.0  # mean absolute difference of grey levels, 0 to 255; re-encoded copies stay below 0.1


def glance(picture: bytes | Path) -> np.ndarray:
    """A small grey copy, float32 of shape (48, 48)."""
    source = io.BytesIO(picture) if isinstance(picture, bytes) else picture
    with Image.open(source) as opened:
        return np.asarray(opened.convert("L").resize((SIDE, SIDE)), dtype=np.float32)


def difference(shown: bytes, known: Path) -> float:
    """How far what is shown is from a photograph the examiner knows from the cast: mean of grey levels."""
    return float(np.abs(glance(shown) - glance(known)).mean())


def same_picture(shown: bytes, known: Path) -> bool:
    """Whether what is shown is a copy of a known photograph."""
    return difference(shown, known) < SAME
