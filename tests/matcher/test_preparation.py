"""What the operations do to pixels: the whole picture, the same way each time, and nothing that was not asked for."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from matcher import contract, images, preparation
from matcher.contract import BrightnessBy, ContrastBy, CropTo, GammaBy, GreyscaleIt, RotateBy, ScaleBy

CHANCE = np.random.default_rng(7)
PICTURE = CHANCE.integers(0, 256, (80, 120, 3), dtype=np.uint8)
EVERY = [
    CropTo(op="crop", left=10, top=5, width=60, height=50),
    RotateBy(op="rotate", degrees=7.5),
    ScaleBy(op="scale", factor=1.5),
    BrightnessBy(op="brightness", levels=30),
    ContrastBy(op="contrast", factor=1.3),
    GammaBy(op="gamma", gamma=1.8),
    GreyscaleIt(op="greyscale"),
]


def pixels(data: bytes) -> np.ndarray:
    return images.decode(data).pixels


@pytest.mark.parametrize("operation", EVERY, ids=lambda o: o.op)
def test_a_copy_is_lossless_bare_and_the_same_every_time(operation):
    once, again = (preparation.prepared(PICTURE, operation) for _ in range(2))
    assert once == again
    opened = Image.open(io.BytesIO(once))
    assert (opened.format, opened.info) == ("PNG", {})
    assert not np.array_equal(pixels(once), PICTURE)


def test_a_crop_is_the_pixels_that_were_there():
    assert np.array_equal(pixels(preparation.prepared(PICTURE, EVERY[0])), PICTURE[5:55, 10:70])


@settings(deadline=None)
@given(st.integers(-128, 128))
def test_brightness_adds_the_same_to_every_pixel(levels):
    made = pixels(preparation.prepared(PICTURE, BrightnessBy(op="brightness", levels=levels)))
    assert np.array_equal(made, np.clip(PICTURE.astype(int) + levels, 0, 255))


@settings(deadline=None)
@given(st.one_of(
    st.builds(ContrastBy, op=st.just("contrast"), factor=st.floats(0.25, 4)),
    st.builds(GammaBy, op=st.just("gamma"), gamma=st.floats(0.25, 4)),
))  # fmt: skip
def test_a_curve_keeps_the_order_of_grey_levels_and_knows_no_place(operation):
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 40, axis=0).repeat(3, axis=2)
    made = pixels(preparation.prepared(ramp, operation)).astype(int)
    assert (np.diff(made[0, :, 0]) >= 0).all()
    assert (made == made[:1]).all()


def test_a_quarter_turn_four_times_is_the_picture_again():
    made = PICTURE
    for _ in range(4):
        made = pixels(preparation.prepared(made, RotateBy(op="rotate", degrees=90)))
    assert np.array_equal(made, PICTURE)


@pytest.mark.parametrize(
    ("operation", "rule"),
    [
        (CropTo(op="crop", left=100, top=0, width=60, height=50), "outside"),
        (CropTo(op="crop", left=0, top=0, width=10, height=50), "too-few-pixels"),
        (ScaleBy(op="scale", factor=0.25), "too-few-pixels"),
    ],
)
def test_what_cannot_be_done_is_said(operation, rule):
    with pytest.raises(images.ImageRefusedError) as refused:
        preparation.prepared(PICTURE, operation)
    assert refused.value.rule == rule


def test_a_copy_that_could_not_be_searched_is_not_made():
    large = np.zeros((2500, 2500, 3), np.uint8)
    with pytest.raises(images.ImageRefusedError, match="too-many-pixels"):
        preparation.prepared(large, ScaleBy(op="scale", factor=4))


def test_the_wire_knows_the_same_operations_as_the_policy_and_no_others():
    """The matcher masks by a route of its own; going back needs no pixels."""
    from typing import get_args

    from policy import preparation as rules

    ours = {o.model_fields["op"].annotation.__args__[0] for o in get_args(contract.Operation)}
    theirs = {o.__dataclass_fields__["op"].default for o in get_args(rules.Operation)}
    assert theirs - ours == {"mask", "original"}
    assert ours < theirs
