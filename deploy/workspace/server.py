"""The workspace's address on loopback: Web API, websockets, files, and the page with its doors."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from . import controls, doors
from .clock import Timings
from .configuration import WorkspaceConfig
from .faults import Fault
from .model import Json, SlackError, Token
from .web_api import METHODS
from .web_api.call import Call, Method, read_arguments
from .workspace import Workspace

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
MOST_BODY = 64 << 20
REMEMBERED = 20_000  # calls of the app, for whoever asks what it sent
WS = web.AppKey("workspace", Workspace)
Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(ws: Workspace) -> web.Application:
    """All routes of one workspace."""
    app = web.Application(middlewares=[only_loopback], client_max_size=MOST_BODY)
    app[WS] = ws
    app.router.add_route("*", "/api/{method}", answer_api)
    app.router.add_get("/link/", ws.sockets.serve)
    app.router.add_route("*", "/upload/v1/{secret}", receive_upload)
    app.router.add_get("/files-pri/{key}/{name}", give_file)
    app.router.add_get("/files-pri/{key}/download/{name}", give_file)
    app.router.add_get("/files-tmb/{key}/{size}", give_thumbnail)
    app.router.add_post("/actions/{team}/{secret}", answer_hook)
    doors.mount(app, ws)
    if ws.config.control:
        controls.mount(app, ws)
    return app


@web.middleware
async def only_loopback(request: web.Request, handler: Respond) -> web.StreamResponse:
    """A page elsewhere that points its own name at this machine gets nothing (DNS rebinding)."""
    host = urlsplit(f"//{request.host}").hostname
    origin = urlsplit(request.headers.get(hdrs.ORIGIN, "//127.0.0.1")).hostname
    if host not in LOOPBACK_NAMES or origin not in LOOPBACK_NAMES:
        raise web.HTTPForbidden(text="This workspace answers on loopback only.")
    return await handler(request)


# -- Web API ----------------------------------------------------------------------------------------------------


async def answer_api(request: web.Request) -> web.StreamResponse:
    """One call, with the misfortune that was asked for, if any."""
    ws, name = request.app[WS], request.match_info["method"]
    match ws.faults.api(name):
        case None:
            return await _answer(ws, request, name)
        case Fault(what="ratelimited") as fault:
            return _ratelimited(fault.seconds)
        case Fault(what="error") as fault:
            return web.json_response({"ok": False, "error": fault.code})
        case Fault(what="http_500"):
            return web.Response(status=500, text="Internal Server Error")
        case Fault(what="hang_up"):
            return _hang_up(request)
        case Fault(what="timeout") as fault:
            await asyncio.sleep(fault.seconds)
            return _hang_up(request)
        case Fault():
            await _answer(ws, request, name)
            return _hang_up(request)


def _hang_up(request: web.Request) -> web.StreamResponse:
    if request.transport:
        request.transport.abort()
    return web.Response(status=500)


def _ratelimited(seconds: float) -> web.Response:
    headers = {"Retry-After": str(max(1, round(seconds)))}
    return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)


async def _answer(ws: Workspace, request: web.Request, name: str) -> web.StreamResponse:
    headers = {"X-Slack-Req-Id": ws.state.next_id("Rq"), "Cache-Control": "private, no-cache, no-store"}
    try:
        arguments = await read_arguments(request)
        method = _method(name)
        token = _authorise(ws, request, arguments, method)
        headers["X-OAuth-Scopes"] = ",".join(sorted(token.scopes))
        headers["X-Accepted-OAuth-Scopes"] = ",".join(method.scopes)
        if wait := ws.rates.wait(name, method.tier):
            return _ratelimited(wait)
        call = Call(name, arguments, token)
        _complete(method, call)
        ws.calls.append((name, _as_meant(arguments)))
        ws.called += 1
        del ws.calls[:-REMEMBERED]
        body = await method.handler(ws, call)
    except SlackError as refused:
        if refused.code == "ratelimited":
            return _ratelimited(refused.extra["retry_after"])
        body = refused.answer()
    return web.json_response(body, headers=headers)


def _as_meant(arguments: Json) -> Json:
    """Arguments with their JSON read, for those who judge what an app sends; the token stays out."""
    meant: Json = {}
    for name, value in arguments.items():
        try:
            meant[name] = json.loads(value) if isinstance(value, str) and value[:1] in {"[", "{"} else value
        except ValueError:
            meant[name] = value
    return {k: v for k, v in meant.items() if k != "token"}


def _method(name: str) -> Method:
    if name not in METHODS:
        raise SlackError("unknown_method", req_method=name)
    return METHODS[name]


def _authorise(ws: Workspace, request: web.Request, arguments: Json, method: Method) -> Token:
    nobody = Token("", "bot", "", frozenset())
    if method.caller == "nobody":
        return nobody
    kind, _, bearer = request.headers.get("Authorization", "").partition(" ")
    value = bearer if kind.lower() == "bearer" else str(arguments.get("token") or "")
    if not value:
        raise SlackError("not_authed")
    token = ws.tokens.get(value)
    if token is None:
        raise SlackError("invalid_auth")
    if ws.state.users[token.user].deleted:
        raise SlackError("account_inactive")
    if token.kind != method.caller:
        raise SlackError("not_allowed_token_type")
    Call(method.name, arguments, token).need(*method.scopes)
    return token


def _complete(method: Method, call: Call) -> None:
    missing = [n for n in method.required if call.arguments.get(n) in (None, "")] if method.required else []
    if missing:
        words = [f"[ERROR] missing required field: {name}" for name in missing]
        raise SlackError("invalid_arguments", *words)


# -- files ------------------------------------------------------------------------------------------------------


async def receive_upload(request: web.Request) -> web.Response:
    """The bytes of an announced file: raw, or the one part of a form."""
    ws = request.app[WS]
    if request.content_type == "multipart/form-data":
        form = await request.post()
        part = next((v for v in form.values() if isinstance(v, web.FileField)), None)
        data = part.file.read() if part else b""
    else:
        data = await request.read()
    try:
        file = ws.files.receive(request.match_info["secret"], data)
    except KeyError:
        return web.Response(status=404, text="no such upload")
    return web.Response(text=f"OK - {file.size}")


def _bearer(request: web.Request, ws: Workspace) -> Token | None:
    token = ws.tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
    return token if token and "files:read" in token.scopes else None


async def give_file(request: web.Request) -> web.StreamResponse:
    """The bytes, for whoever may see the file. Others are sent to sign in, as Slack does: HTML, not bytes."""
    ws = request.app[WS]
    token, key = _bearer(request, ws), request.match_info["key"].partition("-")[2]
    file = ws.state.files.get(key)
    if token is None or file is None or not ws.state.may_see_file(token.user, file):
        raise web.HTTPFound(f"/?redir=%2Ffiles-pri%2F{key}")
    headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
    kind = file.mimetype or "application/octet-stream"
    return web.Response(body=ws.files.content(file), content_type=kind, headers=headers)


async def give_thumbnail(request: web.Request) -> web.StreamResponse:
    ws = request.app[WS]
    token, key = _bearer(request, ws), request.match_info["key"].partition("-")[2]
    file = ws.state.files.get(key)
    if token is None or file is None or not ws.state.may_see_file(token.user, file):
        raise web.HTTPFound(f"/?redir=%2Ffiles-tmb%2F{key}")
    data = await ws.files.thumbnail(file, int(request.match_info["size"]))
    if data is None:
        raise web.HTTPNotFound
    return web.Response(body=data, content_type="image/png" if data[:4] == b"\x89PNG" else "image/jpeg")


async def answer_hook(request: web.Request) -> web.Response:
    """A post to a response address."""
    ws = request.app[WS]
    try:
        untrusted: Any = await request.json()
        ws.hooks.use(request.match_info["secret"], untrusted)
    except SlackError as refused:
        status = 404 if refused.code in {"used_url", "expired_url"} else 400
        return web.json_response(refused.answer(), status=status)
    except ValueError:
        return web.json_response({"ok": False, "error": "invalid_payload"}, status=400)
    return web.Response(text="ok")


# -- running ----------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def running(config: WorkspaceConfig, port: int = 0, timings: Timings | None = None) -> AsyncGenerator[Workspace]:
    """The workspace answers at `workspace.base` until the block is left."""
    ws = Workspace(config, timings=timings)
    runner = web.AppRunner(make_app(ws), access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        ws.settle_at(f"http://127.0.0.1:{runner.addresses[0][1]}")
        yield ws
    finally:
        await ws.close()
        await runner.cleanup()
