"""The database's schema, forward only. Every revision is a file of SQL and says why it is there."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from sqlalchemy import Connection

HERE = Path(__file__).parent
VERSION_TABLE = "leadgate_revision"  # in the schema public, readable by everybody

T = TypeVar("T")


def head() -> str:
    """The newest revision that this program knows, such as "0003": what the database has to have at least."""
    return max(file.name[:4] for file in (HERE / "versions").glob("[0-9][0-9][0-9][0-9]_*.py"))


async def upgrade(url: str, revision: str = "head") -> None:
    """The database has every revision up to `revision`, or, if one fails, is exactly as it was.

    `url` logs in as a superuser, or as the database's owner who is a member of leadgate_owner and may make roles.
    """
    await _with_connection(url, lambda connection: _upgrade(connection, revision))


async def current(url: str) -> str | None:
    """The database's revision; None where it never had one."""
    return await _with_connection(url, _current)


def _upgrade(connection: "Connection", revision: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _current(connection: "Connection") -> str | None:
    from alembic.runtime.migration import MigrationContext

    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


async def _with_connection(url: str, act: Callable[["Connection"], T]) -> T:
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import NullPool

    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: _connect(url), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(act)
    finally:
        await engine.dispose()


async def _connect(url: str) -> Any:
    """By the driver itself, which understands more of a URL (sslmode, several hosts) than SQLAlchemy lets through."""
    import asyncpg

    return await asyncpg.connect(url, timeout=10, server_settings={"application_name": "leadgate-migrations"})
