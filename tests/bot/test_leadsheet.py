"""The lead sheet as a reader, a screen reader and a defence lawyer meet it."""

import io
import os
import re
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from PIL import Image, ImageDraw

from bot import leadsheet
from bot.views import lead
from policy import model as m
from policy.preparation import Gamma, Scale
from tests import story as s

PICTURES = Path(os.environ.get("LEADGATE_SCREENSHOTS", "artifacts/lead-sheet"))
CAVEAT = "INVESTIGATIVE LEAD ONLY. NOT AN IDENTIFICATION."
EVIDENCE = {
    "model": "sface-yunet",
    "model_sha256": "ab" * 32,
    "gallery_root": "cd" * 32,
    "gallery_photos": 1_600_000,
    "gallery_people": 700_000,
    "faceless": 1_234,
}


def photograph(colour: tuple[int, int, int]) -> bytes:
    image, held = Image.new("RGB", (300, 400), (205, 210, 216)), io.BytesIO()
    ImageDraw.Draw(image).ellipse((70, 60, 230, 320), fill=colour)
    image.save(held, "JPEG")
    return held.getvalue()


EARLIER = {"no-possible-match": 2, "open": 1}


@cache
def acknowledged() -> m.Search:
    search, _ = s.tell([*s.AGREED, (s.APPROVE, s.MARA), (m.Acknowledge(), s.DANA)])
    return replace(search, evidence=EVIDENCE)


def made(search: m.Search) -> bytes:
    return leadsheet.pdf(
        leadsheet.Sheet(search, s.pack(), photograph((180, 140, 110)), photograph((150, 110, 90)), EARLIER)
    )


@cache
def sheet() -> bytes:
    return made(acknowledged())


