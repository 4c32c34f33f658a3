"""users.*, usergroups.*, team.info, bots.info, auth.*, api.test, apps.connections.open."""

from deploy.workspace.model import Json, SlackError
from deploy.workspace.workspace import Workspace

from .call import Call, Method, kinds_wanted


async def auth_test(ws: Workspace, call: Call) -> Json:
    return {
        "ok": True,
        "url": f"{ws.base}/",
        "team": ws.state.team_name,
        "user": ws.state.users[call.user].name,
        "team_id": ws.state.team,
        "user_id": call.user,
        "bot_id": ws.state.bot,
        "is_enterprise_install": False,
    }


async def api_test(_ws: Workspace, call: Call) -> Json:
    if code := call.text("error"):
        raise SlackError(code)
    return {"ok": True, "args": {k: v for k, v in call.arguments.items() if k != "token"}}


async def open_connection(ws: Workspace, call: Call) -> Json:
    if not ws.manifest.socket_mode:
        raise SlackError("socket_mode_not_enabled")
    return {"ok": True, "url": ws.sockets.address(ws.base, debug=call.flag("debug_reconnects"))}


async def user_info(ws: Workspace, call: Call) -> Json:
    user = ws.state.users.get(call.text("user"))
    if user is None:
        raise SlackError("user_not_found")
    return {"ok": True, "user": _user(ws, call, user.id)}


async def users_list(ws: Workspace, call: Call) -> Json:
    page, cursor = call.page(list(ws.state.users), default=1000)
    return {
        "ok": True,
        "members": [_user(ws, call, key) for key in page],
        "cache_ts": int(ws.clock.now()),
        "response_metadata": {"next_cursor": cursor},
    }


async def lookup_by_email(ws: Workspace, call: Call) -> Json:
    wanted = call.text("email").lower()
    found = next((u for u in ws.state.users.values() if u.email.lower() == wanted and not u.deleted), None)
    if found is None:
        raise SlackError("users_not_found")
    return {"ok": True, "user": _user(ws, call, found.id)}


async def users_conversations(ws: Workspace, call: Call) -> Json:
    """The conversations that somebody is in; of another's, those private ones alone that the caller is in, too."""
    wanted = kinds_wanted(call)
    user = call.text("user") or call.user
    if user not in ws.state.users:
        raise SlackError("user_not_found")
    rooms = [c for c in ws.state.channels.values() if c.kind in wanted and user in c.members]
    rooms = [c for c in rooms if c.kind == "public" or call.user in c.members]
    if call.flag("exclude_archived"):
        rooms = [c for c in rooms if not c.archived]
    page, cursor = call.page(rooms)
    channels = [ws.shapes.channel(c, call.user) for c in page]
    return {"ok": True, "channels": channels, "response_metadata": {"next_cursor": cursor}}


def _user(ws: Workspace, call: Call, key: str) -> Json:
    """The user object; the address of their mail only with its own scope."""
    user = ws.state.users[key]
    body = ws.shapes.user(user)
    if "users:read.email" in call.token.scopes and user.email:
        body["profile"]["email"] = user.email
    return body


async def usergroups_list(ws: Workspace, call: Call) -> Json:
    groups = [g for g in ws.state.groups.values() if call.flag("include_disabled") or not g.disabled]
    bodies = [ws.shapes.group(g, with_users=call.flag("include_users")) for g in groups]
    if not call.flag("include_count"):
        for body in bodies:
            body.pop("user_count")
    return {"ok": True, "usergroups": bodies}


async def usergroup_users(ws: Workspace, call: Call) -> Json:
    group = ws.state.groups.get(call.text("usergroup"))
    if group is None or (group.disabled and not call.flag("include_disabled")):
        raise SlackError("no_such_subteam")
    return {"ok": True, "users": list(group.members)}


async def team_info(ws: Workspace, _call: Call) -> Json:
    return {
        "ok": True,
        "team": {
            "id": ws.state.team,
            "name": ws.state.team_name,
            "url": f"{ws.base}/",
            "domain": ws.state.team_domain,
            "email_domain": "",
            "icon": {"image_default": True},
            "avatar_base_url": f"{ws.base}/_ui/avatars/",
            "is_verified": False,
        },
    }


async def bots_info(ws: Workspace, call: Call) -> Json:
    if call.text("bot", ws.state.bot) != ws.state.bot:
        raise SlackError("bot_not_found")
    return {"ok": True, "bot": {k: v for k, v in ws.shapes.bot().items() if k != "team_id"}}


METHODS = (
    Method("auth.test", auth_test, (), 5),
    Method("api.test", api_test, (), 4, caller="nobody"),
    Method("apps.connections.open", open_connection, ("connections:write",), 3, caller="app"),
    Method("users.info", user_info, ("users:read",), 4, ("user",)),
    Method("users.list", users_list, ("users:read",), 2),
    Method("users.lookupByEmail", lookup_by_email, ("users:read.email",), 3, ("email",)),
    Method("users.conversations", users_conversations, ("channels:read", "groups:read", "im:read", "mpim:read"), 3),
    Method("usergroups.list", usergroups_list, ("usergroups:read",), 2),
    Method("usergroups.users.list", usergroup_users, ("usergroups:read",), 2, ("usergroup",)),
    Method("team.info", team_info, ("team:read",), 3),
    Method("bots.info", bots_info, ("users:read",), 3),
)
