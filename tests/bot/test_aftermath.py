"""What the day asks of leads, what follows when one ends, and what is looked up when a file turns up elsewhere."""

from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from bot import aftermath, jobs, queue, store
from bot.aftermath import leads_of_the_case
from bot.forwarding import upload_of
from policy import model as m
from policy.aftermath import Evidence, LeadOutcome
from tests import story as s
from tests.bot.test_casework import SEARCH, tell
from tests.story import DANA, MARA

HELD = [*s.AGREED, (s.APPROVE, MARA), (m.Acknowledge(), DANA)]
DUE = s.NOON + timedelta(days=30)


async def asked(pool, now) -> list[tuple[str, str]]:
    async with pool.acquire() as conn:
        return [(job.kind, job.key) for job in await aftermath.due(conn, now)]


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (timedelta(days=20), []),
        (timedelta(days=7), [("remind-lead", f"{SEARCH}:7")]),
        (timedelta(days=2), [("remind-lead", f"{SEARCH}:7")]),
        (timedelta(days=1), [("remind-lead", f"{SEARCH}:1")]),
        (timedelta(0), [("expire-lead", SEARCH)]),
        (timedelta(days=-90), [("expire-lead", SEARCH)]),
    ],
)
async def test_the_requester_is_reminded_a_week_and_a_day_before_and_then_it_expires(before, expected, casework, pool):
    await tell(casework, HELD)
    assert await asked(pool, DUE - before) == expected


async def test_nobody_is_reminded_of_a_lead_with_an_outcome(casework, pool):
    await tell(casework, [*HELD, (m.RecordOutcome(LeadOutcome.ELIMINATED, ""), DANA)])
    assert await asked(pool, DUE) == []


FIRST, TOLD = ("remind-unseen", f"{SEARCH}:issued"), ("tell-unseen", SEARCH)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (timedelta(hours=23), []),
        (timedelta(days=1), [FIRST]),
        (timedelta(days=3), [FIRST, TOLD]),
        (timedelta(days=23), [("remind-unseen", f"{SEARCH}:7"), TOLD]),
        (timedelta(days=29), [("remind-unseen", f"{SEARCH}:1"), TOLD]),
        (timedelta(days=30), [("expire-lead", SEARCH)]),
        (timedelta(days=99), [("expire-lead", SEARCH)]),
    ],
)
async def test_a_lead_that_nobody_acknowledges_is_reminded_of_told_to_supervisors_and_over(
    after, expected, casework, pool
):
    await tell(casework, HELD[:-1])
    assert await asked(pool, s.NOON + after) == expected


async def test_nobody_has_to_answer_the_recall_of_a_lead_whose_photograph_nobody_saw(casework, pool):
    await tell(casework, [*HELD[:-1], (m.RecallLead("Another man confessed."), MARA)])
    assert await asked(pool, s.NOON + timedelta(days=1)) == []


async def test_whoever_has_a_recalled_lead_is_reminded_every_day_until_they_answer(casework, pool):
    await tell(casework, [*HELD, (m.RecallLead("Another man confessed."), MARA)])
    tomorrow, later = s.NOON + timedelta(days=1), s.NOON + timedelta(days=2)
    assert await asked(pool, tomorrow) == [("remind-recall", f"{SEARCH}:{tomorrow.date()}")]
    assert await asked(pool, later) == [("remind-recall", f"{SEARCH}:{later.date()}")]
    await tell(casework, [(m.AcknowledgeRecall(), DANA)])
    assert await asked(pool, later) == []


def following(*steps, posted=True):
    search, events = s.tell([*HELD, *steps])
    search = replace(search, posts={"notice": "C1 1.0"} if posted else {})
    return [(job.kind, job.payload.get("why")) for job in jobs.following(events[-1], search, s.NOON)]


def test_what_ends_a_lead_changes_its_notice_and_takes_back_what_was_handed_over():
    recalled = following((m.RecallLead("Another man confessed."), MARA))
    assert recalled == [("give-notice", None), ("delete-images", "recalled"), ("tell-recalled", None)]
    assert following((m.RecallLead("Another."), MARA), posted=False)[0] == ("delete-images", "recalled")
    answered = following((m.RecallLead("Another man confessed."), MARA), (m.AcknowledgeRecall(), DANA))
    assert answered == [("settle-recall", None)]


def test_only_a_case_that_was_closed_on_somebody_else_recalls_its_leads():
    assert following((m.RecordOutcome(LeadOutcome.ANOTHER_PERSON, ""), DANA)) == [("exonerate", None)]
    for outcome in set(LeadOutcome) - {LeadOutcome.ANOTHER_PERSON, LeadOutcome.ARREST}:
        assert following((m.RecordOutcome(outcome, ""), DANA)) == []


