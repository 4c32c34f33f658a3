"""The running matcher over a large gallery: cold start, photograph to candidates by stage, searches while it is written.

    uv run python -m tests.benchmarks.service --n 1000000 --json FILE [--dimension 512]

A real Postgres holds N rows whose vectors are drawn (unit vectors in clusters, about three photographs a person; no
picture of theirs exists) beside the demonstration's cast, enrolled by the command line. The matcher is `python -m
matcher`, a process of its own; photographs of the cast are sent to it over HTTP, one after the other. Its first start
reads everything from Postgres, the others from the snapshot that the first has left, which has to come from the disk:
the system is told to forget the files before each. Ready means: the canaries have found themselves.

Last, a batch of --approved photographs is approved at once, while searches go on: the longest of them says whether any
waited for it, and `in_reach_s` when the last of the batch could be found.

With --dimension, the model is the default with its vectors turned into a space of more dimensions, so that the gallery
is as large as an ArcFace pack's; nothing else about it changes.
"""

import argparse
import asyncio
import json
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import aiohttp
import asyncpg
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from rich.console import Console
from rich.table import Table

import migrations
from deploy.commands.db import make_login
from deploy.demo.postgres import EmbeddedPostgres
from deploy.demo.processes import plain_environment
from matcher import pack
from matcher.faces import Faces

CAST = Path(__file__).parents[2] / "deploy" / "demo" / "cast"
SECRET = secrets.token_urlsafe(32)
BLOCK = 20_000
PATIENCE = 600.0  # seconds
STARTS = 3
COLUMNS = ["id", "person", "legal_basis", "agency", "arrest_id", "taken_on", "ingest_sha256", "enrolled_by"]
STAGES = ("decode", "detect", "embed", "scan", "rank")
SPREAD = 0.8


# --- the gallery ------------------------------------------------------------------------------------------------------


