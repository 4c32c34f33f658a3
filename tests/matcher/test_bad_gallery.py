"""What may go wrong with a gallery, and with the matcher that serves it: a clear reason, nothing lost, nothing half there."""

import asyncio
import json
import shutil

import asyncpg
import numpy as np
import pytest

from deploy import enrol_run, manifest
from deploy.enrol_run import Terms
from matcher import custody, dataset, gallery, images, search, snapshot
from matcher.app import CANARY_EVERY, Beginning, Follower
from matcher.contract import GalleryFacts, Problem, SearchResult
from matcher.index import GalleryIndex
from matcher.service import Service
from tests.matcher.conftest import ONE_PERSON, PEOPLE, probe_of
from tests.matcher.test_images import CRASHES
from tests.story import NOON

ARRESTS = frozenset({"arrest"})
PUT_VECTOR = "UPDATE gallery.embedding SET vector = $1 WHERE photograph = (SELECT id FROM gallery.photograph ORDER BY number LIMIT 1)"


async def answer(matcher, photo: bytes | None = None) -> tuple[int, Problem | SearchResult]:
    status, body = await matcher.ask("POST", "/v1/search", photo or probe_of(PEOPLE[0]).read_bytes())
    return status, (SearchResult if status == 200 else Problem).model_validate_json(body)


async def out_of_service(matcher) -> Problem:
    """It was loaded and checked, and says why it searches nothing."""
    async with asyncio.timeout(60):
        while (await answer(matcher))[1].rule == "not-ready":
            await asyncio.sleep(0.05)
    status, problem = await answer(matcher)
    assert (status, problem.rule) == (503, "out-of-service")
    return problem


# --- vectors ----------------------------------------------------------------------------------------------------------


async def test_the_database_takes_no_vector_of_another_length(enrol, small_manifest, superuser):
    await enrol(small_manifest)
    for wrong in (b"", bytes(4), bytes(4 * 127), bytes(4 * 512)):
        with pytest.raises(asyncpg.CheckViolationError, match="whose vectors have 128"):
            await superuser.execute(PUT_VECTOR, wrong)


async def test_a_vector_that_is_no_numbers_takes_the_matcher_out_of_service_until_it_is_mended(
    matcher, enrol, small_manifest, superuser
):
    told = await enrol(small_manifest)
    await matcher.until(200, photos=told.done)
    right = await superuser.fetchval(
        "SELECT vector FROM gallery.embedding JOIN gallery.photograph ON id = photograph ORDER BY number LIMIT 1"
    )
    await superuser.execute("ALTER TABLE gallery.embedding DISABLE TRIGGER check_vector")
    await superuser.execute(PUT_VECTOR, np.full(128, np.nan, "<f4").tobytes())
    await matcher.until(503)
    status, problem = await answer(matcher)
    assert (status, problem.rule) == (503, "out-of-service")
    assert "all of them numbers" in problem.reason
    await superuser.execute(PUT_VECTOR, right)
    await matcher.until(200, photos=told.done)
    assert (await answer(matcher))[0] == 200


async def test_a_gallery_that_is_measured_while_it_is_served_is_searched_at_once(
    matcher, enrol, small_manifest, conn, faces, superuser, tmp_path
):
    told = await enrol(small_manifest)
    await matcher.stop()
    await superuser.execute("DELETE FROM gallery.embedding")
    shutil.rmtree(tmp_path / "cache" / "snapshots")
    await matcher.begin()
    problem = await out_of_service(matcher)
    assert "leadgate gallery embed" in problem.reason
    assert await enrol_run.embed_missing(conn, lambda: faces, faces.model.sha256, 1) == told.done
    await matcher.until(200, photos=told.done)


async def test_a_gallery_of_which_one_vector_is_missing_is_not_searched_until_it_is_there_again(
    matcher, enrol, small_manifest, conn, faces, superuser, tmp_path
):
    """The person on it would be passed over, and the search certified complete."""
    told = await enrol(small_manifest)
    await matcher.until(200, photos=told.done)
    theirs = await superuser.fetch(UNMEASURE, PEOPLE[0])
    await matcher.until(503)
    status, problem = await answer(matcher)
    assert (status, problem.rule) == (503, "out-of-service")
    assert f"{len(theirs)} of the gallery's photographs were not measured" in problem.reason
    assert "leadgate gallery embed" in problem.reason
    assert (await matcher.ask("GET", "/v1/gallery"))[0] == 503
    await matcher.stop()
    for _ in ("from the database", "from the snapshot"):
        await matcher.begin()
        await out_of_service(matcher)
        await snapshot_of(tmp_path)
        await matcher.stop()
    await matcher.begin()
    assert await enrol_run.embed_missing(conn, lambda: faces, faces.model.sha256, 1) == len(theirs)
    await matcher.until(200, photos=told.done)
    status, found = await answer(matcher)
    assert (status, found.candidates[0].person_id, found.certificate.complete) == (200, PEOPLE[0], True)


