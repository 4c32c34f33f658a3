"""Authorisation in one place: which command may be given by whom, in which state. Nowhere else is it decided.

The table in policy/README.md is generated from `AUTHORITY`, and a test tries every command in every state with every
role and relation against a list of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from policy import aftermath, seats
from policy.model import (
    Acknowledge,
    AcknowledgeRecall,
    Actor,
    AllowRepository,
    AnswerCandidate,
    AppendNote,
    ApproveRequest,
    AssessPhoto,
    ChooseFace,
    Command,
    Conclude,
    DecideLead,
    DeclareConflict,
    DrawExaminers,
    DropCandidate,
    Examination,
    ExpireLead,
    GiveUp,
    HandBack,
    HandOver,
    InjectKnownAnswer,
    OpenContext,
    OpenExamination,
    OverrideQuality,
    PersonId,
    PrepareProbe,
    Quarantine,
    RecallLead,
    RecordCandidates,
    RecordEvidence,
    RecordOutcome,
    RecordPosted,
    Refused,
    RejectPhoto,
    RequestSearch,
    ReturnReview,
    Role,
    Search,
    State,
    Withdraw,
)
from policy.pack import Pack


def examination(search: Search, person: PersonId) -> Examination | None:
    return next((e for e in search.examinations if e.examiner == person), None)


def examiners(search: Search) -> tuple[PersonId, ...]:
    """Those whose opinion is locked, in the order in which they locked it."""
    return tuple(e.examiner for e in search.examinations if e.conclusion is not None)


def approvers(search: Search) -> tuple[PersonId, ...]:
    return tuple(approval.by for approval in search.approvals)


def approved(search: Search) -> bool:
    """As many people approved it as have to, and nobody who had to refused."""
    return len(search.approvals) >= search.approvers and search.refused_by is None


def approval_open(search: Search) -> bool:
    """Whether somebody still has to approve or to reject: a held request, or an emergency that owes it."""
    return not approved(search) and search.refused_by is None


def asked_of_somebody(search: Search) -> bool:
    """Whether somebody's decision on the request, its photographs or its image is still waited for."""
    if search.outcome is not None and search.approval_due is None:
        return False
    return search.state in {State.HELD, State.QUALITY_HELD} or (search.approvers > 0 and approval_open(search))


def withheld(search: Search, now: datetime) -> str:
    """Why nobody may see or use the result; empty where they may (M27, M28, M41). Deadlines hold without any timer."""
    if search.recalled:
        return f"{aftermath.RECALLED} {search.recalled}"
    if search.quarantined:
        return search.quarantined
    if overdue(search, now):
        return OVERDUE
    return aftermath.EXPIRED if expired(search, now) else ""


def overdue(search: Search, now: datetime) -> bool:
    """Whether an emergency's approval is owed and late (M41)."""
    return search.approval_due is not None and now >= search.approval_due and not approved(search)


def expired(search: Search, now: datetime) -> bool:
    """Whether the lead's time is over and was over before anybody recorded what became of it (M28)."""
    due = search.expires_at is not None and now >= search.expires_at and search.aftermath is None
    return due or search.expired_at is not None


OVERDUE = (
    "This search ran as an emergency and was not approved in time. Its result is quarantined: nobody may see or use it "
    "until a supervisor approves the request."
)


def searchable(search: Search, pack: Pack, now: datetime) -> tuple[str, ...]:
    """The classes of photographs that this search may reach now, those an executive allowed among them."""
    allowed = search.allowed_until is not None and now < search.allowed_until
    return (*pack.repositories.permitted, *(search.repositories if allowed else ()))


def _saw_candidates(search: Search, person: PersonId) -> bool:
    """Whether they examined, or began to and gave it back."""
    return examination(search, person) is not None or person in search.handed_back


@dataclass(frozen=True, slots=True)
class Bar:
    """What keeps somebody from a command although role and state would let them."""

    rule: str
    who: str  # for the table: "not by …" or "only by …"
    reason: str
    stands: Callable[[Search, PersonId], bool]


