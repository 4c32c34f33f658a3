"""The door on a database of its own, with the people of the story on the roster; and a workspace to be at work in."""

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot import people
from bot.casework import Casework, register
from bot.desk import Desk
from deploy.workspace.configuration import People, WorkspaceConfig, read_manifest, read_people
from deploy.workspace.person import Director
from deploy.workspace.server import running
from tests import story as s

TEAM = "T1"


@pytest.fixture
async def casework(pool):
    """The door under nypd-2020, at noon."""
    pack = s.pack()
    text = s.text_of()
    async with pool.acquire() as conn, conn.transaction():
        await register(conn, pack, text)
        for actor in s.EVERYBODY:
            if actor.roles and actor is not s.SYSTEM:
                person = people.Person(
                    actor.id, actor.id.title(), actor.roles, actor.certified_until, TEAM, f"U{actor.id}"
                )
                await people.enrol(conn, person)
    return Casework(pool, {}, pack, lambda: s.NOON, b"k" * 32)


class Office:
    """The demonstration's workspace, and the bot's hands in it."""

    def __init__(self, ws, client, session, pool):
        self.ws, self.client, self.director = ws, client, Director(ws.base)
        self.desk = Desk(client, session, pool)
        self.team = ws.state.team

    def account(self, name: str) -> str:
        return self.ws.state.user_id(name)

    def room(self, name: str) -> str:
        return self.ws.state.channel_named(name).id

    def asked(self, method: str) -> int:
        """How often the bot called it."""
        return [name for name, _ in self.ws.calls].count(method)


@pytest.fixture
async def office(pool):
    given = read_people().model_dump()
    given["channels"] += [{"name": "closed-room", "members": ["ada.bell"], "bot": False}]
    config = WorkspaceConfig(read_manifest(), People.model_validate(given), control=True)
    async with running(config) as ws, aiohttp.ClientSession() as http:
        client = AsyncWebClient(token=ws.credentials.bot_token, base_url=f"{ws.base}/api/", session=http)
        client.retry_handlers.clear()  # as in bot/parts.py
        yield Office(ws, client, http, pool)
