"""What follows from a command: `decide` turns it into events, which `policy.folding` folds into the search.

Pure. `decide` never raises for what a person did: a refusal is a value, because raising would roll back
its record.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import assert_never

from policy import (
    approval,
    differences,
    evaluated,
    foils,
    intake,
    known_answers,
    leads,
    placeholders,
    preparation,
    seats,
    wording,
)
from policy.authority import OVERDUE, approvers, bars_of_an_examiner, examination, expired, may, overdue
from policy.folding import evolve
from policy.model import (
    Acknowledge,
    AcknowledgeRecall,
    Actor,
    AllowRepository,
    Answer,
    AnswerCandidate,
    AppendNote,
    ApproveRequest,
    AssessPhoto,
    CandidateAnswered,
    CandidateDropped,
    ChooseFace,
    Command,
    Conclude,
    Conclusion,
    ConflictDeclared,
    DecideLead,
    DeclareConflict,
    DrawExaminers,
    DropCandidate,
    Event,
    Examination,
    ExaminationConcluded,
    ExaminersAgreed,
    ExaminersDisagreed,
    ExaminersDrawn,
    ExpireLead,
    Face,
    FaceChosen,
    GiveUp,
    HandBack,
    HandedBack,
    HandedOver,
    HandOver,
    InjectKnownAnswer,
    KnownAnswerInjected,
    Label,
    LeadExpired,
    OpenContext,
    OpenExamination,
    Outcome,
    OverrideQuality,
    PhotoAssessed,
    Posted,
    Preparation,
    PrepareProbe,
    ProbePrepared,
    QualityHeld,
    QualityOverridden,
    Quarantine,
    Quarantined,
    RecallAcknowledged,
    RecallLead,
    RecordCandidates,
    RecordEvidence,
    RecordOutcome,
    RecordPosted,
    Refused,
    RejectPhoto,
    RepositoryAllowed,
    RequestApproved,
    RequestHeld,
    RequestRejected,
    RequestSearch,
    ReturnReview,
    Role,
    Search,
    SearchClosed,
    SearchRequested,
    SearchRun,
    State,
    Withdraw,
)
from policy.morphology import Component, outward, speaks_for_one
from policy.pack import Pack
from policy.schema import Ban

Events = tuple[Event, ...]

NO_FACE = (
    "No face was found in the photograph. Nothing was searched. "
    "A picture in which the face is larger and sharper may help."
)
PERMISSION_OVER = "The permission to search further photographs ran out before the search. Nothing found is kept."
FAULT = (
    "The desk could not go on with this search because of a fault of its own. This says nothing about any person. "
    "The administrators know. Post the photograph again if the case still needs it."
)
NOBODY = "The gallery holds nobody who may be searched for this purpose."


def decide(search: Search, command: Command, by: Actor, pack: Pack, now: datetime) -> Events:
    """What follows from `command`: events, or one `Refused`, or nothing where it was done before."""
    if _done_before(search, command, by, pack, now):
        return ()
    refusal = may(search, command, by, pack, now)
    if refusal:
        return (refusal,)
    return known_answers.without_consequence(search, _do(search, command, by, pack, now))


def _done_before(  # noqa: C901 - a case per command
    search: Search, command: Command, by: Actor, pack: Pack, now: datetime
) -> bool:
    """A button pressed twice, a form sent twice, a job run twice: nothing is done twice and nobody is scolded."""
    match command:
        case RequestSearch():
            return search.requested_by == by.id and (search.purpose, search.case_number, search.fields) == (
                command.purpose,
                intake.normalised(command.case_number),
                intake.answers(command, pack),
            )
        case InjectKnownAnswer():
            return search.known == command.known
        case ApproveRequest():
            return by.id in approvers(search) if command.approve else search.refused_by == by.id
        case AllowRepository():
            return by.id == (search.allowed_by if command.allow else search.refused_by)
        case OverrideQuality():
            return search.overridden_by == by.id if command.proceed else _found_unclear(search, by)
        case DeclareConflict():
            return by.id in search.conflicted
        case Quarantine():
            return bool(search.quarantined) or not overdue(search, now)
        case AssessPhoto() | RejectPhoto():
            return search.photo_sha256 == command.sha256
        case ChooseFace():
            return search.face == command.index and search.requested_by == by.id
        case PrepareProbe():
            return bool(search.preparations) and _same(search.preparations[-1], command)
        case RecordCandidates():
            return bool(search.evidence)
        case DropCandidate():
            return bool(search.evidence) and command.label not in {c.label for c in search.candidates}
        case RecordPosted():
            return command.what in search.posts
        case DrawExaminers():
            drawn = search.asked_until is not None and not search.draws_again
            return drawn or not pack.review.assigned
        case OpenExamination():
            return False
        case AnswerCandidate():
            mine = examination(search, by.id)
            return mine is not None and mine.conclusion is None and mine.support.get(command.label) is command.support
        case HandBack():
            return False
        case HandOver():
            return search.handed[-1:] == (command.to,) and command.to in search.asked
        case Conclude():
            mine = examination(search, by.id)
            return mine is not None and (mine.conclusion, mine.candidate) == (command.conclusion, command.candidate)
        case OpenContext():
            return search.context is not None
        case DecideLead():
            return search.decided_by == by.id and command.approve == (search.lead is not None)
        case ReturnReview():
            return search.state is State.DISAGREED and search.returned[-1:] == (by.id,)
        case AppendNote():
            return any((note.by, note.text) == (by.id, command.text.strip()) for note in search.notes)
        case GiveUp():
            return search.outcome is not None
        case Acknowledge():
            return search.acknowledged_at is not None and search.requested_by == by.id
        case RecordEvidence():
            return leads.recorded(search, command)
        case RecordOutcome():
            return search.aftermath is command.outcome and search.requested_by == by.id
        case ExpireLead():
            return search.expired_at is not None or not expired(search, now)
        case RecallLead():
            return bool(search.recalled)
        case AcknowledgeRecall():
            return search.recall_acknowledged_at is not None and search.requested_by == by.id
        case Withdraw():
            return search.outcome is Outcome.WITHDRAWN and search.requested_by == by.id
        case _:
            assert_never(command)


def _found_unclear(search: Search, by: Actor) -> bool:
    """A supervisor left it at that: the search ended for the face's quality."""
    chosen = search.face is not None and not search.evidence
    return Role.SUPERVISOR in by.roles and chosen and search.outcome is Outcome.UNSUITABLE


