"""Cases whose answer is known measure the examiners; how long an opinion took, and which unit its examiner is of.

Why: training does not show in attendance, only in measured error (X2); and an opinion given in seconds is none (S7).
"""

from migrations import sql

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    sql.run(__file__)
