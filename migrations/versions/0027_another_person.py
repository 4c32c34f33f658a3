"""After an outcome it can still be recorded that the case was closed on another person (X13).

Why: an arrest on a lead is the very case in which that has to be recorded later.
"""

from migrations import sql

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    sql.run(__file__)
