"""A person at the workspace, from a program: through the same doors as the page, and no others."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp

from .model import Json

T = TypeVar("T")
POLL = 0.05


class RefusedError(Exception):
    """The workspace said no. `code` is Slack's word for it."""

    def __init__(self, answer: Json) -> None:
        words = (answer.get("response_metadata") or {}).get("messages") or []
        super().__init__(": ".join([str(answer.get("error")), *words]))
        self.code = str(answer.get("error"))


class TimeIsUpError(Exception):
    """What was waited for did not happen."""


class Person:
    """`async with Person(base_url, "dana") as dana:`; by account name, or by first name where one person has it."""

    def __init__(self, base_url: str, name: str) -> None:
        self._base, self.name = base_url.rstrip("/"), name
        self._http: aiohttp.ClientSession | None = None
        self.id = ""

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession()
        try:
            answer = await self._json("POST", "/_ui/session", {"person": self.name})
        except BaseException:
            await self._http.close()
            raise
        self.id = answer["user"]["id"]
        self._http.headers["X-Session"] = answer["session"]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http:
            await self._http.close()

    # -- seeing ------------------------------------------------------------------------------------------------

    async def channels(self) -> list[Json]:
        """The channels this person is in, with unread counts."""
        return (await self._do("boot"))["channels"]

    async def messages(self, channel: str, thread_ts: str | None = None) -> list[Json]:
        """What stands in a channel, or in one thread with its root first; this person's ephemeral messages included."""
        return (await self._do("messages", channel=channel, thread_ts=thread_ts))["messages"]

    async def ephemerals(self, channel: str, thread_ts: str | None = None) -> list[Json]:
        return [m for m in await self.messages(channel, thread_ts) if m.get("is_ephemeral")]

    async def open_view(self) -> Json | None:
        """The modal on top, if one is open."""
        views = (await self._do("views"))["views"]
        return views[-1] if views else None

    async def home(self, *, announce: bool = True) -> Json | None:
        """The app's Home tab as it stood when it was opened; the app is told that it was."""
        return (await self._do("home", announce=announce))["view"]

    async def image(self, url_or_file_id: str, size: int = 0) -> bytes:
        """The bytes of a file this person may see, by its id or any of its addresses."""
        key = next(
            (p.partition("-")[2] for p in url_or_file_id.split("/") if p.startswith("T") and "-F" in p), url_or_file_id
        )
        query = f"?size={size}" if size else ""
        async with self._session.get(f"{self._base}/_ui/files/{key}{query}") as answer:
            if answer.content_type == "application/json" and not answer.ok:
                raise RefusedError(await answer.json())
            return await answer.read()

    # -- doing -------------------------------------------------------------------------------------------------

    async def post_message(self, channel: str, text: str, thread_ts: str | None = None) -> Json:
        return (await self._do("post", channel=channel, text=text, thread_ts=thread_ts))["message"]

    async def upload(self, data: bytes, filename: str) -> str:
        """A file that is not yet posted, for a message or a file input; its id."""
        form = aiohttp.FormData()
        form.add_field("file", data, filename=filename, content_type="application/octet-stream")
        async with self._session.post(f"{self._base}/_ui/upload", data=form) as answer:
            return _granted(await answer.json())["file"]["id"]

    async def post_photo(
        self, channel: str, data: bytes, filename: str, text: str = "", thread_ts: str | None = None
    ) -> Json:
        return await self.post_files(channel, [(data, filename)], text, thread_ts)

    async def post_files(
        self, channel: str, files: list[tuple[bytes, str]], text: str = "", thread_ts: str | None = None
    ) -> Json:
        keys = [await self.upload(data, name) for data, name in files]
        return (await self._do("post", channel=channel, text=text, thread_ts=thread_ts, files=keys))["message"]

    async def forward(self, file: str, channel: str, text: str = "") -> Json:
        """A file that one can see, shared into another channel."""
        return (await self._do("post", channel=channel, text=text, files=[], forwarded=[file]))["message"]

    async def forward_message(self, message: Json, channel: str, text: str = "") -> Json:
        """A message that one can see, shared into another channel."""
        shared = [{"channel": message["channel"], "ts": message["ts"]}]
        return (await self._do("post", channel=channel, text=text, files=[], shared=shared))["message"]

    async def edit_message(self, message: Json, text: str) -> Json:
        return (await self._do("edit", channel=message["channel"], ts=message["ts"], text=text))["message"]

    async def delete_message(self, message: Json) -> None:
        await self._do("delete", channel=message["channel"], ts=message["ts"])

    async def delete_file(self, file_id: str) -> None:
        await self._do("delete_file", file=file_id)

    async def react(self, message: Json, name: str) -> None:
        await self._do("react", channel=message["channel"], ts=message["ts"], name=name)

    async def click(
        self, where: Json, action_id: str, *, value: str | None = None, block_id: str | None = None
    ) -> None:
        """Press a button in a message or a view; with `value`, the one that carries it (ids repeat between blocks)."""
        block = block_id or _block_of(where, action_id, value)
        await self._do("act", **_place(where), action_id=action_id, block_id=block)

    async def select(self, where: Json, action_id: str, option_value: Any, *, block_id: str | None = None) -> None:
        """Choose in a menu, radio buttons, checkboxes, overflow, date or time picker."""
        block = block_id or _block_of(where, action_id, None)
        await self._do("act", **_place(where), action_id=action_id, block_id=block, value=option_value)

    async def suggestions(self, where: Json, action_id: str, typed: str) -> list[Json]:
        place = _place(where)
        block = _block_of(where, action_id, None)
        return (await self._do("suggest", **place, action_id=action_id, block_id=block, value=typed))["options"]

    async def shortcut(self, callback_id: str, message: Json | None = None, channel: str | None = None) -> None:
        """A message shortcut with a message, a global one without; where a global one is started Slack does not say."""
        del channel
        place = {"channel": message["channel"], "ts": message["ts"]} if message else {}
        await self._do("shortcut", callback_id=callback_id, **place)

    async def command(self, channel: str, command: str, text: str = "") -> None:
        await self._do("command", channel=channel, command=command, text=text)

    async def submit(self, values: dict[str, Any], view: Json | None = None) -> dict[str, str]:
        """Send the form on top, or `view`; keys are action or block ids, options go by their value, files by their id.

        Returns what is wrong, by block id: what Slack's own client refuses (a required field), then what the app says.
        """
        target = view or await self.open_view()
        if target is None:
            raise RefusedError({"error": "no_view_open"})
        return (await self._do("submit", view_id=target["id"], values=values))["errors"]

    async def close_view(self, *, everything: bool = False) -> None:
        await self._do("close", everything=everything)

    async def invite(self, channel: str, person: str) -> None:
        await self._do("invite", channel=channel, person=person)

    async def join(self, channel: str) -> None:
        await self._do("join", channel=channel)

    async def leave(self, channel: str) -> None:
        await self._do("leave", channel=channel)

    # -- waiting -----------------------------------------------------------------------------------------------

    async def wait_for(self, probe: Callable[[], Awaitable[T | None]], timeout: float = 15.0) -> T:  # noqa: ASYNC109 -- the callers' word
        """Ask until `probe` answers with something."""
        until = time.monotonic() + timeout
        while True:
            if found := await probe():
                return found
            if time.monotonic() > until:
                raise TimeIsUpError(f"{self.name} waited {timeout:g} s for {getattr(probe, '__qualname__', probe)}.")
            await asyncio.sleep(POLL)

    async def wait_message(
        self,
        channel: str,
        predicate: Callable[[Json], bool],
        thread_ts: str | None = None,
        timeout: float = 15.0,  # noqa: ASYNC109 -- the callers' word
    ) -> Json:
        """The first message in the channel or thread that `predicate` likes."""

        async def message() -> Json | None:
            return next((m for m in await self.messages(channel, thread_ts) if predicate(m)), None)

        try:
            return await self.wait_for(message, timeout)
        except TimeIsUpError:
            seen = [m["text"][:120] for m in await self.messages(channel, thread_ts)]
            raise TimeIsUpError(
                f"{self.name} saw no such message in {channel} within {timeout:g} s; there are: {seen}"
            ) from None

    async def wait_view(self, predicate: Callable[[Json], bool] = bool, timeout: float = 15.0) -> Json:  # noqa: ASYNC109 -- the callers' word
        """The top modal, once there is one that `predicate` likes."""

        async def view() -> Json | None:
            top = await self.open_view()
            return top if top and predicate(top) else None

        return await self.wait_for(view, timeout)

    # -- how ---------------------------------------------------------------------------------------------------

    @property
    def _session(self) -> aiohttp.ClientSession:
        assert self._http is not None, "use `async with`"
        return self._http

    async def _do(self, door: str, **body: Any) -> Json:
        return await self._json("POST", f"/_ui/{door}", body)

    async def _json(self, verb: str, path: str, body: Json) -> Json:
        async with self._session.request(verb, self._base + path, json=body) as answer:
            return _granted(await answer.json())


