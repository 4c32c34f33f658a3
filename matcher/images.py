"""Untrusted bytes -> safe pixels, or a sentence for the person. What decodes them runs apart (`isolation`)."""

import hashlib
import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from matcher import isolation
from matcher.decoders import REASONS, NotDecodedError, check_size

Format = Literal["jpeg", "png", "webp", "heic"]

MAX_BYTES = 20 * 1024 * 1024
COPY_SIDE = 1600
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
    return Photo(_decoded(untrusted, kind), hashlib.sha256(untrusted).hexdigest(), kind)


def _decoded(untrusted: bytes, kind: str) -> NDArray[np.uint8]:
    try:
        return isolation.pixels(untrusted, kind)
    except NotDecodedError as no:
        raise ImageRefusedError(no.rule, REASONS[no.rule]) from no


def as_jpeg(pixels: NDArray[np.uint8], side: int = COPY_SIDE, quality: int = 92) -> bytes:
    """A copy without any metadata, its longer side at most `side` pixels."""
    image = Image.fromarray(pixels)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()


# --- what agencies hand over (ANSI/NIST-ITL, 10.011), made into what is enrolled --------------------------------------

JPEG2000 = (b"\x00\x00\x00\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")  # the file format; the bare codestream


def jpeg2000_as_png(untrusted: bytes) -> bytes:
    """The same pixels as PNG. ImageRefusedError where it is no JPEG 2000 photograph of 8 bits a channel."""
    if len(untrusted) > MAX_BYTES or not untrusted.startswith(JPEG2000):
        raise ImageRefusedError("format", "The image is not a JPEG, JPEG 2000 or PNG photograph.")
    return _png(Image.fromarray(_decoded(untrusted, "jpeg2000")))


def raw_as_png(untrusted: bytes, width: int, height: int) -> bytes:
    """Uncompressed rows of RGB or grey pixels, 8 bits each, as PNG."""
    try:
        check_size(max(width, 1), max(height, 1), width * height)
    except NotDecodedError as no:
        raise ImageRefusedError(no.rule, REASONS[no.rule]) from no
    channels = {width * height: "L", width * height * 3: "RGB"}.get(len(untrusted))
    if channels is None:
        raise ImageRefusedError("damaged", f"There are {len(untrusted)} bytes, not those of {width} x {height} pixels.")
    return _png(Image.frombytes(channels, (width, height), untrusted))


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
