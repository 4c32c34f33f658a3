"""Which photographs leave Slack, and when."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from bot import jobs, pictures
from bot.views import request
from policy import model as m
from tests import story as s

LABELS = ("probe", "K7", "P4", "W9", "faces", "lead", "sheet")


@pytest.mark.parametrize(
    ("why", "going"),
    [
        ("chosen", {"faces"}),
        ("handed", {"lead"}),
        ("handed-again", {"lead"}),
        ("handed-sheet", {"sheet"}),
        ("withheld", {"lead", "sheet"}),
        ("withheld-photograph", {"lead", "sheet"}),
        ("withheld-sheet", {"lead", "sheet"}),
        ("decided", {"probe", "K7", "P4", "W9", "faces"}),
        ("late", {"probe", "K7", "P4", "W9", "faces"}),
    ],
)
def test_what_goes_depends_on_why(why, going):
    assert pictures._going(why, LABELS) == going


def deletions(steps):
    """(why, when) of every deletion that the story orders, command by command as at the door."""
    search, ordered = None, []
    for step in steps:
        search, told = s.tell([step], search=search)
        deleting = [
            job for event in told for job in jobs.following(event, search, s.NOON) if job.kind == "delete-images"
        ]
        ordered += deleting
    return [(job.payload["why"], job.delay) for job in ordered]


NOW, LATER = timedelta(), timedelta(hours=72)
TWO_FACES = [(s.ASK, s.DANA), (s.SEEN_TWO, s.SYSTEM), (m.ChooseFace(0), s.DANA)]


def test_an_examinations_photographs_go_after_the_decision_and_after_three_days_at_the_latest():
    assert deletions(s.TO_REVIEW) == [("late", LATER)]
    assert deletions([*s.AGREED, (s.APPROVE, s.MARA)]) == [("late", LATER), ("decided", NOW)]
    assert deletions([*s.TO_REVIEW, (m.Withdraw("Solved."), s.DANA)]) == [("late", LATER), ("decided", NOW)]


def test_what_was_on_its_way_to_the_examiners_when_it_was_withdrawn_goes_at_once():
    steps = [*s.TO_REVIEW[:3], (m.Withdraw("Solved."), s.DANA), s.TO_REVIEW[3]]
    assert deletions(steps) == [("decided", NOW), ("late", NOW)]


MINOR = replace(s.ASK, fields={**s.FIELDS, "circumstances": "minor"})
NEVER_RECEIVED = {
    "refused": (m.ApproveRequest(approve=False, reason="It is no case of ours."), s.MARA),
    "withdrawn": (m.Withdraw("Solved."), s.DANA),
}


@pytest.mark.parametrize("why", NEVER_RECEIVED)
def test_a_photograph_that_was_never_received_leaves_slack_too_and_is_called_safe_nowhere(why):
    held, _ = s.tell([(MINOR, s.DANA)])
    search, told = s.tell([NEVER_RECEIVED[why]], search=held)
    assert "clear-intake" in [job.kind for event in told for job in jobs.following(event, search, s.NOON)]
    for text in (json.dumps(request.please_delete(search)), json.dumps(request.deleted(search))):
        assert "safe" not in text
    received, _ = s.tell(s.TO_REVIEW)
    assert "sealed and is safe" in json.dumps(request.please_delete(received))
    assert "The sealed one is safe." in json.dumps(request.deleted(received))


def test_other_peoples_faces_go_as_soon_as_one_was_chosen():
    assert deletions(TWO_FACES) == [("chosen", NOW)]


def test_the_leads_photograph_goes_three_days_after_it_was_handed_over():
    handed = m.RecordPosted(m.Post.PHOTOGRAPH, "D1", "3.0")
    steps = [*s.AGREED, (s.APPROVE, s.MARA), (m.Acknowledge(), s.DANA), (handed, s.SYSTEM)]
    assert deletions(steps)[-1] == ("handed", LATER)


POSTED = m.RecordPosted(m.Post.PHOTOGRAPH, "D1", "3.0")
HELD = [*s.AGREED, (s.APPROVE, s.MARA), (m.Acknowledge(), s.DANA)]
DUE = s.NOON + timedelta(days=30)


def test_what_was_handed_over_of_a_lead_goes_at_once_when_it_is_withheld():
    search, _ = s.tell(HELD)
    gone = replace(search, quarantined="Not approved.")
    assert _whys(jobs.following(m.Quarantined("Not approved."), gone, s.NOON)) == [("withheld", NOW)]


ENDS = {
    "quarantined": ({"quarantined": "Not approved."}, s.NOON),
    "recalled": ({"recalled": "The witness named another man."}, s.NOON),
    "expired": ({"expired_at": DUE}, DUE),
    "expired, and nobody noted it": ({}, DUE),
    "an approval that is owed": ({"approval_due": s.NOON, "approvers": 1}, s.NOON),
}


@pytest.mark.parametrize("how", ENDS)
def test_a_photograph_that_was_on_its_way_when_its_lead_ended_goes_at_once(how):
    ended, now = ENDS[how]
    search, _ = s.tell(HELD)
    ordered = jobs.following(m.Posted(*_said(POSTED)), replace(search, **ended), now)
    assert _whys(ordered) == [("withheld-photograph", NOW)]
    assert _whys([jobs.sheet_goes(replace(search, **ended), now)]) == [("withheld-sheet", NOW)]
    stands = jobs.following(m.Posted(*_said(POSTED)), search, s.NOON)
    assert _whys(stands) == [("handed", LATER)]
    assert _whys([jobs.sheet_goes(search, s.NOON)]) == [("handed-sheet", LATER)]


def _whys(ordered):
    return [(job.payload["why"], job.delay) for job in ordered if job.kind == "delete-images"]


def _said(posted: m.RecordPosted):
    return posted.what, posted.channel, posted.ts


def test_what_was_withheld_is_handed_over_again_once_it_is_approved_late():
    search, _ = s.tell([*s.AGREED, (s.APPROVE, s.MARA), (m.Acknowledge(), s.DANA)])
    late = replace(search, approval_due=s.NOON, approvals=(m.Approval(s.VERA.id, s.NOON, "Sound."),))
    kinds = [job.kind for job in jobs.following(m.RequestApproved(s.VERA.id, s.NOON, "Sound."), late, s.NOON)]
    assert {"hand-photograph", "hand-sheet"} <= set(kinds)
