"""Which durable job follows which event. Pure."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, assert_never, cast

from bot import ids
from bot.queue import Job
from policy import seats
from policy.aftermath import LeadOutcome
from policy.authority import withheld
from policy.model import (
    CandidateAnswered,
    CandidateDropped,
    CandidatesShown,
    ConflictDeclared,
    ContextOpened,
    Event,
    EvidenceRecorded,
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
    NoteAppended,
    Outcome,
    OutcomeRecorded,
    PersonId,
    PhotoAssessed,
    Post,
    Posted,
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
    SearchId,
    SearchRequested,
    SearchRun,
    State,
)

SOON = timedelta(seconds=5)  # as a rule, people are told first


def following(event: Event, after: Search, now: datetime) -> tuple[Job, ...]:
    """The jobs that `event` orders; `after` is the search with all events of the same command folded in."""
    ordered = _following(event, after, now)
    return _of_a_known_answer(event, ordered, after) if after.known else ordered


AMONG_EXAMINERS = frozenset(
    {
        "receive-photo",
        "run-search",
        "open-review",
        "call-arbiter",
        "tell-handed",
        "settle-handed",
        "retire-post",
        "delete-images",
    }
)


def _of_a_known_answer(event: Event, ordered: tuple[Job, ...], search: Search) -> tuple[Job, ...]:
    """Of a case whose answer is known, nobody but examiners hears; when it is over they are told how they did."""
    feedback = (_job("give-feedback", search),) if isinstance(event, SearchClosed) else ()
    return (*(job for job in ordered if job.kind in AMONG_EXAMINERS), *feedback)


def _following(  # noqa: C901 - a case per event
    event: Event, after: Search, now: datetime
) -> tuple[Job, ...]:
    match event:
        case SearchRequested():
            due = _check_approval(event, after)
            held = after.state is State.HELD
            return (*due, _card(after)) if held else (*due, _job("receive-photo", after), _card(after))
        case KnownAnswerInjected():
            return (_job("receive-photo", after),)
        case RequestHeld():
            return (_approval(event, after), _card(after))
        case QualityHeld():
            return (_approval(event, after), _card(after), _job("ask-preparation", after))
        case RequestApproved() | RepositoryAllowed():
            begin = (_job("receive-photo", after), _card(after)) if after.state is State.REQUESTED else ()
            return (*begin, *_released(after), _settle(event, after))
        case QualityOverridden():
            return (_job("run-search", after), _card(after), _settle(event, after), _job("settle-preparation", after))
        case PhotoAssessed():
            ask = (_job("ask-face", after),) if after.state is State.FACE_NEEDED else ()
            return (_job("clear-intake", after), *ask)
        case FaceChosen():
            search = (_job("run-search", after), _card(after)) if after.state is State.ASSESSED else ()
            return (*search, *_retire_open(after), *_faces_gone(after))
        case SearchRun():
            return (
                (_job("open-review", after), _job("draw-known-answer", after)) if after.state is State.SEARCHED else ()
            )
        case ExaminersAgreed():
            if after.state is not State.AGREED:
                return (_retire(after, Post.REVIEW),)
            look = _job("open-context", after) if after.context is None else _for_opinions("ask-decision", after)
            return (look, _card(after), _retire(after, Post.REVIEW))
        case ContextOpened():
            return (_job("ask-decision", after),) if after.state is State.AGREED else ()
        case ExaminersDisagreed():
            return (_called(after),)
        case HandedBack():
            return (_called(after), *_settled(after))
        case ReviewReturned():
            again = (_retire(after, Post.REVIEW), _retire(after, Post.DECISION))
            return (_called(after), _card(after), *again)
        case ExaminersDrawn():
            open_now = after.state in {State.IN_REVIEW, State.DISAGREED}  # before, they are told when it opens
            return _drawn(event.examiners, after) if open_now else ()
        case NoteAppended():
            if after.state is State.LEAD:
                told = {"search": after.id, "note": len(after.notes) - 1}
                return (Job("tell-note", f"{after.id}:{len(after.notes)}", told),)
            return (_retire(after, Post.DECISION),) if after.state is State.AGREED else ()
        case LeadIssued():
            return (_job("give-notice", after), _card(after), taken_away(after, "decided"), *_settled(after))
        case SearchClosed():
            return (
                _job("give-notice", after),
                _card(after),
                *_retire_open(after),
                taken_away(after, "decided"),
                _job("clear-intake", after),
                *_prepared(after),
                *_settled(after),
                *((_settle(event, after),) if event.outcome is Outcome.WITHDRAWN else ()),
            )
        case LeadAcknowledged():
            return (_job("hand-photograph", after), _job("hand-sheet", after))
        case Posted():
            return _posted(event, after, now)
        case ExaminationConcluded():
            return (_card(after), *_settled(after))
        case LeadDecided():
            return (_retire(after, Post.DECISION),)
        case ProbePrepared() | CandidatesShown() | CandidateAnswered() | CandidateDropped() | Refused():
            return ()
        case RequestRejected():
            return (_card(after), _settle(event, after), Job("purge-refused", after.id, {"search": after.id}, SOON))
        case ConflictDeclared():
            seat_free = after.draws_again and after.state in {State.IN_REVIEW, State.DISAGREED}
            return (_card(after), *((_called(after),) if seat_free else ()), *_settled(after))
        case OutcomeRecorded():
            return _after_outcome(event, after)
        case LeadExpired():
            return (*_ended(after, "expired"), _job("tell-expired", after))
        case LeadRecalled():
            return (*_ended(after, "recalled"), _job("tell-recalled", after))
        case RecallAcknowledged():
            return (_job("settle-recall", after),)
        case HandedOver():
            return (_told(event.to, f"handed:{len(after.handed)}", after),)
        case EvidenceRecorded():
            return ()
        case Quarantined():
            return (_card(after), *_withheld(after))
        case _:
            assert_never(event)


def _after_outcome(event: OutcomeRecorded, search: Search) -> tuple[Job, ...]:
    match event.outcome:
        case LeadOutcome.ANOTHER_PERSON:
            return (_job("exonerate", search),)
        case LeadOutcome.ARREST if withheld(search, event.at):
            return (_job("tell-arrest", search),)
        case _:
            return ()


def _check_approval(event: SearchRequested, search: Search) -> tuple[Job, ...]:
    """An emergency whose approval is owed is looked at when it is due (M41)."""
    if event.approval_due is None:
        return ()
    ask = Job("ask-approval", f"{search.id}:owed", {"search": search.id})
    return ask, Job("check-approval", search.id, {"search": search.id}, event.approval_due - event.at)


def _withheld(search: Search) -> tuple[Job, ...]:
    """What was said and handed over already says that it may not be used, and the photograph is gone (M41)."""
    notice = (_again("give-notice", search),) if Post.NOTICE in search.posts else ()
    handed = (taken_away(search, "withheld"),) if search.acknowledged_at is not None else ()
    return (*notice, *handed)


def _ended(search: Search, why: str) -> tuple[Job, ...]:
    """The notice says that the lead is over, and what was handed over of it is gone (M27, M28)."""
    notice = Job("give-notice", f"{search.id}:{why}", {"search": search.id})
    return (notice, taken_away(search, why)) if Post.NOTICE in search.posts else (taken_away(search, why),)


def _released(search: Search) -> tuple[Job, ...]:
    """A late approval lets go what was withheld."""
    if search.outcome is None or search.approval_due is None:
        return ()
    notice = (_again("give-notice", search),) if Post.NOTICE in search.posts else ()
    acknowledged = search.acknowledged_at is not None
    return (*notice, *((_again("hand-photograph", search), _again("hand-sheet", search)) if acknowledged else ()))


def _again(kind: str, search: Search) -> Job:
    """Once for each approval and each quarantine."""
    stands = "withheld" if search.quarantined else f"{len(search.approvals)}"
    return Job(kind, f"{search.id}:{stands}", {"search": search.id})


def _approval(event: RequestHeld | QualityHeld, search: Search) -> Job:
    """A supervisor, or an executive, is asked to let it go on."""
    what = "quality" if isinstance(event, QualityHeld) else "request"
    return Job("ask-approval", f"{search.id}:{what}", {"search": search.id})


def _settle(event: Event, search: Search) -> Job:
    """The question in the supervisors' channel says that it was answered."""
    count = f"{type(event).__name__}:{len(search.approvals)}"
    return Job("settle-approval", f"{search.id}:{count}", {"search": search.id})


