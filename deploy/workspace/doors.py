"""What a person's client may do: the page and the programmatic `Person` go through the same doors.

A session is bound to one person and survives a restart. What a person cannot see, no door shows them.
"""

import asyncio
import contextlib
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from .model import SLACKBOT, Channel, Json, Message, SlackError, User, View
from .posting import Draft
from .workspace import Workspace

PAGE = Path(__file__).parent / "page"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'; media-src 'self' blob:"
)
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
MOST_TEXT = 12_000
Act = Callable[[User, Json], Awaitable[Json]]


class Doors:
    """The people's side of one workspace."""

    def __init__(self, ws: Workspace) -> None:
        self.ws = ws

    # -- who is there ------------------------------------------------------------------------------------------

    def session(self, user: User) -> str:
        digest = hmac.new(self.ws.credentials.signing_secret.encode(), user.id.encode(), hashlib.sha256)
        return f"{user.id}.{digest.hexdigest()}"

    def whose(self, request: web.Request) -> User:
        given = request.headers.get("X-Session") or request.query.get("session", "")
        user = self.ws.state.users.get(given.partition(".")[0])
        if user is None or not hmac.compare_digest(given, self.session(user)):
            raise SlackError("not_authed", "Choose who you are first.")
        if user.deleted:
            raise SlackError("account_inactive", "This account has been deactivated.")
        return user

    async def people(self, _request: web.Request) -> web.Response:
        """Who can be chosen, before anybody is."""
        state = self.ws.state
        humans = [u for u in state.users.values() if not u.is_bot and u.id != SLACKBOT]
        listed = [
            {
                "name": u.name,
                "real_name": u.real_name,
                "title": u.title,
                "id": u.id,
                "deactivated": u.deleted,
                "groups": [g.handle for g in state.groups_of(u.id)],
            }
            for u in humans
        ]
        return web.json_response({"ok": True, "team": state.team_name, "people": listed, "app": state.app_name})

    async def enter(self, request: web.Request) -> web.Response:
        user = self.ws.state.person(str((await request.json()).get("person", "")))
        if user is None or user.is_bot:
            return web.json_response({"ok": False, "error": "user_not_found"}, status=404)
        if user.deleted:
            return web.json_response({"ok": False, "error": "account_inactive"}, status=403)
        return web.json_response({"ok": True, "session": self.session(user), "user": self.ws.shapes.user(user)})

    # -- what they see -----------------------------------------------------------------------------------------

    async def boot(self, user: User, _body: Json) -> Json:
        ws = self.ws
        mine = [c for c in ws.state.channels.values() if user.id in c.members and not c.archived]
        return {
            "me": ws.shapes.user(user),
            "team": {"name": ws.state.team_name, "id": ws.state.team},
            "app": {
                "id": ws.state.app,
                "name": ws.state.app_name,
                "user": ws.state.bot_user,
                "home": ws.manifest.home_tab,
            },
            "users": [ws.shapes.user(u) for u in ws.state.users.values()],
            "groups": [ws.shapes.group(g, with_users=True) for g in ws.state.groups.values()],
            "channels": [self._listed(c, user) for c in mine],
            "joinable": [self._listed(c, user) for c in self._joinable(user)],
            "commands": [c.model_dump() for c in ws.manifest.commands],
            "shortcuts": [s.model_dump() for s in ws.manifest.shortcuts],
            "views": [ws.shapes.view(v) for v in ws.views.stacks.get(user.id, [])],
            "guide": ws.guide,
        }

    def _joinable(self, user: User) -> list[Channel]:
        if user.is_restricted:
            return []
        return [c for c in self.ws.state.channels.values() if c.kind == "public" and user.id not in c.members]

    def _listed(self, channel: Channel, user: User) -> Json:
        """A channel as the side bar shows it: with what this person has not read."""
        read = channel.read.get(user.id, "0")
        stood = self.ws.state.messages.get(channel.id, {})
        top = [m for m in stood.values() if m.ts > read and m.user != user.id and _concerns(m, user, stood)]
        body = self.ws.shapes.channel(channel, user.id)
        latest = max(self.ws.state.messages.get(channel.id, {}), default="0")
        return body | {"members": channel.members, "unread": len(top), "last_read": read, "latest": latest}

    async def messages(self, user: User, body: Json) -> Json:
        channel = self._channel(user, body["channel"])
        thread = body.get("thread_ts") or None
        stood = [*self.ws.state.messages.get(channel.id, {}).values()]
        mine = [m for m in self.ws.posting.ephemerals.get(user.id, []) if m.channel == channel.id]
        shown = [m for m in [*stood, *mine] if _belongs(m, thread)]
        return {"messages": [self._shown(m) for m in sorted(shown, key=lambda m: m.ts)]}

    def _shown(self, message: Message) -> Json:
        body = self.ws.shapes.message(message) | {"channel": message.channel}
        return body | ({"is_ephemeral": True} if message.ephemeral_for else {})

    async def home(self, user: User, body: Json) -> Json:
        """Opening the app's Home tab; the app hears of it every time."""
        ws = self.ws
        view, direct = ws.state.homes.get(user.id), ws.state.direct(user.id, ws.state.bot_user)
        shown = ws.shapes.view(view) if view else None
        if body.get("announce", True):
            event: Json = {"type": "app_home_opened", "user": user.id, "channel": direct.id, "tab": "home"}
            ws.events.anywhere(event | ({"view": shown} if shown else {}))
        return {"view": shown, "direct": direct.id}

    async def top_view(self, user: User, _body: Json) -> Json:
        return {"views": [self.ws.shapes.view(v) for v in self.ws.views.stacks.get(user.id, [])]}

    async def read(self, user: User, body: Json) -> Json:
        channel = self._channel(user, body["channel"])
        channel.read[user.id] = max(channel.read.get(user.id, "0"), str(body["ts"]))
        self.ws.state.keep(channel)
        return {}

    # -- what they do ------------------------------------------------------------------------------------------

    async def post(self, user: User, body: Json) -> Json:
        channel = self._channel(user, body["channel"])
        text = str(body.get("text") or "")
        files = [self.ws.files.visible(user.id, key) for key in body.get("files") or []]
        shared = [self._message(user, one) for one in body.get("shared") or []]  # "Share message", in Slack
        if not text.strip() and not files and not body.get("forwarded") and not shared:
            raise SlackError("no_text")
        if len(text) > MOST_TEXT:
            raise SlackError("msg_too_long")
        if any(f.user != user.id for f in files):
            raise SlackError("file_not_found")
        files += [self.ws.files.visible(user.id, key) for key in body.get("forwarded") or []]  # Share file, in Slack
        thread = body.get("thread_ts") or None
        message = self.ws.posting.post_as_person(user, channel, text, thread, files, shared)
        return {"message": self._shown(message)}

    async def edit(self, user: User, body: Json) -> Json:
        message = self._message(user, body)
        if message.user != user.id:
            raise SlackError("cant_update_message")
        self.ws.posting.edit(message, Draft(text=str(body["text"])))
        return {"message": self._shown(message)}

    async def delete(self, user: User, body: Json) -> Json:
        message = self._message(user, body)
        if user.id not in (message.ephemeral_for, message.user):
            raise SlackError("cant_delete_message")
        self.ws.posting.delete(message)
        return {}

    async def delete_file(self, user: User, body: Json) -> Json:
        file = self.ws.files.visible(user.id, body["file"])
        if file.user != user.id:
            raise SlackError("cant_delete_file")
        self.ws.posting.delete_file(file)
        return {}

    async def react(self, user: User, body: Json) -> Json:
        message = self._message(user, body)
        add = user.id not in message.reactions.get(body["name"], [])
        self.ws.posting.react(message, user.id, body["name"], add=add)
        return {}

    async def act(self, user: User, body: Json) -> Json:
        block, action, simple = str(body.get("block_id") or ""), str(body["action_id"]), body.get("value")
        if "view_id" in body:
            view = self._view(user, body["view_id"])
            form: Json = body.get("values") or {}
            await self.ws.interactivity.act_in_view(user, view, block, action, simple, form)
        else:
            await self.ws.interactivity.act_in_message(user, self._message(user, body), block, action, simple)
        return {}

    async def suggest(self, user: User, body: Json) -> Json:
        holder = self._view(user, body["view_id"]) if "view_id" in body else self._message(user, body)
        where = str(body.get("block_id") or ""), str(body["action_id"])
        return {"options": await self.ws.interactivity.suggest(user, holder, *where, str(body.get("value") or ""))}

    async def submit(self, user: User, body: Json) -> Json:
        view = self._view(user, body["view_id"])
        errors = await self.ws.interactivity.submit(user, view, body.get("values") or {})
        return {"errors": errors, **await self.top_view(user, {})}

    async def close(self, user: User, body: Json) -> Json:
        await self.ws.interactivity.close(user, everything=bool(body.get("everything")))
        return await self.top_view(user, {})

    async def shortcut(self, user: User, body: Json) -> Json:
        message = self._message(user, body) if body.get("ts") else None
        await self.ws.interactivity.shortcut(user, str(body["callback_id"]), message)
        return {}

    async def command(self, user: User, body: Json) -> Json:
        if body.get("thread_ts"):
            raise SlackError("restricted_in_thread", f"{body['command']} is not supported in threads. Sorry!")
        channel = self._channel(user, body["channel"])
        await self.ws.interactivity.command(user, channel, str(body["command"]), str(body.get("text") or ""))
        return {}

    async def invite(self, user: User, body: Json) -> Json:
        channel = self._channel(user, body["channel"])
        invited = self.ws.state.person(str(body["person"])) or self.ws.state.users.get(str(body["person"]))
        if user.is_restricted or invited is None or invited.deleted:
            raise SlackError("cant_invite")
        if invited.id in channel.members:
            raise SlackError("already_in_channel")
        self.ws.posting.join(channel, invited.id, user.id)
        return {}

    async def join(self, user: User, body: Json) -> Json:
        channel = self.ws.state.visible(user.id, body["channel"])
        if channel not in self._joinable(user):
            raise SlackError("channel_not_found")
        self.ws.posting.join(channel, user.id)
        return {}

    async def leave(self, user: User, body: Json) -> Json:
        self.ws.posting.leave(self._channel(user, body["channel"]), user.id)
        return {}

    # -- finding what they mean --------------------------------------------------------------------------------

    def _channel(self, user: User, name: str) -> Channel:
        """A channel they are in, by id or name; `@leadgate` or a person's name is the direct conversation."""
        state = self.ws.state
        if name.startswith("@"):
            other = state.person(name[1:]) or next(
                (u for u in state.users.values() if u.name == name[1:].lower()), None
            )
            if other is None:
                raise SlackError("user_not_found")
            return state.direct(user.id, other.id)
        found = state.channel_named(name)
        if found is None:
            raise SlackError("channel_not_found")
        return state.joined(user.id, found.id)

    def _message(self, user: User, body: Json) -> Message:
        channel = self._channel(user, body["channel"])
        mine = self.ws.posting.ephemerals.get(user.id, [])
        found = self.ws.state.message(channel.id, body["ts"])
        found = found or next((m for m in mine if m.ts == body["ts"] and m.channel == channel.id), None)
        if found is None:
            raise SlackError("message_not_found")
        return found

    def _view(self, user: User, key: str) -> View:
        top, home = self.ws.views.top(user.id), self.ws.state.homes.get(user.id)
        for view in (top, home):
            if view and view.id == key:
                return view
        raise SlackError("not_found", "That form is not open any more.")

    # -- files, live news, the page ----------------------------------------------------------------------------

    async def upload(self, request: web.Request) -> web.Response:
        """A file the person will post next, or put into a form: processed by the time they do."""
        user = self.whose(request)
        part = (await request.post()).get("file")
        if not isinstance(part, web.FileField):
            raise SlackError("no_file_data")
        data = await asyncio.to_thread(part.file.read)
        file, secret = self.ws.files.announce(user.id, part.filename or "file", len(data))
        self.ws.files.receive(secret, data)
        self.ws.files.complete(file, "", at_once=True)
        return web.json_response({"ok": True, "file": self.ws.shapes.file(file)})

    async def show_file(self, request: web.Request) -> web.Response:
        """The bytes, or a thumbnail with `?size=`, for a person who may see the file."""
        user = self.whose(request)
        file = self.ws.files.visible(user.id, request.match_info["key"])
        size = int(request.query.get("size", "0"))
        data = await self.ws.files.thumbnail(file, size) if size else None
        kind = file.mimetype or "application/octet-stream"
        if data is not None:
            kind = "image/png" if data[:4] == b"\x89PNG" else "image/jpeg"
        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "private, max-age=3600"}
        headers |= {"Content-Security-Policy": "default-src 'none'; sandbox"}
        return web.Response(
            body=data if data is not None else self.ws.files.content(file), content_type=kind, headers=headers
        )

    async def follow(self, request: web.Request) -> web.StreamResponse:
        """Live news, until the page goes away."""
        user = self.whose(request)
        socket = web.WebSocketResponse(heartbeat=20)
        await socket.prepare(request)
        with self.ws.feed.follow(user.id) as queue:
            teller = asyncio.create_task(_tell(socket, queue))
            try:
                async for _ in socket:
                    pass
            finally:
                teller.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await teller
        return socket

    async def set_guide(self, request: web.Request) -> web.Response:
        """The demonstration says what to do next, and what the ledger just recorded."""
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given, self.ws.credentials.guide_key):
            return web.json_response({"ok": False, "error": "not_authed"}, status=403)
        self.ws.guide = await request.json()
        self.ws.feed.tell_everybody({"type": "guide", "guide": self.ws.guide})
        return web.json_response({"ok": True})

    async def get_guide(self, request: web.Request) -> web.Response:
        self.whose(request)
        return web.json_response({"ok": True, "guide": self.ws.guide})

    async def enrol(self, request: web.Request) -> web.Response:
        """Hands a newcomer's own picture to the demonstration, which says in its guide where it takes them."""
        self.whose(request)
        address = str((self.ws.guide.get("enrol") or {}).get("url") or "")
        if urlsplit(address).hostname not in {"127.0.0.1", "localhost"}:
            return web.json_response({"ok": False, "message": "Nobody takes pictures here at the moment."})
        given, form = await request.post(), aiohttp.FormData()
        for name, value in given.items():
            if isinstance(value, web.FileField):
                form.add_field(name, value.file.read(), filename=value.filename, content_type=value.content_type)
            else:
                form.add_field(name, str(value))
        try:
            async with aiohttp.ClientSession() as http, http.post(address, data=form) as answer:
                return web.json_response(await answer.json(), status=answer.status)
        except (aiohttp.ClientError, ValueError):
            return web.json_response({"ok": False, "message": "The gallery does not answer. Nothing was stored."})

    async def avatar(self, request: web.Request) -> web.Response:
        user = self.ws.state.users.get(request.match_info["key"])
        return web.Response(
            text=_portrait(user), content_type="image/svg+xml", headers={"Cache-Control": "max-age=3600"}
        )

    async def page(self, request: web.Request) -> web.Response:
        name = request.match_info.get("name") or "index.html"
        path = (PAGE / name).resolve()
        if path.parent != PAGE.resolve() or path.suffix not in KINDS or not path.exists():
            raise web.HTTPNotFound
        headers = {
            "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
            "Cache-Control": "no-cache",
        }
        return web.Response(text=path.read_text("utf-8"), content_type=KINDS[path.suffix], headers=headers)


