"""Every door of the Slack app: which click, form, shortcut, event or command goes to which listener.

What people do is recorded before it is acknowledged; what cannot be recorded is not done, and they are told.
"""

import contextlib
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.errors import SlackApiError

from bot import approval, jobs
from bot.aftermath import Aftermath
from bot.cases import Cases
from bot.closing import Closing
from bot.database import AWAY
from bot.desk import Desk, refusal
from bot.home import Home
from bot.intake import Intake
from bot.oversight import Oversight
from bot.parts import Parts, clock, viewer_of
from bot.people import StandingUnknownError
from bot.quality import Quality
from bot.review import Review
from bot.views import comparison, request, review

log = structlog.get_logger()

UNRECORDED = (
    "This could not be recorded just now, so nothing was done. What you entered is still here. "
    "Try again in a minute; if it stays so, tell your administrator."
)
UNASKED = (
    "Slack could not be asked just now whether your account is a full member of this workspace, so nothing was done. "
    "What you entered is still here. Try again in a minute; if it stays so, tell your administrator."
)
TOO_LATE = "That took too long for Slack to show you the form. Nothing was done; press the button again."

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
    examination = Review(p.casework, p.people, p.desk, p.rooms)
    _events(app, p, _intake(app, p))
    _examination(app, p, examination)
    _approvals(app, p)
    _leads(app, p, examination)
    _oversight(app, p)
    return app


async def _seen(body: dict[str, Any]) -> None:
    """Events are dealt with by what was made durable before they were acknowledged."""


def _events(app: AsyncApp, p: Parts, intake: Intake) -> None:
    @app.middleware
    async def remember(body: dict[str, Any], next: Callable[[], Awaitable[Any]]) -> None:  # noqa: A002 - bolt's name
        """Awaited before the acknowledgement: if it raises there is none, and Slack delivers again."""
        if body.get("type") == "event_callback":
            await intake.remember(body["event"], body["team_id"])
            if body["event"].get("type") == "user_change":
                p.people.account_changed(body["event"]["user"])
            for job in jobs.of_the_workspace(body["event"], p.identity["user_id"], p.rooms.all):
                await p.casework.remember(job)
        await next()

    async def moved(event: dict[str, Any]) -> None:
        p.people.changed(event["channel"])

    home = Home(p.casework, p.pool, p.people, p.desk, p.rooms)

    async def opened(body: dict[str, Any]) -> None:
        await home.opened(body["event"], body["team_id"])

    app.event("app_home_opened")(opened)
    for action, door in (("hand_back", home.hand_back_asked), ("hand_over", home.hand_over_asked)):
        app.action(action)(_acknowledged(door, p.desk))
    app.view("hand_back")(_answered(home.handed_back))
    app.view("hand_over")(_answered(home.handed_over))
    app.command("/face-queue")(_commanded(home.queue))
    for event in ("member_joined_channel", "member_left_channel"):
        app.event(event)(moved)
    app.event(re.compile(".*"))(_seen)


def _intake(app: AsyncApp, p: Parts) -> Intake:
    """The requester's doors."""
    cases = Cases(p.session, p.settings.case_url, p.settings.case_secret.get_secret_value())
    intake = Intake(p.casework, p.people, p.desk, p.casework.active, p.rooms.intake, cases)
    app.action("start_request")(_acknowledged(intake.start_request, p.desk))
    app.action(request.ANSWER)(_acknowledged(intake.form_changed, p.desk))
    app.action(_starting("choose_face_"))(_acknowledged(intake.face_chosen, p.desk))
    app.action("acknowledge_lead")(_acknowledged(intake.lead_acknowledged, p.desk))
    app.shortcut("request_search")(_acknowledged(intake.shortcut, p.desk))
    app.shortcut("new_search")(_acknowledged(intake.new_search, p.desk))
    app.view("request_form")(_answered(intake.form_submitted))
    app.view_closed("request_form")(_acknowledged(intake.form_closed, p.desk))
    return intake


def _examination(app: AsyncApp, p: Parts, examination: Review) -> None:
    """The examiners' doors, and the viewer's button, which is everybody's."""
    viewer = viewer_of(p)
    app.action("open_worksheet")(_acknowledged(examination.open_worksheet, p.desk))
    app.action("open_viewer")(_acknowledged(viewer.opening.offered, p.desk))
    app.action("follow_viewer")(_acknowledged(_seen, p.desk))
    app.action(_starting("answer_"))(_acknowledged(examination.candidate_answered, p.desk))
    app.action(_starting("page_"))(_acknowledged(examination.page_turned, p.desk))
    app.action("see_context")(_acknowledged(examination.open_context, p.desk))
    app.action("add_note")(_acknowledged(examination.note_asked, p.desk))
    app.view("add_note")(_answered(examination.noted))
    app.view("worksheet")(_answered(examination.concluded))
    app.view(comparison.FORM)(_answered(examination.compared))


