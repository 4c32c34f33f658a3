"""A probe's preparation: plain operations of a closed list, each beginning where the one before it ended (M10, M5)."""

from typing import get_args

import pytest

from policy import model as m
from policy.preparation import (
    Brightness,
    Contrast,
    Crop,
    Gamma,
    Greyscale,
    Mask,
    Operation,
    Original,
    Rotate,
    Scale,
    in_words,
    out_of_range,
)
from policy.workflow import searched_copy
from tests import story as s

POOR = m.Face(0, "poor", ("inter-eye-distance",), 20.0)
HELD = [(s.ASK, s.DANA), (m.AssessPhoto(s.SHA, (POOR,), "model"), s.SYSTEM)]
SEVERAL = [
    (s.ASK, s.DANA),
    (m.AssessPhoto(s.SHA, (m.Face(0, "good", (), 96.0), m.Face(1, "poor", (), 20.0)), "model"), s.SYSTEM),
    (m.ChooseFace(1), s.DANA),
]
ONE, TWO, THREE = "01" * 32, "02" * 32, "03" * 32


def step(operation, before, after, faces=1, by=s.EVA):
    return m.PrepareProbe(operation, before, after, faces), by


def rules(steps):
    return s.refusals(s.tell(steps)[1])


def test_there_is_no_operation_that_makes_up_or_moves_a_feature():
    """The list is closed: whoever adds one has to say here that it changes the picture as a whole."""
    assert {operation.__name__ for operation in get_args(Operation)} == {
        "Mask", "Crop", "Rotate", "Scale", "Brightness", "Contrast", "Gamma", "Greyscale", "Original",
    }  # fmt: skip


def test_each_step_is_recorded_with_its_parameters_hashes_and_author_and_the_latest_copy_is_searched():
    steps = [*HELD, step(Rotate(5.0), s.SHA, ONE), step(Gamma(1.4), ONE, TWO, by=s.NOOR)]
    search, _ = s.tell(steps)
    assert [(p.operation, p.before_sha256, p.after_sha256, p.by, p.at) for p in search.preparations] == [
        (Rotate(5.0), s.SHA, ONE, s.EVA.id, s.NOON),
        (Gamma(1.4), ONE, TWO, s.NOOR.id, s.NOON),
    ]
    assert (searched_copy(search), search.photo_sha256, search.state) == (TWO, s.SHA, m.State.QUALITY_HELD)


def test_starting_again_leads_back_to_the_original_and_forgets_nothing():
    steps = [*HELD, step(Scale(2), s.SHA, ONE), step(Original(), ONE, s.SHA)]
    search, _ = s.tell(steps)
    assert (searched_copy(search), len(search.preparations)) == (s.SHA, 2)
    assert search.preparations[-1] == m.Preparation(Original(), ONE, s.SHA, s.EVA.id, s.NOON)
    assert rules([*HELD, step(Scale(2), s.SHA, ONE), step(Original(), ONE, TWO)]) == ["original-probe"]


@pytest.mark.parametrize(
    ("attempt", "rule"),
    [
        (step(Greyscale(), ONE, TWO), "prepares-the-latest"),
        (step(Greyscale(), s.SHA, ONE, faces=0), "one-face"),
        (step(Crop(0, 0, 0, 9), s.SHA, ONE), "operation-fits"),
        (step(Mask(0), s.SHA, ONE), "masks-first"),
        (step(Greyscale(), s.SHA, ONE, by=s.MARA), "has-role"),
        (step(Greyscale(), s.SHA, ONE, by=s.DANA), "has-role"),
        (step(Greyscale(), s.SHA, ONE, by=s.SYSTEM), "has-role"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(attempt, rule):
    search, told = s.tell([*HELD, attempt])
    assert (s.refusals(told), search.preparations) == ([rule], ())


@pytest.mark.parametrize("steps", [s.TO_REVIEW, s.AGREED, [(s.ASK, s.DANA)]])
def test_nothing_is_prepared_once_it_is_searched_nor_before_it_is_held(steps):
    assert rules([*steps, step(Greyscale(), s.SHA, ONE, by=s.BEN)]) == ["fits-state"]


def test_where_there_are_several_faces_the_others_are_masked_before_anything_else():
    assert rules([*SEVERAL, step(Greyscale(), s.SHA, ONE)]) == ["masks-first"]
    assert rules([*SEVERAL, step(Mask(0), s.SHA, ONE)]) == ["masks-first"]
    assert rules([*SEVERAL, step(Mask(1), s.SHA, ONE), step(Mask(1), ONE, TWO)]) == ["masks-first"]
    search, told = s.tell([*SEVERAL, step(Mask(1), s.SHA, ONE), step(Greyscale(), ONE, TWO)])
    assert (s.refusals(told), searched_copy(search)) == ([], TWO)


def test_the_same_step_sent_twice_is_done_once():
    search, _ = s.tell([*HELD, step(Rotate(5.0), s.SHA, ONE), step(Rotate(5.0), s.SHA, ONE)])
    assert len(search.preparations) == 1
    assert s.tell([step(Rotate(5.0), s.SHA, ONE)], search=search) == (search, [])


WRONG = [Mask(-1), Crop(-1, 0, 5, 5), Crop(0, 0, 5, 0), Rotate(181), Rotate(float("nan")), Scale(4.1), Scale(0.1)]
WRONG += [Brightness(129), Contrast(0.2), Gamma(5)]
RIGHT = [Mask(0), Crop(0, 0, 1, 1), Rotate(-180), Scale(0.25), Brightness(128), Contrast(4), Gamma(0.25), Greyscale()]


def test_parameters_have_limits():
    assert [one for one in WRONG if not out_of_range(one)] == []
    assert [one for one in [*RIGHT, Original()] if out_of_range(one)] == []


def test_every_operation_is_told_with_its_parameters():
    assert in_words(Crop(1, 2, 30, 40)) == "cropped to 30 × 40 pixels at (1, 2)"
    assert len({in_words(one) for one in [*RIGHT, Original()]}) == 9
