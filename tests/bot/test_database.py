"""The database as the bot knows it: away in one way only, and never waited for without end."""

import asyncio

import asyncpg
import pytest

from bot import database as bot_database
from bot.database import DatabaseAwayError


async def test_json_comes_back_as_it_went(pool):
    value = {"list": [1, 0.5, None, True], "text": 'ünï " \\ \n', "deep": {"er": []}}
    async with pool.acquire() as conn:
        assert await conn.fetchval("SELECT $1::jsonb", value) == value
        with pytest.raises(asyncpg.DataError):
            await conn.fetchval("SELECT $1::jsonb", float("nan"))


async def test_nobody_there_is_away():
    with pytest.raises(DatabaseAwayError, match="does not answer"):
        await bot_database.connect("postgresql://nobody@127.0.0.1:1/none", name="test")


async def test_a_wrong_password_says_what_to_do(postgres, database):
    url = postgres.url(database.name, "test_bot", "wrong-password")
    with pytest.raises(DatabaseAwayError, match="leadgate db login"):
        await connect(url)


async def connect(url):
    return await bot_database.connect(url, name="test")


async def test_a_server_that_says_nothing_is_away(monkeypatch):
    """Without limits asyncpg waits for a silent server for ever."""
    monkeypatch.setattr(bot_database, "CONNECT_TIMEOUT", 0.3)
    silent = await asyncio.start_server(lambda *_: asyncio.sleep(3600), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    with pytest.raises(DatabaseAwayError):
        await connect(f"postgresql://nobody@127.0.0.1:{port}/none")
    silent.close()


KILL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'test' AND datname = $1"


async def test_a_connection_cut_in_a_transaction_is_away_and_the_next_is_not(pool, database, superuser):
    async def work():
        async with pool.acquire() as conn, conn.transaction():
            await conn.execute("SELECT ledger.append('people', 'Enrolled', now(), 'dana', '{}')")
            await superuser.execute(KILL, database.name)
            await conn.execute("SELECT pg_sleep(5)")  # the server cuts in its own time

    with pytest.raises(DatabaseAwayError):
        await work()
    async with pool.acquire() as conn:
        assert await conn.fetchval("SELECT count(*) FROM ledger.entry") == 0


async def test_idle_connections_that_were_cut_are_replaced(pool, database, superuser):
    """Whoever meets one that does not know yet that it was cut is told; then there are new ones."""

    async def met_a_dead_one():
        try:
            async with pool.acquire() as conn:
                return await conn.fetchval("SELECT 1") != 1
        except DatabaseAwayError:
            return True

    for _ in range(3):
        await superuser.execute(KILL, database.name)
        async with asyncio.timeout(10):
            while await met_a_dead_one():
                await asyncio.sleep(0.01)


async def test_a_statement_that_takes_too_long_is_ended_by_the_server(pool):
    async def dawdle():
        async with pool.acquire() as conn:
            await conn.execute("SET statement_timeout = '100ms'")
            await conn.execute("SELECT pg_sleep(60)")

    with pytest.raises(DatabaseAwayError, match="QueryCanceledError"):
        await dawdle()
    async with pool.acquire() as conn:
        assert await conn.fetchval("SHOW statement_timeout") == "10s"
        assert await conn.fetchval("SHOW idle_in_transaction_session_timeout") == "1min"


async def test_mistakes_of_ours_stay_what_they_are(pool):
    async def mistaken(error, sql, *arguments):
        with pytest.raises(error):
            async with pool.acquire() as conn:
                await conn.execute(sql, *arguments)

    await mistaken(asyncpg.PostgresSyntaxError, "SELEKT")
    await mistaken(asyncpg.InterfaceError, "SELECT $1::int", 1, 2)
    await mistaken(asyncpg.UndefinedTableError, "SELECT a FROM nowhere")
    await mistaken(asyncpg.InsufficientPrivilegeError, "DELETE FROM ledger.entry")


async def test_a_listener_hears_and_comes_back_when_it_is_cut_off(database, pool, superuser):
    heard = asyncio.Event()
    listener = asyncio.create_task(listen(database.url("bot"), heard.set))
    for _ in range(2):
        await asyncio.wait_for(heard.wait(), 10)  # connected
        heard.clear()
        async with pool.acquire() as conn:
            await conn.execute("SELECT pg_notify('leadgate_job', '')")
        await asyncio.wait_for(heard.wait(), 10)
        heard.clear()
        await superuser.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = $1",
            database.name,
        )
    listener.cancel()


async def listen(url, heard):
    await bot_database.listen(url, "leadgate_job", heard)