def _job(kind: str, search: Search) -> Job:
    return Job(kind, search.id, {"search": search.id})


def told_of_it(search: Search) -> list[tuple[PersonId, str]]:
    """Everybody who may have been told that the examination waits for them, with the key of the job that did so."""
    people = dict.fromkeys((*search.asked, *search.handed, *search.handed_back, *search.conflicted))
    times = range(1, len(search.handed) + 1)
    return [(who, _told(who, why, search).key) for who in people for why in ("drawn", *(f"handed:{n}" for n in times))]


def _settled(search: Search) -> tuple[Job, ...]:
    """Of whoever was told that it waits for them and of whom it is not waited any more."""
    if not told_of_it(search):
        return ()
    return (Job("settle-handed", f"{search.id}:{search.state}:{_seats(search)}", {"search": search.id}),)


def _called(search: Search) -> Job:
    """A seat is free: somebody is drawn for it, or the examiners' thread says so."""
    return Job("call-arbiter", f"{search.id}:{_seats(search)}", {"search": search.id})


def _seats(search: Search) -> str:
    """How often an opinion was locked, a seat given back, a conflict declared."""
    return f"{_locked(search)}:{len(search.handed_back)}:{len(search.conflicted)}"


def _drawn(named: Collection[PersonId], search: Search) -> tuple[Job, ...]:
    return tuple(_told(one, "drawn", search) for one in named)


