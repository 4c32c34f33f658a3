"""The database holds requesters, and whoever stood aside, to the same rules as the policy (M40, S8).

Why: random stories with the policy's judgement switched off found these four that nothing else refused.
"""

from migrations import sql

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    sql.run(__file__)
