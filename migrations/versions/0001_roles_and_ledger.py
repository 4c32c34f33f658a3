"""Roles, and the ledger that none of them can change."""

from migrations import sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    sql.run(__file__)
