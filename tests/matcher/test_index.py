"""The index while the gallery changes, and its snapshot on disk: nothing lost, nothing half there."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher import snapshot
from matcher.classes import Classes
from matcher.index import Change, GalleryIndex
from matcher.snapshot import SnapshotError
from tests.matcher.test_scan import people

DIMENSION = 16
MODEL = "ab" * 32
VECTORS = people(40, DIMENSION, 11)


def of(numbers) -> GalleryIndex:
    rows = sorted(numbers)
    return GalleryIndex(snapshot.made(np.array(rows, np.int64), VECTORS[rows], 0))


def changed(numbers, alive, through, listed=None) -> Change:
    """These photographs changed; those that are among the `alive` may be searched now."""
    eligible = {n: VECTORS[n] for n in numbers if n in alive}
    return Change(tuple(numbers), eligible, through, listed or {})


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("enrol"), st.sets(st.integers(0, 39), min_size=1, max_size=5)),
        st.tuples(st.just("seal"), st.sets(st.integers(0, 39), min_size=1, max_size=5)),
        st.tuples(st.just("snapshot"), st.sets(st.integers(0, 39), max_size=3)),
    ),
    max_size=14,
)


@given(start=st.sets(st.integers(0, 39)), steps=STEPS)
@settings(max_examples=120, deadline=None)
def test_whatever_happens_the_index_finds_what_may_be_found_and_its_root_says_what_that_is(start, steps):
    """Photographs are enrolled and sealed, also while a snapshot is being made."""
    index, alive = of(start), set(start)
    for through, (what, numbers) in enumerate(steps, start=1):
        if what == "snapshot":
            held = index.merged()
            alive ^= numbers
            index.change(changed(numbers, alive, through))
            index.rest_on(held)
        else:
            alive = alive | numbers if what == "enrol" else alive - numbers
            index.change(changed(numbers, alive, through))
        found = index.nearest(VECTORS[3], 50)
        assert {number for number, _ in found.found} == alive
        assert found.searched == len(index) == len(alive)
        assert index.root() == of(alive).root()


CLASS = {n: ("arrest", "parole", "civil")[n % 3] for n in range(40)}
ALLOWED = st.sets(st.sampled_from(["arrest", "parole", "civil", "licence"]), min_size=1).map(frozenset)


def listed(numbers):
    return {n: CLASS[n] for n in numbers if CLASS[n] != "arrest"}


@given(start=st.sets(st.integers(0, 39)), steps=STEPS, allowed=ALLOWED, count=st.integers(1, 12))
@settings(max_examples=120, deadline=None)
def test_whatever_happens_a_search_reaches_the_classes_that_it_may_and_no_other(start, steps, allowed, count):
    index = GalleryIndex(of(start).merged(), classes=Classes(listed(start).items()))
    alive = set(start)
    for through, (what, numbers) in enumerate(steps, start=1):
        if what == "snapshot":
            index.rest_on(index.merged())
        else:
            alive = alive | numbers if what == "enrol" else alive - numbers
            index.change(changed(numbers, alive, through, listed(numbers & alive)))
        may = [n for n in alive if CLASS[n] in allowed]
        found = index.nearest(VECTORS[3], count, allowed)
        assert found.searched == len(may)
        best = sorted((float(VECTORS[n] @ VECTORS[3]) for n in may), reverse=True)[:count]
        assert np.allclose([score for _, score in found.found], best, atol=1e-6)
        assert {n for n, _ in found.found} <= set(may)


def test_the_nearest_come_first_whether_enrolled_before_or_since():
    index = of(range(20))
    index.change(changed(range(20, 40), range(20, 40), 1))
    found = index.nearest(VECTORS[25], 40).found
    expected = sorted(range(40), key=lambda n: -float(VECTORS[n] @ VECTORS[25]))
    assert [number for number, _ in found][:5] == expected[:5]
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)


def test_a_photograph_that_was_measured_anew_is_found_by_its_new_vector():
    index = of(range(10))
    index.change(Change((3,), {3: VECTORS[30]}, 1))
    ((number, score), *_) = index.nearest(VECTORS[30], 10).found
    assert (number, score) == (3, pytest.approx(1, abs=1e-6))
    assert len(index) == index.nearest(VECTORS[3], 50).searched == 10
    rows = np.array([n if n != 3 else 30 for n in range(10)])
    assert index.root() == GalleryIndex(snapshot.made(np.arange(10), VECTORS[rows], 1)).root()
    index.change(Change((3,), {3: VECTORS[3]}, 2))
    assert (index.root(), index.unsaved) == (of(range(10)).root(), False)


def test_what_a_search_was_given_never_changes_while_others_are_enrolled_and_sealed():
    """It neither waits for an approval of many nor sees half of it."""
    index = of(range(10))
    index.change(changed(range(10, 12), range(10, 12), 1))
    moment = index.now
    before = (moment.root(), moment.nearest(VECTORS[11], 40), len(moment))
    index.change(changed(range(12, 40), range(12, 40), 2))
    index.change(changed(range(5, 15), (), 3))
    index.rest_on(index.merged())
    index.change(changed(range(5, 15), range(5, 15), 4))
    assert (moment.root(), moment.nearest(VECTORS[11], 40), len(moment)) == before
    assert len(index) == 40


def test_photographs_without_a_vector_are_counted_until_they_have_one():
    index = of(range(5))
    index.change(Change((7, 8, 9), {9: VECTORS[9]}, 1, {}, frozenset({7}), frozenset({8})))
    assert (index.now.unmeasured, index.now.faceless, index.unsaved) == ({7}, {8}, True)
    index.rest_on(index.merged())
    assert (index.now.unmeasured, index.now.faceless, index.unsaved) == ({7}, {8}, False)
    index.change(Change((7, 8), {7: VECTORS[7]}, 2))
    assert (index.now.unmeasured, index.now.faceless, len(index)) == (set(), set(), 7)


def test_a_vector_of_another_model_is_not_taken_in():
    with pytest.raises(ValueError, match="not of this model"):
        of(range(3)).change(Change((9,), {9: np.ones(8, np.float32)}, 1))


# --- on disk ----------------------------------------------------------------------------------------------------------


def held(n=10, through=7):
    return snapshot.made(np.arange(n, dtype=np.int64), VECTORS[:n], through)


def test_a_snapshot_is_what_was_saved(tmp_path):
    snapshot.save(tmp_path, held(), MODEL)
    got = snapshot.load(tmp_path, MODEL, DIMENSION)
    assert (got.through, list(got.numbers)) == (7, list(range(10)))
    assert np.array_equal(got.vectors, VECTORS[:10])
    before, after = GalleryIndex(held()), GalleryIndex(got)
    assert after.root() == before.root()
    assert after.nearest(VECTORS[4], 5) == before.nearest(VECTORS[4], 5)


def test_an_empty_gallery_has_a_snapshot_and_a_root(tmp_path):
    snapshot.save(tmp_path, held(0), MODEL)
    assert len(GalleryIndex(snapshot.load(tmp_path, MODEL, DIMENSION))) == 0


def test_the_snapshot_before_is_gone_so_that_nobody_expunged_stays_in_one(tmp_path):
    snapshot.save(tmp_path, held(), MODEL)
    last = snapshot.save(tmp_path, held(5), MODEL)
    assert list(tmp_path.iterdir()) == [last]


def test_vectors_that_no_search_has_read_yet_are_searched_and_proven_later(tmp_path):
    snapshot.save(tmp_path, held(), MODEL)
    index = GalleryIndex(snapshot.load(tmp_path, MODEL, DIMENSION, read_first=0))
    before = GalleryIndex(held())
    assert (index.root(), index.nearest(VECTORS[4], 5)) == (before.root(), before.nearest(VECTORS[4], 5))
    index.prove()
    (tmp_path / "snapshot-00000001" / "vectors.f32").write_bytes(bytes(10 * DIMENSION * 4))
    index.prove()  # what was proven is not read again


def test_a_vector_that_is_not_what_was_written_is_never_used(tmp_path):
    file = snapshot.save(tmp_path, held(), MODEL) / "vectors.f32"
    good = file.read_bytes()
    file.write_bytes(good[: 4 * DIMENSION * 4] + bytes([good[4 * DIMENSION * 4] ^ 1]) + good[4 * DIMENSION * 4 + 1 :])
    index = GalleryIndex(snapshot.load(tmp_path, MODEL, DIMENSION, read_first=0))
    with pytest.raises(SnapshotError, match="does not fit its leaf"):
        index.nearest(VECTORS[4], 5)
    for whole in (index.prove, index.merged):
        with pytest.raises(SnapshotError, match="its checksum is wrong"):
            whole()


@pytest.mark.parametrize("name", ["numbers.i64", "vectors.f32", "codes.i8", "leaves.sha256", "about.json"])
def test_a_flipped_byte_or_a_truncated_file_is_never_served(tmp_path, name):
    file = snapshot.save(tmp_path, held(), MODEL) / name
    good = file.read_bytes()
    for bad in (good[:-1], good[: len(good) // 2], b"", good[:5] + bytes([good[5] ^ 1]) + good[6:]):
        file.write_bytes(bad)
        with pytest.raises(SnapshotError):
            snapshot.load(tmp_path, MODEL, DIMENSION)
    file.unlink()
    with pytest.raises(SnapshotError):
        snapshot.load(tmp_path, MODEL, DIMENSION)


def test_an_index_of_another_model_is_never_served(tmp_path):
    snapshot.save(tmp_path, held(), MODEL)
    for model, dimension in (("cd" * 32, DIMENSION), (MODEL, 512)):
        with pytest.raises(SnapshotError, match="another model"):
            snapshot.load(tmp_path, model, dimension)


def told(path, **changes) -> None:
    """The snapshot says this of itself, with a checksum that fits: as a program that is wrong would write it."""
    about = snapshot.About.model_validate_json((path / "about.json").read_text()).model_copy(update=changes)
    about = about.model_copy(update={"checksum": about.digest()})
    (path / "about.json").write_text(about.model_dump_json())


def test_a_root_that_is_not_that_of_the_photographs_is_not_served(tmp_path):
    told(snapshot.save(tmp_path, held(), MODEL), root="00" * 32)
    with pytest.raises(SnapshotError, match="root"):
        snapshot.load(tmp_path, MODEL, DIMENSION)


WRONG_WORDS = [
    {"scale": 1e9}, {"scale": 0.0}, {"scale": None}, {"scale": "NaN"}, {"error": 0.0}, {"error": -0.1}, {"longest": 0.0},
    {"through": 4}, {"through": "x"}, {"count": "10"}, {"count": 9}, {"files": {}}, {"format": 1}, {"more": 1},
    {"checksum": "00" * 32},
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG_WORDS, ids=str)
def test_what_certificates_rest_on_is_not_believed_where_anything_in_it_changed(tmp_path, wrong):
    path = snapshot.save(tmp_path, held(), MODEL) / "about.json"
    good = json.loads(path.read_text())
    without = {key: value for key, value in good.items() if key not in wrong}
    texts = [json.dumps(good | wrong), "[]", "null", "{"]
    texts += [json.dumps(without)] if len(without) < len(good) - (wrong.keys() == {"format"}) else []
    for text in texts:
        path.write_text(text)
        with pytest.raises(SnapshotError):
            snapshot.load(tmp_path, MODEL, DIMENSION)


@pytest.mark.parametrize("bound", [{"error": 1e-5}, {"longest": 0.9}, {"scale": 1.0}], ids=str)
def test_bounds_that_do_not_hold_certify_nothing(tmp_path, bound):
    """Though the checksum fits: they are computed again from the vectors and their codes."""
    told(snapshot.save(tmp_path, held(), MODEL), **bound)
    with pytest.raises(SnapshotError, match="bounds do not hold"):
        snapshot.load(tmp_path, MODEL, DIMENSION)
    later = snapshot.load(tmp_path, MODEL, DIMENSION, read_first=0)
    with pytest.raises(SnapshotError, match="bounds do not hold"):
        later.prove()


def test_what_else_lies_in_the_folder_is_no_snapshot(tmp_path):
    for name in ("snapshot-old", "snapshot-", "snapshot-00000009.bak", "snapshot-1"):
        (tmp_path / name).mkdir()
    (tmp_path / "snapshot-00000008").write_text("a file")
    assert snapshot.load(tmp_path, MODEL, DIMENSION) is None
    first = snapshot.save(tmp_path, held(), MODEL)
    assert snapshot.save(tmp_path, held(5), MODEL).name == "snapshot-00000002"
    assert not first.exists()
    assert len(snapshot.load(tmp_path, MODEL, DIMENSION).numbers) == 5
    snapshot.discard(tmp_path)
    assert snapshot.load(tmp_path, MODEL, DIMENSION) is None


def test_which_photographs_have_no_vector_is_remembered(tmp_path):
    snapshot.save(tmp_path, replace(held(), unmeasured=frozenset({70, 12}), faceless=frozenset({99})), MODEL)
    got = snapshot.load(tmp_path, MODEL, DIMENSION)
    assert (got.unmeasured, got.faceless) == ({12, 70}, {99})


def test_no_snapshot_out_of_use_is_left_of_another_model_or_gallery(tmp_path):
    """They hold vectors of people whom nobody would take out of them any more (M13)."""
    mine, other_model = tmp_path / "gallery-1" / "model-1", tmp_path / "gallery-1" / "model-2"
    served, left = tmp_path / "gallery-2" / "model-1", tmp_path / "gallery-3" / "model-1"
    for folder in (mine, other_model, served, left):
        snapshot.save(folder, held(), MODEL)
    os.utime(left, (1000, 1000))
    snapshot.purge(tmp_path, mine, before=2000)
    assert sorted(path.parent for path in tmp_path.glob("*/*/snapshot-*")) == [mine, served]
    assert not left.parent.exists()


def test_a_full_disk_leaves_the_snapshot_before_and_nothing_half_there(tmp_path):
    """The kernel refuses to let the file grow, as a full disk does."""
    snapshot.save(tmp_path, held(), MODEL)
    code = (
        "import resource, signal, sys; from pathlib import Path; from matcher import snapshot;"
        "from tests.matcher.test_index import held, MODEL;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300));"
        "snapshot.save(Path(sys.argv[1]), held(20, 9), MODEL)"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "File too large" in ran.stderr
    assert snapshot.load(tmp_path, MODEL, DIMENSION).through == 7
    assert len(list(tmp_path.iterdir())) == 1


KILLED = """
import os, random, signal, sys, threading, time
from pathlib import Path
from matcher import snapshot
from tests.matcher.test_index import MODEL, held
rng = random.Random(int(sys.argv[2]))
snapshots = [held(n, n) for n in range(1, 30)]
print("ready", flush=True)
threading.Timer(rng.random() * 0.03, lambda: os.kill(os.getpid(), signal.SIGKILL)).start()
for each in snapshots * 9:
    snapshot.save(Path(sys.argv[1]), each, MODEL)
"""


@pytest.mark.parametrize("seed", range(int(os.environ.get("LEADGATE_KILLS", "6"))))
def test_a_kill_while_snapshots_are_made_leaves_a_whole_one(tmp_path, seed):
    snapshot.save(tmp_path, held(), MODEL)
    ran = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), str(seed)], capture_output=True, check=False)
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    got = snapshot.load(tmp_path, MODEL, DIMENSION)
    assert list(got.numbers) == list(range(len(got.numbers)))
    assert np.array_equal(got.vectors, VECTORS[: len(got.numbers)])
    snapshot.save(tmp_path, held(3), MODEL)
    assert len(list(tmp_path.iterdir())) == 1
