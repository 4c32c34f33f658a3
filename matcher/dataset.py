"""Reads photographs for evaluation: LFW's layout or any folder per person, and lists of pairs."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matcher import images
from matcher.faces import Faces, Found
from matcher.images import ImageRefusedError, Photo

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".heic"})


class DatasetError(Exception):
    """The photographs or the list of pairs cannot be used; the message names the file and the line."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One photograph of a set: of whom, and what the matcher made of it."""

    path: Path
    person: str
    vector: NDArray[np.float32] | None  # None: refused, or no face was found
    quality: dict[str, float]


def photographs(folder: Path) -> list[Path]:
    """Every photograph, in the order of people and names: a folder per person."""
    if not folder.is_dir():
        raise DatasetError(f"{folder} is not a folder.")
    found = sorted(path for path in folder.glob("*/*") if path.suffix.lower() in SUFFIXES)
    if not found:
        raise DatasetError(f"{folder} has no photographs: a folder for each person is expected in it.")
    return found


def measure(faces: Faces, path: Path) -> Sample:
    """The photograph's main face: the one that is large and near the middle, as such sets are made."""
    try:
        photo = images.decode(path.read_bytes())
    except ImageRefusedError:
        return Sample(path, path.parent.name, None, {})
    face = main_face(faces, photo)
    if face is None:
        return Sample(path, path.parent.name, None, {})
    return Sample(path, path.parent.name, faces.vector(photo, face), measures(face))


def main_face(faces: Faces, photo: Photo) -> Found | None:
    """The face that is large and near the middle; None where there is none."""
    return max(faces.find(photo), key=lambda one: _prominence(one, photo), default=None)


def embedded(faces: Faces, photo: Photo) -> NDArray[np.float32] | None:
    """The main face's vector."""
    face = main_face(faces, photo)
    return None if face is None else faces.vector(photo, face)


def measures(found: Found) -> dict[str, float]:
    """The quality vector, each measure so that more is better."""
    quality = found.face.quality
    return {
        "inter-eye-distance": quality.inter_eye_px,
        "frontal (yaw)": -abs(quality.yaw_deg),
        "frontal (pitch)": -abs(quality.pitch_deg),
        "upright (roll)": -abs(quality.roll_deg),
        "sharpness": quality.sharpness,
        "exposure": -abs(quality.exposure - 127.5),
        "contrast": quality.contrast,
        "detection score": quality.detection_score,
        "unoccluded": -quality.occlusion,
        "little compressed": -quality.compression,
        "no raster": -quality.recapture,
    }


def _prominence(found: Found, photo: Photo) -> float:
    box = found.face.box
    aside = (box.left + box.right - photo.width) / 2, (box.top + box.bottom - photo.height) / 2
    return (box.right - box.left) * (box.bottom - box.top) - 2 * (aside[0] ** 2 + aside[1] ** 2)


@dataclass(frozen=True, slots=True)
class Measured:
    """A whole set: row i of `vectors` is photograph i, zeros where no face was found."""

    paths: tuple[Path, ...]
    names: tuple[str, ...]  # of people
    people: NDArray[np.int64]  # index into names, by photograph
    vectors: NDArray[np.float32]
    quality: tuple[dict[str, float], ...]

    @property
    def undetected(self) -> int:
        return int((~self.vectors.any(axis=1)).sum())


def collected(samples: Sequence[Sample], dimension: int) -> Measured:
    """Samples as one set."""
    names = tuple(sorted({sample.person for sample in samples}))
    number = {name: at for at, name in enumerate(names)}
    vectors = np.zeros((len(samples), dimension), np.float32)
    for at, sample in enumerate(samples):
        if sample.vector is not None:
            vectors[at] = sample.vector
    return Measured(
        tuple(sample.path for sample in samples),
        names,
        np.array([number[sample.person] for sample in samples], np.int64),
        vectors,
        tuple(sample.quality for sample in samples),
    )


def read_groups(file: Path, names: Sequence[str]) -> dict[int, str]:
    """Each labelled person's group, of a CSV with columns person, group: by the person's place in `names`.

    People of whom there are no photographs are passed over: such lists are often longer than the set.
    """
    number, out = {name: at for at, name in enumerate(names)}, dict[int, str]()
    with file.open(encoding="utf-8-sig", newline="") as text:
        rows = csv.DictReader(text)
        if not {"person", "group"} <= set(rows.fieldnames or ()):
            raise DatasetError(f"{file} has no columns person and group.")
        for line, row in enumerate(rows, start=2):
            person, group = row["person"], (row["group"] or "").strip()
            if person in number and group and out.setdefault(number[person], group) != group:
                raise DatasetError(f"{file}, line {line}: {person} is in two groups.")
    if not out:
        raise DatasetError(f"{file} names nobody of whom there are photographs.")
    return out


Pairs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]


def read_pairs(file: Path, paths: Sequence[Path]) -> Pairs:
    """The pairs of a CSV with columns a, b, same, or of LFW's own pairs.txt: rows of a, rows of b, same or not."""
    row_of: dict[str, int] = {}
    for at, path in enumerate(paths):
        row_of[path.name] = row_of[f"{path.parent.name}/{path.name}"] = at
    if file.suffix == ".csv":
        with file.open(encoding="utf-8-sig", newline="") as text:
            rows = csv.DictReader(text)
            if not {"a", "b", "same"} <= set(rows.fieldnames or ()):
                raise DatasetError(f"{file} has no columns a, b and same.")
            named = [(n, row["a"], row["b"], row["same"] == "1") for n, row in enumerate(rows, start=2)]
    else:
        named = _lfw_pairs(file)
    try:
        a, b, same = zip(*((row_of[a], row_of[b], same) for _, a, b, same in named), strict=True)
    except KeyError as error:
        line = next(n for n, *pair in named if error.args[0] in pair)
        raise DatasetError(f"{file}, line {line}: there is no photograph {error.args[0]}") from None
    except ValueError:
        raise DatasetError(f"{file} has no pairs in it.") from None
    return np.array(a), np.array(b), np.array(same)


def _lfw_pairs(file: Path) -> list[tuple[int, str, str, bool]]:
    """`name 1 2` is the same person, `name 1 other 2` are two."""
    out: list[tuple[int, str, str, bool]] = []
    for n, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        match line.split():
            case [name, first, second] if first.isdigit() and second.isdigit():
                out.append((n, _lfw_file(name, first), _lfw_file(name, second), True))
            case [name, first, other, second] if first.isdigit() and second.isdigit():
                out.append((n, _lfw_file(name, first), _lfw_file(other, second), False))
            case _ if n > 1:
                raise DatasetError(f"{file}, line {n}: neither three nor four fields.")
            case _:
                pass  # the first line counts folds
    return out


def _lfw_file(name: str, number: str) -> str:
    return f"{name}_{int(number):04d}.jpg"
