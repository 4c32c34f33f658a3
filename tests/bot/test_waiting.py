"""Reminders are ordered once for each time that something began to wait, and only while it does."""

from datetime import timedelta

from bot import waiting
from policy import model as m
from tests import story as s
from tests.bot.test_casework import SEARCH, tell
from tests.story import EVA


async def asked(pool, now):
    async with pool.acquire() as conn:
        found = await waiting.every(conn, {s.pack().id: s.pack()})
    return [(job.kind, job.key) for job in waiting.reminders(found, now)]


async def test_an_examination_is_reminded_of_when_it_is_due_and_escalates_when_it_waited_twice_as_long(casework, pool):
    await tell(casework, s.TO_REVIEW)
    key = f"{SEARCH}:examination:{s.NOON.timestamp():.0f}"
    assert await asked(pool, s.NOON + timedelta(hours=24, seconds=-1)) == []
    assert await asked(pool, s.NOON + timedelta(hours=24)) == [("remind-waiting", key)]
    late = [("remind-waiting", key), ("escalate-waiting", key)]
    assert await asked(pool, s.NOON + timedelta(hours=48)) == late
    for command, by in [(m.AnswerCandidate(s.K7, m.Support.SAME), EVA), *s.says(s.LEAD, EVA)]:
        await casework.submit(SEARCH, command, by)  # an opinion does not make it wait anew
    assert await asked(pool, s.NOON + timedelta(hours=48)) == late


async def test_what_is_over_is_reminded_of_no_more(casework, pool):
    await tell(casework, [*s.TO_REVIEW, (m.Withdraw("Solved."), s.DANA)])
    assert await asked(pool, s.NOON + timedelta(days=90)) == []


async def test_examiners_are_found_by_the_roster(casework, pool):
    async with pool.acquire() as conn:
        found = {actor.id for actor, _ in await waiting.examiners(conn)}
    assert {"eva", "noor", "ben"} <= found
    assert "dana" not in found
