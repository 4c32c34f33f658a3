"""What becomes of a lead: evidence and outcome on record, and no arrest before evidence that is independent (M28, S4).

Why: arrests were made on a lead alone, and nobody could say afterwards what else there had been.
"""

from migrations import sql

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    sql.run(__file__)
