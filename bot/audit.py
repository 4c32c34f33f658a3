"""Checks the whole ledger against itself and against what was signed, and packs what others need to check it too."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot import ledger, merkle, notes, sealing
from bot.database import Conn
from bot.ledger import Fault, Kept


class LogCutError(Exception):
    """The log is shorter than, or another than, the one a witness has seen: entries were removed or rewritten."""


class NotInLogError(Exception):
    """There is no such entry, or it is not under a signed checkpoint yet."""


@dataclass(slots=True)
class Report:
    """What was checked and what does not hold, the lowest entry first."""

    entries: int = 0
    sealed: int = 0
    checkpoints: int = 0
    private: int = 0
    faults: list[Fault] = field(default_factory=list[Fault])


SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"


async def verify(conn: Conn, verifier: notes.Verifier | None, witnessed: Sequence[notes.Checkpoint] = ()) -> Report:
    """Every chain, leaf, root, signature and commitment was recomputed from the entries' bytes, in one snapshot.

    Without a verifier signatures are not checked, only what they are over. `witnessed` are checkpoints kept elsewhere:
    they alone tell of a log that was cut or rewritten by someone who holds the signing key.
    """
    report = Report()
    async with conn.transaction():
        await conn.execute(SNAPSHOT)
        leaves = await _leaves(conn, report)
        await _check_entries(conn, report, leaves.hashes)
        await _check_private(conn, report)
        await _check_checkpoints(conn, report, leaves, verifier)
    report.faults += [_whole(reason) for reason in _unlike(leaves.tree, witnessed)]
    report.faults.sort(key=lambda fault: (fault.number is None, fault.number))
    return report


def _whole(reason: str) -> Fault:
    return Fault(None, "", 0, reason)


LEAVES = "SELECT leaf_index, n, leaf_hash FROM ledger.leaf WHERE leaf_index >= $1 ORDER BY leaf_index LIMIT 20000"


@dataclass(slots=True)
class _Leaves:
    """The tree as far as no leaf is missing, the entries in its order, and the hash of every leaf by its entry."""

    tree: merkle.Tree = field(default_factory=merkle.Tree)
    numbers: list[int] = field(default_factory=list[int])
    hashes: dict[int, bytes] = field(default_factory=dict[int, bytes])


async def _leaves(conn: Conn, report: Report) -> _Leaves:
    found, following = _Leaves(), 0
    while rows := await conn.fetch(LEAVES, following):
        for row in rows:
            hashed = found.hashes[row["n"]] = bytes(row["leaf_hash"])
            if row["leaf_index"] == found.tree.size:
                found.tree.append(hashed)
                found.numbers.append(row["n"])
        following = rows[-1]["leaf_index"] + 1
    report.sealed = len(found.hashes)
    if found.tree.size < following:
        report.faults.append(_whole(f"Leaf {found.tree.size} of the tree is missing: a sealed entry was removed."))
    return found


ENTRIES = """
SELECT n, stream, seq, prev_hash, kind, entry, leaf_hash, recorded_at FROM ledger.entry
WHERE (stream, seq) > ($1, $2) ORDER BY stream, seq LIMIT 5000
"""


async def _every(conn: Conn) -> AsyncIterator[Kept]:
    """All entries, stream by stream."""
    stream, seq = "", 0
    while rows := await conn.fetch(ENTRIES, stream, seq):
        for row in rows:
            yield ledger.kept(row)
        stream, seq = rows[-1]["stream"], rows[-1]["seq"]


UNSEALED = "SELECT n FROM ledger.unsealed"


async def _check_entries(conn: Conn, report: Report, sealed: dict[int, bytes]) -> None:
    """Each stream follows itself; each entry is what was sealed, or waits for its seal."""
    waiting = {row["n"] for row in await conn.fetch(UNSEALED)}
    chain = ledger.Chain()
    async for one in _every(conn):
        report.entries += 1
        report.faults += chain.faults(one)
        hashed = sealed.pop(one.number, None)
        if hashed is None and one.number not in waiting:
            report.faults.append(one.fault("it was never handed to the sealer."))
        elif hashed is not None and hashed != merkle.leaf(one.entry):
            report.faults.append(one.fault("its text is not what was sealed: it was changed afterwards."))
    report.faults += [Fault(number, "", 0, "it was sealed, and is gone.") for number in sealed]


PRIVATE = """
SELECT private.n, private.field, private.salt, private.value, entry.stream, entry.seq,
    convert_from(entry.entry, 'UTF8')::jsonb -> 'private' ->> private.field AS committed
