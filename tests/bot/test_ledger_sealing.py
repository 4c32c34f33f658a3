"""The seal: what is committed is soon under a signature, and no two signatures tell different stories."""

import asyncio
import contextlib
import sys
from datetime import UTC, datetime

import asyncpg
import pytest

from bot import audit, ledger, merkle, notes, sealing
from bot import database as bot_database
from bot.notes import Signer
from bot.sealing import LedgerBrokenError, NotSealedError, Sealer

NOON = datetime(2026, 3, 13, 12, 0, tzinfo=UTC)
SIGNER = Signer.new("police.example/ledger")

SEALING_PROCESS = """
import asyncio, sys
from bot.notes import Signer
from bot.sealing import Sealer
asyncio.run(Sealer(sys.argv[1], Signer.read(sys.argv[2])).run())
"""


async def say(pool, count=1, stream="search:LG-1"):
    async with pool.acquire() as conn:
        return [await ledger.append(conn, stream, "Asked", at=NOON, actor="dana", data={}) for _ in range(count)]


async def seal(database, signer=SIGNER, publish=sealing.unpublished):
    """One leader's single step."""
    async with bot_database.alone(database.url("sealer"), name="test-sealer") as conn:
        tree = await sealing.load(conn, signer.verifier)
        return await Sealer("", signer, publish).step(conn, tree)


@contextlib.asynccontextmanager
async def sealing_all_the_time(database):
    task = asyncio.create_task(Sealer(database.url("sealer"), SIGNER).run())
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_what_is_committed_is_sealed_and_can_be_proved(database, pool):
    numbers = await say(pool, 5)
    assert await seal(database) == 5
    assert await seal(database) == 0
    async with pool.acquire() as conn:
        for number in numbers:
            await sealing.sealed(conn, number, within=0.5)
        for one in await audit.evidence(conn, numbers):
            signed = notes.checkpoint(one.proof.note, SIGNER.verifier)
            leaf = merkle.leaf(one.entry)
            assert merkle.includes(one.proof.index, signed.size, leaf, one.proof.hashes, signed.root)
        assert (await audit.verify(conn, SIGNER.verifier)).faults == []


async def test_nothing_is_disclosed_before_it_is_sealed(database, pool):
    (number,) = await say(pool)
    async with pool.acquire() as conn:
        with pytest.raises(NotSealedError):
            await sealing.sealed(conn, number, within=0.2)
        with pytest.raises(NotSealedError):
            await sealing.stream_sealed(conn, "search:LG-1", within=0.2)
        with pytest.raises(audit.NotInLogError):
            await audit.evidence(conn, [number])
        async with sealing_all_the_time(database):
            await sealing.sealed(conn, number)
            await sealing.stream_sealed(conn, "search:LG-1")


async def test_what_is_not_committed_is_not_sealed(database, pool):
    async with pool.acquire() as conn, conn.transaction():
        await ledger.append(conn, "people", "Enrolled", at=NOON, actor="dana", data={})
        assert await seal(database) == 0
    assert await seal(database) == 1


async def test_a_checkpoint_is_published_once_it_is_committed(database, pool, tmp_path):
    file = tmp_path / "checkpoint"
    for size in (2, 4):
        await say(pool, 2)
        await seal(database, publish=sealing.publish_to(file))
        assert notes.checkpoint(file.read_text(), SIGNER.verifier).size == size
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]


async def test_two_sealers_are_one_leader(database, pool):
    async with sealing_all_the_time(database), sealing_all_the_time(database):
        for _ in range(5):
            numbers = await say(pool, 3)
            async with pool.acquire() as conn:
                await sealing.sealed(conn, numbers[-1])
    async with pool.acquire() as conn:
        assert (await audit.verify(conn, SIGNER.verifier)).faults == []


async def test_a_leader_that_is_cut_off_is_followed_by_itself(database, pool, superuser):
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'leadgate-sealer'"
    async with sealing_all_the_time(database), pool.acquire() as conn:
        await sealing.sealed(conn, (await say(pool))[0])
        await superuser.execute(cut)
        await sealing.sealed(conn, (await say(pool))[0])


async def test_a_failed_step_leaves_no_trace_in_the_tree(database, pool, superuser):
    await say(pool, 3)
    await seal(database)
    await superuser.execute("ALTER TABLE ledger.checkpoint ADD CONSTRAINT full_disk CHECK (tree_size < 4)")
    async with bot_database.alone(database.url("sealer"), name="test-sealer") as conn:
        tree = await sealing.load(conn, SIGNER.verifier)
        await say(pool, 2)
        with pytest.raises(asyncpg.CheckViolationError):
            await Sealer("", SIGNER).step(conn, tree)
        assert tree.size == 3
        await superuser.execute("ALTER TABLE ledger.checkpoint DROP CONSTRAINT full_disk")
        assert await Sealer("", SIGNER).step(conn, tree) == 2
    async with pool.acquire() as conn:
        assert (await audit.verify(conn, SIGNER.verifier)).faults == []


BREAKS = {
    "a leaf is gone": "DELETE FROM ledger.leaf WHERE leaf_index = 1",
    "the last leaf is gone": "DELETE FROM ledger.leaf WHERE leaf_index = 2",
    "a leaf is another": "UPDATE ledger.leaf SET leaf_hash = sha256('x') WHERE leaf_index = 1",
    "the checkpoints are gone": "DELETE FROM ledger.checkpoint",
    "the checkpoint's root is another": "UPDATE ledger.checkpoint SET note = replace(note, E'\\n3\\n', E'\\n2\\n')",
}


@pytest.mark.parametrize("story", BREAKS)
async def test_nothing_is_signed_on_top_of_a_broken_log(database, pool, superuser, story):
    await say(pool, 3)
    await seal(database)
    await superuser.execute(
        "ALTER TABLE ledger.leaf DISABLE TRIGGER ALL; ALTER TABLE ledger.checkpoint DISABLE TRIGGER ALL"
    )
    await superuser.execute(BREAKS[story])
    with pytest.raises(LedgerBrokenError):
        await asyncio.wait_for(Sealer(database.url("sealer"), SIGNER).run(), 10)


async def test_another_key_does_not_go_on_with_our_log(database, pool):
    await say(pool)
    await seal(database)
    with pytest.raises(LedgerBrokenError, match="not signed by"):
        await seal(database, Signer.new("police.example/ledger"))


async def test_killed_again_and_again_nothing_is_lost_and_every_checkpoint_is_consistent(database, pool):
    """kill -9 of the sealing process while entries are written: all that was acknowledged is sealed in the end."""
    written: list[int] = []

    async def write(stream: str):
        for _ in range(40):
            written.extend(await say(pool, 3, stream))

    writers = asyncio.gather(*(write(f"search:LG-{number}") for number in range(4)))
    for _ in range(4):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SEALING_PROCESS, database.url("sealer"), SIGNER.secret
        )
        async with pool.acquire() as conn:
            now = (await say(pool))[0]
            written.append(now)
            await sealing.sealed(conn, now)
        process.kill()
        await process.wait()
    await writers
    async with sealing_all_the_time(database), pool.acquire() as conn:
        await sealing.sealed(conn, max(written))
        for number in range(4):
            await sealing.stream_sealed(conn, f"search:LG-{number}")
    async with pool.acquire() as conn:
        report = await audit.verify(conn, SIGNER.verifier)
        assert report.faults == []
        assert report.sealed == report.entries == len(written)
        assert {row["n"] for row in await conn.fetch("SELECT n FROM ledger.leaf")} == set(written)
