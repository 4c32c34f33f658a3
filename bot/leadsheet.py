"""The lead sheet: an accessible PDF (PDF/UA-1, fonts embedded) for the case file. Pure: photographs in, bytes out.

Holds the elements L1 to L11 that a notice owes its reader. Never a score, a percentage, a name or a word that says
more than that somebody *may* be the same person.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from bot.views import comparison, context
from policy.model import Examination, Face, Search
from policy.pack import Pack
from policy.preparation import in_words

TEMPLATE = Path(__file__).parent / "leadsheet.typ"

# What a sheet says whatever the pack: no pack can say less. Notices in chat have the pack's own words.
STATEMENT = (  # L1, L2, L3
    "Software and then people, working separately, judged that the person in the submitted image may be the person in "
    "this arrest photograph. By itself it gives no probable cause, and no basis for an arrest, a search or a warrant."
)
DUTIES = (  # L4, L5
    "Investigate independently first. The evidence relied on must not itself come only from this lead.",
    "Do not build or show a photo array, a lineup or a single photograph on this lead alone.",
    "Do not tell a witness that facial recognition was used.",
    "Do not arrest, seek a warrant or arrange an identification procedure on this lead alone.",
)
GALLERY_LIMITS = (  # L7
    "Software always returns the nearest faces that it has. The person in the submitted image may not be enrolled at "
    "all, and the arrest photograph may be years older or younger than the submitted image."
)
OUTCOMES = {  # in words that a lead sheet may use
    "open": "not concluded",
    "possible-match": "with a lead",
    "no-possible-match": "without a lead",
    "unsuitable": "with an unsuitable image",
    "withdrawn": "withdrawn",
    "rejected": "not approved",
    "error": "ended by a fault",
}
CHAT_LIMITS = (  # L6
    "The submitted image was received through chat, which removes metadata: it is not the evidence item itself. The "
    "examiners compared an upright copy of it in which other faces are masked; that copy was edited in nothing else."
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the sheet says, and the two photographs it shows (JPEG)."""

    search: Search
    pack: Pack
    probe: bytes
    candidate: bytes
    earlier: Mapping[str, int]  # searches of the same case that were requested before, by outcome ("open")
    taken: date | None = None  # when the arrest photograph was; None: not recorded


def pdf(sheet: Sheet) -> bytes:
    """The lead sheet; the same search gives the same bytes. Only for a lead that was acknowledged (M25)."""
    import typst

    search = sheet.search
    assert search.lead is not None, "a lead sheet without a lead"
    assert search.acknowledged_at is not None, "a lead sheet before the acknowledgement"
    made = typst.compile(
        TEMPLATE.read_bytes(),
        format="pdf",
        sys_inputs={
            "sheet": json.dumps(said(search, sheet.pack, sheet.earlier, sheet.taken)),
            # typst-py holds files in memory as text alone; photographs stay off the disk all the same
            "probe": json.dumps(list(sheet.probe)),
            "candidate": json.dumps(list(sheet.candidate)),
        },
        pdf_standards=["ua-1"],
        ignore_system_fonts=True,
        timestamp=int(search.acknowledged_at.timestamp()),
    )
    assert isinstance(made, bytes), "one PDF"
    return made


def said(search: Search, pack: Pack, earlier: Mapping[str, int], taken: date | None = None) -> dict[str, object]:
    """Every word of the sheet that depends on the search."""
    opinions = [e for e in search.examinations if e.candidate == search.lead]
    return {
        "title": f"Lead sheet of search {search.id}",
        "search": search.id,
        "case": search.case_number,
        "statement": STATEMENT,
        "probe_alt": "Photograph: the submitted image, other faces masked.",
        "candidate_alt": "Photograph: the arrest photograph of a person who may be the person in the submitted image. "
        "An investigative lead only, not an identification.",
        "candidate_caption": f"Arrest photograph, taken {taken:%d %B %Y}" if taken else "Arrest photograph, undated",
        "duties": list(DUTIES),
        "differences": [*(e.differences for e in opinions), *(f"Added later: {n.text}" for n in search.notes)],
        "contradictions": context.on_the_lead(search),
        "comparison": [f"Examiner {n}. {told}" for n, told in enumerate(_compared(opinions), start=1)],
        "limits": [_image_limits(search), CHAT_LIMITS, *_edits(search), GALLERY_LIMITS, *_age_gap(search, taken)],
        "facts": [*_facts(search, pack), ("Earlier searches", _earlier(earlier))],
        "handling": _handling(search, pack),
    }


