"""Finds, measures and embeds faces with a model pack in InsightFace's format, on onnxruntime."""

import contextlib
import io
import math
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matcher import pack
from matcher.contract import Box, Face, ModelFacts, Quality
from matcher.detection import SIDE, Detector
from matcher.hints import hints
from matcher.images import Photo

DETECTION_THRESHOLD = 0.6
SCALES = (0.92, 1.08)  # of the face in the crop, where the pack asks for more than one
PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
}

Pixels = NDArray[np.uint8]
Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Found:
    """A face and what is needed to embed it: landmarks, float32 of shape (5, 2), in pixels of the upright photo."""

    face: Face
    landmarks: NDArray[np.float32]


class Faces:
    """One loaded model pack. Not for several threads at once: give each its own."""

    def __init__(
        self, folder: Path, *, threads: int = 2, provider: str = "cpu", preprocessing: str | None = None
    ) -> None:
        """`preprocessing`: another than the pack says, to measure what it is worth."""
        said = pack.about(folder)
        how: str = preprocessing or said.get("preprocessing", pack.PLAIN)
        steps = pack.steps(how)
        detector, self._embedder = _load(folder, threads, PROVIDERS[provider])
        self._detector = Detector(detector, steps)
        self._mirrored = pack.MIRRORED in steps
        self._scales = (1.0, *SCALES) if pack.SCALED in steps else (1.0,)
        self.model = ModelFacts(
            pack=said["pack"],
            sha256=pack.fingerprint(folder, how),
            dimension=said["dimension"],
            licence=said["licence"],
            thresholds=said["thresholds"],
            evaluation=said["evaluation"],
            preprocessing=how,
            provider=self._embedder.session.get_providers()[0],  # what is used, not what was asked for
        )
        if self.embed([np.zeros((112, 112, 3), np.uint8)]).shape != (said["dimension"],):
            raise pack.PackError(f"{folder}: the embedder's dimension is not the one that pack.json says")

    def find(self, photo: Photo) -> tuple[Found, ...]:
        """Every face, from left to right, with its quality."""
        bgr = np.ascontiguousarray(photo.pixels[:, :, ::-1])
        boxes, landmarks = self._detector.faces(bgr)
        order = np.argsort(boxes[:, 0], kind="stable") if len(boxes) else []
        return tuple(
            Found(_face(i, boxes[at], landmarks[at], photo.pixels), landmarks[at]) for i, at in enumerate(order)
        )

    def vector(self, photo: Photo, found: Found) -> Vector:
        """The embedding of one face: float32, of the pack's dimension, of length 1."""
        return self.embed([aligned(photo.pixels, found.landmarks, scale) for scale in self._scales])

    def embed(self, crops: Sequence[Pixels]) -> Vector:
        """The embedding of one face's aligned crops, RGB of shape (112, 112, 3): of their sum.

        Where the pack says so, with their mirror images: on LFW that leaves fewer misses (`leadgate evaluate`; FNIR at
        FPIR 1e-2 .0439 instead of .0492) for one more run of the network.
        """
        views = [np.ascontiguousarray(crop[:, :, ::-1]) for crop in crops]
        if self._mirrored:
            views += [np.ascontiguousarray(view[:, ::-1]) for view in views]
        raw = np.asarray(self._embedder.get_feat(views), np.float32).sum(axis=0)
        length = float(np.linalg.norm(raw))
        return raw / length if length > 0 else raw


# Where ArcFace's aligned crop of 112 × 112 has the eyes, the nose tip and the mouth corners.
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float64
)

CENTRE = 56.0


def aligned(pixels: Pixels, landmarks: NDArray[np.float32], scale: float = 1.0) -> Pixels:
    """The face upright and centred: RGB of shape (112, 112, 3), by similarity on the five landmarks.

    `scale`: of the face about the crop's middle.
    """
    there = (TEMPLATE - CENTRE) * scale + CENTRE
    crop = cv2.warpAffine(pixels, similarity(landmarks.astype(np.float64), there), (112, 112), borderValue=0.0)
    return np.asarray(crop, np.uint8)


