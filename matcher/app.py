"""Composition root of the matcher: the only module that builds things."""

import asyncio
import contextlib
import json
import signal
import time
from pathlib import Path

import structlog
from aiohttp import web

from matcher import canary, gallery, pack, snapshot
from matcher.contract import GalleryFacts
from matcher.faces import Faces
from matcher.gallery import Pool
from matcher.index import GalleryIndex
from matcher.service import Service
from matcher.settings import Settings
from matcher.snapshot import SnapshotError

LOOK_EVERY = 30.0  # seconds, where no notification came
GATHER = 0.1  # seconds: changes that come together are taken in together
CANARY_EVERY = 3600.0
SAVE_AFTER = 60.0  # seconds from a change to a snapshot without what was sealed or expunged (M13: 24 hours)
SAVE_LARGE_AFTER = 600.0
LARGE = 100_000

log = structlog.get_logger()


def model_pack(settings: Settings) -> Path:
    """The folder of the model pack that the settings name, or of the default."""
    return settings.pack or pack.default(settings.cache.expanduser())


def load_faces(settings: Settings, threads: int | None = None) -> Faces:
    """That pack's model, loaded."""
    return Faces(model_pack(settings), threads=threads or settings.threads, provider=settings.provider)


async def serve(settings: Settings, faces: Faces | None = None) -> None:
    """Serves until the process is asked to stop; its first line says where. The model is loaded where none is given."""
    faces = faces or await asyncio.to_thread(load_faces, settings)
    url = settings.database_url.get_secret_value()
    pool = await gallery.connect(url, "leadgate-matcher")
    service = Service(faces, pool, settings.secret.get_secret_value())
    async with pool.acquire() as conn:
        which = await gallery.identity(conn)
    folder = settings.cache.expanduser() / "snapshots" / which / faces.model.sha256[:16]
    follower = Follower(service, pool, faces, folder)
    tasks = [
        asyncio.create_task(gallery.hear_changes(url, follower.changed.set)),
        asyncio.create_task(follower.follow()),
    ]
    runner = web.AppRunner(service.app())
    await runner.setup()
    site = web.TCPSite(runner, settings.host, settings.port)
    await site.start()
    port = runner.addresses[0][1]
    ready = {"url": f"http://{settings.host}:{port}", "model": faces.model.pack, "provider": faces.model.provider}
    print(json.dumps(ready), flush=True)  # noqa: T201 - whoever started us reads it
    stop = asyncio.create_task(_asked_to_stop())
    await asyncio.wait([stop, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in (stop, *tasks):
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    await runner.cleanup()
    await pool.close()
    for error in ended:  # a follower that broke ends the process: it would serve an old gallery for ever
        if isinstance(error, Exception):
            raise error


class Follower:
    """Keeps the index in step with the database, its snapshot on disk, and asks the canaries."""

    def __init__(self, service: Service, pool: Pool, faces: Faces, folder: Path) -> None:
        self.changed = asyncio.Event()
        self._service = service
        self._pool = pool
        self._faces = faces
        self._folder = folder
        self._saved = self._asked = 0.0  # when, by the monotonic clock

    async def follow(self) -> None:
        """Whatever was enrolled or sealed is so in the next search: heard at once, looked for every half minute."""
        while True:
            self.changed.clear()
            try:
                await self._catch_up()
                await self._ask_canaries()
                await self._save()
            except gallery.AWAY as error:
                log.warning("gallery.database-away", error=type(error).__name__)
                self.changed.set()
                await asyncio.sleep(1)
            await asyncio.sleep(GATHER)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.changed.wait(), LOOK_EVERY)

    async def _catch_up(self) -> None:
        service, model = self._service, self._faces.model
        async with self._pool.acquire() as conn:
            index = service.index if service.index is not None else await self._opened(conn)
            numbers, eligible, through = await gallery.read_changes(conn, model.sha256, index.through)
            if not numbers and service.facts:
                return
            people = await gallery.count_people(conn)
            async with service.changing:  # a search's root is that of what it searched
                index.change(numbers, eligible, through)
                root = await asyncio.to_thread(index.root)
                service.facts = GalleryFacts(photos=len(index), people=people, root=root)
                service.index = index
        log.info("gallery.in-step", photos=len(index), people=people, through=through)

    async def _opened(self, conn: gallery.Conn) -> GalleryIndex:
        """From the snapshot, or, where there is none that can be trusted, from the database."""
        model = self._faces.model
        try:
            held = await asyncio.to_thread(snapshot.load, self._folder, model.sha256, model.dimension)
        except SnapshotError as error:
            log.warning("snapshot.discarded", why=str(error))
            held = None
        if held is None or held.through > await gallery.newest_change(conn):  # newer: another database's
            held = await gallery.read_all(conn, model.sha256, model.dimension)
        return GalleryIndex(held, threads=2)

    async def _ask_canaries(self) -> None:
        """Before the first search, every hour, and, while the answers are wrong, whenever there is something new."""
        service = self._service
        if self._asked and not service.out_of_service and time.monotonic() - self._asked < CANARY_EVERY:
            return
        wrong = await self._wrong_answer()
        if wrong:  # a photograph may have been sealed or enrolled just now
            await self._catch_up()
            wrong = await self._wrong_answer()
        if wrong != service.out_of_service:
            log.error("canary.wrong-answer", why=wrong) if wrong else log.info("canary.right-again")
        service.out_of_service, service.checked = wrong, True
        self._asked = time.monotonic()

    async def _wrong_answer(self) -> str | None:
        index = self._service.index
        assert index is not None  # it was caught up with before
        async with self._pool.acquire() as conn:
            asked = await canary.photographs(conn)
        return await self._service.in_thread(canary.wrong_answer, self._faces, index, asked)

    async def _save(self) -> None:
        """A snapshot of what is searched now is on the disk; a full disk costs the snapshot, not the service."""
        index = self._service.index
        if index is None:
            return
        wait = SAVE_LARGE_AFTER if len(index) > LARGE else SAVE_AFTER
        if self._saved and not index.crowded and (not index.unsaved or time.monotonic() - self._saved < wait):
            return
        if not self._saved and not index.unsaved and len(index) == 0:
            return
        try:
            held = await asyncio.to_thread(index.merged)
            await asyncio.to_thread(snapshot.save, self._folder, held, self._faces.model.sha256)
        except OSError as error:
            log.warning("snapshot.not-saved", error=str(error))
        else:
            async with self._service.changing:
                index.rest_on(held)
        self._saved = time.monotonic()


async def _asked_to_stop() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