UNMEASURE = """
DELETE FROM gallery.embedding WHERE photograph IN (SELECT id FROM gallery.photograph WHERE person = $1)
RETURNING photograph
"""


async def test_a_photograph_in_which_a_model_finds_no_face_is_told_of_and_holds_nobody_else_up(
    matcher, enrol, small_manifest, conn, faces, superuser
):
    told = await enrol(small_manifest)
    await matcher.until(200, photos=told.done)
    blank = images.as_jpeg(np.full((200, 200, 3), 128, np.uint8))
    photo = await superuser.fetchval(
        "SELECT photograph FROM gallery.picture JOIN gallery.photograph ON id = photograph ORDER BY number DESC LIMIT 1"
    )
    await superuser.execute("UPDATE gallery.picture SET jpeg = $1 WHERE photograph = $2", blank, photo)
    await superuser.execute("DELETE FROM gallery.embedding WHERE photograph = $1", photo)
    await matcher.until(503)
    assert await enrol_run.embed_missing(conn, lambda: faces, faces.model.sha256, 1) == 0
    await matcher.until(200, photos=told.done - 1)
    status, found = await answer(matcher)
    assert (status, found.gallery.unmeasured, found.gallery.faceless, found.certificate.faceless) == (200, 0, 1, 1)
    assert (found.certificate.complete, found.certificate.searched) == (True, told.done - 1)
    await superuser.execute("UPDATE gallery.photograph SET sealed = true WHERE id = $1", photo)
    async with asyncio.timeout(30):
        while (await answer(matcher))[1].gallery.faceless:
            await asyncio.sleep(0.05)


# --- snapshots --------------------------------------------------------------------------------------------------------


def cut(folder):
    file = folder / "vectors.f32"
    file.write_bytes(file.read_bytes()[:-100])


def flipped(folder):
    file = folder / "codes.i8"
    data = bytearray(file.read_bytes())
    data[7] ^= 1
    file.write_bytes(data)


def with_another_vector(folder):
    file = folder / "vectors.f32"
    data = bytearray(file.read_bytes())
    data[-9] ^= 1
    file.write_bytes(data)


def of_another_model(folder):
    about = json.loads((folder / "about.json").read_text())
    (folder / "about.json").write_text(json.dumps(about | {"model": "ab" * 32}))


def with_another_scale(folder):
    about = json.loads((folder / "about.json").read_text())
    (folder / "about.json").write_text(json.dumps(about | {"scale": about["scale"] * 2}))


def half_written(folder):
    (folder / "about.json").unlink()


def of_a_gallery_with_other_people(folder):
    held = snapshot.load(folder.parent, json.loads((folder / "about.json").read_text())["model"], 128)
    model = json.loads((folder / "about.json").read_text())["model"]
    snapshot.discard(folder.parent)
    snapshot.save(folder.parent, snapshot.made(held.numbers[:2], held.vectors[:2], held.through + 1000), model)


DAMAGE = [
    cut,
    flipped,
    with_another_vector,
    of_another_model,
    with_another_scale,
    half_written,
    of_a_gallery_with_other_people,
]


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("read_first", ["1000000000", "0"], ids=["read-first", "read-later"])
async def test_a_snapshot_that_cannot_be_trusted_is_rebuilt_from_the_database(
    matcher, enrol, small_manifest, tmp_path, damage, read_first
):
    matcher.env["LEADGATE_MATCHER_READ_FIRST"] = read_first
    told = await enrol(small_manifest)
    await matcher.until(200, photos=told.done)
    before = await searched(matcher)
    await matcher.stop()
    await matcher.start()  # its first snapshot is made at the start
    await snapshot_of(tmp_path)
    await matcher.stop()
    damage(await snapshot_of(tmp_path))
    await matcher.start()
    assert await searched(matcher) == before
    status, found = await answer(matcher)
    assert (status, found.candidates[0].person_id) == (200, PEOPLE[0])


async def searched(matcher) -> tuple[int, str]:
    """Photographs and root, which are exact at every moment; people are counted now and then."""
    facts = json.loads((await matcher.ask("GET", "/v1/gallery"))[1])
    return facts["photos"], facts["root"]


async def snapshot_of(tmp_path):
    for _ in range(400):
        if found := list((tmp_path / "cache" / "snapshots").glob("*/*/snapshot-0*")):
            return max(found)
        await asyncio.sleep(0.05)
    raise AssertionError("no snapshot was made")


