"""What the workspace remembers, in memory and, when it was given a folder, on disk as well."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from .clock import Clock
from .configuration import Manifest, People
from .model import SLACKBOT, Channel, File, Group, Message, SlackError, User, View, stable_id

T = TypeVar("T")

CREATE = """
CREATE TABLE IF NOT EXISTS thing (kind TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, key))
"""
SAVE = "INSERT INTO thing (kind, key, body) VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body"
LOAD = "SELECT body FROM thing WHERE kind = ? ORDER BY rowid"
FORGET = "DELETE FROM thing WHERE kind = ? AND key = ?"


class Shelf:
    """Things by kind and key, written through to SQLite so that a killed workspace comes back as it was."""

    def __init__(self, folder: Path | None) -> None:
        self.files = folder / "files" if folder else None
        if self.files:
            self.files.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(folder / "workspace.sqlite" if folder else ":memory:", isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute(CREATE)
        self._bytes: dict[str, bytes] = {}

    def save(self, kind: str, key: str, body: Any) -> None:
        self._db.execute(SAVE, (kind, key, json.dumps(body)))

    def load(self, kind: str) -> Iterator[Any]:
        for (body,) in self._db.execute(LOAD, (kind,)).fetchall():
            yield json.loads(body)

    def forget(self, kind: str, key: str) -> None:
        self._db.execute(FORGET, (kind, key))

    def save_bytes(self, key: str, data: bytes) -> None:
        if self.files:
            (self.files / key).write_bytes(data)
        else:
            self._bytes[key] = data

    def load_bytes(self, key: str) -> bytes | None:
        if not self.files:
            return self._bytes.get(key)
        path = self.files / key
        return path.read_bytes() if path.exists() else None

    def close(self) -> None:
        self._db.close()


class State:
    """The workspace's people, channels, messages, files and Home tabs. `keep` after every change."""

    def __init__(self, people: People, manifest: Manifest, clock: Clock, folder: Path | None) -> None:
        self.shelf = Shelf(folder)
        self.clock = clock
        self.team_name, self.team_domain = people.team.name, people.team.domain
        self.team = stable_id("T", self.team_domain)
        self.app = stable_id("A", self.team_domain, manifest.name)
        self.app_name = manifest.name
        self.bot = stable_id("B", self.team_domain, manifest.name)
        self.bot_user = stable_id("U", self.team_domain, "app", manifest.name)
        self.users: dict[str, User] = {}
        self.groups: dict[str, Group] = {}
        self.channels: dict[str, Channel] = {}
        self.messages: dict[str, dict[str, Message]] = {}
        self.files: dict[str, File] = {}
        self.homes: dict[str, View] = {}
        self._count = 0
        self._last_ts = 0
        self._load()
        self._settle(people)

    # -- keeping -----------------------------------------------------------------------------------------------

    def keep(self, thing: User | Group | Channel | Message | File | View) -> None:
        match thing:
            case Message():
                self.messages.setdefault(thing.channel, {})[thing.ts] = thing
                self.shelf.save("message", f"{thing.channel}/{thing.ts}", asdict(thing))
            case User():
                self.users[thing.id] = thing
                self.shelf.save("user", thing.id, asdict(thing))
            case Group():
                self.groups[thing.id] = thing
                self.shelf.save("group", thing.id, asdict(thing))
            case Channel():
                self.channels[thing.id] = thing
                self.shelf.save("channel", thing.id, asdict(thing))
            case File():
                self.files[thing.id] = thing
                self.shelf.save("file", thing.id, asdict(thing))
            case View():
                self.homes[thing.user] = thing
                self.shelf.save("home", thing.user, asdict(thing))

    def forget(self, message: Message) -> None:
        self.messages.get(message.channel, {}).pop(message.ts, None)
        self.shelf.forget("message", f"{message.channel}/{message.ts}")

    def _load(self) -> None:
        for kind, cls in (("user", User), ("group", Group), ("channel", Channel), ("message", Message), ("file", File)):
            for body in self.shelf.load(kind):
                self.keep(cls(**body))
        for body in self.shelf.load("home"):
            self.keep(View(**body))
        for count in self.shelf.load("count"):
            self._count = count
        stamps = [m.ts for room in self.messages.values() for m in room.values()]
        self._last_ts = max((int(ts.replace(".", "")) for ts in stamps), default=0)

    def _settle(self, people: People) -> None:
        """People, groups and channels of the file that are not yet here; what changed since then is left alone."""
        now = int(self.clock.now())
        self._newcomer(User(SLACKBOT, "slackbot", "Slackbot", updated=now))
        self._newcomer(
            User(
                self.bot_user,
                self.app_name.lower(),
                self.app_name,
                is_bot=True,
                bot_id=self.bot,
                app_id=self.app,
                updated=now,
            )
        )
        for p in people.people:
            self._newcomer(
                User(
                    self.user_id(p.name),
                    p.name,
                    p.real_name,
                    title=p.title,
                    email=p.email or f"{p.name}@{self.team_domain}.example",
                    deleted=p.deactivated,
                    is_admin=p.admin,
                    is_restricted=p.guest or p.single_channel_guest,
                    is_ultra_restricted=p.single_channel_guest,
                    team=p.team,
                    updated=now,
                )
            )
        for g in people.groups:
            key = stable_id("S", self.team_domain, g.handle)
            if key not in self.groups:
                self.keep(Group(key, g.handle, g.name, [self.user_id(m) for m in g.members], updated=now))
        for c in people.channels:
            key = stable_id("C", self.team_domain, c.name)
            if key not in self.channels:
                members = [self.user_id(m) for m in c.members] + ([self.bot_user] if c.bot else [])
                first = members[0] if members else ""
                self.keep(
                    Channel(
                        key,
                        c.name,
                        c.kind,
                        members,
                        creator=first,
                        created=now,
                        purpose=c.purpose,
                        ext_shared=c.slack_connect,
                    )
                )

    def _newcomer(self, user: User) -> None:
        if user.id not in self.users:
            self.keep(user)

    # -- naming ------------------------------------------------------------------------------------------------

    def user_id(self, name: str) -> str:
        return stable_id("U", self.team_domain, name)

    def next_ts(self) -> str:
        """A message's time and its name in one: never the same twice, always growing."""
        self._last_ts = max(self._last_ts + 1, int(self.clock.now() * 1_000_000))
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def next_id(self, prefix: str) -> str:
        self._count += 1
        self.shelf.save("count", "count", self._count)
        return stable_id(prefix, self.team_domain, prefix, self._count)

    # -- finding -----------------------------------------------------------------------------------------------

    def person(self, name: str) -> User | None:
        """By id, by account name, or by first name when only one has it."""
        if name in self.users:
            return self.users[name]
        people = [u for u in self.users.values() if not u.is_bot and u.id != SLACKBOT]
        exact = [u for u in people if u.name == name]
        first = [u for u in people if u.name.split(".")[0] == name]
        found = exact or first
        return found[0] if len(found) == 1 else None

    def channel(self, key: str) -> Channel:
        if key in self.channels:
            return self.channels[key]
        raise SlackError("channel_not_found")

    def channel_named(self, name: str) -> Channel | None:
        plain = name.removeprefix("#")
        return next((c for c in self.channels.values() if c.id == name or c.name == plain), None)

    def visible(self, user: str, key: str) -> Channel:
        """The channel, when this person may know of it: a private one exists for its members only."""
        channel = self.channel(key)
        if channel.kind != "public" and user not in channel.members:
            raise SlackError("channel_not_found")
        return channel

    def joined(self, user: str, key: str) -> Channel:
        channel = self.visible(user, key)
        if user not in channel.members:
            raise SlackError("not_in_channel")
        return channel

    def message(self, channel: str, ts: str) -> Message | None:
        return self.messages.get(channel, {}).get(ts)

    def replies(self, root: Message) -> list[Message]:
        room = self.messages.get(root.channel, {}).values()
        return [m for m in room if m.thread_ts == root.ts and m.ts != root.ts and m.ephemeral_for is None]

    def direct(self, one: str, other: str) -> Channel:
        """The conversation between two people, opened the first time somebody needs it."""
        pair = sorted((one, other))
        key = stable_id("D", self.team_domain, *pair)
        if key not in self.channels:
            self.keep(Channel(key, "", "im", pair, created=int(self.clock.now())))
        return self.channels[key]

    def may_see_file(self, user: str, file: File) -> bool:
        """Its owner, the members of every channel it was shared in, and whoever a block or a form showed it to."""
        if file.deleted:
            return False
        rooms = (self.channels[c] for c in {*file.channels, *file.shown_in} if c in self.channels)
        return user == file.user or user in file.granted or any(user in c.members or c.kind == "public" for c in rooms)

    def groups_of(self, user: str) -> list[Group]:
        return [g for g in self.groups.values() if user in g.members and not g.disabled]
