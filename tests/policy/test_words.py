"""What people are told, to the word: a refusal or an end that nobody understands protects nobody."""

import ast
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from policy import model as m
from policy import wording
from policy.aftermath import Evidence, LeadOutcome
from policy.authority import STATE_IN_WORDS
from policy.cases import complete
from policy.preparation import Crop, Greyscale, Mask, Original, out_of_range
from policy.workflow import decide
from tests import story as s
from tests.policy.test_approvals import PAROLE
from tests.story import BEN, DANA, EVA, MARA, NOOR, REX, SYSTEM

TWO_REASONS = m.Face(0, "unsuitable", ("yaw", "inter-eye-distance"), 11.0)
NO = m.ApproveRequest(approve=False, reason=" Not sound. ")
MINOR = replace(s.ASK, fields={**s.FIELDS, "circumstances": "minor"})
CLOSED_UNSUITABLE, CLOSED_NO_MATCH = m.Outcome.UNSUITABLE, m.Outcome.NO_POSSIBLE_MATCH
ENDS = {
    "no face": (
        [(s.ASK, DANA), (m.AssessPhoto(s.SHA, (), "model"), SYSTEM)],
        m.SearchClosed(
            CLOSED_UNSUITABLE,
            "No face was found in the photograph. Nothing was searched. A picture in which the face is larger and sharper may help.",
        ),
    ),
    "a face of no use": (
        [(s.ASK, DANA), (m.AssessPhoto(s.SHA, (TWO_REASONS,), "model"), SYSTEM)],
        m.SearchClosed(
            CLOSED_UNSUITABLE,
            "The face is not clear enough to be compared (yaw, inter-eye-distance). Nothing was searched. A better picture may help.",
        ),
    ),
    "not a photograph": (
        [(s.ASK, DANA), (m.RejectPhoto(s.SHA, "format", "Not an image."), SYSTEM)],
        m.SearchClosed(CLOSED_UNSUITABLE, "Not an image."),
    ),
    "nobody found": (
        [(s.ASK, DANA), (s.SEEN, SYSTEM), (m.RecordCandidates((), {"k": 20}), SYSTEM)],
        m.SearchClosed(CLOSED_NO_MATCH, "The gallery holds nobody who may be searched for this purpose."),
    ),
    "everybody sealed since": (
        [
            (s.ASK, DANA),
            (s.SEEN, SYSTEM),
            (s.FOUND, SYSTEM),
            *[(m.DropCandidate(c.label), SYSTEM) for c in s.CANDIDATES],
        ],
        m.SearchClosed(CLOSED_NO_MATCH, "The gallery holds nobody who may be searched for this purpose."),
    ),
    "nobody sees anybody": (
        [*s.TO_REVIEW, *s.says(s.NO_LEAD, EVA), *s.says(s.NO_LEAD, NOOR)],
        m.SearchClosed(CLOSED_NO_MATCH, "No candidate stood up to comparison."),
    ),
    "they differ": (
        [*s.TO_REVIEW, *s.says(s.LEAD, EVA), *s.says(s.OTHER_LEAD, NOOR)],
        m.SearchClosed(CLOSED_NO_MATCH, "The examiners did not agree on a candidate."),
    ),
    "the supervisor says no": (
        [*s.AGREED, (m.DecideLead(approve=False, reason="Light."), MARA)],
        m.SearchClosed(CLOSED_NO_MATCH, "The supervisor did not approve a lead."),
    ),
    "withdrawn": ([(s.ASK, DANA), (m.Withdraw("Found."), DANA)], m.SearchClosed(m.Outcome.WITHDRAWN, "Found.")),
    "not approved": (
        [(MINOR, DANA), (NO, MARA)],
        m.SearchClosed(m.Outcome.REJECTED, "The request was not approved. Not sound."),
    ),
}


@pytest.mark.parametrize("name", ENDS)
def test_every_end_is_told_in_these_words(name):
    steps, end = ENDS[name]
    search, events = s.tell(steps)
    assert events[-1] == end
    assert (search.outcome, search.reason, search.lead) == (end.outcome, end.reason, None)


