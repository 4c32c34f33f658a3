"""What the viewer serves carries who sees it, in the pixels."""

import io

import numpy as np
import pytest
from PIL import Image

from bot import watermark

MARK = "eva.lind · LG-AAAAAAAAAAAA · 2026-03-13 12:00 UTC"


def jpeg(shade: int, size: tuple[int, int] = (640, 480)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (shade,) * 3).save(out, "JPEG", exif=b"Exif\0\0secret")
    return out.getvalue()


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("L"), dtype=int)


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_the_mark_is_in_every_part_of_the_picture_whatever_is_beneath_it(shade):
    marked = pixels(watermark.burnt(jpeg(shade), MARK))
    for part in (p for row in np.array_split(marked, 3) for p in np.array_split(row, 3, axis=1)):
        assert np.abs(part - shade).max() >= 20


@pytest.mark.parametrize("size", [(32, 32), (360, 450), (1600, 1200)])
def test_the_mark_is_faint_and_the_picture_keeps_its_size(size):
    marked = pixels(watermark.burnt(jpeg(128, size), MARK))
    assert marked.shape == (size[1], size[0])
    assert np.abs(marked - 128).max() <= 64


def test_two_people_get_two_pictures_and_nothing_but_pixels():
    one, two = (watermark.burnt(jpeg(128), f"{who} · LG-AAAAAAAAAAAA") for who in ("eva.lind", "noor.haddad"))
    assert one != two
    assert [
        key
        for key in Image.open(io.BytesIO(one)).info
        if key not in {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    ] == []
