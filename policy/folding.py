"""Folding: a search is what its events say, from the first to the last. Pure."""

from dataclasses import replace
from typing import assert_never

from policy.aftermath import Corroboration, LeadOutcome
from policy.authority import approved, examination
from policy.model import (
    Approval,
    CandidateAnswered,
    CandidateDropped,
    CandidatesShown,
    ConflictDeclared,
    ContextOpened,
    Event,
    EvidenceRecorded,
    Examination,
    ExaminationConcluded,
    ExaminersAgreed,
    ExaminersDisagreed,
    ExaminersDrawn,
    FaceChosen,
    HandedBack,
    HandedOver,
    KnownAnswerInjected,
    LeadAcknowledged,
    LeadDecided,
    LeadExpired,
    LeadIssued,
    LeadRecalled,
    Note,
    NoteAppended,
    Outcome,
    OutcomeRecorded,
    PersonId,
    PhotoAssessed,
    Post,
    Posted,
    Preparation,
    ProbePrepared,
    QualityHeld,
    QualityOverridden,
    Quarantined,
    RecallAcknowledged,
    Refused,
    RepositoryAllowed,
    RequestApproved,
    RequestHeld,
    RequestRejected,
    ReviewReturned,
    Search,
    SearchClosed,
    SearchRequested,
    SearchRun,
    State,
)


def evolve(search: Search, event: Event) -> Search:  # noqa: C901 - a case per event
    """`search` after `event`. Folding a search's events from the start gives its row again."""
    match event:
        case SearchRequested():
            return replace(
                search,
                state=State.REQUESTED,
                pack=event.pack,
                requested_by=event.by,
                requested_at=event.at,
                purpose=event.purpose,
                case_number=event.case_number,
                case_known=event.case_known,
                fields=event.fields,
                origin=event.origin,
                repositories=event.repositories,
                approvers=event.approvers,
                approval_due=event.approval_due,
            )
        case KnownAnswerInjected():
            return replace(
                search,
                state=State.REQUESTED,
                known=event.known,
                pack=event.pack,
                requested_by=event.by,
                requested_at=event.at,
                purpose=event.purpose,
                case_number=event.by,
            )
        case RequestHeld():
            return replace(search, state=State.HELD, concerns=event.concerns)
        case RequestApproved():
            approvals = (*search.approvals, Approval(event.by, event.at, event.reason))
            return _released(replace(search, approvals=approvals))
        case RequestRejected():
            return replace(search, refused_by=event.by)
        case RepositoryAllowed():
            return _released(replace(search, allowed_by=event.by, allowed_until=event.until))
        case QualityHeld():
            return replace(search, state=State.QUALITY_HELD)
        case QualityOverridden():
            return replace(search, state=State.ASSESSED, overridden_by=event.by)
        case ConflictDeclared():
            return _free(replace(search, conflicted=(*search.conflicted, event.by)), event.by)
        case Quarantined():
            return replace(search, quarantined=event.reason)
        case PhotoAssessed():
            state = State.FACE_NEEDED if len(event.faces) > 1 else search.state
            return replace(search, state=state, photo_sha256=event.sha256, faces=event.faces)
        case FaceChosen():
            return replace(search, state=State.ASSESSED, face=event.index)
        case ProbePrepared():
            made = Preparation(event.operation, event.before_sha256, event.after_sha256, event.by, event.at)
            return replace(search, preparations=(*search.preparations, made))
        case SearchRun():
            return replace(search, state=State.SEARCHED, candidates=event.candidates, evidence=event.evidence)
        case CandidateDropped():
            return replace(search, candidates=tuple(c for c in search.candidates if c.label != event.label))
        case Posted():
            return _posted(search, event)
        case CandidatesShown():
            return replace(search, shown={**search.shown, event.by: event.labels})
        case CandidateAnswered() | ExaminationConcluded():
            return _with_examination(search, event)
        case HandedBack():
            others = tuple(e for e in search.examinations if e.examiner != event.by)
            back = (*search.handed_back, event.by)
            return _free(replace(search, examinations=others, handed_back=back), event.by)
        case HandedOver():
            asked = tuple(person for person in search.asked if person != event.to)
            return replace(search, asked=(*asked, event.to), handed=(*search.handed, event.to))
        case ExaminersDrawn():
            asked = (*search.asked, *event.examiners)
            return replace(search, asked=asked, asked_until=event.until, draws_again=False)
        case ExaminersAgreed():
            return replace(search, state=State.AGREED, lead=event.candidate)
        case ExaminersDisagreed():
            return _free(replace(search, state=State.DISAGREED))
        case ContextOpened():
            return replace(search, context=event.checks)
        case LeadDecided():
            return replace(search, decided_by=event.by, resolutions=event.resolutions)
        case ReviewReturned():
            returned = (*search.returned, event.by)
            return _free(replace(search, state=State.DISAGREED, lead=None, returned=returned))
        case NoteAppended():
            return replace(search, notes=(*search.notes, Note(event.by, event.at, event.note)))
        case LeadIssued():
            return replace(
                search,
                state=State.LEAD,
                lead=event.candidate,
                outcome=Outcome.POSSIBLE_MATCH,
                issued_at=event.at,
                expires_at=event.expires_at,
            )
        case SearchClosed():
            return replace(search, state=State.CLOSED, outcome=event.outcome, reason=event.reason, lead=None)
        case LeadAcknowledged():
            return replace(search, acknowledged_at=event.at, expires_at=event.expires_at)
        case EvidenceRecorded():
            found = Corroboration(event.kind, event.reference, event.by, event.at)
            return replace(search, corroboration=(*search.corroboration, found))
        case OutcomeRecorded():
            arrested = event.at if event.outcome is LeadOutcome.ARREST else search.arrested_at
            return replace(search, aftermath=event.outcome, arrested_at=arrested)
        case LeadExpired():
            return replace(search, expired_at=event.at)
        case LeadRecalled():
            return replace(search, recalled=event.reason)
        case RecallAcknowledged():
            return replace(search, recall_acknowledged_at=event.at)
        case Refused():
            return search
        case _:
            assert_never(event)


