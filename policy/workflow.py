"""Who may do what, when: `decide` turns a command into events, `evolve` folds an event into the search.

Both are pure. `decide` never raises for what a person did: a refusal is a value, because raising would roll back
its record.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from policy import intake
from policy.model import (
    Acknowledge,
    Actor,
    Answer,
    AnswerCandidate,
    AssessPhoto,
    CandidateAnswered,
    CandidateDropped,
    ChooseFace,
    Command,
    Conclude,
    Conclusion,
    DecideLead,
    DropCandidate,
    Event,
    Examination,
    ExaminationConcluded,
    ExaminersAgreed,
    ExaminersDisagreed,
    Face,
    FaceChosen,
    Label,
    LeadAcknowledged,
    LeadDecided,
    LeadIssued,
    Outcome,
    PersonId,
    PhotoAssessed,
    Post,
    Posted,
    RecordCandidates,
    RecordPosted,
    Refused,
    RejectPhoto,
    RequestSearch,
    Role,
    Search,
    SearchClosed,
    SearchRequested,
    SearchRun,
    State,
    Withdraw,
)
from policy.pack import Pack

Events = tuple[Event, ...]

ROLE_OF: Mapping[type, Role] = {
    RequestSearch: Role.REQUESTER,
    ChooseFace: Role.REQUESTER,
    Acknowledge: Role.REQUESTER,
    Withdraw: Role.REQUESTER,
    AnswerCandidate: Role.EXAMINER,
    Conclude: Role.EXAMINER,
    DecideLead: Role.SUPERVISOR,
    AssessPhoto: Role.SYSTEM,
    RejectPhoto: Role.SYSTEM,
    RecordCandidates: Role.SYSTEM,
    DropCandidate: Role.SYSTEM,
    RecordPosted: Role.SYSTEM,
}

STATES_OF: Mapping[type, frozenset[State]] = {
    RequestSearch: frozenset({State.NEW}),
    AssessPhoto: frozenset({State.REQUESTED}),
    RejectPhoto: frozenset({State.REQUESTED}),
    ChooseFace: frozenset({State.FACE_NEEDED}),
    RecordCandidates: frozenset({State.ASSESSED}),
    DropCandidate: frozenset({State.SEARCHED}),
    RecordPosted: frozenset(State) - {State.NEW},
    AnswerCandidate: frozenset({State.IN_REVIEW, State.DISAGREED}),
    Conclude: frozenset({State.IN_REVIEW, State.DISAGREED}),
    DecideLead: frozenset({State.AGREED}),
    Acknowledge: frozenset({State.LEAD}),
    Withdraw: frozenset({State.REQUESTED, State.FACE_NEEDED, State.ASSESSED, State.SEARCHED, State.IN_REVIEW}),
}

OWN: frozenset[type] = frozenset({ChooseFace, Acknowledge, Withdraw})  # only whoever requested the search
CERTIFIED: frozenset[Role] = frozenset({Role.REQUESTER, Role.EXAMINER, Role.SUPERVISOR})

NO_FACE = (
    "No face was found in the photograph. Nothing was searched. "
    "A picture in which the face is larger and sharper may help."
)
NOBODY = "The gallery holds nobody who may be searched for this purpose."


def decide(search: Search, command: Command, by: Actor, pack: Pack, now: datetime) -> Events:
    """What follows from `command`: events, or one `Refused`, or nothing where it was done before."""
    if _done_before(search, command, by):
        return ()
    refusal = may(search, command, by, pack, now)
    return (refusal,) if refusal else _do(search, command, by, pack, now)


def may(search: Search, command: Command, by: Actor, pack: Pack, now: datetime) -> Refused | None:
    """The refusal that role, certification, relation and state demand; None where the command may be tried."""
    role = ROLE_OF[type(command)]
    if role not in by.roles:
        return Refused("has-role", f"This is for people with the role {role}; you do not have it.")
    if role in CERTIFIED and not certified(by, pack, now):
        return Refused("is-certified", "Your certification is missing or has run out. Ask your supervisor to renew it.")
    if refusal := _related(search, command, by):
        return refusal
    if search.state not in STATES_OF[type(command)]:
        return Refused("fits-state", STATE_IN_WORDS[search.state])
    return None


def certified(by: Actor, pack: Pack, now: datetime) -> bool:
    return not pack.certification.required or (by.certified_until is not None and by.certified_until > now)


STATE_IN_WORDS: Mapping[State, str] = {
    State.NEW: "There is no request for this photograph yet.",
    State.REQUESTED: "The photograph is still being read. Nothing is needed from you now.",
    State.FACE_NEEDED: "The requester still has to say which face is meant.",
    State.ASSESSED: "The search is running. Nothing is needed from you now.",
    State.SEARCHED: "The review is being opened. Nothing is needed from you now.",
    State.IN_REVIEW: "The examiners are comparing. Nothing else is possible now.",
    State.DISAGREED: "The examiners differ and an arbiter is comparing. Nothing else is possible now.",
    State.AGREED: "The examination is over and a supervisor is deciding. Nothing can be added to it.",
    State.LEAD: "A lead was issued already. Nothing was changed.",
    State.CLOSED: "This search is closed already. Nothing was changed.",
}


def _related(search: Search, command: Command, by: Actor) -> Refused | None:
    """Separation of duty: own requests, own examinations (M20, M23)."""
    if type(command) in OWN and search.requested_by != by.id:
        return Refused("own-request", "Only the person who requested this search may do that.")
    if isinstance(command, AnswerCandidate | Conclude | DecideLead) and search.requested_by == by.id:
        return Refused("reviews-not-own", "The person who asked may not review the answer.")
    if isinstance(command, DecideLead) and by.id in examiners(search):
        return Refused("decides-not-own", "A supervisor who examined the candidates may not decide on them.")
    if isinstance(command, AnswerCandidate | Conclude) and _concluded(search, by.id):
        return Refused("opinion-locked", "Your opinion is locked. It can no longer be changed.")
    return None


def examiners(search: Search) -> tuple[PersonId, ...]:
    """Those whose opinion is locked, in the order in which they locked it."""
    return tuple(e.examiner for e in search.examinations if e.conclusion is not None)


def _concluded(search: Search, person: PersonId) -> bool:
    return person in examiners(search)


def _done_before(search: Search, command: Command, by: Actor) -> bool:
    """A button pressed twice, a form sent twice, a job run twice: nothing is done twice and nobody is scolded."""
    match command:
        case RequestSearch():
            return search.requested_by == by.id and (search.purpose, search.case_number, search.fields) == (
                command.purpose,
                intake.normalised(command.case_number),
                intake.cleaned(command.fields),
            )
        case AssessPhoto() | RejectPhoto():
            return search.photo_sha256 == command.sha256
        case ChooseFace():
            return search.face == command.index and search.requested_by == by.id
        case RecordCandidates():
            return bool(search.evidence)
        case DropCandidate():
            return bool(search.evidence) and command.label not in {c.label for c in search.candidates}
        case RecordPosted():
            return command.what in search.posts
        case AnswerCandidate():
            mine = examination(search, by.id)
            return mine is not None and mine.conclusion is None and mine.answers.get(command.label) == command.answer
        case Conclude():
            mine = examination(search, by.id)
            return mine is not None and (mine.conclusion, mine.candidate) == (command.conclusion, command.candidate)
        case DecideLead():
            return search.decided_by == by.id and command.approve == (search.lead is not None)
        case Acknowledge():
            return search.acknowledged_at is not None and search.requested_by == by.id
        case Withdraw():
            return search.outcome is Outcome.WITHDRAWN and search.requested_by == by.id
        case _:
            assert_never(command)


def examination(search: Search, person: PersonId) -> Examination | None:
    return next((e for e in search.examinations if e.examiner == person), None)


def _do(search: Search, command: Command, by: Actor, pack: Pack, now: datetime) -> Events:
    match command:
        case RequestSearch():
            return _request(command, by, pack, now)
        case AssessPhoto():
            return _assess(command, pack)
        case RejectPhoto():
            return (
                PhotoAssessed(command.sha256, (), ""),
                SearchClosed(Outcome.UNSUITABLE, command.reason),
            )
        case ChooseFace():
            return _choose_face(search, command, pack)
        case RecordCandidates():
            return _record_candidates(command)
        case DropCandidate():
            return _drop(search, command)
        case RecordPosted():
            return (Posted(command.what, command.channel, command.ts),)
        case AnswerCandidate():
            return _answer(search, command, by)
        case Conclude():
            return _conclude(search, command, by, pack)
        case DecideLead():
            return _decide_lead(search, command, by)
        case Acknowledge():
            return (LeadAcknowledged(by.id, now),)
        case Withdraw():
            return (SearchClosed(Outcome.WITHDRAWN, command.reason),)
        case _:
            assert_never(command)


def _request(command: RequestSearch, by: Actor, pack: Pack, now: datetime) -> Events:
    if refusal := intake.screen(command, pack):
        return (refusal,)
    return (
        SearchRequested(
            by=by.id,
            at=now,
            pack=pack.id,
            purpose=command.purpose,
            case_number=intake.normalised(command.case_number),
            fields=intake.cleaned(command.fields),
            origin=command.origin,
        ),
    )


def _assess(command: AssessPhoto, pack: Pack) -> Events:
    assessed = PhotoAssessed(command.sha256, command.faces, command.model)
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
    if face.tier in pack.quality.accepted_tiers:
        return (FaceChosen(face.index),)
    why = ", ".join(face.reasons) or "quality"
    reason = f"The face is not clear enough to be compared ({why}). Nothing was searched. A better picture may help."
    return (FaceChosen(face.index), SearchClosed(Outcome.UNSUITABLE, reason))


def _record_candidates(command: RecordCandidates) -> Events:
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
    if command.label not in {candidate.label for candidate in search.candidates}:
        return (Refused("names-candidate", "That candidate is not among those of this search."),)
    return (CandidateAnswered(by.id, command.label, command.answer),)


def _conclude(search: Search, command: Conclude, by: Actor, pack: Pack) -> Events:
    if refusal := _conclusion_fits(search, command, examination(search, by.id)):
        return (refusal,)
    concluded = ExaminationConcluded(
        by.id, command.conclusion, command.candidate, command.differences.strip(), command.probe_sha256
    )
    return (concluded, *_after_opinions(evolve(search, concluded), pack))


def _conclusion_fits(search: Search, command: Conclude, mine: Examination | None) -> Refused | None:
    answers: Mapping[Label, Answer] = mine.answers if mine else {}
    if missing := [c.label for c in search.candidates if c.label not in answers]:
        return Refused("answers-all", f"Every candidate needs an answer first. Still open: {', '.join(missing)}.")
    if command.probe_sha256 != search.photo_sha256:
        return Refused("original-probe", "The comparison must be made against the photograph as it was received (M19).")
    if command.conclusion is not Conclusion.POSSIBLE_MATCH:
        return Refused("names-none", "Only a possible match names a candidate.") if command.candidate else None
    if command.candidate is None or answers.get(command.candidate) is not Answer.POSSIBLE:
        return Refused("names-candidate", "A possible match names one candidate whom you answered as possible.")
    if not command.differences.strip():
        return Refused("differences-considered", "Name at least one difference that you considered (M18).")
    return None


def _after_opinions(search: Search, pack: Pack) -> Events:
    """Nothing until enough opinions are locked; then agreement, disagreement, or no lead; never by rank (M21)."""
    opinions = [e for e in search.examinations if e.conclusion is not None]
    if len(opinions) < pack.review.examiners:
        return ()
    picks = [e.candidate for e in opinions if e.conclusion is Conclusion.POSSIBLE_MATCH and e.candidate]
    agreed = {pick for pick in picks if picks.count(pick) >= pack.review.examiners}
    if agreed:
        return _agreed(search, agreed.pop(), pack)
    if picks and pack.review.disagreement == "arbiter" and search.state is not State.DISAGREED:
        return (ExaminersDisagreed(),)
    reason = "The examiners did not agree on a candidate." if picks else "No candidate stood up to comparison."
    return (SearchClosed(Outcome.NO_POSSIBLE_MATCH, reason),)


def _agreed(search: Search, candidate: str, pack: Pack) -> Events:
    label = next(c.label for c in search.candidates if c.label == candidate)
    agreed = ExaminersAgreed(label)
    if pack.review.supervisor_decides:
        return (agreed,)
    return (agreed, LeadIssued(label, _supporters(search, label)))


def _supporters(search: Search, label: str) -> tuple[PersonId, ...]:
    return tuple(e.examiner for e in search.examinations if e.conclusion and e.candidate == label)


def _decide_lead(search: Search, command: DecideLead, by: Actor) -> Events:
    reason = command.reason.strip()
    if not reason:
        return (Refused("decides-with-reason", "A decision needs a reason in writing (M23)."),)
    decided = LeadDecided(by.id, command.approve, reason)
    if not command.approve:
        return (decided, SearchClosed(Outcome.NO_POSSIBLE_MATCH, "The supervisor did not approve a lead."))
    label = search.lead
    assert label is not None, "agreed without a candidate"
    return (decided, LeadIssued(label, _supporters(search, label)))


# --- folding --------------------------------------------------------------------------------------------------------


def evolve(search: Search, event: Event) -> Search:
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
                fields=event.fields,
                origin=event.origin,
            )
        case PhotoAssessed():
            state = State.FACE_NEEDED if len(event.faces) > 1 else search.state
            return replace(search, state=state, photo_sha256=event.sha256, faces=event.faces)
        case FaceChosen():
            return replace(search, state=State.ASSESSED, face=event.index)
        case SearchRun():
            return replace(search, state=State.SEARCHED, candidates=event.candidates, evidence=event.evidence)
        case CandidateDropped():
            return replace(search, candidates=tuple(c for c in search.candidates if c.label != event.label))
        case Posted():
            return _posted(search, event)
        case CandidateAnswered() | ExaminationConcluded():
            return _with_examination(search, event)
        case ExaminersAgreed():
            return replace(search, state=State.AGREED, lead=event.candidate)
        case ExaminersDisagreed():
            return replace(search, state=State.DISAGREED)
        case LeadDecided():
            return replace(search, decided_by=event.by)
        case LeadIssued():
            return replace(search, state=State.LEAD, lead=event.candidate, outcome=Outcome.POSSIBLE_MATCH)
        case SearchClosed():
            return replace(search, state=State.CLOSED, outcome=event.outcome, reason=event.reason, lead=None)
        case LeadAcknowledged():
            return replace(search, acknowledged_at=event.at)
        case Refused():
            return search
        case _:
            assert_never(event)


def _posted(search: Search, event: Posted) -> Search:
    posts = {**search.posts, event.what.value: f"{event.channel} {event.ts}"}
    opened = event.what is Post.REVIEW and search.state is State.SEARCHED
    return replace(search, posts=posts, state=State.IN_REVIEW if opened else search.state)


def _with_examination(search: Search, event: CandidateAnswered | ExaminationConcluded) -> Search:
    mine = examination(search, event.by) or Examination(event.by)
    others = tuple(e for e in search.examinations if e.examiner != event.by)
    match event:
        case CandidateAnswered():
            mine = replace(mine, answers={**mine.answers, event.label: event.answer})
        case ExaminationConcluded():
            mine = replace(
                mine,
                conclusion=event.conclusion,
                candidate=event.candidate,
                differences=event.differences,
                probe_sha256=event.probe_sha256,
            )
    return replace(search, examinations=(*others, mine))
