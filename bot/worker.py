"""Runs the jobs: the only module that acts on the outside world, at least once, from a durable job."""

import asyncio
import contextlib
import random
from collections.abc import Mapping
from contextvars import Context
from datetime import timedelta
from uuid import UUID

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError

from bot import queue
from bot.acts import Errand
from bot.database import AWAY, Pool
from bot.matching import MatcherAwayError
from bot.queue import JobLostError, Lease
from bot.sealing import NotSealedError

log = structlog.get_logger()

CONCURRENCY = 4
POLL = 1.0  # seconds; NOTIFY wakes us sooner
LONGEST_PAUSE = 60.0


class Worker:
    """Claims jobs and runs their errands until told to stop; drains what it holds."""

    def __init__(self, pool: Pool, errands: Mapping[str, Errand], lease: timedelta) -> None:
        self._pool = pool
        self._errands = errands
        self._lease = lease
        self._held: dict[UUID, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()

    def wake(self) -> None:
        """There may be something to do."""
        self._wake.set()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()

    async def run(self) -> None:
        """Until `stop`: jobs are claimed as places are free, leases are kept alive, what is held is drained."""
        beat = asyncio.create_task(self._keep_leases(), context=Context())
        try:
            while not self._stopping.is_set():
                await self._round()
        finally:
            beat.cancel()
            if self._held:
                await asyncio.wait(self._held.values(), timeout=self._lease.total_seconds())

    async def _round(self) -> None:
        self._wake.clear()
        free = CONCURRENCY - len(self._held)
        leases = await self._claim(free) if free else ()
        for lease in leases:
            task = asyncio.create_task(self._do(lease), context=Context())
            self._held[lease.token] = task
            task.add_done_callback(lambda _, token=lease.token: self._let_go(token))
        if not leases:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL):
                    await self._wake.wait()

    def _let_go(self, token: UUID) -> None:
        self._held.pop(token, None)
        self._wake.set()

    async def _claim(self, free: int) -> tuple[Lease, ...]:
        try:
            async with self._pool.acquire() as conn:
                return await queue.claim(conn, free, self._lease)
        except AWAY as error:
            log.warning("worker.database-away", error=type(error).__name__)
            await asyncio.sleep(POLL)
            return ()

    async def _do(self, lease: Lease) -> None:
        structlog.contextvars.bind_contextvars(job=lease.id, kind=lease.kind, search=lease.payload.get("search"))
        try:
            await self._errands[lease.kind](lease)
            log.info("job.done", attempt=lease.attempts)
        except JobLostError:
            log.warning("job.lost", attempt=lease.attempts)
        except Exception as error:  # noqa: BLE001 - whatever broke, the job must not be lost
            await self._put_off(lease, error)

    async def _put_off(self, lease: Lease, error: Exception) -> None:
        """The job is tried again later; what is merely away does not count as an attempt of the job's own."""
        name = type(error).__name__
        delay = timedelta(seconds=_pause(lease, error))
        away = _away(error)
        log.warning("job.put-off", error=name, away=away, attempt=lease.attempts, exc_info=error)
        with contextlib.suppress(*AWAY):  # then the lease runs out and it is tried again all the same
            async with self._pool.acquire() as conn:
                if away:
                    await queue.reprieve(conn, lease, delay, name)
                elif await queue.postpone(conn, lease, delay, name) == "dead":
                    log.error("job.dead", error=name)

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            if not self._held:
                continue
            with contextlib.suppress(*AWAY):
                async with self._pool.acquire() as conn:
                    ours = await queue.extend(conn, list(self._held), self._lease)
                for token in set(self._held) - ours:
                    if task := self._held.get(token):
                        task.cancel()  # somebody else has it now: stop acting on the outside


def _away(error: Exception) -> bool:
    """Whether something the job needs is away or asks for patience: then trying again is right however often."""
    if isinstance(error, SlackApiError):
        return error.response.status_code >= 429  # noqa: PLR2004 - too many requests, or an error of Slack's own
    return isinstance(error, (*AWAY, MatcherAwayError, NotSealedError, aiohttp.ClientError, TimeoutError))


def _pause(lease: Lease, error: Exception) -> float:
    """Seconds to wait: what Slack asks for, or growing with every attempt, never all at once."""
    if isinstance(error, SlackApiError) and error.response.status_code == 429:  # noqa: PLR2004 - too many requests
        return float(error.response.headers.get("Retry-After", 1)) * random.uniform(1.0, 1.2)
    return min(LONGEST_PAUSE, 0.5 * 2**lease.attempts) * random.uniform(0.75, 1.25)
