"""Vectors of one model have one length, and whoever serves the gallery hears of a vector that came later.

Why: a vector of another model, taken in, would make every answer wrong or none; and a gallery that was measured again
while it was being served was not searched before the next start.
"""

from migrations import sql

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    sql.run(__file__)
