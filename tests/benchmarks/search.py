"""Our certified search beside its peers, on one machine, in one interleaved run.

    uv run python -m tests.benchmarks.search --n 1000000 --json FILE [--only ours,limit,numpy] [--hnsw]

The vectors are unit vectors in clusters, as several photographs of each person are (mates' cosine about .61, as
ArcFace's); every engine answers one query at a time with two threads, k = 50, in a different order each round, so that
a noisy moment strikes all of them alike. Medians are reported; the table adds the fastest, the 95th percentile and
recall. Peers that are left out are null.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from matcher.scan import BATCH, CertifiedScan

DIMENSION = 512
K = 50
THREADS = 2
BLOCK = 50_000
SPREAD = 0.8  # of a photograph about its person, relative to the distance between people
ENGINES = ("limit", "ours", "faiss_flat", "faiss_sqfp16", "faiss_pq", "numpy", "usearch_f16", "pgvector")
HNSW = ("usearch_hnsw", "hnswlib")
Query = Callable[[np.ndarray], np.ndarray | None]


def gallery(n: int, probes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors of n photographs, about three a person, and of `probes` further photographs of those people."""
    rng = np.random.default_rng(seed)
    people = rng.standard_normal((max(1, n // 3), DIMENSION), dtype=np.float32)
    out = np.empty((n, DIMENSION), np.float32)
    for at in range(0, n, BLOCK):
        part = out[at : at + BLOCK]
        part[:] = people[rng.integers(0, len(people), len(part))]
        part += SPREAD * rng.standard_normal(part.shape, dtype=np.float32)
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    asked = people[rng.integers(0, len(people), probes)]
    asked += SPREAD * rng.standard_normal(asked.shape, dtype=np.float32)
    return out, asked / np.linalg.norm(asked, axis=1, keepdims=True)


def truth(vectors: np.ndarray, probes: np.ndarray, k: int) -> np.ndarray:
    """The k-th best score of each probe, every vector compared in float32."""
    best = np.full((len(probes), k), -2.0, np.float32)
    for at in range(0, len(vectors), BLOCK):
        scores = probes @ vectors[at : at + BLOCK].T
        both = np.concatenate([best, np.partition(scores, -min(k, scores.shape[1]), axis=1)[:, -k:]], axis=1)
        best = np.partition(both, -k, axis=1)[:, -k:]
    return best.min(axis=1)


def recall(vectors: np.ndarray, probe: np.ndarray, rows: np.ndarray, kth: float) -> float:
    """The share of the k best that is in `rows`; a row as good as the k-th is one of them."""
    kept = rows[(rows >= 0) & (rows < len(vectors))]
    return float((vectors[kept] @ probe >= kth - 2e-6).sum()) / min(K, len(vectors))


# --- engines ----------------------------------------------------------------------------------------------------------


def limit(scan: CertifiedScan) -> Query:
    """Reading the bytes that the scan has to read, and nothing else: what no exact scan of int8 can be faster than."""
    words = scan.quantised.codes.reshape(-1).view(np.uint64)
    parts = np.array_split(words, THREADS)
    pool = ThreadPoolExecutor(THREADS)

    def read(_: np.ndarray) -> None:
        list(pool.map(np.bitwise_xor.reduce, parts))

    return read


def ours(scan: CertifiedScan) -> Query:
    return lambda probe: scan.search(probe, K).rows


def faiss_index(vectors: np.ndarray, kind: str) -> Query:
    import faiss

    faiss.omp_set_num_threads(THREADS)
    index = faiss.index_factory(DIMENSION, kind, faiss.METRIC_INNER_PRODUCT)
    if not index.is_trained:
        index.train(vectors[:: max(1, len(vectors) // BLOCK)])
    for at in range(0, len(vectors), BLOCK):
        index.add(vectors[at : at + BLOCK])
    if "Refine" in kind:
        index.k_factor = 40
    return lambda probe: index.search(probe[None, :], K)[1][0]


def by_numpy(vectors: np.ndarray) -> Query:
    def search(probe: np.ndarray) -> np.ndarray:
        scores = vectors @ probe
        return np.argpartition(scores, len(scores) - K)[-K:]

    return search


def usearch_f16(vectors: np.ndarray) -> Query:
    from usearch.compiled import MetricKind
    from usearch.index import search

    half = vectors.astype(np.float16)

    def exact(probe: np.ndarray) -> np.ndarray:
        found = search(half, probe.astype(np.float16), K, MetricKind.IP, exact=True, threads=THREADS)
        return np.asarray(found.keys, np.int64)

    return exact


def usearch_hnsw(vectors: np.ndarray) -> Query:
    from usearch.index import Index

    index = Index(ndim=DIMENSION, metric="ip", dtype="f16", connectivity=16, expansion_search=512)
    index.add(np.arange(len(vectors)), vectors, threads=THREADS)
    return lambda probe: np.asarray(index.search(probe, K).keys, np.int64)


def hnswlib_index(vectors: np.ndarray) -> Query:
    import hnswlib

    index = hnswlib.Index("ip", DIMENSION)
    index.init_index(len(vectors), M=16, ef_construction=200)
    index.add_items(vectors, num_threads=THREADS)
    index.set_ef(1024)
    return lambda probe: index.knn_query(probe, K, num_threads=1)[0][0].astype(np.int64)


CREATE = """
CREATE EXTENSION vector;
CREATE UNLOGGED TABLE face (id bigint, v halfvec(512));
ALTER TABLE face SET (parallel_workers = 2);
"""
NEAREST = "SELECT id FROM face ORDER BY v <#> $1::text::halfvec LIMIT 50"


def pgvector(vectors: np.ndarray, stack: ExitStack) -> Query:
    """Postgres' exact scan of halfvec with two workers, the table wholly in memory."""
    import asyncpg

    from deploy.demo.postgres import EmbeddedPostgres

    shared = Path("/dev/shm")
    root = stack.enter_context(tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None))
    server = EmbeddedPostgres(Path(root), durable=False).start()
    stack.callback(server.stop, "immediate")
    loop = asyncio.new_event_loop()
    stack.callback(loop.close)

    async def fill() -> asyncpg.Connection:
        conn = await asyncpg.connect(server.url())
        await conn.execute(CREATE)
        await conn.copy_to_table("face", source=_binary(vectors), format="binary")
        await conn.execute(
            "ANALYZE face; SET max_parallel_workers_per_gather = 2; SET min_parallel_table_scan_size = 0"
        )
        await conn.execute("SET statement_timeout = 0; SET jit = off; SET parallel_setup_cost = 0")
        return conn

    conn = loop.run_until_complete(fill())
    stack.callback(lambda: loop.run_until_complete(conn.close()))

    def search(probe: np.ndarray) -> np.ndarray:
        text = "[" + ",".join(f"{x:.6g}" for x in probe) + "]"
        return np.array([row["id"] for row in loop.run_until_complete(conn.fetch(NEAREST, text))])

    return search


async def _binary(vectors: np.ndarray) -> Iterator[bytes]:  # pyright: ignore[reportReturnType] - an async generator
    """Postgres' binary COPY of (id, halfvec)."""
    row = np.dtype([
        ("fields", ">i2"), ("id_size", ">i4"), ("id", ">i8"), ("size", ">i4"), ("dim", ">i2"), ("zero", ">i2"),
        ("v", ">f2", DIMENSION),
    ])  # fmt: skip
    yield b"PGCOPY\n\xff\r\n\0" + bytes(8)
    for at in range(0, len(vectors), 10_000):
        part = np.zeros(len(vectors[at : at + 10_000]), row)
        part["fields"], part["id_size"], part["size"], part["dim"] = 2, 8, 4 + 2 * DIMENSION, DIMENSION
        part["id"] = np.arange(at, at + len(part))
        part["v"] = vectors[at : at + len(part)]
        yield part.tobytes()
    yield b"\xff\xff"


def build(name: str, vectors: np.ndarray, scan: CertifiedScan, stack: ExitStack) -> Query:
    match name:
        case "limit":
            return limit(scan)
        case "ours":
            return ours(scan)
        case "faiss_flat":
            return faiss_index(vectors, "Flat")
        case "faiss_sqfp16":
            return faiss_index(vectors, "SQfp16")
        case "faiss_pq":
            return faiss_index(vectors, f"PQ{DIMENSION // 2}x4fs,Refine(SQfp16)")
        case "numpy":
            return by_numpy(vectors)
        case "usearch_f16":
            return usearch_f16(vectors)
        case "pgvector":
            return pgvector(vectors, stack)
        case "usearch_hnsw":
            return usearch_hnsw(vectors)
        case "hnswlib":
            return hnswlib_index(vectors)
        case _:
            raise SystemExit(f"There is no engine {name!r}. Choose among {', '.join((*ENGINES, *HNSW))}.")


# --- the run ----------------------------------------------------------------------------------------------------------


def interleaved(engines: dict[str, Query], probes: np.ndarray, rounds: int) -> dict[str, np.ndarray]:
    """Milliseconds by engine, one query each a round, in an order of its own each round."""
    rng = np.random.default_rng(1)
    times: dict[str, list[float]] = {name: [] for name in engines}
    for at in range(-2, rounds):  # two rounds to warm up
        for name in rng.permutation(sorted(engines)):
            began = time.perf_counter()
            engines[name](probes[at % len(probes)])
            if at >= 0:
                times[name].append((time.perf_counter() - began) * 1000)
    return {name: np.array(spent) for name, spent in times.items()}


def completeness(scan: CertifiedScan, vectors: np.ndarray, probes: np.ndarray) -> tuple[float, float, float]:
    """(recall at k, share of searches whose certificate is right, batched queries a second)."""
    kths = truth(vectors, probes, min(K, len(vectors)))
    began = time.perf_counter()
    found = scan.search_all(probes, K)
    rate = len(probes) / (time.perf_counter() - began)
    hits = [recall(vectors, p, f.rows, kth) for p, f, kth in zip(probes, found, kths, strict=True)]
    valid = [
        f.searched == len(vectors) and len(f.rows) <= f.rescored <= f.searched and abs(f.scores[-1] - kth) < 2e-6
        for f, kth in zip(found, kths, strict=True)
    ]
    return float(np.mean(hits)), float(np.mean(valid)), rate


def run(n: int, only: list[str], rounds: int, probes: int) -> tuple[dict[str, float | None], Table]:
    vectors, asked = gallery(n, probes)
    scan = CertifiedScan(vectors, threads=THREADS)
    with ExitStack() as stack:
        engines, built = {}, {}
        for name in only:
            began = time.perf_counter()
            engines[name] = build(name, vectors, scan, stack)
            built[name] = time.perf_counter() - began
        times = interleaved(engines, asked, rounds)
        kths = truth(vectors, asked[:20], min(K, n))
        recalls = {
            name: float(np.mean([recall(vectors, p, query(p), kth) for p, kth in zip(asked[:20], kths, strict=True)]))
            for name, query in engines.items()
            if name != "limit"
        }
    share, certified, rate = completeness(scan, vectors, asked)
    figures: dict[str, float | None] = {"n": n}
    figures |= {f"{name}_ms": float(np.median(times[name])) if name in times else None for name in ENGINES}
    figures |= {"recall_at_50": share, "certified": certified}
    table = _table(n, times, recalls, built)
    table.caption = (
        f"{probes} probes: recall@50 {share:.4f}, valid certificates {certified:.2%}; "
        f"batches of {BATCH}: {rate:.0f} queries/s"
    )
    return figures, table


def _table(n: int, times: dict[str, np.ndarray], recalls: dict[str, float], built: dict[str, float]) -> Table:
    table = Table(
        "engine", "min ms", "p50 ms", "p95 ms", "x ours", "recall@50", "build s", title=f"{n:,} x {DIMENSION}, k = {K}"
    )
    reference = np.median(times["ours"]) if "ours" in times else float("nan")
    for name, spent in times.items():
        figures = (spent.min(), np.median(spent), np.percentile(spent, 95))
        shown = f"{recalls[name]:.3f}" if name in recalls else ""
        table.add_row(
            name, *(f"{x:.1f}" for x in figures), f"{np.median(spent) / reference:.2f}", shown, f"{built[name]:.0f}"
        )
    return table


def main() -> None:
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # or FAISS's idle threads spin through the others' turns
    read = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    read.add_argument("--n", type=int, default=100_000)
    read.add_argument("--json", type=Path)
    read.add_argument("--only", default=",".join(ENGINES), help="engines, separated by commas; the others are null")
    read.add_argument("--hnsw", action="store_true", help="the graph indexes, too: slow to build")
    read.add_argument("--rounds", type=int, default=25)
    read.add_argument("--probes", type=int, default=1000)
    asked = read.parse_args()
    only = [*asked.only.split(","), *(HNSW if asked.hnsw else ())]
    figures, table = run(asked.n, only, asked.rounds, asked.probes)
    Console().print(table)
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
