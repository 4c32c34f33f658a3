"""The words of the domain, frozen and without behaviour.

Commands are imperative, events are past tense, a refusal is a value with a rule name that is stable for ever.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

from policy.aftermath import Corroboration, Evidence, LeadOutcome
from policy.contradictions import Check, Record
from policy.morphology import Answer, Component, Found, Support
from policy.preparation import Operation

SearchId = NewType("SearchId", str)
PersonId = NewType("PersonId", str)  # a member of the department, not a person of the gallery
Label = NewType("Label", str)  # what examiners call a candidate; says nothing about rank


class Role(StrEnum):
    REQUESTER = "requester"
    EXAMINER = "examiner"
    SUPERVISOR = "supervisor"
    EXECUTIVE = "executive"  # allows a class of photographs that is otherwise out of reach (M42)
    AUDITOR = "auditor"
    SYSTEM = "system"  # the worker, reporting facts of the outside world


class State(StrEnum):
    NEW = "new"
    HELD = "held"  # needs approval before anything is searched (M41 to M43)
    REQUESTED = "requested"  # accepted; the photograph is still to be received
    FACE_NEEDED = "face-needed"  # several faces: the requester has to pick one (M5)
    QUALITY_HELD = "quality-held"  # below the floor; a supervisor may let it through (M8)
    ASSESSED = "assessed"  # one face, good enough; still to be searched
    SEARCHED = "searched"  # candidates are known; the review is still to be opened
    IN_REVIEW = "in-review"
    DISAGREED = "disagreed"  # one more opinion is needed: examiners differ (M21), or a supervisor asked for it (M23)
    AGREED = "agreed"  # the supervisor decides (M23)
    LEAD = "lead"
    CLOSED = "closed"


class Outcome(StrEnum):
    """M24."""

    POSSIBLE_MATCH = "possible-match"
    NO_POSSIBLE_MATCH = "no-possible-match"
    UNSUITABLE = "unsuitable"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"  # by whoever had to approve
    ERROR = "error"  # a fault of the desk's own
    KNOWN_ANSWER = "known-answer"  # of a case that measures examiners; nothing else comes of it


class CaseKnown(StrEnum):
    """What the department's own case system says of a case number (S1)."""

    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "unknown"
    OFFLINE = "offline"  # it was asked, and gave no answer that can be read
    NOT_ASKED = "not-asked"  # there is none to ask


class Conclusion(StrEnum):
    POSSIBLE_MATCH = "possible-match"
    INCONCLUSIVE = "inconclusive"
    NO_POSSIBLE_MATCH = "no-possible-match"


class Post(StrEnum):
    """Outward acts whose happening the ledger records."""

    CARD = "card"
    FACE_QUESTION = "face-question"
    REVIEW = "review"
    DECISION = "decision"
    NOTICE = "notice"
    PHOTOGRAPH = "photograph"


@dataclass(frozen=True, slots=True)
class Actor:
    id: PersonId
    roles: frozenset[Role]
    certified_until: datetime | None = None  # None: no certification on file
    barred: str = ""  # why they may do nothing, whatever the roster says: a guest, a stranger, a bot (M36)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the photograph was posted; opaque to the policy."""

    channel: str
    message: str  # the ts of the post
    file: str


@dataclass(frozen=True, slots=True)
class Candidate:
    label: Label
    person: str  # the gallery's person id
    photos: tuple[str, ...]  # the gallery's photo ids, best first
    rank: int  # kept for disclosure; never shown to examiners (M16, M17)
    score: float


@dataclass(frozen=True, slots=True)
class Face:
    index: int
    tier: str
    reasons: tuple[str, ...]
    inter_eye_px: float


@dataclass(frozen=True, slots=True)
class Examination:
    examiner: PersonId
    answers: Mapping[Label, Answer] = field(default_factory=dict[Label, Answer])
    conclusion: Conclusion | None = None  # set once: the opinion is locked from then on (M22)
    candidate: Label | None = None
    differences: str = ""
    probe_sha256: str = ""
    support: Mapping[Label, Support] = field(default_factory=dict[Label, Support])  # seven points, behind the answers
    components: Mapping[Component, Found] = field(default_factory=dict[Component, Found])  # of the candidate named


