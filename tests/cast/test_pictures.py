"""The committed pictures of the cast, seen by the product's own matcher."""

import io
import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deploy.demo.cast import FIRST_AMONG_STILLS, PICTURES, THRESHOLD
from deploy.demo.cast.pictures import says_synthetic
from deploy.demo.cast.roster import ARRESTED, EARLIER_EVERY
from deploy.demo.eyes import SAME, glance
from deploy.manifest import read
from matcher import images, pack
from matcher.faces import Faces
from tests.matcher.conftest import cache  # noqa: F401 - where the default pack is kept

HERE = PICTURES.parent
MEGABYTES = 4.5


def rows(name: str) -> list[dict]:
    return [json.loads(line) for line in (HERE / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


GALLERY, PROBES = rows("gallery"), rows("probes")
FILES = sorted(path.relative_to(HERE).as_posix() for path in PICTURES.rglob("*.jpg"))


@pytest.fixture(scope="module")
def vectors(cache) -> dict[str, list[np.ndarray]]:  # noqa: F811
    """The vector of every face in every picture, by file."""
    faces = Faces(pack.default(cache), threads=2)
    photos = {name: images.decode((HERE / name).read_bytes()) for name in FILES}
    return {name: [faces.vector(photo, found) for found in faces.find(photo)] for name, photo in photos.items()}


@pytest.fixture(scope="module")
def ranked(vectors) -> dict[str, list[tuple[str, float]]]:
    """For every probe of one face, the enrolled people, the most alike first, with the best of their scores."""
    people = sorted({row["person"] for row in GALLERY})
    enrolled = {p: np.stack([vectors[row["photo"]][0] for row in GALLERY if row["person"] == p]) for p in people}
    return {
        row["probe"]: sorted(
            ((p, float((v @ vectors[row["probe"]][0]).max())) for p, v in enrolled.items()), key=lambda found: -found[1]
        )
        for row in PROBES
        if row["faces"] == 1
    }


def test_the_manifests_name_every_picture_and_no_other():
    assert sorted([row["photo"] for row in GALLERY] + [row["probe"] for row in PROBES]) == FILES


def test_every_picture_says_that_nobody_in_it_is_real():
    assert [name for name in FILES if not says_synthetic((HERE / name).read_bytes())] == []


def test_a_picture_that_says_nothing_is_noticed():
    plain = io.BytesIO()
    Image.new("RGB", (40, 40)).save(plain, "JPEG", comment=b"Synthetic face.")
    assert not says_synthetic(plain.getvalue())


def test_the_pictures_are_few_megabytes():
    assert sum((HERE / name).stat().st_size for name in FILES) < MEGABYTES * 1e6


def test_the_gallery_can_be_enrolled_as_it_stands():
    found = read(HERE / "gallery.jsonl")
    assert found.wrong == ()
    assert len(found.rows) == len(GALLERY)
    assert len({row["person"] for row in GALLERY}) == len(ARRESTED) >= 120
    assert len(GALLERY) == len(ARRESTED) + len(ARRESTED) // EARLIER_EVERY
    assert len({row["arrest_id"] for row in GALLERY}) == len(GALLERY)
    assert len({row["name"] for row in GALLERY}) == len(ARRESTED)


def test_the_probes_tell_every_story():
    enrolled = [row for row in PROBES if row["person"]]
    assert len(enrolled) >= 12
    assert {row["person"] for row in enrolled} <= {row["person"] for row in GALLERY}
    assert sum(row["person"] is None and row["faces"] == 1 for row in PROBES) >= 3
    assert {row["faces"] for row in PROBES} == {0, 1, 2}


def test_the_matcher_finds_the_faces_that_are_there(vectors):
    assert {row["photo"]: len(vectors[row["photo"]]) for row in GALLERY if len(vectors[row["photo"]]) != 1} == {}
    assert {p["probe"]: len(vectors[p["probe"]]) for p in PROBES} == {p["probe"]: p["faces"] for p in PROBES}


def test_the_mate_is_the_first_candidate(ranked):
    of_enrolled = [row for row in PROBES if row["person"] and row["faces"] == 1]
    first = [ranked[row["probe"]][0][0] == row["person"] for row in of_enrolled]
    assert np.mean(first) >= FIRST_AMONG_STILLS


def test_an_older_photograph_is_nearest_to_the_person_in_it(vectors):
    recent = {row["person"]: vectors[row["photo"]][0] for row in GALLERY if row["photo"].endswith("-a.jpg")}
    older = [row for row in GALLERY if row["photo"].endswith("-b.jpg")]
    nearest = [max(recent, key=lambda p: float(recent[p] @ vectors[row["photo"]][0])) for row in older]
    assert nearest == [row["person"] for row in older]


def test_the_demonstration_threshold_parts_the_strangers_from_the_clear_stills(ranked):
    strangers = [ranked[row["probe"]][0][1] for row in PROBES if row["person"] is None and row["faces"] == 1]
    clear = [ranked[row["probe"]][0][1] for row in PROBES if row["about"].startswith("clear")]
    assert max(strangers) < THRESHOLD < min(clear)


def test_nobody_is_shown_twice_under_two_names():
    """The scripted examiners tell people apart by the picture: pictures of two people never look like copies."""
    seen = {row["photo"]: glance(Path(HERE / row["photo"])).ravel() for row in GALLERY}
    apart = min(float(np.abs(seen[a] - seen[b]).mean()) for a, b in combinations(seen, 2))
    assert apart > 3 * SAME
