"""A workspace for each test, with the real client, the real Bolt app and the people who act in it."""

import io
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest
from PIL import Image
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace.configuration import People, WorkspaceConfig, read_manifest, read_people
from deploy.workspace.person import Director, Person
from deploy.workspace.server import running
from deploy.workspace.workspace import Workspace


@pytest.fixture(scope="session")
def people() -> People:
    """The people of the demonstration, and two who are only half here: one guest, one who has left."""
    given = read_people().model_dump()
    given["people"] += [
        {"name": "gus.guest", "real_name": "Gus Guest", "single_channel_guest": True},
        {"name": "lee.left", "real_name": "Lee Left", "deactivated": True},
    ]
    given["channels"] += [{"name": "closed-room", "members": ["ada.bell"], "bot": False}]
    given["channels"] += [{"name": "partners", "kind": "public", "members": ["dana.ruiz"], "slack_connect": True}]
    return People.model_validate(given)


@pytest.fixture
async def ws(people: People) -> AsyncIterator[Workspace]:
    async with running(WorkspaceConfig(read_manifest(), people, control=True)) as workspace:
        workspace.timings.file_processing = 0.05
        yield workspace


@pytest.fixture
async def client(ws: Workspace) -> AsyncIterator[AsyncWebClient]:
    """Slack's own SDK, with the bot's token."""
    async with aiohttp.ClientSession() as http:
        yield AsyncWebClient(token=ws.credentials.bot_token, base_url=f"{ws.base}/api/", session=http)


@pytest.fixture
def director(ws: Workspace) -> Director:
    return Director(ws.base)


class Cast:
    """The people, each entered the first time they are asked for: `await cast("dana")`."""

    def __init__(self, base: str, stack: AsyncExitStack) -> None:
        self._base, self._stack = base, stack
        self._here: dict[str, Person] = {}

    async def __call__(self, name: str) -> Person:
        if name not in self._here:
            self._here[name] = await self._stack.enter_async_context(Person(self._base, name))
        return self._here[name]


@pytest.fixture
async def cast(ws: Workspace) -> AsyncIterator[Cast]:
    async with AsyncExitStack() as stack:
        yield Cast(ws.base, stack)


def room(ws: Workspace, name: str) -> str:
    found = ws.state.channel_named(name)
    assert found
    return found.id


def picture(kind: str = "JPEG", size: tuple[int, int] = (600, 400), **save: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "#8aa0b8").save(out, kind, **save)
    return out.getvalue()