@dataclass(frozen=True, slots=True)
class Approval:
    by: PersonId
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Note:
    """What an examiner added to an opinion that was locked before (M22)."""

    by: PersonId
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Preparation:
    """One recorded operation on a copy of the probe; the copy itself is kept under its hash (M10)."""

    operation: Operation
    before_sha256: str
    after_sha256: str
    by: PersonId
    at: datetime


@dataclass(frozen=True, slots=True)
class Search:
    """One search, folded from its events."""

    id: SearchId
    state: State = State.NEW
    known: str = ""  # the known-answer case that this is; its answer is kept elsewhere (X2)
    pack: str = ""  # "name@version": a search lives and dies under the pack it was requested under
    requested_by: PersonId | None = None
    requested_at: datetime | None = None
    purpose: str = ""
    case_number: str = ""
    case_known: CaseKnown = CaseKnown.NOT_ASKED
    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    origin: Origin | None = None
    repositories: tuple[str, ...] = ()  # classes of photographs asked for beside those that are always searched
    concerns: tuple[str, ...] = ()  # why somebody has to approve it first
    approvers: int = 0  # how many have to
    approvals: tuple[Approval, ...] = ()
    approval_due: datetime | None = None  # an emergency ran before its approval, which is owed until then
    refused_by: PersonId | None = None  # who, having to approve, did not
    allowed_by: PersonId | None = None  # the executive who allowed the classes asked for
    allowed_until: datetime | None = None
    quarantined: str = ""  # why nobody may see the result
    photo_sha256: str = ""
    faces: tuple[Face, ...] = ()
    face: int | None = None
    preparations: tuple[Preparation, ...] = ()  # of copies, in order; the original stays as it was received
    overridden_by: PersonId | None = None  # the supervisor who let a poor photograph through
    conflicted: tuple[PersonId, ...] = ()  # who declared a conflict of interest
    candidates: tuple[Candidate, ...] = ()
    evidence: Mapping[str, str | int | float | bool] = field(default_factory=dict[str, str | int | float | bool])
    shown: Mapping[PersonId, tuple[Label, ...]] = field(default_factory=dict[PersonId, tuple[Label, ...]])  # (X1)
    examinations: tuple[Examination, ...] = ()
    handed_back: tuple[PersonId, ...] = ()  # who began to examine and gave it back
    asked: tuple[PersonId, ...] = ()  # examiners for whom seats are kept: drawn by lot, or asked by a supervisor (S9)
    asked_until: datetime | None = None  # from then on, whoever may; None: nobody was drawn
    draws_again: bool = False  # somebody is still to be drawn for a seat that became free
    handed: tuple[PersonId, ...] = ()  # whom supervisors asked, each time
    context: tuple[Check, ...] | None = None  # what was described beside the record; None: not looked at yet (X3)
    returned: tuple[PersonId, ...] = ()  # supervisors who wanted one more opinion; with each, one more has to agree
    notes: tuple[Note, ...] = ()
    resolutions: Mapping[str, str] = field(default_factory=dict[str, str])  # of contradictions, by fact
    decided_by: PersonId | None = None
    outcome: Outcome | None = None
    reason: str = ""  # why it was closed, in words for the requester
    lead: Label | None = None
    issued_at: datetime | None = None
    acknowledged_at: datetime | None = None
    expires_at: datetime | None = None  # without an outcome, counted from the day it was issued (M28)
    corroboration: tuple[Corroboration, ...] = ()
    aftermath: LeadOutcome | None = None  # what became of the lead
    arrested_at: datetime | None = None  # when an arrest was recorded, whatever was recorded afterwards
    expired_at: datetime | None = None
    recalled: str = ""  # why nobody may use the lead any more (M27)
    recall_acknowledged_at: datetime | None = None
    posts: Mapping[str, str] = field(default_factory=dict[str, str])  # Post -> "channel ts"


