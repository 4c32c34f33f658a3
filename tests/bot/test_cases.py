"""The case system is asked, and nobody's work stops where it is away."""

import asyncio

import aiohttp
import pytest
from aiohttp import web

from bot.cases import Cases, Found

ANSWERS = {
    "open": (200, b'{"exists": true, "open": true, "title": "ignored"}', Found.OPEN),
    "closed": (200, b'{"exists": true, "open": false}', Found.CLOSED),
    "unknown": (200, b'{"exists": false}', Found.UNKNOWN),
    "not found": (404, b"nothing", Found.UNKNOWN),
    "broken": (500, b"<html>", Found.OFFLINE),
    "words": (200, b'"yes"', Found.OFFLINE),
    "half": (200, b'{"exists": "perhaps"}', Found.OFFLINE),
    "moved": (302, b"", Found.OFFLINE),
}


@pytest.fixture
async def case_system():
    """Answers each case number as the table says; remembers what it was asked and with which secret."""
    asked = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((request.match_info["number"], request.headers["Authorization"]))
        if request.match_info["number"] == "slow":
            await asyncio.sleep(5)
        status, body, _ = ANSWERS[request.match_info["number"]]
        return web.Response(status=status, body=body)

    app = web.Application()
    app.router.add_get("/cases/{number}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/cases", asked
    await runner.cleanup()


@pytest.mark.parametrize("number", ANSWERS)
async def test_each_answer_is_read_for_what_it_says(number, case_system):
    url, asked = case_system
    async with aiohttp.ClientSession() as session:
        assert await Cases(session, url, "key").find(number) is ANSWERS[number][2]
    assert asked == [(number, "Bearer key")]


async def test_a_case_system_that_is_away_or_slow_is_offline_and_stops_nobody(case_system):
    url, _ = case_system
    async with aiohttp.ClientSession() as session:
        assert await Cases(session, "http://127.0.0.1:1", "key").find("open") is Found.OFFLINE
        assert await Cases(session, url, "key").find("slow") is Found.OFFLINE
        assert await Cases(session, "", "").find("open") is Found.NOT_ASKED
