"""The bot's hands in Slack: posts that are never doubled, uploads that are remembered, photographs fetched."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.database import Conn, Pool
from bot.views.blocks import Block, View

EVENT_TYPE = "leadgate"
MAX_PHOTO = 20 * 1024 * 1024
NOT_READY = "the files are not ready"
READY_AFTER = (0.5, 0.7, 1.5, 3.0, 6.0)  # seconds; few questions, since files.info is rationed


class SlackSaidNoError(Exception):
    """Slack refused in a way that trying again will not change."""


class PhotoGoneError(Exception):
    """The photograph is no longer in Slack, or is larger than may be received."""


FIND_POST = "SELECT channel, ts FROM casework.post WHERE key = $1"
KEEP_POST = "INSERT INTO casework.post (key, channel, ts) VALUES ($1, $2, $3) ON CONFLICT (key) DO NOTHING"
KEEP_UPLOAD = "INSERT INTO casework.upload (search, label, file) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
GONE = frozenset({"tombstone", "hidden_by_limit"})  # modes of a file that only its name is left of
FORGET_UPLOAD = "DELETE FROM casework.upload WHERE search = $1 AND label = $2"
UPLOADS = "SELECT label, file FROM casework.upload WHERE search = $1 ORDER BY label"


class Desk:
    """What the worker and the listeners may do in the workspace."""

    def __init__(self, client: AsyncWebClient, session: aiohttp.ClientSession, pool: Pool) -> None:
        self._client = client
        self._session = session
        self._pool = pool
        self._sending = asyncio.Semaphore(4)

    # --- posts ------------------------------------------------------------------------------------------------------

    async def post(
        self, key: str, channel: str, message: tuple[str, Sequence[Block]], *, thread: str | None = None, again: bool
    ) -> tuple[str, str]:
        """One message with this key stands in the channel, however often we are asked: (channel, ts).

        Slack has no idempotency key: ours travels in the message's metadata and is looked for before it is sent again.
        """
        if known := await self.posted(key):
            return known
        ts = await self._find(key, channel, thread) if again else None
        if ts is None:
            text, blocks = message
            sent = await self._client.chat_postMessage(
                channel=channel,
                text=text,
                blocks=list(blocks),
                thread_ts=thread,
                metadata={"event_type": EVENT_TYPE, "event_payload": {"key": key}},
                unfurl_links=False,
                unfurl_media=False,
            )
            ts = str(sent["ts"])
        async with self._pool.acquire() as conn:
            await conn.execute(KEEP_POST, key, channel, ts)
        return channel, ts

    async def posted(self, key: str) -> tuple[str, str] | None:
        async with self._pool.acquire() as conn:
            row = await conn.fetchrow(FIND_POST, key)
        return (row["channel"], row["ts"]) if row else None

    async def _find(self, key: str, channel: str, thread: str | None) -> str | None:
        """The ts of our message with this key, where an earlier attempt got as far as sending it."""
        cursor: str | None = None
        while True:
            page = await self._page(channel, thread, cursor)
            for message in page["messages"]:
                if _key_of(message) == key:
                    return str(message["ts"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None

    async def _page(
        self, channel: str, thread: str | None, cursor: str | None, oldest: str | None = None
    ) -> Mapping[str, Any]:
        if thread:
            answer = await self._client.conversations_replies(
                channel=channel, ts=thread, cursor=cursor, limit=200, include_all_metadata=True
            )
        else:
            answer = await self._client.conversations_history(
                channel=channel, oldest=oldest, cursor=cursor, limit=200, include_all_metadata=True
            )
        return _said(answer)

    async def update(self, channel: str, ts: str, message: tuple[str, Sequence[Block]]) -> None:
        """The message says something else from now on; a message that somebody deleted stays deleted."""
        text, blocks = message
        try:
            await self._client.chat_update(channel=channel, ts=ts, text=text, blocks=list(blocks))
        except SlackApiError as error:
            if refusal(error) != "message_not_found":
                raise

    async def tell(self, channel: str, user: str, text: str, thread: str | None = None) -> None:
        """A sentence for one person, where only they see it. Nothing that must not be lost is said this way."""
        await self._client.chat_postEphemeral(channel=channel, user=user, text=text, thread_ts=thread)

    async def direct_channel(self, user: str) -> str:
        opened = _said(await self._client.conversations_open(users=[user]))
        return str(opened["channel"]["id"])

    async def leave(self, channel: str) -> bool:
        """The bot is not in the channel any more; False where it was not. SlackApiError where Slack does not let it."""
        try:
            said = _said(await self._client.conversations_leave(channel=channel))
        except SlackApiError as error:
            if refusal(error) in {"channel_not_found", "not_in_channel"}:
                return False
            raise
        return not said.get("not_in_channel")

    # --- files ------------------------------------------------------------------------------------------------------

    async def upload(self, search: str, pictures: Mapping[str, bytes]) -> dict[str, str]:
        """Each picture, by its label, is a file of ours that blocks can show, uploaded once: label -> file id.

        They go into no channel of themselves: the message that shows them is the one thing that is posted. A crash in
        between leaves files that nobody sees. They go in the order of their labels, which were drawn by chance: ids and
        times of files follow the order of uploads, and would say whom the software ranked highest (M17).
        """
        known = await self.uploads(search)
        missing = {label: pictures[label] for label in sorted(pictures) if label not in known}
        if not missing:
            return known
        sent = dict(zip(missing, await asyncio.gather(*map(self._send, missing, missing.values())), strict=True))
        await self._client.files_completeUploadExternal(
            files=[{"id": file, "title": f"{label.lower()}.jpg"} for label, file in sent.items()]
        )
        await self._ready(list(sent.values()))
        async with self._pool.acquire() as conn, conn.transaction():
            await conn.executemany(KEEP_UPLOAD, [(search, label, file) for label, file in sent.items()])
            for label, data in missing.items():
                await keep_given_out(conn, search, label, data)
        return await self.uploads(search)

    async def hand(self, channel: str, name: str, data: bytes, text: str, *, again: bool) -> str:
        """A file with that name stands in the channel, once, with a sentence of ours: its id.

        A file has no key of ours to be found by; its name, which says whose it is, is looked for instead.
        """
        if again and (found := await self._handed(channel, name)):
            return found
        file = await self._send_as(name, data)
        await self._client.files_completeUploadExternal(
            files=[{"id": file, "title": name}], channel_id=channel, initial_comment=text
        )
        return file

    async def _handed(self, channel: str, name: str) -> str | None:
        """The id of the file with that name, where it stands there and was not taken away."""
        posted = await self.history(channel, "0")
        files = (file for message in posted for file in message.get("files") or ())
        return next((str(f["id"]) for f in files if f.get("name") == name and f.get("mode") not in GONE), None)

    async def _send(self, label: str, data: bytes) -> str:
        return await self._send_as(f"{label.lower()}.jpg", data)

    async def _send_as(self, name: str, data: bytes) -> str:
        async with self._sending:
            asked = _said(await self._client.files_getUploadURLExternal(filename=name, length=len(data)))
            async with self._session.post(str(asked["upload_url"]), data=data) as response:
                response.raise_for_status()
            return str(asked["file_id"])

    async def _ready(self, files: list[str]) -> None:
        """A slack_file block fails until Slack has processed the file (python-slack-sdk#1521)."""
        for wait in READY_AFTER:
            await asyncio.sleep(wait)
            infos = [_said(await self._client.files_info(file=file)) for file in files]
            files = [file for file, info in zip(files, infos, strict=True) if not info["file"].get("mimetype")]
            if not files:
                return
        raise TimeoutError(NOT_READY)

    async def delete_file(self, file: str) -> bool:
        """The file is gone from Slack; False where it is somebody else's, which Slack lets nobody but them delete."""
        try:
            await self._client.files_delete(file=file)
        except SlackApiError as error:
            if refusal(error) == "cant_delete_file":
                return False
            if refusal(error) not in {"file_not_found", "file_deleted"}:
                raise
        return True

    async def uploads(self, search: str) -> dict[str, str]:
        """Label -> file id of everything uploaded for this search."""
        async with self._pool.acquire() as conn:
            rows = await conn.fetch(UPLOADS, search)
        return {row["label"]: row["file"] for row in rows}

    async def file_facts(self, file: str) -> Mapping[str, Any]:
        info = _said(await self._client.files_info(file=file))
        return info["file"]

    async def stands(self, file: str) -> bool:
        """Whether the file is still in Slack."""
        try:
            await self.file_facts(file)
        except SlackApiError as error:
            if refusal(error) in {"file_not_found", "file_deleted"}:
                return False
            raise
        return True

    async def fetch(self, file: str) -> bytes:
        """The bytes as Slack holds them. PhotoGoneError where they are gone or too many."""
        try:
            facts = await self.file_facts(file)
        except SlackApiError as error:
            if refusal(error) in {"file_not_found", "file_deleted"}:
                raise PhotoGoneError("The photograph is no longer in Slack. Post it again to ask again.") from error
            raise
        url = facts.get("url_private_download") or facts.get("url_private")
        if not url or int(facts.get("size") or 0) > MAX_PHOTO:
            raise PhotoGoneError("The photograph is larger than 20 MB. Post a smaller copy to ask again.")
        headers = {"Authorization": f"Bearer {self._client.token}"}
        async with self._session.get(str(url), headers=headers) as response:
            response.raise_for_status()
            untrusted = await response.content.read(MAX_PHOTO + 1)
            while len(untrusted) <= MAX_PHOTO and (more := await response.content.read(MAX_PHOTO + 1)):
                untrusted += more
        if len(untrusted) > MAX_PHOTO:
            raise PhotoGoneError("The photograph is larger than 20 MB. Post a smaller copy to ask again.")
        return untrusted

    # --- views and people -------------------------------------------------------------------------------------------

    async def open_view(self, trigger: str, view: View) -> None:
        await self._client.views_open(trigger_id=trigger, view=view)

    async def publish(self, user: str, view: View) -> None:
        """The person's Home tab shows `view`."""
        await self._client.views_publish(user_id=user, view=view)

    async def update_view(self, view_id: str, view: View, view_hash: str | None = None) -> None:
        """The modal shows `view`; a modal that changed meanwhile is left as the person has it."""
        try:
            await self._client.views_update(view_id=view_id, view=view, hash=view_hash)
        except SlackApiError as error:
            if refusal(error) not in {"hash_conflict", "not_found"}:
                raise

    async def members(self, channel: str) -> frozenset[str]:
        """The accounts that are in the channel now."""
        found: set[str] = set()
        cursor: str | None = None
        while True:
            page = _said(await self._client.conversations_members(channel=channel, cursor=cursor, limit=200))
            found.update(page["members"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return frozenset(found)

    async def user(self, account: str) -> Mapping[str, Any] | None:
        """What Slack says of an account; None where it knows none, or none that we may see."""
        try:
            said = _said(await self._client.users_info(user=account))
        except SlackApiError as error:
            if refusal(error) in {"user_not_found", "user_not_visible"}:
                return None
            raise
        return said["user"]

    async def channels(self) -> frozenset[str]:
        """The public and private channels that the bot is in now."""
        found: set[str] = set()
        cursor: str | None = None
        while True:
            page = _said(
                await self._client.users_conversations(
                    types="public_channel,private_channel", exclude_archived=True, limit=200, cursor=cursor
                )
            )
            found.update(channel["id"] for channel in page["channels"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return frozenset(found)

    async def history(self, channel: str, oldest: str) -> list[dict[str, Any]]:
        """Messages posted in the channel since `oldest`, newest first."""
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = await self._page(channel, None, cursor, oldest)
            found += page["messages"]
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return found


async def keep_upload(conn: Conn, search: str, label: str, file: str) -> None:
    """The file stands in Slack, under that label, until it is taken away."""
    await conn.execute(KEEP_UPLOAD, search, label, file)


KEEP_GIVEN_OUT = "INSERT INTO casework.given_out (sha256, search, label) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"


async def keep_given_out(conn: Conn, search: str, label: str, data: bytes) -> None:
    """These bytes are known again, should somebody post them (bot/forwarding.py)."""
    await conn.execute(KEEP_GIVEN_OUT, hashlib.sha256(data).hexdigest(), search, label)


async def forget_upload(conn: Conn, search: str, label: str) -> None:
    """No block shows that picture any more."""
    await conn.execute(FORGET_UPLOAD, search, label)


def refusal(error: SlackApiError) -> str:
    """Slack's own word for why not; empty where it only failed, and answered something else than JSON."""
    said = error.response.data
    return str(said.get("error", "")) if isinstance(said, dict) else ""


def _said(answer: AsyncSlackResponse) -> Mapping[str, Any]:
    """A Web API answer as data; slack_sdk has raised already where it was not ok."""
    assert isinstance(answer.data, dict), "Slack answered something else than JSON"
    return answer.data


def _key_of(message: Mapping[str, Any]) -> str | None:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return None
    return (metadata.get("event_payload") or {}).get("key")
