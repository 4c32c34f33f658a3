"""The viewer's one-time links, and what examiners note of each facial component.

Why: chat cannot put two faces side by side; a link that works once, for one person, for five minutes can.
"""

from migrations import sql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    sql.run(__file__)