async def test_a_stray_folder_beside_the_snapshots_stops_nothing(matcher, enrol, small_manifest, tmp_path):
    told = await enrol(small_manifest)
    await matcher.until(200, photos=told.done)
    await matcher.stop()
    for folder in (tmp_path / "cache" / "snapshots").glob("*/*"):
        (folder / "snapshot-old").mkdir()
    await matcher.start()
    await snapshot_of(tmp_path)
    assert (await answer(matcher))[0] == 200


async def test_after_a_change_of_the_model_pack_no_snapshot_of_the_other_is_left(
    matcher, enrol, small_manifest, tmp_path
):
    told = await enrol(small_manifest)
    await matcher.until(200, photos=told.done)
    await matcher.stop()
    await matcher.start()  # its first snapshot is made at the start
    mine = (await snapshot_of(tmp_path)).parent
    await matcher.stop()
    old = mine.with_name("ab" * 8)
    shutil.copytree(mine, old)
    await matcher.start()
    async with asyncio.timeout(30):
        while old.exists():
            await asyncio.sleep(0.05)
    assert list(mine.parent.iterdir()) == [mine]


# --- sealed -----------------------------------------------------------------------------------------------------------


class SealsOnTheWay:
    """The search's own connection; just before the photographs are read, a court's order arrives on another."""

    def __init__(self, conn, other, person):
        self._conn, self._other, self._person = conn, other, person

    async def fetch(self, query, *args):
        if query == gallery.PHOTOS_OF:
            await custody.seal(self._other, custody.What(self._person), order="Order 9/2026", by="clerk", now=NOON)
        return await self._conn.fetch(query, *args)


async def test_whoever_is_sealed_while_a_search_is_under_way_is_not_in_its_answer(
    enrol, small_manifest, conn, faces, database
):
    await enrol(small_manifest)
    index = GalleryIndex(await gallery.read_all(conn, faces.model.sha256, faces.model.dimension))
    facts = GalleryFacts(photos=len(index), people=len(PEOPLE), root=index.root())
    photo = images.decode(probe_of(PEOPLE[0]).read_bytes())
    probe = faces.vector(photo, faces.find(photo)[0])
    before = await search.search(conn, index, facts, probe, 3, ARRESTS)
    assert before.candidates[0].person_id == PEOPLE[0]
    pool = await gallery.connect(database.url("matcher"), "court")
    async with pool.acquire() as other:
        after = await search.search(SealsOnTheWay(conn, other, PEOPLE[0]), index, facts, probe, 3, ARRESTS)
    await pool.close()
    people = [candidate.person_id for candidate in after.candidates]
    assert PEOPLE[0] not in people
    assert people[:2] == [candidate.person_id for candidate in before.candidates[1:]]
    assert len(people) == 3  # the next best took the place: the list is complete
    assert after.certificate.complete


async def test_sealed_means_unsearchable_even_where_nobody_was_told(matcher, enrol, small_manifest, superuser):
    """Without the database's notice, too: eligibility is checked again after the vectors were compared (M12)."""
    told = await enrol(small_manifest)
    await matcher.until(200, photos=told.done)
    await superuser.execute("SET session_replication_role = replica")
    await superuser.execute("UPDATE gallery.photograph SET sealed = true WHERE person = $1", PEOPLE[0])
    status, found = await answer(matcher)
    assert status == 200
    assert PEOPLE[0] not in {candidate.person_id for candidate in found.candidates}


# --- canaries ---------------------------------------------------------------------------------------------------------


async def test_a_wrong_answer_at_the_start_keeps_the_matcher_out_of_service_and_says_why(
    matcher, enrol, small_manifest, superuser, conn
):
    told = await enrol(small_manifest)
    await matcher.until(200, photos=told.done)
    await matcher.stop()
    right = await superuser.fetch("SELECT photograph, jpeg FROM gallery.picture")
    stranger = images.as_jpeg(images.decode(probe_of(PEOPLE[3]).read_bytes()).pixels)
    await superuser.execute("UPDATE gallery.picture SET jpeg = $1", stranger)
    await matcher.begin()
    problem = await out_of_service(matcher)
    assert "does not find itself" in problem.reason
    for row in right:
        await superuser.execute("UPDATE gallery.picture SET jpeg = $2 WHERE photograph = $1", *row.values())
    await custody.seal(
        conn, custody.What(PEOPLE[4]), order="A", by="clerk", now=NOON
    )  # something new: it looks again at once
    await matcher.until(200)


async def test_the_canaries_are_asked_again_after_an_hour(
    enrol, small_manifest, conn, faces, superuser, database, tmp_path
):
    await enrol(small_manifest)
    pool = await gallery.connect(database.url("matcher"), "follower")
    service = Service(faces, pool, "x")
    beginning = Beginning.of(pool, lambda: None)
    follower = Follower(service, pool, faces, tmp_path, beginning)
    await follower._catch_up()
    await follower._ask_canaries()
    assert (service.checked, service.out_of_service) == (True, None)
    await superuser.execute("UPDATE gallery.picture SET jpeg = 'no picture'")
    await follower._ask_canaries()
    assert service.out_of_service is None  # it is not yet an hour
    follower._asked -= CANARY_EVERY
    await follower._ask_canaries()
    assert "cannot be read any more" in service.out_of_service
    await pool.close()


