"""The same app in a workspace that nobody here wrote: npm local-slack, over Socket Mode and over signed HTTP.

It is lax about limits, membership and triggers, has no user groups and no shortcuts; what it does have must work as it
does in ours. The exceptions are these, and no others.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace.workspace import Workspace

from .conftest import Cast, picture
from .desk import Json, build, desk
from .judges.block_kit import HOW
from .strangers import BINARY, DANA, ROOM, SECRET, free_port, stranger
from .test_delivery import until

pytestmark = pytest.mark.skipif(not BINARY.exists(), reason=HOW)


@contextlib.asynccontextmanager
async def app_over(mode: str, port: int, heard: list[Json], url_of: list[str]) -> AsyncIterator[None]:
    """The desk's app, pointed at the stranger."""
    client = AsyncWebClient(token="xoxb-test-token", base_url=f"http://127.0.0.1:{port}/api/")
    bolt = build(client, SECRET, heard)
    if mode == "socket":
        handler = AsyncSocketModeHandler(bolt, "xapp-test-token")
        await handler.connect_async()
        try:
            yield
        finally:
            await handler.close_async()
        return

    async def receive(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await bolt.async_dispatch(await to_bolt_request(request)))

    runner = web.AppRunner(web.Application())
    runner.app.router.add_post("/slack/events", receive)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(url_of[0])).start()
    try:
        yield
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("mode", ["socket", "events"])
async def test_the_app_works_where_strangers_built_the_workspace(tmp_path: Path, mode: str):
    heard: list[Json] = []
    port, own = free_port(), free_port()
    address = f"http://127.0.0.1:{own}/slack/events" if mode == "events" else ""
    async with stranger(tmp_path, port, mode, address) as other, app_over(mode, port, heard, [str(own)]):
        await other.upload(picture())
        card = await other.message("Got it.")
        assert card["thread_ts"] != card["ts"]
        button = card["blocks"][4]["elements"][0]
        action = {"type": "button", "action_id": button["action_id"], "block_id": card["blocks"][4]["block_id"]}
        await other.do("interact", channel=ROOM, messageTs=card["ts"], user=DANA, action=action)
        await until(lambda: [b for b in heard if b.get("type") == "block_actions"])
        await other.do("command", channel=ROOM, user=DANA, command="/face-usage", text="today")
        await until(lambda: [b for b in heard if b.get("command") == "/face-usage"])
        await other.do("open-home", user=DANA)
        await until(lambda: [b for b in heard if b.get("event", {}).get("type") == "app_home_opened"])
        for _ in range(100):
            said = json.dumps(await other.log())
            if "views.open" in said and "views.publish" in said:
                break
            await asyncio.sleep(0.05)
        assert "views.open" in said
        assert "views.publish" in said
        assert "-> invalid" not in said
        assert "threw" not in said


async def test_what_strangers_send_we_send_too(ws: Workspace, cast: Cast, tmp_path: Path):
    """Every field of the stranger's payloads is in ours, except what it invents."""
    theirs: list[Json] = []
    port = free_port()
    async with stranger(tmp_path, port, "socket", "") as other, app_over("socket", port, theirs, []):
        await other.upload(picture())
        card = await other.message("Got it.")
        action = {"type": "button", "action_id": "open_form", "block_id": card["blocks"][4]["block_id"]}
        await other.do("interact", channel=ROOM, messageTs=card["ts"], user=DANA, action=action)
        await other.do("command", channel=ROOM, user=DANA, command="/face-usage", text="today")
        await until(lambda: {kind_of(b) for b in theirs} >= {"message", "block_actions", "/face-usage"})
    ours: list[Json] = []
    async with desk(ws, ours):
        dana = await cast("dana")
        photo = await dana.post_photo("#face-intake", picture(), "a.jpg")
        posted = await dana.wait_message("#face-intake", lambda m: bool(m.get("bot_id")), photo["ts"])
        await dana.click(posted, "open_form")
        await dana.command("#face-intake", "/face-usage", "today")
    for kind in ("message", "block_actions", "/face-usage"):
        their = next(b for b in theirs if kind_of(b) == kind)
        our = next(b for b in ours if kind_of(b) == kind)
        assert set(their) - set(our) == set(), kind
        if kind == "message":
            assert set(their["event"]) - set(our["event"]) == set()


def kind_of(body: Json) -> str:
    return str(body.get("command") or body.get("event", {}).get("type") or body.get("type"))
