"""What becomes of a lead: nobody is arrested on it alone, it ends in time, and it is taken back when it was wrong."""

from dataclasses import replace
from datetime import timedelta
from functools import reduce

import pytest

from policy import model as m
from policy.aftermath import (
    ANOTHER,
    EVIDENCE,
    FROM_THE_LEAD,
    OUTCOMES,
    Corroboration,
    Evidence,
    LeadOutcome,
    independent,
)
from policy.authority import expired, withheld
from policy.workflow import decide, evolve
from tests import story as s
from tests.story import DANA, MARA, SAM, SYSTEM

PRINT = "Latent print on the till, lab report 26-114, page 3."
FOUND = m.RecordEvidence(Evidence.PHYSICAL, PRINT)
ARREST = m.RecordOutcome(LeadOutcome.ARREST, "On warrant 26-9.")
RECALL = m.RecallLead("The witness has since named another man.")
OTHER = m.RecordOutcome(LeadOutcome.ANOTHER_PERSON, "He confessed; his print is on the till.")
ISSUED = [*s.AGREED, (s.APPROVE, MARA)]
HELD = [*ISSUED, (m.Acknowledge(), DANA)]
DUE = s.NOON + timedelta(days=30)


def at(search, command, by, now=s.NOON):
    events = decide(search, command, by, s.pack(), now)
    return reduce(evolve, events, search), events


def rules(events):
    return [event.rule for event in events if isinstance(event, m.Refused)]


TALES = {
    "an arrest on the lead alone": ([*HELD, (ARREST, DANA)], ["independent-evidence-first"], None),
    "an arrest after a lineup that was built on the lead": (
        [*HELD, (m.RecordEvidence(Evidence.PROCEDURE, PRINT), DANA), (ARREST, DANA)],
        ["independent-evidence-first"],
        None,
    ),
    "an arrest on what somebody thinks of the photographs": (
        [*HELD, (m.RecordEvidence(Evidence.OPINION, PRINT), DANA), (ARREST, DANA)],
        ["independent-evidence-first"],
        None,
    ),
    "an arrest on a print": ([*HELD, (FOUND, DANA), (ARREST, DANA)], [], LeadOutcome.ARREST),
    "evidence that says nothing": (
        [*HELD, (m.RecordEvidence(Evidence.PHYSICAL, "see report"), DANA), (ARREST, DANA)],
        ["names-evidence", "independent-evidence-first"],
        None,
    ),
    "evidence before the acknowledgement": ([*ISSUED, (FOUND, DANA)], ["acknowledged-first"], None),
    "an outcome before the acknowledgement": (
        [*ISSUED, (m.RecordOutcome(LeadOutcome.ELIMINATED, ""), DANA)],
        ["acknowledged-first"],
        None,
    ),
    "somebody else's evidence": ([*HELD, (FOUND, SAM)], ["own-request"], None),
    "the outcome of somebody else's lead": (
        [*HELD, (m.RecordOutcome(LeadOutcome.UNSOLVED, ""), SAM)],
        ["own-request"],
        None,
    ),
    "another outcome afterwards": (
        [*HELD, (m.RecordOutcome(LeadOutcome.ELIMINATED, ""), DANA), (FOUND, DANA), (ARREST, DANA)],
        ["one-outcome"],
        LeadOutcome.ELIMINATED,
    ),
    "another person after an arrest": (
        [*HELD, (FOUND, DANA), (ARREST, DANA), (OTHER, DANA), (OTHER, DANA)],
        [],
        LeadOutcome.ANOTHER_PERSON,
    ),
    "an arrest after another person": (
        [*HELD, (FOUND, DANA), (OTHER, DANA), (ARREST, DANA)],
        ["one-outcome"],
        LeadOutcome.ANOTHER_PERSON,
    ),
    "another person by somebody else": (
        [*HELD, (FOUND, DANA), (ARREST, DANA), (OTHER, SAM)],
        ["own-request"],
        LeadOutcome.ARREST,
    ),
    "a recall by the requester": ([*HELD, (RECALL, DANA)], ["has-role"], None),
    "a recall for no reason": ([*HELD, (m.RecallLead(" "), MARA)], ["decides-with-reason"], None),
    "nothing was recalled": ([*HELD, (m.AcknowledgeRecall(), DANA)], ["recalled-first"], None),
    "somebody else destroys it": ([*HELD, (RECALL, MARA), (m.AcknowledgeRecall(), SAM)], ["own-request"], None),
    "a recall, and it is gone": ([*HELD, (RECALL, MARA), (m.AcknowledgeRecall(), DANA)], [], None),
}


@pytest.mark.parametrize("name", TALES)
def test_what_becomes_of_a_lead(name):
    steps, refused, outcome = TALES[name]
    search, events = s.tell(steps)
    assert (rules(events), search.aftermath) == (refused, outcome)


@pytest.mark.parametrize("name", TALES)
def test_doing_every_step_twice_changes_nothing_and_scolds_nobody_more(name):
    steps, refused, _ = TALES[name]
    once, told = s.tell(steps)
    twice, told_twice = s.tell([step for step in steps for _ in range(2)])
    assert twice == once
    assert [e for e in told_twice if not isinstance(e, m.Refused)] == [e for e in told if not isinstance(e, m.Refused)]
    assert set(rules(told_twice)) == set(refused)


def test_who_destroyed_a_recalled_lead_is_on_record_with_the_time():
    recalled, _ = s.tell([*HELD, (RECALL, MARA)])
    later = s.NOON + timedelta(days=2)
    search, events = at(recalled, m.AcknowledgeRecall(), DANA, later)
    assert events == (m.RecallAcknowledged(DANA.id, later),)
    assert search.recall_acknowledged_at == later


