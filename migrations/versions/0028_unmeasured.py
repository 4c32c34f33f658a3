"""Photographs without a vector are known: not yet measured with a model, or looked at with it and found without a face.

Why: a gallery that was measured in part was searched as if it were whole, and certified so; and one photograph in which
a new model finds no face must not keep all others out of reach for ever. A vector that is deleted is a change, too.
"""

from migrations import sql

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    sql.run(__file__)
