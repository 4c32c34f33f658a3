"""kill -9, seeded, at any moment of an enrolment and of a snapshot: nothing lost, nothing doubled, nothing wrong.

    LEADGATE_KILLS=200 LEADGATE_KILLS_JSON=kills uv run pytest tests/matcher/test_kills.py -s

The long form; the suite runs a short one. Every kill is of a real process in the middle of real work; the model is
loaded before the process is forked (`nursery`). A killed process is stopped first, so that the table can say where it
was: a stopped process does nothing more, and the kill finds it there.
"""

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import asyncpg
import numpy as np
import pytest
from rich.console import Console
from rich.table import Table

from deploy import enrol_run, manifest
from matcher import custody, gallery, pack, snapshot
from tests.conftest import Database
from tests.matcher.conftest import SECRET
from tests.matcher.nursery import DONE
from tests.story import NOON

KILLS = int(os.environ.get("LEADGATE_KILLS", "6"))
JSON = os.environ.get("LEADGATE_KILLS_JSON")


@dataclass
class Figures:
    """What a series of kills did."""

    kills: int = 0
    lost: int = 0
    doubled: int = 0
    wrong: int = 0
    ended_before: int = 0  # it had finished when its time came: no kill
    struck: Counter[str] = field(default_factory=Counter)
    modes: Counter[str] = field(default_factory=Counter)

    def tell(self, name: str) -> None:
        table = Table("figure", "value", title=f"kill -9 during {name}")
        for key in ("kills", "lost", "doubled", "wrong", "ended_before"):
            table.add_row(key.replace("_", " "), str(getattr(self, key)))
        for key, count in (*sorted(self.modes.items()), *self.struck.most_common()):
            table.add_row(key, str(count))
        Console(width=110).print(table)
        if JSON:
            said = {**{k: getattr(self, k) for k in ("kills", "lost", "doubled", "wrong", "ended_before")}}
            Path(f"{JSON}-{name}.json").write_text(
                json.dumps(said | {"modes": dict(self.modes), "struck": dict(self.struck)}, indent=1) + "\n"
            )
        assert (self.lost, self.doubled, self.wrong) == (0, 0, 0)


@dataclass
class Child:
    """A process that the nursery forked."""

    pid: int
    says: Path

    @property
    def runs(self) -> bool:
        return Path(f"/proc/{self.pid}").exists()

    async def end(self, within: float = 60) -> None:
        until = time.monotonic() + within
        while self.runs:
            assert time.monotonic() < until, "it does not end"
            await asyncio.sleep(0.002)

    def stop(self) -> bool:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGSTOP)
            return True
        return False

    async def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        await self.end()

    @property
    def done(self) -> bool:
        return self.says.read_text().endswith(f"{DONE}\n")


@dataclass
class Nursery:
    process: asyncio.subprocess.Process
    folder: Path
    model: str = ""
    count: int = 0

    async def fork(self, **job: object) -> Child:
        self.count += 1
        says = self.folder / f"says-{self.count}"
        says.touch()
        assert self.process.stdin
        self.process.stdin.write(json.dumps(job | {"says": str(says)}).encode() + b"\n")
        return Child(int(await self.answer()), says)

    async def answer(self) -> str:
        assert self.process.stdout
        return (await asyncio.wait_for(self.process.stdout.readline(), 60)).decode()


@pytest.fixture
async def nursery(cache, tmp_path) -> AsyncIterator[Nursery]:
    own = tmp_path / "says"
    own.mkdir()
    pack.default(cache)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.matcher.nursery", str(cache),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    made = Nursery(process, own)
    try:
        made.model = json.loads(await made.answer())["model"]
        yield made
    finally:
        process.stdin.close()
        await asyncio.wait_for(process.wait(), 20)


# --- enrolment --------------------------------------------------------------------------------------------------------