ACKNOWLEDGED = [*s.AGREED, (s.APPROVE, MARA), (m.Acknowledge(), DANA)]
PRINT = "Latent print on the till, lab report 26-114."
FACTS = {
    "a request": (
        [(replace(s.ASK, case_number=" 2026-075-001234", case_known=m.CaseKnown.OPEN), DANA)],
        m.SearchRequested(
            DANA.id,
            s.NOON,
            "nypd-2020@1.2.0",
            "suspect",
            "2026-075-001234",
            s.FIELDS,
            s.ORIGIN,
            case_known=m.CaseKnown.OPEN,
            case_number_typed=" 2026-075-001234",
        ),
    ),
    "no photograph": ([(s.ASK, DANA), (m.RejectPhoto(s.SHA, "format", "No."), SYSTEM)], m.PhotoAssessed(s.SHA, (), "")),
    "a photograph": ([(s.ASK, DANA), (s.SEEN, SYSTEM)], m.PhotoAssessed(s.SHA, (s.FACE,), "model")),
    "a face": ([(s.ASK, DANA), (s.SEEN_TWO, SYSTEM), (m.ChooseFace(1), DANA)], m.FaceChosen(1)),
    "a search": ([(s.ASK, DANA), (s.SEEN, SYSTEM), (s.FOUND, SYSTEM)], m.SearchRun(s.CANDIDATES, {"k": 20})),
    "a candidate sealed since": (
        [(s.ASK, DANA), (s.SEEN, SYSTEM), (s.FOUND, SYSTEM), (m.DropCandidate(s.P4), SYSTEM)],
        m.CandidateDropped(s.P4),
    ),
    "a post": (s.TO_REVIEW, m.Posted(m.Post.REVIEW, "C2", "2.0")),
    "an examiner sits down": (
        [*s.TO_REVIEW, (m.OpenExamination(), EVA)],
        m.CandidatesShown(EVA.id, (s.K7, s.P4, s.W9)),
    ),
    "an answer": (
        [*s.TO_REVIEW, (m.AnswerCandidate(s.K7, m.Support.NEITHER), EVA)],
        m.CandidateAnswered(EVA.id, s.K7, m.Answer.INCONCLUSIVE, m.Support.NEITHER),
    ),
    "an opinion": (
        [*s.TO_REVIEW, *s.says(replace(s.LEAD, differences=" The ears differ in this light. "), EVA)],
        m.ExaminationConcluded(
            EVA.id, m.Conclusion.POSSIBLE_MATCH, s.K7, "The ears differ in this light.", s.SHA, s.COMPARED
        ),
    ),
    "a decision": (
        [*s.AGREED, (m.DecideLead(approve=True, reason=" Sound. "), MARA)],
        m.LeadDecided(MARA.id, approved=True, reason="Sound."),
    ),
    "a decision against": (
        [*s.AGREED, (m.DecideLead(approve=False, reason="Light."), MARA)],
        m.LeadDecided(MARA.id, approved=False, reason="Light."),
    ),
    "a piece of evidence": (
        [*ACKNOWLEDGED, (m.RecordEvidence(Evidence.PHYSICAL, f" {PRINT} "), DANA)],
        m.EvidenceRecorded(DANA.id, s.NOON, Evidence.PHYSICAL, PRINT),
    ),
    "what became of it": (
        [*ACKNOWLEDGED, (m.RecordOutcome(LeadOutcome.ELIMINATED, " Alibi. "), DANA)],
        m.OutcomeRecorded(DANA.id, s.NOON, LeadOutcome.ELIMINATED, "Alibi."),
    ),
    "a recall": (
        [*ACKNOWLEDGED, (m.RecallLead(" Another man. "), MARA)],
        m.LeadRecalled(MARA.id, s.NOON, "Another man."),
    ),
    "a hand-over": (
        [*s.TO_REVIEW, (m.HandOver(BEN.id, " Eva is in court. "), MARA)],
        m.HandedOver(MARA.id, BEN.id, "Eva is in court."),
    ),
    "a lead": (
        [*s.AGREED, (s.APPROVE, MARA)],
        m.LeadIssued(s.K7, (EVA.id, NOOR.id), s.NOON, s.NOON + timedelta(days=30)),
    ),
    "an agreement": (s.AGREED, m.ExaminersAgreed(s.K7)),
    "an acknowledgement": (
        [*s.AGREED, (s.APPROVE, MARA), (m.Acknowledge(), DANA)],
        m.LeadAcknowledged(DANA.id, s.NOON, s.NOON + timedelta(days=30)),
    ),
    "an approval": (
        [(MINOR, DANA), (m.ApproveRequest(approve=True, reason=" Sound. "), MARA)],
        m.RequestApproved(MARA.id, s.NOON, "Sound."),
    ),
    "a rejection": ([(MINOR, DANA), (NO, MARA)], m.RequestRejected(MARA.id, s.NOON, "Not sound.")),
    "a conflict": (
        [*s.TO_REVIEW, (m.DeclareConflict(" A neighbour. "), EVA)],
        m.ConflictDeclared(EVA.id, "A neighbour."),
    ),
}


