"""Which gallery this is.

Why: a snapshot that another gallery left in the same cache must not be served: both number their photographs from 1.
"""

from migrations import sql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    sql.run(__file__)
