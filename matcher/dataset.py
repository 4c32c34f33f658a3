"""Reads photographs for evaluation: LFW's layout or any folder per person, and lists of pairs."""

import csv
import hashlib
import io
import re
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
    found = sorted(path for path in folder.glob("*/*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not found:
        raise DatasetError(f"{folder} has no photographs: a folder for each person is expected in it.")
    return found


def measure(faces: Faces, path: Path) -> Sample:
    """The photograph's main face: the one that is large and near the middle, as such sets are made."""
    try:
        photo = images.decode(path.read_bytes())
    except (ImageRefusedError, OSError):  # an error of the search's, as a face is that was not found
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
    try:
        rows = csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig")))
        if not {"person", "group"} <= set(rows.fieldnames or ()):
            raise DatasetError(f"{file} has no columns person and group.")
        for row in rows:
            person, group = row["person"], (row["group"] or "").strip()
            if person in number and group and out.setdefault(number[person], group) != group:
                raise DatasetError(f"{file}, line {rows.line_num}: {person} is in two groups.")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{file} cannot be read ({type(error).__name__}).") from None
    if not out:
        raise DatasetError(f"{file} names nobody of whom there are photographs.")
    return out


@dataclass(frozen=True, slots=True)
class Pairs:
    """Given pairs: rows of a, rows of b, whether they are of one person, and the list's own folds, where it has any."""

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    same: NDArray[np.bool_]
    fold: NDArray[np.int64] | None


@dataclass(frozen=True, slots=True)
class _Pair:
    line: int
    a: str
    b: str
    same: bool
    fold: int | None = None


def read_pairs(file: Path, paths: Sequence[Path]) -> Pairs:
    """The pairs of a CSV with columns a, b, same (and fold), or of LFW's own pairs.txt with its folds."""
    row_of: dict[str, int] = {}
    several: set[str] = set()
    for at, path in enumerate(paths):
        several |= {path.name} & row_of.keys()
        row_of[path.name] = row_of[f"{path.parent.name}/{path.name}"] = at
    pairs = _lines(file)
    if not pairs:
        raise DatasetError(f"{file} has no pairs in it.")
    for pair in pairs:
        for name in (pair.a, pair.b):
            if name in several:
                raise DatasetError(f"{file}, line {pair.line}: several photographs are called {name}; name the folder.")
            if name not in row_of:
                raise DatasetError(f"{file}, line {pair.line}: there is no photograph {name}")
    folds = [pair.fold for pair in pairs if pair.fold is not None]
    return Pairs(
        np.array([row_of[pair.a] for pair in pairs]),
        np.array([row_of[pair.b] for pair in pairs]),
        np.array([pair.same for pair in pairs]),
        np.array(folds) if len(folds) == len(pairs) else None,
    )


def _lines(file: Path) -> list[_Pair]:
    try:
        text = file.read_text(encoding="utf-8-sig")
        return _csv_pairs(file, text) if file.suffix.lower() == ".csv" else _lfw_pairs(file, text)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{file} cannot be read ({type(error).__name__}).") from None


SAME = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


def _csv_pairs(file: Path, text: str) -> list[_Pair]:
    rows = csv.DictReader(io.StringIO(text))
    if not {"a", "b", "same"} <= set(rows.fieldnames or ()):
        raise DatasetError(f"{file} has no columns a, b and same.")
    out: list[_Pair] = []
    for row in rows:
        same, fold = (row["same"] or "").strip().lower(), row.get("fold")
        if same not in SAME:
            raise DatasetError(f"{file}, line {rows.line_num}: same is {same!r}, neither 1 nor 0.")
        if fold is not None and not re.fullmatch("[0-9]{1,4}", fold):
            raise DatasetError(f"{file}, line {rows.line_num}: fold {fold!r} is not a number.")
        out.append(_Pair(rows.line_num, row["a"] or "", row["b"] or "", SAME[same], int(fold) if fold else None))
    return out


def _lfw_pairs(file: Path, text: str) -> list[_Pair]:
    """`name 1 2` is the same person, `name 1 other 2` are two. The first line counts folds and pairs of each kind."""
    out: list[_Pair] = []
    each = 0
    for n, line in enumerate(text.splitlines(), start=1):
        fold = len(out) // each if each else None
        match line.split():
            case [folds, pairs] if n == 1 and NUMBER.fullmatch(folds) and NUMBER.fullmatch(pairs):
                each = 2 * int(pairs)
            case [name, first, second] if NUMBER.fullmatch(first) and NUMBER.fullmatch(second):
                out.append(_Pair(n, _lfw_file(name, first), _lfw_file(name, second), same=True, fold=fold))
            case [name, first, other, second] if NUMBER.fullmatch(first) and NUMBER.fullmatch(second):
                out.append(_Pair(n, _lfw_file(name, first), _lfw_file(other, second), same=False, fold=fold))
            case _ if n > 1:
                raise DatasetError(f"{file}, line {n}: neither three nor four fields.")
            case _:
                pass
    return out


NUMBER = re.compile("[0-9]{1,6}")


def _lfw_file(name: str, number: str) -> str:
    return f"{name}_{int(number):04d}.jpg"


def digest(paths: Sequence[Path]) -> str:
    """SHA-256 over the photographs, names and bytes: whether two evaluations saw the same set."""
    whole = hashlib.sha256()
    for path in paths:
        whole.update(f"{path.parent.name}/{path.name}".encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()
