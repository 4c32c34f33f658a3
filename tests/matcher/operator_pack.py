"""An operator's own model pack, for tests and measurements alone: buffalo_sc, whose licence is non-commercial research.

    uv run python -m tests.matcher.operator_pack DIR

Its weights lie inside a wheel on PyPI; they are fetched from there once, checked, and are in no repository and no
distribution of ours.
"""

import argparse
import hashlib
import json
import subprocess
import tempfile
import zipfile
from pathlib import Path

WHEEL = "smartpi==1.4.9"
INSIDE = "smartpi/models/face/buffalo_sc/"
SHA256 = {
    "det_500m.onnx": "5e4447f50245bbd7966bd6c0fa52938c61474a04ec7def48753668a9d8b4ea3a",
    "w600k_mbf.onnx": "9cc6e4a75f0e2bf0b1aed94578f144d15175f357bdc05e815e5c4a02b319eb4f",
}
ABOUT = {
    "pack": "buffalo_sc",
    "licence": "InsightFace model zoo: non-commercial research only; for evaluation",
    "dimension": 512,
    "thresholds": {"1e-4": 0.30, "1e-5": 0.36},
    "evaluation": {"lfw_rank1": 0.9846, "lfw_fnir_at_fpir_1e-2": 0.0264},  # tests/benchmarks/README.md
}


class UnreachableError(Exception):
    """The package index does not answer; nothing was fetched."""


def buffalo_sc(folder: Path) -> Path:
    """`folder` is a pack as an operator would make one; fetched (96 MiB) where it is not there yet."""
    if not (folder / "pack.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as scratch, zipfile.ZipFile(_wheel(Path(scratch))) as wheel:
            for name, digest in SHA256.items():
                data = wheel.read(INSIDE + name)
                assert hashlib.sha256(data).hexdigest() == digest, f"{name} is not the file that was measured"
                (folder / name).write_bytes(data)
        (folder / "pack.json").write_text(json.dumps(ABOUT, indent=1))
    return folder


def _wheel(scratch: Path) -> Path:
    argv = ["uvx", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--python-version", "3.9"]
    try:
        ran = subprocess.run(
            [*argv, "--implementation", "cp", "--dest", str(scratch), WHEEL],
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise UnreachableError("uv is not installed") from None
    if ran.returncode:
        raise UnreachableError(ran.stderr[-300:])
    return next(scratch.glob("*.whl"))


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("folder", type=Path)
    print(buffalo_sc(asked.parse_args().folder))
