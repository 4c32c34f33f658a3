"""A request may be held for approval, a photograph for a supervisor; an executive may allow further photographs.

Why: packs want people besides the requester to agree before anything is searched (M41 to M43). Whoever approved stands
in a table of its own, whose constraint refuses what the policy refuses.
"""

from migrations import sql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    sql.run(__file__)
