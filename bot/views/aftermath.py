"""What becomes of a lead, in words: evidence, outcome, reminders, recall, and what was forwarded. Pure."""

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
    quoted,
    section,
    select,
    text_input,
)
from policy.aftermath import EVIDENCE, FROM_THE_LEAD, OUTCOMES, independent
from policy.model import Search

Message = tuple[str, list[Block]]
KIND, REFERENCE, OUTCOME, NOTE = "kind", "reference", "outcome", "note"
NOT_ENOUGH = "An arrest is recorded only after evidence that does not come from this lead."


def doors(search: Search) -> Block:
    """Beneath the arrest photograph and each reminder: what the requester owes the record."""
    return actions(
        button("Record evidence", "record_evidence", search.id),
        button("Record the outcome", "record_outcome", search.id, style="primary"),
    )


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
    """What became of the lead, once."""
    stands = "Independent evidence is on record." if independent(search.corroboration) else NOT_ENOUGH
    blocks = [
        section(f"What became of the lead of search {search.id}? It is recorded once."),
        asked(OUTCOME, "Outcome", select("answer", "Choose one", {o.value: text for o, text in OUTCOMES.items()})),
        asked(NOTE, "Note", text_input("answer", multiline=True, longest=1000), optional=True),
        context(stands),
    ]
    return modal("lead_outcome", "Outcome", "Record", blocks, {"search": search.id})


def expires_soon(search: Search, due: datetime) -> Message:
    """To the requester."""
    text = f"The lead of search {search.id} expires on {due:%d %B %Y}"
    told = "Record what became of it, or what evidence there is. Without an outcome its photograph is taken away then."
    return text, [section(f"*{text}.* {told}"), doors(search)]


def expired(search: Search) -> Message:
    """To the supervisors (M28)."""
    text = f"The lead of search {search.id} expired without an outcome"
    told = "Its photograph and sheet were taken back. Ask the requester what became of the case."
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
        context("Recorded as answered." if not left else "You are reminded every day until you answer."),
    ]


def was_recalled(search: Search) -> Message:
    """To the supervisors."""
    text = f"The lead of search {search.id} was recalled"
    left = "The requester says that nothing of it is left." if search.recall_acknowledged_at else NOT_ANSWERED
    had = left if search.acknowledged_at else "Nobody had seen its photograph."
    return text, [section(f"*{text}.* {had}"), quoted(search.recalled)]


NOT_ANSWERED = "Its requester was told to destroy what they have, and has not answered yet."


def forwarded(search: str, what: str, account: str, channel: str) -> Message:
    """To the supervisors: something of a lead stands where it was not put (M26)."""
    text = f"Something of search {search} was forwarded"
    which = "The lead sheet" if what == "sheet" else "A photograph"
    return text, [
        section(f"*{text}.* {which} was shared in <#{channel}> by <@{account}>. That is recorded. Please see to it.")
    ]
