"""The legal basis of a photograph is the name of a class, which a search may or may not reach.

Why: what a policy pack permits, and what an executive allows, is compared with it word by word (M42).
"""

from migrations import sql

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    sql.run(__file__)
