"""The model: the pack is the weights that were evaluated, and faces are found, measured and told apart."""

import json
import shutil
import subprocess
import sys
from typing import get_args

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest

from bot.packs import load_pack
from matcher import dataset, degradation, drawing, hints, images, pack
from matcher.detection import SIDE
from matcher.faces import TEMPLATE, Faces, aligned, pose, similarity
from matcher.images import Photo
from matcher.pack import PackError
from policy import quality
from policy.schema import Measure
from tests.matcher.conftest import CAST, PEOPLE, cast, probe_of


def photo(path) -> Photo:
    return images.decode(path.read_bytes())


def mugshot(person: str) -> Photo:
    return photo(CAST / next(row["photo"] for row in cast("gallery") if row["person"] == person))


def vector(faces: Faces, of: Photo):
    (found,) = faces.find(of)
    return faces.vector(of, found)


def test_a_person_is_nearer_to_themselves_than_to_anybody_else(faces):
    shots = np.array([vector(faces, mugshot(person)) for person in PEOPLE])
    probes = np.array([vector(faces, photo(probe_of(person))) for person in PEOPLE])
    assert list(np.argmax(probes @ shots.T, axis=1)) == list(range(len(PEOPLE)))
    assert np.linalg.norm(shots, axis=1) == pytest.approx(1, abs=1e-5)


def test_the_same_bytes_give_the_same_vector(faces, cache):
    other = Faces(pack.default(cache), threads=1)
    one = mugshot(PEOPLE[0])
    assert vector(faces, one) @ vector(other, one) == pytest.approx(1, abs=1e-5)


def test_faces_are_numbered_from_left_to_right(faces):
    row = next(row for row in cast("probes") if row["faces"] > 1)
    found = faces.find(photo(CAST / row["probe"]))
    assert len(found) == row["faces"]
    assert [one.face.index for one in found] == list(range(len(found)))
    lefts = [one.face.box.left for one in found]
    assert lefts == sorted(lefts)


def test_a_blurred_or_distant_face_is_of_a_lower_tier_and_says_why(faces):
    good = mugshot(PEOPLE[0])
    pack, _ = load_pack("nypd-2020")

    def tier(pixels):
        (one,) = faces.find(Photo(pixels, good.sha256, "jpeg"))
        said, reasons = quality.tier(one.face.quality.named(), pack.quality)
        return quality.TIERS.index(said), reasons

    assert tier(good.pixels) == (0, ())
    eyes = faces.find(good)[0].face.quality.inter_eye_px
    small = cv2.resize(good.pixels, None, fx=18 / eyes, fy=18 / eyes, interpolation=cv2.INTER_AREA)
    assert tier(cv2.copyMakeBorder(small, 80, 80, 80, 80, cv2.BORDER_REPLICATE))[0] >= 2
    blurred = tier(cv2.GaussianBlur(good.pixels, (0, 0), eyes / 8))
    assert blurred[0] >= 1
    assert "sharpness" in blurred[1]


@pytest.mark.parametrize(
    ("way", "level", "name", "least"),
    [
        ("compression", 10, "compression", 2.0),
        ("occlusion", 0.5, "occlusion", 0.05),
        ("screen", 0.5, "recapture", 0.5),
    ],
)
def test_a_hint_rises_with_what_it_names(faces, way, level, name, least):
    """Over six of the cast, the mean: photographs made worse on purpose, beside themselves."""
    rises = {"compression": [], "occlusion": [], "recapture": []}
    for person in PEOPLE:
        clean = mugshot(person)
        before = dataset.main_face(faces, clean)
        worse = degradation.WAYS[way](clean.pixels, level)
        after = Photo(worse, clean.sha256, "jpeg")
        box = before.face.box
        crop = aligned(after.pixels, before.landmarks)
        said = hints.hints(after.pixels, (box.left, box.top, box.right, box.bottom), crop)
        for one, value in said.items():
            rises[one].append(value - before.face.quality.named()[one])
    assert np.mean(rises[name]) > least


def test_what_the_matcher_measures_is_what_packs_set_limits_to(faces):
    (found,) = faces.find(mugshot(PEOPLE[0]))
    assert set(found.face.quality.named()) == set(get_args(Measure))


