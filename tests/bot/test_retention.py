"""What is kept goes when its time is over, and not before; a legal hold stops that; the ledger says what went."""

import asyncio
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest
from typer.testing import CliRunner

from bot import audit, ledger, photos, retention, upkeep
from bot.casework import PRIVATE, Casework, known_packs, register, stream_of
from bot.desk import keep_given_out
from bot.forwarding import given_out
from bot.views import upkeep as words
from deploy.commands.retention import app
from policy import model as m
from policy.aftermath import Evidence, LeadOutcome
from policy.cases import complete
from policy.pack import parse
from tests import story as s
from tests.bot.test_casework import SEARCH, tell
from tests.story import DANA, EVA, MARA, NOOR

KEK = b"k" * 32
EVIDENCE = m.RecordEvidence(Evidence.PHYSICAL, "Latent print on the till, lab report 26-114.")
OUTCOME = m.RecordOutcome(LeadOutcome.ELIMINATED, "An alibi for the whole day.")
KINDS = ("original", "marked", "copy")
AFTER = timedelta(days=1826)  # nypd-2020 keeps everything of a search for 1,825 days
# photographs, or fields of the ledger: case number and answers; the candidates; what each of two said of differences
PURGED = {"probe": 2, "working-copy": 2, "request": 3, "candidates": 1, "opinions": 2}


@pytest.fixture
async def closed(casework, pool):
    """A search that ended without a lead; its photographs, and a prepared copy, are kept."""
    steps = [*s.TO_REVIEW, *s.says(s.NO_LEAD, EVA), *s.says(s.NO_LEAD, NOOR)]
    assert (await tell(casework, steps)).state is m.State.CLOSED
    async with pool.acquire() as conn, conn.transaction():
        for kind in KINDS:
            await photos.keep(conn, KEK, SEARCH, kind, kind.encode())
        await photos.keep_prepared(conn, KEK, SEARCH, b"prepared")
    return casework


async def due(pool, now):
    async with pool.acquire() as conn:
        return await retention.due(conn, {name: parse(text, name) for name, text in await known_packs(conn)}, now)


async def purged(pool, now):
    told = {}
    for one in await due(pool, now):
        async with pool.acquire() as conn, conn.transaction():
            told[one.of] = await retention.purge(conn, one, now)
    return told


async def test_nothing_is_due_before_its_time_or_while_the_search_is_open(casework, pool):
    later = datetime.now(UTC) + AFTER
    await tell(casework, s.TO_REVIEW)
    assert await due(pool, later) == []


async def test_everything_of_a_class_goes_when_its_time_is_over_and_the_ledger_says_what(closed, pool, superuser):
    now = datetime.now(UTC)
    assert await due(pool, now + timedelta(days=1824)) == []
    later = now + AFTER
    assert await purged(pool, later) == PURGED
    assert await due(pool, later) == []
    for table in ("photo", "prepared", "seal_key"):
        assert await superuser.fetchval(f"SELECT count(*) FROM casework.{table}") == 0
    search = await closed.look(SEARCH)
    assert (search.fields, search.case_number, search.outcome) == ({}, "purged", m.Outcome.NO_POSSIBLE_MATCH)
    assert (search.candidates, [e.differences for e in search.examinations]) == ((), ["", ""])
    async with pool.acquire() as conn:
        entries = await ledger.read(conn, f"retention:{SEARCH}")
        story = await ledger.read(conn, stream_of(SEARCH), with_private=True)
    gone = {e.data["class"]: e.data for e in entries}
    assert set(gone["probe"]["sha256"]) == {photos.sha256(kind.encode()) for kind in ("original", "marked")}
    assert set(gone["working-copy"]["sha256"]) == {photos.sha256(b"copy"), photos.sha256(b"prepared")}
    assert not any(e.private for e in story)
    assert {e.kind for e in story} >= {"SearchRequested", "ExaminationConcluded", "SearchClosed", "PrivateErased"}


def test_every_private_field_of_every_event_belongs_to_one_class():
    private = {f"{event.__name__}.{f.name}" for event in m.Event.__args__ for f in fields(event) if f.name in PRIVATE}
    named = [name for names in retention.FIELDS.values() for name in names]
    assert sorted(named) == sorted(private)


