"""conversations.*: which channels there are, who is in them, what stands in them."""

from deploy.workspace.model import Channel, Json, Message, SlackError
from deploy.workspace.workspace import Workspace

from .call import Call, Method, kinds_wanted

READ = ("channels:read", "groups:read", "im:read", "mpim:read")
HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")


async def info(ws: Workspace, call: Call) -> Json:
    channel = ws.state.visible(call.user, call.text("channel"))
    call.need_for(channel, "read")
    body = ws.shapes.channel(channel, call.user)
    if not call.flag("include_num_members"):
        body.pop("num_members", None)
    return {"ok": True, "channel": body}


async def list_channels(ws: Workspace, call: Call) -> Json:
    kinds = kinds_wanted(call)
    rooms = [c for c in ws.state.channels.values() if c.kind in kinds and _known(c, call.user)]
    if call.flag("exclude_archived"):
        rooms = [c for c in rooms if not c.archived]
    page, cursor = call.page(rooms)
    return {
        "ok": True,
        "channels": [ws.shapes.channel(c, call.user) for c in page],
        "response_metadata": {"next_cursor": cursor},
    }


async def members(ws: Workspace, call: Call) -> Json:
    channel = ws.state.visible(call.user, call.text("channel"))
    call.need_for(channel, "read")
    page, cursor = call.page(channel.members)
    return {"ok": True, "members": page, "response_metadata": {"next_cursor": cursor}}


async def history(ws: Workspace, call: Call) -> Json:
    channel = ws.state.joined(call.user, call.text("channel"))
    call.need_for(channel, "history")
    stood = [m for m in ws.state.messages.get(channel.id, {}).values() if m.thread_ts in {None, m.ts} or m.broadcast]
    wanted = _between(call, stood)[::-1]
    page, cursor = call.page(wanted, most=999)
    with_metadata = call.flag("include_all_metadata")
    return {
        "ok": True,
        "messages": [_in_history(ws, m, metadata=with_metadata) for m in page],
        "has_more": bool(cursor),
        "pin_count": 0,
        "channel_actions_ts": None,
        "channel_actions_count": 0,
        **({"response_metadata": {"next_cursor": cursor}} if cursor else {}),
    }


async def replies(ws: Workspace, call: Call) -> Json:
    channel = ws.state.joined(call.user, call.text("channel"))
    call.need_for(channel, "history")
    found = ws.state.message(channel.id, call.text("ts"))
    if found is None:
        raise SlackError("thread_not_found")
    root = (ws.state.message(channel.id, found.thread_ts) if found.thread_ts else None) or found
    page, cursor = call.page([root, *_between(call, ws.state.replies(root))], default=1000)
    with_metadata = call.flag("include_all_metadata")
    return {
        "ok": True,
        "messages": [_in_history(ws, m, metadata=with_metadata) for m in page],
        "has_more": bool(cursor),
        **({"response_metadata": {"next_cursor": cursor}} if cursor else {}),
    }


def _in_history(ws: Workspace, message: Message, *, metadata: bool) -> Json:
    body = ws.shapes.message(message, metadata=metadata)
    return body | ({"subtype": message.subtype} if message.subtype in {"channel_join", "group_join"} else {})


def _between(call: Call, messages: list[Message]) -> list[Message]:
    oldest, latest = float(call.text("oldest", "0") or 0), float(call.text("latest", "inf") or "inf")
    if call.flag("inclusive"):
        return [m for m in messages if oldest <= float(m.ts) <= latest]
    return [m for m in messages if oldest < float(m.ts) < latest]


async def open_direct(ws: Workspace, call: Call) -> Json:
    if given := call.text("channel"):
        channel = ws.state.visible(call.user, given)
        return {"ok": True, "no_op": True, "already_open": True, "channel": {"id": channel.id}}
    people = call.names("users")
    if len(people) != 1:
        raise SlackError("users_list_not_supplied" if not people else "too_many_users")
    user = ws.state.users.get(people[0])
    if user is None:
        raise SlackError("user_not_found")
    if user.deleted:
        raise SlackError("user_disabled")
    channel = ws.state.direct(call.user, user.id)
    full = ws.shapes.channel(channel, call.user) if call.flag("return_im") else {"id": channel.id}
    return {"ok": True, "channel": full}


async def join(ws: Workspace, call: Call) -> Json:
    channel = ws.state.visible(call.user, call.text("channel"))
    if channel.kind != "public":
        raise SlackError("method_not_supported_for_channel_type")
    if channel.archived:
        raise SlackError("is_archived")
    if call.user not in channel.members:
        ws.posting.join(channel, call.user)
    return {"ok": True, "channel": ws.shapes.channel(channel, call.user)}


async def leave(ws: Workspace, call: Call) -> Json:
    channel = ws.state.visible(call.user, call.text("channel"))
    if call.user not in channel.members:
        return {"ok": True, "not_in_channel": True}
    ws.posting.leave(channel, call.user)
    return {"ok": True}


async def invite(ws: Workspace, call: Call) -> Json:
    channel = ws.state.joined(call.user, call.text("channel"))
    for key in call.names("users"):
        user = ws.state.users.get(key)
        if user is None:
            raise SlackError("user_not_found")
        if key == call.user:
            raise SlackError("cant_invite_self")
        if key in channel.members:
            raise SlackError("already_in_channel")
        if user.deleted:
            raise SlackError("cant_invite")
        if user.is_ultra_restricted:
            raise SlackError("ura_max_channels")
        ws.posting.join(channel, key, call.user)
    return {"ok": True, "channel": ws.shapes.channel(channel, call.user)}


async def kick(ws: Workspace, call: Call) -> Json:
    channel = ws.state.joined(call.user, call.text("channel"))
    key = call.text("user")
    if key == call.user:
        raise SlackError("cant_kick_self")
    if key not in channel.members:
        raise SlackError("not_in_channel")
    ws.posting.leave(channel, key)
    return {"ok": True, "errors": {}}


def _known(channel: Channel, user: str) -> bool:
    return channel.kind == "public" or user in channel.members


METHODS = (
    Method("conversations.info", info, READ, 3, ("channel",)),
    Method("conversations.list", list_channels, READ, 2),
    Method("conversations.members", members, READ, 4, ("channel",)),
    Method("conversations.history", history, HISTORY, 3, ("channel",)),
    Method("conversations.replies", replies, HISTORY, 3, ("channel", "ts")),
    Method("conversations.open", open_direct, ("im:write", "mpim:write", "channels:manage", "groups:write"), 3),
    Method("conversations.join", join, ("channels:join",), 3, ("channel",)),
    Method(
        "conversations.leave",
        leave,
        ("channels:manage", "channels:write", "groups:write", "im:write", "mpim:write"),
        3,
        ("channel",),
    ),
    Method(
        "conversations.invite",
        invite,
        ("channels:manage", "groups:write", "im:write", "mpim:write", "channels:write.invites", "groups:write.invites"),
        3,
        ("channel", "users"),
    ),
    Method("conversations.kick", kick, ("channels:manage", "groups:write"), 3, ("channel", "user")),
)
