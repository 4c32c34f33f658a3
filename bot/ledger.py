"""The tamper-evident record. Entries are chained and hashed by the database itself; nobody may change or delete one.

An entry is written by `ledger.append` in the transaction of the fact it testifies to: what cannot be recorded is not
done. Personal text is only committed to (salted SHA-256); salt and value stand beside it and can be erased.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot import merkle
from bot.database import Conn

FIRST = bytes(32)  # what the first entry of a stream has for its predecessor's hash
COMMIT = b"leadgate-commit-v1\0"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of one stream, as it was hashed; `private` holds what was only committed to and is not yet erased."""

    number: int
    stream: str
    seq: int
    kind: str
    at: datetime
    actor: str
    data: Mapping[str, Any]
    private: Mapping[str, Any]
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry as the database keeps it: its bytes, and what stands beside them."""

    number: int
    stream: str
    seq: int
    prev_hash: bytes
    kind: str
    entry: bytes
    leaf_hash: bytes
    recorded_at: datetime

    def fault(self, reason: str) -> "Fault":
        """That this entry does not hold."""
        return Fault(self.number, self.stream, self.seq, reason)


@dataclass(frozen=True, slots=True)
class Fault:
    """What does not hold, and the entry at which it shows; without a number, the log as a whole."""

    number: int | None
    stream: str
    seq: int
    reason: str

    def __str__(self) -> str:
        if self.number is None:
            return self.reason
        return f"Entry {self.number}{f' ({self.stream} #{self.seq})' if self.stream else ''}: {self.reason}"


APPEND = "SELECT ledger.append($1, $2, $3, $4, $5, $6)"


async def append(
    conn: Conn,
    stream: str,
    kind: str,
    *,
    at: datetime,
    actor: str,
    data: Mapping[str, Any],
    private: Mapping[str, Any] | None = None,
) -> int:
    """The stream has one entry more once the caller's transaction commits: its number in the ledger."""
    return int(await conn.fetchval(APPEND, stream, kind, at, actor, dict(data), dict(private or {})))


ERASE = "SELECT ledger.erase($1, $2, $3, $4)"


async def erase(conn: Conn, stream: str, *, at: datetime, actor: str, why: str) -> int:
    """What the stream's entries only commit to is gone, and the ledger says so: how many fields there were."""
    return int(await conn.fetchval(ERASE, stream, at, actor, why))


ERASE_FIELDS = "SELECT ledger.erase_fields($1, $2, $3, $4, $5)"


async def erase_fields(conn: Conn, stream: str, fields: Sequence[str], *, at: datetime, actor: str, why: str) -> int:
    """The same for some of them, each named KIND.FIELD."""
    return int(await conn.fetchval(ERASE_FIELDS, stream, list(fields), at, actor, why))


READ = """
SELECT n, stream, seq, prev_hash, kind, entry, leaf_hash, recorded_at FROM ledger.entry
WHERE stream = $1 ORDER BY seq
"""
PRIVATE = """
SELECT private.n, private.field, private.value FROM ledger.private JOIN ledger.entry ON entry.n = private.n
WHERE entry.stream = $1
"""


async def read(conn: Conn, stream: str, *, with_private: bool = False) -> list[Entry]:
    """The stream's entries in order, oldest first."""
    opened: dict[int, dict[str, Any]] = {}
    if with_private:
        for row in await conn.fetch(PRIVATE, stream):
            opened.setdefault(row["n"], {})[row["field"]] = json.loads(bytes(row["value"]))
    return [as_entry(kept(row), opened.get(row["n"], {})) for row in await conn.fetch(READ, stream)]


async def verify_stream(conn: Conn, stream: str) -> Fault | None:
    """The first entry of the stream that does not hold; None where all do."""
    chain = Chain()
    return next((fault for row in await conn.fetch(READ, stream) for fault in chain.faults(kept(row))), None)


def kept(row: Any) -> Kept:
    """A row of ledger.entry."""
    prev_hash, entry, leaf_hash = bytes(row["prev_hash"]), bytes(row["entry"]), bytes(row["leaf_hash"])
    return Kept(row["n"], row["stream"], row["seq"], prev_hash, row["kind"], entry, leaf_hash, row["recorded_at"])


def as_entry(one: Kept, private: Mapping[str, Any]) -> Entry:
    """What the entry's bytes say."""
    said = json.loads(one.entry)
    at, recorded_at = datetime.fromisoformat(said["at"]), datetime.fromisoformat(said["recorded_at"])
    return Entry(
        said["n"], said["stream"], said["seq"], said["kind"], at, said["actor"], said["data"], private, recorded_at
    )


def commitment(salt: bytes, value: bytes) -> str:
    """What an entry says of a private field; `salt` and `value` open it."""
    return hashlib.sha256(COMMIT + salt + value).hexdigest()


@dataclass(slots=True)
class Chain:
    """Follows entries that come stream by stream, each stream in the order of `seq`."""

    stream: str = ""
    seq: int = 0
    leaf: bytes = FIRST

    def faults(self, one: Kept) -> list[Fault]:
        """What does not hold about the next entry."""
        if one.stream != self.stream:
            self.seq, self.leaf = 0, FIRST
        found = [one.fault(reason) for reason in _reasons(one, self.seq, self.leaf)]
        self.stream, self.seq, self.leaf = one.stream, one.seq, one.leaf_hash
        return found


def _reasons(one: Kept, seq_before: int, leaf_before: bytes) -> Iterator[str]:
    if merkle.leaf(one.entry) != one.leaf_hash:
        yield "its text is not what was hashed: it was changed afterwards."
    if one.seq != seq_before + 1:
        yield f"#{seq_before + 1} is missing before it."
    elif one.prev_hash != leaf_before:
        yield "it does not follow the entry before it: one of the two was replaced."
    if not _agrees(one):
        yield "its columns do not say what its text says."


def _agrees(one: Kept) -> bool:
    try:
        said = json.loads(one.entry)
        recorded_at = datetime.fromisoformat(said["recorded_at"])
    except (ValueError, KeyError, TypeError):
        return False
    columns = (one.number, one.stream, one.seq, one.prev_hash.hex(), one.kind, one.recorded_at)
    return columns == (said["n"], said["stream"], said["seq"], said["prev"], said["kind"], recorded_at)
