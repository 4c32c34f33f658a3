"""Alembic's entry: the connection is handed over by `migrations.upgrade`; there is no offline mode."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table="leadgate_revision", transactional_ddl=True)
context.run_migrations()