PRINT = m.RecordEvidence(Evidence.PHYSICAL, "Latent print on the till, lab report 26-114.")
ARREST = m.RecordOutcome(LeadOutcome.ARREST, "")


def test_an_arrest_on_a_lead_that_may_not_be_used_is_told_to_the_supervisors_at_once():
    recall = (m.RecallLead("Another man confessed."), MARA)
    assert following((PRINT, DANA), (ARREST, DANA)) == []
    assert following((PRINT, DANA), recall, (ARREST, DANA)) == [("tell-arrest", None)]
    assert following((PRINT, DANA), (m.ExpireLead(), s.SYSTEM), (ARREST, DANA)) == []
    late = replace(s.tell([*HELD, (PRINT, DANA)])[0], expired_at=DUE)
    arrest = m.OutcomeRecorded(DANA.id, DUE, LeadOutcome.ARREST, "")
    assert [job.kind for job in jobs.following(arrest, late, DUE)] == ["tell-arrest"]


def test_a_case_that_closed_on_another_person_after_an_arrest_recalls_its_leads_too():
    other = (m.RecordOutcome(LeadOutcome.ANOTHER_PERSON, ""), DANA)
    assert following((PRINT, DANA), (ARREST, DANA), other) == [("exonerate", None)]


async def test_both_outcomes_stand_beside_each_other_and_only_another_person_is_added(casework, pool, superuser):
    other = (m.RecordOutcome(LeadOutcome.ANOTHER_PERSON, "He confessed; his print is on the till."), DANA)
    await tell(casework, [*HELD, (PRINT, DANA), (ARREST, DANA), other, other])
    rows = await superuser.fetch("SELECT n, outcome FROM casework.aftermath WHERE search = $1 ORDER BY n", SEARCH)
    assert [tuple(row) for row in rows] == [(1, "arrest"), (2, "another-person")]
    for n, outcome in ((2, "unsolved"), (3, "another-person")):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await superuser.execute(
                "INSERT INTO casework.aftermath VALUES ($1, $2, $3, $4, $5)", SEARCH, outcome, DANA.id, s.NOON, n
            )


async def test_the_leads_of_one_case_are_found_and_no_others(casework, pool):
    every = {"LG-AAAAAAAAAAAA": s.ASK, "LG-BBBBBBBBBBBB": s.ASK, "LG-CCCCCCCCCCCC": s.ASK}
    every["LG-DDDDDDDDDDDD"] = replace(s.ASK, case_number="2026-075-009999")
    for search, ask in every.items():
        steps = [(ask, DANA), *HELD[1:]] if search != "LG-CCCCCCCCCCCC" else [(ask, DANA)]
        for command, by in steps:
            await casework.submit(m.SearchId(search), command, by)
    async with pool.acquire() as conn:
        assert await leads_of_the_case(conn, m.SearchId("LG-AAAAAAAAAAAA")) == ["LG-AAAAAAAAAAAA", "LG-BBBBBBBBBBBB"]
        assert await leads_of_the_case(conn, m.SearchId("LG-DDDDDDDDDDDD")) == ["LG-DDDDDDDDDDDD"]
        assert await store.leads_under(conn, "2026-075-009999") == ["LG-DDDDDDDDDDDD"]
        assert await store.leads_under(conn, "2026-075-000000") == []


async def test_the_words_of_evidence_are_only_committed_to_in_the_ledger(casework, pool):
    await tell(casework, [*HELD, (m.RecordEvidence(Evidence.PHYSICAL, "Latent print, quincewise report."), DANA)])
    async with pool.acquire() as conn:
        held = await conn.fetch("SELECT convert_from(entry, 'UTF8') AS text FROM ledger.entry")
        assert await queue.pending(conn) > 0
    assert not [row for row in held if "quincewise" in row["text"]]


def test_a_file_that_somebody_shares_is_looked_up_and_the_bots_own_is_not():
    event = {"type": "file_shared", "file_id": "F1", "channel_id": "C9", "user_id": "U7", "event_ts": "1.0"}
    (job,) = jobs.of_the_workspace(event, "UBOT", {"C1"})
    assert (job.kind, job.payload) == ("file-shared", {"file": "F1", "channel": "C9", "account": "U7"})
    assert jobs.of_the_workspace(event | {"user_id": "UBOT"}, "UBOT", {"C1"}) == []


async def test_whose_file_it_is_is_known_by_its_id_alone(casework, pool):
    await tell(casework, HELD)
    async with pool.acquire() as conn:
        await conn.execute("INSERT INTO casework.upload (search, label, file) VALUES ($1, 'sheet', 'F1')", SEARCH)
        assert await upload_of(conn, "F1") == (SEARCH, "sheet")
        assert await upload_of(conn, "F2") is None