OWN = Bar(
    "own-request",
    "only the requester of this search",
    "Only the person who requested this search may do that.",
    lambda search, person: search.requested_by != person,
)
NOT_OWN = Bar(
    "reviews-not-own",
    "not the requester",
    "The person who asked may not review the answer.",
    lambda search, person: search.requested_by == person,
)
APPROVES_NOT_OWN = Bar(
    "approves-not-own",
    "not the requester",
    "The person who asked may not approve it.",
    lambda search, person: search.requested_by == person,
)
NO_CONFLICT = Bar(
    "no-conflict",
    "nobody who declared a conflict of interest",
    "You declared a conflict of interest in this search and stand aside from it.",
    lambda search, person: person in search.conflicted,
)
EXAMINES_NOT_APPROVED = Bar(
    "examines-not-approved",
    "nobody who approved the request, its photograph or further photographs",
    "You know what the request says, having approved it; the examination is for somebody who does not.",
    lambda search, person: person in {*approvers(search), search.overridden_by, search.allowed_by},
)
EXAMINES_NOT_RETURNED = Bar(
    "examines-not-returned",
    "nobody who sent the review back",
    "You saw the opinions and the record when you sent this review back; one more is for somebody who did not.",
    lambda search, person: person in search.returned,
)
APPROVES_NOT_ALLOWED = Bar(
    "approves-not-allowed",
    "nobody who allowed further photographs",
    "You allowed the further photographs of this search; the request is for somebody else to approve.",
    lambda search, person: search.allowed_by == person,
)
ALLOWS_NOT_APPROVED = Bar(
    "allows-not-approved",
    "nobody who approved the request",
    "You approved this request; its further photographs are for somebody else to allow.",
    lambda search, person: person in approvers(search),
)
APPROVES_NOT_EXAMINED = Bar(
    "approves-not-examined",
    "nobody who examined",
    "You examined the candidates of this search; its approval is for somebody else.",
    _saw_candidates,
)
DECIDES_NOT_EXAMINED = Bar(
    "decides-not-own",
    "nobody who examined",
    "A supervisor who examined the candidates may not decide on them.",
    _saw_candidates,
)
UNLOCKED = Bar(
    "opinion-locked",
    "nobody whose opinion is locked",
    "Your opinion is locked. It can no longer be changed.",
    lambda search, person: person in examiners(search),
)
LOCKED = Bar(
    "adds-to-own",
    "only whoever's opinion is locked",
    "Only an examiner whose opinion is locked adds to it.",
    lambda search, person: person not in examiners(search),
)
APPROVAL_OWED = Bar(
    "approval-owed",
    "only while an approval is owed",
    "No approval is needed from you: nobody waits for one.",
    lambda search, person: not approval_open(search) or person in approvers(search),
)
ACKNOWLEDGED = Bar(
    "acknowledged-first",
    "only after the acknowledgement",
    "The lead has to be acknowledged first.",
    lambda search, _: search.acknowledged_at is None,
)
EXCEPTION_ASKED = Bar(
    "exception-asked",
    "only where an exceptional class was asked for",
    "This search does not ask for photographs that an executive would have to allow.",
    lambda search, _: not search.repositories or search.allowed_until is not None,
)


@dataclass(frozen=True, slots=True)
class Authority:
    """Who may give a command, and when. The bars are tried in order."""

    roles: frozenset[Role]
    states: frozenset[State]
    bars: tuple[Bar, ...] = ()
    certified: bool = True  # whoever gives it needs a certification that has not run out (M40)
    shows_result: bool = False  # not while the result is quarantined
    seat: bool = False  # not while the seats are kept for others, who were drawn by lot


def _by(*roles: Role) -> frozenset[Role]:
    return frozenset(roles)


def _in(*states: State) -> frozenset[State]:
    return frozenset(states)


