"""The case of a search and what the department's case system said of it, for whoever decides."""

from collections.abc import Mapping

from bot.views.blocks import literal
from policy.model import CaseKnown, Search

SAID: Mapping[CaseKnown, str] = {
    CaseKnown.OPEN: "known to the case system, open",
    CaseKnown.CLOSED: "*closed*, says the case system",
    CaseKnown.UNKNOWN: "unknown to the case system",
    CaseKnown.OFFLINE: "*not checked*: the case system did not answer",
    CaseKnown.NOT_ASKED: "not checked: no case system is connected",
}


def case(search: Search) -> str:
    """In mrkdwn, for supervisors and executives."""
    return f"case {literal(search.case_number)} ({SAID[search.case_known]})"
