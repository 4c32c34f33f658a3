"""Known-answer cases at rest, and the signals that an opinion may be none, on a database of their own."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from bot import jobs, known_answers, photos
from bot.casework import Casework
from policy import model as m
from policy.known_answers import Verdict
from tests import story as s

KEK = b"k" * 32
CASES = {f"{n:032x}": (f"picture {n}".encode(), "S-1" if n % 2 else None) for n in range(6)}


@pytest.fixture
async def cases(pool):
    async with pool.acquire() as conn, conn.transaction():
        for name, (photo, person) in CASES.items():
            assert await known_answers.add(conn, KEK, name, photo, person, s.NOON)
    return CASES


async def draw(pool, search, nth=0):
    async with pool.acquire() as conn, conn.transaction():
        return await known_answers.draw(conn, m.SearchId(search), nth)


async def test_a_case_opens_as_it_was_added_and_a_photograph_is_added_once(pool, cases):
    async with pool.acquire() as conn, conn.transaction():
        for name, (photo, person) in cases.items():
            case, opened = await known_answers.opened(conn, KEK, name)
            assert (opened, case.person, case.sha256) == (photo, person, photos.sha256(photo))
        assert not await known_answers.add(conn, KEK, "f" * 32, b"picture 0", "S-2", s.NOON)
        assert await known_answers.left(conn) == len(cases)


async def test_every_case_is_drawn_once_however_many_draw_at_once(pool, cases):
    drawn = await asyncio.gather(*(draw(pool, f"LG-{n:012d}", n % 3) for n in range(30)))
    await asyncio.gather(*(draw(pool, f"LG-{n:012d}") for n in range(100, 130)))
    times = Counter(name for name in drawn if name)
    assert set(times.values()) == {1}
    async with pool.acquire() as conn:
        assert await known_answers.left(conn) == 0


async def test_the_latest_rate_holds_and_every_one_is_in_the_ledger(pool, casework, superuser):
    async with pool.acquire() as conn, conn.transaction():
        assert await known_answers.rate(conn) == 0
        for rate in (3.0, 5.0, 2.5):
            await known_answers.set_rate(conn, rate, s.MARA.id, s.NOON)
        assert await known_answers.rate(conn) == 2.5
    rows = await superuser.fetch("SELECT kind FROM ledger.entry WHERE stream = 'known-answers'")
    assert [row["kind"] for row in rows] == ["KnownAnswerRateSet"] * 3


async def told(casework, search, steps):
    for command, by in steps:
        events = await casework.submit(m.SearchId(search), command, by)
        assert s.refusals(list(events)) == []


async def test_a_known_answer_search_is_in_no_count_and_its_verdicts_are_written_once(pool, casework, cases):
    name = next(iter(cases))
    begin = [(m.InjectKnownAnswer(name, "suspect"), s.SYSTEM), *s.TO_REVIEW[1:]]
    await told(casework, "LG-AAAAAAAAAAAA", [*begin, *s.says(s.LEAD, s.EVA), *s.says(s.NO_LEAD, s.NOOR)])
    async with pool.acquire() as conn, conn.transaction():
        for _ in range(2):
            await known_answers.keep_result(conn, m.SearchId("LG-AAAAAAAAAAAA"), s.EVA.id, Verdict.RIGHT, mated=True)
        [result] = await known_answers.results(conn)
    assert (result.mated, result.verdict) == (True, Verdict.RIGHT)


async def test_the_database_takes_no_lead_of_a_known_answer_case_nor_its_end_as_anything_else(
    casework, cases, superuser
):
    await told(casework, "LG-AAAAAAAAAAAA", [(m.InjectKnownAnswer(next(iter(cases)), "suspect"), s.SYSTEM)])
    with pytest.raises(asyncpg.CheckViolationError):
        await superuser.execute("UPDATE casework.search SET state = 'lead', outcome = 'possible-match'")
    with pytest.raises(asyncpg.CheckViolationError):
        await superuser.execute("UPDATE casework.search SET case_number = '2026-075-001234'")
    with pytest.raises(asyncpg.CheckViolationError):
        await superuser.execute(
            "INSERT INTO casework.account (team, account, person) VALUES ('T1', 'U1', 'known-answer')"
        )


async def test_an_opinion_in_seconds_and_a_pair_that_always_agrees_are_seen(pool, casework):
    """Eva takes a second for each candidate, Noor ten; they agree in everything but the last."""
    later = Casework(pool, {}, s.pack(), lambda: s.NOON + timedelta(seconds=3), KEK)
    much_later = Casework(pool, {}, s.pack(), lambda: s.NOON + timedelta(seconds=30), KEK)
    for n, noor in enumerate([s.LEAD, s.NO_LEAD, s.OTHER_LEAD]):
        search = f"LG-AAAAAAAAAAA{n}"
        await told(casework, search, s.TO_REVIEW)
        for who in (s.EVA, s.NOOR, s.EVA):
            await casework.sat_down(m.SearchId(search), who)
        await told(later, search, s.says(s.LEAD if n != 1 else s.NO_LEAD, s.EVA))
        await told(much_later, search, s.says(noor, s.NOOR))
    async with pool.acquire() as conn:
        eva, noor = await known_answers.dwell(conn, 3.0)
        [pair] = await known_answers.pairs(conn)
    assert (eva["examiner"], eva["opinions"], eva["hasty"], eva["median"]) == ("eva", 3, 3, 3.0)
    assert (noor["opinions"], noor["hasty"], noor["median"]) == (3, 0, 30.0)
    assert (pair["one"], pair["other"], pair["together"], pair["agreed"]) == ("eva", "noor", 3, 2)


async def test_time_counts_at_worksheet_and_viewer_and_a_night_between_two_sittings_does_not(pool, casework):
    """Eva is at it for two minutes in the evening and one in the morning; the pause counts as five minutes."""
    search = "LG-AAAAAAAAAAAA"
    await told(casework, search, s.TO_REVIEW)
    evening, morning = timedelta(minutes=2), timedelta(hours=14)
    for after in (timedelta(0), evening, morning, morning + timedelta(minutes=1)):
        then = Casework(pool, {}, s.pack(), lambda after=after: s.NOON + after, KEK)
        await then.sat_down(m.SearchId(search), s.EVA)
    await told(then, search, s.says(s.LEAD, s.EVA))
    afterwards = Casework(pool, {}, s.pack(), lambda: s.NOON + timedelta(days=1), KEK)
    await afterwards.sat_down(m.SearchId(search), s.EVA)
    async with pool.acquire() as conn:
        [eva] = await known_answers.dwell(conn, 3.0)
    assert eva["median"] == timedelta(minutes=8).total_seconds()


@pytest.mark.parametrize(
    "event",
    [m.HandedOver(s.MARA.id, s.EVA.id, "Noor is in court."), m.ExaminersDisagreed(), m.SearchRun(s.CANDIDATES, {})],
)
def test_examiners_hear_of_a_known_answer_case_what_they_hear_of_every_other(event):
    real, _ = s.tell(s.TO_REVIEW[:3] if isinstance(event, m.SearchRun) else s.TO_REVIEW)
    known = replace(real, known="k-1")
    heard = {"open-review", "call-arbiter", "tell-handed"}
    of_real, of_known = ({job.kind for job in jobs.following(event, one, s.NOON)} & heard for one in (real, known))
    assert of_known == of_real != set()
