"""Recorded requests under another pack: what would have been refused, asked for, held or accepted (S23). Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from policy import approval, intake
from policy.model import Origin, RequestSearch, Search
from policy.pack import FormField, Pack, Purpose
from policy.patterns import fits

NO_ORIGIN = Origin("", "", "")
ERASED = "What was requested is past its time and erased. Nothing can be said of it."


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the other pack says of one recorded request."""

    search: str
    purpose: str  # as it was requested
    under: str  # the other pack's purpose; empty where it has none like it
    verdict: Literal["accepted", "held", "refused", "erased"]
    rules: tuple[str, ...] = ()  # that it would have broken, whatever its form asks
    reasons: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()  # questions of the other form that nobody put to the requester, or put otherwise


def replayed(searches: Iterable[Search], pack: Pack) -> list[Verdict]:
    """One verdict for each search; where several of the pack's purposes are like the recorded one, the mildest."""
    return [_verdict(search, pack) for search in searches]


def _verdict(search: Search, pack: Pack) -> Verdict:
    if not search.fields:
        return Verdict(search.id, search.purpose, "", "erased", reasons=(ERASED,))
    like = [purpose for purpose in pack.purposes if search.purpose in {purpose.code, *purpose.covers}]
    if not like:
        why = f"“{search.purpose}” is not an authorised use under {pack.id}."
        return Verdict(search.id, search.purpose, "", "refused", ("authorised-purpose",), (why,))
    return min((_under(search, purpose, pack) for purpose in like), key=lambda one: (len(one.rules), len(one.asked)))


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
    given = {**search.fields, intake.REPOSITORIES: ",".join(search.repositories)}
    questions = {f"field:{field.name}": field for field in intake.asked(pack, purpose, given)}
    found = list(intake.findings(command, pack))
    asked = [one for one in found if one.rule in questions and not _answers(search, questions[one.rule])]
    refused = [one for one in found if one not in asked]
    told = tuple(questions[one.rule].label for one in asked)
    if refused:
        rules, reasons = zip(*((one.rule, one.reason) for one in refused), strict=True)
        return Verdict(search.id, search.purpose, purpose.code, "refused", rules, reasons, told)
    terms = approval.terms(command, pack)
    if terms.held:
        reasons = terms.concerns or (f"{terms.approvers} have to approve it first.",)
        return Verdict(search.id, search.purpose, purpose.code, "held", (), reasons, told)
    return Verdict(search.id, search.purpose, purpose.code, "accepted", asked=told)


def _answers(search: Search, field: FormField) -> bool:
    """Whether what was recorded answers this question, rightly or wrongly; another form may have asked otherwise."""
    answer = search.fields.get(field.name, "")
    if field.options:
        return set(intake.chosen(answer)) <= field.options.keys() and bool(answer)
    return bool(answer) and (field.pattern is None or fits(field.pattern, intake.normalised(answer)))
