"""The tamper-evident record. Entries are chained and hashed by the database itself; nobody may change or delete one.

An entry is written by `ledger.append` in the transaction of the fact it testifies to: what cannot be recorded is not
done. Personal text is only committed to (salted SHA-256); salt and value stand beside it and can be erased.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.database import Conn


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of one stream, as it was hashed; `private` holds what was only committed to and is not yet erased."""

    number: int
    stream: str
    seq: int
    kind: str
    at: str
    actor: str
    data: Mapping[str, Any]
    private: Mapping[str, Any]
    recorded_at: datetime


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


READ = "SELECT n, stream, seq, entry, recorded_at FROM ledger.entry WHERE stream = $1 ORDER BY seq"
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
    return [_entry(row, opened.get(row["n"], {})) for row in await conn.fetch(READ, stream)]


def _entry(row: Any, private: Mapping[str, Any]) -> Entry:
    said = json.loads(bytes(row["entry"]))
    data = said["data"]
    at, actor = said["at"], said["actor"]
    return Entry(row["n"], row["stream"], row["seq"], said["kind"], at, actor, data, private, row["recorded_at"])