S = State
BEFORE_THE_DECISION = _in(S.HELD, S.REQUESTED, S.FACE_NEEDED, S.QUALITY_HELD, S.ASSESSED, S.SEARCHED, S.IN_REVIEW)
REQUESTER, EXAMINER, SUPERVISOR = _by(Role.REQUESTER), _by(Role.EXAMINER), _by(Role.SUPERVISOR)
SYSTEM = _by(Role.SYSTEM)
OF_AN_EXAMINER = (NOT_OWN, NO_CONFLICT, EXAMINES_NOT_APPROVED, EXAMINES_NOT_RETURNED, UNLOCKED)


def _system(*states: State) -> Authority:
    return Authority(SYSTEM, _in(*states), certified=False)


AUTHORITY: Mapping[type[Command], Authority] = {
    RequestSearch: Authority(REQUESTER, _in(S.NEW)),
    InjectKnownAnswer: _system(S.NEW),
    ApproveRequest: Authority(
        SUPERVISOR,
        frozenset(S) - {S.NEW},
        (APPROVES_NOT_OWN, NO_CONFLICT, APPROVES_NOT_EXAMINED, APPROVES_NOT_ALLOWED, APPROVAL_OWED),
    ),
    AllowRepository: Authority(
        _by(Role.EXECUTIVE), _in(S.HELD), (APPROVES_NOT_OWN, NO_CONFLICT, ALLOWS_NOT_APPROVED, EXCEPTION_ASKED)
    ),
    AssessPhoto: _system(S.REQUESTED),
    RejectPhoto: _system(S.REQUESTED),
    ChooseFace: Authority(REQUESTER, _in(S.FACE_NEEDED), (OWN,)),
    PrepareProbe: Authority(EXAMINER, _in(S.QUALITY_HELD), (NOT_OWN, NO_CONFLICT)),
    OverrideQuality: Authority(SUPERVISOR, _in(S.QUALITY_HELD), (APPROVES_NOT_OWN, NO_CONFLICT)),
    RecordCandidates: _system(S.ASSESSED),
    DropCandidate: _system(S.SEARCHED),
    RecordPosted: _system(*(frozenset(S) - {S.NEW})),
    DrawExaminers: _system(S.SEARCHED, S.IN_REVIEW, S.DISAGREED),
    OpenExamination: Authority(EXAMINER, _in(S.IN_REVIEW, S.DISAGREED), OF_AN_EXAMINER, seat=True),
    AnswerCandidate: Authority(EXAMINER, _in(S.IN_REVIEW, S.DISAGREED), OF_AN_EXAMINER, seat=True),
    HandBack: Authority(EXAMINER, _in(S.IN_REVIEW, S.DISAGREED), (NOT_OWN, UNLOCKED), certified=False),
    HandOver: Authority(SUPERVISOR, _in(S.IN_REVIEW, S.DISAGREED), (NOT_OWN, NO_CONFLICT), certified=False),
    Conclude: Authority(EXAMINER, _in(S.IN_REVIEW, S.DISAGREED), OF_AN_EXAMINER, seat=True),
    OpenContext: _system(S.AGREED),
    DecideLead: Authority(SUPERVISOR, _in(S.AGREED), (NOT_OWN, NO_CONFLICT, DECIDES_NOT_EXAMINED), shows_result=True),
    ReturnReview: Authority(SUPERVISOR, _in(S.AGREED), (NOT_OWN, NO_CONFLICT, DECIDES_NOT_EXAMINED), shows_result=True),
    AppendNote: Authority(
        EXAMINER, _in(S.IN_REVIEW, S.DISAGREED, S.AGREED, S.LEAD, S.CLOSED), (LOCKED,), certified=False
    ),
    GiveUp: _system(S.REQUESTED, S.ASSESSED, S.SEARCHED, S.AGREED),
    DeclareConflict: Authority(
        _by(Role.EXAMINER, Role.SUPERVISOR, Role.EXECUTIVE),
        frozenset(S) - {S.NEW, S.LEAD, S.CLOSED},
        (UNLOCKED,),
        certified=False,
    ),
    Acknowledge: Authority(REQUESTER, _in(S.LEAD), (OWN,), shows_result=True),
    RecordEvidence: Authority(REQUESTER, _in(S.LEAD), (OWN, ACKNOWLEDGED), certified=False),
    RecordOutcome: Authority(REQUESTER, _in(S.LEAD), (OWN, ACKNOWLEDGED), certified=False),
    ExpireLead: _system(S.LEAD),
    RecallLead: Authority(_by(Role.SUPERVISOR, Role.SYSTEM), _in(S.LEAD), certified=False),
    AcknowledgeRecall: Authority(REQUESTER, _in(S.LEAD), (OWN,), certified=False),
    Withdraw: Authority(REQUESTER, BEFORE_THE_DECISION, (OWN,), certified=False),
    Quarantine: _system(*(frozenset(S) - {S.NEW, S.HELD})),
}