def _belongs(message: Message, thread: str | None) -> bool:
    if thread:
        return thread in {message.ts, message.thread_ts}
    return message.thread_ts in {None, message.ts} or message.broadcast


def _concerns(message: Message, user: User, stood: dict[str, Message]) -> bool:
    """What stands in the channel itself does, and replies in a thread of one's own."""
    root = stood.get(message.thread_ts or message.ts)
    return message.thread_ts in {None, message.ts} or bool(root and root.user == user.id)


async def _tell(socket: web.WebSocketResponse, queue: asyncio.Queue[Json]) -> None:
    while True:
        await socket.send_json(await queue.get())


COLOURS = ("#1264a3", "#7c3085", "#0b7a53", "#9a4b00", "#a3123f", "#3f51b5", "#00707f", "#5d4037")


def _portrait(user: User | None) -> str:
    """Initials on a colour: nobody's face is needed to tell people apart."""
    if user and user.is_bot:
        return APP_ICON
    words = (user.real_name if user else "?").split()
    initials = "".join(w[0] for w in words[:2]).upper()
    colour = COLOURS[sum((user.name if user else "?").encode()) % len(COLOURS)]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 72 72">'
        f'<rect width="72" height="72" rx="14" fill="{colour}"/>'
        '<text x="36" y="46" font-family="system-ui,sans-serif" font-size="28" font-weight="600" text-anchor="middle" '
        f'fill="#fff">{initials}</text></svg>'
    )


