"""The matcher over HTTP, as the bot meets it: its own process, the real model, a real database."""

import asyncio
import io
import json
import shutil
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image

from matcher import custody
from matcher.contract import FacesFound, PersonFacts, Problem, SearchResult
from matcher.service import Service
from tests.matcher.conftest import PEOPLE, SECRET, Matcher, cast, probe_of
from tests.matcher.test_images import CRASHES
from tests.story import NOON


def several() -> bytes:
    return next(
        p for p in (probe_of(row["person"], row["faces"]) for row in cast("probes")) if p and faces_of(p) > 1
    ).read_bytes()


def faces_of(path) -> int:
    return next(row["faces"] for row in cast("probes") if path.name in row["probe"])


async def test_a_photograph_of_somebody_enrolled_finds_them_first(matcher, enrol, small_manifest):
    told = await enrol(small_manifest)
    await matcher.until(200, photos=told.done)
    for person in PEOPLE:
        status, body = await matcher.ask("POST", "/v1/search?k=5", probe_of(person).read_bytes())
        assert status == 200, body
        found = SearchResult.model_validate_json(body)
        assert found.candidates[0].person_id == person
        assert found.certificate.complete
        assert found.certificate.searched == found.gallery.photos == told.done
        assert [c.rank for c in found.candidates] == [1, 2, 3, 4, 5]
        assert found.certificate.kth_score == found.candidates[-1].score
        assert set(found.millis) == {"decode", "detect", "embed", "scan", "rank"}
        assert found.model.licence
        assert found.model.evaluation


async def test_a_class_of_photographs_is_searched_only_where_it_is_named(matcher, enrol, small_manifest):
    held = [json.loads(line) for line in small_manifest.read_text().splitlines()]
    person = PEOPLE[0]
    rows = [row | {"legal_basis": "parole"} if row["person"] == person else row for row in held]
    small_manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    paroled = sum(row["person"] == person for row in rows)
    told = await enrol(small_manifest)
    await matcher.until(200, photos=told.done)

    async def found(query: str) -> SearchResult:
        status, body = await matcher.ask("POST", f"/v1/search?k=50{query}", probe_of(person).read_bytes())
        assert status == 200, body
        return SearchResult.model_validate_json(body)

    for query in ("", "&class=arrest", "&class=arrest&class=licence"):
        result = await found(query)
        assert person not in {candidate.person_id for candidate in result.candidates}
        assert result.certificate.searched == told.done - paroled
        assert result.certificate.complete
    both, alone = await found("&class=arrest&class=parole"), await found("&class=parole")
    assert both.classes == ("arrest", "parole")
    assert both.candidates[0].person_id == person
    assert both.certificate.searched == told.done
    assert [candidate.person_id for candidate in alone.candidates] == [person]
    assert alone.certificate.searched == paroled
    assert (await matcher.ask("GET", f"/v1/people/{person}"))[0] == 404
    assert (await matcher.ask("GET", f"/v1/people/{person}?class=parole"))[0] == 200


@pytest.mark.parametrize(
    "untrusted", ["", "Arrest", "arrest,parole", "a" * 41, "arrest&class=%00", "x" + "&class=x" * 20]
)
async def test_what_is_no_class_is_refused(matcher, enrol, small_manifest, untrusted):
    told = await enrol(small_manifest)
    await matcher.until(200, photos=told.done)
    status, body = await matcher.ask("POST", f"/v1/search?class={untrusted}", probe_of(PEOPLE[0]).read_bytes())
    assert (status, Problem.model_validate_json(body).rule) == (422, "bad-class")


