"""`python -m deploy.demo.cast.measure PICTURES`: how well the default model tells the cast apart.

Renders probes that are not committed, under the nuisances of `camera`, and searches the committed gallery with the
product's own matcher. The figures describe these renderings and say nothing about accuracy on people.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.random import RandomState
from PIL import Image

from matcher import images, pack
from matcher.faces import Faces

from .arrays import Floats, Pixels
from .camera import nuisance, still
from .head import Head
from .identity import identity
from .pictures import STATEMENT
from .render import Person
from .roster import ARRESTED, STRANGERS

Vector = Floats
FEW, MANY = 5, 10
SHARES = (1, 5, 25, 50, 75, 95, 99)


@dataclass(frozen=True, slots=True)
class Seen:
    """A probe as the matcher saw it: whose seed, whether drawn hard, and the vector; None where no face was found."""

    seed: int
    hard: bool
    vector: Vector | None


def main(
    cast: Annotated[Path, typer.Argument(help="the folder of gallery.jsonl")] = Path(__file__).parent,
    each: Annotated[int, typer.Option(help="probes of each person; every third is drawn hard")] = 3,
    cache: Annotated[Path, typer.Option(help="where the default model pack is kept")] = Path("~/.cache/leadgate"),
    keep: Annotated[Path | None, typer.Option(help="keep the probes here")] = None,
) -> None:
    """Prints detection, ranks and score quantiles."""
    cv2.setNumThreads(1)
    faces = Faces(pack.default(cache.expanduser()), threads=1)
    gallery = [
        vector_of(faces, (cast / f"pictures/gallery/S-{n + 1:04d}-a.jpg").read_bytes()) for n in range(len(ARRESTED))
    ]
    if any(vector is None for vector in gallery):
        raise SystemExit(f"no face in {[n + 1 for n, v in enumerate(gallery) if v is None]}")
    enrolled = np.stack([v for v in gallery if v is not None])
    seen = list(probes(faces, each, keep))
    report(enrolled, [s for s in seen if s.seed in ARRESTED], [s for s in seen if s.seed not in ARRESTED])


def probes(faces: Faces, each: int, keep: Path | None) -> Iterator[Seen]:
    head = Head()
    for seed in (*ARRESTED, *STRANGERS):
        person = Person(head, identity(seed))
        for take in range(each):
            random = RandomState(seed * 31 + take + 5)
            hard = take % 3 == 2  # noqa: PLR2004 - every third
            picture = still(person, nuisance(random, hard=hard), random)
            data = jpeg(picture)
            if keep:
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"{seed:04d}-{take}.jpg").write_bytes(data)
            yield Seen(seed, hard, vector_of(faces, data))


def jpeg(picture: Pixels) -> bytes:
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=90, comment=STATEMENT.encode())
    return out.getvalue()


def vector_of(faces: Faces, data: bytes) -> Vector | None:
    """The vector of a picture's only face; None where the matcher finds none, or several."""
    photo = images.decode(data)
    found = faces.find(photo)
    return faces.vector(photo, found[0]) if len(found) == 1 else None


def report(enrolled: Vector, mated: list[Seen], strangers: list[Seen]) -> None:
    found = [s for s in mated if s.vector is not None]
    scores = np.stack([s.vector for s in found if s.vector is not None]) @ enrolled.T
    own = np.array([ARRESTED.index(s.seed) for s in found])
    mates = scores[np.arange(len(own)), own]
    others = scores.copy()
    others[np.arange(len(own)), own] = -1
    rank = (scores > mates[:, None]).sum(1) + 1
    hard = np.array([s.hard for s in found])
    print(f"{len(enrolled)} enrolled, {len(mated)} probes of them, one face found in {len(found) / len(mated):.3f}")
    for name, chosen in (("all", slice(None)), ("plain", ~hard), ("hard", hard)):
        of = rank[chosen]
        first, few, many = (np.mean(of <= at) for at in (1, FEW, MANY))
        print(f"  {name}: rank 1 {first:.3f}, rank {FEW} {few:.3f}, rank {MANY} {many:.3f}")
    _quantiles("mates", mates)
    _quantiles("non-mates", others[others > -1])
    _quantiles("best non-mate", others.max(1))
    if alone := [s.vector for s in strangers if s.vector is not None]:
        best = (np.stack(alone) @ enrolled.T).max(1)
        _quantiles(f"best of a stranger ({len(alone)} probes)", best)
        for threshold in (0.6, 0.65, 0.7, 0.72, 0.75):
            missed, raised = np.mean((mates < threshold) | (rank > 1)), np.mean(best >= threshold)
            print(f"  at {threshold:.2f}: mates missed {missed:.3f}, strangers with a candidate {raised:.3f}")


def _quantiles(name: str, scores: Vector) -> None:
    told = ", ".join(f"{s} % {v:.2f}" for s, v in zip(SHARES, np.percentile(scores, SHARES), strict=True))
    print(f"  {name}: {told}")


if __name__ == "__main__":
    typer.run(main)
