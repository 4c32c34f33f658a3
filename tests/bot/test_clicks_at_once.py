"""Everybody clicks at once, on a real database: whatever the order, no lead skips what it has to rest on."""

import asyncio
import random
from dataclasses import replace
from functools import reduce
from itertools import pairwise

import pytest

from bot import ledger
from bot.casework import from_entry, stream_of
from policy import model as m
from policy.leads import against
from policy.workflow import evolve
from tests import story as s

SEARCH = m.SearchId("LG-AAAAAAAAAAAA")
EXAMINERS = (s.EVA, s.NOOR, s.BEN)
MISCHIEF: list[s.Step] = [
    *[(command, by) for by in s.EVERYBODY for command in (s.LEAD, s.OTHER_LEAD, s.NO_LEAD)],
    *[(s.APPROVE, by) for by in s.EVERYBODY],
    *[(m.Acknowledge(), by) for by in s.EVERYBODY],
    *[(m.Withdraw("Enough."), by) for by in s.EVERYBODY if by is not s.DANA],
    *[(m.AnswerCandidate(s.K7, support), by) for by in EXAMINERS for support in (m.Support.NEITHER, m.Support.SAME)],
    *[(m.OpenExamination(), by) for by in s.EVERYBODY],
    *[(m.ReturnReview("One more, please."), by) for by in (s.MARA, s.VERA, s.OMNI, s.EVA, s.DANA)],
    *[(m.AppendNote("The scar may be make-up."), by) for by in s.EVERYBODY],
    *[(m.HandBack("Called away."), by) for by in EXAMINERS],
    *[(m.HandOver(by.id, "Nobody has begun."), s.VERA) for by in (*EXAMINERS, s.DANA)],
    (m.GiveUp(), s.SYSTEM),
    (m.DeclareConflict("A neighbour."), s.OMNI),
    (m.RecordCandidates(s.CANDIDATES[:1], {"k": 1}), s.SYSTEM),
]
FAR_TALLER = m.OpenContext(replace(s.RECORD, height_cm=203, custody=((s.NOON.date(), None),)))
PATIENCE = 12  # how often somebody whom the state refuses tries again


async def patient(casework, steps: list[s.Step], chance: random.Random) -> None:
    """One person at their own pace, each step until it was taken."""
    for command, by in steps:
        for _ in range(PATIENCE):
            await asyncio.sleep(chance.random() / 50)
            events = await casework.submit(SEARCH, command, by)
            if not any(isinstance(event, m.Refused) for event in events):
                break


async def storm(casework, chance: random.Random) -> None:
    """Two or three examine, two supervisors decide, the requester acknowledges; and everybody tries everything."""
    picks = [chance.choice([s.LEAD, s.LEAD, s.LEAD, s.OTHER_LEAD, s.NO_LEAD]) for _ in EXAMINERS]
    ways = [s.says(said, by) for said, by in zip(picks, EXAMINERS, strict=True)][: chance.choice([2, 3])]
    ways += [[(s.APPROVE, s.MARA)], [(m.DecideLead(approve=chance.random() < 0.8, reason="Not alike."), s.VERA)]]
    ways += [[(m.Acknowledge(), s.DANA)] * 2, [(chance.choice([s.LOOKED, s.LOOKED, FAR_TALLER]), s.SYSTEM)]]
    if chance.random() < 0.3:
        ways.append([(m.Withdraw("Enough."), s.DANA)])
    ways += [[step] for step in chance.sample(MISCHIEF, 40)]
    await asyncio.gather(*(patient(casework, way, random.Random(chance.random())) for way in ways))


async def told(pool) -> list[m.Event]:
    async with pool.acquire() as conn:
        entries = await ledger.read(conn, stream_of(SEARCH), with_private=True)
    return [from_entry(entry.kind, {**entry.data, **entry.private}) for entry in entries]


