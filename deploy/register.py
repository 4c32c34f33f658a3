"""A register of custody as an agency hands it over: read and checked as a whole, before anything is written."""

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from matcher.register import Spell

COLUMNS = ("person", "began", "ended")


@dataclass(frozen=True, slots=True)
class Register:
    """Every spell, and what is wrong with the other lines: (line, sentence)."""

    spells: tuple[Spell, ...]
    wrong: tuple[tuple[int, str], ...]


def read(path: Path, today: date) -> Register:
    """A CSV with the columns person, began and ended; an empty `ended` means still there."""
    spells: list[Spell] = []
    wrong: list[tuple[int, str]] = []
    seen: dict[tuple[str, date], int] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.DictReader(file)
        try:
            if tuple(lines.fieldnames or ()) != COLUMNS:
                return Register((), ((1, f"the first line names the columns: {','.join(COLUMNS)}"),))
            for row in lines:
                try:
                    spell = _spell(row, today)
                except ValueError as error:
                    wrong.append((lines.line_num, str(error)))
                    continue
                first = seen.setdefault((spell.person, spell.began), lines.line_num)
                if first != lines.line_num:
                    wrong.append((lines.line_num, f"the same spell stands in line {first}"))
                spells.append(spell)
        except (UnicodeDecodeError, csv.Error) as error:
            wrong.append((lines.line_num + 1, f"the file is no CSV in UTF-8 from here on ({type(error).__name__})"))
    return Register(tuple(spells), tuple(wrong))


def _spell(untrusted: dict[str | None, str | None], today: date) -> Spell:
    if None in untrusted:
        raise ValueError("there are more values than columns")
    person = (untrusted["person"] or "").strip()
    if not person or "\0" in person:
        raise ValueError("nobody is named")
    began, ended = _day(untrusted["began"], "began"), (untrusted["ended"] or "").strip()
    until = _day(ended, "ended") if ended else None
    if until is not None and until < began:
        raise ValueError(f"it ended on {until}, before it began")
    if max(began, until or began) > today:
        raise ValueError("it is of a day to come; leave `ended` empty for whoever is still there")
    return Spell(person, began, until)


def _day(untrusted: str | None, name: str) -> date:
    try:
        return date.fromisoformat((untrusted or "").strip())
    except ValueError:
        raise ValueError(f"{name} {untrusted!r} is not a date such as 2026-03-13") from None
