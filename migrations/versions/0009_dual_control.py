"""Two people agree to what enters the gallery, where the policy pack asks for it.

Why: a program that goes around the command line must not be able to plant a photograph alone.
"""

from migrations import sql

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    sql.run(__file__)
