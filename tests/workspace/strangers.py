"""npm local-slack, run as a process of its own: a workspace that nobody here wrote."""

import asyncio
import contextlib
import json
import os
import socket
import stat
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from .judges.block_kit import HERE

Json = dict[str, Any]
BINARY = HERE / "node_modules" / "local-slack-linux-x64" / "bin" / "local-slack"
ROOM, DANA, BOT, SECRET = "C01INTAKE", "U01DANA", "U0BOT", "a-signing-secret"
USERS: Mapping[str, str] = {DANA: "dana.ruiz"}
ROOMS: Mapping[str, tuple[str, Sequence[str]]] = {ROOM: ("face-intake", (DANA,))}


@dataclass
class Stranger:
    """The other workspace, by its control door."""

    base: str
    http: aiohttp.ClientSession

    async def do(self, what: str, **body: Any) -> Json:
        async with self.http.post(f"{self.base}/_control/{what}", json=body) as answer:
            return await answer.json()

    async def upload(self, data: bytes) -> None:
        form = aiohttp.FormData({"channel": ROOM, "user": DANA, "text": "From camera 2."})
        form.add_field("file", data, filename="a.jpg", content_type="image/jpeg")
        async with self.http.post(f"{self.base}/_control/upload", data=form) as answer:
            assert (await answer.json())["ok"]

    async def messages(self, room: str = ROOM) -> list[Json]:
        async with self.http.get(f"{self.base}/_control/messages/{room}") as answer:
            return (await answer.json())["messages"]

    async def log(self) -> list[Json]:
        async with self.http.get(f"{self.base}/_control/log") as answer:
            return (await answer.json())["log"]

    async def message(self, wanted: str, room: str = ROOM) -> Json:
        return await self.wait(lambda m: m.get("text", "").startswith(wanted), room, 10)

    async def wait(self, wanted: Callable[[Json], bool], room: str, seconds: float) -> Json:
        """The first message in the room that is `wanted`, once it is there."""
        for _ in range(int(seconds * 20)):
            for found in await self.messages(room):
                if wanted(found):
                    return found
            await asyncio.sleep(0.05)
        raise AssertionError(f"no such message among {[m.get('text') for m in await self.messages(room)]}")

    async def click(self, message: Json, action_id: str, user: str) -> None:
        """`user` presses that button of the message."""
        found = [(b, e) for b in message["blocks"] for e in b.get("elements", []) if e.get("action_id") == action_id]
        (block, element), *_ = found
        action = {
            "type": "button",
            "action_id": action_id,
            "block_id": block.get("block_id", "none"),  # it makes none up
            "value": element.get("value"),
        }
        await self.do("interact", channel=message["channel"], messageTs=message["ts"], user=user, action=action)

    @contextlib.asynccontextmanager
    async def screen(self) -> AsyncIterator["Screen"]:
        """What its own page is told: it has one stack of modals, for everybody."""
        async with self.http.ws_connect(f"{self.base}/ui") as socket:
            screen = Screen(socket)
            reading = asyncio.create_task(screen.read())
            try:
                yield screen
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)


@dataclass
class Screen:
    """The page's end of the socket."""

    socket: aiohttp.ClientWebSocketResponse
    stack: list[Json] = field(default_factory=list)
    errors: Json = field(default_factory=dict)

    async def read(self) -> None:
        async for told in self.socket:
            match json.loads(told.data):
                case {"t": "view", **rest}:
                    self.stack, self.errors = rest.get("stack") or [], {}
                case {"t": "view_errors", "errors": errors}:
                    self.errors = errors
                case _:
                    pass

    async def view(self, wanted: Callable[[Json], bool]) -> Json:
        """The modal on top, once it is `wanted`."""
        for _ in range(400):
            if self.stack and wanted(self.stack[-1]):
                return self.stack[-1]
            await asyncio.sleep(0.05)
        raise AssertionError(f"the modal on top is {json.dumps(self.stack[-1:])[:600]}, with errors {self.errors}")

    async def submit(self, user: str, answers: Mapping[str, str | list[str]]) -> None:
        """The modal on top is sent with these answers, by block; the app has said what became of it."""
        before, values, self.errors = self.stack[-1], {}, {}
        for block in before["blocks"]:
            if block["type"] == "input" and block["block_id"] in answers:
                element = block["element"]
                values[block["block_id"]] = {element["action_id"]: _state(element, answers[block["block_id"]])}
        await self.socket.send_json({"t": "view_submit", "user": user, "values": values})
        for _ in range(200):
            if self.errors or not self.stack or self.stack[-1] != before:
                return
            await asyncio.sleep(0.05)
        raise AssertionError("the app never said what became of the modal")

    async def close(self, user: str) -> None:
        await self.socket.send_json({"t": "view_close", "user": user})
        while self.stack:
            await asyncio.sleep(0.05)


def _state(element: Json, answer: str | list[str]) -> Json:
    """An element's state, as Slack writes it into a submission."""
    kind = element["type"]
    if kind == "plain_text_input":
        return {"type": kind, "value": answer}
    chosen = [o for o in element["options"] if o["value"] in answer]
    assert chosen, f"{answer!r} is not offered"
    return (
        {"type": kind, "selected_options": chosen}
        if kind == "checkboxes"
        else {"type": kind, "selected_option": chosen[0]}
    )


@contextlib.asynccontextmanager
async def stranger(
    folder: Path,
    port: int,
    mode: str,
    request_url: str,
    users: Mapping[str, str] = USERS,
    rooms: Mapping[str, tuple[str, Sequence[str]]] = ROOMS,
) -> AsyncIterator[Stranger]:
    app = {"mode": mode, "signingSecret": SECRET} | ({"requestUrl": request_url} if request_url else {})
    config = {
        "apps": [app],
        "users": [{"id": u, "name": name, "real_name": name.replace(".", " ").title()} for u, name in users.items()],
        "channels": [
            {"id": room, "name": name, "is_private": True, "members": [*members, BOT]}
            for room, (name, members) in rooms.items()
        ],
    }
    path = folder / "config.json"
    await asyncio.to_thread(path.write_text, json.dumps(config))
    os.chmod(BINARY, os.stat(BINARY).st_mode | stat.S_IXUSR)  # noqa: PTH101, PTH116 -- one call, on npm's file
    words = ("--config", str(path), "--port", str(port), "--base-host", "127.0.0.1", "--files-dir", str(folder))
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(BINARY, *words, stdout=quiet, stderr=quiet)
    try:
        async with aiohttp.ClientSession() as http:
            other = Stranger(f"http://127.0.0.1:{port}", http)
            for _ in range(200):
                with contextlib.suppress(aiohttp.ClientError):
                    await other.log()
                    break
                await asyncio.sleep(0.05)
            yield other
    finally:
        process.kill()
        await process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
