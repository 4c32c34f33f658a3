"""Copies of a probe that were prepared for the search are kept, every one of them.

Why: what was done to an image that somebody was searched by has to be shown to a court, with the images (M10).
"""

from migrations import sql

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    sql.run(__file__)