def _compared(opinions: Sequence[Examination]) -> list[str]:
    """The morphological comparison as each examiner noted it, without the note-taker's name (M18)."""
    return [" ".join(comparison.in_words(opinion.components)) or "Not recorded." for opinion in opinions]


def _image_limits(search: Search) -> str:
    face = next((f for f in search.faces if f.index == search.face), None)
    assert face is not None, "a lead without a face"
    return f"Submitted image: {_quality(face)}"


OLD = 5  # years between photograph and request from which the sheet says so: faces change


def _age_gap(search: Search, taken: date | None) -> list[str]:
    """L7: an old photograph is a weaker one, for software and for people."""
    if taken is None or search.requested_at is None:
        return ["When the arrest photograph was taken is not recorded; it may be old, and faces change."]
    asked = search.requested_at.date()
    years = asked.year - taken.year - ((asked.month, asked.day) < (taken.month, taken.day))
    if years < OLD:
        return []
    return [f"The arrest photograph was {years} years old when the search was requested: faces change in that time."]


def _edits(search: Search) -> list[str]:
    """L6, M10: every operation on the copy that was searched, in order, with the hashes before and after."""
    if not search.preparations:
        return []
    steps = [
        f"({n}) {in_words(step.operation)}, {step.at:%d %B %Y}, SHA-256 {step.before_sha256} to {step.after_sha256}"
        for n, step in enumerate(search.preparations, start=1)
    ]
    return [f"The search itself was made with a prepared copy: {'; '.join(steps)}. Every copy is kept."]


def _quality(face: Face) -> str:
    """L6: the tier and why; pixels between the eyes are the measure that examiners know."""
    reasons = f" because of {', '.join(face.reasons)}" if face.reasons else ""
    return f"quality tier “{face.tier}”{reasons}; {face.inter_eye_px:.0f} pixels between the eyes."


def _facts(search: Search, pack: Pack) -> list[tuple[str, str]]:
    """L8 and what a court may ask about the search (M14)."""
    purpose, found, number = pack.purpose(search.purpose), search.evidence, len(search.candidates)
    concluded = sum(e.conclusion is not None for e in search.examinations)
    return [
        ("Case", search.case_number),
        ("Purpose", purpose.label if purpose else search.purpose),
        ("Requested", f"{search.requested_at:%d %B %Y, %H:%M} UTC" if search.requested_at else "not recorded"),
        ("Candidates", f"{number} examined, {number - 1} not carried forward"),
        ("Examiners", f"{concluded}, working separately"),
        ("Photographs searched", f"{found.get('searched', found.get('gallery_photos', 0)):,}, {_reach(found)}"),
        ("Recognition model", f"{found.get('model', 'not recorded')}, SHA-256 {found.get('model_sha256', '')}"),
        ("Gallery at that time", f"root {found.get('gallery_root', 'not recorded')}"),
        ("Submitted image", f"SHA-256 {search.photo_sha256}"),
        ("Policy pack", search.pack),
    ]


def _reach(found: Mapping[str, object]) -> str:
    """Of what gallery, and which classes of it (M42)."""
    classes = f", of the class {' and '.join(str(found['classes']).split())}" if "classes" in found else ""
    return f"in a gallery of {found.get('gallery_people', 0):,} people{classes}"


def _earlier(counts: Mapping[str, int]) -> str:
    """L8: who searches until somebody is found has to say how often."""
    if not counts:
        return "none of this case"
    told = ", ".join(f"{number} {OUTCOMES[outcome]}" for outcome, number in sorted(counts.items()))
    return f"{sum(counts.values())} of this case before this one: {told}"


def _handling(search: Search, pack: Pack) -> list[str]:
    """L10 and L11."""
    assert search.acknowledged_at is not None, "checked before"
    until = search.acknowledged_at + timedelta(days=pack.leads.expiry_days)
    return [
        "Preserve this record and disclose it to the prosecutor, also where the case goes another way.",
        "Restricted to the requester of this search. Do not forward, copy into a flyer or show to a witness.",
        f"It expires on {until:%d %B %Y} if no outcome is recorded by then. A lead can be recalled: then destroy it.",
        f"Questions and recalls: the supervisors of the desk, search {search.id}.",
        f"When the photograph was handed over, the requester had undertaken: “{pack.notices.acknowledgement}”",
    ]