@pytest.mark.parametrize("name", FACTS)
def test_every_fact_is_recorded_with_all_that_belongs_to_it(name):
    steps, fact = FACTS[name]
    _, events = s.tell(steps)
    assert fact in events


def test_whoever_supports_another_candidate_is_no_supporter_of_the_lead():
    rules = s.pack("bja-template")
    ask = replace(s.ASK, fields={**s.FIELDS, "authority": "State Code 12-34"}, case_number="2026-001234")
    steps = [
        (ask, DANA),
        *s.TO_REVIEW[1:],
        *s.says(s.OTHER_LEAD, EVA),
        *s.says(s.LEAD, NOOR),
        *s.says(s.LEAD, BEN),
        (s.LOOKED, SYSTEM),
        (s.APPROVE, MARA),
    ]
    search, events = s.tell(steps, rules)
    assert (events[-1].candidate, events[-1].examiners) == (s.K7, (NOOR.id, BEN.id))
    assert search.decided_by == MARA.id


HELD_POOR = [(s.ASK, DANA), (m.AssessPhoto(s.SHA, (m.Face(0, "poor", (), 20.0),), "model"), SYSTEM)]
SEVERAL = [
    (s.ASK, DANA),
    (m.AssessPhoto(s.SHA, (s.FACE, m.Face(1, "poor", (), 20.0)), "model"), SYSTEM),
    (m.ChooseFace(1), DANA),
]
SHORT = {"circumstances": "witness", "description": "Short, in a red cap.", "witness-height": "5'6"}
CONTRADICTED = [
    (replace(s.ASK, fields={**s.FIELDS, **SHORT}), DANA),
    *s.AGREED[1:-1],
    (m.OpenContext(replace(s.RECORD, height_cm=203)), SYSTEM),
]


