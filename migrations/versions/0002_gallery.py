"""The gallery of lawfully held arrest photographs.

Why: nothing may be searched that has no legal basis, and what is sealed has to vanish from every search at once.
"""

from migrations import sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    sql.run(__file__)
