"""reactions.* and pins.*: what is put onto a message."""

from deploy.workspace.model import Json, Message, SlackError
from deploy.workspace.workspace import Workspace

from .call import Call, Method


async def add_reaction(ws: Workspace, call: Call) -> Json:
    ws.posting.react(_message(ws, call), call.user, call.text("name").strip(":"), add=True)
    return {"ok": True}


async def remove_reaction(ws: Workspace, call: Call) -> Json:
    ws.posting.react(_message(ws, call), call.user, call.text("name").strip(":"), add=False)
    return {"ok": True}


async def get_reactions(ws: Workspace, call: Call) -> Json:
    message = _message(ws, call)
    return {"ok": True, "type": "message", "channel": message.channel, "message": ws.shapes.message(message)}


async def add_pin(ws: Workspace, call: Call) -> Json:
    message = _message(ws, call)
    if message.pinned_by:
        raise SlackError("already_pinned")
    message.pinned_by = call.user
    ws.state.keep(message)
    return {"ok": True}


async def remove_pin(ws: Workspace, call: Call) -> Json:
    message = _message(ws, call)
    if not message.pinned_by:
        raise SlackError("no_pin")
    message.pinned_by = None
    ws.state.keep(message)
    return {"ok": True}


def _message(ws: Workspace, call: Call) -> Message:
    channel = ws.state.joined(call.user, call.text("channel"))
    message = ws.state.message(channel.id, call.text("timestamp"))
    if message is None:
        raise SlackError("message_not_found")
    return message


METHODS = (
    Method("reactions.add", add_reaction, ("reactions:write",), 3, ("channel", "name", "timestamp")),
    Method("reactions.remove", remove_reaction, ("reactions:write",), 2, ("channel", "name", "timestamp")),
    Method("reactions.get", get_reactions, ("reactions:read",), 3, ("channel", "timestamp")),
    Method("pins.add", add_pin, ("pins:write",), 2, ("channel", "timestamp")),
    Method("pins.remove", remove_pin, ("pins:write",), 2, ("channel", "timestamp")),
)