async def test_sealed_is_unsearchable_at_once_and_its_picture_is_not_shown(matcher, enrol, small_manifest, conn):
    told = await enrol(small_manifest)
    await matcher.until(200, photos=told.done)
    person = PEOPLE[0]
    before = SearchResult.model_validate_json(
        (await matcher.ask("POST", "/v1/search", probe_of(person).read_bytes()))[1]
    )
    photo = before.candidates[0].photos[0].photo_id
    assert (await matcher.ask("GET", f"/v1/photos/{photo}"))[0] == 200
    gone = (await custody.seal(conn, custody.What(person), order="Order 17/2026", by="clerk", now=NOON)).changed
    status, body = await matcher.ask("POST", "/v1/search", probe_of(person).read_bytes())
    assert status == 200
    assert person not in {c.person_id for c in SearchResult.model_validate_json(body).candidates}
    assert Problem.model_validate_json((await matcher.ask("GET", f"/v1/photos/{photo}"))[1]).rule == "not-shown"
    assert (await matcher.ask("GET", f"/v1/people/{person}"))[0] == 404
    await matcher.until(200, photos=told.done - gone)
    await custody.unseal(conn, custody.What(person), order="Order 18/2026", by="clerk", now=NOON)
    await matcher.until(200, photos=told.done)
    status, body = await matcher.ask("POST", "/v1/search", probe_of(person).read_bytes())
    again = SearchResult.model_validate_json(body)
    assert again.candidates[0].person_id == person
    assert again.gallery.root == before.gallery.root


async def test_several_faces_have_to_be_chosen_among_and_the_others_are_masked(matcher, faces):
    untrusted = several()
    status, body = await matcher.ask("POST", "/v1/faces", untrusted)
    found = FacesFound.model_validate_json(body)
    assert (status, len(found.faces) > 1) == (200, True)
    status, body = await matcher.ask("POST", "/v1/search", untrusted)
    assert (status, Problem.model_validate_json(body).rule) == (422, "several-faces")
    assert (await matcher.ask("POST", "/v1/search?face=1", untrusted))[0] == 200
    status, body = await matcher.ask("POST", "/v1/search?face=39", untrusted)
    assert (status, Problem.model_validate_json(body).rule) == (422, "names-face")
    _, copy = await matcher.ask("POST", "/v1/copy?keep=0", untrusted)
    left = FacesFound.model_validate_json((await matcher.ask("POST", "/v1/faces", copy))[1])
    assert len(left.faces) == 1
    _, marked = await matcher.ask("POST", "/v1/marked", untrusted)
    assert Image.open(io.BytesIO(marked)).format == "JPEG"
    _, crop = await matcher.ask("POST", "/v1/copy?keep=1&crop=1", untrusted)
    assert Image.open(io.BytesIO(crop)).width < found.photo.width


async def test_without_the_secret_the_matcher_answers_nothing_but_that_it_lives(matcher):
    for secret in (None, "", "wrong", SECRET_PREFIX):
        status, body = await matcher.ask("POST", "/v1/faces", b"x", secret)
        assert (status, Problem.model_validate_json(body).rule) == (401, "no-secret")
    assert (await matcher.ask("GET", "/healthz", secret=None))[0] == 200


SECRET_PREFIX = "a secret between the bot and the"


def jpeg(size=(64, 64), colour="grey") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG")
    return out.getvalue()


NOT_PHOTOGRAPHS = [
    (b"", 415, "format"),
    (b"just some text", 415, "format"),
    (b"%PDF-1.7 and so on", 415, "format"),
    (b"\xff\xd8\xff" + bytes(2000), 422, "damaged"),
    (jpeg()[:400], 422, "damaged"),
    (jpeg((16, 16)), 422, "too-few-pixels"),
    (jpeg((2000, 40)), 422, "ratio"),
    (jpeg((300, 300)), 422, "no-face"),
    (CRASHES, 422, "damaged"),
    (bytes(20 * 1024 * 1024 + 1), 413, "too-large"),
    (bytes(25 * 1024 * 1024), 413, "too-large"),
]
NOT_NUMBERS = [
    "k=1", "k=51", "k=-3", "k=abc", "k=5.5", "face=-1", "face=99999999999999999999", "k=", "k=000000002999999",
    "k=0000000020", "k=%D9%A2%D9%A0", "k=%0A20", "k=20%0A", "face=" + "0" * 5000,
]  # fmt: skip