# --- commands -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RequestSearch:
    purpose: str
    case_number: str
    fields: Mapping[str, str]  # the purpose's own fields, basis and image source among them
    attested: bool
    origin: Origin
    repositories: tuple[str, ...] = ()  # classes of photographs asked for beside those that are always searched
    case_known: CaseKnown = CaseKnown.NOT_ASKED


@dataclass(frozen=True, slots=True)
class InjectKnownAnswer:
    """A case whose answer is known goes to the examiners like every other (X2)."""

    known: str
    purpose: str


@dataclass(frozen=True, slots=True)
class ApproveRequest:
    """Before the search where the request is held; afterwards where an emergency owes it (M41)."""

    approve: bool
    reason: str


@dataclass(frozen=True, slots=True)
class AllowRepository:
    """An executive answers for a class of photographs that is otherwise out of reach (M42)."""

    allow: bool
    reason: str
    days: int | None = None  # how long; None: as long as the pack lets it stand


@dataclass(frozen=True, slots=True)
class OverrideQuality:
    proceed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class DeclareConflict:
    """Whoever knows somebody in the case steps aside (S8)."""

    reason: str


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The approval of an emergency was owed until now."""


@dataclass(frozen=True, slots=True)
class AssessPhoto:
    """The matcher has seen the photograph."""

    sha256: str
    faces: tuple[Face, ...]
    model: str
    evaluation: Mapping[str, float] = field(default_factory=dict[str, float])  # the model's, as its pack has it (M45)


@dataclass(frozen=True, slots=True)
class RejectPhoto:
    """The photograph cannot be read: rule and reason come from whoever could not."""

    sha256: str
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class ChooseFace:
    index: int


@dataclass(frozen=True, slots=True)
class PrepareProbe:
    """A copy was made of the latest one; `faces` is how many the matcher finds in it."""

    operation: Operation
    before_sha256: str
    after_sha256: str
    faces: int


@dataclass(frozen=True, slots=True)
class RecordCandidates:
    candidates: tuple[Candidate, ...]
    evidence: Mapping[str, str | int | float | bool]  # model, gallery root, certificate … (M14)


@dataclass(frozen=True, slots=True)
class DropCandidate:
    """The gallery no longer lets this person be shown: sealed or expunged since the search (M13)."""

    label: Label


@dataclass(frozen=True, slots=True)
class RecordPosted:
    what: Post
    channel: str
    ts: str


@dataclass(frozen=True, slots=True)
class Eligible:
    """An examiner who is certified and in the examiners' channel, and how many examinations are before them already."""

    person: PersonId
    before_them: int


@dataclass(frozen=True, slots=True)
class DrawExaminers:
    """The seats that are kept for nobody are given by lot (S9)."""

    eligible: tuple[Eligible, ...]
    draw: str  # by chance, from outside


@dataclass(frozen=True, slots=True)
class OpenExamination:
    """An examiner sits down; which candidates they are shown is settled from then on (X1)."""

    draw: str = ""  # by chance, from outside: who the foils are follows from it


@dataclass(frozen=True, slots=True)
class AnswerCandidate:
    label: Label
    support: Support


@dataclass(frozen=True, slots=True)
class HandBack:
    """An examiner who began gives the examination back; what they noted so far is shown to nobody."""

    reason: str


@dataclass(frozen=True, slots=True)
class HandOver:
    """A supervisor asks one examiner for it."""

    to: PersonId
    reason: str


@dataclass(frozen=True, slots=True)
class Conclude:
    conclusion: Conclusion
    candidate: Label | None
    differences: str
    probe_sha256: str
    components: Mapping[Component, Found] = field(default_factory=dict[Component, Found])  # of the candidate named


