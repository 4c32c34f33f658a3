"""What may be done to a copy of a probe before it is searched (M10): a closed list, and nothing that makes up pixels.

Every operation is global and plain: what it did can be told in a sentence and done again. There is none that draws,
mirrors, sharpens by example, restores, opens eyes or joins two images, and no way to add one but here. The original
stays; examiners decide on it (M19).
"""

from dataclasses import dataclass
from typing import Literal

MOST_SCALED, MOST_BENT = 4.0, 4.0


@dataclass(frozen=True, slots=True)
class Mask:
    """Every face but the one that the requester chose is covered (M5); always the first where there are several."""

    keep: int
    op: Literal["mask"] = "mask"


@dataclass(frozen=True, slots=True)
class Crop:
    """A part of the picture, in pixels of the copy before."""

    left: int
    top: int
    width: int
    height: int
    op: Literal["crop"] = "crop"


@dataclass(frozen=True, slots=True)
class Rotate:
    """Counter-clockwise about the middle, bicubic, what comes in from outside is black."""

    degrees: float
    op: Literal["rotate"] = "rotate"


@dataclass(frozen=True, slots=True)
class Scale:
    """Both sides by the same factor, Lanczos. Adds no detail, whatever the size."""

    factor: float
    op: Literal["scale"] = "scale"


@dataclass(frozen=True, slots=True)
class Brightness:
    """So many grey levels of 255 are added to every pixel."""

    levels: int
    op: Literal["brightness"] = "brightness"


@dataclass(frozen=True, slots=True)
class Contrast:
    """Every grey level's distance from 128 by this factor."""

    factor: float
    op: Literal["contrast"] = "contrast"


@dataclass(frozen=True, slots=True)
class Gamma:
    """Grey levels to the power of 1 / gamma: above 1 the dark parts are lighter."""

    gamma: float
    op: Literal["gamma"] = "gamma"


@dataclass(frozen=True, slots=True)
class Greyscale:
    """Luma of ITU-R 601."""

    op: Literal["greyscale"] = "greyscale"


@dataclass(frozen=True, slots=True)
class Original:
    """Back to the photograph as it was received; what was tried stays in the lineage."""

    op: Literal["original"] = "original"


Operation = Mask | Crop | Rotate | Scale | Brightness | Contrast | Gamma | Greyscale | Original


def out_of_range(operation: Operation) -> str:
    """Why the parameters are none; empty where they are."""
    match operation:
        case Mask(keep) if keep < 0:
            return "There is no such face."
        case Crop(left, top, width, height) if min(left, top) < 0 or min(width, height) < 1:
            return "A crop lies within the picture and has a width and a height."
        case Rotate(degrees) if not -180 <= degrees <= 180:  # noqa: PLR2004 - a half turn either way
            return "A rotation is from -180 to 180 degrees."
        case Scale(factor) if not 1 / MOST_SCALED <= factor <= MOST_SCALED:
            return "A scale is from 0.25 to 4."
        case Brightness(levels) if not -128 <= levels <= 128:  # noqa: PLR2004 - half of all grey levels
            return "Brightness is from -128 to 128 grey levels."
        case Contrast(bent) | Gamma(bent) if not 1 / MOST_BENT <= bent <= MOST_BENT:
            return "Contrast and gamma are from 0.25 to 4."
        case _:
            return ""


def in_words(operation: Operation) -> str:
    """For the record and for people: what was done, with its parameters."""
    match operation:
        case Mask(keep):
            return f"every face but face {keep + 1} masked"
        case Crop(left, top, width, height):
            return f"cropped to {width} × {height} pixels at ({left}, {top})"
        case Rotate(degrees):
            return f"rotated by {degrees:g} degrees"
        case Scale(factor):
            return f"scaled by {factor:g} (Lanczos)"
        case Brightness(levels):
            return f"brightness {levels:+d} grey levels"
        case Contrast(factor):
            return f"contrast by {factor:g}"
        case Gamma(gamma):
            return f"gamma {gamma:g}"
        case Greyscale():
            return "greyscale"
        case Original():
            return "back to the original"
