"""Bytes from outside become pixels, or a sentence; nothing in between, and never a crash."""

import hashlib
import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from matcher import images
from matcher.images import ImageRefusedError, decode
from tests.matcher.conftest import PEOPLE, probe_of

PHOTO = probe_of(PEOPLE[0]).read_bytes()


def encoded(form: str, size=(120, 90), mode="RGB", **more) -> bytes:
    out = io.BytesIO()
    Image.effect_mandelbrot(size, (-2, -1.5, 1, 1.5), 60).convert(mode).save(out, form, **more)
    return out.getvalue()


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
    ],
)
def test_everything_else_is_refused_by_a_stable_rule_and_a_sentence(data, rule):
    with pytest.raises(ImageRefusedError) as refused:
        decode(data)
    assert refused.value.rule == rule
    assert refused.value.reason.endswith(".")


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_damage_anywhere_gives_pixels_or_a_refusal(data):
    form = data.draw(st.sampled_from(["JPEG", "PNG", "WEBP"]))
    good = bytearray(encoded(form, (64, 48)))
    for _ in range(data.draw(st.integers(1, 8))):
        good[data.draw(st.integers(12, len(good) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(good[: data.draw(st.integers(13, len(good)))])
    try:
        photo = decode(cut)
    except ImageRefusedError as error:
        outcome = error.rule
    else:
        outcome = photo.pixels.shape[2]
    assert outcome in {3, "damaged", "too-many-pixels", "too-few-pixels", "ratio"}


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_arbitrary_bytes_are_refused(data):
    with pytest.raises(ImageRefusedError):
        decode(data)
