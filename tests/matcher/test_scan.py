"""The certified scan: what it leaves out provably does not belong to the answer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher import scan
from matcher.scan import CertifiedScan


def people(n: int, dimension: int, seed: int) -> np.ndarray:
    """Unit vectors in clusters, as several photographs of each person are."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((max(1, n // 3), dimension))
    rows = centres[rng.integers(0, len(centres), n)] + rng.standard_normal((n, dimension)) * rng.choice([0.3, 0.8, 3.0])
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def best(vectors, probe, k, without=()):
    scores = vectors.astype(np.float64) @ probe.astype(np.float64)
    scores[list(without)] = -np.inf
    order = np.argsort(-scores, kind="stable")[:k]
    return scores[order]


@given(
    n=st.integers(1, 400), dimension=st.sampled_from([8, 128, 512]), k=st.integers(1, 60), seed=st.integers(0, 10**6),
    gone=st.integers(0, 50),
)  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_the_answer_is_what_comparing_everything_in_double_precision_gives(n, dimension, k, seed, gone):
    vectors, probe = people(n, dimension, seed), people(1, dimension, seed + 1)[0]
    without = np.random.default_rng(seed).permutation(n)[: min(gone, n)]
    found = CertifiedScan(vectors).search(probe, k, without)
    assert found.searched == n - len(without)
    assert not set(found.rows) & set(without)
    expected = best(vectors, probe, min(k, n - len(without)), without)
    assert found.scores == pytest.approx(expected, abs=2e-6)


def test_chunks_and_threads_change_nothing(monkeypatch):
    vectors, probes = people(5_000, 64, 1), people(40, 64, 2)
    whole = CertifiedScan(vectors).search_all(probes, 50)
    monkeypatch.setattr(scan, "SMALL_CHUNK", 97)
    for threads in (1, 2, 5):
        parts = CertifiedScan(vectors, threads=threads)
        for probe, one, other in zip(probes, whole, parts.search_all(probes, 50), strict=True):
            assert list(one.rows) == list(other.rows) == list(parts.search(probe, 50).rows)


def test_no_scanned_score_is_further_from_the_exact_one_than_the_bound():
    vectors, probe = people(3_000, 128, 3), people(1, 128, 4)
    held, coded = scan.quantise(vectors), scan.quantise(probe)
    scanned = (held.codes.astype(np.int64) @ coded.codes[0].astype(np.int64)) / (held.scale * coded.scale)
    found = CertifiedScan(vectors).search(probe[0], 10)
    assert np.abs(scanned - vectors.astype(np.float64) @ probe[0].astype(np.float64)).max() <= found.error_bound


def test_a_row_at_the_very_edge_of_the_bound_is_not_lost():
    """Two rows that quantise to the same codes: only the float32 scores can tell which is better."""
    rng = np.random.default_rng(5)
    row = rng.standard_normal(64).astype(np.float32)
    row /= np.linalg.norm(row)
    near = row + np.float32(1e-4) * rng.standard_normal((200, 64)).astype(np.float32)
    vectors = (near / np.linalg.norm(near, axis=1, keepdims=True)).astype(np.float32)
    found = CertifiedScan(vectors).search(row, 1)
    assert found.scores[0] == pytest.approx((vectors @ row).max(), abs=1e-7)
    assert found.rescored > 1


@pytest.mark.parametrize("dimension", [128, 512, 2048, 8192])
def test_the_bound_covers_what_float32_loses_in_however_many_dimensions(dimension):
    """All components of one sign and size: every sum is rounded, and in the same direction."""
    rng = np.random.default_rng(dimension)
    rows = (1 + 1e-3 * rng.random((50, dimension))).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    exact = rows.astype(np.float64) @ rows[0].astype(np.float64)
    one_by_one = np.array([np.cumsum(row * rows[0], dtype=np.float32)[-1] for row in rows])
    assert np.abs(one_by_one - exact).max() < scan.rounding_of(dimension)
    found = CertifiedScan(rows).search(rows[0], 5)
    assert found.error_bound > scan.rounding_of(dimension)


def test_of_equal_scores_the_one_enrolled_first_comes_first():
    vectors = np.repeat(people(1, 32, 6), 9, axis=0)
    assert list(CertifiedScan(vectors).search(vectors[0], 4).rows) == [0, 1, 2, 3]


def test_nothing_enrolled_or_everything_sealed_gives_nothing():
    empty = CertifiedScan(np.zeros((0, 16), np.float32)).search(np.ones(16, np.float32) / 4, 5)
    assert (len(empty.rows), empty.searched) == (0, 0)
    vectors = people(3, 16, 7)
    assert CertifiedScan(vectors).search(vectors[0], 5, np.array([2, 0, 1])).searched == 0


def test_a_probe_of_another_dimension_is_refused_in_so_many_words():
    held = CertifiedScan(people(5, 16, 8))
    with pytest.raises(ValueError, match="probe of 8 dimensions; the gallery has 16"):
        held.search(people(1, 8, 9)[0], 3)
