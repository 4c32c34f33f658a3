"""What stands in the channels: posting, editing, deleting, reacting, joining; each told to the app and to the pages."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from .blocks import faults_in_blocks, slack_files_in
from .events import Events
from .feed import Feed
from .files import Files
from .model import Channel, File, Json, Message, SlackError, User
from .shapes import Shapes
from .state import State
from .views import file_named, name_blocks

MOST_TEXT, MOST_EDITED_TEXT, MOST_METADATA, MOST_ATTACHMENTS = 40_000, 4_000, 12_000, 100
EPHEMERALS_KEPT = 50
MOST_MARKDOWN = 12_000


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody is about to say."""

    text: str = ""
    blocks: list[Json] | None = None
    attachments: list[Json] | None = None
    thread_ts: str | None = None
    broadcast: bool = False
    metadata: Json | None = None

    @classmethod
    def read(cls, body: Json) -> "Draft":
        return cls(
            text=str(body.get("text") or ""),
            blocks=body.get("blocks"),
            attachments=body.get("attachments"),
            thread_ts=body.get("thread_ts") or None,
            broadcast=bool(body.get("reply_broadcast")),
            metadata=body.get("metadata"),
        )


class Posting:
    def __init__(self, state: State, shapes: Shapes, events: Events, feed: Feed, files: Files) -> None:
        self._state, self._shapes, self._events, self._feed, self._files = state, shapes, events, feed, files
        self.ephemerals: dict[str, list[Message]] = {}

    # -- judging -----------------------------------------------------------------------------------------------

    def judge(self, draft: Draft, *, most_text: int | None = None) -> None:
        """Slack's own refusals, in Slack's own order."""
        if not draft.text and not draft.blocks and not draft.attachments:
            raise SlackError("no_text")
        if most_text and len(draft.text) > most_text:
            raise SlackError("msg_too_long")
        if draft.blocks is not None:
            self._judge_blocks(draft.blocks)
        if draft.attachments is not None and len(draft.attachments) > MOST_ATTACHMENTS:
            raise SlackError("too_many_attachments")
        if draft.metadata is not None:
            _judge_metadata(draft.metadata)

    def _judge_blocks(self, untrusted_blocks: Any) -> None:
        if not isinstance(untrusted_blocks, list):
            raise SlackError("invalid_blocks_format")
        if not untrusted_blocks:
            return
        if sum(len(str(b.get("text"))) for b in untrusted_blocks if _is_markdown(b)) > MOST_MARKDOWN:
            raise SlackError("msg_blocks_too_long")
        if findings := faults_in_blocks(untrusted_blocks, "message"):
            raise SlackError("invalid_blocks", *findings, errors=[f.removeprefix("[ERROR] ") for f in findings])
        for reference, at in slack_files_in(untrusted_blocks):
            if not self._files.showable(self._state.bot_user, file_named(reference)):
                raise SlackError("invalid_blocks", f"[ERROR] invalid slack file [json-pointer:{at}/slack_file]")

    # -- saying ------------------------------------------------------------------------------------------------

    def post_as_bot(self, channel_id: str, draft: Draft, files: list[File] | None = None) -> Message:
        state = self._state
        channel = state.channel(channel_id)
        if draft.thread_ts and state.message(channel.id, draft.thread_ts) is None:
            raise SlackError("cannot_reply_to_message")
        message = Message(
            channel.id,
            state.next_ts(),
            state.bot_user,
            text=draft.text,
            blocks=name_blocks(draft.blocks) if draft.blocks else None,
            attachments=draft.attachments,
            thread_ts=self._root(channel, draft.thread_ts),
            broadcast=draft.broadcast,
            metadata=draft.metadata,
            bot_id=state.bot,
            app_id=state.app,
            files=[f.id for f in files or []],
            subtype="file_share" if files else None,
        )
        return self._publish(channel, message)

    def post_as_person(
        self,
        user: User,
        channel: Channel,
        text: str,
        thread_ts: str | None,
        files: list[File],
        shared: Sequence[Message] = (),
    ) -> Message:
        """What a person typed: escaped as Slack escapes it, with the rich text Slack makes of it."""
        escaped = escape(text)
        span = [{"type": "text", "text": text}]
        section = {"type": "rich_text_section", "elements": span}
        message = Message(
            channel.id,
            self._state.next_ts(),
            user.id,
            text=escaped,
            blocks=name_blocks([{"type": "rich_text", "elements": [section]}]) if text else None,
            thread_ts=self._root(channel, thread_ts),
            client_msg_id=str(uuid4()),
            files=[f.id for f in files],
            subtype="file_share" if files else None,
            attachments=[self._shapes.shared(n, one) for n, one in enumerate(shared, start=1)] or None,
        )
        return self._publish(channel, message)

    def _root(self, channel: Channel, thread_ts: str | None) -> str | None:
        """A reply to a reply is a reply to its root, as in Slack."""
        parent = self._state.message(channel.id, thread_ts) if thread_ts else None
        return (parent.thread_ts or parent.ts) if parent else None

    def _publish(self, channel: Channel, message: Message) -> Message:
        for reference, _ in slack_files_in(message.blocks or []):
            self._files.shown(file_named(reference), channel=channel.id)
        self._state.keep(message)
        for key in message.files:
            self._files.share(self._state.files[key], message)
        channel.read[message.user] = message.ts
        self._state.keep(channel)
        body = self._shapes.message(message)
        subtype = {"subtype": message.subtype} if message.subtype else {}
        self._events.message(channel, body | subtype | {"event_ts": message.ts})
        for key in message.files:
            self._file_event("file_shared", channel, message, key)
        self._show(channel, message)
        return message

    def _file_event(self, kind: str, channel: Channel, message: Message, key: str) -> None:
        body = {"type": kind, "file_id": key, "user_id": message.user, "file": {"id": key}, "channel_id": channel.id}
        self._events.in_channel(channel, body)

    def post_ephemeral(self, channel_id: str, user: str, draft: Draft) -> Message:
        """Seen by one person, kept by nobody: no event, no history, gone with the page."""
        state = self._state
        message = Message(
            channel_id,
            state.next_ts(),
            state.bot_user,
            text=draft.text,
            blocks=name_blocks(draft.blocks) if draft.blocks else None,
            attachments=draft.attachments,
            thread_ts=draft.thread_ts,
            bot_id=state.bot,
            app_id=state.app,
            ephemeral_for=user,
        )
        shown = self.ephemerals.setdefault(user, [])
        shown.append(message)
        del shown[:-EPHEMERALS_KEPT]
        self._show(state.channel(channel_id), message)
        return message

    # -- changing ----------------------------------------------------------------------------------------------

    def edit(self, message: Message, draft: Draft, *, by: str | None = None) -> None:
        channel, before = self._state.channel(message.channel), self._shapes.message(message)
        message.text = draft.text or message.text
        if draft.blocks is not None:
            message.blocks = name_blocks(draft.blocks) or None
        elif draft.text:
            message.blocks = None
        message.attachments = draft.attachments if draft.attachments is not None else message.attachments
        message.metadata = draft.metadata or message.metadata
        message.form = {}
        if message.ephemeral_for:
            self._show(channel, message)
            return
        stamp = self._state.next_ts()
        message.edited = {"user": by or message.user, "ts": stamp}
        self._state.keep(message)
        self._changed(channel, message, before, stamp)

    def _changed(self, channel: Channel, message: Message, before: Json, stamp: str) -> None:
        event: Json = {
            "type": "message",
            "subtype": "message_changed",
            "message": self._shapes.message(message),
            "previous_message": before,
            "hidden": True,
            "ts": stamp,
            "event_ts": stamp,
        }
        self._events.message(channel, event)
        self._show(channel, message)

    def delete(self, message: Message) -> None:
        channel, before = self._state.channel(message.channel), self._shapes.message(message)
        if message.ephemeral_for:
            mine = self.ephemerals.get(message.ephemeral_for, [])
            self.ephemerals[message.ephemeral_for] = [m for m in mine if m.ts != message.ts]
            self._gone(channel, message)
            return
        self._state.forget(message)
        stamp = self._state.next_ts()
        event: Json = {
            "type": "message",
            "subtype": "message_deleted",
            "previous_message": before,
            "hidden": True,
            "deleted_ts": message.ts,
            "ts": stamp,
            "event_ts": stamp,
        }
        self._events.message(channel, event)
        self._gone(channel, message)

    def delete_file(self, file: File) -> None:
        file.deleted = True
        self._state.keep(file)
        self._state.shelf.save_bytes(file.id, b"")
        stamp = self._state.next_ts()
        self._events.anywhere(
            {"type": "file_deleted", "file_id": file.id, "channel_ids": file.channels, "event_ts": stamp}
        )
        for room in self._state.messages.values():
            for message in list(room.values()):
                if file.id in message.files:
                    self._show(self._state.channel(message.channel), message)

    def react(self, message: Message, user: str, name: str, *, add: bool) -> None:
        who = message.reactions.setdefault(name, [])
        if add == (user in who):
            raise SlackError("already_reacted" if add else "no_reaction")
        who.append(user) if add else who.remove(user)
        message.reactions = {n: w for n, w in message.reactions.items() if w}
        self._state.keep(message)
        channel = self._state.channel(message.channel)
        event: Json = {
            "type": "reaction_added" if add else "reaction_removed",
            "user": user,
            "reaction": name,
            "item": {"type": "message", "channel": channel.id, "ts": message.ts},
            "item_user": message.user,
        }
        self._events.in_channel(channel, event)
        self._show(channel, message)

    # -- coming and going --------------------------------------------------------------------------------------

    def join(self, channel: Channel, user: str, inviter: str | None = None) -> None:
        channel.members.append(user)
        self._state.keep(channel)
        self._notice(channel, user, "join", inviter)
        event: Json = {
            "type": "member_joined_channel",
            "user": user,
            "channel": channel.id,
            "channel_type": "C" if channel.kind == "public" else "G",
            "team": self._state.team,
        }
        self._events.in_channel(channel, event | ({"inviter": inviter} if inviter else {}))
        self._feed.tell([*channel.members], {"type": "channels"})

    def leave(self, channel: Channel, user: str) -> None:
        event: Json = {
            "type": "member_left_channel",
            "user": user,
            "channel": channel.id,
            "channel_type": "C" if channel.kind == "public" else "G",
            "team": self._state.team,
        }
        self._notice(channel, user, "leave", None)
        if user == self._state.bot_user:
            self._events.channel_changed(channel, "left", actor_id=user)
        channel.members.remove(user)
        self._state.keep(channel)
        self._events.in_channel(channel, event)
        self._feed.tell([*channel.members, user], {"type": "channels"})

    def _notice(self, channel: Channel, user: str, what: str, inviter: str | None) -> None:
        prefix = "channel" if channel.kind == "public" else "group"
        words = {"join": "joined", "leave": "left"}[what]
        text = f"<@{user}> has {words} the {'channel' if channel.kind == 'public' else 'group'}"
        subtype = f"{prefix}_{what}"
        message = Message(channel.id, self._state.next_ts(), user, text=text, subtype=subtype, inviter=inviter)
        self._state.keep(message)
        self._events.message(channel, self._shapes.message(message) | {"event_ts": message.ts})
        self._show(channel, message)

    # -- showing -----------------------------------------------------------------------------------------------

    def _show(self, channel: Channel, message: Message) -> None:
        body = self._shapes.message(message) | {"channel": channel.id}
        if message.ephemeral_for:
            self._feed.tell([message.ephemeral_for], {"type": "message", "message": body | {"is_ephemeral": True}})
            return
        self._feed.tell(self._readers(channel), {"type": "message", "message": body})
        root = self._state.message(channel.id, message.thread_ts) if message.thread_ts else None
        if root:
            body = self._shapes.message(root) | {"channel": channel.id}
            self._feed.tell(self._readers(channel), {"type": "message", "message": body})

    def _gone(self, channel: Channel, message: Message) -> None:
        readers = [message.ephemeral_for] if message.ephemeral_for else self._readers(channel)
        self._feed.tell(readers, {"type": "deleted", "channel": channel.id, "ts": message.ts})

    def _readers(self, channel: Channel) -> list[str]:
        return list(self._state.users) if channel.kind == "public" else list(channel.members)


MENTION = re.compile(r"&lt;(@U[A-Z0-9]+|#C[A-Z0-9]+|!subteam\^S[A-Z0-9]+)&gt;")


def escape(text: str) -> str:
    """Slack escapes three characters and no others; mentions, which its client wrote, stay what they are."""
    return MENTION.sub(r"<\1>", html.escape(text, quote=False))


def shortened(draft: Draft) -> Draft:
    """`chat.postMessage` cuts a text of more than 40,000 characters instead of refusing it."""
    return replace(draft, text=draft.text[:MOST_TEXT])


def _is_markdown(untrusted_block: Any) -> bool:
    return isinstance(untrusted_block, dict) and untrusted_block.get("type") == "markdown"


def _judge_metadata(untrusted: Any) -> None:
    fits = isinstance(untrusted, dict) and isinstance(untrusted.get("event_type"), str)
    if not fits or not isinstance(untrusted.get("event_payload"), dict):
        raise SlackError("invalid_metadata_format")
    if len(str(untrusted)) > MOST_METADATA:
        raise SlackError("metadata_too_large")
