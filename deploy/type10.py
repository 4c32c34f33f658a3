"""Face images out of an ANSI/NIST-ITL file (NIST SP 500-290, traditional encoding), as agencies export mugshots.

Only what enrolment needs is read: Type-1 (1.003 contents), Type-2 as sent, and Type-10 (10.003 image type, 10.004
source agency, 10.005 photo date, 10.011 compression, 10.999 image data). Everything else is left where it is.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

FS, GS, RS, US = b"\x1c", b"\x1d", b"\x1e", b"\x1f"
DATA = 999  # x.999, the last field of a record: raw bytes
SUFFIX = {"JPEGB": ".jpg", "JPEGL": ".jpg", "PNG": ".png"}
NUMBER = b"0123456789"
MAX_RECORDS = 10_000
MAX_FILE = 512 * 1024 * 1024


class Type10Error(Exception):
    """The file is not what SP 500-290 describes; the message says where."""


@dataclass(frozen=True, slots=True)
class Record:
    """One logical record: fields by number, as bytes."""

    kind: int
    fields: dict[int, bytes] = field(default_factory=dict[int, bytes])

    def text(self, number: int) -> str:
        return self.fields.get(number, b"").split(US)[0].split(RS)[0].decode("utf-8", "replace").strip()


def records(untrusted: bytes) -> Iterator[Record]:
    """The tagged records of a transaction, one after the other."""
    at = 0
    while at < len(untrusted):
        kind, length = _head(untrusted, at)
        if length <= 0 or at + length > len(untrusted):
            raise Type10Error(f"The record at byte {at} says it is {length} bytes long, and the file is not.")
        yield Record(kind, _fields(untrusted[at : at + length], kind, at))
        at += length


def _head(untrusted: bytes, at: int) -> tuple[int, int]:
    """The first field, `K.001:LENGTH`, says of what kind the record is and how long."""
    end = min((i for i in (untrusted.find(mark, at, at + 64) for mark in (GS, FS)) if i >= 0), default=-1)
    tag, colon, length = untrusted[at:end].partition(b":")
    kind, dot, number = tag.partition(b".")
    if end < 0 or not colon or not dot or not kind.isdigit() or number.lstrip(b"0") != b"1" or not length.isdigit():
        raise Type10Error(f"At byte {at} there should be a record's length field, such as 10.001:12345.")
    return int(kind), int(length)


def _fields(record: bytes, kind: int, at: int) -> dict[int, bytes]:
    out: dict[int, bytes] = {}
    position = 0
    while position < len(record):
        colon = record.find(b":", position, position + 16)
        head, _, number = record[position:colon].partition(b".")
        if colon < 0 or not head.isdigit() or int(head) != kind or not number.isdigit():
            raise Type10Error(f"The record at byte {at} has a field without a number.")
        if int(number) == DATA:
            out[DATA] = record[colon + 1 :].removesuffix(FS)
            break
        end = next((i for i in range(colon + 1, len(record)) if record[i : i + 1] in {GS, FS}), len(record))
        out[int(number)] = record[colon + 1 : end]
        position = end + 1
    return out


def unpack(file: Path, into: Path, legal_basis: str) -> int:
    """Pictures and a `manifest.jsonl` lie in `into`, a new folder: how many face images there were."""
    if file.stat().st_size > MAX_FILE:
        raise Type10Error("The file is larger than 512 MB. Split it.")
    if into.exists():
        raise Type10Error(f"{into} is there already. Name a new folder.")
    read = list(records(file.read_bytes()))
    if not read or read[0].kind != 1:
        raise Type10Error("The file does not begin with a Type-1 record.")
    faces = [record for record in read if record.kind == 10 and record.text(3).upper() in {"FACE", ""}]  # noqa: PLR2004
    lines = [_line(file.stem, n, record, read, legal_basis) for n, record in enumerate(faces, start=1)]
    into.mkdir(parents=True)
    for (name, _), record in zip(lines, faces, strict=True):
        (into / name).write_bytes(record.fields[DATA])
    text = "".join(json.dumps(line) + "\n" for _, line in lines)
    (into / "manifest.jsonl").write_text(text, encoding="utf-8")
    return len(lines)


def _line(stem: str, n: int, record: Record, every: list[Record], legal_basis: str) -> tuple[str, dict[str, str]]:
    suffix = SUFFIX.get(record.text(11).upper())
    if suffix is None or not record.fields.get(DATA):
        raise Type10Error(f"Face image {n}: compression {record.text(11)!r} is not JPEGB, JPEGL or PNG, or no data.")
    name = f"{n:04d}{suffix}"
    control = every[0].text(9) or stem  # 1.009, the transaction control number
    person = next((r.text(7) or r.text(59) for r in every if r.kind == 2 and (r.text(7) or r.text(59))), control)  # noqa: PLR2004
    line = {
        "person": person,
        "photo": name,
        "legal_basis": legal_basis,
        "agency": record.text(4) or every[0].text(8),
        "arrest_id": control,
        "photo_date": _day(record.text(5), n),
    }
    return name, line


def _day(text: str, n: int) -> str:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])).isoformat()
    except ValueError:
        raise Type10Error(f"Face image {n}: 10.005 {text!r} is not a date such as 20260313.") from None
