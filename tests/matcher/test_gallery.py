"""The gallery's legal life: what enters, who agrees, what a court takes out again, and what the ledger remembers."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import asyncpg
import numpy as np
import pytest
from PIL import Image

from deploy import enrol_run, manifest
from deploy.enrol_run import Terms
from matcher import custody, enrolment, gallery, images, sweeping
from tests.matcher.conftest import CAST, ONE_PERSON, PEOPLE, TWO_PEOPLE, cast, probe_of
from tests.story import NOON

COUNT = "SELECT count(*) FROM gallery.photograph"


async def ledger_kinds(superuser) -> list[str]:
    rows = await superuser.fetch("SELECT kind FROM ledger.entry WHERE stream = 'gallery' ORDER BY seq")
    return [row["kind"] for row in rows]


async def test_enrolling_twice_changes_nothing(enrol, small_manifest, conn, superuser):
    first, second = await enrol(small_manifest), await enrol(small_manifest)
    assert (first.done, second.done, second.before) == (len(first_rows(small_manifest)), 0, first.done)
    assert await conn.fetchval(COUNT) == first.done
    assert await ledger_kinds(superuser) == ["EnrolmentRuleSet", "BatchOpened", *["PhotographEnrolled"] * first.done]


def first_rows(file) -> list[dict]:
    return [json.loads(line) for line in file.read_text().splitlines()]


async def test_two_enrolments_at_once_enrol_everything_once(enrol, small_manifest, conn, database, faces):
    other = await gallery.connect(database.url("matcher"), "other")
    read = manifest.read(small_manifest)
    async with other.acquire() as second:
        told = await asyncio.gather(
            enrol(small_manifest),
            enrol_run.run(read, lambda: faces, Terms("clerk", ONE_PERSON), 1, lambda *_: None, second),
        )
    await other.close()
    assert sum(t.done for t in told) == len(read.rows) == await conn.fetchval(COUNT)


async def test_a_batch_that_needs_a_second_person_is_not_searched_before(enrol, small_manifest, conn, faces):
    told = await enrol(small_manifest, needs_approval=True)

    async def searchable() -> int:
        return len((await gallery.read_all(conn, faces.model.sha256, faces.model.dimension)).numbers)

    assert await searchable() == 0
    assert "somebody other" in await enrolment.approve(conn, told.batch, by="clerk", now=NOON)
    assert await searchable() == 0
    assert await enrolment.approve(conn, told.batch, by="captain", now=NOON) is None
    assert await searchable() == told.done
    assert "approved it before" in await enrolment.approve(conn, told.batch, by="major", now=NOON)
    assert "no batch" in await enrolment.approve(conn, "f" * 32, by="major", now=NOON)


async def test_the_database_itself_refuses_that_one_person_is_both(enrol, small_manifest, superuser):
    await enrol(small_manifest, needs_approval=True)
    with pytest.raises(Exception, match="approved_by_another"):
        await superuser.execute("UPDATE gallery.batch SET approved_by = made_by, approved_at = now()")


async def test_where_the_pack_asks_for_two_people_one_alone_enrols_nothing_that_is_searched(
    enrol, small_manifest, conn, faces, superuser
):
    read = manifest.read(small_manifest)

    async def run(rule):
        return await enrol_run.run(read, lambda: faces, Terms("clerk", rule), 1, lambda *_: None, conn)

    told = await run(TWO_PEOPLE)
    assert told.done == len(read.rows)
    assert await conn.fetchval("SELECT count(*) FROM gallery.eligible") == 0
    assert await run(ONE_PERSON) is None  # another pack does not help
    (waiting,) = await enrolment.waiting(conn)
    assert (waiting.id, waiting.photographs, waiting.pack) == (told.batch, told.done, TWO_PEOPLE.pack)
    assert await enrolment.approve(conn, told.batch, by="captain", now=NOON) is None
    assert await conn.fetchval("SELECT count(*) FROM gallery.eligible") == told.done
    assert await enrolment.waiting(conn) == []
    owner = await superuser.fetchval("SELECT count(*) FROM gallery.rule WHERE NOT dual_control")
    assert owner == 0
    assert await enrolment.put_rule(superuser, ONE_PERSON, by="owner", now=NOON)


AROUND = {
    "a batch that needs nobody": """
        INSERT INTO gallery.batch (id, manifest_sha256, needs_approval, made_by, made_at, rule)
        SELECT repeat('a', 32), repeat('b', 64), false, 'clerk', now(), max(n) FROM gallery.rule""",
    "a batch approved from the start": """
        INSERT INTO gallery.batch (id, manifest_sha256, needs_approval, made_by, made_at, rule, approved_by, approved_at)
        SELECT repeat('a', 32), repeat('b', 64), true, 'clerk', now(), max(n), 'captain', now() FROM gallery.rule""",
    "a photograph in no batch": """
        INSERT INTO gallery.photograph
            (id, person, legal_basis, agency, arrest_id, taken_on, ingest_sha256, enrolled_by)
        SELECT repeat('a', 32), person, 'arrest', 'A', 'B', '2020-01-01', repeat('b', 64), 'clerk'
        FROM gallery.photograph LIMIT 1""",
    "a photograph in a batch that is approved": """
        INSERT INTO gallery.photograph
            (id, person, legal_basis, agency, arrest_id, taken_on, ingest_sha256, enrolled_by, batch)
        SELECT repeat('a', 32), person, 'arrest', 'A', 'B', '2020-01-01', repeat('b', 64), 'clerk', batch
        FROM gallery.photograph LIMIT 1""",
    "a batch that needs nobody any more": "UPDATE gallery.batch SET needs_approval = false",
    "another picture under an approved photograph": "UPDATE gallery.picture SET jpeg = 'x'",
    "another face under an approved photograph": "UPDATE gallery.embedding SET vector = '\\x00000000'",
    "a face taken away, to put another there": "DELETE FROM gallery.embedding",
    "an approval in another's name": "UPDATE gallery.batch SET approved_by = 'major'",
    "an approval taken back": "UPDATE gallery.batch SET approved_by = NULL, approved_at = NULL",
    "a looser rule": """
        INSERT INTO gallery.rule (pack, pack_sha256, dual_control, set_by, set_at)
        VALUES ('lax', repeat('0', 64), false, 'clerk', now())""",
    "no rule at all": "DELETE FROM gallery.rule",
}


async def test_the_database_refuses_every_way_around_the_second_person(enrol, small_manifest, conn, faces):
    read = manifest.read(small_manifest)
    told = await enrol_run.run(read, lambda: faces, Terms("clerk", TWO_PEOPLE), 1, lambda *_: None, conn)
    assert await enrolment.approve(conn, told.batch, by="captain", now=NOON) is None
    for way, sql in AROUND.items():
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.CheckViolationError)):
            await conn.execute(sql)
            pytest.fail(way)


async def test_what_is_enrolled_after_the_approval_waits_for_one_of_its_own(small_manifest, conn, faces):
    """An approval in the middle of a run covers what was there; the rest comes in a batch of its own."""
    read = manifest.read(small_manifest)
    half = replace(read, rows=read.rows[: len(read.rows) // 2])
    terms = Terms("clerk", TWO_PEOPLE)
    first = await enrol_run.run(half, lambda: faces, terms, 1, lambda *_: None, conn)
    assert await enrolment.approve(conn, first.batch, by="captain", now=NOON) is None
    rest = await enrol_run.run(read, lambda: faces, terms, 1, lambda *_: None, conn)
    assert (rest.before, rest.done) == (len(half.rows), len(read.rows) - len(half.rows))
    assert rest.batch != first.batch
    assert await conn.fetchval("SELECT count(*) FROM gallery.eligible") == len(half.rows)


async def test_an_approval_in_the_middle_of_a_run_closes_the_batch(small_manifest, conn, faces, database):
    read = manifest.read(small_manifest)
    pool = await gallery.connect(database.url("matcher"), "captain")
    asked = asyncio.Event()

    async def approve_soon():
        await asked.wait()
        async with pool.acquire() as other:
            (one,) = await enrolment.waiting(other)
            return one.id, await enrolment.approve(other, one.id, by="captain", now=NOON)

    def step(done, _):
        if done == 2:
            asked.set()

    (batch, why_not), told = await asyncio.gather(
        approve_soon(), enrol_run.run(read, lambda: faces, Terms("clerk", TWO_PEOPLE), 1, step, conn)
    )
    await pool.close()
    assert why_not is None
    covered = await conn.fetchval("SELECT count(*) FROM gallery.photograph WHERE batch = $1", batch)
    assert await conn.fetchval("SELECT count(*) FROM gallery.eligible") == covered < told.done == len(read.rows)


async def test_expunged_leaves_nothing_but_a_digest_and_is_not_enrolled_again(enrol, small_manifest, conn, superuser):
    told = await enrol(small_manifest)
    person = PEOPLE[0]
    gone = (await custody.expunge(conn, custody.What(person), order="Order 5/2026", by="clerk", now=NOON)).changed
    assert gone >= 1
    assert await gallery.person(conn, person, frozenset({"arrest"})) is None
    for table in ("picture", "embedding"):
        left = await superuser.fetchval(f"SELECT count(*) FROM gallery.{table}")
        assert left == told.done - gone
    assert not await superuser.fetchval("SELECT count(*) FROM gallery.person WHERE id = $1", person)
    again = await enrol(small_manifest)
    assert (again.done, len(again.refused)) == (0, gone)
    assert "court" in again.refused[0][1]
    assert (await ledger_kinds(superuser))[-1] == "PhotographsExpunged"


async def test_sealed_and_juvenile_photographs_are_out_of_every_readers_reach(enrol, small_manifest, conn, faces):
    rows = first_rows(small_manifest)
    rows[0]["juvenile"] = True
    rows[1]["sealed"] = True
    small_manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = await enrol(small_manifest)
    held = await gallery.read_all(conn, faces.model.sha256, faces.model.dimension)
    assert len(held.numbers) == told.done - 2
    stats = await custody.stats(conn, faces.model.sha256)
    assert (stats["photographs"], stats["eligible"], stats["sealed"], stats["juvenile"]) == (
        told.done,
        told.done - 2,
        1,
        1,
    )


async def test_a_court_names_a_photograph_an_arrest_or_a_person(enrol, small_manifest, conn):
    await enrol(small_manifest)
    row = first_rows(small_manifest)[0]
    arrest, person, nobody = (custody.What(name) for name in (row["arrest_id"], row["person"], "nobody"))
    assert (await custody.seal(conn, arrest, order="A", by="clerk", now=NOON)).changed >= 1
    again = await custody.seal(conn, arrest, order="A", by="clerk", now=NOON)
    assert again.meant >= 1
    assert again.changed == 0
    assert (await custody.unseal(conn, person, order="B", by="clerk", now=NOON)).changed >= 1
    assert await custody.seal(conn, nobody, order="C", by="clerk", now=NOON) == custody.Changed(0, 0)


async def test_an_order_is_carried_out_on_one_thing_alone(enrol, small_manifest, conn):
    """A number that is a person's and an arrest's, or two agencies', is asked about: the court meant one of them."""
    rows = first_rows(small_manifest)[:3]
    changes = ({"person": "7"}, {"arrest_id": "7", "agency": "A"}, {"arrest_id": "7"})
    rows = [row | change for row, change in zip(rows, changes, strict=True)]
    rewrite(small_manifest, rows)
    await enrol(small_manifest)
    for what, said in (
        (custody.What("7"), "a arrest and a person"),
        (custody.What("7", custody.Kind.ARREST), "A and at"),
    ):
        with pytest.raises(custody.AmbiguousError, match=said):
            await custody.expunge(conn, what, order="Order 1", by="clerk", now=NOON)
    assert await conn.fetchval(COUNT) == 3
    one = custody.What("7", custody.Kind.ARREST, "A")
    assert await custody.expunge(conn, one, order="Order 1", by="clerk", now=NOON) == custody.Changed(1, 1)
    assert [row["person"] for row in await conn.fetch("SELECT person FROM gallery.photograph ORDER BY number")] == [
        "7",
        rows[2]["person"],
    ]


