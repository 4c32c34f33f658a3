"""Questions whose answer is known: photographs of the gallery have to find themselves."""

from matcher import gallery, images
from matcher.faces import Faces
from matcher.gallery import Conn
from matcher.index import GalleryIndex

ASKED = 3
LOOKED_AT = 10  # the same file may be enrolled under two identities
ITSELF = 0.8  # cosine; the stored picture is re-encoded, so not quite 1


async def photographs(conn: Conn) -> list[tuple[int, bytes]]:
    """A few photographs that may be searched: (number, picture)."""
    return await gallery.some_pictures(conn, ASKED)


def wrong_answer(faces: Faces, index: GalleryIndex, asked: list[tuple[int, bytes]]) -> str | None:
    """None where every photograph finds itself; otherwise what went wrong, as a sentence."""
    for number, jpeg in asked:
        photo = images.decode(jpeg)
        scores = [
            dict(index.nearest(faces.vector(photo, face), LOOKED_AT).found).get(number, -1.0)
            for face in faces.find(photo)
        ]
        if max(scores, default=-1.0) < ITSELF:
            return (
                f"The matcher gave a wrong answer: photograph {number} of the gallery does not find itself. Nothing is "
                "searched until the next check passes. Is the model pack the one that the gallery was enrolled with?"
            )
    return None