# --- manifests and files ----------------------------------------------------------------------------------------------


HEAD = "person,photo,legal_basis,agency,arrest_id,photo_date"


def csv(folder, *lines: str, head: str = HEAD, encoding: str = "utf-8") -> manifest.Manifest:
    (folder / "a.jpg").write_bytes(b"x")
    (folder / "b.jpg").write_bytes(b"x")
    file = folder / "list.csv"
    file.write_text("\r\n".join((head, *lines)) + "\r\n", encoding=encoding)
    return manifest.read(file, NOON.date())


GOOD = "S-1,a.jpg,arrest,NYPD,A-1,2026-03-01"


@pytest.mark.parametrize(
    ("head", "lines", "said"),
    [
        (HEAD, [GOOD, GOOD], "the same photograph of the same person as line 2"),
        (HEAD + ",seald", [GOOD + ",yes"], "nobody knows what 'seald' means"),
        (HEAD, [GOOD + ",one cell too many"], "it has 7 fields, and the first line names 6"),
        (HEAD, ["S-1,a.jpg"], "it has 2 fields, and the first line names 6"),
        (HEAD, ["S-1,a.jpg,arrest,NYPD,A-1,2026-03-14"], "still to come"),
        (HEAD + ",name", [GOOD + ",Ann", "S-1,b.jpg,arrest,NYPD,A-1,2026-03-01,Bob"], "'Bob' here and 'Ann' in line 2"),
        ("a,b", ["1,2"], "nobody knows what 'a', 'b' means"),
    ],
)
def test_what_is_wrong_with_a_table_is_said_by_line(tmp_path, head, lines, said):
    read = csv(tmp_path, *lines, head=head)
    assert said in read.wrong[-1][1]
    assert read.wrong[-1][0] == len(lines) + 1


def test_a_table_as_a_spreadsheet_writes_it_is_read(tmp_path):
    read = csv(tmp_path, GOOD, encoding="utf-8-sig")
    assert (len(read.rows), read.wrong) == (1, ())


def test_a_table_that_is_no_text_is_refused_and_says_from_where(tmp_path):
    read = csv(tmp_path, GOOD, GOOD.replace("NYPD", "NYPD\u00e9"), encoding="latin-1")
    assert "no text in UTF-8" in read.wrong[-1][1]


async def test_a_file_that_vanishes_after_it_was_checked_is_refused_alone(small_manifest, conn, faces):
    read = manifest.read(small_manifest)
    read.rows[0].path.unlink()
    told = await enrol_run.run(read, lambda: faces, Terms("clerk", ONE_PERSON), 1, lambda *_: None, conn)
    assert told.done == len(read.rows) - 1
    ((row, why),) = told.refused
    assert (row, "cannot be read" in why) == (read.rows[0], True)


async def test_a_file_that_kills_what_decodes_it_is_refused_alone(small_manifest, enrol):
    rows = manifest.read(small_manifest).rows
    rows[0].path.write_bytes(CRASHES)
    told = await enrol(small_manifest, workers=2)
    assert told.done == len(rows) - 1
    ((row, why),) = told.refused
    assert (row.path, why) == (rows[0].path, "The photograph is damaged or cut short and cannot be read.")


async def test_a_file_that_kills_what_decodes_it_has_no_vector_where_accuracy_is_measured(tmp_path, faces):
    (tmp_path / "somebody").mkdir()
    (tmp_path / "somebody" / "1.heic").write_bytes(CRASHES)
    assert dataset.measure(faces, tmp_path / "somebody" / "1.heic").vector is None


async def test_a_connection_that_breaks_in_the_middle_costs_nothing_that_was_done(
    small_manifest, conn, superuser, faces, database
):
    read = manifest.read(small_manifest)
    terms = Terms("clerk", ONE_PERSON)
    pool = await gallery.connect(database.url("matcher"), "to-be-broken")
    waiting: list[asyncio.Task] = []

    def step(done, _):
        if done == 3:
            waiting.append(asyncio.ensure_future(superuser.execute(BREAK)))

    with pytest.raises(gallery.AWAY):
        async with pool.acquire() as broken:
            await enrol_run.run(read, lambda: faces, terms, 1, step, broken)
    await waiting[0]
    pool.terminate()
    there = await conn.fetchval("SELECT count(*) FROM gallery.photograph")
    told = await enrol_run.run(read, lambda: faces, terms, 1, lambda *_: None, conn)
    assert (told.before, told.done) == (there, len(read.rows) - there)


BREAK = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'to-be-broken'"