def similarity(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotation, scale and shift that bring `source` nearest to `target`: shape (2, 3) (Umeyama 1991)."""
    from_mean, to_mean = source.mean(0), target.mean(0)
    centred = source - from_mean
    left, sizes, right = np.linalg.svd((target - to_mean).T @ centred / len(source))
    flip = np.array([1.0, np.sign(np.linalg.det(left) * np.linalg.det(right))])
    turn = left @ np.diag(flip) @ right
    scale = float((sizes * flip).sum() / max(centred.var(0).sum(), 1e-9))
    return np.hstack([scale * turn, (to_mean - scale * turn @ from_mean)[:, None]])


_LOADING = threading.Lock()  # where print goes is one for the whole process


def _load(folder: Path, threads: int, provider: str) -> tuple[Any, Any]:
    """InsightFace's own loader; what it prints goes nowhere."""
    with _LOADING, contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import onnxruntime
        from insightface.app import FaceAnalysis

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        if provider not in onnxruntime.get_available_providers():
            have = ", ".join(onnxruntime.get_available_providers())
            raise pack.PackError(f"this onnxruntime has no {provider}; it has {have}. Set LEADGATE_MATCHER_PROVIDER.")
        app = FaceAnalysis(
            str(folder),
            allowed_modules=["detection", "recognition"],
            providers=list(dict.fromkeys([provider, PROVIDERS["cpu"]])),
            sess_options=options,
        )
        app.prepare(
            ctx_id=0 if provider != PROVIDERS["cpu"] else -1,
            det_thresh=DETECTION_THRESHOLD,
            det_size=(SIDE, SIDE),
        )
    return app.models["detection"], app.models["recognition"]


def _face(index: int, box: Any, landmarks: Any, pixels: Pixels) -> Face:
    left, top, right, bottom, score = (float(v) for v in box[:5])
    return Face(
        index=index,
        box=Box(left=left, top=top, right=right, bottom=bottom),
        landmarks=tuple((float(x), float(y)) for x, y in landmarks),
        quality=_quality(landmarks.astype(np.float32), score, pixels, (left, top, right, bottom)),
    )


def _quality(
    landmarks: NDArray[np.float32], score: float, pixels: Pixels, box: tuple[float, float, float, float]
) -> Quality:
    """Measures in the terms of ISO/IEC 29794-5. What they are good enough for, the policy pack says."""
    crop = aligned(pixels, landmarks)
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    yaw, pitch, roll = pose(landmarks)
    return Quality(
        inter_eye_px=float(np.linalg.norm(landmarks[1] - landmarks[0])),
        yaw_deg=yaw,
        pitch_deg=pitch,
        roll_deg=roll,
        sharpness=float(cv2.Laplacian(grey, cv2.CV_64F).var()),
        exposure=float(grey.mean()),
        contrast=float(grey.std()),
        detection_score=score,
        **hints(pixels, box, crop),
    )


def pose(landmarks: NDArray[np.float32]) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees, coarse, from where the nose lies between eyes and mouth corners."""
    eye_l, eye_r, nose, mouth_l, mouth_r = landmarks
    across = eye_r - eye_l
    roll = math.degrees(math.atan2(float(across[1]), float(across[0])))
    eyes, mouth = (eye_l + eye_r) / 2, (mouth_l + mouth_r) / 2
    down = mouth - eyes
    width, height = float(np.linalg.norm(across)) or 1.0, float(np.linalg.norm(down)) or 1.0
    aside = float(np.dot(nose - eyes, across)) / width**2
    along = float(np.dot(nose - eyes, down)) / height**2
    yaw = math.degrees(math.asin(max(-1.0, min(1.0, 2 * aside))))
    pitch = math.degrees(math.asin(max(-1.0, min(1.0, 2 * (along - 0.6)))))
    return yaw, pitch, roll
