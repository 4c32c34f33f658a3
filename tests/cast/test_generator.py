"""The generator of the cast: who is drawn, and that the same seed draws the same person."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from deploy.demo.cast import PICTURES
from deploy.demo.cast.camera import MUGSHOT, mugshot
from deploy.demo.cast.head import DATA, Head, Subdivision
from deploy.demo.cast.identity import Beard, Style, identity
from deploy.demo.cast.pedigree import pedigree
from deploy.demo.cast.pictures import captioned
from deploy.demo.cast.rasterise import triangles
from deploy.demo.cast.render import Person
from deploy.demo.cast.roster import ARRESTED, STRANGERS, TALES
from deploy.demo.cast.shape import ANCESTRIES, GAIN, targets
from deploy.demo.cast.srgb import to_linear, to_srgb
from deploy.demo.cast.styles import hair_strands

CAST = [identity(seed) for seed in ARRESTED]


@pytest.fixture(scope="module")
def head() -> Head:
    return Head()


def test_the_cast_is_balanced_and_adult():
    men = np.mean([who.male for who in CAST])
    assert 0.5 <= men <= 0.7
    assert min(who.age for who in CAST) >= 18
    assert np.mean([who.age >= 45 for who in CAST]) >= 0.15
    thirds = np.histogram([who.skin.tone for who in CAST], (0, 1 / 3, 2 / 3, 1))[0] / len(CAST)
    assert thirds.min() >= 0.25


def test_skin_tone_says_nothing_about_the_shape_of_the_head():
    """Over many seeds no target of the head goes with the tone of the skin."""
    people = [identity(seed) for seed in range(600)]
    tones = [who.skin.tone for who in people]
    shares = {a: [sum(v for k, v in who.shape.items() if f"/{a}-" in k) for who in people] for a in ANCESTRIES}
    noses = [who.shape.get("nose/nose-width2-incr", 0) - who.shape.get("nose/nose-width2-decr", 0) for who in people]
    for measured in (*shares.values(), noses):
        assert abs(np.corrcoef(tones, measured)[0, 1]) < 0.12


def test_no_face_is_pushed_to_caricature():
    """Dials stay within what was looked at; brows hardly tilt, jaw and forehead move least."""
    dials = {k: v for who in CAST for k, v in who.shape.items() if not k.startswith(("macrodetails", "asym"))}
    assert GAIN <= 0.6
    assert max(dials.values()) < 1.2 * 1.1 * GAIN + 0.15
    for who in CAST:
        for name, turned in who.shape.items():
            if name.startswith(("eyebrows/eyebrows-angle", "chin/chin-prognathism", "forehead/forehead-nubian")):
                assert turned <= 0.2


def test_every_target_that_an_identity_turns_is_in_the_head(head):
    assert {name for who in CAST for name in who.shape} <= set(targets())
    assert DATA.stat().st_size < 1e6
    head.shaped(dict.fromkeys(targets(), 0.1))


def test_the_same_seed_draws_the_committed_picture_again(head):
    record = pedigree(CAST[0], 0, twice=False)
    drawn = np.asarray(captioned(mugshot(Person(head, CAST[0]), record.height_cm)), np.float32)
    with Image.open(PICTURES / "gallery" / "S-0001-a.jpg") as committed:
        assert committed.size == MUGSHOT
        assert np.abs(drawn - np.asarray(committed, np.float32)).mean() < 3  # JPEG alone makes about 1.5


def test_strangers_are_not_enrolled_and_every_tale_is_about_somebody():
    assert not set(STRANGERS) & set(ARRESTED)
    assert {tale.seed for tale in TALES} <= {*STRANGERS, *ARRESTED}
    assert len({tale.name for tale in TALES}) == len(TALES)


def test_subdividing_a_cube_rounds_it_and_leaves_its_middle():
    cube = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float32)
    quads = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])
    step = Subdivision(quads, len(cube))
    finer = step.apply(cube)
    assert finer.shape == (8 + 12 + 6, 3)
    assert step.faces.shape == (24, 4)
    assert np.allclose(finer.mean(0), 0, atol=1e-6)
    assert np.allclose(np.linalg.norm(finer[:8], axis=1), 5 / 9 * np.sqrt(3), atol=1e-5)  # Catmull and Clark's own rule


def test_the_rim_of_an_open_mesh_keeps_its_place():
    square = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32)
    finer = Subdivision(np.array([[0, 1, 2, 3]]), 4).apply(square)
    assert np.allclose(finer[:4], square)
    assert np.allclose(finer[4:].mean(0), (0.5, 0.5, 0))


def test_the_nearest_triangle_is_seen_and_those_turned_away_are_not():
    near, far = [(1, 1, 2.0), (1, 9, 2.0), (9, 1, 2.0)], [(0, 0, 1.0), (0, 10, 1.0), (10, 0, 1.0)]
    away = [(0, 0, 3.0), (10, 0, 3.0), (0, 10, 3.0)]
    seen = triangles(np.array(near + far + away), np.arange(9).reshape(3, 3), 12, 12)
    assert seen.triangle[3, 3] == 0
    assert seen.triangle[0, 0] == 1
    assert seen.triangle[11, 11] == -1
    assert np.allclose(seen.weights[seen.hit].sum(1), 1)


def test_grey_levels_survive_the_way_through_linear_light():
    greys = np.arange(0, 200, dtype=np.float32)[None, :, None].repeat(3, 2)
    assert np.abs(to_srgb(to_linear(greys)).astype(int) - greys).max() <= 1


@pytest.mark.parametrize("style", list(Style))
def test_hair_of_every_style_grows_and_leaves_the_eyes_free(head, style):
    who = replace(CAST[0], hair=replace(CAST[0].hair, style=style, length=1.0), beard=Beard.NONE)
    brows_and_lashes = 3
    scalp = hair_strands(head, head.shaped(who.shape), who)[brows_and_lashes:]
    assert bool(scalp) is (style is not Style.SHAVEN)
    for strands in scalp:
        assert np.isfinite(strands.points).all()
        x, y, z = np.moveaxis(strands.points, -1, 0)
        before_an_eye = (np.abs(np.abs(x) - 0.31) < 0.12) & (np.abs(y - 7.28) < 0.08) & (z > 1.1)
        assert before_an_eye.mean() < 0.001
