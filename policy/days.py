"""Days as people write them. Pure.

An answer to a question of the kind `date` is a day that there is, and not one to come. In free text a day is looked for
in the forms in which police reports have it.
"""

import re
from datetime import date, datetime, timedelta

ISO = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
EARLIEST = date(1900, 1, 1)
AHEAD = timedelta(hours=14)  # so much later than UTC it is already, somewhere

_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_ORDINAL = rf"{_DAY}(?:st|nd|rd|th)?"
NAMED = re.compile(
    rf"\b(?:\d{{4}}-\d{{2}}-{_DAY}"  # 2026-03-12
    rf"|{_ORDINAL}\.?(?: of)? {_MONTH}(?:,? \d{{4}})?"  # 12 March 2026, 12th of March
    rf"|{_MONTH} {_ORDINAL}(?:,? \d{{4}})?"  # March 12, 2026
    rf"|{_DAY}[/.]{_DAY}[/.](?:\d{{4}}|\d{{2}}))\b",  # 3/12/2026, 12.3.26
    re.IGNORECASE | re.ASCII,
)
MONTH = re.compile(rf"\b{_MONTH},? \d{{4}}\b", re.IGNORECASE | re.ASCII)  # March 2026


def day(text: str) -> date | None:
    """The day that `text` says as year-month-day; None where there is none such."""
    if not ISO.fullmatch(text.strip()):
        return None
    try:
        found = date.fromisoformat(text.strip())
    except ValueError:
        return None
    return found if found >= EARLIEST else None


def is_to_come(found: date, now: datetime) -> bool:
    """Whether that day has begun nowhere yet."""
    return found > (now + AHEAD).date()


def names_one(text: str) -> bool:
    """Whether the free text says on which day something was."""
    return NAMED.search(text) is not None


def without(text: str) -> str:
    """The text without its days and months: March is no march."""
    return MONTH.sub(" ", NAMED.sub(" ", text))