def rewrite(file, rows) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


async def test_an_order_holds_for_the_same_file_under_another_identity_and_for_what_is_enrolled_later(
    enrol, small_manifest, conn
):
    first, second, third = first_rows(small_manifest)[:3]
    same_file = first | {"person": "S-alias", "arrest_id": "X-1"}
    rewrite(small_manifest, [first, same_file])
    told = await enrol(small_manifest)
    assert [why for _, why in told.noted] == [
        f"The same file is {first['person']}'s, too. One of the two is somebody else."
    ]
    arrest = custody.What(first["arrest_id"], custody.Kind.ARREST)
    assert await custody.seal(conn, arrest, order="Order 3", by="clerk", now=NOON) == custody.Changed(2, 2)
    same_arrest = second | {"arrest_id": first["arrest_id"], "agency": first["agency"]}
    another_line = first | {"person": "S-third", "arrest_id": "X-2"}
    elsewhere = third | {"arrest_id": first["arrest_id"], "agency": "ELSEWHERE"}
    rewrite(small_manifest, [same_arrest, another_line, elsewhere])
    assert (await enrol(small_manifest)).done == 3
    sealed = {
        row["person"]: (row["sealed"], row["seal_order"])
        for row in await conn.fetch("SELECT person, sealed, seal_order FROM gallery.photograph")
    }
    assert sealed[second["person"]] == sealed["S-third"] == sealed["S-alias"] == (True, "Order 3")
    assert sealed[third["person"]] == (False, None)


