"""What becomes of a lead, in words: evidence, outcome, reminders, recall, and what was forwarded. Pure."""

from collections.abc import Sequence
from datetime import datetime

from bot.views.blocks import (
    Block,
    View,
    actions,
    asked,
    button,
    context,
    literal,
    modal,
    plain,
    quoted,
    section,
    select,
    text_input,
)
from policy.aftermath import EVIDENCE, FROM_THE_LEAD, OUTCOMES, LeadOutcome, independent
from policy.model import Search, SearchId

Message = tuple[str, list[Block]]
KIND, REFERENCE, OUTCOME, NOTE = "kind", "reference", "outcome", "note"
NOT_ENOUGH = "An arrest is recorded only after evidence that does not come from this lead."


def doors(search: Search) -> Block:
    """Beneath the arrest photograph and each reminder: what the requester owes the record."""
    return actions(
        button("Record evidence", "record_evidence", search.id),
        button("Record the outcome", "record_outcome", search.id, style="primary"),
    )


def done_before(search: Search) -> list[Block]:
    """Beneath what says that a lead may not be used: what was done on it by then still belongs on record."""
    return [
        context("Was something done on this lead? Record it here: nothing that was done is to be lost."),
        doors(search),
    ]


def evidence_form(search: Search) -> View:
    """What there is, and where it stands; the kinds that cannot be independent say so."""
    kinds = {k.value: f"{text} (not independent)" if k in FROM_THE_LEAD else text for k, text in EVIDENCE.items()}
    blocks = [
        section(f"Evidence in the case of search {search.id}. What is recorded here is disclosed with the lead."),
        *([quoted(_recorded(search))] if search.corroboration else []),
        asked(KIND, "Kind of evidence", select("answer", "Choose one", kinds)),
        asked(
            REFERENCE,
            "What it is, and where it stands",
            text_input("answer", multiline=True, longest=1000),
            hint="Such as: latent print on the till, lab report 26-114.",
        ),
        context(NOT_ENOUGH),
    ]
    return modal("lead_evidence", "Evidence", "Record", blocks, {"search": search.id})


def _recorded(search: Search) -> str:
    lines = [f"• {EVIDENCE[one.kind]}: {one.reference[:200]} ({one.at:%Y-%m-%d})" for one in search.corroboration]
    return "\n".join(["On record so far:", *lines])[:2900]


def outcome_form(search: Search) -> View:
    """What became of the lead: once, and later still that the case was closed on another person."""
    stands = "Independent evidence is on record." if independent(search.corroboration) else NOT_ENOUGH
    outcomes = {LeadOutcome.ANOTHER_PERSON: OUTCOMES[LeadOutcome.ANOTHER_PERSON]} if search.aftermath else OUTCOMES
    recorded = f" On record: {OUTCOMES[search.aftermath].lower()}." if search.aftermath else " It is recorded once."
    blocks = [
        section(f"What became of the lead of search {search.id}?{recorded}"),
        asked(OUTCOME, "Outcome", select("answer", "Choose one", {o.value: text for o, text in outcomes.items()})),
        asked(NOTE, "Note", text_input("answer", multiline=True, longest=1000), optional=True),
        context(stands),
    ]
    return modal("lead_outcome", "Outcome", "Record", blocks, {"search": search.id})


def arrest_recorded(why: str) -> str:
    """To whoever recorded it."""
    return (
        f"The arrest is recorded. {why} The supervisors are told of the arrest now: speak with them before anything "
        "else is done in this case."
    )


def arrest_on_withheld(search: Search, why: str) -> Message:
    """To the supervisors, at once."""
    text = f"AN ARREST was recorded on the lead of search {search.id}, which nobody may use"
    return text, [
        section(f"*{text}.* Find out today what the arrest rests on, and tell the prosecutor what this lead is."),
        quoted(why),
        context(f"Case {literal(search.case_number)}"),
    ]


def unseen(search: Search) -> Message:
    """To the requester."""
    text = f"The lead of search {search.id} waits for you"
    ends = f" It expires on {search.expires_at:%d %B %Y} all the same." if search.expires_at else ""
    told = "Its notice stands beneath the photograph you posted: its limits are acknowledged before anything is shown."
    return text, [section(f"*{text}.* {told}{ends}")]


