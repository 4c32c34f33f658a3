"""The database, forward only. Revisions are SQL; each says why it is there. Alembic keeps the order."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

HERE = Path(__file__).parent
LOCK = 0x1EAD6A7E


async def upgrade(url: str) -> None:
    """The database is at the newest revision. Two upgrades at once: the second waits and finds nothing to do."""
    await _with_connection(url, _upgrade)


async def current(url: str) -> str | None:
    """The revision the database is at."""
    return await _with_connection(url, lambda conn: MigrationContext.configure(conn).get_current_revision())


async def _with_connection(url: str, act: Callable[[Connection], Any]) -> Any:
    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: _connect(url), poolclass=NullPool)
    try:
        async with engine.begin() as conn:
            return await conn.run_sync(act)
    finally:
        await engine.dispose()


async def _connect(url: str) -> Any:
    import asyncpg

    return await asyncio.wait_for(asyncpg.connect(url), 10)


def _upgrade(conn: Connection) -> None:
    conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["connection"] = conn
    command.upgrade(config, "head")
