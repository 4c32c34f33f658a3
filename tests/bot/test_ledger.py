"""The ledger: what is recorded stays as it was recorded."""

import asyncio
import hashlib
import json
from datetime import UTC, datetime

import asyncpg
import pytest

from bot import database as bot_database
from bot import ledger

NOON = datetime(2026, 3, 13, 12, 0, tzinfo=UTC)


async def say(conn, stream="search:LG-1", kind="Asked", data=None, private=None, actor="dana"):
    return await ledger.append(conn, stream, kind, at=NOON, actor=actor, data=data or {}, private=private)


async def test_an_entry_is_read_as_it_was_written(pool):
    data = {"purpose": "investigate", "scores": [0.5, 1e-7], "note": 'a "quote", ünï, \n and \\'}
    async with pool.acquire() as conn, conn.transaction():
        number = await say(conn, data=data, private={"case_number": "2026-000123"})
        (entry,) = await ledger.read(conn, "search:LG-1", with_private=True)
    assert entry.number == number
    assert (entry.seq, entry.kind, entry.at, entry.actor) == (1, "Asked", NOON, "dana")
    assert entry.data == data
    assert entry.private == {"case_number": "2026-000123"}


async def test_streams_are_chained_each_by_itself(pool):
    async with pool.acquire() as conn, conn.transaction():
        for stream in ("search:A", "search:B", "search:A", "search:A", "search:B"):
            await say(conn, stream)
        assert [entry.seq for entry in await ledger.read(conn, "search:A")] == [1, 2, 3]
        assert [entry.seq for entry in await ledger.read(conn, "search:B")] == [1, 2]
        assert await ledger.verify_stream(conn, "search:A") is None


async def test_many_at_once_make_one_chain(pool):
    async def one(number: int):
        async with pool.acquire() as conn, conn.transaction():
            await say(conn, "oversight", data={"number": number})

    await asyncio.gather(*(one(number) for number in range(50)))
    async with pool.acquire() as conn:
        entries = await ledger.read(conn, "oversight")
        assert [entry.seq for entry in entries] == list(range(1, 51))
        assert {entry.data["number"] for entry in entries} == set(range(50))
        assert await ledger.verify_stream(conn, "oversight") is None


async def test_what_is_rolled_back_was_never_recorded(pool):
    async with pool.acquire() as conn:
        unfinished = conn.transaction()
        await unfinished.start()
        await say(conn)
        await unfinished.rollback()
        await say(conn)
        (entry,) = await ledger.read(conn, "search:LG-1")
    assert entry.seq == 1


async def test_a_private_field_is_only_committed_to(pool):
    async with pool.acquire() as conn:
        number = await say(conn, private={"case_number": "2026-000123", "fields": {"basis": "Robbery"}})
        text = bytes(await conn.fetchval("SELECT entry FROM ledger.entry WHERE n = $1", number))
        rows = await conn.fetch("SELECT field, salt, value FROM ledger.private WHERE n = $1", number)
    assert b"2026-000123" not in text
    assert b"Robbery" not in text
    committed = json.loads(text)["private"]
    for row in rows:
        by_hand = hashlib.sha256(b"leadgate-commit-v1\0" + bytes(row["salt"]) + bytes(row["value"])).hexdigest()
        assert committed[row["field"]] == by_hand == ledger.commitment(bytes(row["salt"]), bytes(row["value"]))
    assert len({bytes(row["salt"]) for row in rows}) == 2


async def test_the_same_value_is_committed_to_differently_each_time(pool):
    async with pool.acquire() as conn:
        for _ in range(2):
            await say(conn, private={"case_number": "1"})
        texts = [bytes(row["entry"]) for row in await conn.fetch("SELECT entry FROM ledger.entry")]
    first, second = (json.loads(text)["private"]["case_number"] for text in texts)
    assert first != second


async def test_what_is_private_can_be_erased_and_every_hash_still_holds(pool):
    async with pool.acquire() as conn, conn.transaction():
        await say(conn, private={"case_number": "2026-000123"})
        await say(conn, "search:LG-2", private={"case_number": "2026-000124"})
        assert await ledger.erase(conn, "search:LG-1", at=NOON, actor="system", why="retention") == 1
        asked, erased = await ledger.read(conn, "search:LG-1", with_private=True)
        assert asked.private == {}
        assert (erased.kind, erased.data) == ("PrivateErased", {"why": "retention", "fields": 1})
        assert await ledger.verify_stream(conn, "search:LG-1") is None
        (other,) = await ledger.read(conn, "search:LG-2", with_private=True)
        assert other.private == {"case_number": "2026-000124"}


async def test_the_entry_names_the_login_that_wrote_it_and_when(pool, superuser):
    async with pool.acquire() as conn:
        await say(conn)
    said = json.loads(bytes(await superuser.fetchval("SELECT entry FROM ledger.entry")))
    assert said["db_user"] == "test_bot"
    assert datetime.fromisoformat(said["recorded_at"]) == await superuser.fetchval(
        "SELECT recorded_at FROM ledger.entry"
    )


@pytest.mark.parametrize("stream", ["", "Search:1", "search:", "search:a b", "search:a\n"])
async def test_a_stream_has_a_plain_name(pool, stream):
    async with pool.acquire() as conn:
        with pytest.raises(asyncpg.CheckViolationError):
            await say(conn, stream)


