"""Composition root of the matcher: the only module that builds things."""

import asyncio
import contextlib
import json
import signal

import structlog
from aiohttp import web

from matcher import gallery, pack
from matcher.faces import Faces
from matcher.service import Service
from matcher.settings import Settings

log = structlog.get_logger()


def load_faces(settings: Settings) -> Faces:
    """The model pack that the settings name, or the default."""
    folder = settings.pack or pack.default(settings.cache.expanduser())
    return Faces(folder, threads=settings.threads)


async def serve(settings: Settings) -> None:
    """Serves until the process is asked to stop; says where on its first line."""
    faces = await asyncio.to_thread(load_faces, settings)
    pool = await gallery.connect(settings.database_url.get_secret_value(), "leadgate-matcher")
    service = Service(faces, pool, settings.secret.get_secret_value())
    changes = asyncio.Event()
    tasks = [
        asyncio.create_task(gallery.hear_changes(settings.database_url.get_secret_value(), changes.set)),
        asyncio.create_task(keep_in_step(service, pool, faces, changes)),
    ]
    runner = web.AppRunner(service.app())
    await runner.setup()
    await web.TCPSite(runner, settings.host, settings.port).start()
    print(json.dumps({"url": f"http://{settings.host}:{settings.port}", "model": faces.model.pack}), flush=True)  # noqa: T201
    await _asked_to_stop()
    for task in tasks:
        task.cancel()
    await runner.cleanup()
    await pool.close()


async def keep_in_step(service: Service, pool: gallery.Pool, faces: Faces, changes: asyncio.Event) -> None:
    """Whatever was enrolled or sealed is so in the next search: heard at once, and looked for every half minute."""
    while True:
        changes.clear()
        try:
            async with pool.acquire() as conn:
                service.snapshot = await gallery.snapshot(conn, faces.model.sha256, faces.model.dimension)
        except gallery.AWAY as error:
            log.warning("gallery.database-away", error=type(error).__name__)
            await asyncio.sleep(1)
            changes.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(changes.wait(), 30)


async def _asked_to_stop() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
