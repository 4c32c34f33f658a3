"""What a link to the viewer lets its holder see: which photographs, and whose right is asked for at each view."""

from collections.abc import Mapping
from enum import StrEnum

from policy.model import (
    Acknowledge,
    AnswerCandidate,
    ChooseFace,
    Command,
    DecideLead,
    Label,
    OverrideQuality,
    PrepareProbe,
    Search,
)
from policy.morphology import Support
from policy.preparation import Original

PROBE, FACES, PREPARED = "probe", "faces", "prepared"


class Sight(StrEnum):
    """Why somebody is at the viewer."""

    EXAMINATION = "examination"  # an examiner or the arbiter: the probe and every candidate, with the checklist
    DECISION = "decision"  # a supervisor: the probe and the candidate on whom the examiners agree
    QUALITY = "quality"  # a supervisor: the probe that is below the floor
    FACES = "faces"  # the requester, who says which of several faces is meant
    PREPARATION = "preparation"  # an examiner: the probe and its latest copy, before anything is searched
    LEAD = "lead"  # the requester, after the acknowledgement


# Asked of the policy at every view and never submitted: whoever could give the command may see what it is about.
QUESTIONS: Mapping[Sight, Command] = {
    Sight.EXAMINATION: AnswerCandidate(Label(""), Support.NEITHER),
    Sight.DECISION: DecideLead(approve=True, reason="?"),
    Sight.QUALITY: OverrideQuality(proceed=True, reason="?"),
    Sight.FACES: ChooseFace(0),
    Sight.PREPARATION: PrepareProbe(Original(), "", "", 0),
    Sight.LEAD: Acknowledge(),
}


def read(untrusted: str) -> tuple[str, Sight | None]:
    """The search and the sight that a button's value names; examiners' buttons name the search alone."""
    search, _, sight = untrusted.partition(" ")
    return search, next((one for one in Sight if one.value == (sight or Sight.EXAMINATION)), None)


def open_to(sight: Sight, search: Search) -> bool:
    """Whether there is anything to be seen, beside the right to see it.

    A lead is seen after its acknowledgement, and until its candidates' time is over (bot/retention.py).
    """
    return sight is not Sight.LEAD or (search.acknowledged_at is not None and bool(search.candidates))


def candidates(sight: Sight, search: Search) -> tuple[Label, ...]:
    """The candidates who may be seen, in no meaningful order."""
    match sight:
        case Sight.EXAMINATION:
            return tuple(sorted(candidate.label for candidate in search.candidates))
        case Sight.DECISION | Sight.LEAD:
            return (search.lead,) if search.lead is not None else ()
        case Sight.QUALITY | Sight.FACES | Sight.PREPARATION:
            return ()


def pictures(sight: Sight, search: Search) -> tuple[str, ...]:
    """Every photograph that may be asked for, by the name it is asked for with."""
    match sight:
        case Sight.FACES:
            return (FACES,)
        case Sight.PREPARATION:
            return (PROBE, PREPARED)
        case Sight.EXAMINATION | Sight.DECISION | Sight.QUALITY if search.preparations:
            return (PROBE, PREPARED, *_photographs(sight, search))
        case _:
            return (PROBE, *_photographs(sight, search))


def _photographs(sight: Sight, search: Search) -> tuple[str, ...]:
    of = photographs(sight, search)
    return tuple(name for label in candidates(sight, search) for name in of[label])


def photographs(sight: Sight, search: Search) -> Mapping[Label, tuple[str, ...]]:
    """The names of every photograph of each candidate who may be seen (M15), the one that was found first; no dates.

    Whoever asked is given the one photograph of a lead that was compared, and no more.
    """
    seen = candidates(sight, search)
    held = {one.label: len(one.photos) if sight is not Sight.LEAD else 1 for one in search.candidates}
    return {label: (label, *(f"{label}.{n}" for n in range(2, held[label] + 1))) for label in seen}


def photograph(search: Search, name: str) -> str:
    """Which photograph of the gallery that name means; it is one of `photographs`."""
    label, _, n = name.partition(".")
    candidate = next(one for one in search.candidates if one.label == label)
    return candidate.photos[int(n or 1) - 1]
