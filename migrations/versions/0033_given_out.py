"""What was handed out is known again for as long as what it was is kept, and no longer.

Why: its digests stood outside of every class of retention.
"""

from migrations import sql

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    sql.run(__file__)
