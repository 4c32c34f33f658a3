"""Copies of a probe that were prepared for the search, and how they came about (M10)."""

from bot import photos
from bot.database import Conn
from policy.model import Search
from policy.preparation import in_words
from policy.workflow import searched_copy


async def latest(conn: Conn, kek: bytes, search: Search) -> bytes:
    """The copy that is searched, by the hash that the lineage ends with."""
    digest = searched_copy(search)
    if digest == search.photo_sha256:
        photo = await photos.opened(conn, kek, search.id, "original")
    else:
        photo = await photos.prepared(conn, kek, search.id, digest)
    assert photo is not None, "recorded without the copy"
    return photo


def lineage(search: Search) -> list[dict[str, str]]:
    """Every operation, as a page shows it and a case file prints it."""
    return [
        {
            "what": in_words(step.operation),
            "before": step.before_sha256,
            "after": step.after_sha256,
            "by": step.by,
            "at": f"{step.at:%Y-%m-%d %H:%M} UTC",
        }
        for step in search.preparations
    ]
