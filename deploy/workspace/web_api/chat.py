"""chat.*: what the app says."""

from deploy.workspace.model import Json, Message, SlackError, User
from deploy.workspace.posting import MOST_EDITED_TEXT, MOST_TEXT, Draft, shortened
from deploy.workspace.workspace import Workspace

from .call import Call, Method


async def post_message(ws: Workspace, call: Call) -> Json:
    channel_id = _destination(ws, call)
    draft = _draft(call)
    ws.posting.judge(draft)
    if wait := ws.rates.wait_to_post(channel_id):
        raise SlackError("ratelimited", retry_after=int(wait))
    message = ws.posting.post_as_bot(channel_id, shortened(draft))
    body = {"channel": message.channel, "ts": message.ts, "message": ws.shapes.message(message, metadata=True)}
    cut = {"warning": "message_truncated", "response_metadata": {"warnings": ["message_truncated"]}}
    return {"ok": True, **body, **(cut if len(draft.text) > MOST_TEXT else {})}


async def update(ws: Workspace, call: Call) -> Json:
    message = _own(ws, call, "cant_update_message")
    draft = _draft(call)
    if draft.blocks is None and not draft.text and not draft.attachments:
        raise SlackError("no_text")
    ws.posting.judge(draft, most_text=MOST_EDITED_TEXT)
    ws.posting.edit(message, draft)
    body = ws.shapes.message(message, metadata=True)
    return {"ok": True, "channel": message.channel, "ts": message.ts, "text": message.text, "message": body}


async def delete(ws: Workspace, call: Call) -> Json:
    message = _own(ws, call, "cant_delete_message")
    ws.posting.delete(message)
    return {"ok": True, "channel": message.channel, "ts": message.ts}


async def post_ephemeral(ws: Workspace, call: Call) -> Json:
    channel = ws.state.joined(call.user, call.text("channel"))
    user = call.text("user")
    if user not in channel.members or ws.state.users[user].deleted:
        raise SlackError("user_not_in_channel")
    draft = _draft(call)
    ws.posting.judge(draft)
    message = ws.posting.post_ephemeral(channel.id, user, draft)
    return {"ok": True, "message_ts": message.ts}


async def get_permalink(ws: Workspace, call: Call) -> Json:
    channel = ws.state.visible(call.user, call.text("channel"))
    message = ws.state.message(channel.id, call.text("message_ts"))
    if message is None:
        raise SlackError("message_not_found")
    return {"ok": True, "channel": channel.id, "permalink": permalink(ws, message)}


def permalink(ws: Workspace, message: Message) -> str:
    thread = f"?thread_ts={message.thread_ts}&cid={message.channel}" if message.thread_ts else ""
    return f"{ws.base}/archives/{message.channel}/p{message.ts.replace('.', '')}{thread}"


def _destination(ws: Workspace, call: Call) -> str:
    """A channel the bot is in, or the direct message with a person who is still here."""
    where = call.text("channel")
    if user := ws.state.users.get(where):
        return _direct(ws, call, user)
    channel = ws.state.channel_named(where) or ws.state.channel(where)
    ws.state.joined(call.user, channel.id)
    if channel.archived:
        raise SlackError("is_archived")
    if channel.kind == "im":
        other = next(m for m in channel.members if m != call.user)
        _direct(ws, call, ws.state.users[other])
    return channel.id


def _direct(ws: Workspace, call: Call, user: User) -> str:
    if user.deleted:
        raise SlackError("user_disabled" if call.method == "conversations.open" else "channel_not_found")
    if user.is_bot:
        raise SlackError("channel_not_found")
    return ws.state.direct(call.user, user.id).id


def _own(ws: Workspace, call: Call, refusal: str) -> Message:
    channel = ws.state.visible(call.user, call.text("channel"))
    message = ws.state.message(channel.id, call.text("ts"))
    if message is None:
        raise SlackError("message_not_found")
    if message.user != call.user:
        raise SlackError(refusal)
    return message


def _draft(call: Call) -> Draft:
    return Draft.read(
        {
            "text": call.text("text"),
            "blocks": call.json("blocks", "invalid_blocks_format"),
            "attachments": call.json("attachments"),
            "metadata": call.json("metadata", "invalid_metadata_format"),
            "thread_ts": call.text("thread_ts"),
            "reply_broadcast": call.flag("reply_broadcast"),
        }
    )


METHODS = (
    Method("chat.postMessage", post_message, ("chat:write",), 5, ("channel",)),
    Method("chat.update", update, ("chat:write",), 3, ("channel", "ts")),
    Method("chat.delete", delete, ("chat:write",), 3, ("channel", "ts")),
    Method("chat.postEphemeral", post_ephemeral, ("chat:write",), 4, ("channel", "user")),
    Method("chat.getPermalink", get_permalink, (), 5, ("channel", "message_ts")),
)
