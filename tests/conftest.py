"""A real Postgres for the whole run, and for each test a database of its own, copied from a migrated template."""

import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from pytest_socket import socket_allow_hosts

import migrations
from bot import database as bot_database
from deploy.commands.db import Duty, make_login
from deploy.demo.postgres import EmbeddedPostgres

LOOPBACK = ["127.0.0.1", "::1"]
SHARED_MEMORY = Path("/dev/shm")
PREFIX = "leadgate-tests-"


@pytest.hookimpl(trylast=True)
def pytest_runtest_setup(item):
    """No test reaches anything but this machine."""
    socket_allow_hosts(LOOPBACK, allow_unix_socket=True)


@dataclass(frozen=True, slots=True)
class Database:
    """One migrated database, with a login for each role."""

    server: EmbeddedPostgres
    name: str
    password: str

    def url(self, role: str = "bot") -> str:
        """The address for `role` (bot, matcher, auditor, sealer); `postgres` is the superuser."""
        if role == "postgres":
            return self.server.url(self.name)
        return self.server.url(self.name, f"test_{role}", self.password)


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A server in memory, forgetful: each run starts anew. Several runs at once have one each."""
    parent = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    _sweep(parent)
    root = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    with (root / "in-use").open("w") as mark:
        fcntl.flock(mark, fcntl.LOCK_EX)
        server = EmbeddedPostgres(root, durable=False).start()
        try:
            yield server
        finally:
            _remove(server)


def _sweep(parent: Path) -> None:
    """Runs that were killed leave their server behind; whose mark is not locked is such a one."""
    for root in parent.glob(f"{PREFIX}*"):
        with suppress(OSError), (root / "in-use").open("r") as mark:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(EmbeddedPostgres(root, durable=False))


def _remove(server: EmbeddedPostgres) -> None:
    server.stop("immediate")
    shutil.rmtree(server.home, ignore_errors=True)
    shutil.rmtree(server.root, ignore_errors=True)


@pytest.fixture(scope="session")
async def template(postgres) -> Database:
    """Migrated once, copied for every test."""
    made = Database(postgres, "template_leadgate", secrets.token_urlsafe(16))
    await postgres.create_database(made.name)
    await migrations.upgrade(made.url("postgres"))
    for role in Duty:
        await make_login(made.url("postgres"), f"test_{role}", role, made.password)
    return made


@pytest.fixture
async def database(template) -> AsyncIterator[Database]:
    """A fresh database, gone after the test."""
    made = Database(template.server, f"test_{secrets.token_hex(6)}", template.password)
    await _execute(template.server.url(), f"CREATE DATABASE {made.name} TEMPLATE {template.name} STRATEGY FILE_COPY")
    yield made
    await _execute(template.server.url(), f"DROP DATABASE {made.name} WITH (FORCE)")


@pytest.fixture
async def pool(database):
    """The bot's own pool on it."""
    made = await bot_database.connect(database.url("bot"), name="test")
    yield made
    await made.close()


@pytest.fixture
async def superuser(database):
    """A connection that may do everything: what an attacker who runs the server has."""
    conn = await asyncpg.connect(database.url("postgres"))
    yield conn
    await conn.close(timeout=5)


async def _execute(url: str, sql: str) -> None:
    conn = await asyncpg.connect(url)
    try:
        await conn.execute(sql)
    finally:
        await conn.close(timeout=5)
