"""What each way to better the default model's hit rate is worth, alone, on photographs of a folder per person.

    uv run python -m tests.benchmarks.gains --data DIR --pairs CSV --json FILE

The probe's side: `preprocessing` of the model pack, step by step (matcher/pack.py). The gallery's side: people with at
least four photographs are enrolled with three, everybody else with one; the three are searched one by one (what the
matcher does) or as their mean. Second looks are tried on pictures in which a first look finds no face.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from matcher import dataset, degradation, evaluation, images, pack, pipeline
from matcher.faces import Faces
from matcher.images import Photo

STEPS = ("1", "1+mirrored", "1+scaled", "1+averaged", "1+mirrored+scaled")
LOOKS = ("1", "1+retried")
HARD = tuple((way, level) for way, level in degradation.LEVELS if way in {"framed", "filling"})
ENROLLED = 3
FIGURES = ("accuracy", "tar_at_far_1e-3", "rank1", "rank10", "fnir_at_fpir_1e-2", "low", "high", "undetected")
Vectors = NDArray[np.float32]


class Ways:
    """The model under each of several preprocessings. Not for several threads at once."""

    def __init__(self, folder: Path, names: tuple[str, ...]) -> None:
        self.by_name = {name: Faces(folder, threads=1, preprocessing=name) for name in names}


def vectors(ways: Any, path: Path) -> list[Vectors | None]:
    """The main face's vector in each way; the faces found once for the ways that look for them alike."""
    photo = images.decode(path.read_bytes())
    seen: dict[bool, Any] = {}
    out: list[Vectors | None] = []
    for name, faces in ways.by_name.items():
        alike = pack.AVERAGED in name
        if alike not in seen:
            seen[alike] = dataset.main_face(faces, photo)
        out.append(None if seen[alike] is None else faces.vector(photo, seen[alike]))
    return out


def hard(ways: Any, path: Path) -> list[list[Vectors | None]]:
    """The vectors of the photograph made hard to find a face in: by way and level, then by look."""
    photo = images.decode(path.read_bytes())
    worse = [Photo(degradation.WAYS[way](photo.pixels, level), photo.sha256, photo.format) for way, level in HARD]
    return [[dataset.embedded(faces, one) for faces in ways.by_name.values()] for one in worse]


def matrix(found: list[Vectors | None], dimension: int) -> Vectors:
    return np.array([np.zeros(dimension, np.float32) if one is None else one for one in found])


def figures(embedded: Vectors, people: NDArray[np.int64], pairs: dataset.Pairs) -> dict[str, float]:
    a, b = pairs.a, pairs.b
    scores = np.einsum("ij,ij->i", embedded[a], embedded[b]).astype(np.float64)
    seen = embedded.any(axis=1)
    scores[~(seen[a] & seen[b])] = evaluation.UNSEEN
    verified = evaluation.verification(scores, pairs.same, pairs.fold)
    found = evaluation.search(embedded, people)
    return {
        "accuracy": verified.accuracy,
        "tar_at_far_1e-3": verified.tar_at_far[1e-3],
        **searched(found, int(people.max()) + 1),
        "undetected": float((~seen).sum()),
    }


def searched(found: evaluation.Searched, gallery: int) -> dict[str, float]:
    one = evaluation.identification(found, gallery)
    missed = evaluation.with_interval(
        found, partial(evaluation.fnir, threshold=one.threshold_at_fpir[1e-2]), rounds=200
    )
    return {
        "rank1": one.hit_at_rank[1],
        "rank10": one.hit_at_rank[10],
        "fnir_at_fpir_1e-2": missed.value,
        "low": missed.low,
        "high": missed.high,
    }


def enrolments(embedded: Vectors, people: NDArray[np.int64]) -> Iterator[tuple[str, dict[str, float]]]:
    """The same probes against people enrolled with one photograph, with the best of three, with the mean of three."""
    rows = [np.flatnonzero(people == person) for person in range(int(people.max()) + 1)]
    several = [at for at, own in enumerate(rows) if len(own) > ENROLLED]
    probes = np.concatenate([rows[at][ENROLLED:] for at in several])
    held = [own[: ENROLLED if len(own) > ENROLLED else 1] for own in rows]
    ways: dict[str, Callable[[Vectors], Vectors]] = {
        "first photograph": lambda of: of[:1],
        "best of three": lambda of: of,
        "mean of three": lambda of: mean(of)[None],
    }
    for name, way in ways.items():
        scores = np.stack([(embedded[probes] @ way(embedded[own]).T).max(axis=1) for own in held], axis=1)
        yield name, searched(ranked(scores.astype(np.float64), people[probes]), len(rows))


