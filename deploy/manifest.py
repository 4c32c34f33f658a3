"""What an agency hands over to be enrolled: read and checked as a whole, before anything is written."""

import csv
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from matcher.contract import CLASS
from matcher.dataset import SUFFIXES
from matcher.enrolment import Enrolment

NEEDED = ("person", "photo", "legal_basis", "agency", "arrest_id", "photo_date")
PEDIGREE = ("name", "sex", "birth_year", "height_cm", "weight_kg", "marks")
KNOWN = (*NEEDED, "sealed", "juvenile", *PEDIGREE, "from_file", "from_sha256")  # `seald` must not enrol it unsealed


@dataclass(frozen=True, slots=True)
class Row:
    """One line that may be enrolled."""

    line: int
    path: Path
    enrolment: Enrolment


@dataclass(frozen=True, slots=True)
class Manifest:
    """All lines that may be enrolled, and what is wrong with the others: (line, sentence)."""

    rows: tuple[Row, ...]
    wrong: tuple[tuple[int, str], ...]
    sha256: str  # names the batch: the same manifest again is the same batch


def read(path: Path, today: date | None = None) -> Manifest:
    """A CSV or JSONL manifest; photographs are named relative to it. With `today`, none may be of a day to come."""
    rows: list[Row] = []
    wrong: list[tuple[int, str]] = []
    seen: dict[tuple[str, Path], int] = {}
    names: dict[str, tuple[str, int]] = {}
    line = 0
    lines = _lines(path)
    while True:
        try:
            line, untrusted = next(lines)
            row = _row(line, untrusted, path.parent)
        except StopIteration:
            break
        except (UnicodeDecodeError, csv.Error) as error:  # nothing behind it can be trusted
            wrong.append((line + 1, f"the file is no text in UTF-8 from here on ({type(error).__name__})"))
            break
        except (ValueError, TypeError) as error:
            wrong.append((line, str(error)))
            continue
        who, photo = row.enrolment.person, row.path
        name, named = names.setdefault(who, (row.enrolment.name, line))
        if before := seen.get((who, photo)):
            wrong.append((line, f"the same photograph of the same person as line {before}"))
        elif name != row.enrolment.name:
            wrong.append((line, f"{who} is called {row.enrolment.name!r} here and {name!r} in line {named}"))
        elif today is not None and row.enrolment.taken_on > today:
            wrong.append((line, f"photo_date {row.enrolment.taken_on} is still to come"))
        else:
            seen[who, photo] = line
            rows.append(row)
    return Manifest(tuple(rows), tuple(wrong), hashlib.sha256(path.read_bytes()).hexdigest())


def of_folder(folder: Path, said: dict[str, str]) -> Manifest:
    """A folder with a folder for each person; what the law asks is `said` once for all of them."""
    paths = sorted(path for path in folder.glob("*/*") if path.suffix.lower() in SUFFIXES)
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    rows: list[Row] = []
    wrong: list[tuple[int, str]] = []
    for line, path in enumerate(paths, start=1):
        name = str(path.relative_to(folder))
        digest.update(name.encode() + b"\0")
        untrusted = {"person": path.parent.name, "photo": name, "arrest_id": path.parent.name, **said}
        try:
            rows.append(_row(line, untrusted, folder))
        except ValueError as error:
            wrong.append((line, str(error)))
    return Manifest(tuple(rows), tuple(wrong), digest.hexdigest())


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        if path.suffix.lower() == ".csv":
            yield from enumerate(csv.DictReader(file), start=2)
            return
        for line, text in enumerate(file, start=1):
            if text.strip():
                yield line, _object(text)


def _object(text: str) -> dict[str, Any]:
    try:
        untrusted = json.loads(text)
    except ValueError:
        return {}
    return untrusted if isinstance(untrusted, dict) else {}


def _row(line: int, untrusted: dict[str, Any], folder: Path) -> Row:
    if unknown := [str(name) for name in untrusted if name not in KNOWN]:
        raise ValueError(f"nobody knows what {', '.join(sorted(unknown))} means; known are {', '.join(KNOWN)}")
    if missing := [name for name in NEEDED if not str(untrusted.get(name) or "").strip()]:
        raise ValueError(f"without {', '.join(missing)}")
    path = (folder / str(untrusted["photo"])).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ValueError(f"{untrusted['photo']} lies outside the manifest's folder")
    if not path.is_file():
        raise ValueError(f"there is no file {untrusted['photo']}")
    enrolment = Enrolment(
        person=_text(untrusted, "person"),
        name=_text(untrusted, "name") or _text(untrusted, "person"),
        legal_basis=_class(untrusted),
        agency=_text(untrusted, "agency"),
        arrest_id=_text(untrusted, "arrest_id"),
        taken_on=_day(untrusted["photo_date"]),
        sealed=_flag(untrusted, "sealed"),
        juvenile=_flag(untrusted, "juvenile"),
        sex=_text(untrusted, "sex") or None,
        birth_year=_whole(untrusted, "birth_year", 1900, 2100),
        height_cm=_number(untrusted, "height_cm", 40, 260),
        weight_kg=_number(untrusted, "weight_kg", 2, 500),
        marks=_text(untrusted, "marks") or None,
    )
    return Row(line, path, enrolment)


def _class(untrusted: dict[str, Any]) -> str:
    """The name of a class of photographs: what a policy pack permits is compared with it word by word (M42)."""
    name = _text(untrusted, "legal_basis")
    if not re.fullmatch(CLASS, name):
        raise ValueError(f"legal_basis {name!r} is no class of photographs, such as arrest or parole: a-z, 0-9 and -")
    return name


def _text(untrusted: dict[str, Any], name: str) -> str:
    text = str(untrusted.get(name) or "").strip()
    if "\0" in text:
        raise ValueError(f"{name} has a zero byte in it")
    return text


def _day(untrusted: object) -> date:
    try:
        return date.fromisoformat(str(untrusted).strip())
    except ValueError:
        raise ValueError(f"photo_date {untrusted!r} is not a date such as 2026-03-13") from None


def _flag(untrusted: dict[str, Any], name: str) -> bool:
    text = str(untrusted.get(name)).strip().lower()
    if text in {"", "none", "false", "no", "0"}:
        return False
    if text in {"true", "yes", "1"}:
        return True
    raise ValueError(f"{name} {text!r} is neither yes nor no")


def _number(untrusted: dict[str, Any], name: str, least: float, most: float) -> float | None:
    text = _text(untrusted, name)
    try:
        value = float(text) if text else None
    except ValueError:
        raise ValueError(f"{name} {text!r} is not a number") from None
    if value is not None and not least <= value <= most:
        raise ValueError(f"{name} {text} is not from {least:g} to {most:g}")
    return value


def _whole(untrusted: dict[str, Any], name: str, least: int, most: int) -> int | None:
    value = _number(untrusted, name, least, most)
    return None if value is None else int(value)
