"""Files: uploaded in two steps, processed after a moment, shared into channels, fetched with a bearer token.

Source: docs.slack.dev/messaging/working-with-files.
"""

import asyncio
import secrets
from collections.abc import Coroutine
from typing import Any

from .clock import Clock, Timings
from .model import File, Message, SlackError
from .pictures import dimensions, kind_of, thumbnail, without_exif
from .shapes import SQUARE, THUMBNAILS
from .state import State

SHOWABLE = ("png", "jpg", "gif")


class Files:
    """Every file of the workspace, its bytes included."""

    def __init__(self, state: State, clock: Clock, timings: Timings) -> None:
        self._state, self._clock, self._timings = state, clock, timings
        self._doors: dict[str, str] = {}
        self._running: set[asyncio.Task[None]] = set()

    # -- coming in ---------------------------------------------------------------------------------------------

    def announce(self, user: str, name: str, size: int) -> tuple[File, str]:
        """A file that is to come, and the secret of the door its bytes go through."""
        now = self._clock.now()
        file = File(self._state.next_id("F"), user, name, name, size, int(now), ready_at=now)
        self._state.keep(file)
        secret = secrets.token_urlsafe(24)
        self._doors[secret] = file.id
        return file, secret

    def receive(self, secret: str, data: bytes) -> File:
        """The bytes are here. Slack looks at them only once the upload is completed."""
        file = self._state.files[self._doors.pop(secret)]
        file.uploaded, file.size = True, len(data)
        self._state.shelf.save_bytes(file.id, data)
        self._state.keep(file)
        return file

    def complete(self, file: File, title: str, *, at_once: bool = False) -> None:
        """The upload is done; its kind and thumbnails are known after Slack's processing."""
        file.title = title or file.name
        file.ready_at = self._clock.now() + (0.0 if at_once else self._timings.file_processing)
        self._state.keep(file)
        if at_once:
            self._process(file)
        else:
            self.later(self._process_later(file))

    async def _process_later(self, file: File) -> None:
        await self._clock.sleep(file.ready_at - self._clock.now())
        self._process(file)

    def _process(self, file: File) -> None:
        raw = self._state.shelf.load_bytes(file.id) or b""
        data = without_exif(raw)
        file.mimetype, file.filetype = kind_of(data, file.name)
        file.width, file.height = dimensions(data) if file.mimetype.startswith("image/") else (0, 0)
        file.size = len(data)
        if data != raw:
            self._state.shelf.save_bytes(file.id, data)
        self._state.keep(file)

    def finish_interrupted(self) -> None:
        """After a restart: what was uploaded and not yet processed is processed now."""
        for file in self._state.files.values():
            if file.uploaded and not file.mimetype and file.channels:
                self._process(file)

    # -- being shared ------------------------------------------------------------------------------------------

    def share(self, file: File, message: Message) -> None:
        """The file is in this message's channel from now on, and says so in `shares`."""
        channel = self._state.channels[message.channel]
        if channel.id not in file.channels:
            file.channels.append(channel.id)
        where = "public" if channel.kind == "public" else "private"
        entry = {
            "reply_users": [],
            "reply_users_count": 0,
            "reply_count": 0,
            "ts": message.ts,
            "channel_name": channel.name or "directmessage",
            "team_id": self._state.team,
            "share_user_id": message.user,
            "source": "UNKNOWN",
        }
        entry |= {"thread_ts": message.thread_ts} if message.thread_ts else {}
        file.shares.setdefault(where, {}).setdefault(channel.id, []).append(entry)
        self._state.keep(file)

    # -- being seen --------------------------------------------------------------------------------------------

    def visible(self, user: str, key: str) -> File:
        file = self._state.files.get(key)
        if file is None or not self._state.may_see_file(user, file):
            raise SlackError("file_not_found")
        return file

    def showable(self, user: str, key: str) -> bool:
        """Whether an image block may show it for this poster now: processed, of a kind Slack shows, theirs."""
        file = self._state.files.get(key)
        return bool(file and self._state.may_see_file(user, file) and file.filetype in SHOWABLE)

    def shown(self, key: str, *, channel: str = "", user: str = "") -> None:
        """A block of an app shows it: whoever sees the block sees the picture (docs: Slack file object)."""
        file = self._state.files[key]
        if channel and channel not in file.shown_in:
            file.shown_in.append(channel)
        if user and user not in file.granted:
            file.granted.append(user)
        self._state.keep(file)

    def content(self, file: File) -> bytes:
        return self._state.shelf.load_bytes(file.id) or b""

    async def thumbnail(self, file: File, size: int) -> bytes | None:
        if size not in THUMBNAILS or not file.width:
            return None
        return await asyncio.to_thread(thumbnail, self.content(file), size, square=size in SQUARE)

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def close(self) -> None:
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
