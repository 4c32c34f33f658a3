"""Seals the ledger: committed entries become leaves of one tree, and its root is signed.

One leader at a time, by a lock of its own connection; leaves and signed checkpoint in one transaction; a checkpoint is
published only after it is committed; nothing is signed where the leaves do not reproduce the last checkpoint. So all
checkpoints that ever leave the house are consistent with each other, whatever is killed when (reliability notes, 3).
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from bot import database, merkle, notes
from bot.database import AWAY, Conn

log = structlog.get_logger()

BATCH = 2000
POLL = 0.1  # seconds between looks for new entries; NOTIFY would make all commits wait for each other
PAUSE = 1.0  # seconds until a lost database, or the leadership, is asked for again
PATIENCE = 15.0  # seconds that a disclosure waits for its seal

Publish = Callable[[str], Awaitable[None]]


class LedgerBrokenError(Exception):
    """The leaves do not reproduce the last signed checkpoint: nothing more is signed. Run `leadgate ledger verify`."""


class NotSealedError(Exception):
    """The entry is not under a signed checkpoint yet: nothing may be disclosed on its strength. Try again."""


async def unpublished(note: str) -> None:
    """The checkpoint stays in the database only."""


def publish_to(path: Path) -> Publish:
    """Each checkpoint replaces the file at `path`: whole, or not at all."""

    def put(note: str) -> None:
        new = path.with_name(f"{path.name}.new")
        new.write_text(note, encoding="utf-8")
        new.replace(path)

    async def publish(note: str) -> None:
        await asyncio.to_thread(put, note)

    return publish


LEAD = "SELECT pg_try_advisory_lock(hashtextextended('leadgate sealer', 0))"


@dataclass(slots=True)
class Sealer:
    """Seals what is committed, as long as it leads; several may run, one leads."""

    url: str
    signer: notes.Signer
    publish: Publish = unpublished

    async def run(self) -> None:
        """Until cancelled. LedgerBrokenError ends it: then a person has to look."""
        while True:
            with contextlib.suppress(*AWAY):  # who leads next goes on from what was committed
                await self._lead()
            await asyncio.sleep(PAUSE)

    async def _lead(self) -> None:
        async with database.alone(self.url, name="leadgate-sealer") as conn:
            if not await conn.fetchval(LEAD):
                return
            tree = await load(conn, self.signer.verifier)
            log.info("sealer.leads", size=tree.size)
            while True:
                if not await self.step(conn, tree):
                    await asyncio.sleep(POLL)

    async def step(self, conn: Conn, tree: merkle.Tree) -> int:
        """What was committed is under a signed checkpoint, and that is published: how many entries it was."""
        size = tree.size
        try:
            async with conn.transaction():
                note = await _seal(conn, tree, self.signer)
        except BaseException:
            tree.cut(size)
            raise
        if note:
            await self.publish(note)
        return tree.size - size


TAKE = """
WITH taken AS (
    DELETE FROM ledger.unsealed WHERE n IN (SELECT n FROM ledger.unsealed ORDER BY n LIMIT $1) RETURNING n
)
SELECT entry.n, entry.leaf_hash FROM taken JOIN ledger.entry ON entry.n = taken.n ORDER BY entry.n
"""
PUT_LEAVES = """
INSERT INTO ledger.leaf (leaf_index, n, leaf_hash)
SELECT $1 + one.place - 1, one.n, one.leaf_hash
FROM unnest($2::bigint[], $3::bytea[]) WITH ORDINALITY AS one (n, leaf_hash, place)
"""
PUT_CHECKPOINT = "INSERT INTO ledger.checkpoint (tree_size, root, note) VALUES ($1, $2, $3)"


async def _seal(conn: Conn, tree: merkle.Tree, signer: notes.Signer) -> str | None:
    rows = await conn.fetch(TAKE, BATCH)
    if not rows:
        return None
    first = tree.size
    for row in rows:
        tree.append(bytes(row["leaf_hash"]))
    await conn.execute(PUT_LEAVES, first, [row["n"] for row in rows], [row["leaf_hash"] for row in rows])
    made = notes.Checkpoint(signer.name, tree.size, tree.root())
    note = signer.sign(str(made))
    await conn.execute(PUT_CHECKPOINT, made.size, made.root, note)
    return note


LEAVES = "SELECT leaf_index, leaf_hash FROM ledger.leaf WHERE leaf_index >= $1 ORDER BY leaf_index LIMIT 20000"
LAST_CHECKPOINT = "SELECT tree_size, root, note FROM ledger.checkpoint ORDER BY tree_size DESC LIMIT 1"


async def load(conn: Conn, verifier: notes.Verifier) -> merkle.Tree:
    """The tree that the last checkpoint speaks of. LedgerBrokenError where it cannot be had."""
    tree = await grow(conn, merkle.Tree())
    last: Any = await conn.fetchrow(LAST_CHECKPOINT)
    if last is None:
        if tree.size:
            raise LedgerBrokenError(f"there are {tree.size} leaves and no checkpoint.")
        return tree
    try:
        signed = notes.checkpoint(last["note"], verifier)
    except notes.NoteError as error:
        raise LedgerBrokenError(f"the last checkpoint: {error}") from None
    if (signed.size, signed.root) != (tree.size, tree.root()):
        raise LedgerBrokenError(f"the last checkpoint is over {signed.size} entries, and the leaves are not those.")
    return tree


async def grow(conn: Conn, tree: merkle.Tree) -> merkle.Tree:
    """`tree` with all leaves that the database has behind its own. LedgerBrokenError where one is missing."""
    while rows := await conn.fetch(LEAVES, tree.size):
        for row in rows:
            if row["leaf_index"] != tree.size:
                raise LedgerBrokenError(f"leaf {tree.size} is missing.")
            tree.append(bytes(row["leaf_hash"]))
    return tree


# Leaf and checkpoint are committed together: where there is a leaf, there is a signature over it.
SEALED = "SELECT EXISTS (SELECT FROM ledger.leaf WHERE n = $1)"
STREAM_SEALED = """
SELECT NOT EXISTS (
    SELECT FROM ledger.entry WHERE stream = $1
    AND NOT EXISTS (SELECT FROM ledger.leaf WHERE leaf.n = entry.n)
)
"""


async def sealed(conn: Conn, number: int, *, within: float = PATIENCE) -> None:
    """Entry `number` is under a signed checkpoint. NotSealedError where it is not after `within` seconds."""
    await _until(lambda: conn.fetchval(SEALED, number), within)


async def stream_sealed(conn: Conn, stream: str, *, within: float = PATIENCE) -> None:
    """Every committed entry of `stream` is under a signed checkpoint. NotSealedError as for `sealed`."""
    await _until(lambda: conn.fetchval(STREAM_SEALED, stream), within)


async def _until(holds: Callable[[], Awaitable[bool]], within: float) -> None:
    try:
        async with asyncio.timeout(within):
            while not await holds():  # noqa: ASYNC110 - the database tells nobody: NOTIFY would hold up all commits
                await asyncio.sleep(POLL / 2)
    except TimeoutError:
        raise NotSealedError from None
