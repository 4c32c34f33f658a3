"""The five group roles, and the ledger: append-only, chained, sealed, with its private fields beside it.

Why: what was decided has to be provable years later, also against whoever runs the database.
"""

from migrations import sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    sql.run(__file__)
