"""Bytes from outside become pixels, or a sentence; nothing in between, and never a crash."""

import hashlib
import io
import os
import signal
import struct
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from matcher import decoders, images, isolation
from matcher.decoders import CPU_SECONDS, NotDecodedError
from matcher.images import ImageRefusedError, decode
from tests.matcher.conftest import PEOPLE, probe_of

PHOTO = probe_of(PEOPLE[0]).read_bytes()


def encoded(form: str, size=(120, 90), mode="RGB", colour=None, **more) -> bytes:
    out = io.BytesIO()
    drawn = Image.new(mode, size, colour) if colour else Image.effect_mandelbrot(size, (-2, -1.5, 1, 1.5), 60)
    drawn.convert(mode).save(out, form, **more)
    return out.getvalue()


HEIC = (Path(__file__).parents[1] / "journeys" / "phone.heic").read_bytes()
ITEM_TYPE = 176  # where an item's type begins: the binding of libheif takes it for UTF-8 and crashes where it is not
CRASHES = HEIC[:ITEM_TYPE] + b"\xff" + HEIC[ITEM_TYPE + 1 :]


@pytest.mark.parametrize(("form", "kind"), [("JPEG", "jpeg"), ("PNG", "png"), ("WEBP", "webp")])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_photograph_becomes_upright_rgb_with_the_digest_of_its_bytes(form, kind, mode):
    data = encoded(form, mode=mode)
    photo = decode(data)
    assert (photo.format, photo.width, photo.height, photo.pixels.dtype) == (kind, 120, 90, np.uint8)
    assert photo.sha256 == hashlib.sha256(data).hexdigest()


def test_what_the_camera_turned_is_turned_back():
    plain = decode(encoded("JPEG")).pixels
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90°
    turned = decode(encoded("JPEG", exif=exif))
    assert (turned.width, turned.height) == (90, 120)
    assert np.abs(np.rot90(plain, -1).astype(int) - turned.pixels).max() <= 2


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_way_of_holding_a_camera_is_undone(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    plain = encoded("PNG")
    held = Image.open(io.BytesIO(plain))
    turned = io.BytesIO()
    for undo, how in decoders.UPRIGHT.items():
        if undo == orientation:
            back = {Image.Transpose.ROTATE_90: Image.Transpose.ROTATE_270}
            back |= {there: here for here, there in back.items()}
            held = held.transpose(back.get(how, how))
    held.save(turned, "PNG", exif=exif)
    assert np.array_equal(decode(turned.getvalue()).pixels, decode(plain).pixels)


def exif_of(*entries: bytes) -> bytes:
    """An EXIF with these entries, which nobody checked."""
    return b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)


def entry(tag: int, kind: int, count: int, value: bytes) -> bytes:
    return struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0")


TURNED = entry(0x0112, 3, 1, b"\x06")


@pytest.mark.parametrize(
    ("exif", "turned"),
    [
        (exif_of(TURNED, entry(0x0100, 2, 3, b"ab")), True),  # a width that is a text
        (exif_of(TURNED, entry(0x8769, 2, 3, b"ab")), True),
        (exif_of(TURNED, entry(0x011A, 5, 1, b"\xff\xff\xff\x7f")), True),
        (exif_of(entry(0x0112, 2, 4, b"abc")), False),
        (exif_of(entry(0x0112, 3, 2, b"\x06\0\x06")), True),
        (exif_of(entry(0x0112, 5, 1, b"\x08")), False),
        (b"Exif\0\0II*\0\x08\0\0\0\xff\xff", False),
        (b"Exif\0\0garbage", False),
    ],
)
def test_whatever_is_said_about_a_picture_that_is_fine_its_pixels_are_kept(exif, turned):
    photo = decode(encoded("JPEG", exif=exif))
    assert (photo.width, photo.height) == ((90, 120) if turned else (120, 90))


def test_a_copy_carries_no_metadata_and_is_small_enough():
    exif = Image.Exif()
    exif[0x010F] = "Camera of a witness"
    data = encoded("JPEG", (3000, 2000), exif=exif, comment=b"GPS 40.7,-74.0")
    copy = images.as_jpeg(decode(data).pixels)
    opened = Image.open(io.BytesIO(copy))
    assert (dict(opened.getexif()), opened.size) == ({}, (1600, 1067))
    assert b"witness" not in copy
    assert b"GPS" not in copy


