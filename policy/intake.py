"""What a request must say before anything is searched (M1 to M4), and what of it a supervisor has to see first."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from policy import contradictions, days, wording
from policy.contradictions import DESCRIBED
from policy.mentions import mentioned
from policy.model import CaseKnown, Refused, RequestSearch
from policy.pack import FormField, Pack, Purpose
from policy.patterns import fits
from policy.placeholders import is_placeholder, says_nothing
from policy.typed import plain

REPOSITORIES = "repositories"  # under which a form's answers have the classes asked for; no question has that name
EXCEPTION = FormField(
    name="repositories-reason",
    label="Why photographs beyond arrests",
    kind="narrative",
    hint="What makes them necessary here. The executive who has to allow it reads this.",
    source="domain.md M42: an exceptional repository needs a written reason, from whoever asks as from whoever allows.",
)
"""Asked wherever a class is asked for that an executive has to allow."""


NO_SUCH_CASE = Refused("case-exists", "The case system knows no case of this number. Nothing was searched.")
CASE_CLOSED = "The case system says that this case is closed."


def normalised(case_number: str) -> str:
    """Upper case, without surrounding or doubled blanks: the form in which case numbers are compared."""
    return " ".join(plain(case_number).upper().split())


def cleaned(fields: Mapping[str, str]) -> dict[str, str]:
    """Free text as it was written, without control and direction-changing characters, without empty answers."""
    return {name: text for name, raw in fields.items() if (text := plain(raw).strip())}


def asked(pack: Pack, purpose: Purpose, answers: Mapping[str, str]) -> tuple[FormField, ...]:
    """The questions that the form asks for this purpose once it was answered so far.

    Words of the answers may make a statement necessary that no tick asked for (M43).
    """
    statement = pack.protected_activity.statement if pack.protected_activity and protected(pack, answers) else ""
    fields = tuple(field for field in pack.fields(purpose) if field.name == statement or _is_asked(field, answers))
    beyond = set(chosen(answers.get(REPOSITORIES, ""))) & set(pack.repositories.exceptional)
    return (*fields, EXCEPTION) if beyond else fields


def _given(command: RequestSearch) -> dict[str, str]:
    """Every answer of the command, as a form has them."""
    return cleaned(command.fields) | {REPOSITORIES: ",".join(command.repositories)}


def _is_asked(field: FormField, answers: Mapping[str, str]) -> bool:
    return field.when is None or field.when.says in chosen(answers.get(field.when.field, ""))


def chosen(answer: str) -> list[str]:
    """The options of an answer to a question where several may be chosen."""
    return [one for one in answer.split(",") if one]


def answers(command: RequestSearch, pack: Pack) -> dict[str, str]:
    """What is kept of the answers: those to questions that were asked, cleaned."""
    given = _given(command)
    purpose = pack.purpose(command.purpose)
    names = {field.name for field in asked(pack, purpose, given)} if purpose else set[str]()
    return {name: text for name, text in given.items() if name in names}


def screen(command: RequestSearch, pack: Pack, now: datetime | None = None) -> Refused | None:
    """The first reason why this request may not become a search; None where it may."""
    return next(findings(command, pack, now), None)


def findings(command: RequestSearch, pack: Pack, now: datetime | None = None) -> Iterator[Refused]:
    """Every reason why this request may not become a search. Without `now` no day is taken for one to come."""
    purpose = pack.purpose(command.purpose)
    if purpose is None:
        yield Refused("authorised-purpose", "That is not one of the authorised uses. Nothing was searched.")
        return
    if not fits(purpose.case_number_pattern, normalised(command.case_number)):
        what, hint = purpose.case_number_label, purpose.case_number_hint
        yield Refused("case-number", f"That does not look like a {what}: {hint}")
    if command.case_known is CaseKnown.UNKNOWN:
        yield NO_SUCH_CASE
    given = _given(command)
    for field in asked(pack, purpose, given):
        if reason := _answer_wrong(field, given.get(field.name, ""), pack, now):
            yield Refused(f"field:{field.name}", reason)
    if unknown := set(command.repositories) - {*pack.repositories.permitted, *pack.repositories.exceptional}:
        yield Refused("repository", f"Photographs of the class {', '.join(sorted(unknown))} may not be searched.")
    if not command.attested:
        yield Refused("attested", "Without the attestation the photograph may not be searched.")


def _answer_wrong(field: FormField, answer: str, pack: Pack, now: datetime | None) -> str | None:
    if not answer:
        return f"“{field.label}” is required here." if field.required else None
    match field.kind:
        case "choice" | "checks":
            return _choice_wrong(field, [answer] if field.kind == "choice" else chosen(answer))
        case "narrative" if is_placeholder(answer, pack.narrative_min_chars):
            return f"“{field.label}”: say what the facts are, in at least {pack.narrative_min_chars} characters."
        case "date":
            return _date_wrong(field, answer, now)
        case "narrative" | "text" if field.name in DESCRIBED and (word := wording.claim(answer)):
            return f"“{word}” is no description: say what the witness saw, and nothing more. It may print on a lead."
        case "narrative" | "text":
            return _text_wrong(field, answer)


def _text_wrong(field: FormField, answer: str) -> str | None:
    if says_nothing(answer):
        return f"“{field.label}”: say what it is{_or_nothing(field)}."
    if field.pattern and not fits(field.pattern, normalised(answer)):
        return f"“{field.label}” does not have the form it should: {field.hint or f'for example {field.example}'}"
    if field.measure and not _is_one(field.measure, answer):
        return f"“{field.label}”: nobody measures that, or the range is too wide to compare. {field.hint}".rstrip()
    if field.dated and not days.names_one(answer):
        return f"“{field.label}”: say on which day, for example 12 March 2026."
    return None


def _or_nothing(field: FormField) -> str:
    return "" if field.required else ", or leave the question open"


def _date_wrong(field: FormField, answer: str, now: datetime | None) -> str | None:
    found = days.day(answer)
    if found is None:
        return f"“{field.label}”: there is no such day{_or_nothing(field)}. Year, month, day, for example 2026-03-12."
    if now and days.is_to_come(found, now):
        return f"“{field.label}”: that day is still to come."
    return None


PEOPLE: Mapping[str, tuple[Callable[[str], contradictions.Range | None], float, float, float]] = {
    "height": (contradictions.height, 40, 250, 40),  # cm: what people measure, and the widest range that says anything
    "weight": (contradictions.weight, 2, 300, 50),  # kg
    "age": (contradictions.age, 0, 120, 40),
}


def _is_one(measure: str, answer: str) -> bool:
    read, smallest, largest, widest = PEOPLE[measure]
    found = read(answer)
    return found is not None and smallest <= found[0] <= found[1] <= largest and found[1] - found[0] <= widest


def _choice_wrong(field: FormField, answers: list[str]) -> str | None:
    if not set(answers) <= field.options.keys():
        return f"“{field.label}”: choose one of the answers offered."
    return next((field.refuses[one] for one in answers if one in field.refuses), None)


def concerns(command: RequestSearch, pack: Pack) -> tuple[str, ...]:
    """Why a supervisor has to approve this request before anything is searched; none where nobody has to."""
    given = answers(command, pack)
    purpose = pack.purpose(command.purpose)
    found = [
        field.holds[one]
        for field in (pack.fields(purpose) if purpose else ())
        for one in chosen(given.get(field.name, ""))
        if one in field.holds
    ]
    if touches := protected(pack, given):
        found.append(touches)
    if command.case_known is CaseKnown.CLOSED:
        found.append(CASE_CLOSED)
    found += [
        f"The request mentions “{word}”. {ban.text}"
        for ban in pack.bans
        if (word := mentioned(ban.words, given.values()))
    ]
    found += [
        f"It asks to search photographs of the class {one}, which an executive has to allow."
        for one in command.repositories
        if one in pack.repositories.exceptional
    ]
    return tuple(found)


def protected(pack: Pack, answers: Mapping[str, str]) -> str:
    """Which word makes the request touch protected activity, in a sentence; empty where none does (M43)."""
    words = pack.protected_activity.words if pack.protected_activity else ()
    word = mentioned(words, answers.values())
    return f"The request mentions “{word}”: it may touch protected activity." if word else ""