FROM ledger.private JOIN ledger.entry ON entry.n = private.n
WHERE (private.n, private.field) > ($1, $2) ORDER BY private.n, private.field LIMIT 5000
"""


async def _check_private(conn: Conn, report: Report) -> None:
    """What stands beside the entries opens what they commit to."""
    number, name = 0, ""
    while rows := await conn.fetch(PRIVATE, number, name):
        for row in rows:
            report.private += 1
            if ledger.commitment(bytes(row["salt"]), bytes(row["value"])) != row["committed"]:
                reason = f"its private field {row['field']} is not what was committed to: it was changed afterwards."
                report.faults.append(Fault(row["n"], row["stream"], row["seq"], reason))
        number, name = rows[-1]["n"], rows[-1]["field"]


CHECKPOINTS = """
SELECT tree_size, root, note FROM ledger.checkpoint WHERE tree_size > $1 ORDER BY tree_size LIMIT 5000
"""


async def _check_checkpoints(conn: Conn, report: Report, leaves: _Leaves, verifier: notes.Verifier | None) -> None:
    """Every checkpoint is signed, and is over the leaves that are there."""
    size = 0
    while rows := await conn.fetch(CHECKPOINTS, size):
        for row in rows:
            report.checkpoints += 1
            if reason := _unsigned(row, verifier):
                report.faults.append(_whole(reason))
            elif reason := _unfounded(row, leaves, size):
                report.faults.append(_whole(reason))
                return  # whatever comes after it is over the same leaves
            size = row["tree_size"]
    if size < leaves.tree.size:
        report.faults.append(_whole(f"The last checkpoint is over {size} entries, but {leaves.tree.size} were sealed."))


def _unsigned(row: Any, verifier: notes.Verifier | None) -> str | None:
    try:
        text = notes.split(row["note"])[0]
        signed = notes.checkpoint(row["note"], verifier) if verifier else notes.Checkpoint.read(text)
    except notes.NoteError as error:
        return f"The checkpoint over {row['tree_size']} entries does not hold: {error}"
    if (signed.size, signed.root) != (row["tree_size"], bytes(row["root"])):
        return f"The checkpoint over {row['tree_size']} entries does not say what was signed."
    return None


def _unfounded(row: Any, leaves: _Leaves, before: int) -> str | None:
    size = row["tree_size"]
    if size > leaves.tree.size:
        left = leaves.tree.size
        return f"A checkpoint was signed over {size} entries, and {left} are left: the log was cut off there."
    if leaves.tree.root(size) != bytes(row["root"]):
        first, last = leaves.numbers[before], leaves.numbers[size - 1]
        return f"One of the entries {first} to {last} is not what was signed: it was replaced, or its place was."
    return None


def _unlike(tree: merkle.Tree, witnessed: Iterable[notes.Checkpoint]) -> Iterator[str]:
    for seen in witnessed:
        if seen.size > tree.size:
            yield f"A witness has seen {seen.size} entries, and {tree.size} are left: the log was cut off there."
        elif tree.root(seen.size) != seen.root:
            yield f"A witness has seen other entries among the first {seen.size}: the log was rewritten."


# --- what others check ------------------------------------------------------------------------------------------------

PROVABLE = """
SELECT leaf.leaf_index, entry.entry FROM ledger.leaf JOIN ledger.entry ON entry.n = leaf.n WHERE leaf.n = $1
"""
OPENINGS = "SELECT field, salt, value FROM ledger.private WHERE n = $1 ORDER BY field"
LAST = "SELECT tree_size, note FROM ledger.checkpoint ORDER BY tree_size DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Evidence:
    """An entry as it was hashed, the proof that it is in the signed log, and what opens its private fields."""

    number: int
    entry: bytes
    proof: notes.Proof
    openings: Mapping[str, Mapping[str, str]]  # field -> salt (hex) and value (JSON, the committed text)


async def evidence(conn: Conn, numbers: Sequence[int]) -> list[Evidence]:
    """The proofs of these entries under the last checkpoint. NotInLogError names the one that has none."""
    async with conn.transaction():
        await conn.execute(SNAPSHOT)
        tree = await sealing.grow(conn, merkle.Tree())
        last = await conn.fetchrow(LAST)
        return [await _evidence(conn, tree, last, number) for number in numbers]


async def _evidence(conn: Conn, tree: merkle.Tree, last: Any, number: int) -> Evidence:
    row = await conn.fetchrow(PROVABLE, number)
    if row is None or last is None:
        raise NotInLogError(f"Entry {number} is not in the signed log.")
    hashes = tree.inclusion(row["leaf_index"], last["tree_size"])
    openings = {
        opened["field"]: {"salt": bytes(opened["salt"]).hex(), "value": bytes(opened["value"]).decode()}
        for opened in await conn.fetch(OPENINGS, number)
    }
    return Evidence(number, bytes(row["entry"]), notes.Proof(row["leaf_index"], hashes, last["note"]), openings)


OF_STREAM = "SELECT n FROM ledger.entry WHERE stream = $1 ORDER BY seq"


async def numbers_of(conn: Conn, stream: str) -> list[int]:
    """The numbers of the stream's entries, in order."""
    return [row["n"] for row in await conn.fetch(OF_STREAM, stream)]