async def test_what_is_not_a_photograph_of_a_face_is_refused_with_a_sentence(matcher):
    for data, status, rule in NOT_PHOTOGRAPHS:
        got, body = await matcher.ask("POST", "/v1/search", data)
        problem = Problem.model_validate_json(body)
        assert (got, problem.rule) == (status, rule)
        assert problem.reason.endswith(".")
    for query in NOT_NUMBERS:
        status, body = await matcher.ask("POST", f"/v1/search?{query}", probe_of(PEOPLE[0]).read_bytes())
        assert (status, Problem.model_validate_json(body).rule[:4]) == (422, "bad-"), query
    assert (await matcher.ask("GET", "/readyz"))[0] == 200


async def test_a_body_that_is_not_what_its_headers_say_is_refused_with_a_sentence(matcher):
    photo = probe_of(PEOPLE[0]).read_bytes()
    for path in ("/v1/faces", "/v1/search", "/v1/copy?keep=0"):
        for encoding in ("gzip", "deflate"):
            headers = {"Authorization": f"Bearer {SECRET}", "Content-Encoding": encoding}
            async with (
                aiohttp.ClientSession() as session,
                session.post(matcher.url + path, data=photo, headers=headers) as response,
            ):
                problem = Problem.model_validate_json(await response.read())
            assert (response.status, problem.rule) == (400, "bad-body")
            assert problem.reason.endswith(".")
    assert (await matcher.ask("POST", "/v1/faces", photo))[0] == 200


async def test_a_number_of_thousands_of_digits_is_refused_wherever_there_is_one(matcher):
    for query in ("copy?keep=", "copy?crop=", "masked?keep=", "search?face=", "search?k="):
        status, body = await matcher.ask("POST", f"/v1/{query}{'0' * 5000}", probe_of(PEOPLE[0]).read_bytes())
        assert (status, Problem.model_validate_json(body).rule[:4]) == (422, "bad-")


class BrokenPool:
    """A database whose driver fails in a way that nobody thought of."""

    def acquire(self):
        raise ZeroDivisionError


async def test_a_fault_of_the_matchers_own_is_told_as_one_and_logged(faces, capsys):
    service = Service(faces, BrokenPool(), SECRET)
    async with TestClient(TestServer(service.app())) as client:
        answer = await client.get("/v1/people/somebody", headers={"Authorization": f"Bearer {SECRET}"})
        problem = Problem.model_validate_json(await answer.read())
    assert (answer.status, problem.rule) == (500, "fault")
    assert "somebody" not in problem.reason
    assert "ZeroDivisionError" in capsys.readouterr().out


async def test_pedigree_and_photographs_are_shown_of_whom_may_be_searched(matcher, enrol, small_manifest):
    await enrol(small_manifest)
    status, body = await matcher.ask("GET", f"/v1/people/{PEOPLE[0]}")
    facts = PersonFacts.model_validate_json(body)
    row = next(row for row in cast("gallery") if row["person"] == PEOPLE[0])
    assert (status, facts.name, facts.birth_year) == (200, row["name"], row["birth_year"])
    assert len(facts.photos) == len([row for row in cast("gallery") if row["person"] == PEOPLE[0]])
    status, picture = await matcher.ask("GET", f"/v1/photos/{facts.photos[0].photo_id}")
    assert (status, Image.open(io.BytesIO(picture)).getexif()) == (200, {})
    for path in ("/v1/people/nobody", "/v1/photos/nothing", "/v1/people/%00", "/nowhere"):
        assert (await matcher.ask("GET", path))[0] == 404


