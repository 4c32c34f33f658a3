"""The whole system, running: real Postgres, real Slack protocol, real model, separate processes."""

import os
import shutil
import tempfile
from pathlib import Path

import asyncpg
import pytest
from aiohttp import web
from slack_sdk.errors import SlackApiError

from bot import ledger
from deploy.demo import play, system
from deploy.workspace.person import Director, Person

SHARED_MEMORY = Path("/dev/shm")
LEASE = 2.0  # seconds: what a killed worker held is taken up again after this


class Town:
    """The running system, its people, and what only an operator sees."""

    def __init__(self, running: system.System, cases: dict[str, tuple[int, bytes]] | None = None) -> None:
        self.system = running
        self.cases = (
            cases if cases is not None else {}
        )  # what the department's case system says of a number; of every other one, that it is open
        self.director = Director(running.page)

    def person(self, name: str) -> Person:
        return Person(self.system.page, name)

    def room(self, name: str) -> str:
        return self.system.channels[f"face-{name}"]

    async def sql(self, query: str, *args):
        """Asked of the database as its superuser."""
        conn = await asyncpg.connect(self.system.database_url("postgres"))
        try:
            return await conn.fetch(query, *args)
        finally:
            await conn.close()

    async def entries(self, search: str) -> list[ledger.Entry]:
        conn = await asyncpg.connect(self.system.database_url("postgres"))
        try:
            return await ledger.read(conn, f"search:{search}")
        finally:
            await conn.close()

    async def kinds(self, search: str) -> list[str]:
        return [entry.kind for entry in await self.entries(search)]

    async def stands(self, file: str) -> bool:
        """Whether the file is still in the workspace."""
        slack = self.system.slack()
        try:
            await slack.files_info(file=file)
        except SlackApiError as error:
            if error.response["error"] not in {"file_deleted", "file_not_found"}:
                raise
            return False
        finally:
            await slack.session.close() if slack.session else None
        return True

    async def settled(self, search: str) -> None:
        """No job of this search waits or runs any more, but for what is due on another day."""
        async with self.person("dana.ruiz") as dana:
            await dana.wait_for(lambda: self._idle(search), 60)

    async def settled_but_for(self, search: str, kind: str) -> None:
        """The same, except for a job of that kind, which waits for its time."""
        async with self.person("dana.ruiz") as dana:
            await dana.wait_for(lambda: self._idle(search, kind), 60)

    async def _idle(self, search: str, but_for: str = "") -> bool:
        rows = await self.sql(
            "SELECT 1 FROM casework.job WHERE payload->>'search' = $1 AND kind <> $2 AND state IN ('ready', 'running') "
            "AND run_at < now() + interval '1 hour'",
            search,
            but_for,
        )
        return not rows


@pytest.fixture(scope="session")
async def case_system():
    """The department's case system: (its address, what it says of which number)."""
    said: dict[str, tuple[int, bytes]] = {}

    async def answer(request: web.Request) -> web.Response:
        status, body = said.get(request.match_info["number"], (200, b'{"exists": true, "open": true}'))
        return web.Response(status=status, body=body)

    app = web.Application()
    app.router.add_get("/cases/{number}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/cases", said
    await runner.cleanup()


@pytest.fixture(scope="session")
async def town(case_system):
    """One system for all journeys: each has its own photographs, so they do not meet."""
    parent = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None
    root = Path(tempfile.mkdtemp(prefix="leadgate-journeys-", dir=parent))
    try:
        async with system.running(
            root,
            lease_seconds=LEASE,
            durable=False,
            workspace_options=("--control",),
            settings={"LEADGATE_CASE_URL": case_system[0], "LEADGATE_CASE_SECRET": "of-the-town"},
        ) as running:
            town = Town(running, case_system[1])
            await town.director("rates", scale=50)  # what is a month of searches elsewhere is an hour here
            yield town
    finally:
        shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="session")
def enrolled() -> play.Probe:
    return next(p for p in play.probes() if p.person)


@pytest.fixture(scope="session")
def stranger() -> play.Probe:
    return next(p for p in play.probes() if p.person is None)


def quiet(who: str, what: str) -> None:
    """A story nobody listens to."""
