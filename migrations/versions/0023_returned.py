"""One more opinion counts where a supervisor asked for it (M23); a fault ends a search openly (M24).

Why: a supervisor who doubted two opinions could only approve them or throw them away.
"""

from migrations import sql

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    sql.run(__file__)
