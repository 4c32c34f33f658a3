"""What a court sealed or had expunged does not come back under another line, and nobody approves under two spellings.

Why: an order is about an arrest or a picture, and another line of another manifest brought both back within reach.
"""

from migrations import sql

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    sql.run(__file__)
