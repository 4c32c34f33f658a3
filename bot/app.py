"""Composition root of the bot: the only module that builds things; owns the clock.

Two processes are made of the same parts: the listener (`serve`), which records what people do, and the worker (`work`),
which acts on the outside.
"""

import asyncio
import contextlib
import re
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import structlog
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import approval, database, jobs, leadsheet, ledger, logbook, logs, photos
from bot.cases import Cases
from bot.casework import Casework, register
from bot.context import Context
from bot.database import AWAY, Pool
from bot.desk import Desk
from bot.errands import Errands, Rooms, gathered
from bot.injection import Injection
from bot.intake import Intake
from bot.matching import Matcher, MatcherAwayError
from bot.notes import Signer
from bot.oversight import Oversight
from bot.packs import load_pack
from bot.people import People
from bot.pictures import Pictures
from bot.preparing import Preparing
from bot.quality import Quality
from bot.review import Review
from bot.roster import Roster
from bot.sealing import Sealer, publish_to, unpublished
from bot.settings import SealerSettings, Settings, SettingsError
from bot.upkeep import Upkeep
from bot.viewer import Viewer
from bot.views import comparison, request, review
from bot.worker import Worker
from policy import evaluated
from policy.model import SearchId
from policy.pack import Pack, parse

log = structlog.get_logger()

UNRECORDED = (
    "This could not be recorded just now, so nothing was done. What you entered is still here. "
    "Try again in a minute; if it stays so, tell your administrator."
)
TOO_LATE = "That took too long for Slack to show you the form. Nothing was done; press the button again."
NOT_CONNECTED_FOR = 20.0  # seconds until the socket client is built anew (python-slack-sdk#1446)


SWEEP_AT_START = timedelta(days=1)
SWEEP_EVERY = timedelta(minutes=1)


def clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Parts:
    """What both processes are made of."""

    settings: Settings
    pool: Pool
    casework: Casework
    desk: Desk
    people: People
    rooms: Rooms
    client: AsyncWebClient
    session: aiohttp.ClientSession
    identity: Mapping[str, Any]  # auth.test's answer


@asynccontextmanager
async def parts(settings: Settings, name: str) -> AsyncGenerator[Parts, None]:
    """Everything is connected and checked; SettingsError says in one line what cannot work."""
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(
            token=settings.slack_bot_token.get_secret_value(), base_url=settings.slack_api_url, session=session
        )
        client.retry_handlers.clear()  # only jobs are tried again, and they look before they repeat themselves
        identity = await _identity(client)
        pool = await database.connect(settings.database_url.get_secret_value(), name=name)
        try:
            rooms = Rooms(settings.intake_channel, settings.review_channel, settings.oversight_channel)
            desk = Desk(client, session, pool)
            people = People(pool, desk, identity["team_id"])
            casework = await _casework(pool, settings)
            yield Parts(settings, pool, casework, desk, people, rooms, client, session, identity)
        finally:
            await pool.close()


async def _identity(client: AsyncWebClient) -> Mapping[str, Any]:
    try:
        answer = await client.auth_test()
    except SlackApiError as error:
        raise SettingsError(f"LEADGATE_SLACK_BOT_TOKEN: Slack says {error.response['error']}") from None
    assert isinstance(answer.data, dict)
    return answer.data


async def _casework(pool: Pool, settings: Settings) -> Casework:
    pack, text = load_pack(settings.pack, settings.pack_folder, settings.pack_key)
    async with pool.acquire() as conn, conn.transaction():
        known = await register(conn, pack, text)
    packs = {name: parse(text, name) for name, text in known}
    return Casework(pool, packs, pack, clock, settings.key_encryption_key)


# --- the listener ---------------------------------------------------------------------------------------------------

Process = Callable[[Settings], Coroutine[Any, Any, None]]
Listener = Callable[[dict[str, Any]], Awaitable[None]]
Answerer = Callable[[AsyncAck, dict[str, Any]], Awaitable[None]]


