"""What may be shown of a probe: other people masked, faces numbered, one face cut out."""

from collections.abc import Sequence

import cv2
import numpy as np

from matcher.faces import Found, Pixels

FRAME = (255, 210, 0)
MASK = 128


def masked(pixels: Pixels, others: Sequence[Found], kept: Found) -> Pixels:
    """A copy in which the other faces cannot be seen (M5); a mask ends where it would reach into the one meant."""
    out = pixels.copy()
    for other in others:
        left, top, right, bottom = _corners(other, pixels, margin=0.15)
        out[top:bottom, left:right] = MASK
    if others:
        left, top, right, bottom = _corners(kept, pixels, margin=0.0)
        out[top:bottom, left:right] = pixels[top:bottom, left:right]
    return out


def numbered(pixels: Pixels, found: Sequence[Found]) -> Pixels:
    """A copy with a frame and a number, from 1, on each face."""
    out = np.ascontiguousarray(pixels.copy())
    thick = max(2, pixels.shape[1] // 300)
    for at, one in enumerate(found, start=1):
        left, top, right, bottom = _corners(one, pixels, margin=0.05)
        cv2.rectangle(out, (left, top), (right, bottom), FRAME, thick)
        corner, size = (left + thick * 2, bottom - thick * 3), max(0.6, (right - left) / 90)
        cv2.putText(out, str(at), corner, cv2.FONT_HERSHEY_SIMPLEX, size, FRAME, thick)
    return out


def cropped(pixels: Pixels, one: Found) -> Pixels:
    """The head and a little around it."""
    left, top, right, bottom = _corners(one, pixels, margin=0.6)
    return pixels[top:bottom, left:right]


def _corners(one: Found, pixels: Pixels, margin: float) -> tuple[int, int, int, int]:
    box, (height, width) = one.face.box, pixels.shape[:2]
    dx, dy = (box.right - box.left) * margin, (box.bottom - box.top) * margin
    left, right = max(0, int(box.left - dx)), min(width, int(box.right + dx))
    return left, max(0, int(box.top - dy)), right, min(height, int(box.bottom + dy))
