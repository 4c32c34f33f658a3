"""What people are told at the end, in the words of the pack that the search was requested under."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from bot import leadsheet
from bot.views import request
from policy.schema import FORBIDDEN
from tests import story as s
from tests.bot.test_leadsheet import EARLIER, acknowledged
from tests.story import EVA, MARA, NOOR

LEAD = [*s.AGREED, (s.APPROVE, MARA)]
NO_LEAD = [*s.TO_REVIEW, *s.says(s.NO_LEAD, EVA), *s.says(s.NO_LEAD, NOOR)]
POSITIVE = """\
*INVESTIGATIVE LEAD ONLY.* Software and then examiners, working separately, judged that the person in the submitted \
image may be the person in an arrest photograph. This is not an identification. It does not by itself give probable \
cause and justifies no arrest, search, warrant or identification procedure.
• Develop independent evidence first; it must not itself come only from this lead.
• Do not build or show a photo array, a lineup or a single photograph on this lead alone, and do not tell a witness \
that facial recognition was used.
• Preserve this record and disclose it to the prosecutor.
• Restricted: do not forward. A lead can be recalled.
• It expires after 30 days without an outcome.
*Limits.* Software always returns the nearest faces it has; the person may not be enrolled at all. The submitted image \
was received through chat, its metadata removed by the platform.
*Examined.* 3 candidates, 2 not carried forward, by 2 examiners.
*Differences that the examiners considered*
– The ear lobes differ slightly; the light explains it.
– The ear lobes differ slightly; the light explains it.
[Acknowledge and see the photograph]
Search LG-AAAAAAAAAAAA · case 2026-075-001234 · pack nypd-2020@1.1.0"""
NEGATIVE = """\
*NO POSSIBLE MATCH REPORTED.* This does not show that the person has no record and excludes no one: the person may not \
be enrolled, or the image may be too limited. The search is recorded and disclosable.
Search LG-AAAAAAAAAAAA · No candidate stood up to comparison. · preserve and disclose this record"""


def told(steps, pack=None) -> str:
    pack = pack or s.pack()
    search, _ = s.tell(steps, pack)
    return words(request.notice(search, pack)[1])


def words(blocks) -> str:
    """What stands in the message, top to bottom."""
    lines = []
    for block in blocks:
        match block:
            case {"elements": [*elements]}:
                lines += [f"[{e['text']['text']}]" if e["type"] == "button" else _text(e) for e in elements]
            case _:
                lines.append(_text(block))
    return "\n".join(re.sub(r" +\n", "\n", line.rstrip()) for line in lines)


def _text(block) -> str:
    text = block["text"]
    return text["text"] if isinstance(text, dict) else text


def test_a_lead_is_told_in_these_words():
    assert told(LEAD) == POSITIVE


def test_no_lead_is_told_in_these_words():
    assert told(NO_LEAD) == NEGATIVE


def test_the_acknowledgement_is_the_packs_and_fits_slacks_confirmation():
    search, _ = s.tell(LEAD)
    button = next(
        e for b in request.notice(search, s.pack())[1] for e in b.get("elements", ()) if e["type"] == "button"
    )
    assert button["confirm"]["text"]["text"] == s.pack().notices.acknowledgement
    for name in s.NAMES:
        assert len(s.pack(name).notices.acknowledgement) <= 300


@pytest.mark.parametrize("name", s.NAMES)
def test_no_packs_notice_says_more_than_a_lead_is(name):
    notices = s.pack(name).notices
    for text in (notices.lead, *notices.duties, notices.limits, notices.no_lead, notices.unsuitable):
        assert not FORBIDDEN.search(text)


def test_another_packs_words_and_days_are_told_and_its_days_printed():
    pack = s.pack()
    notices = pack.notices.model_copy(
        update={"lead": "ONLY A LEAD. Nothing more.", "duties": ("Look elsewhere, too.",)}
    )
    other = pack.model_copy(update={"notices": notices, "leads": pack.leads.model_copy(update={"expiry_days": 7})})
    assert told(LEAD, other).startswith(
        "*ONLY A LEAD.* Nothing more.\n• Look elsewhere, too.\n• It expires after 7 days"
    )
    sheet = leadsheet.said(acknowledged(), other, EARLIER)
    until = acknowledged().acknowledged_at + timedelta(days=7)
    assert any(f"{until:%d %B %Y}" in line for line in sheet["handling"])


def test_a_notice_never_shows_a_score_or_a_rank_or_a_name():
    search, _ = s.tell(LEAD)
    scored = replace(search, candidates=tuple(replace(c, score=0.987654, rank=77) for c in search.candidates))
    text = words(request.notice(scored, s.pack())[1])
    assert not [word for word in ("0.98", "77", "S-1", "%") if word in text]
