"""From a snapshot on disk to the first answer: what a restart costs.

uv run python -m tests.benchmarks.cold_start --n 1000000 --dimension 128 --json FILE
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from matcher import snapshot
from matcher.index import GalleryIndex

BLOCK = 50_000
MODEL = "00" * 32


def vectors_of(n: int, dimension: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    out = np.empty((n, dimension), np.float32)
    for at in range(0, n, BLOCK):
        part = rng.standard_normal((min(BLOCK, n - at), dimension), dtype=np.float32)
        out[at : at + BLOCK] = part / np.linalg.norm(part, axis=1, keepdims=True)
    return out


def run(n: int, dimension: int, folder: Path) -> dict[str, float]:
    made = snapshot.made(np.arange(n, dtype=np.int64), vectors_of(n, dimension), 1)
    marks = [time.perf_counter()]
    snapshot.save(folder, made, MODEL)
    marks.append(time.perf_counter())
    held = snapshot.load(folder, MODEL, dimension)
    assert held is not None
    index = GalleryIndex(held)
    index.root()
    marks.append(time.perf_counter())
    index.nearest(np.asarray(held.vectors[7]), 50)
    marks.append(time.perf_counter())
    index.nearest(np.asarray(held.vectors[9]), 50)
    marks.append(time.perf_counter())
    names = ("save_s", "load_and_verify_s", "first_search_s", "second_search_s")
    return {"n": n, "dimension": dimension} | dict(zip(names, np.diff(marks).tolist(), strict=True))


def main() -> None:
    read = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    read.add_argument("--n", type=int, default=100_000)
    read.add_argument("--dimension", type=int, default=128)
    read.add_argument("--json", type=Path)
    asked = read.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = run(asked.n, asked.dimension, Path(folder))
    table = Table("figure", "value", title="from snapshot to first answer")
    for name, value in figures.items():
        table.add_row(name, f"{value:,.3f}" if isinstance(value, float) else f"{value:,}")
    Console().print(table)
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
