"""Whom an examiner was shown is on record with the opinion; nobody is named who was not shown (X1).

Why: where the second examiner sees fewer candidates, a court asks which, and how they were drawn.
"""

from migrations import sql

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    sql.run(__file__)
