"""A real Postgres for the whole run, and for each test a database of its own, copied from a migrated template."""

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

import migrations
from bot import database as bot_database
from deploy.demo.postgres import EmbeddedPostgres

ROLES = ("bot", "matcher", "auditor", "sealer")
SHARED_MEMORY = Path("/dev/shm")


@pytest.fixture(scope="session", autouse=True)
def only_loopback(request):
    """No test reaches anything but this machine."""
    from pytest_socket import disable_socket, socket_allow_hosts

    disable_socket(allow_unix_socket=True)
    socket_allow_hosts(["127.0.0.1", "::1"], allow_unix_socket=True)


@dataclass(frozen=True, slots=True)
class Database:
    """One migrated database, with a login for each role."""

    server: EmbeddedPostgres
    name: str
    password: str

    def url(self, role: str = "bot") -> str:
        """The address for `role`; `postgres` is the superuser."""
        if role == "postgres":
            return self.server.url(self.name)
        return self.server.url(self.name, f"test_{role}", self.password)


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A server in memory, forgetful: each run starts anew."""
    parent = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None
    root = Path(tempfile.mkdtemp(prefix="leadgate-tests-", dir=parent))
    server = EmbeddedPostgres(root, durable=False).start()
    try:
        yield server
    finally:
        server.stop("immediate")
        shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="session")
async def template(postgres) -> Database:
    """Migrated once, copied for every test."""
    made = Database(postgres, "template_leadgate", secrets.token_urlsafe(16))
    await _execute(postgres.url(), f"CREATE DATABASE {made.name}")
    await migrations.upgrade(made.url("postgres"))
    for role in ROLES:
        await _execute(
            postgres.url(), f"CREATE ROLE test_{role} LOGIN PASSWORD '{made.password}' IN ROLE leadgate_{role}"
        )
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


async def _execute(url: str, sql: str) -> None:
    conn = await asyncpg.connect(url)
    try:
        await conn.execute(sql)
    finally:
        await asyncio.wait_for(conn.close(), 5)
