"""The real model, once for the run; the synthetic cast; the matcher itself over HTTP on a real database."""

import asyncio
import io
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from deploy import enrol_run, manifest
from deploy.enrol_run import Terms
from matcher import gallery, pack
from matcher.enrolment import Rule
from matcher.faces import Faces

CAST = Path(__file__).parents[2] / "deploy" / "demo" / "cast"
ONE_PERSON = Rule("lax@1.0.0", "1" * 64, dual_control=False)
TWO_PEOPLE = Rule("strict@1.0.0", "2" * 64, dual_control=True)
SECRET = "a secret between the bot and the matcher"


@pytest.fixture(scope="session")
def cache() -> Path:
    """Where the default pack is built, once for all runs of this machine."""
    return Path(os.environ.get("LEADGATE_MATCHER_CACHE", "~/.cache/leadgate")).expanduser()


@pytest.fixture(scope="session")
def faces(cache) -> Faces:
    return Faces(pack.default(cache))


def cast(name: str) -> list[dict]:
    """The rows of the cast's gallery or probes."""
    return [json.loads(line) for line in (CAST / f"{name}.jsonl").read_text().splitlines()]


def probe_of(person: str | None, faces: int = 1) -> Path:
    return next(CAST / row["probe"] for row in cast("probes") if row["person"] == person and row["faces"] == faces)


PEOPLE = tuple(dict.fromkeys(row["person"] for row in cast("probes") if row["person"] and row["faces"] == 1))[:6]


@pytest.fixture(scope="session")
def cast_folder(tmp_path_factory) -> Path:
    """A folder per person: a few of the cast, gallery photographs and probes."""
    folder = tmp_path_factory.mktemp("cast")
    pictures = [(row["person"], row["photo"]) for row in cast("gallery") if row["person"] in PEOPLE]
    for person, picture in (*pictures, *((person, probe_of(person)) for person in PEOPLE)):
        (folder / person).mkdir(exist_ok=True)
        shutil.copy(CAST / picture, folder / person)
    return folder


@pytest.fixture
def small_manifest(tmp_path) -> Path:
    """The gallery photographs of six of the cast, in a folder of their own."""
    rows = [row for row in cast("gallery") if row["person"] in PEOPLE]
    for row in rows:
        (tmp_path / row["photo"]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CAST / row["photo"], tmp_path / row["photo"])
    file = tmp_path / "gallery.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


@pytest.fixture
async def conn(database):
    """A connection as the matcher."""
    pool = await gallery.connect(database.url("matcher"), "test")
    async with pool.acquire() as made:
        yield made
    await pool.close()


@pytest.fixture
def enrol(conn, faces):
    """Enrols a manifest with the model that is loaded already."""

    async def run(file: Path, *, by: str = "clerk", needs_approval: bool = False, workers: int = 1):
        read = manifest.read(file)
        assert not read.wrong
        terms = Terms(by, ONE_PERSON, needs_approval)
        return await enrol_run.run(read, lambda: faces, terms, workers, lambda *_: None, conn)

    return run


@dataclass
class Matcher:
    """The service as its own process."""

    env: dict[str, str]
    process: asyncio.subprocess.Process | None = None
    url: str = ""
    said: list[str] = field(default_factory=list)

    async def start(self, *program: str) -> "Matcher":
        await self.begin(*program)
        await self.until(200)
        return self

    async def begin(self, *program: str) -> None:
        """It answers, though perhaps that it is not ready."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, *(program or ("-m", "matcher")), env=self.env, stdout=asyncio.subprocess.PIPE
        )
        assert self.process.stdout
        line = await asyncio.wait_for(self.process.stdout.readline(), 60)
        self.url = json.loads(line)["url"]

    async def until(self, status: int, photos: int | None = None) -> None:
        for _ in range(600):
            got, body = await self.ask("GET", "/readyz")
            if got == status and (photos is None or json.loads(body)["gallery"]["photos"] == photos):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"the matcher never answered {status}, but {got}: {body}")

    async def ask(self, method: str, path: str, data: bytes | None = None, secret: str | None = SECRET):
        headers = {"Authorization": f"Bearer {secret}"} if secret is not None else {}
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, self.url + path, data=io.BytesIO(data or b""), headers=headers) as response,
        ):
            return response.status, await response.read()

    async def stop(self) -> int:
        assert self.process
        if self.process.returncode is None:
            self.process.terminate()
        try:
            async with asyncio.timeout(60):
                await self.process.communicate()
        except TimeoutError:
            self.process.send_signal(signal.SIGABRT)  # faulthandler prints where each thread stands
            await self.process.wait()
            raise AssertionError("the matcher did not stop within a minute of being asked to") from None
        return self.process.returncode or 0


@pytest.fixture
def unstarted(database, cache, tmp_path) -> dict[str, str]:
    """The environment of a matcher on this test's database, snapshots in this test's folder."""
    own = tmp_path / "cache"
    own.mkdir()
    (own / "models").symlink_to(pack.default(cache).parent)
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "PYTHONFAULTHANDLER": "1",
        "LEADGATE_MATCHER_DATABASE_URL": database.url("matcher"),
        "LEADGATE_MATCHER_SECRET": SECRET,
        "LEADGATE_MATCHER_PORT": "0",
        "LEADGATE_MATCHER_CACHE": str(own),
    }


@pytest.fixture
async def matcher(unstarted) -> AsyncIterator[Matcher]:
    """Running."""
    made = Matcher(unstarted)
    try:
        yield await made.start()
    finally:
        await made.stop()