def mean(of: Vectors) -> Vectors:
    total = of.sum(axis=0)
    return np.asarray(total / max(float(np.linalg.norm(total)), 1e-9), np.float32)


def ranked(scores: NDArray[np.float64], mates: NDArray[np.int64]) -> evaluation.Searched:
    rows = np.arange(len(scores))
    mate = scores[rows, mates].copy()
    scores[rows, mates] = -np.inf
    rank = np.asarray(np.count_nonzero(scores >= mate[:, None], axis=1) + 1, np.int64)
    return evaluation.Searched(mates, mate, rank, scores.max(axis=1))


def looked(folder: Path, paths: list[Path], gallery: Vectors, mates: NDArray[np.int64]) -> dict[str, dict[str, float]]:
    """Rank-1 hit rate on hard pictures, with one look and with further ones."""
    load: Any = partial(Ways, folder, LOOKS)
    done = [
        one
        for _, one in track(
            pipeline.through(load, hard, paths), "measuring", total=len(paths), console=Console(stderr=True)
        )
    ]
    return {
        look: {
            f"{way} {level:g}": float(
                np.mean(
                    [v is not None and int(np.argmax(gallery @ v)) == m for v, m in zip(column, mates, strict=True)]
                )
            )
            for at, (way, level) in enumerate(HARD)
            for column in [[one[at][which] for one in done]]
        }
        for which, look in enumerate(LOOKS)
    }


def measured(data: Path, pairs: Path, folder: Path, hard_probes: int) -> dict[str, Any]:
    paths = dataset.photographs(data)
    load: Any = partial(Ways, folder, STEPS)
    done = [
        one
        for _, one in track(
            pipeline.through(load, vectors, paths), "measuring", total=len(paths), console=Console(stderr=True)
        )
    ]
    names = sorted({path.parent.name for path in paths})
    people = np.array([names.index(path.parent.name) for path in paths], np.int64)
    listed, dimension = dataset.read_pairs(pairs, paths), int(pack.about(folder)["dimension"])
    by_step = {name: matrix([one[at] for one in done], dimension) for at, name in enumerate(STEPS)}
    _, first = np.unique(people, return_index=True)
    others = np.setdiff1d(np.arange(len(paths)), first)
    rows = np.random.default_rng(0).permutation(others)[:hard_probes]
    return {
        "photographs": len(paths),
        "people": len(names),
        "steps": {name: figures(embedded, people, listed) for name, embedded in by_step.items()},
        "enrolled": dict(enrolments(by_step["1+mirrored"], people)),
        "hard": looked(folder, [paths[row] for row in rows], by_step["1"][first], people[rows]),
        "hard_probes": len(rows),
    }


def tables(found: dict[str, Any]) -> Iterator[Table]:
    title = f"{found['photographs']} photographs of {found['people']} people"
    for what in ("steps", "enrolled"):
        table = Table(what, *FIGURES, title=title)
        for name, row in found[what].items():
            table.add_row(name, *(f"{row[key]:.4f}" if key in row else "" for key in FIGURES))
        yield table
    table = Table("rank 1", *(f"{way} {level:g}" for way, level in HARD), title=f"{found['hard_probes']} probes")
    for name, row in found["hard"].items():
        table.add_row(name, *(f"{share:.3f}" for share in row.values()))
    yield table


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--data", type=Path, required=True)
    asked.add_argument("--pairs", type=Path, required=True)
    asked.add_argument("--pack", type=Path)
    asked.add_argument("--hard", type=int, default=300, help="probes for the second looks")
    asked.add_argument("--json", type=Path)
    said = asked.parse_args()
    folder = said.pack or pack.default(Path("~/.cache/leadgate").expanduser())
    found = measured(said.data, said.pairs, folder, said.hard)
    for table in tables(found):
        Console(width=160).print(table)
    if said.json:
        said.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
