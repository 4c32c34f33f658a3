"""The things a workspace holds, as its state remembers them. How Slack writes them down is in `shapes`."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal, TypeAlias

Json: TypeAlias = dict[str, Any]
ChannelKind: TypeAlias = Literal["public", "private", "im", "mpim"]

SLACKBOT = "USLACKBOT"


@dataclass(slots=True)
class User:
    """A person or a bot. `groups` are kept with the group, as Slack keeps them."""

    id: str
    name: str
    real_name: str
    title: str = ""
    email: str = ""
    is_bot: bool = False
    bot_id: str = ""
    app_id: str = ""
    deleted: bool = False
    is_admin: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    team: str = ""  # of somebody of another workspace, whom a shared channel brought here
    tz: str = "America/New_York"
    updated: int = 0


@dataclass(slots=True)
class Group:
    """A user group: what gives people their roles."""

    id: str
    handle: str
    name: str
    members: list[str] = field(default_factory=list[str])
    disabled: bool = False
    updated: int = 0


@dataclass(slots=True)
class Channel:
    """A conversation of any kind. `read` says up to which message each person has read."""

    id: str
    name: str
    kind: ChannelKind
    members: list[str]
    creator: str = ""
    created: int = 0
    topic: str = ""
    purpose: str = ""
    archived: bool = False
    ext_shared: bool = False
    read: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(slots=True)
class Message:
    """What stands in a channel. `form` holds what each person chose in its inputs and has not yet sent."""

    channel: str
    ts: str
    user: str
    text: str = ""
    blocks: list[Json] | None = None
    attachments: list[Json] | None = None
    thread_ts: str | None = None
    broadcast: bool = False
    subtype: str | None = None
    files: list[str] = field(default_factory=list[str])
    bot_id: str | None = None
    app_id: str | None = None
    metadata: Json | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    pinned_by: str | None = None
    edited: Json | None = None
    client_msg_id: str | None = None
    ephemeral_for: str | None = None
    inviter: str | None = None
    form: dict[str, Json] = field(default_factory=dict[str, Json])


@dataclass(slots=True)
class File:
    """An uploaded file. Until `ready_at` Slack has not looked at it: no mimetype, no thumbnails, no image block."""

    id: str
    user: str
    name: str
    title: str
    size: int
    created: int
    ready_at: float
    mimetype: str = ""
    filetype: str = ""
    width: int = 0
    height: int = 0
    uploaded: bool = False
    deleted: bool = False
    stub: bool = False
    channels: list[str] = field(default_factory=list[str])
    granted: list[str] = field(default_factory=list[str])
    shown_in: list[str] = field(default_factory=list[str])  # channels with a message that shows it in a block
    shares: Json = field(default_factory=dict[str, Any])


@dataclass(slots=True)
class View:
    """A modal or a Home tab, open for one person."""

    id: str
    user: str
    type: Literal["modal", "home"]
    body: Json
    hash: str
    root: str
    previous: str | None = None
    external_id: str = ""
    values: Json = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Token:
    """Who calls, and what the installation allowed them."""

    value: str
    kind: Literal["bot", "app"]
    user: str
    scopes: frozenset[str]


class SlackError(Exception):
    """Slack answers `ok: false` with this code and says nothing else, except what stands in `extra`."""

    def __init__(self, code: str, *messages: str, **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        self.extra: Json = dict(extra)
        if messages:
            self.extra["response_metadata"] = {"messages": list(messages)}

    def answer(self) -> Json:
        return {"ok": False, "error": self.code, **self.extra}


def stable_id(prefix: str, *words: object) -> str:
    """The same words give the same id on every machine and after every restart: eleven characters, as Slack's are."""
    number = int.from_bytes(sha256("\0".join(str(w) for w in words).encode()).digest()[:8])
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    digits: list[str] = []
    for _ in range(10):
        number, digit = divmod(number, 36)
        digits.append(letters[digit])
    return (prefix + "0" + "".join(digits))[:11] if len(prefix) == 1 else prefix + "".join(digits)[:9]
