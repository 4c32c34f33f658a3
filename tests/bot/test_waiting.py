"""Reminders are ordered once for each time that something began to wait, and only while it does."""

from datetime import timedelta

import pytest

from bot import jobs, lots, waiting
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
    key = f"{SEARCH}:examination:{s.NOON.timestamp():.0f}:0"
    assert await asked(pool, s.NOON + timedelta(hours=24, seconds=-1)) == []
    assert await asked(pool, s.NOON + timedelta(hours=24)) == [("remind-waiting", key)]
    late = [("remind-waiting", key), ("escalate-waiting", key)]
    assert await asked(pool, s.NOON + timedelta(hours=48)) == late
    for command, by in [(m.AnswerCandidate(s.K7, m.Support.SAME), EVA), *s.says(s.LEAD, EVA)]:
        await casework.submit(SEARCH, command, by)  # an opinion does not make it wait anew
    assert await asked(pool, s.NOON + timedelta(hours=48)) == late


async def test_what_was_given_back_is_reminded_of_anew(casework, pool):
    await tell(casework, [*s.TO_REVIEW, (m.AnswerCandidate(s.K7, m.Support.SAME), EVA), (BACK, EVA)])
    key = f"{SEARCH}:examination:{s.NOON.timestamp():.0f}:1"
    assert await asked(pool, s.NOON + timedelta(hours=48)) == [("remind-waiting", key), ("escalate-waiting", key)]


BACK = m.HandBack("I am called to court.")
HAND_OVER = m.HandOver(EVA.id, "Nobody has begun it yet.")


def ordered(steps) -> list[tuple[str, str]]:
    """Which jobs the last step orders."""
    before, _ = s.tell(steps[:-1])
    after, events = s.tell(steps[-1:], search=before)
    return [(job.kind, job.key) for event in events for job in jobs.following(event, after, s.NOON)]


def test_whoever_is_asked_a_second_time_is_told_a_second_time():
    steps = [*s.TO_REVIEW, (HAND_OVER, s.MARA), (BACK, EVA), (HAND_OVER, s.MARA)]
    assert ordered(steps[:5]) == [("tell-handed", f"{SEARCH}:eva:handed:1")]
    assert ordered(steps) == [("tell-handed", f"{SEARCH}:eva:handed:2")]


def test_that_an_examination_was_given_back_is_told_each_time():
    began = [(m.AnswerCandidate(s.K7, m.Support.SAME), EVA), (BACK, EVA)]
    settled = ("settle-handed", f"{SEARCH}:in-review:0:1:0")
    assert ordered([*s.TO_REVIEW, *began]) == [("call-arbiter", f"{SEARCH}:0:1:0"), settled]
    assert ("call-arbiter", f"{SEARCH}:0:2:0") in ordered([*s.TO_REVIEW, *began, *began])


DRAWN = (m.DrawExaminers((m.Eligible(EVA.id, 0), m.Eligible(s.NOOR.id, 0)), "chance"), s.SYSTEM)
CONFLICT = m.DeclareConflict("We are neighbours.")
NO_MORE = {
    "an opinion is locked": [*s.says(s.NO_LEAD, EVA)],
    "it is given back": [(BACK, EVA)],
    "somebody has a conflict": [(CONFLICT, EVA)],
    "it is withdrawn": [(m.Withdraw("The case is closed."), s.DANA)],
    "there is a lead": [*s.says(s.LEAD, EVA), *s.says(s.LEAD, s.NOOR), (s.LOOKED, s.SYSTEM), (s.APPROVE, s.MARA)],
}


@pytest.mark.parametrize("why", NO_MORE)
def test_whoever_was_told_that_it_waits_for_them_is_told_that_it_does_no_more(why):
    steps = [*s.TO_REVIEW[:3], DRAWN, s.TO_REVIEW[3], *NO_MORE[why]]
    assert "settle-handed" in [kind for kind, _ in ordered(steps)]
    search, _ = s.tell(steps)
    assert (EVA.id, f"{SEARCH}:eva:drawn") in jobs.told_of_it(search)


def test_nobody_is_told_anything_where_nobody_was_told():
    assert "settle-handed" not in [kind for kind, _ in ordered([*s.TO_REVIEW, *s.says(s.NO_LEAD, EVA)])]


def test_those_who_were_drawn_are_told_once_it_can_be_opened():
    draw = (m.DrawExaminers((m.Eligible(EVA.id, 0), m.Eligible(s.NOOR.id, 0)), "chance"), s.SYSTEM)
    assert ordered([*s.TO_REVIEW[:3], draw]) == []
    told = [("tell-handed", f"{SEARCH}:{who}:drawn") for who in ("eva", "noor")]
    assert ordered([*s.TO_REVIEW[:3], draw, s.TO_REVIEW[3]])[-2:] == told
    another = (m.DrawExaminers((m.Eligible(s.BEN.id, 0),), "chance"), s.SYSTEM)
    again = [*s.TO_REVIEW[:3], draw, s.TO_REVIEW[3], (BACK, EVA), another]
    assert ordered(again) == [("tell-handed", f"{SEARCH}:ben:drawn")]


async def test_what_is_before_an_examiner_is_what_they_were_drawn_or_asked_for_or_have_begun(casework, pool):
    began = (m.AnswerCandidate(s.K7, m.Support.SAME), s.BEN)
    await tell(casework, [*s.TO_REVIEW, (HAND_OVER, s.MARA), began, *s.says(s.NO_LEAD, s.NOOR)])
    async with pool.acquire() as conn:
        assert await lots.before_them(conn) == {EVA.id: 1, s.BEN.id: 1}


async def test_what_is_over_is_reminded_of_no_more(casework, pool):
    await tell(casework, [*s.TO_REVIEW, (m.Withdraw("Solved."), s.DANA)])
    assert await asked(pool, s.NOON + timedelta(days=90)) == []


async def test_examiners_are_found_by_the_roster(casework, pool):
    async with pool.acquire() as conn:
        found = {actor.id for actor, _ in await waiting.examiners(conn)}
    assert {"eva", "noor", "ben"} <= found
    assert "dana" not in found
