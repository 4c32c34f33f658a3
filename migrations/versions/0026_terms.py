"""What a pack asks of a search stands beside the pack, and the search is held to that, not to what its row says.

Why: a row that said it needed no approval, or was an emergency, was believed; so was whoever it said let a poor face
through. And who sent a review back, or allowed further photographs, could still examine.
"""

from migrations import sql

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    sql.run(__file__)