async def test_what_is_expunged_while_it_is_being_enrolled_does_not_come_back(
    enrol, small_manifest, conn, database, faces
):
    """The run read its digest before the court's order came; the photograph is asked about again when it is written."""
    rows = first_rows(small_manifest)[:2]
    rewrite(small_manifest, rows)
    await enrol(small_manifest)
    rewrite(small_manifest, [rows[0] | {"person": "S-other"}, rows[1]])
    read = manifest.read(small_manifest)
    pool = await gallery.connect(database.url("matcher"), "court")

    def measured_slowly(of, row):
        made = enrol_run.measured(of, row)
        asyncio.run_coroutine_threadsafe(expunged(), loop).result()
        return made

    async def expunged() -> None:
        async with pool.acquire() as other:
            await custody.expunge(other, custody.What(rows[0]["person"]), order="O", by="clerk", now=NOON)

    loop = asyncio.get_running_loop()
    made = await asyncio.to_thread(measured_slowly, faces, read.rows[0])
    told = enrolment.Outcome.EXPUNGED
    batch = await enrolment.open_batch(
        conn,
        read.sha256,
        await conn.fetchval("SELECT max(n) FROM gallery.rule"),
        needs_approval=False,
        by="clerk",
        now=NOON,
    )
    assert await enrolment.enrol(conn, read.rows[0].enrolment, made, batch=batch, by="clerk", now=NOON) is told
    with pytest.raises(asyncpg.CheckViolationError, match="expunged"):  # and the database says so by itself
        await conn.execute(
            """INSERT INTO gallery.photograph (id, person, legal_basis, agency, arrest_id, taken_on, ingest_sha256,
            enrolled_by, batch) VALUES ($1, $2, 'arrest', 'A', '1', '2024-01-01', $3, 'clerk', $4)""",
            "a" * 32, rows[1]["person"], made.sha256, batch,
        )  # fmt: skip
    await pool.close()