def test_masking_leaves_one_face(faces):
    row = next(row for row in cast("probes") if row["faces"] > 1)
    one = photo(CAST / row["probe"])
    first, *others = faces.find(one)
    left = faces.find(Photo(drawing.masked(one.pixels, others, first), one.sha256, one.format))
    assert [found.face.box.left for found in left] == pytest.approx([first.face.box.left], abs=8)


def test_a_face_that_fills_a_large_picture_is_found_where_it_is(faces):
    shot = mugshot(PEOPLE[1])
    (there,) = faces.find(shot)
    box = there.face.box
    wide, high = (box.right - box.left) * 0.08, (box.bottom - box.top) * 0.1
    close = shot.pixels[int(box.top + high) : int(box.bottom - high / 2), int(box.left + wide) : int(box.right - wide)]
    assert len(close) < 300
    large = cv2.resize(close, None, fx=3000 / len(close), fy=3000 / len(close), interpolation=cv2.INTER_CUBIC)
    assert not len(faces._detector._at(np.ascontiguousarray(large[:, :, ::-1]), SIDE)[0])  # only with a margin
    (found,) = faces.find(Photo(large, shot.sha256, "jpeg"))
    grown = there.landmarks - [int(box.left + wide), int(box.top + high)]
    assert found.landmarks * len(close) / 3000 == pytest.approx(grown, abs=8)