NAME = "killed-enrolment"
BACKENDS = """
SELECT state, query, xact_start IS NOT NULL AS writes FROM pg_stat_activity
WHERE datname = current_database() AND application_name = $1
"""
ROWS = """
SELECT photograph.id, person, legal_basis, agency, arrest_id, taken_on, ingest_sha256, enrolled_by, batch,
    (SELECT count(*) FROM gallery.picture WHERE photograph = photograph.id) AS pictures,
    (SELECT array_agg(vector) FROM gallery.embedding WHERE photograph = photograph.id) AS vectors
FROM gallery.photograph
"""
SAID = """
SELECT kind, convert_from(entry, 'UTF8')::jsonb -> 'data' ->> 'photo' AS photo FROM ledger.entry
WHERE stream = 'gallery'
"""
COUNT = "SELECT count(*) FROM gallery.photograph"


async def moment(conn: asyncpg.Connection, rng: random.Random, child: Child, mode: str) -> None:
    """Waits until the child is to be struck: at any time, in the middle of a transaction, or just after one."""
    if mode == "at any time":
        await asyncio.sleep(rng.random() * 0.8)
        return
    before, until = await conn.fetchval(COUNT), time.monotonic() + rng.random() * 0.5 + 0.05
    while child.runs:
        late = time.monotonic() >= until
        if mode == "aimed at a commit":
            if await conn.fetchval(COUNT) != before and late:
                return
        elif late and any(row["writes"] for row in await conn.fetch(BACKENDS, NAME)):
            await asyncio.sleep(rng.random() * 0.008)
            return


async def place(conn: asyncpg.Connection) -> str:
    """Where the stopped child is, as its connection tells."""
    await asyncio.sleep(0.003)  # what was sent before is done by then
    rows = [row for row in await conn.fetch(BACKENDS, NAME) if row["state"]]
    writing = next((row for row in rows if row["writes"]), None)
    if writing:
        return f"in a transaction, after {' '.join(writing['query'].split()[:3])}"
    return "between transactions: decoding, detecting, embedding" if rows else "without a connection"


async def check(conn: asyncpg.Connection, expected: dict, seen: set[str], figures: Figures) -> set[str]:
    """Counts what is lost, doubled or wrong at this moment; the photographs that are there."""
    rows, said = await conn.fetch(ROWS), await conn.fetch(SAID)
    there = {row["id"] for row in rows}
    told = [row["photo"] for row in said if row["kind"] == "PhotographEnrolled"]
    keys = [(row["person"], row["ingest_sha256"]) for row in rows]
    figures.lost += len(seen - there) + len(there ^ set(told))
    figures.doubled += len(keys) - len(set(keys)) + len(told) - len(set(told))
    figures.doubled += max(0, sum(row["kind"] == "BatchOpened" for row in said) - 1)
    for row, key in zip(rows, keys, strict=True):
        right = expected.get(key)
        facts = (row["legal_basis"], row["agency"], row["arrest_id"], row["taken_on"])
        whole = row["pictures"] == 1 and row["vectors"] is not None and row["enrolled_by"] == "clerk" and row["batch"]
        figures.wrong += not (right and whole and (*facts, row["vectors"]) == right)
    return there


async def gone(conn: asyncpg.Connection) -> None:
    """The server has noticed that the killed process is."""
    while await conn.fetch(BACKENDS, NAME):
        await asyncio.sleep(0.002)


def right_rows(file: Path, faces) -> dict:
    """By (person, digest): what has to stand in the gallery of each line of the manifest."""
    out = {}
    for row in manifest.read(file).rows:
        made, said = enrol_run.measured(faces, row), row.enrolment
        facts = (said.legal_basis, said.agency, said.arrest_id, said.taken_on)
        out[said.person, made.sha256] = (*facts, [made.vector.astype("<f4").tobytes()])
    return out