def _approvals(app: AsyncApp, p: Parts) -> None:
    """Whoever has to approve, or stands aside; with a reason in writing."""
    approvals = approval.Approvals(p.casework, p.people, p.desk, p.rooms)
    for action in approval.COMMANDS:
        app.action(action)(_acknowledged(approvals.asked, p.desk))
    app.view("approval")(_answered(approvals.answered))


def _leads(app: AsyncApp, p: Parts, examination: Review) -> None:
    """The decision on a lead, and what becomes of it."""
    after = Aftermath(p.casework, p.people, p.desk)
    for action in ("approve_lead", "reject_lead"):
        app.action(_starting(action))(_acknowledged(examination.open_decision, p.desk))
    app.action("return_review")(_acknowledged(examination.return_asked, p.desk))
    app.view("return_review")(_answered(examination.returned))
    app.view("decide_lead")(_answered(examination.decided))
    app.action("record_evidence")(_acknowledged(after.evidence_asked, p.desk))
    app.action("record_outcome")(_acknowledged(after.outcome_asked, p.desk))
    app.action("acknowledge_recall")(_acknowledged(after.recall_acknowledged, p.desk))
    app.view("lead_evidence")(_answered(after.evidence_given))
    app.view("lead_outcome")(_answered(after.outcome_given))


def _oversight(app: AsyncApp, p: Parts) -> None:
    """Slash commands."""
    closing = Closing(p.casework, p.pool, p.people, p.desk, p.rooms)
    oversight = Oversight(p.pool, p.people, p.casework.active, closing, p.rooms)
    quality = Quality(p.pool, p.people, p.casework)

    async def recall(ack: AsyncAck, body: dict[str, Any]) -> None:
        await oversight.recall(ack, body, p.casework)

    async def usage(ack: AsyncAck, body: dict[str, Any]) -> None:
        await oversight.usage(ack, body, clock())

    async def case(ack: AsyncAck, body: dict[str, Any]) -> None:
        await oversight.case(ack, body, clock())

    app.command("/face-case")(_commanded(case))
    app.command("/face-usage")(_commanded(usage))
    app.command("/face-recall")(_commanded(recall))
    app.view("close_case")(_answered(closing.confirmed))
    app.command("/face-quality")(_commanded(quality.asked))


def _acknowledged(listener: Listener, desk: Desk) -> Answerer:
    """Acknowledged once it is recorded: until then Slack shows the person that nothing has happened."""

    async def wrapped(ack: AsyncAck, body: dict[str, Any]) -> None:
        try:
            await listener(body)
        except (*AWAY, StandingUnknownError) as error:
            if trigger := body.get("trigger_id"):
                with contextlib.suppress(SlackApiError, aiohttp.ClientError, TimeoutError):
                    await desk.open_view(trigger, review.telling(_put_off(error)))
        except SlackApiError as error:
            await _trigger_gone(error, desk, body)
        await ack()

    return wrapped


async def _trigger_gone(error: SlackApiError, desk: Desk, body: Mapping[str, Any]) -> None:
    """A click delivered twice has its modal already; one that Slack gave us too late has to be made again."""
    code = refusal(error)
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
        except (*AWAY, StandingUnknownError) as error:
            block = next(iter(body["view"]["state"]["values"]))
            await ack(response_action="errors", errors={block: _put_off(error)})

    return wrapped


def _commanded(listener: Answerer) -> Answerer:
    async def wrapped(ack: AsyncAck, body: dict[str, Any]) -> None:
        try:
            await listener(ack, body)
        except (*AWAY, StandingUnknownError) as error:
            await ack(text=_put_off(error))

    return wrapped


def _put_off(error: Exception) -> str:
    """What whoever clicked is told: nothing was done, and whom it is waited for."""
    if isinstance(error, StandingUnknownError):
        log.warning("listener.slack-away", error=type(error.__cause__).__name__)
        return UNASKED
    log.warning("listener.database-away", error=type(error).__name__)
    return UNRECORDED


def _starting(prefix: str) -> Any:
    return re.compile(re.escape(prefix) + ".*")