def _told(who: PersonId, why: str, search: Search) -> Job:
    """An examiner knows that it waits for them, each time it does."""
    return Job("tell-handed", f"{search.id}:{who}:{why}", {"search": search.id, "to": who})


def _for_opinions(kind: str, search: Search) -> Job:
    """Once for so many locked opinions."""
    return Job(kind, f"{search.id}:{_locked(search)}", {"search": search.id})


def _locked(search: Search) -> int:
    return sum(e.conclusion is not None for e in search.examinations)


def _retire(search: Search, what: Post) -> Job:
    """The message whose buttons went stale says how things stand now."""
    since = f"{search.state}:{len(search.returned)}:{len(search.notes)}"
    return Job("retire-post", f"{search.id}:{what}:{since}", {"search": search.id, "what": what.value})


def _retire_open(search: Search) -> tuple[Job, ...]:
    stale = (Post.FACE_QUESTION, Post.REVIEW)
    return tuple(_retire(search, what) for what in stale if what.value in search.posts)


IMAGES_FOR = timedelta(hours=72)  # in Slack at most, whether it is decided by then or not (M38)


def _posted(event: Posted, search: Search, now: datetime) -> tuple[Job, ...]:
    """What was put into Slack with a photograph is taken out of it in time."""
    match event.what:
        case Post.REVIEW if search.outcome is not None:  # over while it was on its way
            return _retire(search, Post.REVIEW), taken_away(search, "late")
        case Post.REVIEW:
            called = (_called(search),) if search.draws_again else ()
            return _card(search), taken_away(search, "late", IMAGES_FOR), *_drawn(seats.kept(search), search), *called
        case Post.DECISION if search.notes:  # added while the question was on its way
            return (Job("retire-post", f"{search.id}:{event.what}:posted", {"search": search.id, "what": event.what}),)
        case Post.PHOTOGRAPH if withheld(search, now):  # while it was on its way
            return (taken_away(search, "withheld-photograph"),)
        case Post.PHOTOGRAPH:
            return (taken_away(search, "handed", IMAGES_FOR),)
        case _:
            return ()


def sheet_goes(search: Search, now: datetime) -> Job:
    """The lead sheet was just put into Slack: it goes with the photographs, and at once where its lead is over."""
    if withheld(search, now):
        return taken_away(search, "withheld-sheet")
    return taken_away(search, "handed-sheet", IMAGES_FOR)


def taken_away(search: Search, why: str, after: timedelta = timedelta()) -> Job:
    """What stands in Slack for that reason is taken out of it (bot/pictures.py), now or `after` some time."""
    return Job("delete-images", f"{search.id}:{why}", {"search": search.id, "why": why}, after)


def _prepared(search: Search) -> tuple[Job, ...]:
    """Whoever was asked to prepare it is told that it is over; nobody was where it never was held."""
    return (_job("settle-preparation", search),) if search.face is not None and not search.evidence else ()


def _faces_gone(search: Search) -> tuple[Job, ...]:
    return (taken_away(search, "chosen"),) if len(search.faces) > 1 else ()


