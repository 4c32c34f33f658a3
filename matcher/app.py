"""Composition root of the matcher: the only module that builds things."""

import asyncio
import contextlib
import json
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog
from aiohttp import web

from matcher import canary, gallery, pack, snapshot
from matcher.contract import GalleryFacts
from matcher.faces import Faces
from matcher.gallery import Pool
from matcher.index import GalleryIndex
from matcher.service import Service, Serving
from matcher.settings import Settings
from matcher.snapshot import Snapshot, SnapshotError

LOOK_EVERY = 30.0  # seconds, where no notification came
GATHER = 0.1  # seconds: changes that come together are taken in together
CANARY_EVERY = 3600.0
SAVE_AFTER = 60.0  # seconds from a change to a snapshot without what was sealed or expunged (M13: 24 hours)
SAVE_LARGE_AFTER = 600.0
LARGE = 100_000
PURGE_EVERY = 3600.0
OUT_OF_USE = 20 * 3600.0  # seconds, of another gallery's snapshot: with the hour until it is seen, less than M13's 24
STOP_WITHIN = 5.0  # seconds for what is under way when we are asked to stop
COUNT_SHARE = 20  # of the time, at most one part goes into counting people: a second in a gallery of a million

log = structlog.get_logger()


def model_pack(settings: Settings) -> Path:
    """The folder of the model pack that the settings name, or of the default."""
    return settings.pack or pack.default(settings.cache.expanduser())


def load_faces(settings: Settings, threads: int | None = None) -> Faces:
    """That pack's model, loaded."""
    return Faces(model_pack(settings), threads=threads or settings.threads, provider=settings.provider)


def _which_model(settings: Settings, faces: Faces | None) -> tuple[str, int]:
    """The model's hash and dimension, which its files say before it is loaded."""
    if faces:
        return faces.model.sha256, faces.model.dimension
    folder = model_pack(settings)
    return pack.fingerprint(folder), int(pack.about(folder)["dimension"])


