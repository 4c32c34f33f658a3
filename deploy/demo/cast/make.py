"""`python -m deploy.demo.cast.make --out DIR`: renders the committed pictures again, and their manifests.

The same seeds give the same pictures. About two seconds a picture on one core.
"""

import json
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import cv2
import typer
from numpy.random import RandomState

from .backdrop import Place, place
from .camera import STILL, Nuisance, clear, mugshot, nuisance, shot, step_into, still, younger
from .head import Head
from .identity import identity
from .pedigree import AGENCY, Pedigree, pedigree
from .pictures import save
from .render import Person
from .roster import ARRESTED, EARLIER_EVERY, STRANGERS, TALES, Tale
from .srgb import to_linear

MUGSHOT_QUALITY, STILL_QUALITY = 82, 86
Row = dict[str, Any]


def main(
    out: Annotated[Path, typer.Option(help="where the pictures and manifests go")],
    people: Annotated[int, typer.Option(help="how many of the arrested; all of them if 0")] = 0,
) -> None:
    """Renders the gallery and the probes into OUT."""
    cv2.setNumThreads(1)
    head = Head()
    arrested = ARRESTED[: people or None]
    gallery = [row for index, seed in enumerate(arrested) for row in arrest(head, out, index, seed)]
    write(out / "gallery.jsonl", gallery)
    probes = [probe(head, out, tale) for tale in TALES if tale.seed in STRANGERS or tale.seed in arrested]
    probes += [two_people(head, out, arrested), nobody(out)]
    write(out / "probes.jsonl", probes)
    print(f"{len(gallery)} photographs of {len(arrested)} people, {len(probes)} probes: {out}")


def arrest(head: Head, out: Path, index: int, seed: int) -> list[Row]:
    """One person's photographs, as rows of the enrolment manifest."""
    who = identity(seed)
    record = pedigree(who, index, twice=index % EARLIER_EVERY == EARLIER_EVERY - 1)
    taken = {"a": (who, record.taken_on)}
    if record.earlier:
        taken["b"] = (younger(who, record.taken_on.year - record.earlier.year), record.earlier)
    rows: list[Row] = []
    for letter, (then, day) in taken.items():
        photo = f"pictures/gallery/{record.person}-{letter}.jpg"
        nth = 0 if letter == "a" else 1
        save(mugshot(Person(head, then), record.height_cm, nth), out / photo, MUGSHOT_QUALITY)
        rows.append(gallery_row(record, photo, day, letter))
    return rows


def gallery_row(record: Pedigree, photo: str, day: date, letter: str) -> Row:
    return {
        "person": record.person,
        "photo": photo,
        "legal_basis": "arrest",
        "agency": AGENCY,
        "arrest_id": f"D-{day.year}-{record.person[2:]}{letter}",
        "photo_date": day.isoformat(),
        "juvenile": False,
        "sealed": False,
        "name": record.name,
        "sex": record.sex,
        "birth_year": record.birth_year,
        "height_cm": record.height_cm,
        "weight_kg": record.weight_kg,
        "marks": record.marks,
    }


def probe(head: Head, out: Path, tale: Tale) -> Row:
    """One still, as a row of the probes' manifest."""
    random = RandomState(tale.take)
    drawn = clear(random) if tale.kind == "clear" else nuisance(random, hard=tale.kind == "hard")
    drawn = replace(drawn, where=Place(tale.where))
    path = f"pictures/probes/{tale.name}.jpg"
    save(still(Person(head, identity(tale.seed)), drawn, random), out / path, STILL_QUALITY)
    return probe_row(path, person_of(tale.seed), 1, drawn, tale.about)


def two_people(head: Head, out: Path, arrested: tuple[int, ...]) -> Row:
    """A still with two faces in it: a stranger on the left, somebody enrolled on the right."""
    random = RandomState(77)
    drawn = replace(clear(random), where=Place.LOBBY, scale=76.0)
    width, height = STILL
    scene = to_linear(place(drawn.where, random, width, height)) * 0.75
    seeds = STRANGERS[0], arrested[0]
    for seed, column in zip(seeds, (-128.0, 128.0), strict=True):
        scene = step_into(scene, Person(head, identity(seed)), drawn, random, column)
    path = "pictures/probes/two-people.jpg"
    save(shot(scene, drawn, random), out / path, STILL_QUALITY)
    row = probe_row(path, None, 2, drawn, "two people: the requester has to say who is meant")
    return row | {"people": [person_of(seed) for seed in seeds]}


def nobody(out: Path) -> Row:
    """An empty corridor."""
    random = RandomState(78)
    drawn = replace(nuisance(random), where=Place.CORRIDOR)
    scene = to_linear(place(drawn.where, random, *STILL)) * 0.7
    path = "pictures/probes/no-face.jpg"
    save(shot(scene, drawn, random), out / path, STILL_QUALITY)
    return probe_row(path, None, 0, drawn, "nobody: there is nothing to search for")


def person_of(seed: int) -> str | None:
    """The enrolled person of a seed; None for strangers."""
    return f"S-{ARRESTED.index(seed) + 1:04d}" if seed in ARRESTED else None


def probe_row(path: str, person: str | None, faces: int, drawn: Nuisance, about: str) -> Row:
    measured = {k: round(v, 2) if isinstance(v, float) else v for k, v in asdict(drawn).items()}
    return {"probe": path, "person": person, "faces": faces, "about": about, "nuisance": measured}


def write(path: Path, rows: list[Row]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