class Director:
    """The hand that moves time and brings misfortune: speaks to `/_control`, which is there only when asked for."""

    def __init__(self, base_url: str) -> None:
        self._base = base_url.rstrip("/")

    async def __call__(self, what: str, **body: Any) -> Json:
        """`await director("clock", advance=60)`, `await director("fault", plan=[…])`, and so on."""
        async with aiohttp.ClientSession() as http, http.post(f"{self._base}/_control/{what}", json=body) as answer:
            return _granted(await answer.json())


def _granted(answer: Json) -> Json:
    if not answer.get("ok"):
        raise RefusedError(answer)
    return answer


def _place(where: Json) -> Json:
    if where.get("type") in {"modal", "home"}:
        return {"view_id": where["id"]}
    return {"channel": where["channel"], "ts": where["ts"]}


def _block_of(where: Json, action_id: str, value: str | None) -> str:
    """The block that holds the element; RefusedError when the person sees no such thing."""
    for block in where.get("blocks") or []:
        for element in [*block.get("elements", []), block.get("accessory") or {}, block.get("element") or {}]:
            if element.get("action_id") == action_id and value in (None, element.get("value")):
                return block["block_id"]
    raise RefusedError(
        {"error": "action_not_found", "response_metadata": {"messages": [f"There is no {action_id} here."]}}
    )
