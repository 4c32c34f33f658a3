"""What an agency hands over to be enrolled: read and checked as a whole, before anything is written."""

import csv
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TextIO

from deploy.the_record import hides
from matcher.contract import CLASS
from matcher.dataset import SUFFIXES
from matcher.enrolment import Enrolment

NEEDED = ("person", "photo", "legal_basis", "agency", "arrest_id", "photo_date")
PEDIGREE = ("name", "sex", "birth_year", "height_cm", "weight_kg", "marks")
KNOWN = (*NEEDED, "sealed", "juvenile", *PEDIGREE, "from_file", "from_sha256")  # `seald` must not enrol it unsealed
OF_AGE = 18


class NotEnrolledError(Exception):
    """A line says something that cannot be enrolled; the message says what."""


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
    for line, untrusted in _lines(path):
        try:
            row = _row(line, _whole_line(untrusted), path.parent, today)
        except NotEnrolledError as error:
            wrong.append((line, str(error)))
            continue
        who, photo = row.enrolment.person, row.path
        name, named = names.setdefault(who, (row.enrolment.name, line))
        if before := seen.get((who, photo)):
            wrong.append((line, f"the same photograph of the same person as line {before}"))
        elif name != row.enrolment.name:
            wrong.append((line, f"{who} is called {row.enrolment.name!r} here and {name!r} in line {named}"))
        else:
            seen[who, photo] = line
            rows.append(row)
    return Manifest(tuple(rows), tuple(wrong), hashlib.sha256(path.read_bytes()).hexdigest())


def of_folder(folder: Path, said: dict[str, str], today: date | None = None) -> Manifest:
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
            rows.append(_row(line, untrusted, folder, today))
        except NotEnrolledError as error:
            wrong.append((line, str(error)))
    return Manifest(tuple(rows), tuple(wrong), digest.hexdigest())


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """(the line it begins in, what it says), or, where that cannot be read, the sentence that says why."""
    reading = _csv if path.suffix.lower() == ".csv" else _jsonl
    line = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for line, said in reading(file):
                yield line, said
    except UnicodeDecodeError:  # nothing behind it can be trusted
        yield line + 1, "the file is no text in UTF-8 from here on"


def _csv(file: TextIO) -> Iterator[tuple[int, dict[str, Any] | str]]:
    rows = csv.reader(file, strict=True)
    try:
        names = next(rows, [])
    except csv.Error as error:
        yield 1, f"the file cannot be read as CSV ({error})"
        return
    if twice := sorted({name for name in names if names.count(name) > 1}):
        yield 1, f"the column {', '.join(twice)} is there twice"
        return
    while True:
        line = rows.line_num + 1
        try:
            fields = next(rows, None)
        except csv.Error as error:
            yield line, f"the file cannot be read as CSV from here on ({error})"
            return
        if fields is None:
            return
        if not fields:
            continue
        if len(fields) != len(names):
            yield line, f"it has {len(fields)} fields, and the first line names {len(names)}"
        else:
            yield line, dict(zip(names, fields, strict=True))


def _jsonl(file: TextIO) -> Iterator[tuple[int, dict[str, Any] | str]]:
    for line, text in enumerate(file, start=1):
        if text.strip():
            yield line, _object(text)


def _object(text: str) -> dict[str, Any] | str:
    try:
        untrusted = json.loads(text, object_pairs_hook=_once)
    except NotEnrolledError as error:
        return str(error)
    except (ValueError, RecursionError):
        return "it is no JSON"
    return untrusted if isinstance(untrusted, dict) else 'it is no JSON object, such as {"person": …}'


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise NotEnrolledError(f"{', '.join(twice)} is said twice")
    return dict(pairs)


def _whole_line(untrusted: dict[str, Any] | str) -> dict[str, Any]:
    if isinstance(untrusted, str):
        raise NotEnrolledError(untrusted)
    return untrusted


