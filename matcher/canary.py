"""Questions whose answer is known: photographs of the gallery have to find themselves."""

from matcher import gallery, images
from matcher.faces import Faces
from matcher.gallery import Conn
from matcher.images import ImageRefusedError
from matcher.index import Contents

ASKED = 3
LOOKED_AT = 10  # the same file may be enrolled under two identities
ITSELF = 0.8  # cosine; the stored picture is re-encoded, so not quite 1


async def photographs(conn: Conn, model: str) -> list[tuple[int, bytes]]:
    """A few photographs that may be searched: (number, picture)."""
    return await gallery.some_pictures(conn, model, ASKED)


def wrong_answer(faces: Faces, index: Contents, asked: list[tuple[int, bytes]]) -> str | None:
    """None where every photograph finds itself; otherwise what went wrong, as a sentence."""
    for number, jpeg in asked:
        if why := _why_wrong(faces, index, number, jpeg):
            return (
                f"The matcher gave a wrong answer: {why}. Nothing is searched until the next check passes. "
                "Is the model pack the one that the gallery was enrolled with?"
            )
    return None


def _why_wrong(faces: Faces, index: Contents, number: int, jpeg: bytes) -> str | None:
    try:
        photo = images.decode(jpeg)
    except ImageRefusedError as no:
        return f"photograph {number} of the gallery cannot be read any more ({no.rule})"
    found = [dict(index.nearest(faces.vector(photo, face), LOOKED_AT).found) for face in faces.find(photo)]
    score = max((each.get(number, -1.0) for each in found), default=-1.0)
    return None if score >= ITSELF else f"photograph {number} of the gallery does not find itself (cosine {score:.2f})"
