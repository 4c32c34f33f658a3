"""Composition root of the bot: with `parts` and `doors`, the only module that builds things.

Two processes are made of the same parts: the listener (`serve`), which records what people do, and the worker (`work`),
which acts on the outside.
"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiohttp
import structlog
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError

from bot import database, leadsheet, ledger, logbook, logs, photos
from bot.acts import Acts
from bot.aftermath import Afterwards
from bot.context import Context
from bot.database import AWAY
from bot.doors import build
from bot.errands import Errands
from bot.examining import Examining
from bot.faults import Faults
from bot.forwarding import Forwarding
from bot.handing import Handing, gathered
from bot.injection import Injection
from bot.matching import Matcher, MatcherAwayError
from bot.notes import Signer
from bot.parts import Parts, clock, matcher_of, parts, preparing_of, viewer_of
from bot.pictures import Pictures
from bot.premises import EVERY, Premises
from bot.roster import Roster
from bot.sealing import Sealer, publish_to, unpublished
from bot.settings import SealerSettings, Settings, SettingsError
from bot.upkeep import Upkeep
from bot.waiting import Reminders
from bot.worker import Worker
from policy import evaluated
from policy.model import SearchId
from policy.pack import Pack

log = structlog.get_logger()

NOT_CONNECTED_FOR = 20.0  # seconds until the socket client is built anew (python-slack-sdk#1446)


SWEEP_AT_START = timedelta(days=1)
SWEEP_EVERY = timedelta(minutes=1)


# --- the listener ---------------------------------------------------------------------------------------------------

Process = Callable[[Settings], Coroutine[Any, Any, None]]


@asynccontextmanager
async def _viewer_served(p: Parts) -> AsyncGenerator[None, None]:
    """The viewer answers; its requests are in the ledger and in no access log."""
    runner = web.AppRunner(viewer_of(p).app(), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, p.settings.viewer_host, p.settings.viewer_port).start()
        yield
    finally:
        await runner.cleanup()


async def serve(settings: Settings) -> None:
    """Listens to Slack, and serves the viewer, until the process is asked to stop."""
    async with parts(settings, "leadgate-bot") as p, _viewer_served(p):
        app = build(p)
        stop = _stop_on_signals()
        if settings.transport == "http":
            await _serve_http(app, settings, stop)
        else:
            await _serve_socket(app, settings, stop)


async def _serve_http(app: AsyncApp, settings: Settings, stop: asyncio.Event) -> None:
    server = web.AppRunner(app.web_app(path="/slack/events"))
    await server.setup()
    site = web.TCPSite(server, settings.http_host, settings.http_port)
    await site.start()
    log.info("bot.ready", transport="http", port=settings.http_port)
    await stop.wait()
    await server.cleanup()


async def _serve_socket(app: AsyncApp, settings: Settings, stop: asyncio.Event) -> None:
    """Connected; and connected anew whenever the client has been without a connection for too long."""
    assert settings.slack_app_token is not None, "checked by the settings"
    token = settings.slack_app_token.get_secret_value()
    try:
        await app.client.apps_connections_open(app_token=token)
    except SlackApiError as error:
        raise SettingsError(f"LEADGATE_SLACK_APP_TOKEN: Slack says {error.response['error']}") from None
    while not stop.is_set():
        handler = AsyncSocketModeHandler(app, token)
        await handler.connect_async()
        log.info("bot.ready", transport="socket")
        await _until_lost(handler, stop)
        await handler.close_async()


async def _until_lost(handler: AsyncSocketModeHandler, stop: asyncio.Event) -> None:
    lost_for = 0.0
    while not stop.is_set() and lost_for < NOT_CONNECTED_FOR:
        connected = await handler.client.is_connected()
        lost_for = 0.0 if connected else lost_for + 1.0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await stop.wait()


# --- the worker -----------------------------------------------------------------------------------------------------


async def work(settings: Settings) -> None:
    """Runs the jobs until the process is asked to stop, then drains what it holds."""
    async with parts(settings, "leadgate-worker") as p:
        matcher = Matcher(p.session, settings.matcher_url, settings.matcher_secret.get_secret_value())
        team = p.identity["team_id"]
        kek, seal = settings.key_encryption_key, settings.seal_before_disclosure
        roster = Roster(p.client, p.pool, team, clock) if settings.roster_from_groups else None
        images = settings.images_in_slack
        await check_model(matcher, p.casework.active)
        acts = Acts(p.casework, p.pool, p.desk, matcher, kek, team, p.rooms, seal=seal, images=images)
        errands = Errands(acts)
        premises = Premises(p.casework, p.desk, p.rooms, roster)
        upkeep = Upkeep(p.casework, p.pool, p.desk, team, p.rooms.oversight, clock)
        reminders = Reminders(p.casework, p.pool, p.desk, team, p.rooms)
        faults = Faults(p.casework, p.pool, p.desk, p.rooms.oversight)
        forwarding = Forwarding(p.casework, p.pool, p.desk, p.rooms.oversight)
        every = (
            errands,
            premises,
            forwarding,
            Examining(acts),
            Context(p.casework, matcher),
            Handing(acts),
            Afterwards(p.casework, p.pool, p.desk, team, p.rooms.oversight),
            Pictures(p.casework, p.pool, p.desk, team, p.rooms.oversight, kept_in_slack=images),
            preparing_of(p),
            Injection(p.casework, p.pool, p.desk, kek, team),
            upkeep,
            reminders,
            faults,
        )
        kinds = {kind: errand for those in every for kind, errand in those.by_kind().items()}
        worker = Worker(p.pool, kinds, timedelta(seconds=settings.lease_seconds))
        stop = _stop_on_signals()
        listening = database.listen(settings.database_url.get_secret_value(), "leadgate_job", worker.wake)
        listener = asyncio.create_task(listening)
        runner = asyncio.create_task(worker.run())
        sweeper = asyncio.create_task(_sweep(errands, upkeep, reminders, faults, forwarding))
        rounds = [asyncio.create_task(_rounds(one)) for one in (premises.leave_others, premises.keep_roster)]
        log.info("worker.ready")
        await stop.wait()
        worker.stop()
        await runner
        for task in (listener, sweeper, *rounds):
            task.cancel()


async def check_model(matcher: Matcher, pack: Pack) -> None:
    """SettingsError where the pack does not allow the matcher's model (M45). Away now, it is asked at each search."""
    try:
        model = await matcher.model()
    except MatcherAwayError:
        return
    if why := evaluated.unmet(pack.evaluation, model.evaluation):
        raise SettingsError(f"LEADGATE_PACK {pack.id} with the matcher's model {model.pack}: {why}")


