"""No pattern of a pack, and no input to one, can stall the desk."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.patterns import LONGEST, UnsafePatternError, checked, fits
from tests import story as s

SAFE = [
    r"\d{4}-\d{3}-\d{5,6}",
    r"[A-Z0-9][A-Z0-9-]{3,29}",
    r"(a|b)?c",
    r"(?:M-)?\d{4}",
    r"(\d{2}-){3}\d",
    r"\(\d{3}\)",
    r"[BKMQR\d]{3}",
    "a|bc",
    "K{2}",
]
HOSTILE = [
    r"(a+)+$",
    r"(a|a)*b",
    r"(a|aa)+$",
    r"(.*)*x",
    r"\d+",
    r"\d*",
    r"\d{3,}",
    r".{1,5}",
    r"(\d)\1",
    r"(?=a)a",
    r"(?!a)b",
    r"(?<=a)b",
    r"(?P<n>a)",
    r"(?i)abc",
    r"[^a]",
    r"\w{1,3}",
    r"\s",
    r"\bа",
    r"a{101}",
    r"a{5,2}",
    r"(a{1,50}){1,50}",
    r"(a?){60}",
    r"a{0,30}a{0,30}a{0,30}a{0,30}",
    r"(a|a|a|a){10}",
    r"(a{1,10}){1,10}b",
    r"[z-a]",
    r"(a",
    r"a)",
    r"[a",
    r"a{",
    r"a??",
    r"a{2}{2}",
    r"^a",
    r"a$",
    "\\",
    "",
    "()",
    "(|)",
]


@pytest.mark.parametrize("pattern", SAFE)
def test_the_forms_that_agencies_use_are_safe(pattern):
    assert checked(pattern) == pattern


@pytest.mark.parametrize("pattern", HOSTILE)
def test_a_pattern_that_could_stall_or_means_something_else_is_refused(pattern):
    with pytest.raises(UnsafePatternError, match=r"\w"):
        checked(pattern)


def test_a_pattern_may_match_in_ten_thousand_ways_and_not_in_one_more():
    assert checked(r"a{1,100}b{1,100}".replace("100", "50"))
    assert checked("(a|b|c|d|e|f|g|h|i|j){4}")
    with pytest.raises(UnsafePatternError, match="10000 ways"):
        checked("(a|b|c|d|e|f|g|h|i|j){4}(a|b)")


def test_a_pattern_may_match_a_hundred_characters_and_not_one_more():
    assert checked("a{100}")
    with pytest.raises(UnsafePatternError, match="101 characters"):
        checked("a{100}b")


def test_a_part_that_is_wrong_is_named_by_its_place():
    with pytest.raises(UnsafePatternError, match="“\\*” at 3"):
        checked("ab*")
    with pytest.raises(UnsafePatternError, match="“\\)” at 2 closes nothing"):
        checked("a)")
    with pytest.raises(UnsafePatternError, match="bracket at 2 is not closed"):
        checked("a(b")


def test_what_is_longer_than_any_pattern_may_match_never_meets_one():
    assert fits("a{100}", "a" * LONGEST)
    assert not fits("a{100}", "a" * (LONGEST + 1))


def test_digits_and_letters_are_those_of_ascii():
    assert fits(r"\d{3}", "123")
    assert not fits(r"\d{3}", "١٢٣")
    assert not fits(r"\d{3}", "123\n")


PIECES = st.sampled_from(
    ["a", r"\d", "[ab]", "(", ")", "(?:", "|", "?", "{2}", "{1,9}", "{0,40}", "*", "+", ".", "\\", "^", "-"]
)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=12).map("".join), st.text("ab19-", max_size=100))
def test_whatever_is_accepted_is_matched_at_once(pattern, text):
    """Backtracking is bounded by construction; with a stall this test would never end."""
    try:
        checked(pattern)
    except UnsafePatternError:
        return
    found = re.fullmatch(pattern, text, re.ASCII)
    assert fits(pattern, text) == (found is not None)
    assert found is None or len(text) <= LONGEST


@pytest.mark.parametrize("name", s.NAMES)
def test_every_case_number_of_a_shipped_pack_has_an_example_that_fits_and_none_fits_a_mention(name):
    for purpose in s.pack(name).purposes:
        assert fits(purpose.case_number_pattern, purpose.case_number_example)
        assert not fits(purpose.case_number_pattern, "<!channel>")