def test_another_colour_space_is_turned_into_srgb():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    assert decode(encoded("PNG", icc_profile=b"not a profile at all")).width == 120
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.array_equal(decode(encoded("PNG", icc_profile=srgb)).pixels, decode(encoded("PNG")).pixels)
    assert decode(encoded("PNG", icc_profile=profile.tobytes())).width == 120


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colours_are_what_the_profile_says_they_are(mode):
    """A profile in which what sRGB calls red is blue, as if a camera had named its channels so."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"????", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"????", b"bXYZ", 1)
    out = io.BytesIO()
    Image.new("RGB", (64, 64), (200, 30, 30)).convert(mode).save(out, "PNG", icc_profile=swapped)
    red, _, blue = decode(out.getvalue()).pixels[32, 32].tolist()
    assert blue > red + 100


def test_grey_levels_of_16_bits_keep_their_place():
    ramp = np.linspace(0, 65535, 96 * 96).reshape(96, 96).astype(np.uint16)
    out = io.BytesIO()
    Image.fromarray(ramp).save(out, "PNG")
    assert np.abs(decode(out.getvalue()).pixels[:, :, 0].astype(int) - (ramp >> 8)).max() == 0


@pytest.mark.parametrize(("form", "mode"), [("PNG", "RGBA"), ("PNG", "LA"), ("WEBP", "RGBA")])
@pytest.mark.parametrize("profile", [None, "sRGB"])
def test_what_is_transparent_is_seen_by_nobody(form, mode, profile):
    """A face that is there in the file and does not show is no face that anybody submitted."""
    more = {"icc_profile": ImageCms.ImageCmsProfile(ImageCms.createProfile(profile)).tobytes()} if profile else {}
    out = io.BytesIO()
    hidden = Image.open(io.BytesIO(PHOTO)).convert(mode)
    hidden.putalpha(0)
    hidden.save(out, form, lossless=True, exact=True, **more)
    assert (decode(out.getvalue()).pixels == 255).all()
    hidden.putalpha(255)
    out = io.BytesIO()
    hidden.save(out, form, lossless=True, exact=True, **more)
    shown = decode(out.getvalue()).pixels.astype(int)
    assert np.abs(shown - np.asarray(hidden.convert("RGB"))).max() <= 1


def test_a_colour_that_is_named_transparent_is_white():
    out = io.BytesIO()
    drawn = Image.new("P", (64, 64))
    drawn.putpalette([10, 20, 30])
    drawn.save(out, "PNG", transparency=0)
    assert (decode(out.getvalue()).pixels == 255).all()


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_an_animation_is_refused_whole(form):
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, form, save_all=True, append_images=frames[1:])
    with pytest.raises(ImageRefusedError) as refused:
        decode(out.getvalue())
    assert refused.value.rule == "animated"


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(5000))) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "format"),
        (b"GIF89a" + bytes(100), "format"),
        (b"BM" + bytes(100), "format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "format"),
        (b"II*\0" + bytes(100), "format"),  # TIFF
        (b"\0\0\0\x18ftypavif" + bytes(50), "format"),
        (b"\0\0\0\x18ftypheic" + bytes(50), "damaged"),
        (b"RIFF\x10\0\0\0WEBP" + bytes(20), "damaged"),
        (png_header(10_000, 10_000), "too-many-pixels"),
        (png_header(60_000, 60_000), "too-many-pixels"),
        (png_header(400, 400), "damaged"),
        (png_header(5000, 100), "ratio"),
        (png_header(8, 8), "too-few-pixels"),
        (PHOTO[: len(PHOTO) // 2], "damaged"),
        (PHOTO[:30], "damaged"),
        (bytes(images.MAX_BYTES + 1), "too-large"),
        (encoded("PNG", (7000, 7000), colour="white", mode="L"), "packed"),
        (png_header(3000, 3000), "packed"),
        (CRASHES, "damaged"),
        (HEIC[:20_000], "damaged"),
        (HEIC[:400], "damaged"),
    ],
)
def test_everything_else_is_refused_by_a_stable_rule_and_a_sentence(data, rule):
    with pytest.raises(ImageRefusedError) as refused:
        decode(data)
    assert refused.value.rule == rule
    assert refused.value.reason.endswith(".")


@pytest.mark.parametrize(
    ("form", "mode", "more"),
    [("PNG", "RGB", {}), ("JPEG", "RGB", {}), ("JPEG", "L", {"progressive": True}), ("JPEG", "L", {})],
)
def test_nothing_but_one_colour_is_still_a_picture(form, mode, more):
    """A wall, a black night: a format's own best packing is no bomb (M6)."""
    flat = encoded(form, (4000, 3000), mode, "white", **more)
    assert len(flat) * 60 < 4000 * 3000
    assert decode(flat).width == 4000


