"""From agreement to what becomes of a lead: the record, the supervisor's decision, evidence and outcome. Pure."""

from collections.abc import Mapping
from datetime import datetime

from policy import aftermath, contradictions, placeholders, wording
from policy.authority import expired
from policy.model import (
    Actor,
    AppendNote,
    ContextOpened,
    DecideLead,
    Event,
    EvidenceRecorded,
    Examination,
    Label,
    LeadAcknowledged,
    LeadDecided,
    LeadExpired,
    LeadIssued,
    LeadRecalled,
    NoteAppended,
    OpenContext,
    Outcome,
    OutcomeRecorded,
    PersonId,
    RecallLead,
    RecordEvidence,
    RecordOutcome,
    Refused,
    ReturnReview,
    ReviewReturned,
    Search,
    SearchClosed,
)
from policy.pack import Pack

Events = tuple[Event, ...]
WITHOUT_REASON = Refused(
    "decides-with-reason", "A decision needs a reason in writing: a few words that say why, and will in a year."
)
RECORD_GONE = "The arrest record of that person may no longer be used. No lead comes of it."
NOT_COMPARED = Refused("context-first", "The facts on record are still being compared. Try again in a minute.")


def open_context(search: Search, command: OpenContext, pack: Pack, now: datetime) -> Events:
    """What contradicts waits for a supervisor, also where the pack asks for none otherwise (X3)."""
    label, asked = search.lead, search.requested_at
    assert label is not None, "agreed without a candidate"
    assert asked is not None, "agreed on what nobody requested"
    if command.record is None:
        return (SearchClosed(Outcome.NO_POSSIBLE_MATCH, RECORD_GONE),)
    checks = contradictions.compared(search.fields, command.record, asked.date(), _tolerated(pack))
    against = tuple(check.fact.value for check in contradictions.contradictions(checks))
    opened = ContextOpened(now, label, against, checks)
    waits = pack.review.supervisor_decides or against
    return (opened,) if waits else (opened, _issued(search, label, pack, now))


def _issued(search: Search, label: Label, pack: Pack, now: datetime) -> LeadIssued:
    """Its time runs from here, whether anybody acknowledges it or not (M28)."""
    return LeadIssued(label, supporters(search, label), now, aftermath.expires(now, pack.leads.expiry_days))


def acknowledged(search: Search, by: Actor, pack: Pack, now: datetime) -> LeadAcknowledged:
    """A lead that was issued before its time was counted from there has its time from now."""
    return LeadAcknowledged(by.id, now, search.expires_at or aftermath.expires(now, pack.leads.expiry_days))


def _tolerated(pack: Pack) -> contradictions.Tolerated:
    rule = pack.contradictions
    return contradictions.Tolerated(rule.height_cm, rule.weight_kg, rule.age_years)


def concluded(search: Search) -> tuple[Examination, ...]:
    """Every opinion that is locked."""
    return tuple(e for e in search.examinations if e.conclusion is not None)


def supporting(search: Search) -> tuple[Examination, ...]:
    """The locked opinions that name whom the lead is about; the others dissent, and a lead says so (M21)."""
    return tuple(e for e in concluded(search) if search.lead is not None and e.candidate == search.lead)


def supporters(search: Search, label: str) -> tuple[PersonId, ...]:
    return tuple(e.examiner for e in concluded(search) if e.candidate == label)


def decide_lead(search: Search, command: DecideLead, by: Actor, pack: Pack, now: datetime) -> Events:
    reason = command.reason.strip()
    if placeholders.is_no_reason(reason):
        return (WITHOUT_REASON,)
    if not command.approve:
        closed = SearchClosed(Outcome.NO_POSSIBLE_MATCH, "The supervisor did not approve a lead.")
        return (LeadDecided(by.id, command.approve, reason), closed)
    if search.context is None:
        return (NOT_COMPARED,)
    resolved = {check.fact.value: command.resolutions.get(check.fact, "").strip() for check in against(search)}
    if refused := _unresolved(resolved):
        return (refused,)
    decided = LeadDecided(by.id, command.approve, reason, resolved)
    label = search.lead
    assert label is not None, "agreed without a candidate"
    return (decided, _issued(search, label, pack, now))