async def serve(settings: Settings, faces: Faces | None = None) -> None:
    """Serves until the process is asked to stop; its first line says where. The model is loaded where none is given."""
    model, dimension = await asyncio.to_thread(_which_model, settings, faces)
    url = settings.database_url.get_secret_value()
    pool = await gallery.connect(url, "leadgate-matcher")
    async with pool.acquire() as conn:
        which = await gallery.identity(conn)
    folder = settings.cache.expanduser() / "snapshots" / which / model[:16]
    beginning = Beginning.of(pool, lambda: _on_disk(folder, model, dimension, settings.read_first))
    faces = faces or await asyncio.to_thread(load_faces, settings)
    service = Service(faces, pool, settings.secret.get_secret_value())
    follower = Follower(service, pool, faces, folder, beginning, settings.threads)
    runner = web.AppRunner(service.app(), shutdown_timeout=STOP_WITHIN)
    await runner.setup()
    site = web.TCPSite(runner, settings.host, settings.port)
    await site.start()
    port = runner.addresses[0][1]
    ready = {"url": f"http://{settings.host}:{port}", "model": faces.model.pack, "provider": faces.model.provider}
    print(json.dumps(ready), flush=True)  # noqa: T201 - whoever started us reads it
    tasks = [  # they log, and that line comes first
        asyncio.create_task(gallery.hear_changes(url, follower.changed.set)),
        asyncio.create_task(follower.follow()),
    ]
    stop = asyncio.create_task(_asked_to_stop())
    await asyncio.wait([stop, *tasks], return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    for error in await _ended(tasks, runner, pool):  # a follower that broke: it would serve an old gallery for ever
        if isinstance(error, Exception):
            raise error


async def _ended(tasks: list[asyncio.Task[None]], runner: web.AppRunner, pool: Pool) -> list[BaseException | None]:
    """What was under way has ended and every connection is closed; what a silent database holds up is cut off."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=STOP_WITHIN)
    await runner.cleanup()
    await gallery.close(pool)
    return await asyncio.gather(*tasks, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class Beginning:
    """What is read while the model is being loaded: a restart is as long as the longer of the two."""

    held: "asyncio.Task[Snapshot | SnapshotError | None]"
    people: "asyncio.Task[tuple[int, int] | None]"

    @classmethod
    def of(cls, pool: Pool, read: Callable[[], Snapshot | SnapshotError | None]) -> "Beginning":
        return cls(asyncio.create_task(asyncio.to_thread(read)), asyncio.create_task(_counted(pool)))


def _on_disk(folder: Path, model: str, dimension: int, read_first: int) -> Snapshot | SnapshotError | None:
    """The snapshot; None where there is none, the error where it cannot be trusted."""
    try:
        return snapshot.load(folder, model, dimension, read_first)
    except SnapshotError as error:
        return error  # nothing is logged before the line that says where we serve


async def _counted(pool: Pool) -> tuple[int, int] | None:
    """(a change, how many people might be searched for after it); None where the database does not say it just now."""
    with contextlib.suppress(*gallery.AWAY):
        async with pool.acquire() as conn:
            return await gallery.newest_change(conn), await gallery.count_people(conn)
    return None


class Follower:
    """Keeps the index in step with the database, its snapshot on disk, and asks the canaries."""

    def __init__(
        self, service: Service, pool: Pool, faces: Faces, folder: Path, beginning: Beginning, threads: int = 2
    ) -> None:
        self.changed = asyncio.Event()
        self._service = service
        self._pool = pool
        self._faces = faces
        self._folder = folder
        self._threads = threads
        self._beginning: Beginning | None = beginning  # until there is an index
        self._index: GalleryIndex | None = None
        self._saved = self._asked = self._purged = 0.0  # when, by the monotonic clock
        self._uncounted = False  # something changed since people were counted
        self._count_from = 0.0  # when they may be counted again

    async def follow(self) -> None:
        """Whatever was enrolled or sealed is so in the next search: heard at once, looked for every half minute."""
        while True:
            self.changed.clear()
            try:
                await self._catch_up()
                await self._ask_canaries()
                await self._prove()
                await self._save()
                await self._purge()
            except SnapshotError as error:
                self._distrust(error)
            except gallery.VectorError as error:
                log.warning("gallery.wrong-vector", why=str(error))
                self._service.out_of_service = str(error)
            except gallery.AWAY as error:
                log.warning("gallery.database-away", error=type(error).__name__)
                self.changed.set()
                await asyncio.sleep(1)
            await asyncio.sleep(GATHER)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._patience()):  # unlike wait_for's, its cancellation is never swallowed
                    await self.changed.wait()

    def _patience(self) -> float:
        """Seconds until we look for changes that nobody told us of, or until people may be counted again."""
        return min(max(self._count_from - time.monotonic(), 0.0), LOOK_EVERY) if self._uncounted else LOOK_EVERY

    async def _catch_up(self) -> None:
        service, model = self._service, self._faces.model
        async with self._pool.acquire() as conn:
            index = self._index if self._index is not None else await self._opened(conn)
            change = await gallery.read_changes(conn, model.sha256, model.dimension, index.through)
            self._uncounted |= bool(change.numbers)
            if change.numbers or service.now is None:
                await asyncio.to_thread(index.change, change)
                people = await self._people(conn, change.through)
                self._index, self._beginning = index, None
                facts = self._serve(index, people)
                log.info("gallery.in-step", **facts.model_dump(exclude={"root"}), through=change.through)
            if self._uncounted and time.monotonic() >= self._count_from:
                await self._count(conn)

    def _serve(self, index: GalleryIndex, people: int) -> GalleryFacts:
        """From now on searches are given what is in the index now; those under way keep what they were given."""
        now = index.now
        facts = GalleryFacts(
            photos=len(now),
            people=people,
            root=now.root(),
            unmeasured=len(now.unmeasured),
            faceless=len(now.faceless),
        )
        self._service.now = Serving(now, facts)
        return facts

    async def _people(self, conn: gallery.Conn, through: int) -> int:
        """How many people there were when they were last counted."""
        if self._service.now:
            return self._service.now.facts.people
        counted = await self._beginning.people if self._beginning else None
        if counted is None:
            return await gallery.count_people(conn)
        self._uncounted |= counted[0] != through
        return counted[1]

    async def _count(self, conn: gallery.Conn) -> None:
        """The facts say how many people may be searched for; that takes a second in a gallery of a million."""
        began = time.monotonic()
        people = await gallery.count_people(conn)
        ended = time.monotonic()
        self._uncounted, self._count_from = False, ended + COUNT_SHARE * (ended - began)
        assert self._index is not None
        self._serve(self._index, people)

    async def _opened(self, conn: gallery.Conn) -> GalleryIndex:
        """From the snapshot, or, where there is none that can be trusted, from the database."""
        model = self._faces.model
        held = await self._beginning.held if self._beginning else None
        if isinstance(held, SnapshotError):
            log.warning("snapshot.discarded", why=str(held))
            held = None
        if held is None or held.through > await gallery.newest_change(conn):  # newer: another database's
            held = await gallery.read_all(conn, model.sha256, model.dimension)
        else:
            self._saved = time.monotonic()  # it is on the disk already
        return GalleryIndex(held, threads=self._threads, classes=await gallery.read_classes(conn))

    async def _prove(self) -> None:
        """What a start did not wait for is read and checked, while searches go on."""
        if self._index is not None:
            await asyncio.to_thread(self._index.prove)

    def _distrust(self, error: SnapshotError) -> None:
        """What was served rests on a damaged file: nothing is searched until the gallery was read from the database."""
        log.error("snapshot.discarded", why=str(error))
        snapshot.discard(self._folder)
        self._index, self._service.now, self._service.checked = None, None, False
        self._asked = self._saved = 0.0
        self.changed.set()

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
        assert self._index is not None  # it was caught up with before
        async with self._pool.acquire() as conn:
            asked = await canary.photographs(conn, self._faces.model.sha256)
        return await self._service.in_thread(canary.wrong_answer, self._faces, self._index.now, asked)

    async def _save(self) -> None:
        """A snapshot of what is searched now is on the disk; a full disk costs the snapshot, not the service."""
        index, now = self._index, self._service.now
        if index is None or now is None:
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
            await asyncio.to_thread(index.rest_on, held)
            self._serve(index, now.facts.people)
            self._purged = 0.0
        self._saved = time.monotonic()

    async def _purge(self) -> None:
        """No snapshot out of use is left of a model or a gallery that was served from this cache before (M13)."""
        if not self._purged or time.monotonic() - self._purged > PURGE_EVERY:
            every, before = self._folder.parents[1], time.time() - OUT_OF_USE
            await asyncio.to_thread(snapshot.purge, every, self._folder, before=before)
            self._purged = time.monotonic()


async def _asked_to_stop() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
