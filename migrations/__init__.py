"""The database's schema, forward only. Every revision is a file of SQL and says why it is there."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

HERE = Path(__file__).parent
VERSION_TABLE = "leadgate_revision"  # in the schema public, readable by everybody


def head() -> str:
    """The newest revision that this program knows, such as "0003": what the database has to have at least."""
    return max(file.name[:4] for file in (HERE / "versions").glob("[0-9][0-9][0-9][0-9]_*.py"))


async def upgrade(url: str, revision: str = "head") -> None:
    """The database has every revision up to `revision`, or, if one fails, is exactly as it was.

    `url` logs in as a superuser or as a member of leadgate_owner that may create schemas (and roles, the first time).
    """
    await _with_connection(url, lambda connection: _run("upgrade", connection, revision))


async def current(url: str) -> str | None:
    """The database's revision; None where it never had one."""
    from alembic.runtime.migration import MigrationContext

    def ask(connection: "Connection") -> str | None:
        return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()

    return await _with_connection(url, ask)


def run_sql(revision: str) -> None:
    """Runs the .sql file beside a revision's .py file (pass `__file__`) in the transaction of the upgrade."""
    from alembic import op

    text = Path(revision).with_suffix(".sql").read_text(encoding="utf-8")
    driver = op.get_bind().connection.dbapi_connection
    assert driver is not None, "an upgrade runs on an open connection"
    driver.run_async(lambda connection: connection.execute(text))


def _run(command: str, connection: "Connection", revision: str) -> None:
    from alembic import command as commands
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.attributes["connection"] = connection
    getattr(commands, command)(config, revision)


async def _with_connection[T](url: str, do: Callable[["Connection"], T]) -> T:
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import NullPool

    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(do)
    finally:
        await engine.dispose()
