"""A small real Bolt app that uses every kind of block and every kind of interaction: what the workspace is tried with."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace.workspace import Workspace

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def option(value: str, text: str = "") -> Json:
    return {"text": plain(text or value), "value": value}


def card(case: str) -> list[Json]:
    """One message with everything a message may hold."""
    return [
        {"type": "header", "text": plain("Face search requested")},
        {
            "type": "section",
            "block_id": "card",
            "text": {"type": "mrkdwn", "text": f"*{case}* asked by <@U0> under `S-1`, waiting for *two examiners*."},
            "accessory": {
                "type": "overflow",
                "action_id": "more",
                "options": [option("withdraw", "Withdraw the request"), option("history", "Show the history")],
            },
        },
        {
            "type": "section",
            "fields": [
                {"type": "mrkdwn", "text": "*Purpose*\nSuspect of a crime"},
                {"type": "mrkdwn", "text": "*Quality*\nGood"},
                {"type": "mrkdwn", "text": "*Source*\nSurveillance video"},
                {"type": "mrkdwn", "text": "*State*\n:hourglass: Waiting"},
            ],
        },
        {"type": "divider"},
        {
            "type": "actions",
            "block_id": "doors",
            "elements": [
                {"type": "button", "action_id": "open_form", "style": "primary", "text": plain("Fill in the form")},
                {
                    "type": "button",
                    "action_id": "withdraw",
                    "style": "danger",
                    "value": case,
                    "text": plain("Withdraw"),
                    "confirm": {
                        "title": plain("Withdraw this request?"),
                        "text": plain("The photograph is deleted. The ledger keeps that it was asked for."),
                        "confirm": plain("Withdraw"),
                        "deny": plain("Keep it"),
                        "style": "danger",
                    },
                },
                {
                    "type": "static_select",
                    "action_id": "answer",
                    "placeholder": plain("Your answer"),
                    "options": [option("possible", "Possible"), option("exclusion", "Exclusion")],
                },
            ],
        },
        {
            "type": "context",
            "elements": [{"type": "mrkdwn", "text": ":lock: An investigative lead only, never an identification."}],
        },
    ]


def field(block: str, label: str, element: Json, **more: Any) -> Json:
    return {"type": "input", "block_id": block, "label": plain(label), "element": element, **more}


def form() -> Json:
    """A modal with every input."""
    uses = [option("suspect", "Suspect of a crime"), option("victim", "Victim of a crime")]
    return {
        "type": "modal",
        "callback_id": "request",
        "private_metadata": "opaque",
        "notify_on_close": True,
        "title": plain("Request a search"),
        "submit": plain("Request"),
        "close": plain("Not now"),
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": "A search needs a *case* and one of the six uses."}},
            field("case", "Case number", {"type": "plain_text_input", "action_id": "a", "max_length": 20}),
            field(
                "use",
                "Purpose",
                {"type": "static_select", "action_id": "use_chosen", "options": uses},
                dispatch_action=True,
            ),
            field(
                "basis",
                "Basis",
                {"type": "plain_text_input", "action_id": "basis_typed", "multiline": True, "min_length": 10},
                hint=plain("The facts that make this search necessary, in your own words."),
            ),
            field(
                "tier",
                "Priority",
                {"type": "radio_buttons", "action_id": "r", "options": [option("normal"), option("urgent")]},
            ),
            field(
                "sworn",
                "Attestation",
                {
                    "type": "checkboxes",
                    "action_id": "c",
                    "options": [option("yes", "This is a photograph of the actual person.")],
                },
            ),
            field("day", "Day", {"type": "datepicker", "action_id": "d"}, optional=True),
            field("time", "Time", {"type": "timepicker", "action_id": "t"}, optional=True),
            field(
                "count",
                "Candidates",
                {
                    "type": "number_input",
                    "action_id": "n",
                    "is_decimal_allowed": False,
                    "min_value": "2",
                    "max_value": "50",
                },
                optional=True,
            ),
            field("who", "Second detective", {"type": "users_select", "action_id": "u"}, optional=True),
            field(
                "units",
                "Units",
                {"type": "multi_static_select", "action_id": "m", "options": [option("75"), option("77")]},
                optional=True,
            ),
            field(
                "statute",
                "Statute",
                {"type": "external_select", "action_id": "x", "min_query_length": 1},
                optional=True,
            ),
            field(
                "photo",
                "Photograph",
                {"type": "file_input", "action_id": "f", "filetypes": ["jpg", "png"], "max_files": 1},
                optional=True,
            ),
            {
                "type": "actions",
                "block_id": "steps",
                "elements": [{"type": "button", "action_id": "deeper", "text": plain("Explain the uses")}],
            },
        ],
    }


def note(text: str, depth: int) -> Json:
    button = {"type": "button", "action_id": "deeper", "text": plain("Deeper")}
    return {
        "type": "modal",
        "callback_id": "note",
        "title": plain(f"Note {depth}"),
        "close": plain("Back"),
        "blocks": [{"type": "section", "text": plain(text)}, {"type": "actions", "elements": [button]}],
    }


def home(name: str) -> Json:
    return {
        "type": "home",
        "blocks": [
            {"type": "header", "text": plain("Leadgate")},
            {"type": "section", "text": {"type": "mrkdwn", "text": f"Hello <@{name}>. *1* search waits for you."}},
            {
                "type": "actions",
                "elements": [
                    {"type": "button", "action_id": "open_form", "style": "primary", "text": plain("New search")}
                ],
            },
            {"type": "divider"},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "Policy nypd-2020, version 1.0.0"}]},
        ],
    }


def build(client: AsyncWebClient, secret: str, heard: list[Json]) -> AsyncApp:
    """The app. Everything it hears is written into `heard`."""
    app = AsyncApp(client=client, signing_secret=secret, raise_error_for_unhandled_request=False)

    @app.middleware
    async def remember(body: Json, next_: Any) -> None:
        heard.append(body)
        await next_()

    @app.event("message")
    async def message(event: Json, client: AsyncWebClient) -> None:
        if event.get("subtype") == "file_share" and not event.get("bot_id"):
            thread = {"channel": event["channel"], "thread_ts": event["ts"]}
            await client.chat_postMessage(**thread, text="Got it.", blocks=card("2026-075-001234"))

    @app.event({"type": "file_shared"})
    @app.event("member_joined_channel")
    @app.event("user_change")
    @app.event("subteam_members_changed")
    @app.event("file_deleted")
    async def noted() -> None:
        return

    @app.event("app_home_opened")
    async def opened(event: Json, client: AsyncWebClient) -> None:
        await client.views_publish(user_id=event["user"], view=home(event["user"]))

    @app.action("open_form")
    @app.shortcut("new_search")
    @app.shortcut("request_search")
    async def open_form(ack: Any, body: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=form())

    @app.action("deeper")
    async def deeper(ack: Any, body: Json, client: AsyncWebClient) -> None:
        await ack()
        depth = 2 if body["view"]["callback_id"] == "request" else 3
        await client.views_push(trigger_id=body["trigger_id"], view=note("The six uses are these.", depth))

    @app.action("use_chosen")
    async def chosen(ack: Any, body: Json, client: AsyncWebClient) -> None:
        await ack()
        view = form()
        view["blocks"].insert(
            3, {"type": "context", "block_id": "why", "elements": [plain("pr0313, authorised use 1")]}
        )
        await client.views_update(view_id=body["view"]["id"], hash=body["view"]["hash"], view=view)

    @app.action("withdraw")
    async def withdraw(ack: Any, respond: Any) -> None:
        await ack()
        await respond(replace_original=True, text="Withdrawn.", blocks=[])

    @app.action("answer")
    @app.action("more")
    async def answered(ack: Any, respond: Any) -> None:
        await ack()
        await respond(replace_original=False, text="Only you see this.")

    @app.options("x")
    async def statutes(ack: Any, payload: Json) -> None:
        await ack(
            options=[option(f"PL {payload['value']}.{n}", f"Penal Law {payload['value']}.{n}") for n in (5, 10, 15)]
        )

    @app.view("request")
    async def submitted(ack: Any, view: Json) -> None:
        case = view["state"]["values"]["case"]["a"]["value"]
        if not case.startswith("20"):
            await ack(response_action="errors", errors={"case": "A case number starts with the year."})
        elif case.endswith("9"):
            await ack(response_action="update", view=note("Held for a supervisor.", 1))
        elif case.endswith("8"):
            await ack(response_action="push", view=note("Which face?", 2))
        elif case.endswith("7"):
            await ack(response_action="clear")
        else:
            await ack()

    @app.view_closed("request")
    async def closed(ack: Any) -> None:
        await ack()

    @app.command("/face-usage")
    async def usage(ack: Any, command: Json) -> None:
        await ack(f"Usage for {command['text'] or 'this month'}: 0 searches.")

    return app


@contextlib.asynccontextmanager
async def desk(ws: Workspace, heard: list[Json] | None = None) -> AsyncIterator[AsyncWebClient]:
    """The app, connected over Socket Mode; the workspace waits longer than Slack, for a busy machine proves nothing."""
    ws.timings.ack = ws.timings.trigger = 30.0
    async with aiohttp.ClientSession() as http:
        client = AsyncWebClient(token=ws.credentials.bot_token, base_url=f"{ws.base}/api/", session=http)
        app = build(client, ws.credentials.signing_secret, heard if heard is not None else [])
        handler = AsyncSocketModeHandler(app, ws.credentials.app_token)
        await handler.connect_async()
        try:
            yield client
        finally:
            await handler.close_async()
