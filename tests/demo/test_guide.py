"""The guide names who is to do what next: whoever the lot drew, and whoever has already concluded."""

import pytest

from deploy.demo import guide
from deploy.demo.guide import Standing

EVA, NOOR, BEN = guide.STANDING_BY
STORIES = {
    "before the lot, as it will fall": (Standing(), [(EVA, False), (NOOR, False)]),
    "the lot drew others": (Standing(True, "in-review", (), (BEN, NOOR)), [(BEN, False), (NOOR, False)]),
    "the second concluded first": (
        Standing(True, "in-review", (NOOR,), (EVA, NOOR)),
        [(NOOR, True), (EVA, False)],
    ),
    "they differ and nobody could be drawn": (
        Standing(True, "disagreed", (EVA, NOOR), (EVA, NOOR)),
        [(EVA, True), (NOOR, True), (BEN, False)],
    ),
    "they differ and somebody was drawn": (
        Standing(True, "disagreed", (EVA, BEN), (EVA, BEN, NOOR)),
        [(EVA, True), (BEN, True), (NOOR, False)],
    ),
    "one of those drawn knows somebody in the case": (
        Standing(True, "in-review", (), (NOOR,), aside=frozenset({EVA})),
        [(NOOR, False), (BEN, False)],
    ),
    "two agreed": (Standing(True, "agreed", (NOOR, EVA), (EVA, NOOR)), [(NOOR, True), (EVA, True)]),
}


@pytest.mark.parametrize("story", STORIES)
def test_whoever_compares_is_whom_the_guide_names(story):
    now, expected = STORIES[story]
    told = [step for step in guide.steps(now) if step["channel"] == "face-review"]
    assert [(step["person"], step["done"]) for step in told] == expected
