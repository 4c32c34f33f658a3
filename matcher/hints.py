"""Hints about a face that landmarks do not give: covered parts, compression, a picture of a screen.

Each answers to what it names (shown on photographs made worse on purpose). None is a proof, and whether one predicts
error is shown by `leadgate evaluate` and not assumed; names after ISO/IEC 29794-5 where it has one. Pure.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Grey = NDArray[np.float32]

BLOCK = 8  # of JPEG's grid, pixels
SIDE = 256  # of the square that is looked at for a raster
UNLIKE_SKIN = 40.0  # distance in CIELAB, 8 bits a channel
LOWEST = 0.12  # cycles a pixel: a face has its own structure below
GRID_WIDTH = 0.006  # cycles a pixel around JPEG's own frequencies, which are no raster


def hints(pixels: Pixels, box: tuple[float, float, float, float], aligned: Pixels) -> dict[str, float]:
    """By name, more is worse. `pixels`: RGB, whole and unscaled; `box`: left, top, right, bottom; `aligned`: 112²."""
    grey = cv2.cvtColor(_around(pixels, box), cv2.COLOR_RGB2GRAY).astype(np.float32)
    return {"occlusion": occlusion(aligned), "compression": compression(grey), "recapture": recapture(grey)}


def _around(pixels: Pixels, box: tuple[float, float, float, float]) -> Pixels:
    """The face with a quarter more on each side, as it was photographed."""
    left, top, right, bottom = box
    wide, high = (right - left) / 4, (bottom - top) / 4
    height, width = pixels.shape[:2]
    x, y = min(max(int(left - wide), 0), width - 1), min(max(int(top - high), 0), height - 1)
    return pixels[y : max(int(bottom + high), y + 1), x : max(int(right + wide), x + 1)]


def occlusion(aligned: Pixels) -> float:
    """Share of the face's oval that is unlike the face's own skin, from 0: hands, masks, dark glasses, hair."""
    lab = cv2.cvtColor(cv2.GaussianBlur(aligned, (5, 5), 0), cv2.COLOR_RGB2LAB).astype(np.float32)
    inside = _oval()
    skin = np.median(lab[inside], axis=0)
    unlike = np.linalg.norm(lab[inside] - skin, axis=1) > UNLIKE_SKIN
    return float(unlike.mean())


def _oval() -> NDArray[np.bool_]:
    """Where an aligned crop of 112 × 112 has the face."""
    canvas = np.zeros((112, 112), np.uint8)
    cv2.ellipse(canvas, (56, 70), (36, 42), 0, 0, 360, 1, -1)
    return canvas.astype(np.bool_)


def compression(grey: Grey) -> float:
    """How much more neighbours differ across a grid of 8 pixels than within it; near 0 without one."""
    return max(_steps(grey), _steps(np.ascontiguousarray(grey.T)))


def _steps(grey: Grey) -> float:
    if grey.shape[1] < 4 * BLOCK:
        return 0.0
    # what a slope or an edge adds on both sides is taken off: second differences around each step
    step = np.abs(grey[:, 2:-1] - grey[:, 1:-2]) - (np.abs(grey[:, 1:-2] - grey[:, :-3])) / 2
    step -= np.abs(grey[:, 3:] - grey[:, 2:-1]) / 2
    mean = step.mean(axis=0)
    by_phase = np.array([mean[phase::BLOCK].mean() for phase in range(BLOCK)])
    at = int(np.argmax(by_phase))
    return float(by_phase[at] - np.median(np.delete(by_phase, at)))


def recapture(grey: Grey) -> float:
    """How far the strongest single frequency stands out of its surroundings, in powers of ten: a screen's raster."""
    side = min(SIDE, *grey.shape)
    if side < 4 * BLOCK:
        return 0.0
    top, left = (grey.shape[0] - side) // 2, (grey.shape[1] - side) // 2
    square = grey[top : top + side, left : left + side]
    window = np.hanning(side).astype(np.float32)
    seen = np.abs(np.fft.rfft2((square - square.mean()) * np.outer(window, window))).astype(np.float32)
    around = cv2.medianBlur(np.log10(seen + 1), 5)
    return float((np.log10(seen + 1) - around)[_raster_frequencies(side)].max())


def _raster_frequencies(side: int) -> NDArray[np.bool_]:
    down, across = np.abs(np.fft.fftfreq(side))[:, None], np.fft.rfftfreq(side)[None, :]
    grid = [np.abs(f * BLOCK - np.round(f * BLOCK)) / BLOCK < GRID_WIDTH for f in (down, across)]
    axis = (down < GRID_WIDTH) | (across < GRID_WIDTH)
    return (np.hypot(down, across) > LOWEST) & ~(axis & (grid[0] & grid[1]))