async def test_each_class_goes_at_its_own_time_and_takes_nothing_of_another(casework, pool):
    """A lead with everything that was said of it, under a pack that keeps each class another number of days."""
    described = replace(
        s.ASK, fields={**s.FIELDS, "circumstances": "witness", "description": "Short.", "witness-height": "5'6"}
    )
    far = m.OpenContext(replace(s.RECORD, height_cm=203))
    resolved = m.DecideLead(
        approve=True, reason="Sound.", resolutions={"height": "Her statement says she lay on the floor."}
    )
    steps = [(described, DANA), *s.AGREED[1:-1], (far, s.SYSTEM), (m.AppendNote("The scar may be make-up."), EVA)]
    steps += [(resolved, s.MARA), (m.Acknowledge(), DANA), (EVIDENCE, DANA), (OUTCOME, DANA)]
    search = await tell(casework, steps)
    assert search.aftermath is LeadOutcome.ELIMINATED
    said = {
        "request": lambda one: bool(one.fields or one.resolutions or one.context),
        "candidates": lambda one: bool(one.candidates),
        "opinions": lambda one: bool(one.notes or any(e.differences for e in one.examinations)),
        "lead": lambda one: bool(one.corroboration),
    }
    left = set(said)
    for of in ("lead", "candidates", "request", "opinions"):
        async with pool.acquire() as conn, conn.transaction():
            one = retention.Due(SEARCH, of, 30, s.NOON)
            assert await retention.purge(conn, one, datetime.now(UTC)) >= 1
            entries = await ledger.read(conn, stream_of(SEARCH), with_private=True)
        left.remove(of)
        after = await casework.look(SEARCH)
        assert {name for name, stands in said.items() if stands(after)} == left
        opened = {f"{e.kind}.{field}" for e in entries for field in e.private}
        assert opened == {name for of in left for name in retention.FIELDS[of]}
    assert after.state is m.State.LEAD


HANDED = {"faces": b"the faces", "k7": b"a candidate", "lead": b"the lead", "sheet": b"its sheet"}


async def hand_out(pool):
    async with pool.acquire() as conn, conn.transaction():
        for label, data in HANDED.items():
            await keep_given_out(conn, SEARCH, label, data)


async def known_again(pool):
    async with pool.acquire() as conn:
        found = [await given_out(conn, photos.sha256(data)) for data in HANDED.values()]
    return {one[1] for one in found if one}


async def test_what_was_handed_out_is_known_again_until_the_last_class_has_gone(closed, pool):
    await hand_out(pool)
    now = datetime.now(UTC)
    assert await purged(pool, now + timedelta(days=1824)) == {}
    assert await known_again(pool) == set(HANDED)
    assert await purged(pool, now + AFTER) == PURGED | {"handed-out": 0}
    assert await known_again(pool) == set()
    assert await due(pool, now + AFTER) == []


async def test_a_ledger_from_which_words_were_erased_still_verifies(closed, pool, database):
    await purged(pool, datetime.now(UTC) + AFTER)
    conn = await asyncpg.connect(database.url("auditor"))
    try:
        report = await audit.verify(conn, None)
    finally:
        await conn.close()
    assert report.faults == []


async def test_a_legal_hold_keeps_everything_until_it_is_released(closed, pool):
    later = datetime.now(UTC) + AFTER
    async with pool.acquire() as conn, conn.transaction():
        assert await retention.hold(conn, SEARCH, "People v. Roe, 26-1234", "Ada", s.NOON)
        assert not await retention.hold(conn, SEARCH, "again", "Ada", s.NOON)
        assert not await retention.hold(conn, m.SearchId("LG-ZZZZZZZZZZZZ"), "nobody", "Ada", s.NOON)
        assert [row["search"] for row in await retention.held(conn)] == [SEARCH]
    assert await purged(pool, later) == {}
    async with pool.acquire() as conn, conn.transaction():
        assert await retention.release(conn, SEARCH, "case closed", "Ada", s.NOON)
        assert not await retention.release(conn, SEARCH, "again", "Ada", s.NOON)
        entries = await ledger.read(conn, f"retention:{SEARCH}")
    assert [e.kind for e in entries] == ["LegalHold", "LegalHoldReleased"]
    assert await purged(pool, later) == PURGED


@pytest.fixture
def leadgate(database):
    """Runs `leadgate retention`: (exit status, what it said)."""
    runner = CliRunner(env={"LEADGATE_DATABASE_URL": database.url("bot"), "COLUMNS": "200"})

    async def run(*words):
        result = await asyncio.to_thread(runner.invoke, app, list(words))  # it has a loop of its own
        return result.exit_code, result.output

    return run


@pytest.mark.parametrize(
    "reason", ["", " \n ", "seen\u202e by counsel", "half \ud800", "\x1b[31mPeople v. Roe", "x" * 1001]
)
async def test_a_hold_says_why_in_words_that_can_be_read(reason, closed, leadgate, pool):
    status, said = await leadgate("hold", SEARCH, "--reason", reason, "--by", "Ada")
    assert (status, "Invalid value for '--reason'" in said) == (2, True), said
    async with pool.acquire() as conn:
        assert await retention.held(conn) == []