def nobody_saw(search: Search) -> Message:
    """To the supervisors."""
    text = f"Nobody has acknowledged the lead of search {search.id}"
    told = "Its requester was reminded. Ask whether they are there, and whether the case still needs it, or recall it."
    recall = actions(button("Recall this lead", "recall_lead", search.id))
    return text, [section(f"*{text}.* {told}"), context(f"Case {literal(search.case_number)}"), recall]


def closing_form(number: str, leads: Sequence[SearchId], still_open: int) -> View:
    """To a supervisor, before every lead of a case is recalled: it cannot be taken back."""
    count = f"{len(leads)} lead{'' if len(leads) == 1 else 's'}"
    waits = (
        f" {still_open} of its searches are still open: they go on, and are not for this form." if still_open else ""
    )
    blocks = [
        section(
            f"*Case {literal(number)} was closed on another person.* {count} of it will be recalled: nobody may use "
            f"them any more, what was handed over is taken back, and whoever has them is told to destroy the rest. "
            f"That cannot be undone.{waits}"
        ),
        context(literal(", ".join(leads[:MOST_NAMED]))),
        asked("reason", "How is it known?", text_input("answer", multiline=True, longest=1000)),
    ]
    return modal("close_case", "Recall a case's leads", "Recall them all", blocks, {"case": number})


MOST_NAMED = 40


def closed_on_another(number: str, recalled: Sequence[SearchId]) -> View:
    """Once it is done."""
    told = f"{len(recalled)} recalled of case {literal(number)}. Whoever has them is reminded until they answer."
    return {
        "type": "modal",
        "title": plain("Recall a case's leads", 24),
        "close": plain("Close", 24),
        "blocks": [section(told)],
    }


def expires_soon(search: Search, due: datetime) -> Message:
    """To the requester."""
    text = f"The lead of search {search.id} expires on {due:%d %B %Y}"
    told = "Record what became of it, or what evidence there is. Without an outcome its photograph is taken away then."
    return text, [section(f"*{text}.* {told}"), doors(search)]


def expired(search: Search) -> Message:
    """To the supervisors (M28)."""
    text = f"The lead of search {search.id} expired without an outcome"
    had = "Its photograph and sheet were taken back." if search.acknowledged_at else "Nobody had seen its photograph."
    told = f"{had} Ask the requester what became of the case."
    return text, [section(f"*{text}.* {told}"), context(f"Case {literal(search.case_number)}")]


def recalled(search: Search) -> Message:
    """To whoever has it; the button goes when they have said that nothing is left."""
    text = f"RECALLED. The lead of search {search.id} may not be used any more."
    left = search.recall_acknowledged_at is None
    return text, [
        section(f"*{text}*"),
        quoted(search.recalled),
        section(
            "Destroy every copy: the photograph, the sheet, prints and notes made from them. Tell whoever you told."
        ),
        *([actions(button("Nothing of it is left", "acknowledge_recall", search.id, style="danger"))] if left else []),
        *done_before(search),
        context("Recorded as answered." if not left else "You are reminded every day until you answer."),
    ]


def was_recalled(search: Search) -> Message:
    """To the supervisors."""
    text = f"The lead of search {search.id} was recalled"
    left = "The requester says that nothing of it is left." if search.recall_acknowledged_at else NOT_ANSWERED
    had = left if search.acknowledged_at else "Nobody had seen its photograph."
    arrest = " *An arrest is on record for it.* Find out today what the arrest rests on." if search.arrested_at else ""
    return text, [section(f"*{text}.* {had}{arrest}"), quoted(search.recalled)]


NOT_ANSWERED = "Its requester was told to destroy what they have, and has not answered yet."


def forwarded(search: str, what: str, account: str, channel: str) -> Message:
    """To the supervisors: something of a lead stands where it was not put (M26)."""
    text = f"Something of search {search} was forwarded"
    which = "The lead sheet" if what == "sheet" else "A photograph"
    return text, [
        section(f"*{text}.* {which} was shared in <#{channel}> by <@{account}>. That is recorded. Please see to it.")
    ]
