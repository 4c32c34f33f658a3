"""How easily a stranger is found is told to the supervisors, who decide, and to nobody else (X6)."""

import json
from dataclasses import replace

import pypdfium2
import pytest

from bot import leadsheet
from bot.views import look_alikes, request, review
from bot.views.lead import Beside
from policy import model as m
from tests import story as s
from tests.bot.test_leadsheet import EVIDENCE, photograph

FIGURE = 3.4567
PICTURES = {review.PROBE: "F1", **{c.label: f"F-{c.label}" for c in s.CANDIDATES}}


def told(steps) -> m.Search:
    search, _ = s.tell(steps)
    figures = {look_alikes.key(c.label): FIGURE for c in s.CANDIDATES}
    return replace(search, evidence=EVIDENCE | figures)


def said(message) -> str:
    return json.dumps(message)


@pytest.mark.parametrize(
    ("figure", "words"),
    [(FIGURE, "about 3.5 strangers"), (0.0004, "fewer than 0.05 strangers"), (None, "too few people")],
)
def test_the_supervisors_are_told_about_the_lead_they_decide_on(figure, words):
    search = told(s.AGREED)
    assert search.lead
    evidence = {k: v for k, v in search.evidence.items() if k != look_alikes.key(search.lead) or figure is not None}
    if figure is not None:
        evidence[look_alikes.key(search.lead)] = figure
    text = said(review.decision(replace(search, evidence=evidence), PICTURES))
    assert words in text
    assert ("quality tier is good" in text) == (figure is not None)
    assert "700,000 people" in text or figure is None


def test_no_examiner_and_no_requester_is_told():
    search, pack = told([*s.AGREED, (s.APPROVE, s.MARA), (m.Acknowledge(), s.DANA)]), s.pack()
    sheet = leadsheet.pdf(leadsheet.Sheet(search, pack, photograph((1, 2, 3)), photograph((3, 2, 1)), {}))
    printed = " ".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(sheet))
    others = {
        "review": review.root(search, PICTURES),
        "worksheet": review.worksheet(search, search.examinations[0], PICTURES, "seed"),
        "called": review.called(search, open_to_all=True),
        "decided": review.decided(search),
        "card": request.card(search, pack),
        "notice": request.notice(search, pack, Beside()),
        "photograph": request.photograph(search, "F1", "today"),
        "lead sheet": printed,
    }
    for name, message in others.items():
        text = said(message)
        assert "look-alike" not in text.lower(), name
        assert "3.5" not in text, name
        assert "3.45" not in text, name