def seeds() -> dict[str, bytes]:
    return {form: encoded(form, (64, 48)) for form in ("JPEG", "PNG", "WEBP")} | {"HEIC": HEIC}


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_damage_anywhere_gives_pixels_or_a_refusal(data):
    good = bytearray(data.draw(st.sampled_from(list(seeds().values()))))
    last = data.draw(st.sampled_from([900, len(good)]))  # what describes the picture comes first
    for _ in range(data.draw(st.integers(1, 8))):
        good[data.draw(st.integers(12, min(last, len(good)) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(good[: data.draw(st.integers(13, len(good)))])
    try:
        photo = decode(cut)
    except ImageRefusedError as error:
        outcome = error.rule
    else:
        outcome = photo.pixels.shape[2]
    assert outcome in {3, "damaged", "too-many-pixels", "too-few-pixels", "ratio", "packed", "animated", "format"}


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_arbitrary_bytes_are_refused(data):
    with pytest.raises(ImageRefusedError):
        decode(data)


# --- the process that decodes -----------------------------------------------------------------------------------------


def kept() -> list[isolation.Decoder]:
    return isolation._KEPT._idle


def test_a_picture_that_kills_what_decodes_it_costs_nobody_else_anything():
    for _ in range(3):
        with pytest.raises(ImageRefusedError) as refused:
            decode(CRASHES)
        assert refused.value.rule == "damaged"
        assert decode(HEIC).format == "heic"


def test_a_picture_is_not_blamed_for_what_became_of_the_process_before_it():
    decode(PHOTO)
    for each in kept():
        os.kill(each.process.pid, signal.SIGKILL)
    assert decode(PHOTO).format == "jpeg"


@pytest.mark.parametrize("data", [seeds()[form] for form in seeds()], ids=list(seeds()))
def test_what_is_decoded_apart_is_what_would_be_decoded_here(data):
    """With files and sockets out of its reach, it does without what is loaded late elsewhere."""
    kind = images.sniff(data)
    assert np.array_equal(isolation.pixels(data, kind), decoders.decoded(data, kind))


def test_many_threads_decode_at_once_and_each_gets_its_own():
    sizes = range(64, 64 + 12)
    pictures = [encoded("PNG", (size, 64)) for size in sizes]
    got: dict[int, int] = {}
    threads = [
        threading.Thread(target=lambda size=size, data=data: got.update({size: decode(data).width}))
        for size, data in zip(sizes, pictures, strict=True)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert got == {size: size for size in sizes}


def test_who_takes_too_long_is_ended(monkeypatch):
    stopped = isolation.Decoder()
    stopped.pixels(PHOTO, "jpeg")
    monkeypatch.setattr(isolation, "SECONDS", 0.3)
    os.kill(stopped.process.pid, signal.SIGSTOP)
    with pytest.raises(isolation.DiedError):
        stopped.pixels(PHOTO, "jpeg")
    assert stopped.ended


def test_an_answer_that_is_none_is_not_believed():
    """A picture may have taken the process over: nothing that it says is taken at its word."""
    for said in (b"\xff" * 9, b"\0" + bytes(8), struct.pack("<BII", 0, 2**31, 2**31), struct.pack("<BII", 1, 8, 8)):
        bad = isolation.Decoder()
        bad.end()
        bad.process = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        bad._asked, bad._answers = io.BytesIO(), io.BytesIO(said)
        with pytest.raises(isolation.DiedError):
            bad.pixels(PHOTO, "jpeg")
        for end in (bad.process.stdin, bad.process.stdout):
            end.close()


INSIDE = """
import resource, socket, sys
from matcher import decoders
limit = decoders._shut_in()
limit()
said = {}
for name, what in {
    "file": lambda: open("/etc/passwd"), "socket": socket.socket, "memory": lambda: bytearray(4 << 30),
}.items():
    try:
        what()
    except BaseException as error:
        said[name] = type(error).__name__
soft, _ = resource.getrlimit(resource.RLIMIT_CPU)
print(sorted(said.items()), soft)
"""


def test_what_decodes_reaches_neither_files_nor_sockets_and_has_its_limits():
    ran = subprocess.run([sys.executable, "-c", INSIDE], capture_output=True, text=True, check=True)
    said, _, seconds = ran.stdout.rpartition(" ")
    assert said == "[('file', 'OSError'), ('memory', 'MemoryError'), ('socket', 'OSError')]"
    assert int(seconds) <= CPU_SECONDS + 10


def test_what_decodes_knows_none_of_our_secrets(monkeypatch):
    monkeypatch.setenv("LEADGATE_MATCHER_SECRET", "a secret")
    started = isolation.Decoder()
    started.pixels(PHOTO, "jpeg")
    assert b"secret" not in Path(f"/proc/{started.process.pid}/environ").read_bytes()
    started.end()


def test_what_decodes_ends_with_who_asked():
    code = (
        "import os, signal, sys; from pathlib import Path; from matcher import isolation;"
        "isolation.pixels(Path(sys.argv[1]).read_bytes(), 'jpeg');"
        "print(isolation._KEPT._idle[0].process.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(probe_of(PEOPLE[0]))], capture_output=True, check=False)
    assert ran.returncode == -signal.SIGKILL
    for _ in range(200):
        if not Path(f"/proc/{int(ran.stdout)}").exists():
            break
        time.sleep(0.05)
    else:
        raise AssertionError("it still runs")


def test_no_decoder_raises_anything_but_a_refusal():
    for data in (HEIC[:30_000], encoded("JPEG")[:300], encoded("PNG")[:200]):
        with pytest.raises(NotDecodedError):
            decoders.decoded(data, images.sniff(data))
