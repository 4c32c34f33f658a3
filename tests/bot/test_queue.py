"""The durable queue: leased, fenced, counted at the claim."""

import asyncio
from datetime import timedelta

import pytest

from bot import queue
from bot.queue import Job, JobLostError

LONG, NONE = timedelta(seconds=60), timedelta(0)


async def claim_one(conn, lease=LONG):
    (lease,) = await queue.claim(conn, 1, lease)
    return lease


async def state(conn, job: queue.Lease) -> str:
    return await conn.fetchval("SELECT state FROM casework.job WHERE id = $1", job.id)


async def test_of_many_workers_one_has_each_job(pool):
    async with pool.acquire() as conn:
        for n in range(40):
            await queue.enqueue(conn, Job("k", str(n), {}))

    async def worker() -> list[int]:
        held = []
        async with pool.acquire() as conn:
            while leases := await queue.claim(conn, 3, LONG):
                held += [lease.id for lease in leases]
        return held

    held = [job for jobs in await asyncio.gather(*(worker() for _ in range(8))) for job in jobs]
    assert len(held) == len(set(held)) == 40


async def test_a_worker_that_slept_through_its_lease_cannot_complete_what_somebody_else_has(pool):
    async with pool.acquire() as conn:
        await queue.enqueue(conn, Job("k", "1", {}))
        slept = await claim_one(conn, NONE)
        awake = await claim_one(conn)
        assert awake.id == slept.id
        assert awake.again
        with pytest.raises(JobLostError):
            await queue.complete(conn, slept)
        assert await queue.postpone(conn, slept, NONE, "late") is None
        await queue.complete(conn, awake)
        assert await state(conn, awake) == "done"


async def test_a_job_that_kills_its_worker_ends_among_the_dead_and_can_be_revived(pool):
    async with pool.acquire() as conn:
        await queue.enqueue(conn, Job("poison", "1", {}))
        starts = 0
        while leases := await queue.claim(conn, 1, NONE):
            starts += len(leases)
        (dead,) = await queue.dead(conn)
        assert (starts, dead["kind"]) == (8, "poison")
        assert await queue.revive(conn, dead["id"]) == "poison"
        assert await queue.revive(conn, dead["id"]) is None
        assert (await claim_one(conn)).again


async def test_a_failing_job_is_parked_and_a_job_that_waits_for_others_is_not(pool):
    async with pool.acquire() as conn:
        for key in ("fails", "waits"):
            await queue.enqueue(conn, Job("k", key, {}))
        for _ in range(20):
            for lease in await queue.claim(conn, 5, LONG):
                if lease.key == "fails":
                    await queue.postpone(conn, lease, NONE, "ValueError")
                else:
                    await queue.reprieve(conn, lease, NONE, "MatcherAwayError")
        assert [row["key"] for row in await queue.dead(conn)] == ["fails"]
        waiting = await claim_one(conn)
        assert (waiting.key, waiting.attempts) == ("waits", 21)


async def test_a_lease_that_is_kept_alive_is_nobody_elses(pool):
    async with pool.acquire() as conn:
        await queue.enqueue(conn, Job("k", "1", {}))
        held = await claim_one(conn, timedelta(milliseconds=50))
        assert await queue.extend(conn, [held.token], LONG) == {held.token}
        await asyncio.sleep(0.1)
        assert await queue.claim(conn, 1, LONG) == ()
        await queue.complete(conn, held)
        assert await queue.extend(conn, [held.token], LONG) == frozenset()


async def test_a_job_enqueued_in_a_transaction_that_rolled_back_never_was(pool):
    async with pool.acquire() as conn:
        with pytest.raises(ZeroDivisionError):
            async with conn.transaction():
                await queue.enqueue(conn, Job("k", "1", {}))
                raise ZeroDivisionError
        assert await queue.pending(conn) == 0


async def test_a_job_for_later_waits(pool):
    async with pool.acquire() as conn:
        await queue.enqueue(conn, Job("k", "1", {}, timedelta(hours=1)))
        assert await queue.claim(conn, 1, LONG) == ()
        assert await queue.pending(conn) == 1