async def test_a_number_that_is_somebody_elses_is_not_given_another_persons_photograph(enrol, small_manifest, conn):
    first, second = first_rows(small_manifest)[:2]
    rewrite(small_manifest, [first | {"name": "Ann", "sex": "F", "birth_year": 1980}])
    assert (await enrol(small_manifest)).done == 1
    for change, why in (
        (
            {"name": "Bob", "sex": "M"},
            f"{first['person']} is enrolled with another sex or year of birth. Whose photograph is it?",
        ),
        ({"name": "Anna", "sex": "F", "birth_year": 1981}, "another sex or year"),
    ):
        row = {**second, "sex": None, "birth_year": None, **change, "person": first["person"]}
        rewrite(small_manifest, [row])
        ((_, said),) = (await enrol(small_manifest)).refused
        assert why in said
    married = {**second, "person": first["person"], "name": "Ann Other", "sex": "F", "birth_year": 1980}
    rewrite(small_manifest, [married])
    assert (await enrol(small_manifest)).done == 1


@pytest.mark.parametrize("again", ["Clerk", " clerk ", "ｃlerk"])
async def test_whoever_enrolled_does_not_approve_under_another_spelling(enrol, small_manifest, conn, superuser, again):
    told = await enrol(small_manifest, needs_approval=True)
    assert "somebody other" in await enrolment.approve(conn, told.batch, by=again, now=NOON)
    made, approved = await superuser.fetchrow("SELECT made_login, approved_login FROM gallery.batch")
    assert (made, approved) == ("test_matcher", None)
    assert await enrolment.approve(conn, told.batch, by="captain", now=NOON) is None
    assert await superuser.fetchval("SELECT approved_login FROM gallery.batch") == "test_matcher"


