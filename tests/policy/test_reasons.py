"""Whoever lets something through, stops it or takes it back says why, in words that will still say it in a year (M23)."""

import pytest

from policy import model as m
from tests import story as s
from tests.story import BEN, DANA, EVA, MARA, REX, SYSTEM

LEAD: list[s.Step] = [*s.AGREED, (s.APPROVE, MARA), (m.Acknowledge(), DANA)]
POOR: list[s.Step] = [(s.ASK, DANA), (m.AssessPhoto(s.SHA, (m.Face(0, "poor", (), 30.0),), "model"), SYSTEM)]
MINOR = m.RequestSearch(
    s.ASK.purpose, s.ASK.case_number, s.FIELDS | {"circumstances": "minor"}, attested=True, origin=s.ORIGIN
)
PAROLE = m.RequestSearch(
    s.ASK.purpose,
    s.ASK.case_number,
    s.FIELDS | {"repositories-reason": s.BASIS},
    attested=True,
    origin=s.ORIGIN,
    repositories=("parole",),
)


def asked(command, by, before):
    return lambda reason: s.tell([*before, (command(reason), by)])[1][-1]


GIVEN = {
    "an approval": asked(lambda said: m.ApproveRequest(approve=True, reason=said), MARA, [(MINOR, DANA)]),
    "a rejection": asked(lambda said: m.ApproveRequest(approve=False, reason=said), MARA, [(MINOR, DANA)]),
    "a permission": asked(lambda said: m.AllowRepository(allow=True, reason=said), REX, [(PAROLE, DANA)]),
    "a poor face let through": asked(lambda said: m.OverrideQuality(proceed=True, reason=said), MARA, POOR),
    "a decision": asked(lambda said: m.DecideLead(approve=True, reason=said), MARA, s.AGREED),
    "a return": asked(m.ReturnReview, MARA, s.AGREED),
    "a recall": asked(m.RecallLead, MARA, LEAD),
    "a conflict": asked(m.DeclareConflict, BEN, s.TO_REVIEW),
    "a hand-over": asked(lambda said: m.HandOver(EVA.id, said), MARA, s.TO_REVIEW),
    "a hand-back": asked(m.HandBack, EVA, [*s.TO_REVIEW, (m.AnswerCandidate(s.K7, m.Support.SAME), EVA)]),
}


@pytest.mark.parametrize("what", GIVEN)
@pytest.mark.parametrize("said", ["", " ", "x", "ok", "Yes.", "......", "xxxxxxxx", "n/a", "No reason."])
def test_no_reason_is_refused_and_it_is_said_what_is_missing(what, said):
    refused = GIVEN[what](said)
    assert isinstance(refused, m.Refused)
    assert (refused.rule, "a few words that say why" in refused.reason) == ("decides-with-reason", True)


@pytest.mark.parametrize("what", GIVEN)
def test_a_few_words_are_a_reason(what):
    given = GIVEN[what]("The light is poor.")
    assert not isinstance(given, m.Refused), given
