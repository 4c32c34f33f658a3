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
    if (
        kind in {"png", "webp"} and getattr(opened, "n_frames", 1) > 1
    ):  # a JPEG or HEIC of several images has a main one
        raise ImageRefusedError("animated", "The file is an animation, not one photograph. Post the picture you mean.")
    opened.load()
    upright = ImageOps.exif_transpose(opened)
    return np.asarray(_in_srgb(_in_eight_bits(upright)).convert("RGB"), dtype=np.uint8)


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


def _in_eight_bits(image: Image.Image) -> Image.Image:
    """Grey levels of 16 bits as 8: Pillow would cut them off at 255."""
    if not image.mode.startswith("I"):
        return image
    return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8))


def _in_srgb(image: Image.Image) -> Image.Image:
    """Colours as sRGB means them; a profile that cannot be read is left out."""
    profile = image.info.get("icc_profile")
    if profile and image.mode in {"RGBA", "P"}:  # profiles are of colours; what is transparent has none
        image = image.convert("RGB")
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


# --- what agencies hand over (ANSI/NIST-ITL, 10.011), made into what is enrolled --------------------------------------

JPEG2000 = (b"\x00\x00\x00\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")  # the file format; the bare codestream
EIGHT_BITS = frozenset({"L", "LA", "RGB", "RGBA"})


def jpeg2000_as_png(untrusted: bytes) -> bytes:
    """The same pixels as PNG. ImageRefusedError where it is no JPEG 2000 photograph of 8 bits a channel."""
    if len(untrusted) > MAX_BYTES or not untrusted.startswith(JPEG2000):
        raise ImageRefusedError("format", "The image is not a JPEG, JPEG 2000 or PNG photograph.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            opened = Image.open(io.BytesIO(untrusted), formats=["JPEG2000"])
            _check_size(*opened.size)
            opened.load()
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise ImageRefusedError("too-many-pixels", TOO_MANY_PIXELS) from error
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, RuntimeError, MemoryError) as error:
        raise ImageRefusedError("damaged", "The photograph is damaged or cut short and cannot be read.") from error
    if opened.mode not in EIGHT_BITS:
        raise ImageRefusedError("format", "The photograph has more than 8 bits a channel, or no colours that we know.")
    return _png(opened.convert("RGB"))


def raw_as_png(untrusted: bytes, width: int, height: int) -> bytes:
    """Uncompressed rows of RGB or grey pixels, 8 bits each, as PNG."""
    _check_size(max(width, 1), max(height, 1))
    channels = {width * height: "L", width * height * 3: "RGB"}.get(len(untrusted))
    if channels is None:
        raise ImageRefusedError("damaged", f"There are {len(untrusted)} bytes, not those of {width} x {height} pixels.")
    return _png(Image.frombytes(channels, (width, height), untrusted))


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
