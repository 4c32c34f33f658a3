"""ANSI/NIST-ITL files in the traditional encoding (NIST SP 500-290, annex B): transactions of logical records.

Records of types 3 to 8 are binary and say nothing but their length; all others are tagged, `10.003:FACE`, with fields
that end in GS and a record that ends in FS. Which record is of which type, the first one says (1.003).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

FS, GS, RS, US = b"\x1c", b"\x1d", b"\x1e", b"\x1f"
DATA = 999  # x.999, the last field of a record: raw bytes
BINARY = frozenset({3, 4, 5, 6, 7, 8})
HEAD = re.compile(rb"(\d{1,2})\.0*1:(\d{1,9})[\x1c\x1d]")
TAG = re.compile(rb"(\d{1,2})\.(\d{1,9}):")
TWICE = re.compile(rb"[^\xff\x89\x1d]{0,80}\x1d\d{1,2}\.999:")  # NBIS's own samples have a field 999 before the image


class ItlError(Exception):
    """The bytes are not what SP 500-290 describes; the message says where."""


@dataclass(frozen=True, slots=True)
class Record:
    """One logical record: fields by number, as bytes. A binary record has none."""

    kind: int
    fields: dict[int, bytes] = field(default_factory=dict[int, bytes])

    def text(self, number: int) -> str:
        """The first item of the field, without blanks around it; empty where there is none."""
        return self.items(number)[0][0]

    def items(self, number: int) -> list[list[str]]:
        """The field's subfields, and their items."""
        data = self.fields.get(number, b"")
        return [[_text(item) for item in sub.split(US)] for sub in data.split(RS)]


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8").strip()
    except UnicodeDecodeError:
        return data.decode("latin-1").strip()


Transaction = list[Record]


def transactions(untrusted: bytes) -> Iterator[Transaction]:
    """Every transaction of a file: a Type-1 record and those that it lists. Several may follow one another."""
    at = 0
    while at < len(untrusted):
        first, at = _tagged(untrusted, at)
        if first.kind != 1:
            raise ItlError("It does not begin with a Type-1 record.")
        out = [first]
        for kind in _listed(first):
            record, at = _record(untrusted, at, kind)
            out.append(record)
        yield out


def _listed(first: Record) -> list[int]:
    """The kinds of the records that follow, in their order (1.003: "1 US count RS kind US IDC RS …")."""
    try:
        head, *rest = first.items(3)
        kinds = [int(items[0]) for items in rest]
        count = int(head[1])
    except (ValueError, IndexError):
        raise ItlError("Its list of contents, 1.003, cannot be read.") from None
    if count != len(kinds):
        raise ItlError(f"Its list of contents, 1.003, counts {count} records and names {len(kinds)}.")
    return kinds


def _record(untrusted: bytes, at: int, kind: int) -> tuple[Record, int]:
    if at >= len(untrusted):
        raise ItlError(f"It ends where a Type-{kind} record should begin: it is cut short.")
    if kind in BINARY:
        length = int.from_bytes(untrusted[at : at + 4], "big")
        _check_length(untrusted, at, kind, length)
        return Record(kind), at + length
    record, after = _tagged(untrusted, at)
    if record.kind != kind:
        raise ItlError(f"At byte {at} there is a Type-{record.kind} record, and 1.003 names a Type-{kind}.")
    return record, after


def _check_length(untrusted: bytes, at: int, kind: int, length: int) -> None:
    if length <= 4 or at + length > len(untrusted):  # noqa: PLR2004 - the length itself
        rest = len(untrusted) - at
        raise ItlError(f"The Type-{kind} record at byte {at} says it has {length} bytes, and {rest} are left.")


def _tagged(untrusted: bytes, at: int) -> tuple[Record, int]:
    """The tagged record at this byte, and where the next one begins."""
    head = HEAD.match(untrusted, at)
    if head is None:
        raise ItlError(f"At byte {at} there should be a record's length field, such as 10.001:12345.")
    kind, length = int(head[1]), int(head[2])
    _check_length(untrusted, at, kind, length)
    record = untrusted[at : at + length]
    if not record.endswith(FS):
        raise ItlError(f"The Type-{kind} record at byte {at} does not end where its length says.")
    return Record(kind, _fields(record[:-1], kind, at)), at + length


def _fields(record: bytes, kind: int, at: int) -> dict[int, bytes]:
    out: dict[int, bytes] = {}
    position = 0
    while position < len(record):
        tag = TAG.match(record, position)
        if tag is None or int(tag[1]) != kind:
            raise ItlError(f"The Type-{kind} record at byte {at} has a field without a number at its byte {position}.")
        number = int(tag[2])
        if number == DATA:
            data = record[tag.end() :]
            twice = TWICE.match(data)
            out[DATA] = data[twice.end() :] if twice else data
            break
        end = record.find(GS, tag.end())
        end = len(record) if end < 0 else end
        out[number] = record[tag.end() : end]
        position = end + 1
    return out
