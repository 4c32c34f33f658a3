"""Runs a revision's SQL file as it stands: several statements, no parameters."""

from pathlib import Path

from alembic import op


def run(revision_file: str) -> None:
    """Executes the .sql file beside the revision's .py file, whole, in the migration's transaction."""
    text = Path(revision_file).with_suffix(".sql").read_text(encoding="utf-8")
    connection = op.get_bind().connection.dbapi_connection
    assert connection is not None
    connection.run_async(lambda raw: raw.execute(text))  # pyright: ignore[reportAttributeAccessIssue] - asyncpg's adapter