def return_review(search: Search, command: ReturnReview, by: Actor, now: datetime) -> Events:
    """One more examiner compares, blind like those before; from then on they have to agree as well (M23)."""
    reason = command.reason.strip()
    if placeholders.is_no_reason(reason):
        return (WITHOUT_REASON,)
    return (ReviewReturned(by.id, now, reason),) if search.context is not None else (NOT_COMPARED,)


def append_note(command: AppendNote, by: Actor, now: datetime) -> Events:
    """What an examiner sees later is said beside the opinion, never in its place (M22)."""
    said = command.text.strip()
    if placeholders.is_placeholder(said, NOTE_MIN_CHARS):
        return (Refused("says-something", "Say what should be known beside your opinion."),)
    if word := wording.claim(said):
        return (Refused("sober-words", f"“{word}” says more than a comparison can: write what you see."),)
    return (NoteAppended(by.id, now, said),)


def against(search: Search) -> tuple[contradictions.Check, ...]:
    """What stands against the lead until it is resolved in writing; nothing before the record was looked at."""
    return contradictions.contradictions(search.context or ())


RESOLUTION_MIN_CHARS = 20
NOTE_MIN_CHARS = 10


def _unresolved(resolved: Mapping[str, str]) -> Refused | None:
    for fact, said in resolved.items():
        if placeholders.is_placeholder(said, RESOLUTION_MIN_CHARS):
            what = f"{fact.capitalize()}: description and record lie apart, or nobody has compared them. Say in writing"
            return Refused("resolves-contradictions", f"{what} how that is resolved, or do not approve.")
        if word := wording.claim(said):
            told = f"{fact.capitalize()}: “{word}” says more than anybody here can know. Say what the facts are."
            return Refused("sober-words", told)
    return None


# --- what becomes of a lead -------------------------------------------------------------------------------------------

REFERENCE_MIN_CHARS = 15
INDEPENDENT_FIRST = Refused(
    "independent-evidence-first",
    "An arrest is recorded only after evidence that does not come from this lead. Record that evidence first: "
    "what it is, and where it stands in the case file.",
)


def recorded(search: Search, command: RecordEvidence) -> bool:
    return any((one.kind, one.reference) == (command.kind, command.reference.strip()) for one in search.corroboration)


def record_evidence(command: RecordEvidence, by: Actor, now: datetime) -> Events:
    said = command.reference.strip()
    if placeholders.is_placeholder(said, REFERENCE_MIN_CHARS):
        return (Refused("names-evidence", "Say what the evidence is, and where it stands in the case file."),)
    return (EvidenceRecorded(by.id, now, command.kind, said),)


NOT_RECALLED = Refused("recalled-first", "This lead was not recalled. Nothing has to be destroyed.")


def recall(command: RecallLead, by: Actor, now: datetime) -> Events:
    reason = command.reason.strip()
    return (WITHOUT_REASON,) if placeholders.is_no_reason(reason) else (LeadRecalled(by.id, now, reason),)


def record_outcome(search: Search, command: RecordOutcome, by: Actor, now: datetime) -> Events:
    """Once, and again only where the case was closed on another person: that frees whoever the lead is about (X13).

    What is recorded after the lead's time gives it no more of it.
    """
    if search.aftermath is not None and command.outcome is not aftermath.LeadOutcome.ANOTHER_PERSON:
        was = aftermath.OUTCOMES[search.aftermath]
        told = f"An outcome is on record already: {was}. What can still be added is that the case was closed on another"
        return (Refused("one-outcome", f"{told} person; a supervisor can recall the lead."),)
    if command.outcome is aftermath.LeadOutcome.ARREST and not aftermath.independent(search.corroboration):
        return (INDEPENDENT_FIRST,)
    over = (LeadExpired(now),) if expired(search, now) and search.expired_at is None else ()
    return (*over, OutcomeRecorded(by.id, now, command.outcome, command.note.strip()))