async def test_a_hold_is_listed_in_the_words_in_which_it_was_asked_for(closed, leadgate):
    assert (await leadgate("hold", SEARCH, "--reason", "People v.  Roe [red]26[/red]", "--by", "Ada"))[0] == 0
    assert "People v. Roe [red]26[/red]" in (await leadgate("held"))[1]
    assert (await leadgate("release", SEARCH, "--reason", "Acquitted", "--by", "Ada"))[0] == 0
    assert (await leadgate("held"))[1] == "Nothing is held.\n"
    status, said = await leadgate("release", SEARCH, "--reason", "Acquitted", "--by", "Ada")
    assert (status, said) == (2, f"leadgate: {SEARCH} is not held. Nothing was changed.\n")


# --- what goes because the request was refused --------------------------------------------------------------------------

EUROPE = s.pack("eu-aiact-post-rbi")
URGENT = [(complete(EUROPE, "urgent"), DANA), *s.TO_REVIEW[1:]]
REFUSED = m.ApproveRequest(approve=False, reason="The court did not authorise it.")
APPROVED = m.DecideLead(approve=True, reason="Two sound examinations.")
STAGES = {"while it is examined": URGENT, "after the lead": [*URGENT, *s.AGREED[len(URGENT) :], (APPROVED, MARA)]}


@pytest.fixture
async def of_europe(casework, pool):
    """The door under a law by which what was refused is deleted."""
    async with pool.acquire() as conn, conn.transaction():
        await register(conn, EUROPE, s.text_of(EUROPE.name))
    return Casework(pool, {}, EUROPE, lambda: s.NOON, KEK)


async def with_photographs(casework, pool, steps):
    await tell(casework, steps)
    async with pool.acquire() as conn, conn.transaction():
        for kind in KINDS:
            await photos.keep(conn, KEK, SEARCH, kind, kind.encode())


async def ordered(pool):
    async with pool.acquire() as conn:
        return [
            row["payload"] for row in await conn.fetch("SELECT payload FROM casework.job WHERE kind = 'purge-refused'")
        ]


@pytest.mark.parametrize("stage", STAGES)
async def test_what_came_of_a_refused_authorisation_is_deleted_at_once(stage, of_europe, pool, superuser):
    await with_photographs(of_europe, pool, STAGES[stage])
    await hand_out(pool)
    assert await due(pool, datetime.now(UTC)) == []
    await of_europe.submit(SEARCH, REFUSED, MARA)
    assert await ordered(pool) == [{"search": SEARCH}]
    now = datetime.now(UTC)
    gone = await purged(pool, now)
    assert {"probe": 2, "working-copy": 1, "candidates": 1}.items() <= gone.items()
    assert await due(pool, now) == []
    assert await superuser.fetchval("SELECT count(*) FROM casework.photo") == 0
    search = await of_europe.look(SEARCH)
    assert (search.candidates, search.refused_by) == ((), MARA.id)
    async with pool.acquire() as conn:
        entries = await ledger.read(conn, stream_of(SEARCH), with_private=True)
    whys = {e.data["why"] for e in entries if e.kind == "PrivateErased"}
    assert whys == {"the request was not approved"}
    # that somebody asked and was refused stays, and what was handed out is known again
    assert "SearchRequested.case_number" in {f"{e.kind}.{field}" for e in entries for field in e.private}
    assert (search.case_number, bool(search.fields)) == (URGENT[0][0].case_number, True)
    assert await known_again(pool) == set(HANDED)
    assert {one.of for one in await due(pool, now + AFTER)} == {"request", "handed-out"}


async def test_a_hold_keeps_what_was_refused_and_its_release_lets_it_go(of_europe, pool):
    await with_photographs(of_europe, pool, URGENT)
    await of_europe.submit(SEARCH, REFUSED, MARA)
    async with pool.acquire() as conn, conn.transaction():
        await retention.hold(conn, SEARCH, "People v. Roe, 26-1234", "Ada", s.NOON)
    now = datetime.now(UTC)
    assert await due(pool, now) == []
    async with pool.acquire() as conn, conn.transaction():
        await retention.release(conn, SEARCH, "case closed", "Ada", s.NOON)
    assert {one.of for one in await due(pool, now)} == {"probe", "working-copy", "candidates"}


async def test_of_one_search_nothing_of_another_goes(of_europe, pool):
    await with_photographs(of_europe, pool, URGENT)
    await of_europe.submit(SEARCH, REFUSED, MARA)
    async with pool.acquire() as conn:
        rules = {name: parse(text, name) for name, text in await known_packs(conn)}
        now = datetime.now(UTC)
        assert await retention.due(conn, rules, now, m.SearchId("LG-BBBBBBBBBBBB")) == []
        assert {one.search for one in await retention.due(conn, rules, now, SEARCH)} == {SEARCH}