async def test_the_database_itself_knows_two_spellings_of_one_name(enrol, small_manifest, conn):
    told = await enrol(small_manifest, needs_approval=True)
    with pytest.raises(asyncpg.CheckViolationError, match="approved_by_another_name"):
        await conn.execute(
            "UPDATE gallery.batch SET approved_by = ' CLERK', approved_at = $2 WHERE id = $1", told.batch, NOON
        )


async def test_a_check_looks_at_every_photograph_and_writes_nothing(enrol, small_manifest, conn, faces):
    rows = first_rows(small_manifest)[:3]
    (small_manifest.parent / "text.jpg").write_text("not a photograph")
    rewrite(small_manifest, [rows[0]])
    await enrol(small_manifest)
    rewrite(small_manifest, [*rows, rows[0] | {"photo": "text.jpg"}])
    told = await enrol_run.check(manifest.read(small_manifest), lambda: faces, 1, lambda *_: None, conn)
    assert (told.done, told.before, [row.line for row, _ in told.refused]) == (2, 1, [4])
    assert await conn.fetchval(COUNT) == 1


async def test_the_same_face_under_two_identities_is_found(enrol, small_manifest, conn, faces):
    rows = first_rows(small_manifest)
    copy = small_manifest.parent / "copy.jpg"
    shutil.copy(probe_of(PEOPLE[0]), copy)
    same_file = rows[-1] | {"person": "S-other", "arrest_id": "X1"}
    same_face = rows[0] | {"person": "S-alias", "photo": "copy.jpg", "arrest_id": "X2"}
    small_manifest.write_text("".join(json.dumps(row) + "\n" for row in (*rows, same_file, same_face)))
    await enrol(small_manifest)
    found = {(f.what, f.people) for f in await sweeping.sweep(conn, faces, 0.6)}
    assert ("same file", tuple(sorted(("S-other", rows[-1]["person"])))) in found
    alias = next(p for what, p in found if "S-alias" in p and PEOPLE[0] in p)
    assert alias == tuple(sorted(("S-alias", PEOPLE[0])))


async def test_one_photograph_encoded_twice_is_found(enrol, small_manifest, conn, faces):
    rows = first_rows(small_manifest)
    with Image.open(small_manifest.parent / rows[0]["photo"]) as photo:
        photo.save(small_manifest.parent / "again.jpg", quality=80)
    small_manifest.write_text("".join(json.dumps(row) + "\n" for row in (*rows, rows[0] | {"photo": "again.jpg"})))
    await enrol(small_manifest)
    (found,) = await sweeping.sweep(conn, faces, 0.7)
    assert (found.what, found.people, len(found.photos)) == ("same picture twice", (rows[0]["person"],), 2)


async def test_photographs_without_a_face_are_found(enrol, small_manifest, conn, faces, superuser):
    """As another detector may have let them in; they have no vector of this model, so no search finds them."""
    await enrol(small_manifest)
    assert await sweeping.sweep(conn, faces, 0.99) == []
    several = (CAST / next(row for row in cast("probes") if row["faces"] > 1)["probe"]).read_bytes()
    blank = images.as_jpeg(np.full((200, 200, 3), 128, np.uint8))
    ids = [row["id"] for row in await conn.fetch("SELECT id FROM gallery.photograph ORDER BY number LIMIT 3")]
    for photo, jpeg in zip(ids, (blank, several, b"no picture"), strict=True):
        await superuser.execute("UPDATE gallery.picture SET jpeg = $2 WHERE photograph = $1", photo, jpeg)
    found = await sweeping.sweep(conn, faces, 0.99, every_picture=True)
    assert [(one.what, one.photos[0]) for one in found] == list(
        zip(("no face", "2 faces", "picture cannot be read"), ids, strict=True)
    )
    assert await sweeping.sweep(conn, faces, 0.99) == []  # measured once: they are not looked at again
    await superuser.execute("DELETE FROM gallery.embedding WHERE photograph = ANY($1)", ids)
    assert await sweeping.sweep(conn, faces, 0.99) == found
    assert await enrol_run.embed_missing(conn, lambda: faces, faces.model.sha256, 1) == 0