def _do(  # noqa: C901 - a case per command
    search: Search, command: Command, by: Actor, pack: Pack, now: datetime
) -> Events:
    match command:
        case RequestSearch():
            return _request(command, by, pack, now)
        case InjectKnownAnswer():
            return (KnownAnswerInjected(known_answers.REQUESTER, now, pack.id, command.purpose, command.known),)
        case ApproveRequest():
            return _approve(search, command, by, pack, now)
        case AllowRepository():
            return _allow_repository(search, command, by, pack, now)
        case OverrideQuality():
            return _override(search, command, by)
        case DeclareConflict():
            return _declare_conflict(command, by)
        case Quarantine():
            return (Quarantined(OVERDUE),)
        case AssessPhoto():
            return _assess(command, pack)
        case RejectPhoto():
            return (
                PhotoAssessed(command.sha256, (), ""),
                SearchClosed(Outcome.UNSUITABLE, command.reason),
            )
        case ChooseFace():
            return _choose_face(search, command, pack)
        case PrepareProbe():
            return _prepare(search, command, by, now)
        case RecordCandidates():
            return _record_candidates(search, command, now)
        case DropCandidate():
            return _drop(search, command)
        case RecordPosted():
            return (Posted(command.what, command.channel, command.ts),)
        case DrawExaminers():
            return (_draw(search, command, pack, now),)
        case OpenExamination():
            return foils.opened(search, by.id, pack, command.draw)
        case AnswerCandidate():
            return _answer(search, command, by)
        case HandBack():
            return _hand_back(search, command, by)
        case HandOver():
            return _hand_over(search, command, by)
        case Conclude():
            return _conclude(search, command, by, pack)
        case OpenContext():
            return leads.open_context(search, command, pack, now)
        case DecideLead():
            return leads.decide_lead(search, command, by, pack, now)
        case ReturnReview():
            return leads.return_review(search, command, by, now)
        case AppendNote():
            return leads.append_note(command, by, now)
        case GiveUp():
            return (SearchClosed(Outcome.ERROR, FAULT),)
        case Acknowledge():
            return (leads.acknowledged(search, by, pack, now),)
        case RecordEvidence():
            return leads.record_evidence(command, by, now)
        case RecordOutcome():
            return leads.record_outcome(search, command, by, now)
        case ExpireLead():
            return (LeadExpired(now),)
        case RecallLead():
            return leads.recall(command, by, now)
        case AcknowledgeRecall():
            return (RecallAcknowledged(by.id, now),) if search.recalled else (leads.NOT_RECALLED,)
        case Withdraw():
            return (SearchClosed(Outcome.WITHDRAWN, command.reason),)
        case _:
            assert_never(command)


