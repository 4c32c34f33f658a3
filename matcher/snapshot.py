"""The searchable gallery on disk: atomic, checksummed, rooted; Postgres stays the truth.

A snapshot appears by a rename, after everything in it was written and synced: a half-written one is never seen. What
does not fit its checksums, or belongs to another model, is not loaded, and the gallery is read from Postgres instead.
(USearch's own `save` writes in place; a kill in the middle loses the file.)
"""

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from matcher.contract import Sha256
from matcher.scan import Quantised, errors_of, huge, quantise

FORMAT = 2
ABOUT, NUMBERS, VECTORS, CODES, LEAVES = "about.json", "numbers.i64", "vectors.f32", "codes.i8", "leaves.sha256"
UNMEASURED, FACELESS = "unmeasured.i64", "faceless.i64"
NAME = re.compile(r"snapshot-(\d{8,})")
COMING = "coming-"
SLACK = 1e-6  # of a bound: another processor may sum up in another order
BUCKET = 4096  # photograph numbers that share an inner node
BLOCK = 8 << 20
READ = 1 << 20
READ_FIRST = 256 << 20  # bytes of vectors; of more, a start does not wait for the last of them
Numbers = NDArray[np.int64]
Vectors = NDArray[np.float32]
Leaves = NDArray[np.uint8]
Nodes = dict[int, bytes]  # by bucket: the hash over what is in it


class SnapshotError(Exception):
    """This snapshot cannot be served; the message says why. The gallery is rebuilt from Postgres."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What may be searched, as of change number `through`: row i is photograph `numbers[i]`, numbers ascending."""

    numbers: Numbers
    vectors: Vectors  # float32, shape (n, d), length 1
    quantised: Quantised
    leaves: Leaves  # uint8, shape (n, 32)
    nodes: Nodes
    through: int
    unproven: "Unproven | None" = None  # whose `vectors` are read only through it
    unmeasured: frozenset[int] = frozenset()  # may be searched, and have no vector of this model
    faceless: frozenset[int] = frozenset()  # nor ever will: the model finds not one face in them

    def read(self, rows: NDArray[np.int64]) -> Vectors:
        """The vectors of these rows, as they were written; SnapshotError where they are not."""
        return self.unproven.read(rows) if self.unproven else self.vectors[rows]

    def prove(self) -> None:
        """Every vector is as it was written, and no further from its code than the certificates say.

        SnapshotError where one is not. May take as long as the disk does.
        """
        if self.unproven:
            self.unproven.prove(self.quantised)


class Unproven:
    """Vectors on the disk that are searched before all of them were read: each is held to its leaf whenever it is read.

    A search rescores some hundreds of vectors out of a million. The codes that it scans, and the leaves, were verified.
    """

    def __init__(self, path: Path, digest: str, numbers: Numbers, leaves: Leaves, vectors: Vectors) -> None:
        self._path, self._digest = path, digest
        self._numbers, self._leaves, self._vectors = numbers, leaves, vectors
        self._proven = False
        self._proving = threading.Lock()

    def read(self, rows: NDArray[np.int64]) -> Vectors:
        """The vectors of these rows, checked."""
        vectors = self._vectors[rows]
        if not self._proven and (hashed(self._numbers[rows], vectors) != self._leaves[rows]).any():
            raise SnapshotError(f"{self._path} is not what was written: a vector does not fit its leaf")
        return vectors

    def prove(self, quantised: Quantised) -> None:
        """The whole file has its digest, and the bounds hold: from now on nothing of it is checked again."""
        with self._proving:
            if not self._proven:
                _verified(self._path, self._digest, None)
                _check_bounds(self._path, self._vectors, quantised)
                self._proven = True


def made(numbers: Numbers, vectors: Vectors, through: int, leaves: Leaves | None = None) -> Snapshot:
    """A snapshot of these photographs, in memory."""
    known = leaves if leaves is not None else hashed(numbers, vectors)
    return Snapshot(numbers, vectors, quantise(vectors), known, nodes_of(numbers, known), through)


def hashed(numbers: Numbers, vectors: Vectors) -> Leaves:
    """RFC 6962's leaf hash of each photograph: of its number and its vector."""
    out = np.empty((len(numbers), 32), np.uint8)
    for at, (number, vector) in enumerate(zip(numbers.tolist(), vectors, strict=True)):
        leaf = hashlib.sha256(b"\0" + number.to_bytes(8, "big") + vector.astype("<f4").tobytes()).digest()
        out[at] = np.frombuffer(leaf, np.uint8)
    return out


