"""Photographs enrolled a second, on the same photographs: ours on every core, insightface's and deepface's plain loops.

    uv run python -m tests.benchmarks.enrol --data ../shared/data/lfw-dev --count 200 --json FILE

`ours` is everything that enrolment does with a photograph but the database: checks and decodes the file, finds the face
(640 pixels), measures its quality, embeds it and its mirror image, makes the copy that is kept. `ours_stored` is
`leadgate gallery enrol` itself, into a Postgres that syncs to the disk. The loops do what their examples do: decode, find
(insightface 640 pixels; deepface the photograph's own size), embed once. All run YuNet and SFace of the same weights;
deepface in an environment of its own (`uv run --with`), left out with --without-deepface. Blocks alternate, so that a
noisy moment strikes everybody.
"""

import argparse
import asyncio
import contextlib
import io
import json
import os
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import onnx
from rich.console import Console
from rich.table import Table

import migrations
from deploy import enrol_run
from deploy.commands.db import Duty, make_login
from deploy.demo.postgres import EmbeddedPostgres
from deploy.enrol_run import Terms
from deploy.manifest import Manifest, Row
from matcher import dataset, gallery, images, pack, pipeline
from matcher.detection import SIDE
from matcher.enrolment import Enrolment, Rule
from matcher.faces import DETECTION_THRESHOLD, Faces

ROUNDS = 4
DEEPFACE = ("deepface==0.0.103", "werkzeug==3.1.9")  # MIT, BSD; not installed with us
Loop = Callable[[list[Path]], int]  # how many of the photographs it found a face in


def ours(faces: Faces, path: Path) -> bool:
    photo = images.decode(path.read_bytes())
    found = faces.find(photo)
    for one in found[:1]:
        faces.vector(photo, one)
    images.as_jpeg(photo.pixels)
    return bool(found)


def pipelined(loaded: list[Faces]) -> Loop:
    def run(part: list[Path]) -> int:
        free = iter(loaded)
        return sum(found for _, found in pipeline.through(lambda: next(free), ours, part, workers=len(loaded)))

    return run


@contextlib.contextmanager
def stored(loaded: list[Faces]) -> Iterator[Loop]:
    """`leadgate gallery enrol` without the command line, into a durable Postgres of its own."""
    root, secret = Path(tempfile.mkdtemp(prefix="leadgate-bench-")), "only for this benchmark".replace(" ", "-")
    server = EmbeddedPostgres(root, durable=True).start()
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(server.create_database("bench"))
        loop.run_until_complete(migrations.upgrade(server.url("bench")))
        loop.run_until_complete(make_login(server.url("bench"), "bench", Duty.MATCHER, secret))
        url = server.url("bench", "bench", secret)
        yield lambda part: loop.run_until_complete(_enrolled(url, part, loaded))
    finally:
        loop.close()
        server.stop("immediate")
        shutil.rmtree(server.home, ignore_errors=True)
        shutil.rmtree(root, ignore_errors=True)


async def _enrolled(url: str, part: list[Path], loaded: list[Faces]) -> int:
    said = {"legal_basis": "arrest", "agency": "benchmark", "arrest_id": "none", "taken_on": date(2020, 1, 1)}
    rows = tuple(
        Row(n, path, Enrolment(person=path.parent.name, name=path.parent.name, **said)) for n, path in enumerate(part)
    )
    free = iter(loaded)
    pool = await gallery.connect(url, "benchmark")
    async with pool.acquire() as conn:
        terms = Terms("benchmark", Rule("benchmark@1.0.0", "0" * 64, dual_control=False))
        read = Manifest(rows, (), f"{abs(hash(str(part[0]))):064x}")
        told = await enrol_run.run(read, lambda: next(free), terms, len(loaded), lambda *_: None, conn)
    await pool.close()
    assert told
    return told.done + sum("faces in it" in why for _, why in told.refused)  # several faces: found, not enrolled


