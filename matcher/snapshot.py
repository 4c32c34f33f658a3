"""The searchable gallery on disk: atomic, checksummed, rooted; Postgres stays the truth.

A snapshot appears by a rename, after everything in it was written and synced: a half-written one is never seen. What
does not fit its checksums, or belongs to another model, is not loaded, and the gallery is read from Postgres instead.
(USearch's own `save` writes in place; a kill in the middle loses the file.)
"""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matcher.scan import Quantised, huge, quantise

FORMAT = 1
VECTORS = "vectors.f32"
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

    def read(self, rows: NDArray[np.int64]) -> Vectors:
        """The vectors of these rows, as they were written; SnapshotError where they are not."""
        return self.unproven.read(rows) if self.unproven else self.vectors[rows]

    def prove(self) -> None:
        """Every vector is as it was written: SnapshotError where one is not. May take as long as the disk does."""
        if self.unproven:
            self.unproven.prove()


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

    def prove(self) -> None:
        """The whole file has its digest: from now on nothing of it is checked again."""
        with self._proving:
            if not self._proven:
                _verified(self._path, self._digest, None)
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
    for left in folder.glob("coming-*"):
        shutil.rmtree(left, ignore_errors=True)  # of a process that was killed
    coming = Path(tempfile.mkdtemp(prefix="coming-", dir=folder))
    try:
        digests = {name: _written(coming / name, array) for name, array in _arrays(snapshot)}
        about = {
            "format": FORMAT,
            "model": model,
            "count": len(snapshot.numbers),
            "dimension": snapshot.vectors.shape[1],
            "scale": snapshot.quantised.scale,
            "error": snapshot.quantised.error,
            "longest": snapshot.quantised.longest,
            "through": snapshot.through,
            "root": root(snapshot.nodes),
            "files": digests,
        }
        _written(coming / "about.json", np.frombuffer(json.dumps(about, indent=1).encode(), np.uint8))
        _sync(coming)
        last = max((int(path.name.split("-")[1]) for path in folder.glob("snapshot-*")), default=0)
        final = folder / f"snapshot-{last + 1:08d}"
        coming.rename(final)
        _sync(folder)
    except BaseException:  # a full disk, too: nothing half there stays
        shutil.rmtree(coming, ignore_errors=True)
        raise
    for before in folder.glob("snapshot-*"):
        if before != final:
            shutil.rmtree(before, ignore_errors=True)
    return final


def _arrays(snapshot: Snapshot) -> Iterator[tuple[str, NDArray[Any]]]:
    yield "numbers.i64", snapshot.numbers.astype("<i8")
    yield VECTORS, snapshot.vectors
    yield "codes.i8", snapshot.quantised.codes
    yield "leaves.sha256", snapshot.leaves


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
    newest = max(folder.glob("snapshot-*"), default=None)
    if newest is None:
        return None
    about = _about(newest, model, dimension)
    count, shape = int(about["count"]), (int(about["count"]), dimension)
    codes = huge(shape)
    digests: dict[str, str] = dict(about["files"])
    later = 4 * count * dimension > read_first
    with ThreadPoolExecutor(2) as pool:  # hashing releases Python's lock
        checks = [
            pool.submit(_verified, newest / name, digest, codes if name == "codes.i8" else None)
            for name, digest in digests.items()
            if not (later and name == VECTORS)
        ]
        for check in checks:
            check.result()
    numbers = np.fromfile(newest / "numbers.i64", "<i8").astype(np.int64)
    leaves = np.fromfile(newest / "leaves.sha256", np.uint8).reshape(count, 32)
    mapped = np.memmap(newest / VECTORS, np.float32, "r", shape=shape) if count else np.zeros(shape, np.float32)
    nodes = nodes_of(numbers, leaves)
    if root(nodes) != about["root"]:
        raise SnapshotError(f"{newest}: the root does not fit what is in it")
    quantised = Quantised(codes, about["scale"], about["error"], about["longest"])
    unproven = Unproven(newest / VECTORS, digests[VECTORS], numbers, leaves, mapped) if later else None
    return Snapshot(numbers, mapped, quantised, leaves, nodes, about["through"], unproven)


def _about(path: Path, model: str, dimension: int) -> dict[str, Any]:
    try:
        about: dict[str, Any] = json.loads((path / "about.json").read_text(encoding="utf-8"))
        sizes = {"numbers.i64": 8, VECTORS: 4 * dimension, "codes.i8": dimension, "leaves.sha256": 32}
        if about["format"] != FORMAT or set(about["files"]) != set(sizes):
            raise SnapshotError(f"{path}: written by another version")
        if about["model"] != model or about["dimension"] != dimension:
            raise SnapshotError(f"{path}: made with another model; its vectors mean nothing to this one")
        for name, each in sizes.items():
            if (path / name).stat().st_size != each * about["count"]:
                raise SnapshotError(f"{path}: {name} is cut short")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SnapshotError(f"{path}: cannot be read ({type(error).__name__})") from error
    return about


def _verified(path: Path, expected: str, into: NDArray[np.int8] | None) -> None:
    """The file's bytes have this digest; they are put `into` the array where one is given."""
    digest, at = hashlib.sha256(), 0
    flat = into.reshape(-1).view(np.uint8) if into is not None else None
    again = np.empty(READ, np.uint8)  # the same bytes every time: they stay in the cache
    with path.open("rb", buffering=0) as file:
        while got := file.readinto(part := (flat[at : at + READ] if flat is not None else again).data):
            digest.update(part[:got])
            at += got
    if digest.hexdigest() != expected:
        raise SnapshotError(f"{path} is not what was written: its checksum is wrong")


def discard(folder: Path) -> None:
    """No snapshot is left."""
    for path in (*folder.glob("snapshot-*"), *folder.glob("coming-*")):
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(path)