def may(search: Search, command: Command, by: Actor, pack: Pack, now: datetime) -> Refused | None:
    """The refusal that standing, role, certification, relation and state demand; None where it may be tried."""
    authority = AUTHORITY[type(command)]
    if by.barred:
        return Refused("full-member", by.barred)
    if not authority.roles & by.roles:
        roles = " or ".join(sorted(authority.roles))
        return Refused("has-role", f"This is for people with the role {roles}; you do not have it.")
    if authority.certified and not certified(by, pack, now):
        return Refused("is-certified", "Your certification is missing or has run out. Ask your supervisor to renew it.")
    if search.state is not State.NEW and search.pack != pack.id:
        return Refused("own-pack", f"This search was requested under {search.pack} and is decided under nothing else.")
    if bar := next((bar for bar in authority.bars if bar.stands(search, by.id)), None):
        return Refused(bar.rule, bar.reason)
    if search.state not in authority.states:
        return Refused("fits-state", STATE_IN_WORDS[search.state])
    if authority.shows_result and (why := withheld(search, now)):
        return Refused("quarantined", why)
    return SEAT_KEPT if authority.seat and seats.closed_to(search, by.id, pack, now) else None


SEAT_KEPT = Refused(
    "drawn-by-lot",
    "Other examiners were drawn by lot for this one, so there is nothing for you to do. Should it wait too long, or "
    "one of them give it back, it may become yours.",
)


def may_examine(search: Search, by: Actor, pack: Pack, now: datetime) -> bool:
    """Whether a supervisor may hand it to `by`: certified, and apart from the request and from those opinions (M20)."""
    return certified(by, pack, now) and not bars_of_an_examiner(search, by.id)


def bars_of_an_examiner(search: Search, person: PersonId) -> tuple[Bar, ...]:
    """What keeps this person from examining, whatever roles they hold."""
    return tuple(bar for bar in OF_AN_EXAMINER if bar.stands(search, person))


def stoppable(search: Search) -> bool:
    """Whether whoever asked may still withdraw it."""
    return search.state in AUTHORITY[Withdraw].states


def certified(by: Actor, pack: Pack, now: datetime) -> bool:
    return not pack.certification.required or (by.certified_until is not None and by.certified_until > now)


STATE_IN_WORDS: Mapping[State, str] = {
    State.NEW: "There is no request for this photograph yet.",
    State.HELD: "The request waits for approval. Nothing is searched before that.",
    State.REQUESTED: "The photograph is still being read. Nothing is needed from you now.",
    State.FACE_NEEDED: "The requester still has to say which face is meant.",
    State.QUALITY_HELD: "The photograph is below the quality floor and waits for a supervisor. Nothing is searched.",
    State.ASSESSED: "The search is running. Nothing is needed from you now.",
    State.SEARCHED: "The review is being opened. Nothing is needed from you now.",
    State.IN_REVIEW: "The examiners are comparing. Nothing else is possible now.",
    State.DISAGREED: "Another examiner is comparing. Nothing else is possible now.",
    State.AGREED: "The examination is over and a supervisor is deciding. Nothing can be added to it.",
    State.LEAD: "A lead was issued already. Nothing was changed.",
    State.CLOSED: "This search is closed already. Nothing was changed.",
}