def build(p: Parts) -> AsyncApp:
    """The Slack app with every door; the same for Socket Mode and signed HTTP."""
    secret = p.settings.slack_signing_secret

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult.from_auth_test_response(
            auth_test_response=p.identity,  # pyright: ignore[reportArgumentType] - its data is what is read
            bot_token=p.settings.slack_bot_token.get_secret_value(),
        )

    app = AsyncApp(
        client=p.client,
        authorize=authorize,
        signing_secret=secret.get_secret_value() if secret else None,
        request_verification_enabled=p.settings.transport == "http",
    )
    cases = Cases(p.session, p.settings.case_url, p.settings.case_secret.get_secret_value())
    intake = Intake(p.casework, p.people, p.desk, p.casework.active, p.rooms.intake, cases)
    examination = Review(p.casework, p.people, p.desk, p.rooms)
    approvals = approval.Approvals(p.casework, p.people, p.desk)
    oversight = Oversight(p.pool, p.people, p.casework.active)
    quality = Quality(p.pool, p.people, p.casework)
    viewer = viewer_of(p)

    @app.middleware
    async def remember(body: dict[str, Any], next: Callable[[], Awaitable[Any]]) -> None:  # noqa: A002 - bolt's name
        """Awaited before the acknowledgement: if it raises there is none, and Slack delivers again."""
        if body.get("type") == "event_callback":
            await intake.remember(body["event"], body["team_id"])
            for job in jobs.of_the_workspace(body["event"], p.identity["user_id"], p.rooms.all):
                await p.casework.remember(job)
        await next()

    async def seen(body: dict[str, Any]) -> None:
        """Events are dealt with by what `remember` made durable."""

    async def moved(event: dict[str, Any]) -> None:
        p.people.changed(event["channel"])

    for event in ("member_joined_channel", "member_left_channel"):
        app.event(event)(moved)
    app.event(re.compile(".*"))(seen)

    def click(constraint: Any, listener: Listener) -> None:
        app.action(constraint)(_acknowledged(listener, p.desk))

    click("start_request", intake.start_request)
    click(request.ANSWER, intake.form_changed)
    click(_starting("choose_face_"), intake.face_chosen)
    click("acknowledge_lead", intake.lead_acknowledged)
    click("open_worksheet", examination.open_worksheet)
    click("open_viewer", viewer.offered)
    click("follow_viewer", seen)
    click(_starting("answer_"), examination.candidate_answered)
    click(_starting("page_"), examination.page_turned)
    click("see_context", examination.open_context)
    click(_starting("approve_lead"), examination.open_decision)
    click(_starting("reject_lead"), examination.open_decision)
    for action in approval.COMMANDS:
        click(action, approvals.asked)
    app.view("approval")(_answered(approvals.answered))
    app.shortcut("request_search")(_acknowledged(intake.shortcut, p.desk))
    app.shortcut("new_search")(_acknowledged(intake.new_search, p.desk))
    app.view("request_form")(_answered(intake.form_submitted))
    app.view_closed("request_form")(_acknowledged(intake.form_closed, p.desk))
    app.view("worksheet")(_answered(examination.concluded))
    app.view(comparison.FORM)(_answered(examination.compared))
    app.view("decide_lead")(_answered(examination.decided))

    async def usage(ack: AsyncAck, body: dict[str, Any]) -> None:
        await oversight.usage(ack, body, clock())

    app.command("/face-usage")(_commanded(usage))
    app.command("/face-quality")(_commanded(quality.asked))
    return app


def _acknowledged(listener: Listener, desk: Desk) -> Answerer:
    """Acknowledged once it is recorded: until then Slack shows the person that nothing has happened."""

    async def wrapped(ack: AsyncAck, body: dict[str, Any]) -> None:
        try:
            await listener(body)
        except AWAY as error:
            log.warning("listener.database-away", error=type(error).__name__)
            if trigger := body.get("trigger_id"):
                with contextlib.suppress(SlackApiError):
                    await desk.open_view(trigger, review.telling(UNRECORDED))
        except SlackApiError as error:
            await _trigger_gone(error, desk, body)
        await ack()

    return wrapped


async def _trigger_gone(error: SlackApiError, desk: Desk, body: Mapping[str, Any]) -> None:
    """A click delivered twice has its modal already; one that Slack gave us too late has to be made again."""
    code = error.response["error"]
    if code == "exchanged_trigger_id":
        return
    if code not in {"expired_trigger_id", "trigger_expired", "invalid_trigger_id"}:
        raise error
    if channel := (body.get("channel") or {}).get("id"):
        await desk.tell(channel, body["user"]["id"], TOO_LATE)


def _answered(listener: Answerer) -> Answerer:
    async def wrapped(ack: AsyncAck, body: dict[str, Any]) -> None:
        try:
            await listener(ack, body)
        except AWAY as error:
            log.warning("listener.database-away", error=type(error).__name__)
            block = next(iter(body["view"]["state"]["values"]))
            await ack(response_action="errors", errors={block: UNRECORDED})

    return wrapped