@contextlib.asynccontextmanager
async def fresh(template) -> AsyncIterator[tuple[Database, asyncpg.Connection]]:
    """A database of its own and a connection that sees everything."""
    made = Database(template.server, f"test_{random.SystemRandom().randbytes(6).hex()}", template.password)
    over = await asyncpg.connect(template.server.url())
    await over.execute(f"CREATE DATABASE {made.name} TEMPLATE {template.name} STRATEGY FILE_COPY")
    conn = await asyncpg.connect(made.url("postgres"))
    try:
        yield made, conn
    finally:
        await conn.close()
        await over.execute(f"DROP DATABASE {made.name} WITH (FORCE)")
        await over.close()


MODES = ("at any time", "aimed at a transaction", "aimed at a commit")


async def test_kills_during_enrolment_lose_nothing_and_double_nothing(template, nursery, small_manifest, faces):
    figures, seed = Figures(), 0
    expected = right_rows(small_manifest, faces)
    while figures.kills < KILLS:
        async with fresh(template) as (database, conn):
            seed = await one_gallery(nursery, small_manifest, database, conn, expected, figures, seed)
    figures.tell("enrolment")


async def one_gallery(nursery, file, database, conn, expected, figures, seed) -> int:
    """One gallery is filled under kills; then a run that nobody kills has to find everything it needs."""
    seen: set[str] = set()
    job = {"what": "enrolment", "url": database.url("matcher"), "name": NAME, "manifest": str(file)}
    job["approval"] = random.Random(-seed).random() < 0.5
    while figures.kills < KILLS and len(seen) < len(expected):
        rng = random.Random(seed)
        seed += 1
        mode, workers, runs = rng.choice(MODES), rng.choice((1, 2)), rng.choice((1, 1, 2))
        children = [await nursery.fork(**job, workers=workers) for _ in range(runs)]  # two at once, now and then
        await moment(conn, rng, children[0], mode)
        if not (children[0].stop() and children[0].runs):
            figures.ended_before += 1
        else:
            figures.struck[await place(conn)] += 1
            figures.kills += 1
            figures.modes[f"{mode}, {workers} workers, {runs} at once"] += 1
        for child in children:  # the second dies a moment later
            await child.kill()
        await gone(conn)
        seen = await check(conn, expected, seen, figures)
    last = await nursery.fork(**job, workers=2)
    await last.end()
    assert last.done
    there = await check(conn, expected, seen, figures)
    figures.lost += len(expected) - len(there)
    return seed


# --- snapshots --------------------------------------------------------------------------------------------------------

CROWD = 6_000  # photographs beside the cast's, so that a snapshot takes a while to write
PUT_PEOPLE = "INSERT INTO gallery.person (id, name) SELECT 'C-' || n, 'nobody' FROM generate_series(1, $1) AS n"
PUT_PHOTOGRAPHS = """
INSERT INTO gallery.photograph (id, person, legal_basis, agency, arrest_id, taken_on, ingest_sha256, enrolled_by)
SELECT md5('photo ' || n), 'C-' || n, 'arrest', 'Crowd', 'A-' || n, '2020-01-01', encode(sha256(n::text::bytea), 'hex'),
    'crowd' FROM generate_series(1, $1) AS n
"""
PUT_VECTOR = (
    "INSERT INTO gallery.embedding (photograph, model_sha256, vector) VALUES (md5('photo ' || $1::int), $2, $3)"
)


async def crowd(conn: asyncpg.Connection, model: str, dimension: int) -> None:
    """Many strangers, as vectors only: what is measured here is the snapshot, not the enrolment."""
    await conn.execute(PUT_PEOPLE, CROWD)
    await conn.execute(PUT_PHOTOGRAPHS, CROWD)
    vectors = np.random.default_rng(3).normal(size=(CROWD, dimension)).astype("<f4")
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    await conn.executemany(PUT_VECTOR, [(n, model, v.tobytes()) for n, v in enumerate(vectors, start=1)])


