"""Where the faces are: the pack's detector, and second looks that the pack may ask for.

Each step is switched by the pack's `preprocessing`, and each was measured alone (tests/benchmarks/README.md).
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matcher import pack

SIDE, COARSE_SIDE, FINE_SIDE = 640, 256, 1280  # pixels to which the longer side is scaled
FACES_AT_MOST = 40
SAME = 0.5  # overlap from which two boxes are of the same face
MARGIN = 0.5  # of the longer side, on every side: a face that fills the picture is too large to be seen as one

Boxes = NDArray[np.float32]  # of shape (n, 5): left, top, right, bottom, score
Landmarks = NDArray[np.float32]  # of shape (n, 5, 2)
Pixels = NDArray[np.uint8]


class Detector:
    """The pack's detector. Not for several threads at once."""

    def __init__(self, model: Any, steps: frozenset[str]) -> None:
        self._model = model
        self._again = pack.RETRIED in steps
        self._twice = pack.AVERAGED in steps

    def faces(self, bgr: Pixels) -> tuple[Boxes, Landmarks]:
        """Boxes and landmarks of at most 40 faces, in pixels of `bgr` (uint8 of shape (h, w, 3))."""
        boxes, landmarks = self._at(bgr, SIDE)
        if self._again and not len(boxes):
            boxes, landmarks = self._closer(bgr)
        if self._twice and len(boxes):
            landmarks = self._averaged(boxes, landmarks, *self._at(bgr, COARSE_SIDE))
        return boxes, landmarks

    def _at(self, bgr: Pixels, side: int) -> tuple[Boxes, Landmarks]:
        boxes, landmarks = self._model.detect(bgr, input_size=(side, side), max_num=FACES_AT_MOST)
        return np.asarray(boxes, np.float32), np.asarray(landmarks, np.float32).reshape(-1, 5, 2)

    def _closer(self, bgr: Pixels) -> tuple[Boxes, Landmarks]:
        """Faces that fill the picture, seen with a margin around it; or else small ones, seen at twice the size.

        It is made no larger for that than a small one would be: the margin of a large one has four times its pixels.
        """
        shrunk = min(1.0, FINE_SIDE / max(bgr.shape[:2]))
        size = [max(1, round(side * shrunk)) for side in bgr.shape[1::-1]]
        near = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA) if shrunk < 1 else bgr
        margin = round(MARGIN * max(near.shape[:2]))
        wide = cv2.copyMakeBorder(near, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=(0, 0, 0))
        boxes, landmarks = self._at(np.asarray(wide, np.uint8), SIDE)
        if len(boxes):
            boxes[:, :4] = (boxes[:, :4] - margin) / np.float32(shrunk)
            return boxes, (landmarks - np.float32(margin)) / np.float32(shrunk)
        return self._at(bgr, FINE_SIDE) if max(bgr.shape[:2]) > SIDE else (boxes, landmarks)

    @staticmethod
    def _averaged(boxes: Boxes, landmarks: Landmarks, others: Boxes, their: Landmarks) -> Landmarks:
        """Landmarks of each face, averaged with the second look's where that saw the same face."""
        out = landmarks.copy()
        for at, box in enumerate(boxes):
            overlaps = [_overlap(box, other) for other in others]
            if overlaps and max(overlaps) >= SAME:
                out[at] = (landmarks[at] + their[int(np.argmax(overlaps))]) / 2
        return out


def _overlap(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Of two boxes: the area of both by the area of either."""
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:4], other[2:4])
    both = float(np.prod(np.clip(high - low, 0, None)))
    areas = [float(np.prod(box[2:4] - box[:2])) for box in (one, other)]
    return both / max(sum(areas) - both, 1e-9)
