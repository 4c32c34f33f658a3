"""What Slack does to a posted file: tells its kind by its bytes, strips EXIF, and makes thumbnails.

Slack strips EXIF: here from JPEG, PNG and WebP, byte by byte, so that no pixel changes. HEIC stays HEIC, as it
came. The orientation survives, alone, so that a phone's photograph is not shown on its side.
"""

import io
import struct
import warnings
import zlib
from typing import Final

from pi_heif import register_heif_opener
from PIL import Image, ImageOps

PNG: Final = b"\x89PNG\r\n\x1a\n"
MAGIC: Final = (
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
    (PNG, "image/png", "png"),
    (b"GIF8", "image/gif", "gif"),
    (b"%PDF", "application/pdf", "pdf"),
    (b"PK\x03\x04", "application/zip", "zip"),
)
HEIC_BRANDS: Final = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
BY_NAME: Final = {
    "jpg": ("image/jpeg", "jpg"),
    "jpeg": ("image/jpeg", "jpg"),
    "png": ("image/png", "png"),
    "gif": ("image/gif", "gif"),
    "heic": ("image/heic", "heic"),
    "webp": ("image/webp", "webp"),
    "txt": ("text/plain", "text"),
    "csv": ("text/csv", "csv"),
    "json": ("application/json", "json"),
    "pdf": ("application/pdf", "pdf"),
    "mp4": ("video/mp4", "mp4"),
}
MOST_PIXELS: Final = 50_000_000
ORIENTATION: Final = 0x0112
MARKER, SCAN, APP1, APP13 = 0xFF, 0xDA, 0xE1, 0xED


def kind_of(data: bytes, name: str) -> tuple[str, str]:
    """Mimetype and filetype: by the first bytes when they are known, else by the name."""
    for magic, mimetype, filetype in MAGIC:
        if data.startswith(magic):
            return mimetype, filetype
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp", "webp"
    if data[4:8] == b"ftyp" and data[8:12] in HEIC_BRANDS:
        return "image/heic", "heic"
    return BY_NAME.get(name.rpartition(".")[2].lower(), ("application/octet-stream", "binary"))


def without_exif(data: bytes) -> bytes:
    """The same picture without what the camera wrote beside it; anything else, and anything odd, as it came."""
    if data.startswith(b"\xff\xd8"):
        return _jpeg_without(data)
    if data.startswith(PNG):
        return _png_without(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp_without(data)
    return data


def _jpeg_without(data: bytes) -> bytes:
    """Without its APP1 and APP13 segments."""
    kept, at, orientation = [b"\xff\xd8"], 2, 1
    while at + 4 <= len(data) and data[at] == MARKER and data[at + 1] != SCAN:
        (length,) = struct.unpack(">H", data[at + 2 : at + 4])
        segment = data[at : at + 2 + length]
        if data[at + 1] == APP1 and segment[4:10] == b"Exif\0\0":
            orientation = _orientation(segment[4:])
        elif data[at + 1] not in {APP1, APP13}:
            kept.append(segment)
        at += 2 + length
    if at + 4 > len(data) or data[at] != MARKER:
        return data
    if orientation != 1:
        kept.insert(1, _orientation_only(orientation))
    return b"".join([*kept, data[at:]])


def _png_without(data: bytes) -> bytes:
    """Without its eXIf and text chunks, where XMP lies as well; the orientation stays, alone, as in a JPEG."""
    kept, at = [PNG], len(PNG)
    while at + 12 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, chunk = data[at + 4 : at + 8], data[at : at + 12 + length]
        if len(chunk) < 12 + length:
            return data
        if kind == b"eXIf":
            if (orientation := _orientation(b"Exif\0\0" + chunk[8:-4])) != 1:
                body = b"eXIf" + _exif_of(orientation)
                kept.append(struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)))
        elif kind not in {b"tEXt", b"zTXt", b"iTXt"}:
            kept.append(chunk)
        at += 12 + length
    return b"".join(kept) if at == len(data) else data


def _webp_without(data: bytes) -> bytes:
    """Without its EXIF and XMP chunks, the header's flags cleared to match; the orientation stays, alone."""
    kept, at, orientation = [b"WEBP"], 12, 1
    while at + 8 <= len(data):
        (length,) = struct.unpack("<I", data[at + 4 : at + 8])
        kind, chunk = data[at : at + 4], data[at : at + 8 + length + length % 2]
        if len(chunk) < 8 + length:
            return data
        if kind == b"EXIF":
            body = chunk[8 : 8 + length]
            orientation = _orientation(body if body.startswith(b"Exif\0\0") else b"Exif\0\0" + body)
        elif kind != b"XMP ":
            kept.append(chunk)
        at += len(chunk)
    if at != len(data):
        return data
    if kept[1:] and kept[1].startswith(b"VP8X"):
        head = kept[1]
        kept[1] = head[:8] + bytes([head[8] & ~0x0C | (0x08 if orientation != 1 else 0)]) + head[9:]
    if orientation != 1:
        exif = _exif_of(orientation)
        kept.append(b"EXIF" + struct.pack("<I", len(exif)) + exif + b"\0" * (len(exif) % 2))
    body = b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _orientation(exif: bytes) -> int:
    read = Image.Exif()
    try:
        read.load(exif)
        return int(read.get(ORIENTATION, 1))
    except (SyntaxError, ValueError, TypeError, KeyError, struct.error):
        return 1


def _exif_of(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif.tobytes().removeprefix(b"Exif\0\0")


def _orientation_only(orientation: int) -> bytes:
    body = b"Exif\0\0" + _exif_of(orientation)
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def dimensions(data: bytes) -> tuple[int, int]:
    """Width and height as shown; (0, 0) for what is not a picture, or too large a one to make thumbnails of."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            register_heif_opener()
            with Image.open(io.BytesIO(data)) as image:
                if image.width * image.height > MOST_PIXELS:
                    return 0, 0
                turned = image.getexif().get(ORIENTATION, 1) in {5, 6, 7, 8}
                return (image.height, image.width) if turned else (image.width, image.height)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return 0, 0


def thumbnail(data: bytes, size: int, *, square: bool) -> bytes | None:
    """A PNG or JPEG that fits in `size` by `size`; None for what cannot be decoded."""
    try:
        with Image.open(io.BytesIO(data)) as opened:
            opened.draft("RGB", (size, size))
            upright = ImageOps.exif_transpose(opened)
            small = ImageOps.fit(upright, (size, size)) if square else upright
            small.thumbnail((size, size))
            out = io.BytesIO()
            if small.mode in {"RGBA", "LA", "P"}:
                small.convert("RGBA").save(out, "PNG")
            else:
                small.convert("RGB").save(out, "JPEG", quality=88)
            return out.getvalue()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