async def change(conn, rng: random.Random) -> None:
    """Some are sealed, unsealed or expunged, each once, so that there is something to take a snapshot of."""
    wanted = rng.randint(1, 4)
    for n in rng.sample(range(1, CROWD + 1), CROWD):
        act = rng.choice((custody.seal, custody.seal, custody.unseal, custody.expunge))
        wanted -= (await act(conn, custody.What(f"C-{n}"), order="Order 1", by="clerk", now=NOON)).changed
        if not wanted:
            return


def coming(folder: Path) -> set[Path]:
    return set(folder.glob("*/*/coming-*"))


def snapshots(folder: Path) -> list[Path]:
    return list(folder.glob("*/*/snapshot-*"))


async def until_written(folder: Path, left: set[Path], child: Child, rng: random.Random, aimed: bool) -> None:
    """Waits for the moment: any time after the start, or while a snapshot is being written."""
    until, delay = time.monotonic() + 20, rng.random()
    while aimed and child.runs and not coming(folder) - left:
        assert time.monotonic() < until, "no snapshot is being made"
        await asyncio.sleep(0.0005)
    await asyncio.sleep(delay * (0.03 if aimed else 1.0))


def on_disk(folder: Path, left: set[Path]) -> str:
    """How far the stopped process had come with its snapshot."""
    for half in coming(folder) - left:
        return f"a snapshot half written ({len(list(half.iterdir()))} of 7 files begun)"
    count = len(snapshots(folder))
    return {0: "no snapshot yet", 1: "one snapshot there"}.get(count, "renamed, the one before not yet gone")


async def serving(child: Child) -> tuple[str, dict]:
    """The address, and the gallery that is served there, as soon as one is."""
    until = time.monotonic() + 30
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {SECRET}"}) as session:
        while time.monotonic() < until:
            assert child.runs, "the matcher ended by itself"
            if first := child.says.read_text().partition("\n")[0]:
                with contextlib.suppress(aiohttp.ClientConnectionError):
                    async with session.get(json.loads(first)["url"] + "/v1/gallery") as response:
                        if response.status == 200:
                            return first, await response.json()
            await asyncio.sleep(0.01)
    raise AssertionError("the matcher does not become ready")


async def test_kills_while_snapshots_are_made_leave_the_gallery_that_the_database_says(
    nursery, enrol, small_manifest, conn, superuser, database, faces, cache, tmp_path
):
    figures, model, folder = Figures(), faces.model, tmp_path / "snapshots"
    await enrol(small_manifest)
    await crowd(superuser, model.sha256, model.dimension)
    (tmp_path / "models").symlink_to(pack.default(cache).parent)
    job = {"what": "service", "url": database.url("matcher"), "secret": SECRET, "cache": str(tmp_path)}
    for seed in range(KILLS):
        rng = random.Random(seed)
        await change(conn, rng)
        aimed = rng.random() < 0.75
        left = coming(folder)  # by one that was killed before
        child = await nursery.fork(**job)
        await until_written(folder, left, child, rng, aimed)
        assert child.stop()
        figures.struck[on_disk(folder, left)] += 1
        await child.kill()
        figures.kills += 1
        figures.modes["aimed at a snapshot" if aimed else "at any time"] += 1
        await served_rightly(conn, folder, model, await nursery.fork(**job), figures)
    figures.tell("snapshots")


async def served_rightly(conn, folder: Path, model, child: Child, figures: Figures) -> None:
    """What is on the disk is whole, and the matcher started anew serves exactly what the database says."""
    for own in {path.parent for path in snapshots(folder)}:
        try:
            snapshot.load(own, model.sha256, model.dimension)
        except snapshot.SnapshotError:
            figures.wrong += 1
    truth = await gallery.read_all(conn, model.sha256, model.dimension)
    _, said = await serving(child)
    figures.lost += max(0, len(truth.numbers) - said["photos"])
    figures.doubled += max(0, said["photos"] - len(truth.numbers))
    figures.wrong += said["root"] != snapshot.root(truth.nodes)
    await child.kill()
