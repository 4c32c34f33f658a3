"""The durable queue: a leased table on Postgres. Enqueued and completed inside the caller's transaction.

A lease carries a fencing token, so that a worker that slept through its lease cannot complete what somebody else has
now; attempts count at the claim, so that a job that kills its worker ends among the dead. Only the database's clock is
read. Measured against four libraries in the design notes: none completes in the caller's transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from bot.database import Conn

Row = Mapping[str, Any]


class JobLostError(Exception):
    """The lease ran out and somebody else has the job now; whatever we did must not count."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done, once per (kind, key) for ever."""

    kind: str
    key: str
    payload: Mapping[str, Any]
    delay: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Lease:
    """A job claimed by this worker until its lease runs out."""

    id: int
    kind: str
    key: str
    payload: Mapping[str, Any]
    attempts: int
    token: UUID

    @property
    def again(self) -> bool:
        """Whether somebody tried before, so that the outside must be looked at before it is acted on."""
        return self.attempts > 1


ENQUEUE = """
INSERT INTO casework.job (kind, key, payload, run_at) VALUES ($1, $2, $3, now() + $4)
ON CONFLICT ON CONSTRAINT once DO NOTHING RETURNING id
"""


async def enqueue(conn: Conn, job: Job) -> bool:
    """The job will be run once the caller's transaction commits; False where it was enqueued before."""
    return await conn.fetchval(ENQUEUE, job.kind, job.key, dict(job.payload), job.delay) is not None


CLAIM = """
WITH expired AS (
    SELECT id FROM casework.job WHERE state = 'running' AND lease_until < now()
    ORDER BY lease_until LIMIT $1 FOR UPDATE SKIP LOCKED
), ready AS (
    SELECT id FROM casework.job WHERE state = 'ready' AND run_at <= now()
    ORDER BY run_at, id LIMIT $1 FOR UPDATE SKIP LOCKED
), picked AS (SELECT id FROM expired UNION ALL SELECT id FROM ready LIMIT $1)
UPDATE casework.job AS job SET
    state = CASE WHEN job.attempts >= job.max_attempts THEN 'dead' ELSE 'running' END,
    attempts = job.attempts + 1,
    lease_token = CASE WHEN job.attempts >= job.max_attempts THEN NULL ELSE gen_random_uuid() END,
    lease_until = now() + $2,
    finished_at = CASE WHEN job.attempts >= job.max_attempts THEN now() END
FROM picked WHERE job.id = picked.id
RETURNING job.id, job.kind, job.key, job.payload, job.attempts, job.lease_token, job.state
"""


async def claim(conn: Conn, limit: int, lease: timedelta) -> tuple[Lease, ...]:
    """Up to `limit` jobs that are ours until `lease` has passed; what has failed too often is dead instead."""
    rows = await conn.fetch(CLAIM, limit, lease)
    return tuple(
        Lease(row["id"], row["kind"], row["key"], row["payload"], row["attempts"], row["lease_token"])
        for row in rows
        if row["state"] == "running"
    )


COMPLETE = """
UPDATE casework.job SET state = 'done', lease_token = NULL, lease_until = NULL, finished_at = now()
WHERE id = $1 AND lease_token = $2 AND state = 'running' RETURNING id
"""


async def complete(conn: Conn, lease: Lease) -> None:
    """The job is done, in the same transaction as what it did; JobLostError undoes both."""
    if await conn.fetchval(COMPLETE, lease.id, lease.token) is None:
        raise JobLostError(f"{lease.kind} {lease.key}")


POSTPONE = """
UPDATE casework.job SET
    state = CASE WHEN attempts >= max_attempts THEN 'dead' ELSE 'ready' END,
    lease_token = NULL, lease_until = NULL, run_at = now() + $3, last_error = $4,
    finished_at = CASE WHEN attempts >= max_attempts THEN now() END
WHERE id = $1 AND lease_token = $2 AND state = 'running' RETURNING state
"""


async def postpone(conn: Conn, lease: Lease, delay: timedelta, error: str) -> str | None:
    """The job is tried again after `delay`, or parked as dead where it has failed too often: the new state."""
    return await conn.fetchval(POSTPONE, lease.id, lease.token, delay, error[:200])


REPRIEVE = """
UPDATE casework.job SET state = 'ready', max_attempts = max_attempts + 1, lease_token = NULL, lease_until = NULL,
    run_at = now() + $3, last_error = $4
WHERE id = $1 AND lease_token = $2 AND state = 'running'
"""


async def reprieve(conn: Conn, lease: Lease, delay: timedelta, error: str) -> None:
    """The job is tried again and this attempt is not held against it: what it needs is away, the job not at fault."""
    await conn.execute(REPRIEVE, lease.id, lease.token, delay, error[:200])


EXTEND = """
UPDATE casework.job SET lease_until = now() + $2
WHERE lease_token = ANY($1::uuid[]) AND state = 'running' RETURNING lease_token
"""


async def extend(conn: Conn, tokens: list[UUID], lease: timedelta) -> frozenset[UUID]:
    """The leases that are still ours, each good for `lease` from now."""
    return frozenset(row["lease_token"] for row in await conn.fetch(EXTEND, tokens, lease))


DEAD = """
SELECT id, kind, key, attempts, last_error, finished_at FROM casework.job
WHERE state = 'dead' ORDER BY finished_at LIMIT 200
"""


async def dead(conn: Conn) -> list[Row]:
    """Jobs that failed too often and wait for an operator."""
    return [dict(row) for row in await conn.fetch(DEAD)]


REVIVE = """
UPDATE casework.job SET state = 'ready', attempts = 1, run_at = now(), finished_at = NULL
WHERE id = $1 AND state = 'dead' RETURNING kind
"""


async def revive(conn: Conn, job: int) -> str | None:
    """A dead job will be tried again, as one that somebody tried before; None where it is not dead."""
    return await conn.fetchval(REVIVE, job)


PENDING = "SELECT count(*) FROM casework.job WHERE state IN ('ready', 'running')"


async def pending(conn: Conn) -> int:
    return int(await conn.fetchval(PENDING))