def insightface_loop(folder: Path) -> Loop:
    """As insightface's own examples do it."""
    from insightface.app import FaceAnalysis

    with contextlib.redirect_stdout(io.StringIO()):
        app = FaceAnalysis(
            str(folder), allowed_modules=["detection", "recognition"], providers=["CPUExecutionProvider"]
        )
        app.prepare(ctx_id=-1, det_thresh=DETECTION_THRESHOLD, det_size=(SIDE, SIDE))

    def run(paths: list[Path]) -> int:
        warnings.simplefilter("ignore", FutureWarning)  # its own, about a library that it uses
        return sum(bool(app.get(cv2.imread(str(path)))) for path in paths)

    return run


@contextlib.contextmanager
def deepface_loop(first: Path) -> Iterator[Loop]:
    """As deepface's own examples do it, with SFace and YuNet; the weights lie where it would download them to."""
    with tempfile.TemporaryDirectory(prefix="leadgate-deepface-") as home:
        weights = Path(home) / ".deepface" / "weights"
        weights.mkdir(parents=True)
        for name in (pack.DETECTOR, pack.EMBEDDER):
            onnx.save(pack._folded(pack._weights(name)), weights / name.replace("_int8bq", ""))
        argv = ["uv", "run", "--no-project", "--isolated", "--quiet"]
        argv += [word for each in DEEPFACE for word in ("--with", each)]
        child = subprocess.Popen(
            [*argv, "python", str(Path(__file__).with_name("deepface_loop.py"))],
            env=os.environ | {"DEEPFACE_HOME": home}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

        def ask(paths: list[Path]) -> dict[str, float]:
            assert child.stdin
            assert child.stdout
            child.stdin.write(json.dumps([str(path) for path in paths]) + "\n")
            child.stdin.flush()
            return json.loads(child.stdout.readline())

        try:
            ask([first])
            yield lambda part: int(ask(part)["faces"])
        finally:
            assert child.stdin
            child.stdin.close()
            child.wait(30)


def run(data: Path, count: int, cache: Path, *, deepface: bool = True) -> dict[str, float]:
    folder = pack.default(cache.expanduser())
    paths = dataset.photographs(data)[:count]
    loaded = [Faces(folder, threads=1) for _ in range(pipeline.cores())]  # loading is not enrolling
    with contextlib.ExitStack() as held:
        engines = {
            "ours": pipelined(loaded),
            "ours_stored": held.enter_context(stored(loaded)),
            "insightface_loop": insightface_loop(folder),
        }
        if deepface:
            engines["deepface_loop"] = held.enter_context(deepface_loop(paths[0]))
        return measured(engines, paths) | {"photographs": len(paths), "workers": len(loaded)}


def measured(engines: dict[str, Loop], paths: list[Path]) -> dict[str, float]:
    rates: dict[str, list[float]] = {name: [] for name in engines}
    faces = dict.fromkeys(engines, 0)
    for n, part in enumerate(np.array_split(np.array(paths, object), ROUNDS)):
        for name in np.roll(list(engines), n):
            began = time.perf_counter()
            faces[name] += engines[name](list(part))
            rates[name].append(len(part) / (time.perf_counter() - began))
    figures = {f"{name}_per_s": float(np.median(each)) for name, each in rates.items()}
    figures |= {f"{name}_faces": count for name, count in faces.items()}
    for name in set(engines) - {"ours", "ours_stored"}:
        figures[f"ours_over_{name}"] = float(np.median(np.array(rates["ours"]) / np.array(rates[name])))
    return figures


def main() -> None:
    read = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    read.add_argument("--data", type=Path, required=True)
    read.add_argument("--count", type=int, default=200)
    read.add_argument("--cache", type=Path, default=Path("~/.cache/leadgate"))
    read.add_argument("--without-deepface", action="store_true")
    read.add_argument("--json", type=Path)
    asked = read.parse_args()
    figures = run(asked.data, asked.count, asked.cache, deepface=not asked.without_deepface)
    table = Table("figure", "value", title="enrolment")
    for name, value in figures.items():
        table.add_row(name, f"{value:.1f}")
    Console().print(table)
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
