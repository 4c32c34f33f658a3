"""Photographs and logs go when their time is over; a legal hold stops the clock.

Why: nobody's role may delete photographs as it likes; what may go is decided here again, and the ledger says what went.
"""

from migrations import sql

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    sql.run(__file__)
