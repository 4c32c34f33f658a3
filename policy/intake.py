"""What a request must say before anything is searched (M1 to M4)."""

import re
import unicodedata
from collections.abc import Mapping

from policy.model import Refused, RequestSearch
from policy.pack import FormField, Pack

MAX_TEXT = 3000  # Slack's own limit for an input
PLACEHOLDER = re.compile(r"^(n/?a|none|tbd|test|asdf+|x+|\.+|-+|see (report|file|case))\.?$", re.IGNORECASE)
FEW_WORDS = 4


def normalised(case_number: str) -> str:
    """Upper case, without surrounding or doubled blanks: the form in which case numbers are compared."""
    return " ".join(_plain(case_number).upper().split())


def cleaned(fields: Mapping[str, str]) -> dict[str, str]:
    """Free text as it was written, without control and direction-changing characters, without empty answers."""
    return {name: text for name, raw in fields.items() if (text := _plain(raw).strip())}


def _plain(text: str) -> str:
    """Without characters of Unicode's categories C (controls, bidi overrides, private use), line ends excepted."""
    return "".join(c for c in text[:MAX_TEXT] if c in "\n\t" or not unicodedata.category(c).startswith("C"))


def screen(command: RequestSearch, pack: Pack) -> Refused | None:
    """The first reason why this request may not become a search; None where it may."""
    purpose = pack.purpose(command.purpose)
    if purpose is None:
        return Refused("authorised-purpose", "That is not one of the authorised uses. Nothing was searched.")
    case_number = normalised(command.case_number)
    if not re.fullmatch(purpose.case_number_pattern, case_number):
        return Refused(
            "case-number", f"That does not look like a {purpose.case_number_label}: {purpose.case_number_hint}"
        )
    fields = cleaned(command.fields)
    for field in pack.fields(purpose):
        if reason := _answer_missing(field, fields.get(field.name, ""), pack):
            return Refused(f"field:{field.name}", reason)
    if not command.attested:
        return Refused("attested", "Without the attestation the photograph may not be searched (M4).")
    return None


def _answer_missing(field: FormField, answer: str, pack: Pack) -> str | None:
    if not answer:
        return f"“{field.label}” is required for this purpose." if field.required else None
    if field.kind == "choice" and answer not in field.options:
        return f"“{field.label}”: choose one of the answers offered."
    if field.kind == "narrative" and is_placeholder(answer, pack.narrative_min_chars):
        return f"“{field.label}”: say what the facts are, in at least {pack.narrative_min_chars} characters."
    return None


def is_placeholder(text: str, min_chars: int) -> bool:
    """Whether a narrative says nothing: too short, a stock phrase, or one word over and over (M2)."""
    words = text.lower().split()
    return len(text.strip()) < min_chars or bool(PLACEHOLDER.match(text.strip())) or len(set(words)) < FEW_WORDS