def _card(search: Search) -> Job:
    """The card in the requester's thread says how far the search is; one update per stage."""
    since = f"{search.state}:{_locked(search)}:{len(search.returned)}"
    return Job("update-card", f"{search.id}:{since}", {"search": search.id})


def offers(untrusted_message: Mapping[str, Any], team: str, channel: str) -> list[Job]:
    """One offer per photograph of a message that a person posted; none for what bots post or what was edited."""
    owner = untrusted_message.get("user")
    if not owner or untrusted_message.get("bot_id") or untrusted_message.get("subtype") not in {None, "file_share"}:
        return []
    thread = untrusted_message.get("thread_ts") or untrusted_message["ts"]
    return [_offer(ids.search_of(team, f["id"]), f["id"], owner, channel, thread) for f in _files(untrusted_message)]


def _files(untrusted_message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [f for f in untrusted_message.get("files") or () if f.get("id")]


def _offer(search: SearchId, file: str, owner: str, channel: str, thread: str) -> Job:
    payload = {"search": search, "file": file, "owner": owner, "channel": channel, "ts": thread}
    return Job("photo-posted", search, payload)


ROSTER_EVENTS = frozenset({"subteam_updated", "subteam_members_changed", "subteam_created", "user_change", "team_join"})


def of_the_workspace(untrusted_event: Mapping[str, Any], bot_user: str, rooms: Collection[str]) -> list[Job]:
    """What follows from a change of the workspace: the roster is read anew; a channel that is none of ours is left."""
    kind = untrusted_event.get("type")
    stamp = str(untrusted_event.get("event_ts") or untrusted_event.get("ts") or "")
    if kind in ROSTER_EVENTS:
        return [Job("sync-roster", stamp, {})]
    if kind == "file_shared" and untrusted_event.get("user_id") != bot_user:
        return [_shared(untrusted_event, stamp)]
    if kind == "message":
        return _passed_on(untrusted_event, bot_user)
    if kind == "file_deleted" and untrusted_event.get("file_id"):
        file = str(untrusted_event["file_id"])
        return [Job("intake-gone", file, {"file": file})]
    if kind == "member_joined_channel" and untrusted_event.get("user") == bot_user:
        channel, inviter = str(untrusted_event.get("channel")), str(untrusted_event.get("inviter") or "")
        if channel not in rooms:
            return [leave(channel, stamp, inviter)]
    return []


def leave(channel: str, when: str, inviter: str = "") -> Job:
    """The bot is to leave that channel, where it was found or was invited to at that time (M39)."""
    return Job("leave-channel", f"{channel}:{when}", {"channel": channel, "inviter": inviter})


def _shared(untrusted_event: Mapping[str, Any], stamp: str) -> Job:
    """Somebody put a file somewhere: whether it is one of ours is looked up by the worker (M26)."""
    file, channel = str(untrusted_event.get("file_id")), str(untrusted_event.get("channel_id"))
    payload = {"file": file, "channel": channel, "account": str(untrusted_event.get("user_id"))}
    return Job("file-shared", f"{file}:{channel}:{stamp}", payload)


def _passed_on(untrusted_event: Mapping[str, Any], bot_user: str) -> list[Job]:
    """Somebody forwarded a message, or Slack shows one beneath a link to it: whether it is ours is looked up (M26)."""
    message = untrusted_event.get("message") or untrusted_event
    account, channel, ts = message.get("user"), untrusted_event.get("channel"), message.get("ts")
    shown = [one for one in message.get("attachments") or () if one.get("is_share") or one.get("message_blocks")]
    if not shown or not account or account == bot_user or message.get("bot_id"):
        return []
    messages = [f"{one.get('channel_id')} {one.get('ts')}" for one in shown]
    payload = {"channel": str(channel), "account": str(account), "messages": messages, "files": sorted(_named(shown))}
    return [Job("message-shared", f"{channel}:{ts}", payload)]


def _named(untrusted: Any) -> set[str]:
    """The ids of every file that is named anywhere within: attached, or shown by an image block."""
    if isinstance(untrusted, list | tuple):
        return {file for one in cast("list[Any]", untrusted) for file in _named(one)}
    if not isinstance(untrusted, dict):
        return set()
    inner = cast("dict[str, Any]", untrusted)
    files = [*(inner.get("files") or ()), inner.get("slack_file") or {}]
    named = {str(file["id"]) for file in files if isinstance(file, dict) and file.get("id")}
    return named.union(*map(_named, inner.values()))
