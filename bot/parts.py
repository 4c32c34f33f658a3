"""What the bot's processes are made of, connected and checked; the only clock of the bot is read here."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import database
from bot.acts import Rooms
from bot.casework import Casework, hold_to, register
from bot.database import Pool
from bot.desk import Desk
from bot.matching import Matcher
from bot.packs import load_pack
from bot.people import People
from bot.preparing import Preparing
from bot.settings import Settings, SettingsError
from bot.viewer import Viewer
from bot.viewer_opening import Opening
from bot.viewer_seats import Seats
from policy.pack import parse


def clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Parts:
    """What both processes are made of."""

    settings: Settings
    pool: Pool
    casework: Casework
    desk: Desk
    people: People
    rooms: Rooms
    client: AsyncWebClient
    session: aiohttp.ClientSession
    identity: Mapping[str, Any]  # auth.test's answer


@asynccontextmanager
async def parts(settings: Settings, name: str) -> AsyncGenerator[Parts, None]:
    """Everything is connected and checked; SettingsError says in one line what cannot work."""
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(
            token=settings.slack_bot_token.get_secret_value(), base_url=settings.slack_api_url, session=session
        )
        client.retry_handlers.clear()  # only jobs are tried again, and they look before they repeat themselves
        identity = await _identity(client)
        pool = await database.connect(settings.database_url.get_secret_value(), name=name)
        try:
            rooms = Rooms(settings.intake_channel, settings.review_channel, settings.oversight_channel)
            desk = Desk(client, session, pool)
            people = People(pool, desk, identity["team_id"])
            casework = await _casework(pool, settings)
            yield Parts(settings, pool, casework, desk, people, rooms, client, session, identity)
        finally:
            await pool.close()


async def _identity(client: AsyncWebClient) -> Mapping[str, Any]:
    try:
        answer = await client.auth_test()
    except SlackApiError as error:
        raise SettingsError(f"LEADGATE_SLACK_BOT_TOKEN: Slack says {error.response['error']}") from None
    assert isinstance(answer.data, dict)
    return answer.data


async def _casework(pool: Pool, settings: Settings) -> Casework:
    pack, text = load_pack(settings.pack, settings.pack_folder, settings.pack_key)
    async with pool.acquire() as conn, conn.transaction():
        packs = {name: parse(text, name) for name, text in await register(conn, pack, text)}
        for known in packs.values():
            await hold_to(conn, known)
    return Casework(pool, packs, pack, clock, settings.key_encryption_key)


def viewer_of(p: Parts) -> Viewer:
    """The viewer, whose links say the address under which examiners' browsers reach it."""
    seats = Seats(p.pool, p.casework, p.people, p.rooms, p.settings.viewer_address, clock)
    opening = Opening(p.pool, p.casework, p.desk, seats)
    return Viewer(p.pool, p.casework, matcher_of(p), p.settings.key_encryption_key, preparing_of(p), seats, opening)


def preparing_of(p: Parts) -> Preparing:
    return Preparing(p.casework, p.pool, p.desk, matcher_of(p), p.settings.key_encryption_key, p.rooms)


def matcher_of(p: Parts) -> Matcher:
    return Matcher(p.session, p.settings.matcher_url, p.settings.matcher_secret.get_secret_value())
