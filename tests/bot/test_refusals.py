"""Every refusal there is: somebody meets it at the door, it is recorded, changes nothing, and says why.

The rules are read out of the source of policy/ and bot/, so that a new one is asked for here by name.
"""

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from bot import ledger
from bot.casework import stream_of
from bot.views import request, review
from deploy.workspace.blocks import faults_in_view
from policy import model as m
from policy.aftermath import Evidence, LeadOutcome
from policy.authority import AUTHORITY
from policy.preparation import Brightness, Greyscale
from tests import story as s
from tests.bot.test_casework import SEARCH, tell
from tests.policy.test_approvals import ALLOW, BANNED, BOTH, EMERGENCY, MINOR, NO, PAROLE, POOR, YES
from tests.story import BEN, DANA, EVA, MARA, NOBODY, OMNI, REX, SAM, SYSTEM, VERA
from tests.workspace.judges.limits_judge import limits_say

ROOT = Path(__file__).parents[2]
HELD = [(s.ASK, DANA), (POOR, SYSTEM)]
OTHER = "cd" * 32
ISSUED = [*s.AGREED, (s.APPROVE, MARA)]
ACKNOWLEDGED = [*ISSUED, (m.Acknowledge(), DANA)]
DESCRIBED = replace(
    s.ASK,
    fields={**s.FIELDS, "circumstances": "witness", "description": "Short, in a red cap.", "witness-height": "5'6"},
)
TWO = [(s.ASK, DANA), (m.AssessPhoto(s.SHA, (s.FACE, m.Face(1, "poor", (), 30.0)), "model"), SYSTEM)]
TWO_HELD = [*TWO, (m.ChooseFace(1), DANA)]


def rules() -> set[str]:
    """The name of every rule by which somebody is refused; those of a form's questions are `field:NAME`."""
    found = {bar.rule for authority in AUTHORITY.values() for bar in authority.bars}
    return found | rules_in(*ROOT.glob("policy/*.py"), *ROOT.glob("bot/*.py"))


def rules_in(*modules: Path) -> set[str]:
    """The name of every refusal that these modules make."""
    found: set[str] = set()
    for path in modules:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(ast.Name("Refused"), [ast.Constant(str(rule)), *_]):
                    found.add(rule)
                case ast.Call(ast.Name("Refused"), [ast.JoinedStr([ast.Constant(str(rule)), *_]), *_]):
                    found.add(rule)
                case _:
                    pass
    return found


def prepare(operation, before=s.SHA, after=OTHER, faces=1):
    return m.PrepareProbe(operation, before, after, faces)


def lapsed(actor):
    return replace(actor, certified_until=s.NOON)


