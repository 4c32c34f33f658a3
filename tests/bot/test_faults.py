"""What is stuck is told once for each time that it died, and given up only when nobody helped for hours."""

from datetime import timedelta

import asyncpg
import pytest

from bot import faults, queue
from bot.faults import PATIENCE
from policy import model as m
from tests import story as s
from tests.bot.test_casework import SEARCH, tell
from tests.story import DANA

DIES = "UPDATE casework.job SET state = 'dead', attempts = 8, finished_at = now() - $2::interval WHERE kind = $1"


@pytest.fixture
async def stuck(casework, database, pool):
    """An accepted search, and a way to have its job die some time ago and to ask what follows."""
    await tell(casework, [(s.ASK, DANA)])

    async def after(died: timedelta, kind: str = "receive-photo") -> list[tuple[str, str]]:
        owner = await asyncpg.connect(database.url("postgres"))
        await owner.execute(DIES, kind, died)
        await owner.close()
        async with pool.acquire() as conn:
            return [(job.kind, job.payload["search"]) for job in await faults.stuck(conn)]

    return after


async def test_what_is_stuck_is_told_at_once_and_given_up_after_hours(stuck):
    assert await stuck(timedelta()) == [("tell-stuck", SEARCH)]
    assert await stuck(PATIENCE - timedelta(minutes=1)) == [("tell-stuck", SEARCH)]
    assert await stuck(PATIENCE + timedelta(minutes=1)) == [("tell-stuck", SEARCH), ("give-up", SEARCH)]


async def test_what_somebody_helped_is_stuck_no_more_and_told_anew_when_it_dies_again(stuck, pool):
    await stuck(timedelta(hours=2))
    async with pool.acquire() as conn:
        (before,) = await faults.stuck(conn)
        await queue.revive(conn, before.payload["job"])
        assert await faults.stuck(conn) == []
    await stuck(timedelta())
    async with pool.acquire() as conn:
        (after,) = await faults.stuck(conn)
    assert after.key != before.key


async def test_what_is_over_is_not_given_up_and_a_notice_that_failed_is_told(stuck, casework):
    await tell(casework, [(m.Withdraw("Solved."), DANA)])
    assert await stuck(timedelta(days=1), "give-notice") == [("tell-stuck", SEARCH)]


async def test_a_search_is_not_given_up_for_a_message_that_failed(stuck):
    assert await stuck(timedelta(days=1), "update-card") == [("tell-stuck", SEARCH)]
