"""The viewer opens for the person its link was made for; time at an examination counts wherever it is spent.

Why: whoever had an unused link was taken for its holder; and whoever compared at the viewer first looked hasty.
"""

from migrations import sql

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    sql.run(__file__)
