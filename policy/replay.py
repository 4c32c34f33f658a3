"""Recorded requests under another pack: what would have been refused, held or accepted (S23). Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from policy import intake
from policy.model import Origin, RequestSearch, Search
from policy.pack import Pack, Purpose

NO_ORIGIN = Origin("", "", "")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the other pack says of one recorded request."""

    search: str
    purpose: str  # as it was requested
    under: str  # the other pack's purpose; empty where it has none like it
    verdict: Literal["accepted", "held", "refused"]
    rules: tuple[str, ...]
    reasons: tuple[str, ...]


def replayed(searches: Iterable[Search], pack: Pack) -> list[Verdict]:
    """One verdict for each search; where several of the pack's purposes are like the recorded one, the mildest."""
    return [_verdict(search, pack) for search in searches]


def _verdict(search: Search, pack: Pack) -> Verdict:
    like = [purpose for purpose in pack.purposes if search.purpose in {purpose.code, *purpose.covers}]
    if not like:
        why = f"“{search.purpose}” is not an authorised use under {pack.id}."
        return Verdict(search.id, search.purpose, "", "refused", ("authorised-purpose",), (why,))
    return min((_under(search, purpose, pack) for purpose in like), key=lambda verdict: len(verdict.rules))


def _under(search: Search, purpose: Purpose, pack: Pack) -> Verdict:
    """Whatever the form of its case number: every agency has its own."""
    command = RequestSearch(
        purpose=purpose.code,
        case_number=purpose.case_number_example,
        fields=search.fields,
        attested=True,
        origin=search.origin or NO_ORIGIN,
        repositories=search.repositories,
        case_known=search.case_known,
    )
    refused = tuple(intake.findings(command, pack))
    if refused:
        rules, reasons = tuple(r.rule for r in refused), tuple(r.reason for r in refused)
        return Verdict(search.id, search.purpose, purpose.code, "refused", rules, reasons)
    concerns = intake.concerns(command, pack)
    needed = intake.approvers(command, pack, concerned=bool(concerns))
    if needed:
        reasons = concerns or (f"{needed} have to approve it first.",)
        return Verdict(search.id, search.purpose, purpose.code, "held", (), reasons)
    return Verdict(search.id, search.purpose, purpose.code, "accepted", (), ())
