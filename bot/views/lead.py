"""What a lead owes its reader (L6 to L9, L11), in sentences that notice and lead sheet share. Pure.

What people typed stands here as a lead may carry it: no word says more than can be seen (policy/wording.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from bot.views.blocks import clipped
from policy.foils import shown_to
from policy.leads import concluded, supporting
from policy.model import Conclusion, Examination, Face, Note, Search
from policy.preparation import in_words
from policy.wording import sober

GALLERY_LIMITS = (  # L7
    "Software always returns the nearest faces that it has. The person in the submitted image may not be enrolled at "
    "all, and the arrest photograph may be years older or younger than the submitted image."
)
OUTCOMES = {  # in words that a lead may use
    "open": "not concluded",
    "possible-match": "with a lead",
    "no-possible-match": "without a lead",
    "unsuitable": "with an unsuitable image",
    "withdrawn": "withdrawn",
    "rejected": "not approved",
    "error": "ended by a fault",
}
OLD = 5  # years between photograph and request from which it is said: faces change
MOST = 500  # characters of what the requester wrote in the form, in a line


@dataclass(frozen=True, slots=True)
class Beside:
    """What a search does not know of itself."""

    earlier: Mapping[str, int] = field(default_factory=dict[str, int])  # searches of the case before it, by outcome
    taken: date | None = None  # when the arrest photograph was; None: not recorded


# --- the image and the gallery (L6, L7) -------------------------------------------------------------------------------


def image_limits(search: Search) -> str:
    """L6: the tier and why; pixels between the eyes are the measure that examiners know."""
    face = next((f for f in search.faces if f.index == search.face), None)
    return f"Submitted image: {_quality(face)}" if face else "The quality of the submitted image was not measured."


def _quality(face: Face) -> str:
    reasons = f" because of {', '.join(face.reasons)}" if face.reasons else ""
    return f"quality tier “{face.tier}”{reasons}; {face.inter_eye_px:.0f} pixels between the eyes."


def edits(search: Search, *, hashes: bool) -> list[str]:
    """L6, M10: what was changed before it came, as the requester says, and every operation on the copy searched."""
    told = _typed(search, "edits", "Edited before it was submitted, in the requester's words")
    if not search.preparations:
        return [*told, "For the search itself nothing in the image was edited."]
    steps = [
        f"({n}) {in_words(step.operation)}, {step.at:%d %B %Y}"
        + (f", SHA-256 {step.before_sha256} to {step.after_sha256}" if hashes else "")
        for n, step in enumerate(search.preparations, start=1)
    ]
    return [*told, f"The search itself was made with a prepared copy: {'; '.join(steps)}. Every copy is kept."]


def age_gap(search: Search, taken: date | None) -> list[str]:
    """L7: an old photograph is a weaker one, for software and for people."""
    if taken is None or search.requested_at is None:
        return ["When the arrest photograph was taken is not recorded; it may be old, and faces change."]
    asked = search.requested_at.date()
    years = asked.year - taken.year - ((asked.month, asked.day) < (taken.month, taken.day))
    if years < OLD:
        return []
    return [f"The arrest photograph was {years} years old when the search was requested: faces change in that time."]


# --- who was compared, and what came of it (L8) -----------------------------------------------------------------------


def carried(search: Search) -> str:
    number = len(search.candidates)
    return f"{number} candidates, {number - 1} not carried forward"


def judged(search: Search, named: str) -> str:
    """How many concluded, how many of them agreed on what `named` says, and how many did not (M21)."""
    opinions, agree = concluded(search), supporting(search)
    against = [opinion for opinion in opinions if opinion not in agree]
    dissent = f"{len(against)} did not ({', '.join(map(_instead, against))})" if against else "nobody dissented"
    return f"{_people(search)}, separately: {len(agree)} named {named}, {dissent}."


def shown(search: Search) -> str:
    """How many candidates each examiner saw: with foils, that is not everybody (X1)."""
    each = [len(shown_to(search, opinion.examiner)) for opinion in concluded(search)]
    if len(set(each)) == 1:
        return f"Each of them was shown {each[0]}."
    return f"They were shown {_listed([str(count) for count in each])} of the {len(search.candidates)}."


def compared(search: Search) -> str:
    """Of a search without a lead."""
    if not concluded(search):
        return "No examiner compared a candidate."
    return f"{len(search.candidates)} candidates. {_people(search)}, separately. {shown(search)}"


def _people(search: Search) -> str:
    count = len(concluded(search))
    return f"{count} examiner{'' if count == 1 else 's'} concluded"


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _instead(opinion: Examination) -> str:
    """What a dissenting examiner said, without whom they named: that is nobody's lead."""
    match opinion.conclusion:
        case Conclusion.POSSIBLE_MATCH:
            return "named another candidate"
        case Conclusion.INCONCLUSIVE:
            return "found it inconclusive"
        case _:
            return "named nobody"


def earlier(search: Search, counts: Mapping[str, int]) -> list[str]:
    """L8: who searches until somebody is found has to say how often, here and elsewhere."""
    told = "none of this case"
    if counts:
        each = ", ".join(f"{number} {OUTCOMES.get(what, what)}" for what, number in sorted(counts.items()))
        told = f"{sum(counts.values())} of this case before this one: {each}"
    return [f"{told}.", *_typed(search, "earlier-searches", "Elsewhere, in the requester's words")]


def _typed(search: Search, question: str, what: str) -> list[str]:
    said = " ".join(search.fields.get(question, "").split())
    return [f"{what}: “{sober(clipped(said, MOST))}”."] if said else []


# --- differences (L9) -------------------------------------------------------------------------------------------------


def differences(search: Search) -> list[str]:
    """What differs between the two photographs of the lead; what somebody wrote of another candidate is not told."""
    return [sober(opinion.differences) for opinion in supporting(search)]


def notes(search: Search) -> list[str]:
    """What examiners added to their opinions, and beside which."""
    return [f"{_beside(search, note)}: {sober(note.text)}" for note in search.notes]


def _beside(search: Search, note: Note) -> str:
    agrees = note.by in {opinion.examiner for opinion in supporting(search)}
    return "Added later" if agrees else "Added later by an examiner who did not name this person"


# --- handling (L11) ---------------------------------------------------------------------------------------------------


def expiry(search: Search) -> str:
    if search.expires_at is None:
        return "It expires without an outcome."
    return f"It expires on {search.expires_at:%d %B %Y} if no outcome is recorded by then."


def contact(search: Search) -> str:
    return f"Questions and recalls: the supervisors of the desk, search {search.id}."
