"""What people are told at the end, in the words of the pack that the search was requested under."""

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest

from bot import leadsheet
from bot.views import request
from bot.views.lead import Beside
from policy import model as m
from policy.preparation import Gamma
from policy.schema import FORBIDDEN
from tests import story as s
from tests.bot.test_leadsheet import CAVEAT, EARLIER, EVIDENCE
from tests.story import DANA, EVA, MARA, NOOR, SYSTEM

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
• It expires on 12 April 2026 if no outcome is recorded by then.
• Questions and recalls: the supervisors of the desk, search LG-AAAAAAAAAAAA.
*Limits.* Software always returns the nearest faces it has; the person may not be enrolled at all. The submitted image \
was received through chat, its metadata removed by the platform.
• Submitted image: quality tier “good”; 96 pixels between the eyes.
• For the search itself nothing in the image was edited.
• The arrest photograph was 6 years old when the search was requested: faces change in that time.
Examined: 3 candidates, 2 not carried forward. 2 examiners concluded, separately: 2 named this person as possible, \
nobody dissented. Each of them was shown 3.
Earlier searches: 3 of this case before this one: 2 without a lead, 1 not concluded.
*Differences that the examiners considered*
– The ear lobes differ slightly; the light explains it.
– The ear lobes differ slightly; the light explains it.
[Acknowledge and see the photograph]
Search LG-AAAAAAAAAAAA · case 2026-075-001234 · pack nypd-2020@1.2.0"""
NEGATIVE = """\
*NO POSSIBLE MATCH REPORTED.* This does not show that the person has no record and excludes no one: the person may not \
be enrolled, or the image may be too limited. The search is recorded and disclosable.
*Limits.* Software always returns the nearest faces it has; the person may not be enrolled at all. The submitted image \
was received through chat, its metadata removed by the platform.
• Submitted image: quality tier “good”; 96 pixels between the eyes.
• For the search itself nothing in the image was edited.
Examined: 3 candidates. 2 examiners concluded, separately. Each of them was shown 3.
Earlier searches: 3 of this case before this one: 2 without a lead, 1 not concluded.
Restricted: do not forward. Questions and recalls: the supervisors of the desk, search LG-AAAAAAAAAAAA.
Search LG-AAAAAAAAAAAA · No candidate stood up to comparison. · preserve this record and disclose it"""
BESIDE = Beside(EARLIER, date(2020, 3, 1))


def told(steps, pack=None) -> str:
    pack = pack or s.pack()
    search, _ = s.tell(steps, pack)
    return words(request.notice(search, pack, BESIDE)[1])


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
        e for b in request.notice(search, s.pack(), BESIDE)[1] for e in b.get("elements", ()) if e["type"] == "button"
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
    until = f"It expires on {s.NOON + timedelta(days=7):%d %B %Y}"
    assert told(LEAD, other).startswith(f"*ONLY A LEAD.* Nothing more.\n• Look elsewhere, too.\n• {until}")
    search, _ = s.tell([*LEAD, (m.Acknowledge(), DANA)], other)
    sheet = leadsheet.said(replace(search, evidence=EVIDENCE), other, EARLIER)
    assert any(until in line for line in sheet["handling"])


# --- what a reader is owed (domain.md section 6) ----------------------------------------------------------------------

DESCRIBED = {"edits": "Cropped on 12 March.", "earlier-searches": "Tool of another agency, 2 March: nobody."}
ELEMENTS = {
    "L1": r"Software and then (?:examiners|people), working separately, judged that the person in the submitted image may be",
    "L2": r"(?i)not an identification",
    "L3": r"no(?:t by itself give)? probable cause",
    "L4": r"(?:must not|it must not) itself come only from this lead",
    "L5": r"photo array, a lineup or a single photograph on this lead alone.*witness",
    "L6, the tier": r"quality tier “good”; 96 pixels between the eyes",
    "L6, edits before": r"Edited before it was submitted, in the requester's words: “Cropped on 12 March\.”",
    "L6, edits since": r"made with a prepared copy: \(1\) gamma 1\.2, 13 March 2026",
    "L7, the gallery": r"may not be enrolled at all",
    "L7, the age": r"was 6 years old when the search was requested",
    "L8, how many": r"3 candidates, 2 not carried forward",
    "L8, by whom": r"2 examiners concluded, separately: 2 named this person as possible, nobody dissented",
    "L8, before": r"3 of this case before this one: 2 without a lead, 1 not concluded",
    "L8, elsewhere": r"Elsewhere, in the requester's words: “Tool of another agency, 2 March: nobody\.”",
    "L9, differences": r"The ear lobes differ slightly",
    "L9, facts": r"Height: described 5'6; on record 180 cm \(5 ft 11 in\): CONTRADICTS\. Resolved: She looked down at him",
    "L10": r"(?i)preserve this record and disclose it to the prosecutor",
    "L11, handling": r"[Dd]o not forward",
    "L11, recall": r"A lead can be recalled",
    "L11, contact": r"Questions and recalls: the supervisors of the desk, search LG-",
    "L11, expiry": r"It expires on \d\d \w+ 2026",
}
OF_NO_LEAD = {
    "it is none": r"NO POSSIBLE MATCH REPORTED",
    "it excludes nobody": r"excludes no one",
    **{name: ELEMENTS[name] for name in ELEMENTS if name[:2] == "L6" or name in {"L7, the gallery", "L8, before"}},
    "L8, how many": r"3 candidates\. 2 examiners concluded, separately",
    "L8, elsewhere": ELEMENTS["L8, elsewhere"],
    "L10": r"preserve this record and disclose it",
    "L11, handling": r"do not forward",
    "L11, contact": ELEMENTS["L11, contact"],
}


def found(*steps, described=DESCRIBED):
    search, _ = s.tell(list(steps))
    step = m.Preparation(Gamma(1.2), "ab" * 32, "cd" * 32, EVA.id, s.NOON)
    return replace(search, preparations=(step,), fields={**search.fields, **described}, evidence=EVIDENCE)


def a_lead():
    ask = replace(
        s.ASK,
        fields={
            **s.FIELDS,
            "circumstances": "witness",
            "description": "A man in a dark coat.",
            "witness-height": "5'6",
        },
    )
    solved = replace(s.APPROVE, resolutions={"height": "She looked down at him from the platform above."})
    record = replace(s.RECORD, height_cm=180)
    steps = [(ask, DANA), *s.AGREED[1:-1], (m.OpenContext(record), SYSTEM), (solved, MARA), (m.Acknowledge(), DANA)]
    return found(*steps)


@pytest.mark.parametrize("name", s.NAMES)
@pytest.mark.parametrize("element", ELEMENTS)
def test_the_notice_of_a_lead_holds_what_its_reader_is_owed_under_every_pack(element, name):
    text = words(request.notice(a_lead(), s.pack(name), BESIDE)[1])
    assert re.search(ELEMENTS[element], text.replace("\n", " "))


@pytest.mark.parametrize("element", ELEMENTS)
def test_the_sheet_of_a_lead_holds_what_its_reader_is_owed(element):
    said = leadsheet.said(a_lead(), s.pack(), EARLIER, BESIDE.taken)
    text = " ".join([CAVEAT, *_flat(said)]).replace("Do not build or show a", "a")
    assert re.search(ELEMENTS[element], text)


def _flat(said) -> list[str]:
    match said:
        case str():
            return [said]
        case dict():
            return [line for one in said.values() for line in _flat(one)]
        case _:
            return [line for one in said for line in _flat(one)]


@pytest.mark.parametrize("name", s.NAMES)
@pytest.mark.parametrize("element", OF_NO_LEAD)
def test_the_notice_that_there_is_none_holds_what_its_reader_is_owed_under_every_pack(element, name):
    text = words(request.notice(found(*NO_LEAD), s.pack(name), BESIDE)[1])
    assert re.search(OF_NO_LEAD[element], text.replace("\n", " "))


@pytest.mark.parametrize("where", ["notice", "sheet"])
def test_no_word_that_somebody_typed_makes_more_of_a_lead_than_it_is(where):
    """Whatever was let in by an earlier version, or by a gallery's own records."""
    claims = "The suspect: a 100% mаtch, ＩＤＥＮＴＩＦＩＥＤ."
    search = a_lead()
    (check,) = (one for one in search.context if one.fact == "height")
    search = replace(
        search,
        examinations=tuple(replace(e, differences=claims) for e in search.examinations),
        notes=(m.Note(EVA.id, s.NOON, claims),),
        context=(replace(check, described=claims, recorded=claims),),
        resolutions={"height": claims},
        fields={"edits": claims, "earlier-searches": claims},
    )
    said = {
        "notice": words(request.notice(search, s.pack(), BESIDE)[1]),
        "sheet": "\n".join(_flat(leadsheet.said(search, s.pack(), EARLIER))),
    }[where]
    assert said.count("The […]: a 100[…] […], […].") == 8
    assert not [word for word in ("100%", "mаtch", "ＩＤＥＮＴＩＦＩＥＤ", "suspect") if word in said]


def test_a_notice_never_shows_a_score_or_a_rank_or_a_name():
    search, _ = s.tell(LEAD)
    scored = replace(search, candidates=tuple(replace(c, score=0.987654, rank=77) for c in search.candidates))
    text = words(request.notice(scored, s.pack(), BESIDE)[1])
    assert not [word for word in ("0.98", "77", "S-1", "%") if word in text]
