"""Nobody is named in an opinion before each component of the face was compared, and the opinion holds what was found.

Why: a conclusion without the comparison that it rests on cannot be explained in court (ASTM E3149).
"""

from migrations import sql

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    sql.run(__file__)