async def test_searching_enrols_nobody(matcher, enrol, small_manifest, conn):
    """Probes never enter the gallery (M11)."""
    await enrol(small_manifest)
    before = await custody.stats(conn, "00")
    probe = probe_of(PEOPLE[0]).read_bytes()
    assert {(await matcher.ask("POST", "/v1/search", probe))[0] for _ in range(5)} == {200}
    assert await custody.stats(conn, "00") == before


async def test_a_restarted_matcher_serves_the_same_gallery_from_its_snapshot(matcher, enrol, small_manifest):
    told = await enrol(small_manifest)
    await matcher.until(200, photos=told.done)
    async with asyncio.timeout(30):  # people are counted after the photographs are in reach
        while json.loads((await matcher.ask("GET", "/v1/gallery"))[1])["people"] < len(PEOPLE):
            await asyncio.sleep(0.05)
    _, before = await matcher.ask("GET", "/v1/gallery")
    matcher.process.kill()
    await matcher.process.communicate()
    await matcher.start()
    assert json.loads((await matcher.ask("GET", "/v1/gallery"))[1]) == json.loads(before)
    assert await matcher.stop() == 0


async def test_many_searches_at_once_are_all_answered(matcher, enrol, small_manifest):
    told = await enrol(small_manifest)
    await matcher.until(200, photos=told.done)
    probes = [probe_of(person).read_bytes() for person in PEOPLE] * 3
    answers = await asyncio.gather(*(matcher.ask("POST", "/v1/search?k=2", probe) for probe in probes))
    first = [SearchResult.model_validate_json(body).candidates[0].person_id for _, body in answers]
    assert first == list(PEOPLE) * 3


SHORTEN = "UPDATE gallery.embedding SET vector = substr(vector, 1, 64) WHERE photograph = $1"
TOUCH = "UPDATE gallery.photograph SET agency = agency WHERE id = $1"


async def test_a_vector_of_the_wrong_dimension_stops_searching_and_says_which_until_it_is_gone(
    matcher, enrol, small_manifest, superuser
):
    told = await enrol(small_manifest)
    await matcher.until(200, photos=told.done)
    photo, whole = await superuser.fetchrow("SELECT photograph, vector FROM gallery.embedding LIMIT 1")
    await superuser.execute("ALTER TABLE gallery.embedding DISABLE TRIGGER check_vector")  # as a careless restore would
    await superuser.execute(SHORTEN, photo)
    await superuser.execute(TOUCH, photo)
    await matcher.until(503)
    status, body = await matcher.ask("POST", "/v1/search", probe_of(PEOPLE[0]).read_bytes())
    assert status == 503
    assert "16 dimensions, and the model's have 128" in Problem.model_validate_json(body).reason
    await superuser.execute("UPDATE gallery.embedding SET vector = $2 WHERE photograph = $1", photo, whole)
    await superuser.execute(TOUCH, photo)
    await matcher.until(200, photos=told.done)


FULL = """
import resource, runpy, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
runpy.run_module("matcher", run_name="__main__")
"""


async def test_a_full_disk_costs_the_snapshot_and_not_the_service(matcher, enrol, small_manifest):
    told = await enrol(small_manifest)
    await matcher.stop()
    own = Path(matcher.env["LEADGATE_MATCHER_CACHE"])
    await asyncio.to_thread(shutil.rmtree, own / "snapshots", ignore_errors=True)
    full = await Matcher(matcher.env).start("-c", FULL)
    try:
        await full.until(200, photos=told.done)
        while b"snapshot.not-saved" not in await asyncio.wait_for(full.process.stdout.readline(), 60):
            pass
        status, body = await full.ask("POST", "/v1/search", probe_of(PEOPLE[0]).read_bytes())
        assert SearchResult.model_validate_json(body).candidates[0].person_id == PEOPLE[0]
        assert status == 200
        assert await asyncio.to_thread(lambda: list(own.glob("snapshots/*/*/*"))) == []
    finally:
        await full.stop()
