"""What the policy refuses, the database refuses too: who may lock an opinion, approve, and when a lead may stand.

Why: whoever reaches the database around the door must not be able to make a lead that the door would have refused.
"""

from migrations import sql

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    sql.run(__file__)
