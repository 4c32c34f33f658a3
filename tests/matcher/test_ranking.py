"""One candidate per person, nobody sealed meanwhile, and an honest word about look-alikes."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher import canary, gallery, ranking, snapshot
from matcher.contract import GalleryFacts, GalleryPhoto
from matcher.index import GalleryIndex
from matcher.search import search
from matcher.service import RefusedError, Service, Serving


def photo(number: int) -> GalleryPhoto:
    return GalleryPhoto(
        photo_id=f"p{number}", taken_on=date(2026, 1, 1), agency="PD", arrest_id=f"A{number}", legal_basis="arrest"
    )


NEAR = [(1, 0.9), (2, 0.8), (3, 0.7), (4, 0.6), (5, 0.5)]
WHOSE = {1: "Ann", 2: "Ann", 3: "Bob", 4: "Cy", 5: "Bob"}


def shown(*people: str, more=()) -> dict:
    whose = {**WHOSE, **dict(more)}
    return {p: [(n, photo(n)) for n, of in whose.items() if of == p] for p in people}


def test_a_person_with_several_photographs_is_one_candidate_with_all_of_them():
    best = ranking.best_by_person(NEAR, WHOSE)
    found = ranking.candidates(best, dict(NEAR), shown("Ann", "Bob", "Cy", more=[(9, "Bob")]), 2)
    assert [(c.rank, c.person_id, c.score) for c in found] == [(1, "Ann", 0.9), (2, "Bob", 0.7)]
    assert [p.photo_id for p in found[1].photos] == ["p3", "p5", "p9"]


def test_who_is_sealed_while_the_search_is_under_way_is_not_in_the_answer():
    best = ranking.best_by_person(NEAR, WHOSE)
    found = ranking.candidates(best, dict(NEAR), shown("Bob", "Cy"), 5)
    assert [(c.rank, c.person_id) for c in found] == [(1, "Bob"), (2, "Cy")]
    only = ranking.best_by_person(NEAR, {number: who for number, who in WHOSE.items() if number != 1})
    assert only[0] == ("Ann", 0.8)


@given(st.lists(st.floats(-1, 1), min_size=12, max_size=60), st.floats(-1, 1))
def test_the_more_the_best_candidate_stands_out_the_fewer_look_alikes_there_are(scores, more):
    rest = [(f"s{n}", score) for n, score in enumerate(sorted(scores, reverse=True))]
    low, high = sorted((max(rest[0][1], more), 2.0))
    near, far = (ranking.look_alikes([("best", top), *rest], 3, 1000) for top in (low, high))
    assert bool(near) == bool(far)
    if near:
        assert 0 <= far[0] <= near[0] <= len(rest)
        assert near[0] <= near[1] <= near[2]


def test_the_look_alike_figure_is_right_where_the_truth_is_known():
    """Strangers' scores drawn at random: how many reach the best stranger's score is about one, time after time."""
    rng = np.random.default_rng(0)
    said = []
    for _ in range(300):
        scores = np.sort(rng.normal(0, 0.1, 5000))[::-1][:80]
        said += ranking.look_alikes([(str(n), float(s)) for n, s in enumerate(scores)], 1, 5000)
    assert 0.3 < np.median(said) < 3
    outstanding = [("mate", 0.9), *((str(n), float(s)) for n, s in enumerate(scores))]
    mate, stranger, *_ = ranking.look_alikes(outstanding, 20, 5000)
    assert mate < 0.01 < stranger


def test_too_few_people_say_nothing_about_look_alikes():
    assert ranking.look_alikes([("a", 0.9), ("b", 0.1)], 2, 2) == ()


@pytest.fixture
async def served(enrol, small_manifest, conn, faces):
    await enrol(small_manifest)
    held = await gallery.read_all(conn, faces.model.sha256, faces.model.dimension)
    return GalleryIndex(held)


async def test_the_answer_is_complete_when_fewer_people_are_enrolled_than_asked_for(served, conn, faces):
    facts = GalleryFacts(photos=len(served), people=6, root="00" * 32)
    probe = np.ones(faces.model.dimension, np.float32) / np.sqrt(faces.model.dimension)
    found = await search(conn, served, facts, probe, 50, frozenset({"arrest"}))
    assert found.certificate.complete
    assert len(found.candidates) == 6
    assert found.certificate.searched == len(served)


async def test_an_answer_is_not_complete_while_photographs_were_not_measured(served, conn, faces):
    facts = GalleryFacts(photos=len(served), people=6, root="00" * 32, unmeasured=1)
    probe = np.ones(faces.model.dimension, np.float32) / np.sqrt(faces.model.dimension)
    assert not (await search(conn, served, facts, probe, 50, frozenset({"arrest"}))).certificate.complete


async def test_a_matcher_that_gives_a_wrong_answer_is_taken_out_of_service(served, conn, faces):
    asked = await canary.photographs(conn, faces.model.sha256)
    assert canary.wrong_answer(faces, served, asked) is None
    held = served.now.held
    swapped = GalleryIndex(snapshot.made(held.numbers, np.roll(np.asarray(held.vectors), 1, axis=0), 1))
    why = canary.wrong_answer(faces, swapped, asked)
    assert "does not find itself" in why
    service = Service(faces, None, "x")
    service.now = Serving(swapped.now, GalleryFacts(photos=1, people=1, root="00" * 32))
    service.out_of_service = why
    with pytest.raises(RefusedError) as refused:
        service._current()
    assert (refused.value.status, refused.value.problem.rule) == (503, "out-of-service")