def drawn(n: int, dimension: int) -> Iterator[tuple[int, np.ndarray]]:
    """Blocks of unit vectors and the number of the first of each."""
    rng = np.random.default_rng(0)
    people = rng.standard_normal((max(1, n // 3), dimension), dtype=np.float32)
    for at in range(0, n, BLOCK):
        rows = np.arange(at, min(at + BLOCK, n))
        part = people[rows // 3 % len(people)] + SPREAD * rng.standard_normal((len(rows), dimension), dtype=np.float32)
        yield at, (part / np.linalg.norm(part, axis=1, keepdims=True)).astype("<f4")


async def fill(url: str, n: int, model: str, dimension: int) -> None:
    """N photographs stand in the gallery. Without the triggers, which would tell of each: one change tells of all."""
    conn = await asyncpg.connect(url)
    await conn.execute("SET session_replication_role = replica")
    for at, vectors in drawn(n, dimension):
        rows = range(at, at + len(vectors))
        people = sorted({row // 3 for row in rows} - {(at - 1) // 3 if at else -1})
        await conn.copy_records_to_table(
            "person", schema_name="gallery", columns=["id", "name"], records=[(f"D-{p}", f"drawn {p}") for p in people]
        )
        await conn.copy_records_to_table(
            "photograph",
            schema_name="gallery",
            columns=COLUMNS,
            records=[
                (f"{r:032x}", f"D-{r // 3}", "arrest", "drawn", f"A-{r}", date(2020, 1, 1), f"{r:064x}", "benchmark")
                for r in rows
            ],
        )
        await conn.copy_records_to_table(
            "embedding",
            schema_name="gallery",
            columns=["photograph", "model_sha256", "vector"],
            records=[(f"{r:032x}", model, v.tobytes()) for r, v in zip(rows, vectors, strict=True)],
        )
    await conn.execute("ANALYZE gallery.person; ANALYZE gallery.photograph; ANALYZE gallery.embedding")
    await conn.execute("INSERT INTO gallery.change (number) SELECT max(number) FROM gallery.photograph")
    await conn.close()


def widened(shipped: Path, dimension: int, folder: Path) -> Path:
    """The default pack in `folder`, its embedder's output multiplied by a matrix that keeps every angle as it is."""
    shutil.copytree(shipped, folder)
    (path,) = folder.glob("rec_*.onnx")
    model = onnx.load(str(path))
    about = json.loads((folder / "pack.json").read_text())
    rng = np.random.default_rng(4)
    turn = np.linalg.qr(rng.standard_normal((dimension, about["dimension"])))[0].T.astype(np.float32)
    output = model.graph.output[0]
    model.graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(turn), "turn"))
    model.graph.node.append(helper.make_node("MatMul", [output.name, "turn"], ["turned"]))
    model.graph.output.remove(output)
    model.graph.output.append(helper.make_tensor_value_info("turned", TensorProto.FLOAT, ["n", dimension]))
    onnx.save(model, str(path))
    (folder / "pack.json").write_text(json.dumps(about | {"pack": "widened", "dimension": dimension}))
    return folder


async def enrol_cast(url: str, owner: str, model: Path) -> None:
    """The demonstration's gallery is enrolled by one operator and approved by another, with their commands."""
    await _operator(url, model, "enrol", str(CAST / "gallery.jsonl"), "--by", "first")
    conn = await asyncpg.connect(owner)
    for row in await conn.fetch("SELECT id FROM gallery.batch WHERE approved_by IS NULL"):
        await _operator(url, model, "approve", row["id"], "--by", "second")
    # Photographs are written one by one later, as in an approved batch: that needs no clerk here.
    await conn.execute("ALTER TABLE gallery.photograph DISABLE TRIGGER check_entry")
    await conn.close()


async def _operator(url: str, model: Path, *words: str) -> None:
    env = plain_environment() | {"LEADGATE_MATCHER_DATABASE_URL": url, "LEADGATE_MATCHER_PACK": str(model)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy", "gallery", *words), env=env, stdout=asyncio.subprocess.DEVNULL
    )
    if await process.wait():
        raise SystemExit(f"leadgate gallery {words[0]} failed.")


# --- the matcher ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Running:
    """The matcher's process, and how long it took to answer its first question."""

    url: str
    ready_s: float
    cpu_s: float  # of all its threads, by then: on a machine with other work, what a quiet one would have needed
    session: aiohttp.ClientSession

    async def search(self, photo: bytes) -> dict[str, float]:
        """Milliseconds by stage; `response` is what HTTP and both ends' JSON took."""
        began = time.perf_counter()
        async with self.session.post(f"{self.url}/v1/search?k=20", data=photo) as response:
            answer = await response.json()
            if response.status != 200:
                raise SystemExit(f"The matcher refused: {answer}")
        total = (time.perf_counter() - began) * 1000
        stages = {name: answer["millis"][name] for name in STAGES}
        return stages | {"response": total - sum(stages.values()), "total": total}

    async def photos(self) -> int:
        """How many may be found."""
        async with self.session.get(f"{self.url}/v1/gallery") as response:
            return int((await response.json())["photos"])


@asynccontextmanager
async def running(database_url: str, cache: Path, model: Path) -> AsyncGenerator[Running]:
    env = plain_environment() | {
        "LEADGATE_MATCHER_DATABASE_URL": database_url,
        "LEADGATE_MATCHER_SECRET": SECRET,
        "LEADGATE_MATCHER_CACHE": str(cache),
        "LEADGATE_MATCHER_PACK": str(model),
        "LEADGATE_MATCHER_PORT": "0",
    }
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "matcher"), env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        assert process.stdout
        url = json.loads(await asyncio.wait_for(process.stdout.readline(), PATIENCE))["url"]
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {SECRET}"}) as session:
            await _ready(session, url)
            yield Running(url, time.perf_counter() - began, _cpu_seconds(process.pid), session)
    finally:
        process.terminate()
        await process.communicate()


def _cpu_seconds(pid: int) -> float:
    ticks = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")


async def _ready(session: aiohttp.ClientSession, url: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        async with session.get(f"{url}/readyz") as response:
            if response.status == 200:
                return
        await asyncio.sleep(0.02)
    raise SystemExit(f"The matcher was not ready within {PATIENCE:.0f} s.")


async def saved(cache: Path) -> None:
    """The first snapshot is on the disk."""
    while not await asyncio.to_thread(lambda: list(cache.glob("snapshots/*/*/snapshot-*/about.json"))):
        await asyncio.sleep(0.2)


def forgotten(cache: Path) -> None:
    """The snapshot's bytes are on the disk only."""
    os.sync()
    for path in cache.glob("snapshots/*/*/snapshot-*/*"):
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


# --- while it is written ----------------------------------------------------------------------------------------------

PUT = """
WITH photograph AS (
    INSERT INTO gallery.photograph
        (id, person, legal_basis, agency, arrest_id, taken_on, ingest_sha256, enrolled_by)
    VALUES ($1, $2, 'arrest', 'drawn', $1, '2021-01-01', $3, 'benchmark')
)
INSERT INTO gallery.embedding (photograph, model_sha256, vector) VALUES ($1, $4, $5)
"""


async def writing(url: str, model: str, dimension: int, rate: float) -> None:
    """`rate` photographs a second are enrolled, each in a transaction of its own, until cancelled."""
    conn = await asyncpg.connect(url)
    rng, at = np.random.default_rng(1), 1 << 100
    try:
        while True:
            vector = rng.standard_normal(dimension, dtype=np.float32)
            vector /= np.linalg.norm(vector)
            at += 1
            async with conn.transaction():
                await conn.execute(PUT, f"{at:032x}", "D-0", f"{at:064x}", model, vector.tobytes())
            await asyncio.sleep(1 / rate)
    finally:
        conn.terminate()


BATCH = """
INSERT INTO gallery.batch (id, manifest_sha256, needs_approval, made_by, made_at, rule)
SELECT $1, repeat('0', 64), true, 'first', now(), max(n) FROM gallery.rule
"""
APPROVE = "UPDATE gallery.batch SET approved_by = 'second', approved_at = now() WHERE id = $1"


async def await_approval(url: str, count: int, model: str, dimension: int) -> str:
    """A batch of so many photographs waits for its approval."""
    batch, first = secrets.token_hex(16), 1 << 110
    conn = await asyncpg.connect(url)
    await conn.execute("SET session_replication_role = replica")
    await conn.execute(BATCH, batch)
    for at, vectors in drawn(count, dimension):
        rows = range(first + at, first + at + len(vectors))
        await conn.copy_records_to_table(
            "photograph",
            schema_name="gallery",
            columns=[*COLUMNS, "batch"],
            records=[
                (f"{r:032x}", "D-0", "arrest", "drawn", f"A-{r}", date(2020, 1, 1), f"{r:064x}", "benchmark", batch)
                for r in rows
            ],
        )
        await conn.copy_records_to_table(
            "embedding",
            schema_name="gallery",
            columns=["photograph", "model_sha256", "vector"],
            records=[(f"{r:032x}", model, v.tobytes()) for r, v in zip(rows, vectors, strict=True)],
        )
    await conn.close()
    return batch


async def approved(url: str, batch: str, count: int, matcher: Running, photos: list[bytes]) -> dict[str, float]:
    """Milliseconds of the searches from the approval on until the whole batch is in reach, and seconds until then."""
    before = await matcher.photos()
    conn = await asyncpg.connect(url)
    began, spent = time.perf_counter(), list[float]()
    await conn.execute(APPROVE, batch)
    while await matcher.photos() < before + count:
        spent.append((await matcher.search(photos[len(spent) % len(photos)]))["total"])
    reached = time.perf_counter() - began
    await conn.close()
    spent += [(await matcher.search(photo))["total"] for photo in photos[:10]]  # a snapshot is made of it meanwhile
    return {"searches": len(spent), "p50": float(np.median(spent)), "longest": max(spent), "in_reach_s": reached}


async def measured(matcher: Running, photos: list[bytes], count: int) -> dict[str, np.ndarray]:
    """Milliseconds by stage, one search after the other."""
    for photo in photos[:3]:
        await matcher.search(photo)
    found = [await matcher.search(photos[i % len(photos)]) for i in range(count)]
    return {name: np.array([one[name] for one in found]) for name in found[0]}


# --- the run ----------------------------------------------------------------------------------------------------------


async def run(n: int, searches: int, rate: float, batch: int, folder: Path, pack_folder: Path) -> dict[str, object]:
    model = Faces(pack_folder).model
    server = EmbeddedPostgres(folder / "postgres", durable=False).start()
    cache = folder / "cache"
    cache.mkdir()
    try:
        await server.create_database("gallery")
        owner = server.url("gallery")
        await migrations.upgrade(owner)
        await make_login(owner, "matcher", "matcher", SECRET)
        url = server.url("gallery", "matcher", SECRET)
        await enrol_cast(url, owner, pack_folder)
        await fill(owner, n, model.sha256, model.dimension)
        photos = [path.read_bytes() for path in sorted((CAST / "pictures" / "probes").glob("still-*.jpg"))]
        async with running(url, cache, pack_folder) as first:
            figures: dict[str, object] = {"n": n, "dimension": model.dimension, "start_from_database_s": first.ready_s}
            await saved(cache)
        figures["starts_from_snapshot_s"] = [await started(url, cache, pack_folder) for _ in range(STARTS)]
        async with running(url, cache, pack_folder) as matcher:
            figures["quiet"] = _summary(await measured(matcher, photos, searches))
            writer = asyncio.create_task(writing(owner, model.sha256, model.dimension, rate))
            figures["written_to"] = _summary(await measured(matcher, photos, searches))
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            waiting = await await_approval(owner, batch, model.sha256, model.dimension)
            figures["approval"] = await approved(owner, waiting, batch, matcher, photos) | {"photographs": batch}
    finally:
        server.stop("immediate")
    return figures


async def started(url: str, cache: Path, model: Path) -> tuple[float, float]:
    """Seconds from the process's start to its first answer, and those that its threads worked."""
    await asyncio.to_thread(forgotten, cache)
    async with running(url, cache, model) as matcher:
        return matcher.ready_s, matcher.cpu_s


def _summary(spent: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
    return {
        name: {"p50": float(np.median(each)), "p95": float(np.percentile(each, 95))} for name, each in spent.items()
    }


def _table(figures: dict[str, object], rate: float) -> Table:
    quiet, written, starts = figures["quiet"], figures["written_to"], figures["starts_from_snapshot_s"]
    assert isinstance(starts, list)
    assert isinstance(quiet, dict)
    assert isinstance(written, dict)
    approval = figures["approval"]
    assert isinstance(approval, dict)
    title = f"gallery of {figures['n']:,} x {figures['dimension']}"
    table = Table("stage", "p50 ms", "p95 ms", f"p50, {rate:g} enrolled/s", "p95", title=title)
    for name in (*STAGES, "response", "total"):
        table.add_row(name, *(f"{of[name][p]:.1f}" for of in (quiet, written) for p in ("p50", "p95")))
    table.caption = (
        f"ready after {', '.join(f'{wall:.2f} (CPU {cpu:.2f})' for wall, cpu in starts)} s from a snapshot, "
        f"{figures['start_from_database_s']:.1f} s from Postgres (process start included); while {approval['photographs']:,} were approved: p50 "
        f"{approval['p50']:.0f} ms, longest {approval['longest']:.0f} ms, all in reach after "
        f"{approval['in_reach_s']:.1f} s"
    )
    return table


def main() -> None:
    read = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    read.add_argument("--n", type=int, default=100_000)
    read.add_argument("--dimension", type=int, help="of a model with more dimensions than the default's 128")
    read.add_argument("--searches", type=int, default=60)
    read.add_argument("--rate", type=float, default=7.0, help="photographs enrolled a second, in the second half")
    read.add_argument("--approved", type=int, default=50_000, help="photographs of a batch that is approved at once")
    read.add_argument("--json", type=Path)
    asked = read.parse_args()
    model = pack.default(Path("~/.cache/leadgate").expanduser())
    with tempfile.TemporaryDirectory() as folder:
        if asked.dimension:
            model = widened(model, asked.dimension, Path(folder) / "model")
        figures = asyncio.run(run(asked.n, asked.searches, asked.rate, asked.approved, Path(folder), model))
    Console().print(_table(figures, asked.rate))
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