@pytest.mark.parametrize("kind", Evidence)
def test_only_what_does_not_come_from_the_lead_is_enough_for_an_arrest(kind):
    search, events = s.tell([*HELD, (m.RecordEvidence(kind, PRINT), DANA), (ARREST, DANA)])
    assert (search.aftermath is LeadOutcome.ARREST) == (kind not in FROM_THE_LEAD)
    assert independent([Corroboration(kind, PRINT, "dana", s.NOON)]) == (kind not in FROM_THE_LEAD)
    assert bool(rules(events)) == (kind in FROM_THE_LEAD)


def test_the_same_evidence_twice_is_recorded_once_and_another_beside_it():
    twice, _ = s.tell([*HELD, (FOUND, DANA), (m.RecordEvidence(Evidence.PHYSICAL, f" {PRINT} "), DANA)])
    assert [one.reference for one in twice.corroboration] == [PRINT]
    more, _ = s.tell([(m.RecordEvidence(Evidence.RECORDS, PRINT), DANA)], search=twice)
    assert [one.kind for one in more.corroboration] == [Evidence.PHYSICAL, Evidence.RECORDS]


@pytest.mark.parametrize("now", [DUE - timedelta(microseconds=1), DUE, DUE + timedelta(days=400)])
def test_a_lead_without_an_outcome_is_over_at_its_hour_whether_a_job_ran_or_not(now):
    search, _ = s.tell(HELD)
    late = now >= DUE
    assert search.expires_at == DUE
    assert expired(search, now) == bool(withheld(search, now)) == late
    after, events = at(search, m.ExpireLead(), SYSTEM, now)
    assert len(events) == late
    assert (after.expired_at == now) == late
    assert at(after, m.ExpireLead(), SYSTEM, now)[1] == ()


def test_the_time_of_a_lead_runs_from_the_day_it_was_issued_whoever_has_seen_it():
    unseen, _ = s.tell(ISSUED)
    assert (unseen.issued_at, unseen.expires_at) == (s.NOON, DUE)
    assert expired(unseen, DUE)
    (refused,) = decide(unseen, m.Acknowledge(), DANA, s.pack(), DUE)
    assert refused.rule == "quarantined"
    late, _ = at(unseen, m.Acknowledge(), DANA, DUE - timedelta(days=1))
    assert late.expires_at == DUE


def test_a_lead_of_before_has_its_time_from_the_acknowledgement():
    old = replace(s.tell(ISSUED)[0], issued_at=None, expires_at=None)
    assert at(old, m.Acknowledge(), DANA, s.NOON + timedelta(days=9))[0].expires_at == DUE + timedelta(days=9)


def test_an_outcome_after_its_time_brings_no_lead_back_though_no_job_had_ended_it():
    search, _ = s.tell([*HELD, (FOUND, DANA)])
    told, events = at(search, ARREST, DANA, DUE + timedelta(hours=1))
    assert [type(event) for event in events] == [m.LeadExpired, m.OutcomeRecorded]
    assert told.aftermath is LeadOutcome.ARREST
    assert "expired" in withheld(told, DUE + timedelta(days=1))


def test_an_arrest_stays_on_record_when_it_turns_out_to_have_been_another_person():
    search, events = s.tell([*HELD, (FOUND, DANA), (ARREST, DANA), (OTHER, DANA)])
    assert [event.outcome for event in events if isinstance(event, m.OutcomeRecorded)] == [
        ARREST.outcome,
        OTHER.outcome,
    ]
    assert search.arrested_at == s.NOON


def test_an_outcome_in_time_keeps_it():
    search, _ = s.tell([*HELD, (m.RecordOutcome(LeadOutcome.NOT_PURSUED, " He has an alibi. "), DANA)])
    assert not withheld(search, DUE + timedelta(days=9))
    assert at(search, m.ExpireLead(), SYSTEM, DUE)[1] == ()


def test_an_outcome_afterwards_is_recorded_and_gives_nothing_back():
    search, _ = s.tell(HELD)
    gone, _ = at(search, m.ExpireLead(), SYSTEM, DUE)
    told, events = at(gone, m.RecordOutcome(LeadOutcome.UNSOLVED, ""), DANA, DUE)
    assert isinstance(events[0], m.OutcomeRecorded)
    assert "expired" in withheld(told, DUE)


def test_nobody_uses_a_recalled_lead_acknowledged_or_not():
    for steps in (ISSUED, HELD):
        search, _ = s.tell([*steps, (RECALL, MARA)])
        assert RECALL.reason in withheld(search, s.NOON)
        assert "destroy" in withheld(search, s.NOON)
    unseen, _ = s.tell([*ISSUED, (RECALL, MARA)])
    (refused,) = decide(unseen, m.Acknowledge(), DANA, s.pack(), s.NOON)
    assert (refused.rule, RECALL.reason in refused.reason) == ("quarantined", True)


def test_a_supervisor_whose_certification_ran_out_still_recalls_and_so_does_the_desk_itself():
    search, _ = s.tell(HELD)
    lapsed = m.Actor(MARA.id, MARA.roles, s.NOON - timedelta(days=1))
    assert at(search, RECALL, lapsed)[0].recalled == RECALL.reason
    assert at(search, m.RecallLead(ANOTHER), SYSTEM)[0].recalled == ANOTHER


def test_everything_has_its_words():
    assert EVIDENCE.keys() == set(Evidence)
    assert OUTCOMES.keys() == set(LeadOutcome)
    assert all(
        len(text) <= 75 for text in (*OUTCOMES.values(), *(f"{text} (not independent)" for text in EVIDENCE.values()))
    )