# rule: what happened before, the command, who gives it, a phrase of what they are told
MET = {
    "has-role": ([], s.ASK, NOBODY, "with the role requester"),
    "is-certified": ([], s.ASK, lapsed(DANA), "Ask your supervisor to renew it"),
    "fits-state": (s.AGREED, s.LEAD, BEN, "a supervisor is deciding"),
    "own-request": (s.TO_REVIEW, m.Withdraw("Found."), SAM, "Only the person who requested"),
    "reviews-not-own": ([(s.ASK, OMNI), *s.TO_REVIEW[1:]], s.LEAD, OMNI, "who asked may not review"),
    "approves-not-own": ([(MINOR, OMNI)], YES, OMNI, "who asked may not approve"),
    "no-conflict": ([*s.TO_REVIEW, (m.DeclareConflict("A neighbour."), EVA)], s.LEAD, EVA, "stand aside"),
    "examines-not-approved": ([(MINOR, DANA), (YES, OMNI), *s.TO_REVIEW[1:]], s.LEAD, OMNI, "having approved it"),
    "examines-not-returned": (
        [*s.AGREED, (m.ReturnReview("One more opinion, please."), OMNI)],
        s.LEAD,
        OMNI,
        "when you sent this review back",
    ),
    "approves-not-allowed": (
        [(PAROLE, DANA), (ALLOW, REX)],
        YES,
        replace(REX, roles=BOTH.roles),
        "for somebody else to approve",
    ),
    "allows-not-approved": (
        [(PAROLE, DANA), (YES, OMNI)],
        ALLOW,
        replace(OMNI, roles=BOTH.roles),
        "for somebody else to allow",
    ),
    "answers-the-ban": (
        [(replace(s.ASK, fields={**s.FIELDS, "basis": BANNED}), DANA)],
        YES,
        MARA,
        "Say in the reason why it is not that use",
    ),
    "decides-not-own": ([*s.TO_REVIEW, *s.says(s.LEAD, OMNI), *s.says(s.LEAD, EVA)], s.APPROVE, OMNI, "who examined"),
    "opinion-locked": ([*s.TO_REVIEW, *s.says(s.NO_LEAD, EVA)], s.LEAD, EVA, "can no longer be changed"),
    "approval-owed": ([(s.ASK, DANA)], YES, MARA, "nobody waits for one"),
    "exception-asked": ([(MINOR, DANA)], ALLOW, REX, "does not ask for photographs"),
    "authorised-purpose": ([], replace(s.ASK, purpose="curiosity"), DANA, "not one of the authorised uses"),
    "case-number": ([], replace(s.ASK, case_number="12"), DANA, "does not look like a Complaint number"),
    "case-exists": ([], replace(s.ASK, case_known=m.CaseKnown.UNKNOWN), DANA, "knows no case of this number"),
    "field:": ([], replace(s.ASK, fields={**s.FIELDS, "offence": ""}), DANA, "“Offence” is required"),
    "repository": ([], replace(s.ASK, repositories=("driving-licence",)), DANA, "may not be searched"),
    "attested": ([], replace(s.ASK, attested=False), DANA, "attestation"),
    "decides-with-reason": (s.AGREED, m.DecideLead(approve=True, reason=" "), MARA, "needs a reason in writing"),
    "names-face": (TWO, m.ChooseFace(7), DANA, "no such face"),
    "operation-fits": (HELD, prepare(Brightness(999)), EVA, "Nothing was changed"),
    "prepares-the-latest": (HELD, prepare(Greyscale(), before=OTHER, after="ef" * 32), EVA, "changed meanwhile"),
    "masks-first": (TWO_HELD, prepare(Greyscale()), EVA, "others are masked first"),
    "one-face": (HELD, prepare(Greyscale(), faces=0), EVA, "would no longer be found"),
    "names-candidate": (s.TO_REVIEW, m.AnswerCandidate(m.Label("Z9"), m.Answer.EXCLUDED), EVA, "not among those"),
    "answers-all": (s.TO_REVIEW, s.LEAD, EVA, "Still open: K7, P4, W9"),
    "original-probe": (
        [*s.TO_REVIEW, *s.answers(EVA, s.K7)],
        replace(s.LEAD, probe_sha256=OTHER),
        EVA,
        "as it was received",
    ),
    "names-none": ([*s.TO_REVIEW, *s.answers(EVA, s.K7)], replace(s.NO_LEAD, candidate=s.K7), EVA, "names a candidate"),
    "differences-considered": (
        [*s.TO_REVIEW, *s.answers(EVA, s.K7)],
        replace(s.LEAD, differences=" "),
        EVA,
        "what differs",
    ),
    "sober-words": (
        [*s.TO_REVIEW, *s.answers(EVA, s.K7)],
        replace(s.LEAD, differences="A perfect match."),
        EVA,
        "write what you see",
    ),
    "compares-components": (
        [*s.TO_REVIEW, *s.answers(EVA, s.K7)],
        replace(s.LEAD, components={}),
        EVA,
        "component by component",
    ),
    "something-similar": (
        [*s.TO_REVIEW, *s.answers(EVA, s.K7)],
        replace(s.LEAD, components=dict.fromkeys(m.Component, m.Found.DIFFERENT)),
        EVA,
        "found nothing that is",
    ),
    "begun-first": (s.TO_REVIEW, m.HandBack("Called away."), EVA, "have not begun"),
    "drawn-by-lot": (
        [
            *s.TO_REVIEW[:3],
            (m.DrawExaminers((m.Eligible(EVA.id, 0), m.Eligible(s.NOOR.id, 0)), ""), SYSTEM),
            s.TO_REVIEW[3],
        ],
        m.OpenExamination(),
        BEN,
        "nothing for you to do",
    ),
    "hands-to-another": (s.TO_REVIEW, m.HandOver(DANA.id, "She knows him."), MARA, "may not examine this one"),
    "acknowledged-first": (ISSUED, m.RecordOutcome(LeadOutcome.ELIMINATED, ""), DANA, "acknowledged first"),
    "independent-evidence-first": (ACKNOWLEDGED, m.RecordOutcome(LeadOutcome.ARREST, ""), DANA, "does not come from"),
    "names-evidence": (ACKNOWLEDGED, m.RecordEvidence(Evidence.PHYSICAL, "see file"), DANA, "stands in the case file"),
    "one-outcome": (
        [*ACKNOWLEDGED, (m.RecordOutcome(LeadOutcome.ELIMINATED, ""), DANA)],
        m.RecordOutcome(LeadOutcome.UNSOLVED, ""),
        DANA,
        "on record already",
    ),
    "recalled-first": (ACKNOWLEDGED, m.AcknowledgeRecall(), DANA, "was not recalled"),
    "context-first": (s.AGREED[:-1], s.APPROVE, MARA, "still being compared"),
    "resolves-contradictions": (
        [(DESCRIBED, DANA), *s.AGREED[1:-1], (m.OpenContext(replace(s.RECORD, height_cm=203)), SYSTEM)],
        s.APPROVE,
        MARA,
        "Say in writing how that is resolved",
    ),
    "sees-after-locking": (s.AGREED, s.LOOKED, MARA, ""),
    "own-photograph": ([], s.ASK, SAM, ""),
    "permission-ends": (
        [(PAROLE, DANA)],
        m.AllowRepository(allow=True, reason="Consented to.", days=8),
        s.REX,
        "7 days at most",
    ),
    "quarantined": ([*EMERGENCY, (s.APPROVE, MARA), (NO, VERA)], m.Acknowledge(), DANA, "Nobody may use its result"),
    "own-pack": ([(s.ASK, DANA)], m.Withdraw("Found."), DANA, "decided under nothing else"),
    "approves-not-examined": (EMERGENCY, YES, replace(EVA, roles=OMNI.roles), "You examined the candidates"),
    "adds-to-own": (s.AGREED, m.AppendNote("The scar was covered."), BEN, "whose opinion is locked adds to it"),
    "says-something": (s.AGREED, m.AppendNote("n/a"), EVA, "Say what should be known"),
}
BY_THEMSELVES = {
    "sees-after-locking": "a question, and no command of its own (tests/policy/test_authority.py has it)",
    "own-photograph": "asked before there is a command (tests/policy/test_authority.py has it)",
    "full-member": "whoever is none has no role at the door (tests/policy/test_authority.py has it)",
    "own-pack": "a search is always given its own pack at the door (tests/policy/test_authority.py has it)",
}
"""Refusals that this door cannot be brought to at one fixed hour, and where they are met instead."""