async def test_under_another_law_what_was_refused_is_kept_as_everything(casework, pool):
    minor = replace(s.ASK, fields={**s.FIELDS, "circumstances": "minor"})
    await tell(casework, [(minor, DANA), (REFUSED, MARA)])
    assert await ordered(pool) == [{"search": SEARCH}]
    assert await due(pool, datetime.now(UTC)) == []


# --- what the database lets nobody do -----------------------------------------------------------------------------------


async def test_the_database_purges_nothing_that_is_open_or_held_and_only_through_its_own_door(closed, pool):
    later = datetime.now(UTC) + AFTER
    async with pool.acquire() as conn:
        for statement in ("DELETE FROM casework.photo", "DELETE FROM casework.prepared", "DELETE FROM logs.record"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await conn.execute(statement)
        with pytest.raises(asyncpg.CheckViolationError, match="no class"):
            await conn.fetch(retention.PURGE, SEARCH, "ledger", later)
        with pytest.raises(asyncpg.CheckViolationError, match="too young"):
            await conn.fetch(retention.PURGE, SEARCH, "probe", s.NOON - timedelta(days=1))
        with pytest.raises(asyncpg.CheckViolationError, match="last year are kept"):
            await conn.fetchval(retention.PURGE_LOGS, datetime.now(UTC) - timedelta(days=364))
        await retention.hold(conn, SEARCH, "an order", "Ada", s.NOON)
        with pytest.raises(asyncpg.CheckViolationError, match="held"):
            await conn.fetch(retention.PURGE, SEARCH, "probe", later)


async def test_logs_older_than_the_pack_keeps_them_go(casework, pool, superuser):
    now = datetime.now(UTC)
    put = "INSERT INTO logs.record (run, number, at, level, service, event, context) VALUES ($1, $2, $3, 20, 'x', 'y', '{}')"
    for number, days in enumerate((1, 364, 366, 900), start=1):
        await superuser.execute(put, "r", number, now - timedelta(days=days))
    async with pool.acquire() as conn, conn.transaction():
        assert await retention.purge_logs(conn, casework.active, now) == 2
        assert await retention.purge_logs(conn, casework.active, now) == 0
    assert await superuser.fetchval("SELECT count(*) FROM logs.record") == 2


# --- reminders --------------------------------------------------------------------------------------------------------


async def test_whoever_is_certified_is_reminded_a_month_a_week_and_a_day_before_it_ends(casework, pool):
    until = (EVA.certified_until or s.NOON).replace(hour=12)
    async with pool.acquire() as conn:
        await conn.execute("UPDATE casework.person SET certified_until = NULL WHERE id <> $1", EVA.id)
        await conn.execute("UPDATE casework.person SET certified_until = $2 WHERE id = $1", EVA.id, until)
        keys = [
            job.key for days in range(40, -2, -1) for job in await upkeep.ending(conn, until - timedelta(days=days))
        ]
    assert list(dict.fromkeys(keys)) == [f"{EVA.id}:{until.date()}:{days}" for days in (30, 7, 1)]
    text, _ = words.certification(until)
    assert f"{until:%Y}" in text


@pytest.mark.parametrize(
    ("every", "days"),
    [
        ("week", ["2026-01-05", "2026-01-12"]),
        ("quarter", ["2026-01-01", "2026-04-01", "2026-07-01", "2026-10-01"]),
        ("year", ["2026-01-01", "2027-01-01"]),
        ("two-years", ["2026-01-01", "2028-01-01"]),
        ("breach", []),
    ],
)
def test_a_report_is_due_when_its_next_period_begins(every, days):
    span = [date(2026, 1, 1) + timedelta(days=n) for n in range(800)]
    assert [day.isoformat() for day in span if upkeep.begins(every, day)][: len(days)] == days


def test_the_reminder_of_a_report_says_for_which_period_it_is():
    (report,) = [r for r in s.pack("detroit-2024").reports if r.every == "week"]
    _, blocks = words.report_due(report, "detroit-2024@1.0.0", date(2026, 3, 2))
    assert "/face-usage 2026-02-23 2026-03-02" in blocks[0]["text"]["text"]
    assert words._first_day("quarter", date(2026, 1, 1)) == date(2025, 10, 1)
    assert words._first_day("quarter", date(2026, 10, 1)) == date(2026, 7, 1)
    assert words._first_day("two-years", date(2026, 1, 1)) == date(2024, 1, 1)
    assert DANA.roles
