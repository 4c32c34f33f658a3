"""What alembic runs: the revisions, in one transaction, on the connection that `migrations.upgrade` opened."""

from alembic import context
from sqlalchemy import text

from migrations import VERSION_TABLE

# Two upgrades at once are one upgrade: the second waits and finds nothing to do.
LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('leadgate migrations', 0))")

connection = context.config.attributes["connection"]
connection.execute(LOCK)
context.configure(connection=connection, version_table=VERSION_TABLE)
with context.begin_transaction():
    context.run_migrations()
