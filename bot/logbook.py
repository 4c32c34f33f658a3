"""The log in Postgres: batches from the buffer, a spill file while the database is away, every loss counted.

On connections of its own, so that the log never waits for a place that a search needs, or takes one. Writing again what
may have been written before changes nothing: a record is known by its run and number.
"""

import asyncio
import contextlib
import fcntl
import json
import os
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from bot import database
from bot.database import AWAY, Pool, SchemaTooOldError
from bot.logs import Buffer, Record

BATCH = 1000
EVERY = 0.2  # seconds
LONGEST_PAUSE = 5.0
LAST_WORDS = 3.0  # seconds for what is left when the process ends
LARGEST_SPILL = 64 << 20  # bytes

Row = tuple[str, int, datetime, int, str, str, Any]


@asynccontextmanager
async def kept(buffer: Buffer, url: str, spill: Path) -> AsyncGenerator[None]:
    """While inside, what is logged is kept in Postgres; on leaving, what is left is, or it is in the spill file."""
    writer = Writer(buffer, url, spill)
    task = asyncio.create_task(writer.run(), context=Context())  # a search bound outside is not the writer's
    try:
        yield
    finally:
        writer.stopping.set()
        await task


@dataclass(slots=True)
class Writer:
    """Takes from the buffer and writes; never raises, never gives up."""

    buffer: Buffer
    url: str
    spill: Path
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    pool: Pool | None = None
    pause: float = EVERY

    async def run(self) -> None:
        """Until asked to stop; then once more."""
        while not self.stopping.is_set():
            if len(self.buffer) < BATCH or self.pause > EVERY:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self.pause):
                        await self.stopping.wait()
            await self._round()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS):
                while len(self.buffer):
                    await self._round()
        await asyncio.to_thread(self._put_aside, self._rows(self.buffer.take(self.buffer.capacity)))
        if self.pool:
            await self.pool.close()

    async def _round(self) -> None:
        """One batch is in the database, or in the spill file; or it is counted as dropped."""
        rows = self._rows(self.buffer.take(BATCH) + self.buffer.loss())
        try:
            await self._write_spilled()
            if rows:
                await self._write(rows)
            self.pause = EVERY
        except (*AWAY, SchemaTooOldError):
            await asyncio.to_thread(self._put_aside, rows)
            self.pause = min(self.pause * 2, LONGEST_PAUSE)
        except Exception:  # noqa: BLE001 - a record that cannot be written must not stop those after it
            self._drop(rows)

    def _rows(self, records: Iterable[Record]) -> list[Row]:
        run, service = self.buffer.run, self.buffer.service
        return [(run, one.number, one.at, one.level, service, one.event, one.context) for one in records]

    def _drop(self, rows: list[Row]) -> None:
        self.buffer.give_up(row[3] for row in rows)

    async def _write(self, rows: list[Row]) -> None:
        if self.pool is None:
            self.pool = await database.connect(self.url, name="leadgate-log", size=1)
        async with self.pool.acquire() as conn:
            await conn.execute(WRITE, *(list(column) for column in zip(*rows, strict=True)))

    # --- while the database is away -----------------------------------------------------------------------------------

    def _put_aside(self, rows: list[Row]) -> None:
        """These are in the spill file; where it is full, they are counted as dropped."""
        if not rows:
            return
        text = "".join(json.dumps([row[0], row[1], row[2].isoformat(), *row[3:]]) + "\n" for row in rows)
        try:
            if (self.spill.stat().st_size if self.spill.exists() else 0) + len(text) > LARGEST_SPILL:
                self._drop(rows)
                return
            handle = os.open(self.spill, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.write(text)
        except OSError:
            self._drop(rows)

    async def _write_spilled(self) -> None:
        """What was put aside, by us or by another process, is in the database, and the file is empty."""
        if not self.spill.exists() or not self.spill.stat().st_size:
            return
        with self.spill.open("r+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return  # another process is at it
            rows = [row for line in file if (row := _row(line))]
            for start in range(0, len(rows), BATCH):
                await self._write(rows[start : start + BATCH])
            file.truncate(0)


WRITE = """
INSERT INTO logs.record (run, number, at, level, service, event, context)
SELECT run, number, at, level, service, event, context
FROM unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::smallint[], $5::text[], $6::text[], $7::jsonb[])
    AS one (run, number, at, level, service, event, context)
ON CONFLICT DO NOTHING
"""


def _row(line: str) -> Row | None:
    """A line of the spill file; None where the machine went down while it was written."""
    try:
        run, number, at, level, service, event, context = json.loads(line)
        return run, number, datetime.fromisoformat(at), level, service, event, context
    except (ValueError, TypeError):
        return None