REFUSALS = {
    "a face that is not there": (
        [(s.ASK, DANA), (s.SEEN_TWO, SYSTEM)],
        m.ChooseFace(7),
        DANA,
        ("names-face", "There is no such face in this photograph."),
    ),
    "a candidate that is not there": (
        s.TO_REVIEW,
        m.AnswerCandidate(m.Label("Z9"), m.Support.DIFFERENT),
        EVA,
        ("names-candidate", "That candidate is not among those of this search."),
    ),
    "candidates still open": (
        [*s.TO_REVIEW, (m.AnswerCandidate(s.P4, m.Support.DIFFERENT), EVA)],
        s.NO_LEAD,
        EVA,
        ("answers-all", "Every candidate needs an answer first. Still open: K7, W9."),
    ),
    "an edited image": (
        [*s.TO_REVIEW, *s.answers(EVA, s.K7)],
        replace(s.LEAD, probe_sha256="cd" * 32),
        EVA,
        ("original-probe", "The comparison must be made against the photograph as it was received."),
    ),
    "nobody and somebody": (
        [*s.TO_REVIEW, *s.answers(EVA, s.K7)],
        replace(s.NO_LEAD, candidate=s.K7),
        EVA,
        ("names-none", "Only a possible match names a candidate."),
    ),
    "somebody excluded": (
        [*s.TO_REVIEW, *s.answers(EVA, s.P4)],
        s.LEAD,
        EVA,
        ("names-candidate", "A possible match names one candidate whom you answered as possible."),
    ),
    "nobody at all": (
        [*s.TO_REVIEW, *s.answers(EVA, s.P4)],
        replace(s.LEAD, candidate=None),
        EVA,
        ("names-candidate", "A possible match names one candidate whom you answered as possible."),
    ),
    "no difference": (
        [*s.TO_REVIEW, *s.answers(EVA, s.K7)],
        replace(s.LEAD, differences=" \n"),
        EVA,
        (
            "differences-considered",
            (
                "Say in a few words what differs between the two photographs, and why that does not exclude. No "
                "two photographs of one person are alike."
            ),
        ),
    ),
    "more than a comparison can say": (
        [*s.TO_REVIEW, *s.answers(EVA, s.K7)],
        replace(s.LEAD, differences="The ears differ in the light; a 95 % Match otherwise."),
        EVA,
        ("sober-words", "“%” says more than a comparison can: write what you see."),
    ),
    "nothing compared": (
        [*s.TO_REVIEW, *s.answers(EVA, s.K7)],
        replace(s.LEAD, components={}),
        EVA,
        ("compares-components", "Compare candidate K7 component by component first."),
    ),
    "not all compared": (
        [*s.TO_REVIEW, *s.answers(EVA, s.K7)],
        replace(s.LEAD, components={c: found for c, found in s.COMPARED.items() if c not in {"ears", "scars"}}),
        EVA,
        (
            "compares-components",
            "Compare candidate K7 component by component first. Still open: ears, scars.",
        ),
    ),
    "a permission without an end": (
        [(PAROLE, DANA)],
        m.AllowRepository(allow=True, reason="Consented to.", days=99),
        REX,
        ("permission-ends", "Such a permission ends after 7 days at most."),
    ),
    "a lead before the record was read": (
        s.AGREED[:-1],
        s.APPROVE,
        MARA,
        ("context-first", "The facts on record are still being compared. Try again in a minute."),
    ),
    "a contradiction that nobody resolved": (
        CONTRADICTED,
        s.APPROVE,
        MARA,
        (
            "resolves-contradictions",
            (
                "Height: description and record lie apart, or nobody has compared them. Say in writing how that is "
                "resolved, or do not approve."
            ),
        ),
    ),
    "a resolution that knows too much": (
        CONTRADICTED,
        replace(s.APPROVE, resolutions={"height": "He was identified by his mother, so never mind his height."}),
        MARA,
        ("sober-words", "Height: “identified” says more than anybody here can know. Say what the facts are."),
    ),
    "an arrest on a lead alone": (
        [*s.AGREED, (s.APPROVE, MARA), (m.Acknowledge(), DANA)],
        m.RecordOutcome(LeadOutcome.ARREST, ""),
        DANA,
        (
            "independent-evidence-first",
            (
                "An arrest is recorded only after evidence that does not come from this lead. Record that evidence "
                "first: what it is, and where it stands in the case file."
            ),
        ),
    ),
    "evidence that says nothing": (
        [*s.AGREED, (s.APPROVE, MARA), (m.Acknowledge(), DANA)],
        m.RecordEvidence(Evidence.RECORDS, "see file"),
        DANA,
        ("names-evidence", "Say what the evidence is, and where it stands in the case file."),
    ),
    "a second outcome": (
        [
            *[*s.AGREED, (s.APPROVE, MARA), (m.Acknowledge(), DANA)],
            (m.RecordOutcome(LeadOutcome.ELIMINATED, ""), DANA),
        ],
        m.RecordOutcome(LeadOutcome.UNSOLVED, ""),
        DANA,
        (
            "one-outcome",
            (
                "An outcome is on record already: The person was eliminated from the investigation. What can still be "
                "added is that the case was closed on another person; a supervisor can recall the lead."
            ),
        ),
    ),
    "a recall that never was": (
        [*s.AGREED, (s.APPROVE, MARA), (m.Acknowledge(), DANA)],
        m.AcknowledgeRecall(),
        DANA,
        ("recalled-first", "This lead was not recalled. Nothing has to be destroyed."),
    ),
    "a copy that changed meanwhile": (
        HELD_POOR,
        m.PrepareProbe(Greyscale(), "01" * 32, "02" * 32, 1),
        EVA,
        ("prepares-the-latest", "The copy was changed meanwhile. Look at the latest one first."),
    ),
    "a copy without the face": (
        HELD_POOR,
        m.PrepareProbe(Greyscale(), s.SHA, "02" * 32, 0),
        EVA,
        ("one-face", "After that, the face would no longer be found. Nothing was changed."),
    ),
    "a crop of nothing": (
        HELD_POOR,
        m.PrepareProbe(Crop(0, 0, 0, 9), s.SHA, "02" * 32, 1),
        EVA,
        ("operation-fits", f"{out_of_range(Crop(0, 0, 0, 9))} Nothing was changed."),
    ),
    "a mask where nobody else is": (
        HELD_POOR,
        m.PrepareProbe(Mask(0), s.SHA, "02" * 32, 1),
        EVA,
        ("masks-first", "Where there are several faces, the others are masked first, and once."),
    ),
    "a mask of the face that was chosen": (
        SEVERAL,
        m.PrepareProbe(Mask(0), s.SHA, "02" * 32, 1),
        EVA,
        ("masks-first", "The requester chose another face; that one stays."),
    ),
    "an original that is none": (
        [*HELD_POOR, (m.PrepareProbe(Greyscale(), s.SHA, "02" * 32, 1), EVA)],
        m.PrepareProbe(Original(), "02" * 32, "03" * 32, 1),
        EVA,
        ("original-probe", "That is not the original."),
    ),
    "no reason": (
        s.AGREED,
        m.DecideLead(approve=False, reason="\t"),
        MARA,
        (
            "decides-with-reason",
            "A decision needs a reason in writing: a few words that say why, and will in a year.",
        ),
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_every_refusal_is_told_in_these_words(name):
    steps, command, by, told = REFUSALS[name]
    search, _ = s.tell(steps)
    (refused,) = decide(search, command, by, s.pack(), s.NOON)
    assert (refused.rule, refused.reason) == told


def test_an_inconclusive_opinion_needs_no_difference_and_is_no_support():
    unsure = m.Conclude(m.Conclusion.INCONCLUSIVE, None, "", s.SHA)
    search, events = s.tell([*s.TO_REVIEW, *s.says(unsure, EVA), *s.says(s.LEAD, NOOR)])
    assert m.ExaminationConcluded(EVA.id, m.Conclusion.INCONCLUSIVE, None, "", s.SHA) in events
    assert (search.state, search.reason) == (m.State.CLOSED, "The examiners did not agree on a candidate.")


OUTWARD = {
    m.Support.SAME_STRONGLY: m.Answer.POSSIBLE,
    m.Support.SAME: m.Answer.POSSIBLE,
    m.Support.SAME_WEAKLY: m.Answer.INCONCLUSIVE,
    m.Support.NEITHER: m.Answer.INCONCLUSIVE,
    m.Support.DIFFERENT_WEAKLY: m.Answer.INCONCLUSIVE,
    m.Support.DIFFERENT: m.Answer.EXCLUDED,
    m.Support.DIFFERENT_STRONGLY: m.Answer.EXCLUDED,
}


@pytest.mark.parametrize("support", m.Support)
def test_seven_points_are_kept_and_three_words_come_of_them(support):
    search, _ = s.tell([*s.TO_REVIEW, (m.AnswerCandidate(s.K7, support), EVA)])
    (mine,) = search.examinations
    assert (mine.support[s.K7], mine.answers[s.K7]) == (support, OUTWARD[support])


@pytest.mark.parametrize("support", [one for one, word in OUTWARD.items() if word is not m.Answer.POSSIBLE])
def test_limited_support_names_nobody(support):
    answered = [*s.answers(EVA), (m.AnswerCandidate(s.K7, support), EVA)]
    _, events = s.tell([*s.TO_REVIEW, *answered, (s.LEAD, EVA)])
    assert s.refusals(events) == ["names-candidate"]


def test_a_pack_may_do_without_the_comparison_of_components():
    rules = s.pack()
    rules = rules.model_copy(update={"review": rules.review.model_copy(update={"checklist": False})})
    bare = replace(s.LEAD, components={})
    search, _ = s.tell([*s.TO_REVIEW, *s.says(bare, EVA), *s.says(bare, NOOR)], rules)
    assert search.state is m.State.AGREED


def test_what_is_compared_of_somebody_who_is_not_named_is_not_taken_for_an_opinion():
    search, _ = s.tell([*s.TO_REVIEW, *s.says(replace(s.NO_LEAD, components=s.COMPARED), EVA)])
    assert search.examinations[0].components == {}


def test_a_pack_of_three_examiners_waits_for_the_third():
    rules = s.pack()
    rules = rules.model_copy(update={"review": rules.review.model_copy(update={"examiners": 3})})
    two, _ = s.tell(s.AGREED, rules)
    three, _ = s.tell(s.says(s.LEAD, BEN), rules, two)
    differs, _ = s.tell(s.says(s.NO_LEAD, BEN), rules, two)
    assert (two.state, three.state, differs.state) == (m.State.IN_REVIEW, m.State.AGREED, m.State.CLOSED)


@pytest.mark.parametrize("state", m.State)
def test_every_state_is_told_in_a_sentence(state):
    assert STATE_IN_WORDS[state].endswith(".")


def test_a_supervisors_no_to_a_poor_face_is_not_repeated_to_somebody_else():
    poor = m.AssessPhoto(s.SHA, (m.Face(0, "poor", (), 30.0),), "model")
    stop = m.OverrideQuality(proceed=False, reason="Too dark.")
    closed, _ = s.tell([(s.ASK, DANA), (poor, SYSTEM), (stop, MARA)])
    early, _ = s.tell([(s.ASK, DANA)])
    assert decide(closed, stop, MARA, s.pack(), s.NOON) == ()
    assert s.refusals(list(decide(closed, stop, s.SAM, s.pack(), s.NOON))) == ["has-role"]
    assert s.refusals(list(decide(early, stop, MARA, s.pack(), s.NOON))) == ["fits-state"]
    unreadable, _ = s.tell([(s.ASK, DANA), (m.RejectPhoto(s.SHA, "format", "No."), SYSTEM)])
    assert s.refusals(list(decide(unreadable, stop, MARA, s.pack(), s.NOON))) == ["fits-state"]
    found, _ = s.tell(s.TO_REVIEW)
    assert s.refusals(list(decide(found, stop, MARA, s.pack(), s.NOON))) == ["fits-state"]


def test_an_opinion_is_kept_with_all_that_was_said():
    search, _ = s.tell([*s.TO_REVIEW, *s.says(s.LEAD, EVA)])
    (mine,) = search.examinations
    answers = {s.K7: m.Answer.POSSIBLE, s.P4: m.Answer.POSSIBLE, s.W9: m.Answer.EXCLUDED}
    support = {s.K7: m.Support.SAME, s.P4: m.Support.SAME, s.W9: m.Support.DIFFERENT}
    said = (m.Conclusion.POSSIBLE_MATCH, s.K7, s.LEAD.differences, s.SHA)
    assert mine == m.Examination(EVA.id, answers, *said, support, s.COMPARED)


@pytest.mark.parametrize("what", m.Post)
def test_of_what_is_posted_only_the_review_opens_the_examination_and_only_once_there_are_candidates(what):
    posted = m.RecordPosted(what, "C9", "9.0")
    found, _ = s.tell([*s.TO_REVIEW[:3], (posted, SYSTEM)])
    early, _ = s.tell([(s.ASK, DANA), (posted, SYSTEM)])
    closed, _ = s.tell([(s.ASK, DANA), (m.Withdraw("Found."), DANA), (posted, SYSTEM)])
    assert found.state is (m.State.IN_REVIEW if what is m.Post.REVIEW else m.State.SEARCHED)
    assert (early.state, closed.state) == (m.State.REQUESTED, m.State.CLOSED)
    assert early.posts == {what.value: "C9 9.0"}


@pytest.mark.parametrize(
    "text",
    ["It is a match.", "Matches well", "a hit", "identity confirmed", "Identified by the mole", "identical ears",
     "the same person", "score 0.7", "90%", "ninety percent", "Definitely him", "certainly", "the suspect's nose"],
)  # fmt: skip
def test_an_examiner_writes_no_word_that_says_more_than_a_comparison_can(text):
    assert wording.claim(text)


@pytest.mark.parametrize(
    "text",
    ["Strong jaw line in both; the mouth is open here.", "A possible match despite the light.", "Matchstick-thin brows",
     "The white of the eyes shows.", "Unidentifiable marks left of the nose", "The hairline is higher here."],
)  # fmt: skip
def test_an_examiner_may_write_what_can_be_seen(text):
    assert wording.claim(text) is None


def test_a_model_that_the_law_does_not_know_ends_the_request_in_these_words():
    rules = s.pack("virginia-2026")
    asked, _ = s.tell([(complete(rules, rules.purposes[0].code), DANA)], rules)
    (_, closed) = decide(replace(asked, state=m.State.REQUESTED), s.SEEN, SYSTEM, rules, s.NOON)
    told = (
        "The policy allows only recognition models that NIST has evaluated, and nothing says that this one was. "
        "Nothing was searched. Tell your administrator."
    )
    assert closed == m.SearchClosed(m.Outcome.REJECTED, told)


CODE = re.compile(r"\([MSXL]\d")
SOURCES = [file for house in ("policy", "bot", "matcher", "deploy") for file in sorted(Path(house).rglob("*.py"))]


@pytest.mark.parametrize("file", SOURCES, ids=str)
def test_nobody_is_told_the_codes_of_our_requirements(file):
    """They are for whoever reads the source."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    docstrings = {id(one.value) for one in ast.walk(tree) if isinstance(one, ast.Expr)}
    said = [one for one in ast.walk(tree) if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    assert [one.value for one in said if id(one) not in docstrings and CODE.search(one.value)] == []
