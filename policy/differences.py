"""What an examiner writes beside a possible match: at least one difference, in words that say something (M18). Pure."""

import re

from policy import placeholders

MIN_CHARS = 15
DENIAL = re.compile(
    r"\b(?:no|not any|without(?: any)?|zero|nil|lack of)\b.*\b(?:differen(?:ces?|t)|discrepan\w+)\b"
    r"|\bno(?:thing|ne)\b.*\bdiffer|\bnone\b|\b(?:do|does) not differ\b"
)


def says_none(text: str) -> bool:
    """Whether what should name a difference names none: too little, a stock phrase, or that there was nothing."""
    clauses = re.split(r"[.;:,\n]", text)
    return placeholders.is_placeholder(" ".join(c for c in clauses if not DENIAL.search(c.casefold())), MIN_CHARS)
