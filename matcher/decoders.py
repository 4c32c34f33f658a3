"""The image decoders, and the process that they run in: `python -m matcher.decoders`, started by `isolation` alone.

They are large, in C, and read what strangers sent: one wrong byte in a HEIC's item list makes libheif's binding crash
(pi_heif 1.4.0), and a wrong tag in an EXIF makes Pillow raise what it never documented. Here that costs this process,
which holds no secret, opens no file and no socket, and has limits of memory and time; whoever asked goes on.

A request is HEAD (what it is; how many bytes) and the bytes. The answer is HEAD again (one of ANSWERS; width; height)
and the pixels, RGB, row by row; or a refusal's rule by name. Imports nothing of ours: it starts in a moment.
"""

import io
import os
import struct
import sys
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import BinaryIO

import numpy as np
import pi_heif
from numpy.typing import NDArray
from PIL import Image, ImageCms, Jpeg2KImagePlugin, JpegImagePlugin, MpoImagePlugin, PngImagePlugin, WebPImagePlugin
from PIL.TiffImagePlugin import ImageFileDirectory_v2

MAX_PIXELS = 50_000_000
MIN_SIDE = 32
MAX_RATIO = 12.0
# M6's limit of decompression. Even nothing but one colour takes a byte for 344 pixels as PNG in colour (deflate packs
# 1032 to 1) and for 256 (512, progressive) as JPEG in grey; what a byte stands for more of has no room for a face in
# so many pixels. A few pixels harm nobody, however they were packed.
MAX_PIXELS_PER_BYTE = 600
FEW_PIXELS = 4_000_000

FORMATS = ("jpeg", "png", "webp", "heic", "jpeg2000")
HEAD = struct.Struct("<BII")  # which of FORMATS, bytes, 0 - or: which of ANSWERS, width, height
PIXELS = "pixels"
REASONS = {
    "too-many-pixels": "The photograph has more than 50 million pixels. Post a smaller copy.",
    "too-few-pixels": "The photograph has too few pixels to hold a face.",
    "ratio": "The picture is a strip, not a photograph.",
    "packed": "The file holds far more pixels than a photograph of its size can. Post the photograph as it was taken.",
    "animated": "The file is an animation, not one photograph. Post the picture you mean.",
    "format": "The photograph has more than 8 bits a channel, or no colours that we know.",
    "damaged": "The photograph is damaged or cut short and cannot be read.",
}
ANSWERS = (PIXELS, *REASONS)

MEMORY = 3 << 30  # bytes of address space; 50 million pixels with transparency and a colour profile take 1.3 GB
CPU_SECONDS = 15  # for one picture; the largest take 3

EIGHT_BITS = frozenset({"L", "LA", "RGB", "RGBA"})
ORIENTATION = 0x0112
# What undoes each of EXIF's orientations; 1 is upright.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

Pixels = NDArray[np.uint8]


class NotDecodedError(Exception):
    """This gives no pixels: `rule` is one of REASONS."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


def decoded(untrusted: bytes, kind: str) -> Pixels:
    """RGB, uint8 of shape (height, width, 3), upright, in sRGB; `kind`: one of FORMATS. NotDecodedError, no other."""
    with _refusing(), _open(untrusted, kind) as opened:
        check_size(*opened.size, len(untrusted))
        if kind in {"png", "webp"} and getattr(opened, "n_frames", 1) > 1:  # a JPEG or HEIC of several has a main one
            raise NotDecodedError("animated")
        opened.load()
        if kind == "jpeg2000":  # as agencies hand it over: pixels as they are
            if opened.mode not in EIGHT_BITS:
                raise NotDecodedError("format")
            return np.asarray(opened.convert("RGB"), np.uint8)
        return np.asarray(_in_srgb(_opaque(_in_eight_bits(_upright(opened)))).convert("RGB"), np.uint8)


@contextmanager
def _refusing() -> Generator[None]:
    """Whatever a decoder raises is a refusal: what they may raise is no part of what they promise."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            yield
        except NotDecodedError:
            raise
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            raise NotDecodedError("too-many-pixels") from error
        except Exception as error:
            raise NotDecodedError("damaged") from error


def _open(untrusted: bytes, kind: str) -> Image.Image:
    if kind == "heic":
        heif = pi_heif.open_heif(untrusted, convert_hdr_to_8bit=True)
        check_size(*heif.size, len(untrusted))
        return heif.to_pillow()
    return Image.open(io.BytesIO(untrusted), formats=[kind.upper()])