def _commanded(listener: Answerer) -> Answerer:
    async def wrapped(ack: AsyncAck, body: dict[str, Any]) -> None:
        try:
            await listener(ack, body)
        except AWAY as error:
            log.warning("listener.database-away", error=type(error).__name__)
            await ack(text=UNRECORDED)

    return wrapped


def _starting(prefix: str) -> Any:
    return re.compile(re.escape(prefix) + ".*")


def viewer_of(p: Parts) -> Viewer:
    """The viewer, whose links say the address under which examiners' browsers reach it."""
    kek, address = p.settings.key_encryption_key, p.settings.viewer_address
    return Viewer(p.pool, p.casework, p.people, p.desk, _matcher(p), kek, _preparing(p), p.rooms, address, clock)


def _preparing(p: Parts) -> Preparing:
    return Preparing(p.casework, p.pool, p.desk, _matcher(p), p.settings.key_encryption_key, p.rooms)


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
            await asyncio.wait_for(stop.wait(), 1.0)


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
        errands = Errands(
            p.casework, p.pool, p.desk, matcher, kek, team, p.rooms, seal=seal, roster=roster, images=images
        )
        pictures = Pictures(p.casework, p.pool, p.desk, team, p.rooms.oversight, kept_in_slack=images)
        injection = Injection(p.casework, p.pool, p.desk, kek, team)
        preparing = _preparing(p)
        upkeep = Upkeep(p.casework, p.pool, p.desk, team, p.rooms.oversight, clock)
        kinds = {**errands.by_kind(), **pictures.by_kind(), **injection.by_kind(), **preparing.by_kind()}
        kinds |= {**upkeep.by_kind(), **Context(p.casework, matcher).by_kind()}
        worker = Worker(p.pool, kinds, timedelta(seconds=settings.lease_seconds))
        stop = _stop_on_signals()
        listening = database.listen(settings.database_url.get_secret_value(), "leadgate_job", worker.wake)
        listener = asyncio.create_task(listening)
        runner = asyncio.create_task(worker.run())
        sweeper = asyncio.create_task(_sweep(errands, upkeep))
        log.info("worker.ready")
        await stop.wait()
        worker.stop()
        await runner
        for task in (listener, sweeper):
            task.cancel()


async def check_model(matcher: Matcher, pack: Pack) -> None:
    """SettingsError where the pack does not allow the matcher's model (M45). Away now, it is asked at each search."""
    try:
        model = await matcher.model()
    except MatcherAwayError:
        return
    if why := evaluated.unmet(pack.evaluation, model.evaluation):
        raise SettingsError(f"LEADGATE_PACK {pack.id} with the matcher's model {model.pack}: {why}")


async def _sweep(errands: Errands, upkeep: Upkeep) -> None:
    """What was posted while nobody listened is found: a day back at the start, then a little more than the pause.

    The first look of a day orders what is done once a day.
    """
    oldest = clock() - SWEEP_AT_START
    while True:
        try:
            await upkeep.order()
            await errands.sweep(oldest)
            oldest = clock() - 2 * SWEEP_EVERY
        except (*AWAY, SlackApiError, aiohttp.ClientError, TimeoutError) as error:
            log.warning("sweep.put-off", error=type(error).__name__)
        await asyncio.sleep(SWEEP_EVERY.total_seconds())


async def lead_sheet(settings: Settings, search_id: SearchId) -> bytes | None:
    """The lead sheet, and the ledger says that an operator wrote it; None where there is none to give."""
    async with parts(settings, "leadgate-lead-sheet") as p:
        search = await p.casework.look(search_id)
        if search.acknowledged_at is None or p.casework.withheld(search):
            return None
        matcher, kek = _matcher(p), settings.key_encryption_key
        async with p.pool.acquire() as conn, conn.transaction():
            if await photos.opened(conn, kek, search.id, "copy") is None:
                return None  # past its time (bot/retention.py)
        sheet = leadsheet.pdf(await gathered(search, p.casework.pack_of(search), p.pool, kek, matcher))
        data = {"sha256": photos.sha256(sheet), "bytes": len(sheet)}
        async with p.pool.acquire() as conn, conn.transaction():
            stream = f"sheet:{search.id}"
            await ledger.append(conn, stream, "LeadSheetWritten", at=clock(), actor="operator", data=data)
        return sheet


def _matcher(p: Parts) -> Matcher:
    return Matcher(p.session, p.settings.matcher_url, p.settings.matcher_secret.get_secret_value())


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
