"""Photographs enrolled a second: our pipeline on every core beside insightface's plain loop, on the same photographs.

    uv run python -m tests.benchmarks.enrol --data ../shared/data/lfw-dev --count 200 --json FILE

Both decode, detect and embed with the same pack; ours also checks the file, measures quality, embeds the mirror image
and makes the copy that is kept. Blocks alternate, so that a noisy moment strikes both.
"""

import argparse
import contextlib
import io
import json
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from matcher import dataset, images, pack, pipeline
from matcher.faces import DETECTION_SIDE, DETECTION_THRESHOLD, Faces

ROUNDS = 4


def ours(faces: Faces, path: Path) -> bool:
    photo = images.decode(path.read_bytes())
    for found in faces.find(photo)[:1]:
        faces.vector(photo, found)
    return bool(images.as_jpeg(photo.pixels))


def plain_loop(folder: Path) -> Callable[[list[Path]], None]:
    """As insightface's own examples do it."""
    from insightface.app import FaceAnalysis

    with contextlib.redirect_stdout(io.StringIO()):
        app = FaceAnalysis(
            str(folder), allowed_modules=["detection", "recognition"], providers=["CPUExecutionProvider"]
        )
        app.prepare(ctx_id=-1, det_thresh=DETECTION_THRESHOLD, det_size=(DETECTION_SIDE, DETECTION_SIDE))

    def run(paths: list[Path]) -> None:
        warnings.simplefilter("ignore", FutureWarning)  # its own, about a library that it uses
        for path in paths:
            app.get(cv2.imread(str(path)))

    return run


def run(data: Path, count: int, cache: Path) -> dict[str, float]:
    folder = pack.default(cache.expanduser())
    paths = dataset.photographs(data)[:count]
    workers = pipeline.cores()
    loaded = [Faces(folder, threads=1) for _ in range(workers)]  # loading is not enrolling

    def pipelined(part: list[Path]) -> None:
        free = iter(loaded)
        for _ in pipeline.through(partial(next, free), ours, part, workers=workers):
            pass

    engines = {"ours": pipelined, "insightface_loop": plain_loop(folder)}
    rates: dict[str, list[float]] = {name: [] for name in engines}
    for part in np.array_split(np.array(paths, object), ROUNDS):
        for name, engine in engines.items():
            began = time.perf_counter()
            engine(list(part))
            rates[name].append(len(part) / (time.perf_counter() - began))
    return {"photographs": len(paths), "workers": workers} | {
        f"{name}_per_s": float(np.median(each)) for name, each in rates.items()
    }


def main() -> None:
    read = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    read.add_argument("--data", type=Path, required=True)
    read.add_argument("--count", type=int, default=200)
    read.add_argument("--cache", type=Path, default=Path("~/.cache/leadgate"))
    read.add_argument("--json", type=Path)
    asked = read.parse_args()
    figures = run(asked.data, asked.count, asked.cache)
    table = Table("figure", "value", title="enrolment")
    for name, value in figures.items():
        table.add_row(name, f"{value:.1f}")
    Console().print(table)
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