async def test_an_entry_larger_than_a_bundle_allows_is_refused(pool):
    async with pool.acquire() as conn:
        await say(conn, data={"text": "x" * 65_000})
        with pytest.raises(asyncpg.CheckViolationError):
            await say(conn, data={"text": "x" * 65_600})


async def test_the_matcher_testifies_to_its_gallery_and_to_nothing_else(database):
    pool = await bot_database.connect(database.url("matcher"), name="test")
    async with pool.acquire() as conn:
        assert await say(conn, "gallery", "PersonEnrolled") > 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await say(conn, "search:LG-1")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await ledger.read(conn, "gallery")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.fetch("SELECT value FROM ledger.private")
    await pool.close()


FORBIDDEN = {
    "bot": [
        "INSERT INTO ledger.entry (n, stream, seq, prev_hash, kind, entry, recorded_at) VALUES (1, 'a', 1, '', '', '', now())",
        "UPDATE ledger.entry SET entry = '{}'",
        "DELETE FROM ledger.entry",
        "TRUNCATE ledger.entry CASCADE",
        "DELETE FROM ledger.unsealed",
        "DELETE FROM ledger.private",
        "UPDATE ledger.private SET value = ''",
        "INSERT INTO ledger.leaf (leaf_index, n, leaf_hash) VALUES (0, 1, sha256(''))",
        "INSERT INTO ledger.checkpoint (tree_size, root, note) VALUES (1, sha256(''), '')",
        "ALTER TABLE ledger.entry DISABLE TRIGGER ALL",
        "DROP TABLE ledger.entry CASCADE",
        "SET ROLE leadgate_owner",
        "SELECT nextval('ledger.number')",
    ],
    "sealer": [
        "SELECT ledger.append('oversight', 'a', now(), 'a', '{}', '{}')",
        "SELECT value FROM ledger.private",
        "UPDATE ledger.checkpoint SET root = sha256('')",
        "DELETE FROM ledger.checkpoint",
        "DELETE FROM ledger.leaf",
        "UPDATE ledger.leaf SET leaf_hash = sha256('')",
        "TRUNCATE ledger.leaf",
        "UPDATE ledger.unsealed SET n = 5",
    ],
    "auditor": [
        "SELECT ledger.append('oversight', 'a', now(), 'a', '{}', '{}')",
        "SELECT ledger.erase('search:LG-1', now(), 'a', 'b')",
        "DELETE FROM ledger.private",
        "DELETE FROM ledger.unsealed",
        "INSERT INTO ledger.leaf (leaf_index, n, leaf_hash) VALUES (0, 1, sha256(''))",
    ],
    "matcher": [
        "SELECT ledger.erase('search:LG-1', now(), 'a', 'b')",
        "SELECT n FROM ledger.leaf",
        "DELETE FROM ledger.unsealed",
    ],
    "postgres": [
        "UPDATE ledger.entry SET kind = 'x'",
        "DELETE FROM ledger.entry",
        "TRUNCATE ledger.entry CASCADE",
        "UPDATE ledger.leaf SET leaf_index = 7",
        "DELETE FROM ledger.leaf",
        "TRUNCATE ledger.leaf",
        "DELETE FROM ledger.checkpoint",
        "UPDATE ledger.private SET value = ''",
        "TRUNCATE ledger.private",
        "SET session_replication_role = replica; DELETE FROM ledger.entry",
        "SET ROLE leadgate_owner; DELETE FROM ledger.entry",
        "INSERT INTO ledger.entry (n, stream, seq, prev_hash, kind, entry, recorded_at) SELECT 99, 'search:LG-9', 1, prev_hash, kind, entry, recorded_at FROM ledger.entry",
    ],
}


@pytest.mark.parametrize(("role", "statement"), [(role, one) for role, every in FORBIDDEN.items() for one in every])
async def test_nobody_changes_what_is_recorded(database, superuser, role, statement):
    """The superuser can, once the trigger is disabled; then the seal and the witness tell (test_ledger_tampering)."""
    await superuser.execute("SELECT ledger.append('search:LG-1', 'Asked', now(), 'dana', '{}', '{\"case\": 1}')")
    await superuser.execute("INSERT INTO ledger.leaf SELECT 0, n, leaf_hash FROM ledger.entry")
    await superuser.execute(
        "INSERT INTO ledger.checkpoint (tree_size, root, note) SELECT 1, leaf_hash, '' FROM ledger.leaf"
    )
    conn = await asyncpg.connect(database.url(role))
    try:
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.CheckViolationError)):
            await conn.execute(statement)
    finally:
        await conn.close()


async def test_a_deadly_embrace_of_two_streams_ends_for_one_of_them(pool):
    """Streams are locked as they are written; whoever loses is told, and nothing of his stays."""

    async def both(first: str, second: str, met: asyncio.Barrier):
        async with pool.acquire() as conn, conn.transaction():
            await say(conn, first)
            await met.wait()
            await say(conn, second)

    met = asyncio.Barrier(2)
    done = await asyncio.gather(
        both("search:A", "search:B", met), both("search:B", "search:A", met), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in done) == ["DatabaseAwayError", "NoneType"]
    async with pool.acquire() as conn:
        assert len(await ledger.read(conn, "search:A")) == 1
        assert len(await ledger.read(conn, "search:B")) == 1
