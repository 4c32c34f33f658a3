"""The contradiction gate: no lead before the arrest record was looked at, and what contradicts was resolved (X3).

Why: what a witness described and what is on file were eight inches and seventy pounds apart, and nobody had to say so.
"""

from migrations import sql

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    sql.run(__file__)
