"""Seats of an examination are kept for those who were drawn by lot, or whom a supervisor asked (S9).

Why: whoever clicked first examined, so that two who agreed to could always have each other.
"""

from migrations import sql

revision = "0032"
down_revision = "0025"


def upgrade() -> None:
    sql.run(__file__)
