"""A viewer's link says what it lets its holder see.

Why: where no photograph may stand in Slack, supervisors decide and requesters choose and see at the viewer.
"""

from migrations import sql

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    sql.run(__file__)
