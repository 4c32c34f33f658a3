"""Where a job of a search has failed too often: supervisors know at once, the requester in the end (M24)."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from bot import ids
from bot.casework import SYSTEM, Casework
from bot.database import Conn, Pool
from bot.desk import Desk
from bot.queue import Job, Lease
from bot.views import upkeep
from policy.model import GiveUp, SearchId

PATIENCE = timedelta(hours=4)  # for an administrator to help; then the search ends and whoever asked for it is told
GIVEN_UP = frozenset({"receive-photo", "run-search", "open-review", "open-context"})  # nobody else can do these

STUCK = """
SELECT job.id, job.kind, job.finished_at, search.id AS search,
    search.outcome IS NULL AND clock_timestamp() - job.finished_at > $1 AS given_up
FROM casework.job JOIN casework.search ON search.id = job.payload ->> 'search'
WHERE job.state = 'dead' ORDER BY job.finished_at DESC LIMIT 200
"""
STILL = "SELECT id FROM casework.job WHERE id = $1 AND state = 'dead'"


async def stuck(conn: Conn) -> list[Job]:
    """What follows for every search that has a dead job: each once for each time that the job died.

    An open search is given up in the end; of one that is over, a message may still be missing.
    """
    jobs: list[Job] = []
    for row in await conn.fetch(STUCK, PATIENCE):
        died = f"{row['id']}:{row['finished_at'].timestamp():.0f}"
        payload = {"search": row["search"], "job": row["id"], "kind": row["kind"]}
        jobs.append(Job("tell-stuck", died, payload | {"until": (row["finished_at"] + PATIENCE).isoformat()}))
        if row["given_up"] and row["kind"] in GIVEN_UP:
            jobs.append(Job("give-up", died, payload))
    return jobs


class Faults:
    """The errands. Built by the composition root."""

    def __init__(self, casework: Casework, pool: Pool, desk: Desk, oversight: str) -> None:
        self._casework = casework
        self._pool = pool
        self._desk = desk
        self._oversight = oversight

    def by_kind(self) -> Mapping[str, Callable[[Lease], Awaitable[None]]]:
        return {"tell-stuck": self.tell_stuck, "give-up": self.give_up}

    async def order(self) -> None:
        """Everything that is stuck by now is seen to."""
        async with self._pool.acquire() as conn:
            found = await stuck(conn)
        for job in found:
            await self._casework.remember(job)

    async def tell_stuck(self, lease: Lease) -> None:
        """The supervisors know that the search cannot go on, and what an administrator can do."""
        if await self._still(lease.payload):
            message = upkeep.stuck(lease.payload, given_up=lease.payload["kind"] in GIVEN_UP)
            await self._desk.post(ids.post_key(lease.key, "stuck"), self._oversight, message, again=lease.again)
        await self._casework.finish(lease)

    async def give_up(self, lease: Lease) -> None:
        """The search ends, unless somebody helped it meanwhile."""
        if await self._still(lease.payload):
            await self._casework.submit(SearchId(lease.payload["search"]), GiveUp(), SYSTEM, lease=lease)
        else:
            await self._casework.finish(lease)

    async def _still(self, payload: Mapping[str, Any]) -> bool:
        async with self._pool.acquire() as conn:
            return await conn.fetchval(STILL, payload["job"]) is not None
