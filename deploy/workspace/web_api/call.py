"""One call of a Web API method: its arguments, whatever form they came in, and who calls."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from aiohttp import web

from deploy.workspace.model import Channel, ChannelKind, Json, SlackError, Token
from deploy.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Call:
    """Arguments by name. slack_sdk sends the same call as a query, a form or JSON, so each value may be a string."""

    method: str
    arguments: Json
    token: Token

    @property
    def user(self) -> str:
        return self.token.user

    def text(self, name: str, default: str = "") -> str:
        value = self.arguments.get(name)
        return default if value is None else str(value)

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self.arguments.get(name)
        return default if value is None else str(value).lower() in {"1", "true", "yes"}

    def number(self, name: str, default: int) -> int:
        value = self.arguments.get(name)
        try:
            return default if value in (None, "") else int(str(value))
        except ValueError:
            raise SlackError("invalid_arguments", f"[ERROR] must be an integer [json-pointer:/{name}]") from None

    def json(self, name: str, refusal: str = "invalid_arguments") -> Any:
        value = self.arguments.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise SlackError(refusal) from None

    def names(self, name: str) -> list[str]:
        """A comma-separated list, or a JSON array."""
        value = self.arguments.get(name)
        parts = value if isinstance(value, list) else str(value or "").split(",")
        return [str(p).strip() for p in parts if str(p).strip()]

    def page(self, items: list[Any], default: int = 100, most: int = 1000) -> tuple[list[Any], str]:
        """The asked-for page of `items` and the cursor of the next."""
        cursor = self.text("cursor")
        try:
            start = int(bytes.fromhex(cursor)) if cursor else 0
        except ValueError:
            raise SlackError("invalid_cursor") from None
        limit = self.number("limit", default)
        if not 1 <= limit <= most:
            raise SlackError("invalid_limit")
        rest = start + limit
        return items[start:rest], str(rest).encode().hex() if rest < len(items) else ""

    def need(self, *scopes: str) -> None:
        """Any one of `scopes` will do; without one, Slack names what is needed and what is there."""
        if scopes and not self.token.scopes.intersection(scopes):
            raise SlackError("missing_scope", needed=",".join(scopes), provided=",".join(sorted(self.token.scopes)))

    def need_for(self, channel: Channel, right: str) -> None:
        """The scope for this kind of conversation: channels:, groups:, im: or mpim:."""
        self.need(f"{PREFIX[channel.kind]}:{right}")


TYPES: dict[str, ChannelKind] = {
    "public_channel": "public",
    "private_channel": "private",
    "im": "im",
    "mpim": "mpim",
}
PREFIX: dict[ChannelKind, str] = {"public": "channels", "private": "groups", "im": "im", "mpim": "mpim"}


def kinds_wanted(call: Call) -> set[ChannelKind]:
    """The kinds of conversations that were asked for, each with its own scope; public channels where none was named."""
    named = call.names("types") or ["public_channel"]
    if not set(named) <= TYPES.keys():
        raise SlackError("invalid_types")
    kinds: set[ChannelKind] = {TYPES[name] for name in named}
    for kind in kinds:
        call.need(f"{PREFIX[kind]}:read")
    return kinds


Handler: TypeAlias = Callable[[Workspace, Call], Awaitable[Json]]


@dataclass(frozen=True, slots=True)
class Method:
    """A method as Slack's reference describes it: its scopes (any one), its tier, its required arguments."""

    name: str
    handler: Handler
    scopes: tuple[str, ...] = ()
    tier: int = 3
    required: tuple[str, ...] = ()
    caller: str = "bot"


async def read_arguments(request: web.Request) -> Json:
    """Query, form and JSON body in one; the body wins."""
    arguments: Json = dict(request.query)
    if request.content_type == "application/json":
        try:
            body: Any = await request.json()
        except ValueError:
            raise SlackError("invalid_json") from None
        if not isinstance(body, dict):
            raise SlackError("json_not_object")
        return arguments | body
    if request.content_type in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        return arguments | dict(await request.post())
    return arguments