def _row(line: int, untrusted: dict[str, Any], folder: Path, today: date | None) -> Row:
    if unknown := [repr(name) for name in untrusted if name not in KNOWN]:
        raise NotEnrolledError(f"nobody knows what {', '.join(sorted(unknown))} means; known are {', '.join(KNOWN)}")
    if missing := [name for name in NEEDED if not _text(untrusted, name)]:
        raise NotEnrolledError(f"without {', '.join(missing)}")
    taken_on = _day(untrusted)
    if today is not None and taken_on > today:
        raise NotEnrolledError(f"photo_date {taken_on} is still to come")
    born = _whole(untrusted, "birth_year", 1900, 2100)
    enrolment = Enrolment(
        person=_text(untrusted, "person"),
        name=_text(untrusted, "name") or _text(untrusted, "person"),
        legal_basis=_class(untrusted),
        agency=_text(untrusted, "agency"),
        arrest_id=_text(untrusted, "arrest_id"),
        taken_on=taken_on,
        sealed=bool(_flag(untrusted, "sealed")),
        juvenile=_juvenile(_flag(untrusted, "juvenile"), born, taken_on),
        sex=_text(untrusted, "sex") or None,
        birth_year=born,
        height_cm=_number(untrusted, "height_cm", 40, 260),
        weight_kg=_number(untrusted, "weight_kg", 2, 500),
        marks=_text(untrusted, "marks") or None,
        source_sha256=_digest(untrusted),
    )
    return Row(line, _photo(untrusted, folder), enrolment)


def _photo(untrusted: dict[str, Any], folder: Path) -> Path:
    name = _text(untrusted, "photo")
    try:
        path = (folder / name).resolve()
        inside, there = path.is_relative_to(folder.resolve()), path.is_file()
    except (OSError, RuntimeError, ValueError):  # too long a name, a loop of links
        raise NotEnrolledError(f"{name[:80]!r} is not the name of a file") from None
    if not inside:
        raise NotEnrolledError(f"{name} lies outside the manifest's folder")
    if not there:
        raise NotEnrolledError(f"there is no file {name}")
    return path


def _juvenile(said: bool | None, born: int | None, taken_on: date) -> bool:
    """Whether somebody may have been under 18 when photographed. The year of birth alone leaves one year in doubt, and
    in doubt nobody is searched for, unless the agency says that the person was of age.
    """
    age = OF_AGE if born is None else taken_on.year - born  # at the end of that year
    if said is None:
        return born is not None and age <= OF_AGE
    if not said and age < OF_AGE:
        raise NotEnrolledError(f"juvenile is no, and born in {born} nobody is 18 on {taken_on}")
    return said


def _class(untrusted: dict[str, Any]) -> str:
    """The name of a class of photographs: what a policy pack permits is compared with it word by word (M42)."""
    name = _text(untrusted, "legal_basis")
    if not re.fullmatch(CLASS, name):
        raise NotEnrolledError(
            f"legal_basis {name!r} is no class of photographs, such as arrest or parole: a-z, 0-9 and -"
        )
    return name


def _text(untrusted: dict[str, Any], name: str) -> str:
    value = untrusted.get(name)
    if value is not None and not isinstance(value, str | int | float):
        raise NotEnrolledError(f"{name} is no text")
    text = "" if value is None else str(value).strip()
    if hides(text):
        raise NotEnrolledError(f"{name} {text[:80]!r} has marks in it that cannot be printed")
    return text


def _digest(untrusted: dict[str, Any]) -> str | None:
    text = _text(untrusted, "from_sha256").lower()
    if text and not re.fullmatch("[0-9a-f]{64}", text):
        raise NotEnrolledError(f"from_sha256 {text[:80]!r} is no SHA-256")
    return text or None


def _day(untrusted: dict[str, Any]) -> date:
    text = _text(untrusted, "photo_date")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotEnrolledError(f"photo_date {text!r} is not a date such as 2026-03-13") from None


def _flag(untrusted: dict[str, Any], name: str) -> bool | None:
    text = _text(untrusted, name).lower()
    if text in {"", "none"}:
        return None
    if text in {"false", "no", "0"}:
        return False
    if text in {"true", "yes", "1"}:
        return True
    raise NotEnrolledError(f"{name} {text!r} is neither yes nor no")


def _number(untrusted: dict[str, Any], name: str, least: float, most: float) -> float | None:
    text = _text(untrusted, name)
    try:
        value = float(text) if text else None
    except ValueError:
        raise NotEnrolledError(f"{name} {text!r} is not a number") from None
    if value is not None and not least <= value <= most:
        raise NotEnrolledError(f"{name} {text} is not from {least:g} to {most:g}")
    return value


def _whole(untrusted: dict[str, Any], name: str, least: int, most: int) -> int | None:
    value = _number(untrusted, name, least, most)
    if value is not None and value != int(value):
        raise NotEnrolledError(f"{name} {value:g} is not a whole number")
    return None if value is None else int(value)
