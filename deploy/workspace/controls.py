"""The director's side, mounted only when asked for: time, misfortunes, people and channels as a test needs them."""

from dataclasses import asdict
from typing import Any

from aiohttp import web

from .clock import Timings
from .faults import Fault
from .model import Json, SlackError, User
from .workspace import Workspace


class Controls:
    def __init__(self, ws: Workspace) -> None:
        self.ws = ws

    async def clock(self, body: Json) -> Json:
        """Move time forward, or change how long Slack waits."""
        self.ws.clock.advance(float(body.get("advance", 0)))
        for name, value in (body.get("timings") or {}).items():
            if name not in Timings.__dataclass_fields__:
                raise SlackError("invalid_arguments", f"There is no timing called {name}.")
            setattr(self.ws.timings, name, tuple(value) if isinstance(value, list) else value)
        return {"now": self.ws.clock.now(), "timings": asdict(self.ws.timings)}

    async def fault(self, body: Json) -> Json:
        if body.get("clear"):
            self.ws.faults.clear()
        for plan in body.get("plan") or []:
            self.ws.faults.plan(Fault(**plan))
        return {"left": [asdict(f) for f in self.ws.faults.left()]}

    async def rates(self, body: Json) -> Json:
        self.ws.rates.scale = float(body["scale"])
        return {}

    async def sockets(self, body: Json) -> Json:
        """`dismiss`: ask the app to reconnect; `deafen`: half close; `cut`: gone without a word."""
        for socket in list(self.ws.sockets.open):
            match body["do"]:
                case "dismiss":
                    await self.ws.sockets.dismiss(socket)
                case "deafen":
                    socket.deaf = True
                case "cut":
                    _cut(socket.ws)
                case "count":
                    continue
                case other:
                    raise SlackError("invalid_arguments", f"Nothing to do is called {other}.")
        return {"open": len(self.ws.sockets.open), "opened": self.ws.sockets.opened}

    async def transport(self, body: Json) -> Json:
        self.ws.deliver_to(str(body.get("url") or ""))
        return {}

    async def person(self, body: Json) -> Json:
        """Deactivate, reactivate, make a guest, a bot, somebody of another workspace; the app hears `user_change`."""
        user = self._user(body)
        for name in ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "real_name", "team", "title"):
            if name in body:
                setattr(user, name, body[name])
        user.updated = int(self.ws.clock.now())
        self.ws.state.keep(user)
        shaped = self.ws.shapes.user(user)
        self.ws.events.anywhere({"type": "user_change", "user": shaped, "cache_ts": user.updated})
        return {"user": shaped}

    async def group(self, body: Json) -> Json:
        """Put people into a user group or take them out; the app hears both events."""
        ws = self.ws
        group = next((g for g in ws.state.groups.values() if g.handle == body["handle"]), None)
        if group is None:
            raise SlackError("no_such_subteam")
        added = [self._user({"person": p}).id for p in body.get("add") or []]
        removed = [self._user({"person": p}).id for p in body.get("remove") or []]
        before, now = group.updated, int(ws.clock.now())
        group.members = [m for m in [*group.members, *added] if m not in removed]
        group.updated = now
        ws.state.keep(group)
        event: Json = {
            "type": "subteam_members_changed",
            "subteam_id": group.id,
            "team_id": ws.state.team,
            "date_previous_update": before,
            "date_update": now,
            "added_users": added,
            "added_users_count": len(added),
            "removed_users": removed,
            "removed_users_count": len(removed),
        }
        ws.events.anywhere(event)
        ws.events.anywhere({"type": "subteam_updated", "subteam": ws.shapes.group(group, with_users=True)})
        return {"members": group.members}

    async def channel(self, body: Json) -> Json:
        """Archive, rename, delete, invite to, remove from, or share a channel with another organisation."""
        ws = self.ws
        found = ws.state.channel_named(str(body["channel"]))
        if found is None:
            raise SlackError("channel_not_found")
        for name in body.get("add") or []:
            ws.posting.join(found, self._user({"person": name}).id, found.creator)
        for name in body.get("remove") or []:
            ws.posting.leave(found, self._user({"person": name}).id)
        if "archived" in body:
            found.archived = bool(body["archived"])
            ws.events.channel_changed(
                found, "archive" if found.archived else "unarchive", user=found.creator, is_moved=0
            )
        if "ext_shared" in body:
            found.ext_shared = bool(body["ext_shared"])
        ws.state.keep(found)
        ws.feed.tell(found.members, {"type": "channels"})
        return {"channel": ws.shapes.channel(found, ws.state.bot_user)}

    async def token(self, body: Json) -> Json:
        """Give the bot other scopes, or take its token away."""
        bot = self.ws.tokens.pop(self.ws.credentials.bot_token, None)
        if bot and body.get("scopes") is not None:
            changed = type(bot)(bot.value, bot.kind, bot.user, frozenset(body["scopes"]))
            self.ws.tokens[changed.value] = changed
        return {}

    async def record(self, body: Json) -> Json:
        """What was sent to the app, what is on its way and what never arrived, and what the app called; or its calls
        `after` so many alone.
        """
        delivery, ws = self.ws.delivery, self.ws
        if "after" in body:
            forgotten = ws.called - len(ws.calls)
            return {"calls": ws.calls[max(0, int(body["after"]) - forgotten) :], "called": ws.called}
        sent, pending = [asdict(e) for e in delivery.sent], delivery.on_their_way()
        return {
            "sent": sent,
            "pending": pending,
            "undelivered": delivery.undelivered,
            "calls": ws.calls,
            "called": ws.called,
        }

    def _user(self, body: Json) -> User:
        name = str(body["person"])
        user = self.ws.state.users.get(self.ws.state.bot_user) if name == "@bot" else self.ws.state.person(name)
        if user is None:
            raise SlackError("user_not_found", name)
        return user


def _cut(socket: web.WebSocketResponse) -> None:
    """No close frame, no goodbye: the connection is gone."""
    request: Any = getattr(socket, "_req", None)
    if request is not None and request.transport is not None:
        request.transport.abort()


def mount(app: web.Application, ws: Workspace) -> None:
    controls = Controls(ws)
    for name in ("clock", "fault", "rates", "sockets", "transport", "person", "group", "channel", "token", "record"):
        act = getattr(controls, name)

        async def handle(request: web.Request, act: Any = act) -> web.Response:
            try:
                body: Json = await request.json() if request.can_read_body else {}
                return web.json_response({"ok": True, **await act(body)})
            except SlackError as refused:
                return web.json_response(refused.answer())
            except (KeyError, TypeError, ValueError) as wrong:
                return web.json_response({"ok": False, "error": "invalid_arguments", "why": str(wrong)}, status=400)

        app.router.add_post(f"/_control/{name}", handle)
