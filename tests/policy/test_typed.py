"""What people type is kept in their words, whatever command brings it, and never hides, reorders or breaks anything."""

import unicodedata
from dataclasses import fields, is_dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy import model as m
from policy import typed
from tests import story as s

HOSTILE = "Fine\x00 \u202egnp\u2066 \ud800ok\x1b[31m\ue000\r\n=1+1"
KEPT = "Fine gnp ok[31m\n=1+1"
TYPED = {  # every command in which a person says something
    m.RequestSearch: replace(s.ASK, case_number=HOSTILE, fields={"basis": HOSTILE}),
    m.ApproveRequest: m.ApproveRequest(approve=True, reason=HOSTILE),
    m.AllowRepository: m.AllowRepository(allow=True, reason=HOSTILE),
    m.OverrideQuality: m.OverrideQuality(proceed=True, reason=HOSTILE),
    m.DeclareConflict: m.DeclareConflict(HOSTILE),
    m.RejectPhoto: m.RejectPhoto(s.SHA, "unreadable", HOSTILE),
    m.HandBack: m.HandBack(HOSTILE),
    m.HandOver: m.HandOver(s.EVA.id, HOSTILE),
    m.Conclude: replace(s.LEAD, differences=HOSTILE),
    m.DecideLead: m.DecideLead(approve=True, reason=HOSTILE, resolutions={"height": HOSTILE}),
    m.ReturnReview: m.ReturnReview(HOSTILE),
    m.AppendNote: m.AppendNote(HOSTILE),
    m.RecordEvidence: m.RecordEvidence(m.Evidence.PHYSICAL, HOSTILE),
    m.RecordOutcome: m.RecordOutcome(m.LeadOutcome.ELIMINATED, HOSTILE),
    m.RecallLead: m.RecallLead(HOSTILE),
    m.Withdraw: m.Withdraw(HOSTILE),
}


def texts(command: m.Command) -> list[str]:
    """Every text of the command, but what names things inside its parts."""
    values = [getattr(command, one.name) for one in fields(command)]
    inside = [one for value in values if isinstance(value, dict) for one in value.values()]
    return [text for text in (*values, *inside) if type(text) is str]


@pytest.mark.parametrize("command", TYPED.values(), ids=lambda one: type(one).__name__)
def test_each_text_of_a_command_keeps_its_words_and_loses_what_hides_or_breaks(command):
    kept = typed.cleaned(command)
    assert [text for text in texts(command) if text == HOSTILE] != []
    assert texts(kept) == [KEPT if text == HOSTILE else text for text in texts(command)]
    assert typed.cleaned(kept) == kept


def test_no_command_in_which_somebody_says_something_is_forgotten_above():
    ours = {
        m.DrawExaminers,
        m.OpenExamination,
        m.InjectKnownAnswer,
        m.AssessPhoto,
        m.PrepareProbe,
        m.RecordPosted,
        m.DropCandidate,
        m.AnswerCandidate,
    }
    said = {one for one in m.Command.__args__ if any(part.type is str for part in fields(one))}
    assert said - ours == TYPED.keys()


@settings(max_examples=300, deadline=None)
@given(text=st.text())
def test_what_is_kept_can_be_written_down_anywhere(text):
    kept = typed.plain(text)
    assert kept.encode("utf-8").decode("utf-8") == kept
    assert [c for c in kept if unicodedata.category(c).startswith("C")] == [c for c in text if c in "\n\t"]


def test_what_names_a_thing_of_the_gallery_or_of_ours_is_left_as_it_is():
    odd = replace(s.CANDIDATES[0], person="p\u200d1")
    assert is_dataclass(odd)
    assert typed.cleaned(m.RecordCandidates((odd,), {"k": 20})) == m.RecordCandidates((odd,), {"k": 20})
    assert typed.cleaned(s.LEAD) == s.LEAD