async def test_photographs_without_one_face_are_refused_with_a_sentence(enrol, small_manifest, conn):
    several = next(row for row in cast("probes") if row["faces"] > 1)
    shutil.copy(CAST / several["probe"], small_manifest.parent / "two.jpg")
    (small_manifest.parent / "text.jpg").write_text("not a photograph")
    good = first_rows(small_manifest)[0]
    bad = [good | {"person": f"S-{name}", "photo": name} for name in ("two.jpg", "text.jpg")]
    small_manifest.write_text("".join(json.dumps(row) + "\n" for row in (good, *bad)))
    told = await enrol(small_manifest)
    assert told.done == 1
    assert [why.split(",")[0] for _, why in told.refused] == [
        "There are 2 faces in it",
        "The file is not a JPEG",
    ]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"legal_basis": ""}, "without legal_basis"),
        ({"legal_basis": "Arrest, PL 160"}, "legal_basis 'Arrest, PL 160' is no class of photographs"),
        ({"legal_basis": " ", "agency": None}, "without legal_basis, agency"),
        ({"photo": "../../etc/passwd"}, "outside the manifest's folder"),
        ({"photo": "nowhere.jpg"}, "no file nowhere.jpg"),
        ({"photo_date": "13.3.2026"}, "not a date"),
        ({"juvenile": "perhaps"}, "neither yes nor no"),
        ({"height_cm": "1.80"}, "not from 40 to 260"),
        ({"birth_year": "unknown"}, "not a number"),
        ({"birth_year": 1980.5}, "not a whole number"),
        ({"person": "a\0b"}, "cannot be printed"),
        ({"person": "a\x1b[31m"}, "cannot be printed"),
        ({"name": "Ann\u202e"}, "cannot be printed"),
        ({"name": "half \ud800"}, "cannot be printed"),
        ({"person": {"a": 1}}, "person is no text"),
        ({"photo": "x" * 300}, "not the name of a file"),
        ({"birth_year": 2015, "photo_date": "2024-01-01", "juvenile": "no"}, "nobody is 18 on 2024-01-01"),
        ({"from_sha256": "abc"}, "no SHA-256"),
    ],
)
def test_a_row_that_may_not_be_enrolled_is_named_before_anything_is_written(small_manifest, change, why):
    rows = first_rows(small_manifest)
    rows[1] |= change
    small_manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    read = manifest.read(small_manifest)
    ((line, said),) = read.wrong
    assert line == 2
    assert why in said


def test_a_row_twice_and_a_line_that_is_no_json_are_named(small_manifest):
    text = small_manifest.read_text()
    small_manifest.write_text(text + text.splitlines()[0] + "\n{broken\n")
    read = manifest.read(small_manifest)
    assert [said.split(" as ")[0] for _, said in read.wrong] == [
        "the same photograph of the same person",
        "it is no JSON",
    ]


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("person,photo,photo\n", 1, "the column photo is there twice"),
        ("person,photo\n\nS-1,a.jpg\n", 3, "without legal_basis, agency, arrest_id, photo_date"),
        ('person,name\nS-1,"two\nlines"\nS-2\n', 4, "it has 1 fields, and the first line names 2"),
        ("person,name\nS-1," + "x" * 200_000 + "\n", 2, "cannot be read as CSV from here on (field larger"),
        (b"person\nS-1\xff\n", 1, "no text in UTF-8 from here on"),
    ],
)
def test_what_is_wrong_with_a_csv_is_named_by_the_line_it_begins_in(tmp_path, text, line, why):
    file = tmp_path / "m.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    read = manifest.read(file)
    assert any(at == line and why in said for at, said in read.wrong), read.wrong


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[" * 100_000, "no JSON"),
        ('{"sealed": true, "sealed": false}', "sealed is said twice"),
        ('["person"]', "no JSON object"),
    ],
)
def test_a_json_line_that_may_mean_two_things_means_nothing(tmp_path, text, why):
    file = tmp_path / "m.jsonl"
    file.write_text(text)
    ((line, said),) = manifest.read(file).wrong
    assert (line, why in said) == (1, True), said


