"""Mugshots out of ANSI/NIST-ITL files, as agencies export them: Type-10 face images and what Type-2 says of the person.

Type-10 is NIST SP 500-290's; the fields of Type-2 are the FBI's (EBTS), which the standard leaves to each domain.
"""

import calendar
import hashlib
import json
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from deploy.itl import DATA, ItlError, Record, Transaction, transactions
from matcher import images
from matcher.contract import CLASS
from matcher.images import ImageRefusedError

MAX_FILE = 512 * 1024 * 1024
FRONTAL = frozenset({"", "F", "A", "D"})  # 10.020: full, angled, determined 3D; not the profiles, L and R
PERSON_FIELDS = (15, 14, 9)  # of Type-2: state number (SID), FBI number (UCN), the agency's case number (OCA)
OF_AGE = 18


class Type10Error(Exception):
    """Nothing can be imported; the message says why."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the operator says of all photographs."""

    legal_basis: str
    today: date
    person_field: int | None = None  # of Type-2; the first of PERSON_FIELDS that says something where none is named
    by_transaction: bool = False  # one person for each transaction, where nothing else names one
    of_age: bool = False  # whoever has no date of birth there


@dataclass(frozen=True, slots=True)
class Mugshot:
    """One line of the manifest to be, and its picture."""

    line: dict[str, object]
    picture: bytes


@dataclass(slots=True)
class Report:
    """What lies in the files: lines for the manifest, what is wrong, what was left out or is noted."""

    lines: int = 0
    wrong: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    noted: Counter[str] = field(default_factory=Counter[str])


def unpack(source: Path, into: Path, said: Said, *, leave_out_wrong: bool = False) -> Report:
    """Pictures and a `manifest.jsonl` lie in `into`, a new folder; or nothing does, and the report says what is wrong.

    `source` is one file or a folder of them.
    """
    if not re.fullmatch(CLASS, said.legal_basis):
        raise Type10Error(f"{said.legal_basis!r} is no class of photographs, such as arrest or parole: a-z, 0-9 and -.")
    if into.exists():
        raise Type10Error(f"{into} is there already. Name a new folder.")
    files = sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else [source]
    report = Report()
    into.parent.mkdir(parents=True, exist_ok=True)
    coming = Path(tempfile.mkdtemp(prefix=".coming-", dir=into.parent))
    try:
        with (coming / "manifest.jsonl").open("w", encoding="utf-8") as manifest:
            for file in files:
                for mugshot in _mugshots(file, source, said, report):
                    (coming / str(mugshot.line["photo"])).write_bytes(mugshot.picture)
                    manifest.write(json.dumps(mugshot.line) + "\n")
                    report.lines += 1
        if report.lines and (leave_out_wrong or not report.wrong):
            coming.rename(into)
    finally:
        shutil.rmtree(coming, ignore_errors=True)
    return report


def _mugshots(file: Path, source: Path, said: Said, report: Report) -> Iterator[Mugshot]:
    name = file.name if source == file else str(file.relative_to(source))
    try:
        found = _read(file)
    except ItlError as error:
        report.wrong.append((name, str(error)))
        return
    for transaction in found:
        faces = [record for record in transaction if record.kind == 10 and _is_frontal(record, report)]  # noqa: PLR2004
        for n, record in enumerate(faces, start=1):
            try:
                yield _mugshot(name, transaction, record, said, report)
            except ItlError as error:
                control = transaction[0].text(9)
                report.wrong.append((name, f"transaction {control}, face image {n}: {error}"))


def _read(file: Path) -> list[Transaction]:
    if file.stat().st_size > MAX_FILE:
        raise ItlError("It is larger than 512 MB. Split it.")
    found = list(transactions(file.read_bytes()))
    if not found:
        raise ItlError("It is empty.")
    return found


def _is_frontal(record: Record, report: Report) -> bool:
    """Whether it is a face from the front; what else there is, is counted."""
    if (what := record.text(3).upper()) not in {"FACE", ""}:
        report.noted[f"of {what.lower()}"] += 1
        return False
    if record.text(20).upper() not in FRONTAL:
        report.noted["in profile"] += 1
        return False
    return True


def _mugshot(name: str, transaction: Transaction, record: Record, said: Said, report: Report) -> Mugshot:
    data = record.fields.get(DATA, b"")
    digest = hashlib.sha256(data).hexdigest()  # of the image as it came, before any conversion
    if (said_digest := record.text(996).lower()) and said_digest != digest:
        raise ItlError("The image is not the one whose SHA-256 the record has (10.996).")
    suffix, picture = _picture(record, data)
    person, arrest = _numbers(transaction, said)
    taken_on = _day(record, 5)
    if taken_on > said.today:
        raise ItlError(f"It was taken on {taken_on} (10.005), which is still to come.")
    born = next((day for two in transaction if two.kind == 2 and (day := _born(two))), None)  # noqa: PLR2004
    if born is None and not said.of_age:
        raise ItlError(
            "Nothing says when the person was born (2.022), so nobody knows whether of age. Say --of-age "
            "where the agency vouches for it."
        )
    if born is not None and taken_on < born.at_the_earliest:
        raise ItlError(f"It was taken on {taken_on} (10.005), before the person was born, {born.text} (2.022).")
    juvenile = born is not None and _age(born.at_the_latest, taken_on) < OF_AGE
    report.noted["under 18 when photographed: enrolled, never searched"] += juvenile
    line: dict[str, object] = {
        "person": person,
        "photo": f"{report.lines + 1:06d}{suffix}",
        "legal_basis": said.legal_basis,
        "agency": record.text(4) or transaction[0].text(8),
        "arrest_id": arrest,
        "photo_date": taken_on.isoformat(),
        "juvenile": juvenile,
        **_pedigree(transaction, born),
        "from_file": name,
        "from_sha256": digest,
    }
    return Mugshot(line, picture)


