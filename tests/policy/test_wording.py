"""What may not be said of a comparison, however it is spelled, and what may."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import model as m
from policy.look_alikes import LOOK_ALIKES
from policy.wording import UNSAID, claim, sober
from tests import story as s
from tests.story import DANA

CLAIMS = [
    "match", "matches", "matched", "matching", "a hit", "hits", "confirm", "confirms", "confirmed", "confirming",
    "confirmation", "confirmatory", "identify", "identifies", "identified", "identifying", "identification", "identical",
    "identically shaped", "positive ID", "ID'd", "ID’d", "IDed", "the same person", "same individual", "same subject",
    "score", "scored", "scoring", "0.93", "similarity 0,93", "90%", "90 ％", "per cent", "per-cent", "percentage",
    "ninety pct", "99 out of 100", "probably", "probability", "probable", "likelihood", "the odds", "certain",
    "certainly", "certainty", "definite", "definitely", "definitive", "definitively", "conclusive", "conclusively",
    "positively", "undoubtedly", "no doubt", "without a doubt", "beyond reasonable doubt", "no  question", "unmistakable",
    "it is him", "It's him", "it’s her", "this is our guy", "that was the man", "bingo", "guilty", "the perpetrator",
    "perp", "culprit", "the suspect", "suspects", "strong resemblance", "a strong likeness", "strongly alike",
    "the resemblance is strong", "stronger than most",
]  # fmt: skip
SEEN = [
    "Strong jaw line in both; the mouth is open here.", "strong, square jaw", "strong light from the left",
    "Strongly lit from above", "a strong nose", "stronger nasolabial folds in the still", "strong shadow under the brow",
    "A possible match despite the light.", "Matchstick-thin brows", "Mismatched ears", "unmatched",
    "Unidentifiable marks left of the nose", "The hairline is higher here.", "The white of the eyes shows.",
    "The lobe is 0.5 cm longer; 12.5 px at this size.", "inconclusive for the ears", "uncertain at this angle",
    "The light likely explains it.", "It is her statement of 14 March that he stood two steps below.",
    "different in definition of the chin", "scar above the left brow", "cut at a sharper angle",
]  # fmt: skip


@pytest.mark.parametrize("text", CLAIMS)
def test_nobody_writes_more_than_a_comparison_can_say(text):
    found = claim(f"The ears differ slightly, {text}.")
    assert found
    assert found in text


@pytest.mark.parametrize("text", SEEN)
def test_what_can_be_seen_may_be_written(text):
    assert claim(text) is None
    assert sober(text) == text


WORDS = ["match", "identified", "confirmed", "score", "percent", "suspect", "probability"]
UNSEEN = st.sampled_from(["", "", "\u200b", "\u00ad", "\u200d", "\u2060", "\ufeff", "\u0301", "\u0336", "\u202e"])


@st.composite
def spelled(draw) -> str:
    """One of the words, in letters that look like its own, with what nobody sees between them."""
    word = draw(st.sampled_from(WORDS))
    letters = [draw(st.sampled_from(_like(letter))) + draw(UNSEEN) for letter in word]
    return "".join(letters)


def _like(letter: str) -> list[str]:
    wide, bold = chr(ord(letter) + 0xFEE0), chr(0x1D41A + ord(letter) - ord("a"))
    return [letter, letter.upper(), wide, bold, *LOOK_ALIKES.get(letter, "")]


@given(spelled())
def test_another_alphabet_and_what_is_not_seen_hide_no_word(word):
    text = f"Both ears, {word} in all."
    assert claim(text) is not None
    assert sober(text) == f"Both ears, {UNSAID} in all."


@given(st.text(max_size=60))
def test_what_is_left_of_any_text_claims_nothing(text):
    assert claim(sober(text)) is None
    if claim(text) is None:
        assert sober(text) == text


@pytest.mark.parametrize("said", ["100% match, a scar", "the suspect has a scar on the chin", "scar, positively him"])
def test_a_description_of_marks_is_one_or_is_refused_beside_its_question(said):
    fields = {
        **s.FIELDS,
        "circumstances": "witness",
        "description": "In a red cap; ran to the park.",
        "witness-marks": said,
    }
    ask = m.RequestSearch("suspect", "2026-075-001234", fields, attested=True, origin=s.ORIGIN)
    _, (refused,) = s.tell([(ask, DANA)])
    assert refused.rule == "field:witness-marks"
    assert "what the witness saw" in refused.reason