def _released(search: Search) -> Search:
    """Once everybody who has to approve did: a held request goes on, and a quarantine for want of approval is over."""
    if not approved(search):
        return search
    allowed = not search.repositories or search.allowed_until is not None
    released = search.state is State.HELD and allowed
    return replace(search, state=State.REQUESTED if released else search.state, quarantined="")


def _posted(search: Search, event: Posted) -> Search:
    posts = {**search.posts, event.what.value: f"{event.channel} {event.ts}"}
    opened = event.what is Post.REVIEW and search.state is State.SEARCHED
    return replace(search, posts=posts, state=State.IN_REVIEW if opened else search.state)


def _with_examination(search: Search, event: CandidateAnswered | ExaminationConcluded) -> Search:
    mine = examination(search, event.by) or Examination(event.by)
    others = tuple(e for e in search.examinations if e.examiner != event.by)
    match event:
        case CandidateAnswered():
            mine = replace(
                mine,
                answers={**mine.answers, event.label: event.answer},
                support={**mine.support, event.label: event.support},
            )
        case ExaminationConcluded():
            mine = replace(
                mine,
                conclusion=event.conclusion,
                candidate=event.candidate,
                differences=event.differences,
                probe_sha256=event.probe_sha256,
                components=event.components,
            )
    return replace(search, examinations=(*others, mine))


def _free(search: Search, person: PersonId | None = None) -> Search:
    """A seat is nobody's any more, that of `person` where somebody left it: where seats are drawn, it is drawn anew."""
    left = person is None or person in search.asked
    asked = tuple(one for one in search.asked if one != person)
    return replace(search, asked=asked, draws_again=search.draws_again or (left and search.asked_until is not None))
