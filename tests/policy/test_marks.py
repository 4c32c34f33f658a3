"""Marks in two people's words: when they fit, when they contradict, and when somebody has to look."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.marks import compared

FIT, AGAINST, LOOK = True, False, None
MARKS = {
    "tattoos denied, one on record": ("no tattoos, no scars", "tattoo of an eagle on right forearm", AGAINST),
    "everything denied": ("none", "scar over left eye", AGAINST),
    "seen nothing, in other words": ("face without any marks", "mole", AGAINST),
    "described, and the record denies": ("teardrop tattoo", "none", AGAINST),
    "described, and the record denies that kind": ("scar on the chin", "no scars; tattoo of a rose, neck", AGAINST),
    "another picture elsewhere": ("tattoo of a rose on the neck", "tattoo of a skull, right arm", LOOK),
    "another picture in the same place": ("tattoo of a rose on the neck", "tattoo of a skull, neck", LOOK),
    "the same place, another kind": ("scar on forearm", "tattoo on forearm", LOOK),
    "the same kind and place alone": ("tattooed neck", "TAT neck", LOOK),
    "the kind alone": ("a tattoo", "tattoos", LOOK),
    "the place alone": ("eye patch", "eye", LOOK),
    "the side alone": ("left upper lip", "mole, left cheek", LOOK),
    "two kinds": ("mole", "scar", LOOK),
    "the same picture on the other side": ("eagle, left forearm", "tattoo of an eagle on right forearm", LOOK),
    "the same picture elsewhere": ("rose on neck", "rose tattoo right arm", LOOK),
    "one kind denied, another on record": ("no tattoos", "scar over left eye", LOOK),
    "small words in common": ("scar like this, on the chin", "tattoo of this and that", LOOK),
    "nobody looked": ("could not see any", "scar on chin", LOOK),
    "the same picture": ("teardrop tattoo under left eye", "tattoo: teardrop, left eye", FIT),
    "the same picture, place unsaid": ("a spider tattooed somewhere", "TATTOO SPIDER NECK", FIT),
    "both without": ("clean skin, nothing visible", "no visible scars", FIT),
    "both deny everything": ("no visible marks", "no scars or marks on file", FIT),
}


@pytest.mark.parametrize("name", MARKS)
def test_only_what_is_particular_to_a_mark_makes_two_texts_fit(name):
    described, recorded, expected = MARKS[name]
    assert compared(described, recorded) is expected
    assert compared(recorded, described) is expected


@given(st.text(max_size=80), st.text(max_size=80))
def test_whatever_was_typed_is_compared_the_same_way_from_either_side(one, other):
    assert compared(one, other) is compared(other, one)
