"""The lead sheet: an accessible PDF (PDF/UA-1, fonts embedded) for the case file. Pure: photographs in, bytes out.

Holds the elements L1 to L11 that a notice owes its reader. Never a score, a percentage, a name or a word that says
more than that somebody *may* be the same person.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, cast

from bot.glyphs import printable
from bot.views import comparison, context, lead
from bot.views.blocks import clipped
from policy.leads import concluded, supporting
from policy.model import Search
from policy.pack import Pack

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
            "sheet": json.dumps(_printed(said(search, sheet.pack, sheet.earlier, sheet.taken))),
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


MOST_OF_A_NUMBER = 30  # characters of the case number at the foot of each page; it stands whole among the facts


def _printed(said: Any) -> Any:
    """The same words in characters that the sheet's fonts have; one without a glyph would cost the whole sheet."""
    match said:
        case str():
            return printable(said)
        case dict():
            return {name: _printed(one) for name, one in cast("dict[str, Any]", said).items()}
        case list() | tuple():
            return [_printed(one) for one in cast("list[Any]", said)]
        case _:
            raise AssertionError(f"{said!r} on a lead sheet")


def said(search: Search, pack: Pack, earlier: Mapping[str, int], taken: date | None = None) -> dict[str, object]:
    """Every word of the sheet that depends on the search."""
    return {
        "title": f"Lead sheet of search {search.id}",
        "search": search.id,
        "case": clipped(search.case_number, MOST_OF_A_NUMBER),
        "statement": STATEMENT,
        "probe_alt": "Photograph: the submitted image, other faces masked.",
        "candidate_alt": "Photograph: the arrest photograph of a person who may be the person in the submitted image. "
        "An investigative lead only, not an identification.",
        "candidate_caption": f"Arrest photograph, taken {taken:%d %B %Y}" if taken else "Arrest photograph, undated",
        "duties": list(DUTIES),
        "differences": [*lead.differences(search), *lead.notes(search)],
        "contradictions": context.on_the_lead(search),
        "comparison": [f"Examiner {n}. {told}" for n, told in enumerate(_compared(search), start=1)],
        "limits": [
            lead.image_limits(search),
            CHAT_LIMITS,
            *lead.edits(search, hashes=True),
            lead.GALLERY_LIMITS,
            *lead.age_gap(search, taken),
        ],
        "facts": [*_facts(search, pack), ("Earlier searches", " ".join(lead.earlier(search, earlier)))],
        "handling": _handling(search, pack),
    }


def _compared(search: Search) -> list[str]:
    """The morphological comparison as each examiner noted it, without the note-taker's name (M18).

    What a dissenting examiner compared is of somebody else: that they dissented is told, and no more of it.
    """
    named = supporting(search)
    return [
        (" ".join(comparison.in_words(opinion.components)) or "Not recorded.") if opinion in named else DISSENTED
        for opinion in concluded(search)
    ]


DISSENTED = "Did not name this person."


def _facts(search: Search, pack: Pack) -> list[tuple[str, str]]:
    """L8 and what a court may ask about the search (M14)."""
    purpose, found = pack.purpose(search.purpose), search.evidence
    return [
        ("Case", search.case_number),
        ("Purpose", purpose.label if purpose else search.purpose),
        ("Requested", f"{search.requested_at:%d %B %Y, %H:%M} UTC" if search.requested_at else "not recorded"),
        ("Candidates", lead.carried(search)),
        ("Examiners", f"{lead.judged(search, 'this person as possible')} {lead.shown(search)}"),
        ("Photographs searched", f"{found.get('searched', found.get('gallery_photos', 0)):,}, {_reach(found)}"),
        ("Recognition model", f"{found.get('model', 'not recorded')}, SHA-256 {found.get('model_sha256', '')}"),
        ("Gallery at that time", f"root {found.get('gallery_root', 'not recorded')}"),
        ("Submitted image", f"SHA-256 {search.photo_sha256}"),
        ("Policy pack", search.pack),
    ]


def _reach(found: Mapping[str, object]) -> str:
    """Of what gallery, which classes of it (M42), and how many photographs nobody could be found in."""
    classes = f", of the class {' and '.join(str(found['classes']).split())}" if "classes" in found else ""
    told = f"in a gallery of {found.get('gallery_people', 0):,} people{classes}"
    if faceless := found.get("faceless"):
        told += (
            f". Of the whole gallery, {faceless:,} more are found by no search: this model finds no single face in them"
        )
    return told


def _handling(search: Search, pack: Pack) -> list[str]:
    """L10 and L11."""
    return [
        "Preserve this record and disclose it to the prosecutor, also where the case goes another way.",
        "Restricted to the requester of this search. Do not forward, copy into a flyer or show to a witness.",
        f"{lead.expiry(search)} A lead can be recalled: then destroy it.",
        lead.contact(search),
        f"When the photograph was handed over, the requester had undertaken: “{pack.notices.acknowledgement}”",
    ]