APP_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 72 72"><rect width="72" height="72" rx="14" fill="#16324f"/>'
    '<path d="M36 12 56 20v16c0 13-8.500 20.500-20 25-11.500-4.500-20-12-20-25V20z" fill="none" stroke="#f2b84b" '
    'stroke-width="4"/><path d="m26 36 7 7 14-15" fill="none" stroke="#fff" stroke-width="5" stroke-linecap="round" '
    'stroke-linejoin="round"/></svg>'
)


def _door(doors: Doors, act: Act) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A JSON door: the session says who, the body says what, a refusal is Slack's."""

    async def handle(request: web.Request) -> web.Response:
        try:
            user = doors.whose(request)
            body: Any = await request.json() if request.can_read_body else dict(request.query)
            return web.json_response({"ok": True, **await act(user, body)})
        except SlackError as refused:
            return web.json_response(refused.answer(), status=403 if refused.code == "not_authed" else 200)
        except (KeyError, json.JSONDecodeError) as missing:
            return web.json_response({"ok": False, "error": "invalid_arguments", "missing": str(missing)}, status=400)

    return handle


def mount(app: web.Application, ws: Workspace) -> None:
    doors = Doors(ws)
    acts: dict[str, Act] = {
        "boot": doors.boot,
        "messages": doors.messages,
        "home": doors.home,
        "views": doors.top_view,
        "read": doors.read,
        "post": doors.post,
        "edit": doors.edit,
        "delete": doors.delete,
        "delete_file": doors.delete_file,
        "react": doors.react,
        "act": doors.act,
        "suggest": doors.suggest,
        "submit": doors.submit,
        "close": doors.close,
        "shortcut": doors.shortcut,
        "command": doors.command,
        "invite": doors.invite,
        "join": doors.join,
        "leave": doors.leave,
    }
    for name, act in acts.items():
        app.router.add_post(f"/_ui/{name}", _door(doors, act))
    app.router.add_get("/_ui/people", doors.people)
    app.router.add_post("/_ui/session", doors.enter)
    app.router.add_post("/_ui/upload", _refusing(doors.upload))
    app.router.add_get("/_ui/files/{key}", _refusing(doors.show_file))
    app.router.add_post("/_ui/enrol", _refusing(doors.enrol))
    app.router.add_get("/_ui/live", _refusing(doors.follow))
    app.router.add_put("/_ui/guide", doors.set_guide)
    app.router.add_get("/_ui/guide", _refusing(doors.get_guide))
    app.router.add_get("/_ui/avatars/{key}.svg", doors.avatar)
    app.router.add_get("/", doors.page)
    app.router.add_get("/page/{name}", doors.page)


def _refusing(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except SlackError as refused:
            return web.json_response(refused.answer(), status=403)

    return handle
