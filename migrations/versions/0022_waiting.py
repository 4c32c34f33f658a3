"""Since when a search is in its state: what waits for people is reminded of, and does not lie forgotten (S10).

Why: an examination nobody opened looked like one that was in good hands.
"""

from migrations import sql

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    sql.run(__file__)
