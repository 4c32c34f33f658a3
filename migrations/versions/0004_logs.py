"""The operational log, batched from the services' stdout.

Why: an operator asks what happened around a search without a login on every machine. It explains; it testifies to
nothing, and nothing personal is in it.
"""

from migrations import sql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    sql.run(__file__)