def test_whoever_may_have_been_a_minor_is_enrolled_as_one(small_manifest):
    row = first_rows(small_manifest)[0] | {"photo_date": "2024-06-01", "birth_year": 2006, "juvenile": ""}
    said = [row | change for change in ({}, {"juvenile": False}, {"birth_year": 2005}, {"birth_year": None})]
    for one, expected in zip(said, (True, False, False, False), strict=True):
        rewrite(small_manifest, [one])
        (read,) = manifest.read(small_manifest).rows
        assert read.enrolment.juvenile is expected


def test_a_folder_has_no_photographs_of_days_to_come(cast_folder):
    said = {"legal_basis": "arrest", "agency": "A", "photo_date": "2099-01-01"}
    read = manifest.of_folder(cast_folder, said, NOON.date())
    assert not read.rows
    assert {why for _, why in read.wrong} == {"photo_date 2099-01-01 is still to come"}


def cli(database, cache, *argv: str, **more) -> subprocess.CompletedProcess[str]:
    env = os.environ | {
        "LEADGATE_MATCHER_DATABASE_URL": database.url("matcher"),
        "LEADGATE_MATCHER_CACHE": str(cache),
    }
    return subprocess.run(
        [sys.executable, "-m", "deploy", "gallery", *argv], env=env, capture_output=True, text=True, check=False, **more
    )


async def test_the_command_line_enrols_seals_counts_and_expunges(database, cache, small_manifest, conn):
    said = await asyncio.to_thread(cli, database, cache, "enrol", str(small_manifest), "--check")
    assert (said.returncode, await conn.fetchval(COUNT)) == (0, 0), said.stderr
    said = await asyncio.to_thread(cli, database, cache, "enrol", str(small_manifest), "--by", "clerk")
    assert "photographs enrolled" in said.stderr
    said = await asyncio.to_thread(cli, database, cache, "batches")
    assert "clerk" in said.stdout
    for by, status in (("clerk", 1), ("captain", 0), ("captain", 1)):
        said = await asyncio.to_thread(cli, database, cache, "approve", str(small_manifest), "--by", by)
        assert said.returncode == status, said.stderr
    count = len(first_rows(small_manifest))
    said = await asyncio.to_thread(cli, database, cache, "seal", PEOPLE[0], "--order", "O1", "--by", "clerk")
    assert (said.returncode, "sealed" in said.stderr) == (0, True)
    said = await asyncio.to_thread(cli, database, cache, "stats")
    assert "without vector" in said.stdout
    said = await asyncio.to_thread(
        cli, database, cache, "expunge", PEOPLE[0], "--order", "O2", "--by", "clerk", "--yes"
    )
    assert said.returncode == 0
    assert await conn.fetchval(COUNT) < count
    rows = first_rows(small_manifest)
    small_manifest.write_text(json.dumps(rows[1] | {"legal_basis": ""}) + "\n")
    said = await asyncio.to_thread(cli, database, cache, "enrol", str(small_manifest))
    assert (said.returncode, "Nothing was enrolled" in said.stderr) == (2, True)


async def test_names_that_look_like_markup_are_printed_as_they_are(database, cache, small_manifest, conn):
    row = first_rows(small_manifest)[0]
    rewrite(
        small_manifest, [row | {"sealed": "[/x]"}, row | {"photo": "[/red].jpg"}, row | {"person": "[bold]x[/bold]"}]
    )
    said = await asyncio.to_thread(cli, database, cache, "enrol", str(small_manifest), "--check")
    assert (said.returncode, "Traceback" in said.stderr) == (2, False)
    assert "[/x]" in said.stderr
    assert "[/red].jpg" in said.stderr
    rewrite(small_manifest, [row])
    said = await asyncio.to_thread(
        cli, database, cache, "enrol", str(small_manifest), "--by", "clerk[/x]", "--needs-approval"
    )
    assert said.returncode == 0, said.stderr
    said = await asyncio.to_thread(cli, database, cache, "batches")
    assert "clerk[/x]" in said.stdout


