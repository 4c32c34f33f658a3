"""Postgres as the bot knows it: the pool, the connection's type, what it looks like when it is away.

The only bot module that names asyncpg. SQL is text from our own source: the connection's type says so, and the type
checker holds us to it.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, LiteralString, Protocol, cast

import asyncpg

COMMAND_TIMEOUT = 10.0  # seconds; without one asyncpg waits for ever on a silent server
CONNECT_TIMEOUT = 5.0

AWAY: tuple[type[Exception], ...] = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # the server is shutting down or starting up
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InsufficientResourcesError,
    OSError,
    TimeoutError,
)


class Row(Protocol):
    """A row, by column name."""

    def __getitem__(self, key: str) -> Any: ...
    def keys(self) -> Any: ...


class Conn(Protocol):
    """A database connection, as far as we use one: SQL must be text from our own source."""

    async def execute(self, query: LiteralString, *args: object) -> str: ...
    async def executemany(self, command: LiteralString, args: Any) -> None: ...
    async def fetch(self, query: LiteralString, *args: object) -> list[Any]: ...
    async def fetchrow(self, query: LiteralString, *args: object) -> Any: ...
    async def fetchval(self, query: LiteralString, *args: object) -> Any: ...
    def transaction(self) -> AbstractAsyncContextManager[Any]: ...


class Pool(Protocol):
    """Connections, as far as we use them."""

    def acquire(self) -> AbstractAsyncContextManager[Conn]: ...
    async def close(self) -> None: ...


async def connect(url: str, *, name: str, size: int = 10) -> Pool:
    """A pool whose statements end within 10 s, and whose jsonb columns are Python objects."""
    logging.getLogger("asyncpg.pool").setLevel(logging.CRITICAL)  # it prints a traceback per retry
    pool = await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        init=_prepare,
        command_timeout=COMMAND_TIMEOUT,
        timeout=CONNECT_TIMEOUT,
        server_settings={"application_name": name, "statement_timeout": "10s", "timezone": "UTC"},
    )
    return cast("Pool", pool)


async def _prepare(conn: Any) -> None:
    await conn.set_type_codec("jsonb", encoder=_as_json, decoder=json.loads, schema="pg_catalog")


def _as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


async def listen(url: str, channel: str, heard: Callable[[], None]) -> None:
    """Calls `heard` whenever `channel` is notified, and after every reconnection, until cancelled."""
    while True:
        with contextlib.suppress(*AWAY):
            async with _session(url) as (conn, gone):
                await conn.add_listener(channel, lambda *_: heard())
                heard()
                await _until(gone, conn)
        await asyncio.sleep(0.5)


@contextlib.asynccontextmanager
async def _session(url: str) -> AsyncGenerator[tuple[Any, asyncio.Event], None]:
    conn = await asyncpg.connect(url, timeout=int(CONNECT_TIMEOUT), command_timeout=COMMAND_TIMEOUT)
    gone = asyncio.Event()
    conn.add_termination_listener(lambda *_: gone.set())
    try:
        yield conn, gone
    finally:
        conn.terminate()


async def _until(gone: asyncio.Event, conn: Any) -> None:
    """Until the connection is gone; asked every 15 s, since a half-open one does not say so."""
    while not gone.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(gone.wait(), 15)
            return
        await conn.execute("SELECT 1", timeout=5)
