"""The photographs of the viewer, by the name they are asked for with, and where the face in them is."""

import asyncio
from dataclasses import dataclass

from bot import photos, sights, watermark
from bot.database import Pool
from bot.matching import Matcher
from bot.preparing import Preparing
from bot.viewer_guard import NO_PHOTOGRAPH, ClosedError
from policy.model import Search, SearchId, State
from policy.workflow import searched_copy


@dataclass(frozen=True, slots=True)
class Place:
    """Where the face in a photograph is, in shares of its sides; and the size in pixels of what it was made from."""

    landmarks: tuple[tuple[float, float], ...]  # five: eyes, nose tip, mouth corners; none where no face was found
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Marked:
    """A photograph as it is served, and what it was made of: hashes for the record."""

    jpeg: bytes
    of: str  # SHA-256 of the photograph before the watermark

    @property
    def hashes(self) -> dict[str, str]:
        return {"sha256": photos.sha256(self.jpeg), "of_sha256": self.of}


class Pictures:
    """Fetched, marked and forgotten: none is kept here."""

    def __init__(self, pool: Pool, matcher: Matcher, preparing: Preparing, kek: bytes) -> None:
        self._pool = pool
        self._matcher = matcher
        self._preparing = preparing
        self._kek = kek

    async def marked(self, search: Search, name: str, mark: str) -> Marked:
        """The photograph with `mark` across it."""
        photo = await self._photograph(search, name)
        return Marked(await asyncio.to_thread(watermark.burnt, photo, mark), photos.sha256(photo))

    async def place(self, search: Search, name: str) -> Place:
        """Where the face is: it brings two faces to the same place on a screen, and does not say how like they are."""
        if name == sights.PREPARED:  # what is served is made smaller, and a crop counts pixels of the copy itself
            photo = await self._preparing.latest(search)
        else:
            photo = await self._photograph(search, name)
        found = await self._matcher.faces(photo)
        wide, high = found.photo.width, found.photo.height
        faces = sorted(found.faces, key=lambda f: (f.box.right - f.box.left) * (f.box.bottom - f.box.top))
        landmarks = faces[-1].landmarks if faces else ()
        return Place(tuple((round(x / wide, 5), round(y / high, 5)) for x, y in landmarks), (wide, high))

    async def _photograph(self, search: Search, name: str) -> bytes:
        match name:
            case sights.PROBE if search.state is State.QUALITY_HELD:  # examiners' copy is made once it is searched
                assert search.face is not None, "held before a face was chosen"
                return await self._matcher.copy(await self._kept(search.id, "original"), search.face)
            case sights.PROBE:
                return await self._kept(search.id, "copy")
            case sights.PREPARED:
                face = search.face if searched_copy(search) == search.photo_sha256 else 0
                return await self._matcher.copy(await self._preparing.latest(search), face or 0)
            case sights.FACES:
                return await self._matcher.marked(await self._kept(search.id, "original"))
            case _:
                return await self._matcher.gallery_photo(sights.photograph(search, name))

    async def _kept(self, search: SearchId, kind: photos.Kind) -> bytes:
        async with self._pool.acquire() as conn, conn.transaction():
            photo = await photos.opened(conn, self._kek, search, kind)
        if photo is None:  # past its time (bot/retention.py)
            raise ClosedError(NO_PHOTOGRAPH, 404)
        return photo