async def test_a_report_has_every_line_that_is_wrong(database, cache, small_manifest, tmp_path):
    row, report = first_rows(small_manifest)[0], tmp_path / "report.jsonl"
    rewrite(small_manifest, [row | {"agency": ""}] * 60)
    argv = ("enrol", str(small_manifest), "--report", str(report))
    said = await asyncio.to_thread(cli, database, cache, *argv)
    assert (said.returncode, "10 more" in said.stderr) == (2, True)
    assert [json.loads(line)["line"] for line in report.read_text().splitlines()] == list(range(1, 61))
    said = await asyncio.to_thread(cli, database, cache, *argv)  # it would be overwritten
    assert (said.returncode, "cannot be made" in said.stderr) == (2, True)


WRONG_SETTINGS = {
    "nothing": ({}, 2, "LEADGATE_MATCHER_DATABASE_URL: Field required"),
    "no address": ({"DATABASE_URL": "postgres://[x"}, 3, "address cannot be read"),
    "no such database": ({"DATABASE_URL": "{url}_other"}, 3, "no database of that name"),
    "nobody there": ({"DATABASE_URL": "postgres://127.0.0.1:1/x"}, 3, "does not answer"),
    "no room": ({"DATABASE_URL": "{url}", "CACHE": "/proc/nowhere"}, 2, "LEADGATE_MATCHER_CACHE"),
}


@pytest.mark.parametrize("case", WRONG_SETTINGS)
@pytest.mark.parametrize("program", [("deploy", "gallery", "stats"), ("matcher",)], ids=lambda program: program[0])
def test_a_wrong_setting_is_one_line_and_shows_no_secret(database, cache, case, program):
    settings, status, why = WRONG_SETTINGS[case]
    url = database.url("matcher")
    env = {name: value for name, value in os.environ.items() if not name.startswith("LEADGATE_")}
    env |= {"LEADGATE_MATCHER_SECRET": "hunter2", "LEADGATE_MATCHER_CACHE": str(cache)}
    env |= {f"LEADGATE_MATCHER_{name}": value.replace("{url}_other", other(url, database.name)).replace("{url}", url)
            for name, value in settings.items()}  # fmt: skip
    said = subprocess.run(
        [sys.executable, "-m", *program], env=env, capture_output=True, text=True, check=False, timeout=60
    )
    assert said.returncode == (status if program[0] == "deploy" else 1), said.stderr
    assert why in said.stderr
    assert "Traceback" not in said.stderr + said.stdout
    assert "hunter2" not in said.stderr + said.stdout


def other(url: str, name: str) -> str:
    return url.replace(name, f"{name}_other")


@pytest.mark.parametrize(
    "argv",
    [
        ("seal", "S-1", "--order", "", "--by", "clerk"),
        ("seal", "S-1", "--order", "O", "--by", " "),
        ("sweep", "--threshold", "nan"),
        ("sweep", "--threshold", "-2"),
        ("embed", "--workers", "-3"),
    ],
)
def test_what_means_nothing_is_refused_before_anything_is_done(database, cache, argv):
    said = cli(database, cache, *argv)
    assert said.returncode == 2, said.stderr
    assert "Traceback" not in said.stderr


async def test_a_killed_enrolment_goes_on_where_it_was_without_loss_or_doubles(database, cache, small_manifest, conn):
    total = len(first_rows(small_manifest))
    env = os.environ | {
        "LEADGATE_MATCHER_DATABASE_URL": database.url("matcher"),
        "LEADGATE_MATCHER_CACHE": str(cache),
    }
    argv = [sys.executable, "-m", "deploy", "gallery", "enrol", str(small_manifest), "--by", "clerk", "--workers", "1"]
    for _ in range(3):
        process = await asyncio.create_subprocess_exec(*argv, env=env, stderr=subprocess.DEVNULL)
        before = await conn.fetchval(COUNT)
        while process.returncode is None and await conn.fetchval(COUNT) == before < total:
            await asyncio.sleep(0.01)
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()
    said = await asyncio.to_thread(cli, database, cache, "enrol", str(small_manifest), "--by", "clerk")
    assert said.returncode == 0, said.stderr
    assert await conn.fetchval(COUNT) == total
    assert cli(database, cache, "approve", str(small_manifest), "--by", "captain").returncode == 0
    whole = await conn.fetchval(
        "SELECT count(*) FROM gallery.eligible JOIN gallery.picture ON picture.photograph = eligible.id"
        " JOIN gallery.embedding ON embedding.photograph = eligible.id"
    )
    assert whole == total