def nodes_of(numbers: Numbers, leaves: Leaves) -> Nodes:
    """The tree's nodes, whatever the order in which the photographs came: one for each bucket of 4,096 numbers.

    Each is SHA-256 over 1, its number, and the (number, leaf hash) of its photographs.
    """
    order = np.argsort(numbers, kind="stable")
    numbers, leaves = numbers[order], leaves[order]
    rows = np.empty((len(numbers), 40), np.uint8)
    rows[:, :8] = np.ascontiguousarray(numbers.astype(">i8")).view(np.uint8).reshape(len(numbers), 8)
    rows[:, 8:] = leaves
    buckets = numbers // BUCKET
    starts = np.flatnonzero(np.diff(buckets, prepend=-1))
    ends = np.append(starts, len(numbers))[1:]
    return {
        int(buckets[start]): hashlib.sha256(_head(int(buckets[start])) + rows[start:end].tobytes()).digest()
        for start, end in zip(starts, ends, strict=True)
    }


def _head(bucket: int) -> bytes:
    return b"\1" + bucket.to_bytes(8, "big")


def root(nodes: Nodes) -> str:
    """The root over the photographs: SHA-256 over 2 and the nodes. A change costs one bucket and the nodes."""
    return hashlib.sha256(b"\2" + b"".join(nodes[bucket] for bucket in sorted(nodes))).hexdigest()


# --- on disk ----------------------------------------------------------------------------------------------------------


def save(folder: Path, snapshot: Snapshot, model: str) -> Path:
    """The snapshot is on the disk, whole, and the ones before it are gone: what was expunged stays in none of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(f"{COMING}*"):
        shutil.rmtree(left, ignore_errors=True)  # of a process that was killed
    coming = Path(tempfile.mkdtemp(prefix=COMING, dir=folder))
    try:
        digests = {name: _written(coming / name, array) for name, array in _arrays(snapshot)}
        about = About(
            model=model,
            count=len(snapshot.numbers),
            dimension=snapshot.vectors.shape[1],
            unmeasured=len(snapshot.unmeasured),
            faceless=len(snapshot.faceless),
            scale=snapshot.quantised.scale,
            error=snapshot.quantised.error,
            longest=snapshot.quantised.longest,
            through=snapshot.through,
            root=root(snapshot.nodes),
            files=digests,
        )
        text = about.model_copy(update={"checksum": about.digest()}).model_dump_json(indent=1)
        _written(coming / ABOUT, np.frombuffer(text.encode(), np.uint8))
        _sync(coming)
        before = _kept(folder)
        final = folder / f"snapshot-{_turn(before[-1]) + 1 if before else 1:08d}"
        coming.rename(final)
        _sync(folder)
    except BaseException:  # a full disk, too: nothing half there stays
        shutil.rmtree(coming, ignore_errors=True)
        raise
    for path in before:
        shutil.rmtree(path, ignore_errors=True)
    return final


def _kept(folder: Path) -> list[Path]:
    """The snapshots in it, the newest last; what has another name is none of ours."""
    found = [path for path in folder.glob("snapshot-*") if NAME.fullmatch(path.name) and path.is_dir()]
    return sorted(found, key=_turn)


def _turn(path: Path) -> int:
    return int(path.name.removeprefix("snapshot-"))


class About(BaseModel):
    """What a snapshot says of itself. Every search's certificate rests on it: it carries a checksum of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)

    format: Literal[2] = FORMAT
    model: Sha256
    count: Annotated[int, Field(ge=0)]
    dimension: Annotated[int, Field(ge=1)]
    unmeasured: Annotated[int, Field(ge=0)]
    faceless: Annotated[int, Field(ge=0)]
    scale: Annotated[float, Field(gt=0)]
    error: Annotated[float, Field(ge=0)]
    longest: Annotated[float, Field(ge=0)]
    through: Annotated[int, Field(ge=0)]
    root: Sha256
    files: dict[str, Sha256]
    checksum: str = ""

    def digest(self) -> str:
        """SHA-256 over everything else that it says."""
        return hashlib.sha256(self.model_dump_json(exclude={"checksum"}).encode()).hexdigest()

    def sizes(self) -> dict[str, int]:
        """Of the files that belong to it, in bytes."""
        rows = {NUMBERS: 8, VECTORS: 4 * self.dimension, CODES: self.dimension, LEAVES: 32}
        return {name: each * self.count for name, each in rows.items()} | {
            UNMEASURED: 8 * self.unmeasured,
            FACELESS: 8 * self.faceless,
        }


def _arrays(snapshot: Snapshot) -> Iterator[tuple[str, NDArray[Any]]]:
    yield NUMBERS, snapshot.numbers.astype("<i8")
    yield VECTORS, snapshot.vectors
    yield CODES, snapshot.quantised.codes
    yield LEAVES, snapshot.leaves
    yield UNMEASURED, np.array(sorted(snapshot.unmeasured), "<i8")
    yield FACELESS, np.array(sorted(snapshot.faceless), "<i8")


