"""Nobody on the roster bears a name that the ledger keeps for what is no person; an account is named.

Why: the code alone refused it, and whoever writes around the code would act as the system in every later reading.
"""

from migrations import sql

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    sql.run(__file__)
