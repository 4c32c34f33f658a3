"""Forms that were not sent yet: kept sealed, shown again to whoever typed them, gone once sent and after a day."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from bot import photos
from bot.database import Conn
from policy.model import PersonId, SearchId
from policy.typed import plain

KEPT_FOR = timedelta(days=1)  # what was never sent tells of a case without any record of it

KEEP = """
INSERT INTO casework.draft (search, person, nonce, sealed) VALUES ($1, $2, $3, $4)
ON CONFLICT (search, person) DO UPDATE SET nonce = excluded.nonce, sealed = excluded.sealed, kept_at = clock_timestamp()
"""
OPEN = "SELECT nonce, sealed FROM casework.draft WHERE search = $1 AND person = $2"
FORGET = "DELETE FROM casework.draft WHERE search = $1 AND person = $2"


async def keep(conn: Conn, kek: bytes, search: SearchId, person: PersonId, answers: Mapping[str, str]) -> None:
    """`person` finds these answers again when they open the form of this search."""
    given = json.dumps({name: plain(text) for name, text in answers.items() if text}).encode()
    nonce, sealed = await photos.sealed(conn, kek, search, f"draft|{person}", given)
    await conn.execute(KEEP, search, person, nonce, sealed)


async def opened(conn: Conn, kek: bytes, search: SearchId, person: PersonId) -> dict[str, str]:
    """What `person` had answered so far; nothing where nothing was kept."""
    row = await conn.fetchrow(OPEN, search, person)
    if row is None:
        return {}
    return json.loads(await photos.unsealed(conn, kek, search, f"draft|{person}", row["nonce"], row["sealed"]))


SWEEP = "WITH gone AS (DELETE FROM casework.draft WHERE kept_at < $1 RETURNING 1) SELECT count(*) FROM gone"


async def sweep(conn: Conn, now: datetime) -> int:
    """Those that nobody went on with for a day are gone: how many."""
    return int(await conn.fetchval(SWEEP, now - KEPT_FOR))


async def forget(conn: Conn, search: SearchId, person: PersonId) -> None:
    await conn.execute(FORGET, search, person)