def _request(command: RequestSearch, by: Actor, pack: Pack, now: datetime) -> Events:
    if refusal := intake.screen(command, pack, now):
        return (refusal,)
    terms = approval.terms(command, pack)
    requested = SearchRequested(
        by=by.id,
        at=now,
        pack=pack.id,
        purpose=command.purpose,
        case_number=intake.normalised(command.case_number),
        fields=intake.answers(command, pack),
        origin=command.origin,
        repositories=_exceptional(command, pack),
        approvers=terms.approvers,
        approval_due=None if terms.hours is None else now + timedelta(hours=terms.hours),
        case_known=command.case_known,
        case_number_typed=command.case_number,
    )
    return (requested, RequestHeld(terms.concerns)) if terms.held else (requested,)


def _exceptional(command: RequestSearch, pack: Pack) -> tuple[str, ...]:
    return tuple(one for one in command.repositories if one in pack.repositories.exceptional)


def _approve(search: Search, command: ApproveRequest, by: Actor, pack: Pack, now: datetime) -> Events:
    reason = command.reason.strip()
    if placeholders.is_no_reason(reason):
        return (leads.WITHOUT_REASON,)
    if not command.approve:
        return (RequestRejected(by.id, now, reason), *_after_rejection(search, reason))
    if (bans := approval.banned(search, pack)) and placeholders.is_placeholder(reason, pack.narrative_min_chars):
        return (_unanswered(bans[0], pack.narrative_min_chars),)
    return (RequestApproved(by.id, now, reason),)


def _unanswered(ban: Ban, least: int) -> Refused:
    """Words are hints only; that a use is not the banned one has to be said by somebody who answers for it."""
    hint = f"The request has words of a use that is never permitted. {ban.text}"
    return Refused(
        "answers-the-ban", f"{hint} Say in the reason why it is not that use, in {least} characters or more."
    )


def _after_rejection(search: Search, reason: str) -> Events:
    """What runs is stopped; what was found already is withheld for good."""
    match search.state:
        case State.LEAD:
            return (Quarantined(f"A supervisor did not approve the request. Nobody may use its result. {reason}"),)
        case State.CLOSED:
            return ()
        case _:
            return (SearchClosed(Outcome.REJECTED, f"The request was not approved. {reason}"),)


def _allow_repository(search: Search, command: AllowRepository, by: Actor, pack: Pack, now: datetime) -> Events:
    """In writing, by name and until a date, or not at all (M42)."""
    reason = command.reason.strip()
    if placeholders.is_no_reason(reason):
        return (leads.WITHOUT_REASON,)
    if command.allow:
        longest = pack.repositories.exception_days
        days = longest if command.days is None else command.days
        if not 1 <= days <= longest:
            return (Refused("permission-ends", f"Such a permission ends after {longest} days at most."),)
        return (RepositoryAllowed(by.id, now + timedelta(days=days), reason),)
    return (RequestRejected(by.id, now, reason), *_after_rejection(search, reason))


def _override(search: Search, command: OverrideQuality, by: Actor) -> Events:
    reason = command.reason.strip()
    if placeholders.is_no_reason(reason):
        return (leads.WITHOUT_REASON,)
    if command.proceed:
        return (QualityOverridden(by.id, reason),)
    return (SearchClosed(Outcome.UNSUITABLE, _unclear(_face(search))),)


def _declare_conflict(command: DeclareConflict, by: Actor) -> Events:
    reason = command.reason.strip()
    return (leads.WITHOUT_REASON,) if placeholders.is_no_reason(reason) else (ConflictDeclared(by.id, reason),)


def _assess(command: AssessPhoto, pack: Pack) -> Events:
    assessed = PhotoAssessed(command.sha256, command.faces, command.model)
    if why := evaluated.unmet(pack.evaluation, command.evaluation):
        return (assessed, SearchClosed(Outcome.REJECTED, f"{why} Nothing was searched. Tell your administrator."))
    match command.faces:
        case ():
            return (assessed, SearchClosed(Outcome.UNSUITABLE, NO_FACE))
        case (face,):
            return (assessed, *_take_face(face, pack))
        case _:
            return (assessed,)