def _written(path: Path, array: NDArray[Any]) -> str:
    """The array's bytes are in the file and synced: their SHA-256."""
    digest = hashlib.sha256()
    flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    with path.open("wb") as file:
        for at in range(0, len(flat), BLOCK):
            part = flat[at : at + BLOCK].data
            digest.update(part)
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def load(folder: Path, model: str, dimension: int, read_first: int = READ_FIRST) -> Snapshot | None:
    """The newest snapshot; None where there is none; SnapshotError where it is damaged.

    Everything in it is verified byte by byte, except vectors of more than `read_first` bytes: see `Unproven`.
    """
    kept = _kept(folder)
    if not kept:
        return None
    newest = kept[-1]
    about = _about(newest, model, dimension)
    shape = (about.count, dimension)
    codes = huge(shape)
    later = 4 * about.count * dimension > read_first
    with ThreadPoolExecutor(2) as pool:  # hashing releases Python's lock
        checks = [
            pool.submit(_verified, newest / name, digest, codes if name == CODES else None)
            for name, digest in about.files.items()
            if not (later and name == VECTORS)
        ]
        for check in checks:
            check.result()
    numbers = _numbers(newest / NUMBERS)
    leaves = np.fromfile(newest / LEAVES, np.uint8).reshape(about.count, 32)
    mapped = np.memmap(newest / VECTORS, np.float32, "r", shape=shape) if about.count else np.zeros(shape, np.float32)
    nodes = nodes_of(numbers, leaves)
    if root(nodes) != about.root:
        raise SnapshotError(f"{newest}: the root does not fit what is in it")
    quantised = Quantised(codes, about.scale, about.error, about.longest)
    if not later:
        _check_bounds(newest, mapped, quantised)
    return Snapshot(
        numbers=numbers,
        vectors=mapped,
        quantised=quantised,
        leaves=leaves,
        nodes=nodes,
        through=about.through,
        unproven=Unproven(newest / VECTORS, about.files[VECTORS], numbers, leaves, mapped) if later else None,
        unmeasured=frozenset(_numbers(newest / UNMEASURED).tolist()),
        faceless=frozenset(_numbers(newest / FACELESS).tolist()),
    )


def _numbers(path: Path) -> Numbers:
    return np.fromfile(path, "<i8").astype(np.int64)


def _about(path: Path, model: str, dimension: int) -> About:
    try:
        text = (path / ABOUT).read_bytes()
        about = About.model_validate_json(text)
        if about.checksum != about.digest():
            raise SnapshotError(f"{path}: {ABOUT} is not what was written: its checksum is wrong")
        if (about.model, about.dimension) != (model, dimension):
            raise SnapshotError(f"{path}: made with another model; its vectors mean nothing to this one")
        sizes = about.sizes()
        if set(about.files) != set(sizes):
            raise SnapshotError(f"{path}: written by another version")
        for name, size in sizes.items():
            if (path / name).stat().st_size != size:
                raise SnapshotError(f"{path}: {name} is cut short")
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)[0]
        said = ".".join(str(part) for part in wrong["loc"])
        raise SnapshotError(
            f"{path}: {ABOUT} cannot be used, or is of another version ({said}: {wrong['msg']})"
        ) from None
    except OSError as error:
        raise SnapshotError(f"{path}: cannot be read ({type(error).__name__})") from error
    return about


def _check_bounds(path: Path, vectors: Vectors, quantised: Quantised) -> None:
    """The vectors are no further from their codes than is said: what every search is certified complete by."""
    error, longest = errors_of(vectors, quantised.codes, quantised.scale)
    if error > quantised.error * (1 + SLACK) or longest > quantised.longest * (1 + SLACK):
        raise SnapshotError(f"{path}: its bounds do not hold, so that no search on it could be certified complete")


def _verified(path: Path, expected: str, into: NDArray[np.int8] | None) -> None:
    """The file's bytes have this digest; they are put `into` the array where one is given."""
    digest, at = hashlib.sha256(), 0
    flat = into.reshape(-1).view(np.uint8) if into is not None else None
    again = np.empty(READ, np.uint8)  # the same bytes every time: they stay in the cache
    try:
        with path.open("rb", buffering=0) as file:
            while got := file.readinto(part := (flat[at : at + READ] if flat is not None else again).data):
                digest.update(part[:got])
                at += got
    except OSError as error:
        raise SnapshotError(f"{path} cannot be read ({type(error).__name__})") from error
    if digest.hexdigest() != expected:
        raise SnapshotError(f"{path} is not what was written: its checksum is wrong")


def discard(folder: Path) -> None:
    """No snapshot is left."""
    for path in (*_kept(folder), *folder.glob(f"{COMING}*")):
        shutil.rmtree(path, ignore_errors=True)


def purge(every: Path, current: Path, *, before: float) -> None:
    """Of all galleries' and models' snapshots (every/gallery/model), none is left that is out of use.

    They hold vectors of people whom nobody takes out of them any more (M13). Those of `current`'s gallery with another
    model go at once; those of other galleries, which another matcher may serve, if not written since `before` (seconds
    since 1970): all they are to it is a faster start.
    """
    for folder in every.glob("*/*"):
        with contextlib.suppress(OSError):  # its own matcher may be at it
            if folder != current and (folder.parent == current.parent or folder.stat().st_mtime < before):
                shutil.rmtree(folder)
                folder.parent.rmdir()  # where it was the only one
