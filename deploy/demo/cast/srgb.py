"""Linear light and sRGB (IEC 61966-2-1)."""

import numpy as np

from .arrays import Floats, Pixels

BRIGHT = 0.7  # from here highlights roll off instead of clipping
TOE_LINEAR, TOE_SRGB = 0.0031308, 0.04045


def to_srgb(linear: Floats) -> Pixels:
    """Linear light, 1 = white, as 8-bit sRGB."""
    above = np.maximum(linear - BRIGHT, 0) / (1 - BRIGHT)
    light = np.clip(linear, 0, BRIGHT) + (1 - BRIGHT) * (1 - np.exp(-above))
    share = np.where(light <= TOE_LINEAR, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.clip(np.round(share * 255), 0, 255).astype(np.uint8)


def to_linear(srgb: Floats) -> Floats:
    """SRGB 0 … 255 as linear light 0 … 1."""
    share = np.clip(srgb / 255, 0, 1)
    return np.where(share <= TOE_SRGB, share / 12.92, ((share + 0.055) / 1.055) ** 2.4).astype(np.float32)
