"""What a request must say before anything is searched (M1 to M4), and what of it a supervisor has to see first."""

import re
from collections.abc import Iterable, Iterator, Mapping

from policy import wording
from policy.contradictions import DESCRIBED
from policy.model import CaseKnown, Refused, RequestSearch
from policy.pack import FormField, Pack, Purpose
from policy.patterns import fits
from policy.typed import plain

PLACEHOLDER = re.compile(
    r"^(n/?a|none|tbd|test|asdf+|x+|\.+|-+|see (report|file|case)|no (reason|comment)|approved|rejected)\.?$",
    re.IGNORECASE,
)
FEW_WORDS = 4
REASON_MIN_CHARS, FEW_LETTERS = 6, 4
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


def screen(command: RequestSearch, pack: Pack) -> Refused | None:
    """The first reason why this request may not become a search; None where it may."""
    return next(findings(command, pack), None)


def findings(command: RequestSearch, pack: Pack) -> Iterator[Refused]:
    """Every reason why this request may not become a search."""
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
        if reason := _answer_wrong(field, given.get(field.name, ""), pack):
            yield Refused(f"field:{field.name}", reason)
    if unknown := set(command.repositories) - {*pack.repositories.permitted, *pack.repositories.exceptional}:
        yield Refused("repository", f"Photographs of the class {', '.join(sorted(unknown))} may not be searched.")
    if not command.attested:
        yield Refused("attested", "Without the attestation the photograph may not be searched (M4).")


def _answer_wrong(field: FormField, answer: str, pack: Pack) -> str | None:
    if not answer:
        return f"“{field.label}” is required here." if field.required else None
    match field.kind:
        case "choice" | "checks":
            return _choice_wrong(field, [answer] if field.kind == "choice" else chosen(answer))
        case "narrative" if is_placeholder(answer, pack.narrative_min_chars):
            return f"“{field.label}”: say what the facts are, in at least {pack.narrative_min_chars} characters."
        case "text" if field.pattern and not fits(field.pattern, normalised(answer)):
            return f"“{field.label}” does not have the form it should: {field.hint or field.pattern}"
        case "narrative" | "text" if field.name in DESCRIBED and (word := wording.claim(answer)):
            return f"“{word}” is no description: say what the witness saw, and nothing more. It may print on a lead."
        case "narrative" | "text":
            return None


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
        if (word := _mentioned(ban.words, given.values()))
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
    word = _mentioned(words, answers.values())
    return f"The request mentions “{word}”: it may touch protected activity." if word else ""


def _mentioned(words: Iterable[str], texts: Iterable[str]) -> str | None:
    """The first of `words` in the texts; one that ends in a star begins a word, the others are whole."""
    spoken = " ".join(texts).casefold()
    return next((word.rstrip("*") for word in words if re.search(_whole(word.casefold()), spoken)), None)


def _whole(word: str) -> str:
    return rf"\b{re.escape(word[:-1])}" if word.endswith("*") else rf"\b{re.escape(word)}\b"


def is_placeholder(text: str, min_chars: int) -> bool:
    """Whether a narrative says nothing: too short, a stock phrase, or one word over and over (M2)."""
    words = text.lower().split()
    return says_nothing(text, min_chars) or len(set(words)) < FEW_WORDS


def says_nothing(text: str, min_chars: int = REASON_MIN_CHARS) -> bool:
    """Whether a reason is none: a few characters, one of them over and over, or a stock phrase (M23)."""
    said = text.strip()
    return len(said) < min_chars or len(set(said.lower())) < FEW_LETTERS or bool(PLACEHOLDER.match(said))
