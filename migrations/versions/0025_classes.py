"""Candidates, opinions and what became of a lead go when their own time is over, not with the request's (M32).

Why: a pack may keep each class for another time, and until now only photographs and the request kept to it.
"""

from migrations import sql

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    sql.run(__file__)
