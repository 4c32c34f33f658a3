"""The log: it explains, it never stands in anybody's way, and nothing personal is in it."""

import ast
import asyncio
import io
import json
import logging
import uuid
from pathlib import Path

import asyncpg
import pytest
import structlog

import migrations
from bot import logbook, logs
from deploy.commands.db import make_login
from deploy.demo.postgres import EmbeddedPostgres

CANARIES = ("xoxb-12345-abcdef", "xapp-1-A-secret", "Dana Detective", "2026-000123", "hunter2", "the man in the still")


@pytest.fixture
def out():
    """What goes to stdout."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def buffer(out):
    return logs.setup("test", stream=out)


def lines(out):
    return [json.loads(line) for line in out.getvalue().splitlines()]


async def until(holds):
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.05)


async def written(database):
    conn = await asyncpg.connect(database.url("auditor"))
    try:
        return [dict(row) for row in await conn.fetch("SELECT * FROM logs.record ORDER BY run, number")]
    finally:
        await conn.close()


async def test_a_line_on_stdout_is_a_row_in_the_database(database, buffer, out, tmp_path):
    log = structlog.get_logger()
    async with logbook.kept(buffer, database.url("bot"), tmp_path / "spill"):
        with structlog.contextvars.bound_contextvars(search="LG-1", job=7):
            log.info("job.done", attempt=2)
    (line,), (row,) = lines(out), await written(database)
    assert (line["event"], line["search"], line["job"], line["attempt"], line["level"]) == (
        "job.done",
        "LG-1",
        7,
        2,
        "info",
    )
    assert (row["event"], row["level"], row["service"]) == ("job.done", 20, "test")
    assert json.loads(row["context"]) == {"search": "LG-1", "job": 7, "attempt": 2}


async def test_nothing_that_should_not_be_told_is_told(database, buffer, out, tmp_path):
    log = structlog.get_logger()
    secret, app_secret, name, case, password, basis = CANARIES
    async with logbook.kept(buffer, database.url("bot"), tmp_path / "spill"):
        log.info("casework.event", error=f"token {secret} {app_secret}", name=name, case_number=case)
        log.info("casework.event", kind={"basis": basis}, rule=basis.encode(), actor=object())
        log.info("casework.event", error=f"postgresql://leadgate:{password}@db.example/leadgate")
        log.warning("said %s", name, state=[basis.encode(), {"name": name}])
        logging.getLogger("slack_sdk.web").error("Received %s", {"text": basis}, extra={"case": case})
        logging.getLogger("slack_sdk.web").error("Received " + basis + " for " + case)  # noqa: G003
        try:
            local = f"{name} {case} {password}"
            raise ValueError(local)  # noqa: TRY301
        except ValueError:
            log.exception("job.put-off")
            logging.getLogger("asyncio").exception("Task exception: %s", basis)
        conn = await asyncpg.connect(database.url("bot"))
        try:
            for _ in range(2):
                await conn.execute("INSERT INTO casework.pack VALUES ('a@1.0.0', repeat('a', 64), $1)", basis)
        except asyncpg.UniqueViolationError as error:
            log.warning("job.put-off", exc_info=error)
        await conn.close()
    rows = await written(database)
    everything = out.getvalue() + json.dumps([{**row, "at": ""} for row in rows])
    assert rows[3]["event"] == "unnamed"
    assert [canary for canary in CANARIES if canary in everything] == []
    assert len(rows) == 9
    assert json.loads(rows[0]["context"]) == {"error": "token <secret> <secret>", "lost": ["case_number", "name"]}
    duplicate = json.loads(rows[-1]["context"])
    assert (duplicate["exception"], duplicate["sqlstate"]) == ("UniqueViolationError", "23505")
    assert duplicate["constraint"] == "pack_pkey"
    assert json.loads(rows[4]["context"])["logger"] == "slack_sdk.web"


class Named:
    """An object whose text would give it away."""

    def __repr__(self):
        return "Dana Detective"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (Named(), "<Named>"),
        (b"\xff\xd8", "<bytes>"),
        ({"a": 1}, "<dict>"),
        ([1, [2], Named()], [1, "<list>", "<Named>"]),
        (float("nan"), "nan"),
        (0.123456, 0.123),
        (uuid.UUID(int=0), "00000000-0000-0000-0000-000000000000"),
        ("a\0b\ud800", "a?b?"),
        ("x" * 1000, "x" * 200),
        (None, None),
    ],
)
def test_a_value_is_told_short_and_plain(value, told):
    assert logs.scrubbed(value) == told


async def test_what_finds_no_place_is_counted_and_told(database, out, tmp_path):
    buffer = logs.setup("test", stream=out)
    buffer.capacity = 100
    log = structlog.get_logger()
    for _ in range(200):
        log.info("job.done")
    for _ in range(10):
        log.error("job.dead")
    assert (len(buffer), buffer.dropped) == (100, {20: 110})
    async with logbook.kept(buffer, database.url("bot"), tmp_path / "spill"):
        await asyncio.sleep(0)
    rows = await written(database)
    assert [row["event"] for row in rows] == ["job.done"] * 90 + ["job.dead"] * 10 + ["log.dropped"]
    assert json.loads(rows[-1]["context"]) == {"count": 110}
    assert [row["number"] for row in rows] == [*range(1, 91), *range(201, 212)]


@pytest.fixture(scope="module")
def restless():
    """A server of this test's own, that may be killed."""
    import shutil
    import tempfile

    root = Path(tempfile.mkdtemp(prefix="leadgate-restless-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    server = EmbeddedPostgres(root).start()  # durable: the login it was given has to survive
    yield server
    server.stop("immediate")
    shutil.rmtree(root, ignore_errors=True)


async def test_while_the_database_is_away_nothing_is_lost_and_nobody_waits(restless, buffer, tmp_path):
    await migrations.upgrade(restless.url())
    await make_login(restless.url(), "demo_bot", "bot", "correct horse battery".replace(" ", "-"))
    url = restless.url("postgres", "demo_bot", "correct-horse-battery")
    log, spill = structlog.get_logger(), tmp_path / "spill"
    async with logbook.kept(buffer, url, spill):
        log.info("job.done", count=1)
        await asyncio.sleep(0.5)
        restless.stop("immediate")
        for count in range(2, 1002):
            log.info("job.done", count=count)
        await until(spill.exists)
        assert spill.stat().st_mode & 0o777 == 0o600
        restless.start()
        log.info("job.done", count=1002)
        await until(lambda: not spill.stat().st_size)
    conn = await asyncpg.connect(restless.url())
    counts = [row[0] for row in await conn.fetch("SELECT (context ->> 'count')::int FROM logs.record ORDER BY number")]
    await conn.close()
    assert counts == list(range(1, 1003))
    assert buffer.dropped == {}


async def test_what_is_left_at_the_end_waits_in_the_spill_file_for_the_next_start(database, out, tmp_path):
    buffer, spill = logs.setup("test", stream=out), tmp_path / "spill"
    async with logbook.kept(buffer, "postgresql://nobody@127.0.0.1:1/none", spill):
        structlog.get_logger().info("job.done", count=1)
    with spill.open("a") as file:
        file.write('["torn by a crash')
    again = logs.setup("test", stream=out)
    async with logbook.kept(again, database.url("bot"), spill):
        await until(lambda: not spill.stat().st_size)
    (row,) = await written(database)
    assert json.loads(row["context"]) == {"count": 1}


async def test_a_full_spill_file_is_counted(out, tmp_path, monkeypatch):
    monkeypatch.setattr(logbook, "LARGEST_SPILL", 10)
    buffer, spill = logs.setup("test", stream=out), tmp_path / "spill"
    async with logbook.kept(buffer, "postgresql://nobody@127.0.0.1:1/none", spill):
        structlog.get_logger().error("job.dead")
    assert buffer.dropped == {40: 1}
    assert not spill.exists()


BOT = Path(logs.__file__).parent


def log_calls():
    """(file, line, event, keys) of every call of a logger in the bot."""
    for file in BOT.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(ast.Attribute(ast.Name("log"), level)) if level in logs.LEVELS:
                    yield file.name, node.lineno, node.args[0], {word.arg for word in node.keywords}


def test_what_the_bot_logs_may_be_logged():
    calls = list(log_calls())
    assert len(calls) > 10
    for file, line, event, keys in calls:
        assert isinstance(event, ast.Constant), f"{file}:{line}: an event is a fixed name"
        assert keys - {"exc_info"} <= logs.ALLOWED, f"{file}:{line}: {keys - logs.ALLOWED} would be dropped"
