"""Forms that were closed before they were sent.

Why: what a detective typed on a phone is not lost when the phone rings.
"""

from migrations import sql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    sql.run(__file__)
