"""Postgres as the bot knows it: the pool, the connection's type, what it looks like when it is away.

The only bot module that names asyncpg. SQL is text from our own source: the connection's type says so, and the type
checker holds us to it.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, LiteralString, Protocol, cast

import asyncpg

import migrations

COMMAND_TIMEOUT = 10.0  # seconds; without one asyncpg waits for ever on a silent server
CONNECT_TIMEOUT = 5.0
PAUSE = 0.5  # seconds until a lost listener connects again


class DatabaseAwayError(Exception):
    """The database cannot be reached, or went away: whether the last transaction was committed is not known."""


class SchemaTooOldError(Exception):
    """The database's schema is older than this program: run `leadgate db upgrade`."""


AWAY = (DatabaseAwayError,)  # what a caller who can wait catches

_CONNECTING = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
_WORKING = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutting down, starting up, or a statement that took too long
    asyncpg.InsufficientResourcesError,  # disk full, too many connections
    asyncpg.TransactionRollbackError,  # two of us stood in each other's way
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InternalClientError,
    ConnectionError,
    TimeoutError,
)


class Row(Protocol):
    """A row, by column name."""

    def __getitem__(self, key: str) -> Any: ...
    def keys(self) -> Any: ...


class Conn(Protocol):
    """A database connection, as far as we use one: SQL must be text from our own source."""

    async def execute(self, query: LiteralString, *args: object) -> str: ...
    async def executemany(self, command: LiteralString, args: Iterable[tuple[object, ...]]) -> None: ...
    async def fetch(self, query: LiteralString, *args: object) -> list[Any]: ...
    async def fetchrow(self, query: LiteralString, *args: object) -> Any: ...
    async def fetchval(self, query: LiteralString, *args: object) -> Any: ...
    def transaction(self) -> AbstractAsyncContextManager[Any]: ...
    async def copy_records_to_table(
        self, table_name: LiteralString, *, schema_name: LiteralString, columns: list[str], records: Any
    ) -> str: ...


class Pool(Protocol):
    """Connections, as far as we use them."""

    def acquire(self) -> AbstractAsyncContextManager[Conn]: ...
    async def close(self) -> None: ...


class _Pool:
    """asyncpg's pool, whose many ways of being away are one: DatabaseAwayError."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    def acquire(self) -> AbstractAsyncContextManager[Conn]:
        return self._acquire()

    @asynccontextmanager
    async def _acquire(self) -> AsyncGenerator[Conn]:
        try:
            conn = await self._pool.acquire(timeout=CONNECT_TIMEOUT)
        except _CONNECTING as error:
            raise DatabaseAwayError(type(error).__name__) from error
        try:
            yield conn
        except _WORKING as error:
            _discard(conn)
            raise DatabaseAwayError(type(error).__name__) from error
        except asyncpg.InterfaceError as error:
            if not _lost(conn):
                raise  # a mistake of ours, not the database's absence
            raise DatabaseAwayError(type(error).__name__) from error
        finally:
            await self._give_back(conn)

    async def _give_back(self, conn: Any) -> None:
        with contextlib.suppress(*_CONNECTING):  # the pool makes itself another
            await self._pool.release(conn, timeout=CONNECT_TIMEOUT)

    async def close(self) -> None:
        """Every connection is closed, at once where the server does not answer."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await self._pool.close()
        except _CONNECTING:
            self._pool.terminate()


def _discard(conn: Any) -> None:
    """The pool makes a new one, and gives this one, cut in the middle of something, to nobody."""
    with contextlib.suppress(asyncpg.InterfaceError):
        conn.terminate()


def _lost(conn: Any) -> bool:
    try:
        return bool(conn.is_closed())
    except asyncpg.InterfaceError:  # the pool has taken it back already, as it does when the server hangs up
        return True


async def connect(url: str, *, name: str, size: int = 10, needs_schema: bool = True) -> Pool:
    """A pool whose statements end within 10 s and whose jsonb columns are Python objects.

    DatabaseAwayError where nobody answers, SchemaTooOldError where the schema is older than this program.
    """
    logging.getLogger("asyncpg.pool").setLevel(logging.CRITICAL)  # it prints a traceback per attempt to reconnect
    try:
        made = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=size,
            init=_prepare,
            command_timeout=COMMAND_TIMEOUT,
            timeout=CONNECT_TIMEOUT,
            server_settings=_settings(name),
        )
    except _CONNECTING as error:
        raise DatabaseAwayError(_explained(error)) from error
    pool = _Pool(made)
    if needs_schema:
        await _check_schema(pool)
    return pool


def _settings(name: str) -> dict[str, str]:
    """Limits that hold even where the client that set them is gone."""
    return {
        "application_name": name,
        "timezone": "UTC",
        "statement_timeout": "10s",
        "lock_timeout": "8s",
        "idle_in_transaction_session_timeout": "60s",
    }


def _explained(error: BaseException) -> str:
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        return "the database refused this login. Check user and password in the URL, or run `leadgate db login`."
    return f"the database does not answer ({type(error).__name__}). Check the URL and whether the server runs."


REVISION = "SELECT version_num FROM public.leadgate_revision"


async def _check_schema(pool: _Pool) -> None:
    try:
        async with pool.acquire() as conn:
            has = await conn.fetchval(REVISION)
    except (asyncpg.UndefinedTableError, asyncpg.InsufficientPrivilegeError):
        has = None
    if not has or has < migrations.head():
        await pool.close()
        needs = migrations.head()
        raise SchemaTooOldError(f"The database is at revision {has or 'none'}, {needs} is needed: leadgate db upgrade")


async def _prepare(conn: Any) -> None:
    await conn.set_type_codec("jsonb", encoder=_as_json, decoder=json.loads, schema="pg_catalog")


def _as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


async def listen(url: str, channel: str, heard: Callable[[], None]) -> None:
    """Calls `heard` whenever `channel` is notified, and after every reconnection, until cancelled."""
    while True:
        with contextlib.suppress(*_CONNECTING):
            async with _session(url) as (conn, gone):
                await conn.add_listener(channel, lambda *_: heard())
                heard()
                await _until(gone, conn)
        await asyncio.sleep(PAUSE)


@asynccontextmanager
async def alone(url: str, *, name: str) -> AsyncGenerator[Conn]:
    """One connection of its own, closed afterwards: for a session's lock or a long reading. Raises as connect."""
    pool = cast("_Pool", await connect(url, name=name, size=1))
    try:
        async with pool.acquire() as conn:
            yield conn
    finally:
        await pool.close()


@asynccontextmanager
async def _session(url: str) -> AsyncGenerator[tuple[Any, asyncio.Event]]:
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
            async with asyncio.timeout(15):
                await gone.wait()
            return
        await conn.execute("SELECT 1", timeout=5)
