"""What it takes to name somebody as possible: a difference in words, and something similar."""

from dataclasses import replace

import pytest

from policy import model as m
from policy.differences import says_none
from tests import story as s
from tests.story import EVA, K7

NONE = ["x", ".", "none", "n/a", "No differences.", "There are none.", "There are no differences at all.", "Ears differ.",
        "no no no no no no", "Nothing that differs between the two of them", "None of the features differ in any way",
        "No difference that I could see in any of the features", "without any differences as far as I can see",
        "They do not differ in anything that matters"]  # fmt: skip
SAID = ["The ear lobes differ slightly; the light explains it.", "The nose is broader; nothing else differs.",
        "No difference in the ears; the left brow is cut, a scar may explain it.",
        "The mouth is open here and closed there."]  # fmt: skip
Found, READY = m.Found, [*s.TO_REVIEW, *s.answers(EVA, K7)]


@pytest.mark.parametrize("text", NONE)
def test_a_possible_match_without_a_difference_is_not_locked(text):
    assert says_none(text)
    search, told = s.tell([*READY, (replace(s.LEAD, differences=text), EVA)])
    assert s.refusals(told) == ["differences-considered"]
    assert search.examinations[0].conclusion is None


@pytest.mark.parametrize("text", SAID)
def test_a_difference_that_is_said_is_enough(text):
    _, told = s.tell([*READY, (replace(s.LEAD, differences=text), EVA)])
    assert s.refusals(told) == []


@pytest.mark.parametrize("found", [Found.DIFFERENT, Found.NOT_COMPARABLE, Found.EXPLAINABLE])
def test_nobody_is_named_of_whom_nothing_was_found_similar(found):
    compared = dict.fromkeys(m.Component, found)
    _, told = s.tell([*READY, (replace(s.LEAD, components=compared), EVA)])
    assert s.refusals(told) == ["something-similar"]
    one = compared | {m.Component.NOSE: Found.SIMILAR}
    _, told = s.tell([*READY, (replace(s.LEAD, components=one), EVA)])
    assert s.refusals(told) == []


def test_where_the_pack_asks_for_no_checklist_none_is_judged():
    rules = s.pack()
    rules = rules.model_copy(update={"review": rules.review.model_copy(update={"checklist": False})})
    _, told = s.tell([*READY, (replace(s.LEAD, components={}), EVA)], rules)
    assert s.refusals(told) == []