EMPTY = """
import resource, sys
from pathlib import Path
import numpy as np
from matcher import pack
from matcher.faces import Faces
from matcher.images import Photo
faces = Faces(pack.default(Path(sys.argv[1])), threads=1)
photo = Photo(np.zeros((7000, 7000, 3), np.uint8), "0" * 64, "png")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert faces.find(photo) == ()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_looking_twice_for_a_face_takes_little_more_memory_than_the_picture(cache):
    ran = subprocess.run([sys.executable, "-c", EMPTY, str(cache)], capture_output=True, text=True, check=True)
    assert int(ran.stdout) < 1_000_000  # kB; the picture and its copy are 300,000


def test_alignment_brings_the_landmarks_to_their_places():
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    seen = TEMPLATE @ turn.T * 2.5 + [40, 90]
    there = similarity(seen, TEMPLATE)
    assert seen @ there[:, :2].T + there[:, 2] == pytest.approx(TEMPLATE, abs=1e-9)


def test_pose_follows_the_nose():
    front = TEMPLATE.astype(np.float32)
    front[2, 0] = (front[0, 0] + front[1, 0]) / 2
    aside = front.copy()
    aside[2, 0] += 14
    assert abs(pose(front)[0]) < 3
    assert pose(aside)[0] > 20
    assert aligned(np.zeros((200, 200, 3), np.uint8), front).shape == (112, 112, 3)


# --- packs ------------------------------------------------------------------------------------------------------------


def test_the_rewritten_embedder_computes_what_the_weights_of_the_wheel_mean(faces):
    """Folded to float32 only, PReLU as it was: what onnxruntime makes of that is what the dressed pack gives."""
    plain = pack._folded(pack._weights(pack.EMBEDDER))
    session = onnxruntime.InferenceSession(plain.SerializeToString(), providers=["CPUExecutionProvider"])
    (found,) = faces.find(mugshot(PEOPLE[0]))
    crop = aligned(mugshot(PEOPLE[0]).pixels, found.landmarks)

    def theirs(view):
        blob = np.ascontiguousarray(view.transpose(2, 0, 1)[None].astype(np.float32))
        return session.run(None, {session.get_inputs()[0].name: blob})[0].reshape(-1)

    both = theirs(crop) + theirs(np.ascontiguousarray(crop[:, ::-1]))
    assert both / np.linalg.norm(both) == pytest.approx(faces.embed([crop]), abs=1e-5)


def test_folding_gives_each_block_its_own_scale_and_zero_point():
    node = onnx.helper.make_node("DequantizeLinear", ["x", "s", "z"], ["y"], axis=0, block_size=2)
    constants = {
        "x": np.array([[1, 2], [3, 4], [5, 6]], np.int8),
        "s": np.array([[0.5, 1], [2, 3]], np.float32),
        "z": np.array([[0, 1], [1, 0]], np.int8),
    }
    assert pack._dequantised(node, constants).tolist() == [[0.5, 1], [1.5, 3], [8, 18]]


def test_a_weight_file_that_is_not_the_one_evaluated_is_not_used(monkeypatch):
    monkeypatch.setitem(pack.SHA256, pack.EMBEDDER, "00" * 32)
    with pytest.raises(PackError, match="not the file that was evaluated"):
        pack._weights(pack.EMBEDDER)


def test_a_pack_without_licence_or_evaluation_is_not_loaded(cache, tmp_path):
    for missing in pack.NEEDED:
        folder = tmp_path / missing
        shutil.copytree(pack.default(cache), folder)
        said = json.loads((folder / "pack.json").read_text())
        (folder / "pack.json").write_text(json.dumps({k: v for k, v in said.items() if k != missing}))
        with pytest.raises(PackError, match=missing):
            Faces(folder)
    (folder / "pack.json").unlink()
    with pytest.raises(PackError, match=r"no pack\.json"):
        Faces(folder)


def test_a_pack_whose_dimension_is_not_what_it_says_is_not_loaded(cache, tmp_path):
    folder = tmp_path / "pack"
    shutil.copytree(pack.default(cache), folder)
    said = json.loads((folder / "pack.json").read_text())
    (folder / "pack.json").write_text(json.dumps(said | {"dimension": 512}))
    with pytest.raises(PackError, match="dimension"):
        Faces(folder)


def test_the_fingerprint_names_the_weights_and_how_they_are_used(cache, tmp_path):
    one, other = pack.default(cache), tmp_path / "pack"
    shutil.copytree(one, other)
    assert pack.fingerprint(one) == pack.fingerprint(other)
    said = json.loads((other / "pack.json").read_text())
    (other / "pack.json").write_text(json.dumps(said | {"preprocessing": pack.PLAIN}))
    assert pack.fingerprint(one) != pack.fingerprint(other)


def with_steps(cache, *steps) -> Faces:
    return Faces(pack.default(cache), preprocessing="+".join([pack.PLAIN, *steps]))


@pytest.mark.parametrize(("way", "level"), [("framed", 24), ("filling", 0.26)])
def test_a_face_that_a_first_look_misses_is_found_by_a_second_and_where_it_is(cache, way, level):
    taken = mugshot(PEOPLE[0])
    photo = Photo(cv2.resize(taken.pixels, (144, 180), interpolation=cv2.INTER_AREA), taken.sha256, taken.format)
    whole = with_steps(cache).find(photo)[0]
    worse = Photo(degradation.WAYS[way](photo.pixels, level), photo.sha256, photo.format)
    assert with_steps(cache).find(worse) == ()
    (found,) = with_steps(cache, pack.RETRIED).find(worse)
    shift = (np.array(worse.pixels.shape[1::-1]) - photo.pixels.shape[1::-1]) / 2
    away = np.linalg.norm(found.landmarks - whole.landmarks - shift, axis=1).max()
    assert away < whole.face.quality.inter_eye_px / 3


@pytest.mark.parametrize("step", sorted(pack.STEPS - {pack.RETRIED}))
def test_each_step_changes_the_vector_a_little_and_the_fingerprint(cache, step):
    photo = images.decode(probe_of(PEOPLE[0]).read_bytes())
    plain, other = with_steps(cache), with_steps(cache, step)
    before, after = (one.vector(photo, one.find(photo)[0]) for one in (plain, other))
    assert 0.8 < float(before @ after) < 0.99999
    assert plain.model.sha256 != other.model.sha256
    assert other.model.preprocessing == f"1+{step}"


@pytest.mark.parametrize("said", ["", "2", "1+", "1+sharpened", "mirrored", "1+mirrored+mirrored"])
def test_a_preprocessing_that_nobody_knows_is_refused(said):
    with pytest.raises(PackError, match="known are"):
        pack.steps(said)


def test_a_provider_that_this_machine_lacks_is_named(cache):
    with pytest.raises(PackError, match="CUDAExecutionProvider"):
        Faces(pack.default(cache), provider="cuda")