def _choose_face(search: Search, command: ChooseFace, pack: Pack) -> Events:
    face = next((f for f in search.faces if f.index == command.index), None)
    if face is None:
        return (Refused("names-face", "There is no such face in this photograph."),)
    return _take_face(face, pack)


def _take_face(face: Face, pack: Pack) -> Events:
    """The quality floor of M8, applied before anything is searched."""
    taken = FaceChosen(face.index)
    if face.tier in pack.quality.accepted_tiers:
        return (taken,)
    if face.tier in pack.quality.override_tiers:
        return (taken, QualityHeld(face.index, face.reasons))
    return (taken, SearchClosed(Outcome.UNSUITABLE, _unclear(face)))


def _same(made: Preparation, command: PrepareProbe) -> bool:
    return (made.operation, made.before_sha256, made.after_sha256) == (
        command.operation,
        command.before_sha256,
        command.after_sha256,
    )


def searched_copy(search: Search) -> str:
    """The SHA-256 of what is searched: the latest copy, or the original where none was made."""
    return search.preparations[-1].after_sha256 if search.preparations else search.photo_sha256


def _prepare(search: Search, command: PrepareProbe, by: Actor, now: datetime) -> Events:
    """One more copy in the lineage; each begins where the one before it ended (M10)."""
    operation = command.operation
    if why := preparation.out_of_range(operation):
        return (Refused("operation-fits", f"{why} Nothing was changed."),)
    if command.before_sha256 != searched_copy(search):
        return (Refused("prepares-the-latest", "The copy was changed meanwhile. Look at the latest one first."),)
    if isinstance(operation, preparation.Original):
        back = command.after_sha256 == search.photo_sha256
        return (_prepared(command, by, now),) if back else (Refused("original-probe", "That is not the original."),)
    unmasked = len(search.faces) > 1 and command.before_sha256 == search.photo_sha256
    if unmasked != isinstance(operation, preparation.Mask):
        return (Refused("masks-first", "Where there are several faces, the others are masked first, and once."),)
    if isinstance(operation, preparation.Mask) and operation.keep != search.face:
        return (Refused("masks-first", "The requester chose another face; that one stays."),)
    if command.faces != 1:
        return (Refused("one-face", "After that, the face would no longer be found. Nothing was changed."),)
    return (_prepared(command, by, now),)


def _prepared(command: PrepareProbe, by: Actor, now: datetime) -> ProbePrepared:
    return ProbePrepared(by.id, now, command.operation, command.before_sha256, command.after_sha256)


def _unclear(face: Face) -> str:
    why = ", ".join(face.reasons) or "quality"
    return f"The face is not clear enough to be compared ({why}). Nothing was searched. A better picture may help."


def _face(search: Search) -> Face:
    return next(face for face in search.faces if face.index == search.face)


def _record_candidates(search: Search, command: RecordCandidates, now: datetime) -> Events:
    if search.allowed_until and now >= search.allowed_until:
        return (SearchClosed(Outcome.REJECTED, PERMISSION_OVER),)
    run = SearchRun(command.candidates, command.evidence)
    if command.candidates:
        return (run,)
    return (run, SearchClosed(Outcome.NO_POSSIBLE_MATCH, NOBODY))


def _drop(search: Search, command: DropCandidate) -> Events:
    dropped = CandidateDropped(command.label)
    if evolve(search, dropped).candidates:
        return (dropped,)
    return (dropped, SearchClosed(Outcome.NO_POSSIBLE_MATCH, NOBODY))


def _answer(search: Search, command: AnswerCandidate, by: Actor) -> Events:
    if command.label not in foils.shown_to(search, by.id):
        return (Refused("names-candidate", "That candidate is not among those of this search."),)
    return (CandidateAnswered(by.id, command.label, outward(command.support), command.support),)


NOT_BEGUN = Refused("begun-first", "You have not begun this examination, so there is nothing to give back.")
NOT_TO_THEM = Refused(
    "hands-to-another",
    "That person may not examine this one: they asked for it, approved it, examined it already or stand aside from it.",
)


def _hand_back(search: Search, command: HandBack, by: Actor) -> Events:
    reason = command.reason.strip()
    if placeholders.is_no_reason(reason):
        return (leads.WITHOUT_REASON,)
    begun = examination(search, by.id) is not None or by.id in search.asked
    return (HandedBack(by.id, reason),) if begun else (NOT_BEGUN,)


