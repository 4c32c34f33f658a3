"""Socket Mode: up to ten websockets an app may hold, each envelope to any one of them, each acknowledged by its id.

Source: docs.slack.dev/apis/events-api/using-socket-mode.
"""

import asyncio
import contextlib
import json
import secrets
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import uuid4

from aiohttp import WSCloseCode, WSMsgType, web

from .clock import Clock, Timings
from .delivery import Ack, Envelope, NotAcknowledged
from .model import Json

MOST_SOCKETS = 10
HOST = "applink-leadgate-local"


@dataclass(slots=True, eq=False)
class Socket:
    """One connection. A `deaf` one is half closed: it stands, and nothing passes."""

    ws: web.WebSocketResponse
    debug: bool = False
    deaf: bool = False
    leaving: bool = False


@dataclass(slots=True)
class Tickets:
    """Each websocket address opens one connection, once."""

    unused: dict[str, bool] = field(default_factory=dict[str, bool])

    def mint(self, *, debug: bool) -> str:
        ticket = secrets.token_hex(16)
        self.unused[ticket] = debug
        return ticket


class Sockets:
    """Every Socket Mode connection of the app, and the transport over them."""

    def __init__(self, clock: Clock, timings: Timings, app_id: str) -> None:
        self._clock, self._timings, self._app_id = clock, timings, app_id
        self.tickets = Tickets()
        self.open: list[Socket] = []
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._turn = count()
        self.opened = 0

    def address(self, base: str, *, debug: bool = False) -> str:
        ticket = self.tickets.mint(debug=debug)
        return f"{base.replace('http', 'ws', 1)}/link/?ticket={ticket}&app_id={self._app_id}"

    async def send(self, envelope: Envelope, attempt: int, reason: str) -> Ack | NotAcknowledged:
        ready = [s for s in self.open if not s.leaving]
        if not ready:
            return NotAcknowledged("connection_failed")
        socket = ready[next(self._turn) % len(ready)]
        key = str(uuid4())
        answer = self._waiting[key] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._timings.ack):
                await self._say(socket, self._frame(key, envelope, attempt, reason))
                return Ack(await answer)
        except (TimeoutError, ConnectionError):
            return NotAcknowledged("timeout")
        finally:
            del self._waiting[key]

    def _frame(self, key: str, envelope: Envelope, attempt: int, reason: str) -> Json:
        frame: Json = {
            "envelope_id": key,
            "payload": envelope.payload,
            "type": envelope.kind,
            "accepts_response_payload": envelope.takes_response,
        }
        return frame | ({"retry_attempt": attempt, "retry_reason": reason} if envelope.kind == "events_api" else {})

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One connection's whole life."""
        debug = self.tickets.unused.pop(request.query.get("ticket", ""), None)
        if debug is None:
            raise web.HTTPForbidden(text="This websocket address was used before, or never given out.")
        ws = web.WebSocketResponse(heartbeat=None, max_msg_size=1 << 22)
        await ws.prepare(request)
        if len(self.open) >= MOST_SOCKETS:
            await ws.send_json({"type": "disconnect", "reason": "too_many_websockets", "debug_info": {"host": HOST}})
            await ws.close()
            return ws
        socket = Socket(ws, debug)
        self.open.append(socket)
        self.opened += 1
        life = asyncio.create_task(self._grow_old(socket))
        try:
            await self._say(socket, self._hello())
            await self._listen(socket)
        finally:
            life.cancel()
            self.open.remove(socket)
        return ws

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.open),
            "debug_info": {
                "host": HOST,
                "build_number": 1,
                "approximate_connection_time": int(self._timings.socket_life),
            },
            "connection_info": {"app_id": self._app_id},
        }

    async def _listen(self, socket: Socket) -> None:
        async for message in socket.ws:
            if message.type != WSMsgType.TEXT or socket.deaf:
                continue
            try:
                untrusted: Any = json.loads(message.data)
            except ValueError:
                continue
            answer = self._waiting.get(str(untrusted.get("envelope_id"))) if isinstance(untrusted, dict) else None
            if answer and not answer.done():
                answer.set_result(untrusted.get("payload"))

    async def _say(self, socket: Socket, frame: Json) -> None:
        if not socket.deaf:
            await socket.ws.send_json(frame)

    async def _grow_old(self, socket: Socket) -> None:
        await self._clock.sleep(self._timings.socket_life)
        await self.dismiss(socket)

    async def dismiss(self, socket: Socket, reason: str = "refresh_requested") -> None:
        """Slack asks the app to come again: a warning, then the request, then the close."""
        socket.leaving = True
        with contextlib.suppress(ConnectionError):
            for word in ("warning", reason):
                await self._say(socket, {"type": "disconnect", "reason": word, "debug_info": {"host": HOST}})
            await socket.ws.close(code=WSCloseCode.GOING_AWAY)

    async def close(self) -> None:
        for socket in list(self.open):
            await socket.ws.close(code=WSCloseCode.GOING_AWAY)
