"""Whatever people type, the lead sheet is made, and all of it stands on the page."""

import unicodedata
from dataclasses import replace
from itertools import pairwise

import pypdfium2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot import leadsheet
from bot.glyphs import printable, shown
from policy import model as m
from policy.contradictions import Check, Fact, Verdict
from tests import story as s
from tests.bot.test_leadsheet import acknowledged, made, pages, with_differences

MARGIN = 0.9 * 72  # as the template has it
ABC = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
SLOW = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
TYPED = {
    "an emoji": ("Ear differs 👂 slightly.", "Ear differs [U+1F442] slightly."),
    "Chinese": ("耳垂 differs slightly", "[U+8033][U+5782] differs slightly"),
    "Thai": ("หู differs", "[U+0E2B][U+0E39] differs"),
    "a NUL and a bell": ("a\x00b differs\x07", "a[U+0000]b differs[U+0007]"),
    "what turns the line around": ("\u202eabc differs", "[U+202E]abc differs"),
    "what nobody sees": ("br\u200bow differs", "br[U+200B]ow differs"),
    "an accent of its own": ("e\u0301 and q\u0301 differ", "é and q[U+0301] differ"),
    "for private use": ("x \ue000 y", "x [U+E000] y"),
    "a blank that does not break": ("one\u00a0two\u3000three", "one two three"),
    "ordinary signs": ("✓ 5'9″ → ½ “so”, naïve, Ærø, Жук, φ", "✓ 5'9″ → ½ “so”, naïve, Ærø, Жук, φ"),
    "lines": ("one\n\ntwo\tthree", "one\n\ntwo three"),
}


def everywhere(text: str) -> m.Search:
    """The lead with `text` wherever somebody can type something that the sheet prints."""
    search = acknowledged()
    return replace(
        search,
        case_number=text[:100],  # as much as the form takes
        examinations=tuple(replace(one, differences=text) for one in search.examinations),
        notes=(m.Note(s.EVA.id, s.NOON, text),),
        context=tuple(Check(fact, text, text, Verdict.CONTRADICTS) for fact in Fact),
        resolutions=dict.fromkeys((fact.value for fact in Fact), text),
        fields={"edits": text, "earlier-searches": text},
        faces=(replace(search.faces[0], reasons=(text,)),),
    )


@pytest.mark.parametrize("what", TYPED)
def test_what_the_fonts_lack_stands_there_by_its_number(what):
    typed, expected = TYPED[what]
    assert printable(typed) == expected
    assert made(with_differences(typed)).startswith(b"%PDF")


@SLOW
@given(ABC)
def test_the_sheet_is_made_whatever_was_typed(text):
    assert made(everywhere(text)).startswith(b"%PDF")


@SLOW
@given(st.lists(st.sampled_from(sorted(shown())), min_size=1, max_size=300))
def test_what_has_a_glyph_has_one_beside_every_other(points):
    assert made(with_differences("".join(map(chr, points)))).startswith(b"%PDF")


def test_every_character_that_is_said_to_be_shown_is():
    assert made(with_differences(" ".join(map(chr, sorted(shown()))))).startswith(b"%PDF")
    assert {*range(0x21, 0x7F)} <= shown()
    assert not [p for p in shown() if unicodedata.category(chr(p))[0] in "MZC"]


def outside(pdf: bytes) -> list[str]:
    """What stands outside the margins, where a printer or the page itself cuts it off."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        found = []
        for page in document:
            text, (width, height) = page.get_textpage(), page.get_size()
            for n in range(text.count_chars()):
                left, bottom, right, top = text.get_charbox(n)
                if text.get_text_range(n, 1).isspace():
                    continue
                if left < MARGIN - 2 or right > width - MARGIN + 2 or bottom < 0 or top > height:
                    found.append(text.get_text_range(n, 1))
        return found
    finally:
        document.close()


@pytest.mark.parametrize("letter", ["x", "W", "⨌", "-", "ﷲ", "0123456789abcdef"])
def test_a_text_without_a_blank_stands_on_the_page_to_its_last_letter(letter):
    assert outside(made(everywhere((letter * 260)[:260]))) == []


def test_nothing_of_a_long_word_is_lost():
    pdf = made(with_differences("q" * 2000))
    assert outside(pdf) == []
    assert "".join(pages(pdf)).count("q") >= 2 * 2000


def test_hashes_are_copied_whole_and_words_as_they_are():
    for text in ("ab" * 32, f"SHA-256 {'0f' * 32}.", "morphological", "2026-075-001234", s.DIFFERENCES):
        assert printable(text) == text
    broken = printable("x" * 40).split("\u200b")
    assert [len(part) for part in broken] == [18, 18, 4]
    assert all(one and other for one, other in pairwise(broken))


def test_a_page_with_every_fact_in_dispute_is_made():
    assert len(pages(made(everywhere("He stood two steps below her. " * 60)))) > 2
    assert "Contradictory facts" in " ".join(pages(made(everywhere("Seen from below."))))
    assert leadsheet.TEMPLATE.exists()
