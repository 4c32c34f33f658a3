"""Whether a certified first pass over fewer bytes can be had, and what it would cost: a table.

    uv run --no-sync python -m tests.benchmarks.first_pass --n 1000000 --json FILE [--kernels] [--fast-scan]
    uv run --no-sync python -m tests.benchmarks.first_pass --data FOLDER-OF-PHOTOGRAPHS --k 10

A first pass holds each row x as x' in b bits a dimension and knows the length e of x - x' exactly. A row can be left out
only where x'·p + e|p| stays below the k-th best score (Cauchy-Schwarz: nothing else is known of what was left out); the
others are read again as int8. The probe is taken as exact here, which flatters every line. `any code` is what no code
whatsoever can better for vectors without a preferred direction: b bits a dimension leave at least 2^-b of a row's
length unknown (rate and distortion, Shannon 1959). `prefix` holds the first dimensions of a principal component
analysis as they are and bounds the rest by its length.

Reading (1,000,000 x 512, k = 50; the table is in README.md): at the 128 bytes a row of FAISS's fast scan (2 bits) even
an ideal code leaves .25 of a row unknown and 96 % of the rows to be read again. Four bits are the fewest that leave most
rows out: with the survivors, 294 bytes a row, which take 1.6 times the fast scan's time to be read before anything is
computed (1.7 with a probe of 8 bits). Built on numkong's 4-bit kernel it was slower than the int8 scan as a whole, the
scattered survivors costing more than the narrower rows save. So int8 is scanned whole.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numkong
import numpy as np
from rich.console import Console
from rich.table import Table

from matcher import dataset, images, pack
from matcher.faces import Faces
from matcher.scan import huge
from tests.benchmarks.search import faiss_index, gallery

BITS = (1, 2, 3, 4, 5, 6, 8)
PREFIXES = (1 / 8, 1 / 4, 1 / 2, 3 / 4)
BLOCK = 20_000
PROBES = 20
SAMPLE = 50_000
CHUNK = 32_768


@dataclass(frozen=True, slots=True)
class Line:
    """One first pass, medians over the probes."""

    code: str
    bits: float
    unknown: float  # mean length of what the code leaves out of a row of length 1
    survive: float  # share of the rows that have to be read again
    bytes_a_row: float  # in all, the second reading included
    read_ms: float  # of all rows, at the measured speed of memory


# --- codes ------------------------------------------------------------------------------------------------------------


def lloyd_max(bits: int) -> np.ndarray:
    """The 2^bits values that leave least out of a normal variable (Max 1960): each the mean of what is nearest to it."""
    x = np.linspace(-6, 6, 20_001)
    weight = np.exp(-(x**2) / 2)
    values = np.linspace(-2.5, 2.5, 1 << bits)
    for _ in range(600):
        of = np.searchsorted((values[1:] + values[:-1]) / 2, x)
        total = np.bincount(of, weight, len(values))
        values = np.bincount(of, weight * x, len(values)) / np.maximum(total, 1e-300)
    return values


def uniform(bits: int) -> np.ndarray:
    """The 2^bits equidistant values that leave least out of a normal variable: what integer kernels can add up."""
    x = np.linspace(-6, 6, 20_001)
    weight = np.exp(-(x**2) / 2)
    middle = np.arange(1 << bits) - ((1 << bits) - 1) / 2

    def left(step: float) -> float:
        return float((weight * (x - _nearest(x, middle * step)) ** 2).sum())

    return middle * min(np.linspace(0.02, 2.4, 400), key=left)


def _nearest(x: np.ndarray, values: np.ndarray) -> np.ndarray:
    return values.astype(x.dtype)[np.searchsorted((values[1:] + values[:-1]) / 2, x)]


Code = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]  # rows -> (rows as held, length of what is left out)


def quantised(values: np.ndarray, spread: float) -> Code:
    def code(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        held = _nearest(rows / np.float32(spread), values) * np.float32(spread)
        return held, np.linalg.norm(rows - held, axis=1)

    return code


# --- what survives ----------------------------------------------------------------------------------------------------


def blocks(vectors: np.ndarray) -> Iterator[np.ndarray]:
    for at in range(0, len(vectors), BLOCK):
        yield vectors[at : at + BLOCK]


def survivors(vectors: np.ndarray, probes: np.ndarray, kth: np.ndarray, code: Code) -> tuple[float, float]:
    """(mean length left out, median share of rows that may still belong to the answer)."""
    may, left = np.zeros(len(probes)), 0.0
    for rows in blocks(vectors):
        held, unknown = code(rows)
        may += (held @ probes.T + unknown[:, None] >= kth).sum(axis=0)
        left += float(unknown.sum())
    return left / len(vectors), float(np.median(may)) / len(vectors)


def of_prefix(vectors: np.ndarray, probes: np.ndarray, kth: np.ndarray, width: int) -> tuple[float, float]:
    may, left = np.zeros(len(probes)), 0.0
    rest = np.linalg.norm(probes[:, width:], axis=1)
    for rows in blocks(vectors):
        unknown = np.linalg.norm(rows[:, width:], axis=1)
        may += (rows[:, :width] @ probes[:, :width].T + unknown[:, None] * rest >= kth).sum(axis=0)
        left += float(unknown.sum())
    return left / len(vectors), float(np.median(may)) / len(vectors)


def ideal(vectors: np.ndarray, probes: np.ndarray, kth: np.ndarray, bits: int) -> tuple[float, float]:
    """As if the scores of rows with 2^-bits of them unknown were spread as the exact ones are."""
    may = np.zeros(len(probes))
    for rows in blocks(vectors):
        may += (rows @ probes.T + 2.0**-bits >= kth).sum(axis=0)
    return 2.0**-bits, float(np.median(may)) / len(vectors)


def principal(vectors: np.ndarray) -> np.ndarray:
    """Columns: the directions along which the rows differ most, first the widest."""
    some = vectors[:: max(1, len(vectors) // SAMPLE)].astype(np.float64)
    return np.linalg.eigh(some.T @ some)[1][:, ::-1].astype(np.float32)


def turned(vectors: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """`vectors @ basis`, in their own place."""
    for rows in blocks(vectors):
        rows[:] = rows @ basis
    return vectors


def table_of(vectors: np.ndarray, probes: np.ndarray, k: int, gb_s: float) -> list[Line]:
    n, d = vectors.shape
    kth = np.sort(np.concatenate([np.sort(r @ probes.T, axis=0)[-k:] for r in blocks(vectors)]), axis=0)[-k]
    rng = np.random.default_rng(2)
    basis = np.linalg.qr(rng.standard_normal((d, d)))[0].astype(np.float32)  # makes components alike, whatever the data
    vectors, probes = turned(vectors, basis), probes @ basis
    lines: list[Line] = []

    def add(code: str, bits: float, found: tuple[float, float]) -> None:
        size = bits * d / 8 + found[1] * d
        lines.append(Line(code, bits, *found, size, size * n / gb_s / 1e6))

    spread = float(np.sqrt(np.mean(vectors[:: max(1, n // SAMPLE)] ** 2)))
    for bits in BITS:
        for name, values in (("uniform", uniform), ("Lloyd-Max", lloyd_max)):
            if name == "uniform" or bits < 6:
                add(name, bits, survivors(vectors, probes, kth, quantised(values(bits), spread)))
        add("any code", bits, ideal(vectors, probes, kth, bits))
    basis = principal(vectors)
    vectors, probes = turned(vectors, basis), probes @ basis
    for share in PREFIXES:
        add(f"prefix {int(share * d)}", 8 * share, of_prefix(vectors, probes, kth, int(share * d)))
    lines.append(Line("int8, whole (ours)", 8, 0.0, 0.0, d, d * n / gb_s / 1e6))
    return lines


# --- kernels that there are ----------------------------------------------------------------------------------------------


def timed(what: Callable[[], object], rounds: int = 15) -> float:
    """Milliseconds, the median."""
    spent: list[float] = []
    for _ in range(rounds):
        began = time.perf_counter()
        what()
        spent.append((time.perf_counter() - began) * 1000)
    return float(np.median(spent[2:]))


def speed_of_memory(pool: ThreadPoolExecutor) -> float:
    """Gigabytes a second, two threads, huge pages."""
    words = huge((1 << 20, 512)).reshape(-1)
    words[:] = 1
    parts = np.array_split(words.view(np.uint64), 2)
    return len(words) / timed(lambda: list(pool.map(np.bitwise_xor.reduce, parts))) / 1e6


def kernels(n: int, d: int, share: float, pool: ThreadPoolExecutor) -> dict[str, float]:
    """Milliseconds of scanning n rows without a proof: numkong's kernels, and the second reading of a share of rows."""
    rng = np.random.default_rng(3)
    narrow, wide = huge((n, d // 2)).view(np.uint8), huge((n, d))
    for at in range(0, n, BLOCK):
        narrow[at : at + BLOCK] = rng.integers(0, 256, (min(BLOCK, n - at), d // 2), np.uint8)
        wide[at : at + BLOCK] = rng.integers(-90, 90, (min(BLOCK, n - at), d), np.int8)
    halves = rng.integers(0, 256, (2, d // 2), np.uint8)  # the low and the high nibbles of a probe of eight bits
    packed, probe = numkong.dots_pack(_nibbles(halves)), huge((1, d))
    probe[:] = 3

    def everywhere(one: Callable[[int], object]) -> float:
        return timed(lambda: list(pool.map(one, range(0, n, CHUNK))))

    rows = np.sort(rng.permutation(n)[: int(share * n)])
    again = range(0, len(rows), 2048)
    return {
        "numkong int8": everywhere(lambda at: numkong.dot(wide[at : at + CHUNK], probe)),
        "numkong uint4, probe of 8 bits": everywhere(
            lambda at: numkong.dots_packed(_nibbles(narrow[at : at + CHUNK]), packed)
        ),
        f"then {share:.1%} of the rows as int8": timed(
            lambda: list(
                pool.map(lambda at: numkong.dot(wide.take(rows[at : at + 2048], 0, mode="clip"), probe), again)
            )
        ),
    }


def _nibbles(packed: np.ndarray) -> object:
    return numkong.from_pointer(packed.ctypes.data, packed.shape, "uint4", owner=packed)


def fast_scans(vectors: np.ndarray, probes: np.ndarray) -> dict[str, float]:
    """FAISS's uncertified ones: 2 and 4 bits a dimension."""
    d, out = vectors.shape[1], {}
    for m in (d // 2, d):
        search, at = faiss_index(vectors, f"PQ{m}x4fs"), iter(range(1_000_000))
        out[f"FAISS PQ{m}x4fs"] = timed(lambda search=search, at=at: search(probes[next(at) % len(probes)]))
    return out


# --- the run ----------------------------------------------------------------------------------------------------------


def embedded(data: Path, count: int) -> np.ndarray:
    """The default model's vectors of the faces in a folder of photographs."""
    faces = Faces(pack.default(Path("~/.cache/leadgate").expanduser()))
    out = []
    for path in dataset.photographs(data)[:count]:
        photo = images.decode(path.read_bytes())
        out += [faces.vector(photo, found) for found in faces.find(photo)[:1]]
    return np.array(out)


def printed(lines: list[Line], timings: dict[str, float], title: str) -> None:
    table = Table("code", "bits", "unknown", "survive", "bytes a row", "ms to read", title=title)
    for line in lines:
        figures = (f"{line.bits:g}", f"{line.unknown:.3f}", f"{line.survive:.2%}", f"{line.bytes_a_row:.0f}")
        table.add_row(line.code, *figures, f"{line.read_ms:.1f}")
    Console().print(table)
    for name, spent in timings.items():
        Console().print(f"{name}: {spent:.1f} ms")


def main() -> None:
    read = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    read.add_argument("--n", type=int, default=100_000)
    read.add_argument("--k", type=int, default=50)
    read.add_argument("--data", type=Path, help="photographs to be embedded, instead of drawn vectors")
    read.add_argument("--kernels", action="store_true", help="what the kernels take that there are")
    read.add_argument("--fast-scan", action="store_true", help="what FAISS's takes, too (minutes to build)")
    read.add_argument("--json", type=Path)
    asked = read.parse_args()
    if asked.data:
        vectors = embedded(asked.data, asked.n)
        vectors, probes = vectors[PROBES:], vectors[:PROBES]
    else:
        vectors, probes = gallery(asked.n, PROBES)
    n, d = vectors.shape
    with ThreadPoolExecutor(2) as pool:
        timings = kernels(n, d, 0.12, pool) if asked.kernels else {}
        timings |= fast_scans(vectors, probes) if asked.fast_scan else {}
        gb_s = speed_of_memory(pool)
    lines = table_of(vectors, probes, asked.k, gb_s)
    printed(lines, timings, f"{n:,} x {d}, k = {asked.k}, memory at {gb_s:.0f} GB/s")
    if asked.json:
        said = {"n": n, "dimension": d, "k": asked.k, "gb_s": gb_s, "kernels_ms": timings}
        asked.json.write_text(
            json.dumps(said | {"lines": [asdict(line) for line in lines]}, indent=1), encoding="utf-8"
        )


if __name__ == "__main__":
    main()
