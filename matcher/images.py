"""Untrusted bytes -> safe pixels. The only module that decodes images; one function, so that it can be moved apart."""

import hashlib
import io
import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pi_heif
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

Format = Literal["jpeg", "png", "webp", "heic"]

MAX_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 50_000_000
MIN_SIDE = 32
MAX_RATIO = 12.0
COPY_SIDE = 1600
TOO_MANY_PIXELS = "The photograph has more than 50 million pixels. Post a smaller copy."
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc")


class ImageRefusedError(Exception):
    """This cannot be used as a photograph; `rule` is stable, `reason` is a sentence for the person who posted it."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(rule)
        self.rule = rule
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Photo:
    """An upright photograph: pixels RGB, uint8, shape (height, width, 3); `sha256` is of the bytes as received."""

    pixels: NDArray[np.uint8]
    sha256: str
    format: Format

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])


def sniff(untrusted: bytes) -> Format | None:
    """The format by magic bytes; names and declared types are not believed."""
    if untrusted[:3] == b"\xff\xd8\xff":
        return "jpeg"
    if untrusted[:8] == b"\x89PNG\r\n\x1a\n":
        return "png"
    if untrusted[:4] == b"RIFF" and untrusted[8:12] == b"WEBP":
        return "webp"
    if untrusted[4:8] == b"ftyp" and untrusted[8:12] in HEIC_BRANDS:
        return "heic"
    return None


def decode(untrusted: bytes) -> Photo:
    """The photograph, upright and in sRGB. ImageRefusedError says in a sentence why not."""
    if len(untrusted) > MAX_BYTES:
        raise ImageRefusedError("too-large", "The file is larger than 20 MB. Post a smaller copy.")
    kind = sniff(untrusted)
    if kind is None:
        raise ImageRefusedError(
            "format", "The file is not a JPEG, PNG, WebP or HEIC photograph, whatever its name says."
        )
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            pixels = _pixels(untrusted, kind)
        except ImageRefusedError:
            raise
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            raise ImageRefusedError("too-many-pixels", TOO_MANY_PIXELS) from error
        except (OSError, ValueError, SyntaxError, UnidentifiedImageError, RuntimeError, MemoryError, Warning) as error:
            raise ImageRefusedError("damaged", "The photograph is damaged or cut short and cannot be read.") from error
    return Photo(pixels, hashlib.sha256(untrusted).hexdigest(), kind)


def _pixels(untrusted: bytes, kind: Format) -> NDArray[np.uint8]:
    opened = _open(untrusted, kind)
    _check_size(*opened.size)
    opened.load()
    upright = ImageOps.exif_transpose(opened)
    return np.asarray(_in_srgb(upright).convert("RGB"), dtype=np.uint8)


def _open(untrusted: bytes, kind: Format) -> Image.Image:
    if kind == "heic":
        heif = pi_heif.open_heif(untrusted, convert_hdr_to_8bit=True)
        _check_size(*heif.size)
        return heif.to_pillow()
    return Image.open(io.BytesIO(untrusted), formats=[kind.upper()])


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ImageRefusedError(
            "too-many-pixels", "The photograph has more than 50 million pixels. Post a smaller copy."
        )
    if min(width, height) < MIN_SIDE:
        raise ImageRefusedError("too-few-pixels", "The photograph has too few pixels to hold a face.")
    if max(width, height) / min(width, height) > MAX_RATIO:
        raise ImageRefusedError("ratio", "The picture is a strip, not a photograph.")


def _in_srgb(image: Image.Image) -> Image.Image:
    """Colours as sRGB means them; a profile that cannot be read is left out."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in {"RGB", "L", "CMYK"}:
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        turned = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return image
    return turned or image


def as_jpeg(pixels: NDArray[np.uint8], side: int = COPY_SIDE, quality: int = 92) -> bytes:
    """A copy without any metadata, its longer side at most `side` pixels."""
    image = Image.fromarray(pixels)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()