def test_every_rule_is_met_below():
    assert MET.keys() | BY_THEMSELVES.keys() == rules()


@pytest.mark.parametrize("rule", sorted(MET.keys() - BY_THEMSELVES.keys()))
async def test_a_refusal_is_recorded_changes_nothing_and_says_why(rule, casework, pool):
    steps, command, by, phrase = MET[rule]
    await tell(casework, steps)
    before = await casework.look(SEARCH)
    (refused,) = await casework.submit(SEARCH, command, by)
    assert isinstance(refused, m.Refused)
    assert refused.rule.startswith(rule) if rule.endswith(":") else refused.rule == rule
    assert phrase in refused.reason
    assert refused.reason[0].isupper() or refused.reason[0] == "“"
    assert await casework.look(SEARCH) == before
    async with pool.acquire() as conn:
        last = (await ledger.read(conn, stream_of(SEARCH)))[-1]
    assert (last.kind, last.data["rule"], last.actor) == ("Refused", refused.rule, by.id)
    told = shown(command, refused)
    assert phrase in str(told)
    assert (faults_in_view(told), limits_say(told)) == ([], None)


def shown(command, refused):
    """The view in which they are told: of a form, the one that says it beside a question or above them all."""
    if not isinstance(command, m.RequestSearch):
        return review.telling(refused.reason)
    given = command.fields | {"purpose": command.purpose, "case-number": command.case_number}
    place = {"channel": "C1", "thread": "1.0"}
    return request.form(s.pack(), SEARCH, "F1", "U1", place, given, [refused.reason])


@pytest.mark.parametrize("rule", sorted(BY_THEMSELVES))
def test_what_is_met_elsewhere_is_met_there(rule):
    where = BY_THEMSELVES[rule].partition("(")[2].partition(" ")[0]
    assert f'"{rule}"' in (ROOT / where).read_text(encoding="utf-8")