BUNDLE = """
SELECT entry.entry FROM ledger.leaf JOIN ledger.entry ON entry.n = leaf.n
WHERE leaf.leaf_index >= $1 AND leaf.leaf_index < $2 ORDER BY leaf.leaf_index
"""


async def export(conn: Conn, directory: Path) -> int:
    """The log lies in `directory` as C2SP tlog-tiles lays it out, with every checkpoint: how many entries it has."""
    async with conn.transaction():
        await conn.execute(SNAPSHOT)
        tree = await sealing.grow(conn, merkle.Tree())
        for path, content in merkle.tiles(tree):
            _put(directory / path, content)
        for start, end in merkle.spans(tree.size):
            rows = await conn.fetch(BUNDLE, start, end)
            path, content = merkle.bundle(start, [bytes(row["entry"]) for row in rows])
            _put(directory / path, content)
        size = 0
        while rows := await conn.fetch(CHECKPOINTS, size):
            for row in rows:
                _put(directory / "checkpoints" / f"{row['tree_size']:012d}", row["note"].encode())
                _put(directory / "checkpoint", row["note"].encode())
            size = rows[-1]["tree_size"]
    return tree.size


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


async def consistent(
    conn: Conn, verifier: notes.Verifier, seen: notes.Checkpoint | None
) -> tuple[str, notes.Checkpoint] | None:
    """The last checkpoint (as note and as read), shown to extend what was `seen`; None where nothing was sealed.

    LogCutError where it does not; NoteError where it is not signed. The proof is checked as an outsider would.
    """
    async with conn.transaction():
        await conn.execute(SNAPSHOT)
        last = await conn.fetchrow(LAST)
        tree = await sealing.grow(conn, merkle.Tree())
    if last is None:
        if seen:
            raise LogCutError(f"{seen.size} entries were seen, and there is no checkpoint at all.")
        return None
    now = notes.checkpoint(last["note"], verifier)
    if seen:
        _must_extend(tree, seen, now)
    return last["note"], now


def _must_extend(tree: merkle.Tree, seen: notes.Checkpoint, now: notes.Checkpoint) -> None:
    if now.size < seen.size:
        raise LogCutError(f"{seen.size} entries were seen, and the log has {now.size}: its end was cut off.")
    if tree.size < now.size:
        raise LogCutError(f"the log is signed over {now.size} entries, and {tree.size} are left.")
    proof = tree.consistency(seen.size, now.size)
    if not merkle.extends(seen.size, now.size, seen.root, now.root, proof):
        raise LogCutError(f"among the first {seen.size} entries are others than were seen: the log was rewritten.")