def stands(events: list[m.Event]) -> None:
    """Every opinion, lead and acknowledgement rests on what was there before it."""
    searches = [m.Search(SEARCH)]
    for event in events:
        searches.append(evolve(searches[-1], event))
    for event, (before, after) in zip(events, pairwise(searches), strict=True):
        match event:
            case m.ExaminationConcluded():
                mine = next(e for e in before.examinations if e.examiner == event.by)
                assert mine.conclusion is None, "locked twice"
                assert mine.answers.keys() == {c.label for c in before.candidates}, "an adjudication was skipped"
                assert event.by != before.requested_by
                assert event.candidate is None or event.components.keys() == set(m.Component)
            case m.LeadIssued():
                for_it = [e for e in before.examinations if e.conclusion and e.candidate == event.candidate]
                assert {e.examiner for e in for_it} == set(event.examiners), "a lead without its locks"
                assert len(for_it) >= 2 + len(before.returned)
                assert before.decided_by not in before.handed_back
                assert before.decided_by not in {None, before.requested_by, *event.examiners}
                assert before.context is not None, "nobody looked at the record"
                assert {c.fact for c in against(before)} == before.resolutions.keys()
            case m.LeadAcknowledged():
                assert (before.state, event.by) == (m.State.LEAD, before.requested_by)
                assert before.acknowledged_at is None
            case m.NoteAppended():
                assert event.by in {e.examiner for e in before.examinations if e.conclusion}, "a note before the lock"
                assert replace(after, notes=before.notes) == before
            case m.Refused():
                assert after == before
            case _:
                assert before.state is not m.State.CLOSED or isinstance(event, m.Posted)


@pytest.mark.parametrize("seed", range(8))
async def test_no_lead_skips_an_adjudication_a_lock_independence_or_the_acknowledgement(seed, casework, pool):
    for command, by in s.TO_REVIEW:
        await casework.submit(SEARCH, command, by)
    await storm(casework, random.Random(seed))
    events = await told(pool)
    stands(events)
    kinds = [type(event) for event in events]
    assert max(kinds.count(m.LeadIssued), kinds.count(m.LeadAcknowledged), kinds.count(m.SearchClosed)) <= 1
    assert not {m.LeadIssued, m.SearchClosed} <= set(kinds)
    assert reduce(evolve, events, m.Search(SEARCH)) == await casework.look(SEARCH)


async def test_with_patience_the_storm_reaches_a_lead(casework, pool):
    """What is said above would hold of a door that lets nobody through, too."""
    for command, by in s.TO_REVIEW:
        await casework.submit(SEARCH, command, by)
    ways = [s.says(s.LEAD, s.EVA), s.says(s.LEAD, s.NOOR)]
    await asyncio.gather(*(patient(casework, way, random.Random(1)) for way in ways))
    await patient(casework, [(s.LOOKED, s.SYSTEM)], random.Random(3))
    late = [[(s.APPROVE, by)] for by in (s.MARA, s.VERA, s.OMNI)] + [s.says(s.LEAD, s.BEN)]
    await asyncio.gather(*(patient(casework, way, random.Random(2)) for way in late))
    await asyncio.gather(*(patient(casework, [(m.Acknowledge(), s.DANA)], random.Random(n)) for n in range(4)))
    events = await told(pool)
    stands(events)
    assert [type(e) for e in events].count(m.LeadIssued) == [type(e) for e in events].count(m.LeadAcknowledged) == 1


async def test_of_three_examiners_who_lock_at_once_one_is_told_kindly(casework):
    for step in [*s.TO_REVIEW, *(one for by in EXAMINERS for one in s.answers(by, s.K7))]:
        await casework.submit(SEARCH, *step)
    came = await asyncio.gather(*(casework.submit(SEARCH, s.LEAD, by) for by in EXAMINERS))
    refused = [event for events in came for event in events if isinstance(event, m.Refused)]
    (one,) = refused
    assert one.reason == "The examination is over and a supervisor is deciding. Nothing can be added to it."