@dataclass(frozen=True, slots=True)
class OpenContext:
    """The record of the candidate whom the examiners agree on; None where it may not be used any more (M13)."""

    record: Record | None


@dataclass(frozen=True, slots=True)
class DecideLead:
    approve: bool
    reason: str
    resolutions: Mapping[str, str] = field(default_factory=dict[str, str])  # of contradictions, by fact


@dataclass(frozen=True, slots=True)
class ReturnReview:
    """A supervisor wants one more examiner to compare, who has to agree as well (M23)."""

    reason: str


@dataclass(frozen=True, slots=True)
class AppendNote:
    """An examiner adds to their locked opinion, which itself stays as it is (M22)."""

    text: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """What the desk has to do by itself failed too often (M24)."""


@dataclass(frozen=True, slots=True)
class Acknowledge:
    pass


@dataclass(frozen=True, slots=True)
class RecordEvidence:
    """Something that speaks for or against the lead; its kind says whether it can come from the lead itself (S4)."""

    kind: Evidence
    reference: str


@dataclass(frozen=True, slots=True)
class RecordOutcome:
    """What became of the lead (M28)."""

    outcome: LeadOutcome
    note: str


@dataclass(frozen=True, slots=True)
class ExpireLead:
    """Its time is over, and nobody recorded an outcome (M28)."""


@dataclass(frozen=True, slots=True)
class RecallLead:
    """Nobody may use it any more, and whoever has it destroys it (M27, X13)."""

    reason: str


@dataclass(frozen=True, slots=True)
class AcknowledgeRecall:
    """Whoever had the lead says that nothing of it is left."""


@dataclass(frozen=True, slots=True)
class Withdraw:
    reason: str


Command = (
    RequestSearch
    | InjectKnownAnswer
    | ApproveRequest
    | AllowRepository
    | OverrideQuality
    | DeclareConflict
    | Quarantine
    | AssessPhoto
    | RejectPhoto
    | ChooseFace
    | PrepareProbe
    | RecordCandidates
    | DropCandidate
    | RecordPosted
    | DrawExaminers
    | OpenExamination
    | AnswerCandidate
    | HandBack
    | HandOver
    | Conclude
    | OpenContext
    | DecideLead
    | ReturnReview
    | AppendNote
    | GiveUp
    | Acknowledge
    | RecordEvidence
    | RecordOutcome
    | ExpireLead
    | RecallLead
    | AcknowledgeRecall
    | Withdraw
)


# --- events ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SearchRequested:
    by: PersonId
    at: datetime
    pack: str
    purpose: str
    case_number: str
    fields: Mapping[str, str]
    origin: Origin
    repositories: tuple[str, ...] = ()
    approvers: int = 0  # how many have to approve, before the search or, in an emergency, until `approval_due`
    approval_due: datetime | None = None
    case_known: CaseKnown = CaseKnown.NOT_ASKED
    case_number_typed: str = ""  # as it was written, before it was normalised (M3)


@dataclass(frozen=True, slots=True)
class KnownAnswerInjected:
    """In the audit it is plain what this was; in nothing that an examiner can see."""

    by: PersonId
    at: datetime
    pack: str
    purpose: str
    known: str


@dataclass(frozen=True, slots=True)
class RequestHeld:
    """Nothing is fetched or searched before it is approved."""

    concerns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RequestApproved:
    by: PersonId
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class RequestRejected:
    by: PersonId
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class RepositoryAllowed:
    by: PersonId
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class QualityHeld:
    index: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QualityOverridden:
    by: PersonId
    reason: str