def pages(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [" ".join(page.get_textpage().get_text_bounded().split()) for page in document]
    finally:
        document.close()


def with_differences(text: str) -> m.Search:
    search = acknowledged()
    return replace(search, examinations=tuple(replace(e, differences=text) for e in search.examinations))


def test_every_page_says_that_it_is_a_lead_and_no_identification():
    told = pages(made(with_differences("The left brow is cut; a scar may explain it. " * 40)))
    assert len(told) > 1
    assert [page for page in told if not page.startswith(CAVEAT)] == []


ELEMENTS = {
    "L1": "judged that the person in the submitted image may be the person in this arrest photograph",
    "L2": "NOT AN IDENTIFICATION",
    "L3": "no probable cause, and no basis for an arrest, a search or a warrant",
    "L4": "must not itself come only from this lead",
    "L5": "Do not tell a witness that facial recognition was used",
    "L6": "96 pixels between the eyes",
    "L7": "may not be enrolled at all",
    "L8": "3 candidates, 2 not carried forward",
    "examiners": "2 examiners concluded, separately: 2 named this person as possible, nobody dissented",
    "earlier": "3 of this case before this one: 2 without a lead, 1 not concluded",
    "L9": "The ear lobes differ slightly",
    "L10": "disclose it to the prosecutor",
    "L11": "It expires on 12 April 2026",
    "model": "sface-yunet",
    "gallery": "1,600,000, in a gallery of 700,000 people",
    "what no search finds": "Of the whole gallery, 1,234 more are found by no search",
    "pack": "nypd-2020@",
    "probe": s.SHA,
    "case": "2026-075-001234",
}


@pytest.mark.parametrize("element", ELEMENTS)
def test_it_holds_what_its_reader_is_owed(element):
    assert ELEMENTS[element] in re.sub(r"- (?=[a-f0-9])", "", " ".join(pages(sheet())))


@pytest.mark.parametrize("word", ["match", "hit", "identified", "confirmed", "score", "rank", "strong"])
def test_it_never_says_more_than_may_be(word):
    assert re.search(rf"\b{word}", " ".join(pages(sheet())), re.IGNORECASE) is None


def test_it_holds_no_percentage_no_similarity_and_neither_the_persons_nor_the_examiners_names():
    told = " ".join(pages(sheet()))
    assert "%" not in told
    assert [name for name in ("S-1", "p-1", "eva", "noor", "mara", "0.9") if name in told] == []


def test_what_people_typed_is_shown_and_never_obeyed():
    typed = '#image("/etc/passwd") *bold* $x$ <label> "quoted" \\ // comment'
    assert typed in " ".join(pages(made(with_differences(typed)))).replace("“", '"').replace("”", '"')


def test_qpdf_finds_nothing_wrong_and_the_file_says_its_title_language_and_standard():
    with pikepdf.open(io.BytesIO(sheet())) as pdf:
        assert pdf.check_pdf_syntax() == []
        assert str(pdf.Root.Lang) == "en-US"
        assert pdf.Root.MarkInfo.Marked
        assert pdf.Root.ViewerPreferences.DisplayDocTitle
        with pdf.open_metadata() as words:
            assert words["dc:title"] == "Lead sheet of search LG-AAAAAAAAAAAA"
            assert words["pdfuaid:part"] == "1"


def elements(node):
    """Every structure element beneath `node`, in reading order."""
    children = node.get("/K", [])
    for child in children if isinstance(children, pikepdf.Array) else [children]:
        if isinstance(child, pikepdf.Dictionary) and "/S" in child:
            yield child
            yield from elements(child)


def test_a_screen_reader_meets_headings_lists_a_table_and_photographs_that_are_described():
    with pikepdf.open(io.BytesIO(sheet())) as pdf:
        found = list(elements(pdf.Root.StructTreeRoot))
        kinds = {str(e.S) for e in found}
        described = [str(e.Alt) for e in found if "/Alt" in e]
    assert {"/H1", "/L", "/LI", "/Table", "/TH", "/Figure"} <= kinds
    assert len(described) == 2
    assert "submitted image" in described[0]
    assert "not an identification" in described[1]


def fonts(pdf: pikepdf.Pdf):
    return [o for o in pdf.objects if isinstance(o, pikepdf.Dictionary) and o.get("/Type") == "/FontDescriptor"]


def test_every_font_travels_with_it():
    with pikepdf.open(io.BytesIO(sheet())) as pdf:
        found = fonts(pdf)
        assert found
        assert [f for f in found if not {"/FontFile", "/FontFile2", "/FontFile3"} & set(f.keys())] == []


def test_the_same_lead_gives_the_same_bytes_so_that_a_hash_in_the_ledger_means_something():
    assert sheet() == made(acknowledged())


def test_there_is_no_sheet_before_the_acknowledgement():
    with pytest.raises(AssertionError, match="before the acknowledgement"):
        made(replace(acknowledged(), acknowledged_at=None))


def test_it_looks_as_it_should_with_both_photographs_on_the_first_page():
    document = pypdfium2.PdfDocument(sheet())
    first = document[0].render(scale=1.3).to_pil().convert("RGB")
    document.close()
    PICTURES.mkdir(parents=True, exist_ok=True)
    first.save(PICTURES / "page-1.png")
    colours = {colour for _, colour in first.getcolors(first.width * first.height)}
    assert all(any(_near(c, face) for c in colours) for face in ((180, 140, 110), (150, 110, 90)))


def _near(one: tuple[int, int, int], other: tuple[int, int, int]) -> bool:
    return all(abs(a - b) < 8 for a, b in zip(one, other, strict=True))


def test_every_outcome_of_an_earlier_search_has_words_that_a_lead_sheet_may_use():
    assert lead.OUTCOMES.keys() == {"open", *(o.value for o in m.Outcome if o is not m.Outcome.KNOWN_ANSWER)}


def test_every_operation_on_the_copy_that_was_searched_is_printed_with_its_hashes():
    steps = (
        m.Preparation(Scale(2), s.SHA, "01" * 32, s.EVA.id, s.NOON),
        m.Preparation(Gamma(1.4), "01" * 32, "02" * 32, s.NOOR.id, s.NOON),
    )
    printed = " ".join(pages(made(replace(acknowledged(), preparations=steps))))
    for words in ("made with a prepared copy", "(1) scaled by 2 (Lanczos), 13 March 2026", "(2) gamma 1.4"):
        assert words in printed
    bare = re.sub(r"\s", "", printed)
    assert [digest for digest in ("01" * 32, "02" * 32) if digest not in bare] == []
    assert "prepared copy" not in " ".join(pages(sheet()))


def test_what_each_examiner_compared_is_on_the_sheet_and_the_scale_is_not():
    told = " ".join(pages(sheet()))
    assert "Examiner 1. Similar: skin, head and face outline" in told
    assert told.count("Explainable: ears.") == 2
    assert not re.search(r"limited support|strong support|support either way", told)


@pytest.mark.parametrize(
    ("taken", "caption", "limit"),
    [
        (date(2026, 3, 1), "taken 01 March 2026", None),
        (date(2021, 3, 14), "taken 14 March 2021", None),
        (date(2021, 3, 13), "taken 13 March 2021", "was 5 years old when the search was requested"),
        (None, "undated", "is not recorded; it may be old"),
    ],
)
def test_an_old_photograph_is_said_to_be_old(taken, caption, limit):
    told = leadsheet.said(acknowledged(), s.pack(), {}, taken)
    assert caption in told["candidate_caption"]
    said = [line for line in told["limits"] if "faces change" in line]
    assert len(said) == (limit is not None)
    assert all(limit in line for line in said)


def test_what_an_examiner_added_stands_beside_the_differences():
    noted = replace(acknowledged(), notes=(m.Note(s.EVA.id, s.NOON, "The scar may be make-up."),))
    assert "Added later: The scar may be make-up." in leadsheet.said(noted, s.pack(), {})["differences"]


@pytest.mark.parametrize("outcome", [*(o.value for o in m.Outcome if o is not m.Outcome.KNOWN_ANSWER), "open"])
def test_every_end_of_an_earlier_search_has_its_words(outcome):
    facts = dict(leadsheet.said(acknowledged(), s.pack(), {outcome: 1})["facts"])
    assert facts["Earlier searches"].startswith("1 of this case before this one: 1 ")
