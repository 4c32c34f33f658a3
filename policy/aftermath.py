"""What becomes of a lead: evidence that does not come from it, an outcome, an end. The words, and what they rest on.

An arrest is recorded only after evidence that is independent of the lead (M28, S4); a lead expires without an outcome;
one that is recalled is destroyed by whoever has it (M27); and where a case is closed on another person, every lead of
that case is recalled (X13).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Evidence(StrEnum):
    """Kinds of corroboration."""

    PHYSICAL = "physical"
    WITNESS = "witness"
    RECORDS = "records"
    LOCATION = "location"
    PROPERTY = "property"
    STATEMENT = "statement"
    PROCEDURE = "procedure"
    OPINION = "opinion"


EVIDENCE = {
    Evidence.PHYSICAL: "Fingerprints, DNA or other physical evidence",
    Evidence.WITNESS: "A witness who was shown no photograph",
    Evidence.RECORDS: "Documents, transactions or communications",
    Evidence.LOCATION: "Where the person or their phone or car was",
    Evidence.PROPERTY: "Property recovered from the person",
    Evidence.STATEMENT: "A statement of the person, lawfully taken",
    Evidence.PROCEDURE: "An identification procedure after this lead",
    Evidence.OPINION: "Somebody's opinion of the photographs",
}
FROM_THE_LEAD = frozenset({Evidence.PROCEDURE, Evidence.OPINION})  # recorded, and never enough (L4, L5)


class LeadOutcome(StrEnum):
    NOT_PURSUED = "not-pursued"
    ELIMINATED = "eliminated"
    ARREST = "arrest"
    UNSOLVED = "unsolved"
    ANOTHER_PERSON = "another-person"


OUTCOMES = {
    LeadOutcome.NOT_PURSUED: "The lead was not pursued",
    LeadOutcome.ELIMINATED: "The person was eliminated from the investigation",
    LeadOutcome.ARREST: "The person was arrested, on independent evidence",
    LeadOutcome.UNSOLVED: "The case was closed without anybody",
    LeadOutcome.ANOTHER_PERSON: "The case was closed on another person",
}


@dataclass(frozen=True, slots=True)
class Corroboration:
    """One piece of evidence, as the requester recorded it."""

    kind: Evidence
    reference: str
    by: str
    at: datetime


def independent(found: Sequence[Corroboration]) -> bool:
    """Whether anything recorded does not itself come from the lead (L4)."""
    return any(one.kind not in FROM_THE_LEAD for one in found)


EXPIRED = (
    "This lead expired: nobody recorded an outcome in time. Destroy what you have of it; ask again if the case still "
    "needs it."
)
RECALLED = "This lead was recalled. Do not act on it, and destroy every copy you have of it."
ANOTHER = "The case was closed on another person."
BEFORE = (1, 7)  # days before a lead expires, at which its requester is told
UNSEEN, UNSEEN_TOLD = 1, 3  # days without an acknowledgement, after which its requester is told, then the supervisors


def expires(issued_at: datetime, days: int) -> datetime:
    return issued_at + timedelta(days=days)