@dataclass(frozen=True, slots=True)
class ConflictDeclared:
    by: PersonId
    reason: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Nobody may see or use the result until whoever owes the approval has given it."""

    reason: str


@dataclass(frozen=True, slots=True)
class PhotoAssessed:
    sha256: str
    faces: tuple[Face, ...]
    model: str


@dataclass(frozen=True, slots=True)
class FaceChosen:
    index: int


@dataclass(frozen=True, slots=True)
class ProbePrepared:
    by: PersonId
    at: datetime
    operation: Operation
    before_sha256: str
    after_sha256: str


@dataclass(frozen=True, slots=True)
class SearchRun:
    candidates: tuple[Candidate, ...]
    evidence: Mapping[str, str | int | float | bool]


@dataclass(frozen=True, slots=True)
class CandidateDropped:
    label: Label


@dataclass(frozen=True, slots=True)
class Posted:
    what: Post
    channel: str
    ts: str


@dataclass(frozen=True, slots=True)
class ExaminersDrawn:
    """Whom the lot named, among how many; `short` where fewer could be drawn than are needed."""

    examiners: tuple[PersonId, ...]
    until: datetime
    among: int
    short: int


@dataclass(frozen=True, slots=True)
class CandidatesShown:
    """Whom `by` compares: every candidate, or a few among whom another examiner's pick may be."""

    by: PersonId
    labels: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class CandidateAnswered:
    by: PersonId
    label: Label
    answer: Answer
    support: Support


@dataclass(frozen=True, slots=True)
class HandedBack:
    by: PersonId
    reason: str


@dataclass(frozen=True, slots=True)
class HandedOver:
    by: PersonId
    to: PersonId
    reason: str


@dataclass(frozen=True, slots=True)
class ExaminationConcluded:
    by: PersonId
    conclusion: Conclusion
    candidate: Label | None
    differences: str
    probe_sha256: str
    components: Mapping[Component, Found] = field(default_factory=dict[Component, Found])


@dataclass(frozen=True, slots=True)
class ExaminersAgreed:
    candidate: Label


@dataclass(frozen=True, slots=True)
class ExaminersDisagreed:
    pass


@dataclass(frozen=True, slots=True)
class ContextOpened:
    """Only now, both opinions being locked, description and record were seen by anybody at the desk (M22)."""

    at: datetime
    candidate: Label
    contradicts: tuple[str, ...]  # the facts that do
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class LeadDecided:
    by: PersonId
    approved: bool
    reason: str
    resolutions: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class ReviewReturned:
    by: PersonId
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class NoteAppended:
    by: PersonId
    at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class LeadIssued:
    candidate: Label
    examiners: tuple[PersonId, ...]
    at: datetime | None = None  # None in entries that were written before its time was counted from here
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SearchClosed:
    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True)
class LeadAcknowledged:
    by: PersonId
    at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class EvidenceRecorded:
    by: PersonId
    at: datetime
    kind: Evidence
    reference: str


@dataclass(frozen=True, slots=True)
class OutcomeRecorded:
    by: PersonId
    at: datetime
    outcome: LeadOutcome
    note: str


@dataclass(frozen=True, slots=True)
class LeadExpired:
    at: datetime


@dataclass(frozen=True, slots=True)
class LeadRecalled:
    by: PersonId
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class RecallAcknowledged:
    by: PersonId
    at: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """What was asked is not permitted. Recorded like everything else a person did; changes nothing."""

    rule: str
    reason: str


Event = (
    SearchRequested
    | KnownAnswerInjected
    | RequestHeld
    | RequestApproved
    | RequestRejected
    | RepositoryAllowed
    | QualityHeld
    | QualityOverridden
    | ConflictDeclared
    | Quarantined
    | PhotoAssessed
    | FaceChosen
    | ProbePrepared
    | SearchRun
    | CandidateDropped
    | Posted
    | ExaminersDrawn
    | CandidatesShown
    | CandidateAnswered
    | HandedBack
    | HandedOver
    | ExaminationConcluded
    | ExaminersAgreed
    | ExaminersDisagreed
    | ContextOpened
    | LeadDecided
    | ReviewReturned
    | NoteAppended
    | LeadIssued
    | SearchClosed
    | LeadAcknowledged
    | EvidenceRecorded
    | OutcomeRecorded
    | LeadExpired
    | LeadRecalled
    | RecallAcknowledged
    | Refused
)