def _picture(record: Record, data: bytes) -> tuple[str, bytes]:
    """What the image really is counts, not what 10.011 says. JPEG 2000 and raw pixels become PNG, losslessly."""
    if not data:
        raise ItlError("There is no image in it (10.999).")
    try:
        match images.sniff(data):
            case "jpeg":
                return ".jpg", data
            case "png":
                return ".png", data
            case _ if record.text(11).upper() == "NONE":
                return ".png", images.raw_as_png(data, _whole(record, 6), _whole(record, 7))
            case _:
                return ".png", images.jpeg2000_as_png(data)
    except ImageRefusedError as no:
        said = record.text(11) or "nothing"
        raise ItlError(f"10.011 says {said}. {no.reason}") from None


def _numbers(transaction: Transaction, said: Said) -> tuple[str, str]:
    """Whose photograph it is, and of which arrest."""
    two = [record for record in transaction if record.kind == 2]  # noqa: PLR2004
    control = transaction[0].text(9)
    fields = (said.person_field,) if said.person_field else PERSON_FIELDS
    person = next((text for number in fields for record in two if (text := record.text(number))), "")
    if not person and said.by_transaction:
        person = control
    if not person:
        named = ", ".join(f"2.{number:03d}" for number in fields)
        raise ItlError(f"Nothing says whose it is ({named}). Name the field, or take each transaction for a person.")
    case = next((record.text(9) for record in two if record.text(9)), "")
    arrest = case if case and case != person else control
    if not arrest:
        raise ItlError("Nothing says of which arrest it is (2.009, 1.009).")
    return person, arrest


def _day(record: Record, number: int) -> date:
    text = record.text(number)
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        raise ItlError(f"{record.kind}.{number:03d} {text!r} is not a date such as 20260313.") from None


@dataclass(frozen=True, slots=True)
class Born:
    """A date of birth, of which month and day may be unknown (zeros): a person is as young as it allows."""

    text: str
    at_the_earliest: date
    at_the_latest: date


def _born(two: Record) -> Born | None:
    """2.022: 19900317, 19900000 or 1990-03-17; None where it is unknown."""
    text = two.text(22).replace("-", "")
    if not re.fullmatch("[0-9]{8}", text, re.ASCII) or text[:4] == "0000":
        return None
    year, month, day = int(text[:4]), int(text[4:6]), int(text[6:])
    try:
        first = date(year, month or 1, day or 1)
        last = date(year, month or 12, day or calendar.monthrange(year, month or 12)[1])
    except ValueError:
        return None
    return Born(text, first, last)


def _age(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _whole(record: Record, number: int) -> int:
    text = record.text(number)
    if not text.isascii() or not text.isdigit() or len(text) > 5:  # noqa: PLR2004 - pixels
        raise ItlError(f"{record.kind}.{number:03d} {text!r} is not a number of pixels.")
    return int(text)


def _pedigree(transaction: Transaction, born: Born | None) -> dict[str, object]:
    """Name, sex, year of birth, and, where the domain is North America's, height and weight in metric units."""
    out: dict[str, object] = {}
    for two in (record for record in transaction if record.kind == 2):  # noqa: PLR2004
        out |= {"name": two.text(18)} if two.text(18) else {}
        out |= {"sex": two.text(24)} if two.text(24) in {"M", "F"} else {}
        if transaction[0].text(13).upper() in {"", "NORAM"}:
            out |= {"height_cm": cm} if (cm := _centimetres(two.text(27))) else {}
            out |= {"weight_kg": kg} if (kg := _kilograms(two.text(29))) else {}
    return out | ({"birth_year": born.at_the_latest.year} if born and born.at_the_latest.year >= 1900 else {})  # noqa: PLR2004


def _centimetres(text: str) -> float | None:
    """EBTS 2.027: feet and two digits of inches, or N and two digits of inches; 000 is unknown."""
    if not re.fullmatch("[N0-9][0-9]{2}", text):
        return None
    inches = int(text[1:]) if text[0] == "N" else int(text[0]) * 12 + int(text[1:])
    return round(inches * 2.54, 1) if 40 <= inches * 2.54 <= 260 else None  # noqa: PLR2004


def _kilograms(text: str) -> float | None:
    """EBTS 2.029: pounds; 000 is unknown."""
    pounds = int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else 0  # noqa: PLR2004
    return round(pounds * 0.45359237, 1) if pounds > 4 else None  # noqa: PLR2004