async def _sweep(
    errands: Errands, upkeep: Upkeep, reminders: Reminders, faults: Faults, forwarding: Forwarding
) -> None:
    """What was posted while nobody listened is found: a day back at the start, then a little more than the pause.

    The first look of a day orders what is done once a day.
    """
    oldest = clock() - SWEEP_AT_START
    while True:
        try:
            await upkeep.order()
            await reminders.order()
            await faults.order()
            await forwarding.order()
            await errands.sweep(oldest)
            oldest = clock() - 2 * SWEEP_EVERY
        except (*AWAY, SlackApiError, aiohttp.ClientError, TimeoutError) as error:
            log.warning("sweep.put-off", error=type(error).__name__)
        await asyncio.sleep(SWEEP_EVERY.total_seconds())


async def _rounds(round_: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """What the workspace's events should have told is found at the start, and again every ten minutes."""
    while True:
        pause = EVERY
        try:
            await round_()
        except (*AWAY, SlackApiError, aiohttp.ClientError, TimeoutError) as error:
            log.warning("round.put-off", error=type(error).__name__)
            pause = SWEEP_EVERY
        await asyncio.sleep(pause.total_seconds())


async def lead_sheet(settings: Settings, search_id: SearchId) -> bytes | None:
    """The lead sheet, and the ledger says that an operator wrote it; None where there is none to give."""
    async with parts(settings, "leadgate-lead-sheet") as p:
        search = await p.casework.look(search_id)
        if search.acknowledged_at is None or p.casework.withheld(search) or not search.candidates:
            return None
        matcher, kek = matcher_of(p), settings.key_encryption_key
        async with p.pool.acquire() as conn, conn.transaction():
            if await photos.opened(conn, kek, search.id, "copy") is None:
                return None  # past its time (bot/retention.py)
        sheet = leadsheet.pdf(await gathered(search, p.casework.pack_of(search), p.pool, kek, matcher))
        data = {"sha256": photos.sha256(sheet), "bytes": len(sheet)}
        async with p.pool.acquire() as conn, conn.transaction():
            stream = f"sheet:{search.id}"
            await ledger.append(conn, stream, "LeadSheetWritten", at=clock(), actor="operator", data=data)
        return sheet


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def run(process: Process, settings: Settings) -> None:
    """Runs one of the two processes, its logs on stdout and in Postgres."""
    buffer = logs.setup(process.__name__)

    async def logged() -> None:
        async with logbook.kept(buffer, settings.database_url.get_secret_value(), settings.spill):
            await process(settings)

    asyncio.run(logged())


# --- the ledger's signer --------------------------------------------------------------------------------------------


async def seal(settings: SealerSettings) -> None:
    """Seals the ledger until the process is asked to stop. LedgerBrokenError ends it: then a person has to look."""
    signer = Signer.read(settings.key_file.read_text(encoding="utf-8"))
    publish = publish_to(settings.checkpoint_file) if settings.checkpoint_file else unpublished
    sealer = asyncio.create_task(Sealer(settings.database_url.get_secret_value(), signer, publish).run())
    stop = asyncio.create_task(_stop_on_signals().wait())
    await asyncio.wait({sealer, stop}, return_when=asyncio.FIRST_COMPLETED)
    if sealer.done():
        sealer.result()
    sealer.cancel()