def check_size(width: int, height: int, size: int) -> None:
    """A picture of this many pixels, out of a file of `size` bytes, is decoded."""
    if width * height > MAX_PIXELS:
        raise NotDecodedError("too-many-pixels")
    if min(width, height) < MIN_SIDE:
        raise NotDecodedError("too-few-pixels")
    if max(width, height) / min(width, height) > MAX_RATIO:
        raise NotDecodedError("ratio")
    if width * height > max(FEW_PIXELS, size * MAX_PIXELS_PER_BYTE):
        raise NotDecodedError("packed")


def _upright(image: Image.Image) -> Image.Image:
    """As the camera was held, where its EXIF says so in a way that can be read; the rest of it is never looked at."""
    try:
        said = image.getexif().get(ORIENTATION)
    except Exception:  # noqa: BLE001 - the picture is fine, whatever is wrong with what is said about it
        return image
    turn = UPRIGHT.get(said) if isinstance(said, int) else None
    return image if turn is None else image.transpose(turn)


def _in_eight_bits(image: Image.Image) -> Image.Image:
    """Grey levels of 16 bits as 8: Pillow would cut them off at 255."""
    if not image.mode.startswith("I"):
        return image
    return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8))


def _opaque(image: Image.Image) -> Image.Image:
    """What shows of it on white: what nobody sees who looks at the file is not searched either."""
    if not image.has_transparency_data:
        return image
    seen = image.convert("LA" if image.mode in {"L", "LA"} else "RGBA")
    paper = Image.new(seen.mode[:-1], seen.size, "white")
    paper.paste(seen.convert(paper.mode), mask=seen.getchannel("A"))
    paper.info = dict(image.info)
    return paper


def _in_srgb(image: Image.Image) -> Image.Image:
    """Colours as sRGB means them; a profile that cannot be read is left out."""
    profile = image.info.get("icc_profile")
    if profile and image.mode == "P":  # profiles are of colours
        image = image.convert("RGB")
    if not profile or image.mode not in {"RGB", "L", "CMYK"}:
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        turned = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image
    return turned or image


# --- the process ------------------------------------------------------------------------------------------------------


def main() -> None:
    """Answers one request after the other, until nobody asks any more."""
    asked, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # what a library prints is no answer
        os.dup2(nowhere, stream)
    os.close(nowhere)
    limit = _shut_in()
    while head := asked.read(HEAD.size):
        kind, size, _ = HEAD.unpack(head)
        limit()
        _answer(answers, asked.read(size), FORMATS[kind])


def _answer(answers: BinaryIO, untrusted: bytes, kind: str) -> None:
    try:
        pixels = decoded(untrusted, kind)
    except NotDecodedError as no:
        if isinstance(no.__cause__, MemoryError):
            os._exit(1)  # perhaps earlier pictures have left too little: whoever asked tries another process
        answers.write(HEAD.pack(ANSWERS.index(no.rule), 0, 0))
    else:
        height, width = pixels.shape[:2]
        answers.write(HEAD.pack(ANSWERS.index(PIXELS), width, height))
        answers.write(np.ascontiguousarray(pixels).data)
    answers.flush()


def _shut_in() -> Callable[[], None]:
    """From now on this process opens nothing; what is called before each picture limits the processor's time."""
    _load_what_is_loaded_late()
    import resource

    def at_most(what: int, most: int) -> None:
        with suppress(ValueError, OSError):  # not every system knows every limit
            resource.setrlimit(what, (most, most))

    at_most(resource.RLIMIT_CORE, 0)
    at_most(resource.RLIMIT_FSIZE, 0)
    at_most(resource.RLIMIT_AS, MEMORY)
    at_most(resource.RLIMIT_NOFILE, 0)

    def limit() -> None:
        spent = resource.getrusage(resource.RUSAGE_SELF)
        allowed = int(spent.ru_utime + spent.ru_stime) + CPU_SECONDS
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_CPU, (allowed, resource.RLIM_INFINITY))

    return limit


def _load_what_is_loaded_late() -> None:
    """Every decoder has worked once: what it imports or opens when it first works cannot be had later."""
    Image.preinit()
    late = (Jpeg2KImagePlugin, JpegImagePlugin, MpoImagePlugin, PngImagePlugin, WebPImagePlugin, ImageFileDirectory_v2)
    assert all(late)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    for form, kind in (("JPEG", "jpeg"), ("PNG", "png"), ("WEBP", "webp"), ("MPO", "jpeg"), ("JPEG2000", "jpeg2000")):
        out = io.BytesIO()
        more = {} if form == "JPEG2000" else {"exif": exif, "icc_profile": profile}
        Image.new("RGB", (64, 64)).save(out, form, **more)
        decoded(out.getvalue(), kind)
    with suppress(NotDecodedError):
        decoded(b"\0\0\0\x18ftypheic" + bytes(50), "heic")


if __name__ == "__main__":
    sys.exit(main())