def _draw(search: Search, command: DrawExaminers, pack: Pack, now: datetime) -> ExaminersDrawn:
    eligible = [e for e in command.eligible if not bars_of_an_examiner(search, e.person)]
    return seats.drawn(search, eligible, command.draw, pack, now)


def _hand_over(search: Search, command: HandOver, by: Actor) -> Events:
    """Independence is not for a supervisor to give away (M20)."""
    reason = command.reason.strip()
    if placeholders.is_no_reason(reason):
        return (leads.WITHOUT_REASON,)
    if bars_of_an_examiner(search, command.to):
        return (NOT_TO_THEM,)
    return (HandedOver(by.id, command.to, reason),)


def _conclude(search: Search, command: Conclude, by: Actor, pack: Pack) -> Events:
    if refusal := wanting(search, command, by, pack):
        return (refusal,)
    concluded = ExaminationConcluded(
        by.id,
        command.conclusion,
        command.candidate,
        command.differences.strip(),
        command.probe_sha256,
        command.components if command.candidate else {},
    )
    return (concluded, *_after_opinions(evolve(search, concluded), pack))


def wanting(search: Search, command: Conclude, by: Actor, pack: Pack) -> Refused | None:
    """What keeps an opinion from being locked; the comparison is asked for once everything else is right."""
    shown = foils.seen_by(search, by.id)
    return _conclusion_fits(shown, command, examination(search, by.id)) or _compared(command, pack)


def _conclusion_fits(search: Search, command: Conclude, mine: Examination | None) -> Refused | None:
    answers: Mapping[Label, Answer] = mine.answers if mine else {}
    if missing := sorted(c.label for c in search.candidates if c.label not in answers):  # never by rank (M17)
        return Refused("answers-all", f"Every candidate needs an answer first. Still open: {', '.join(missing)}.")
    if command.probe_sha256 != search.photo_sha256:
        return Refused("original-probe", "The comparison must be made against the photograph as it was received.")
    if command.conclusion is not Conclusion.POSSIBLE_MATCH:
        return Refused("names-none", "Only a possible match names a candidate.") if command.candidate else None
    if command.candidate is None or answers.get(command.candidate) is not Answer.POSSIBLE:
        return Refused("names-candidate", "A possible match names one candidate whom you answered as possible.")
    if word := wording.claim(command.differences):
        return Refused("sober-words", f"“{word}” says more than a comparison can: write what you see.")
    return Refused("differences-considered", WITHOUT_DIFFERENCE) if differences.says_none(command.differences) else None


WITHOUT_DIFFERENCE = (
    "Say in a few words what differs between the two photographs, and why that does not exclude. No two "
    "photographs of one person are alike."
)


NOTHING_SIMILAR = Refused(
    "something-similar",
    "A possible match rests on what is similar, and your comparison found nothing that is. Answer the candidate "
    "anew, or look at the components again.",
)


def _compared(command: Conclude, pack: Pack) -> Refused | None:
    """Nobody is named before each component of the face was compared, as the pack says (M18)."""
    if command.candidate is None or not pack.review.checklist:
        return None
    missing = [component for component in Component if component not in command.components]
    if not missing:
        return None if speaks_for_one(command.components) else NOTHING_SIMILAR
    still = "" if len(missing) == len(Component) else f" Still open: {', '.join(missing)}."
    return Refused("compares-components", f"Compare candidate {command.candidate} component by component first.{still}")


def _after_opinions(search: Search, pack: Pack) -> Events:
    """Nothing until enough opinions are locked; then agreement, disagreement, or no lead; never by rank (M21)."""
    opinions = [e for e in search.examinations if e.conclusion is not None]
    needed = pack.review.examiners + len(search.returned)
    if len(opinions) < needed:
        return ()
    picks = [e.candidate for e in opinions if e.candidate is not None]
    agreed = {pick for pick in picks if picks.count(pick) >= needed}
    if agreed:
        return (ExaminersAgreed(agreed.pop()),)
    if picks and pack.review.disagreement == "arbiter" and search.state is not State.DISAGREED:
        return (ExaminersDisagreed(),)
    reason = "The examiners did not agree on a candidate." if picks else "No candidate stood up to comparison."
    return (SearchClosed(Outcome.NO_POSSIBLE_MATCH, reason),)
