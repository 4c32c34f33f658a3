"""Photographs beyond arrests: no search passes without an executive's permission on record (M42).

Why: the policy asked for the executive, and the database believed it.
"""

from migrations import sql

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    sql.run(__file__)
