"""Who may read which answer of a request. What is not shown cannot bias (M17, M22)."""

from collections.abc import Mapping

from policy.authority import examination
from policy.intake import EXCEPTION
from policy.model import Actor, Refused, Role, Search, State
from policy.pack import FormField, Pack

AFTER_THE_OPINIONS = frozenset({State.AGREED, State.LEAD, State.CLOSED})
READERS = {
    Role.SUPERVISOR: "supervisor",
    Role.EXECUTIVE: "supervisor",
    Role.AUDITOR: "auditor",
    Role.EXAMINER: "examiner",
}


def context_closed(search: Search, by: Actor) -> Refused | None:
    """Why `by` may not see description and record; None where they may: all opinions are locked, theirs among them.

    Supervisors see them with the decision that they are asked for.
    """
    mine = examination(search, by.id)
    if mine is None or mine.conclusion is None:
        return Refused("sees-after-locking", "This is for whoever examined, after their opinion was locked.")
    if search.context is None or search.state not in AFTER_THE_OPINIONS:
        return Refused("sees-after-locking", "This opens once every opinion is locked and the record was read.")
    return None


def readable(search: Search, by: Actor, pack: Pack) -> Mapping[str, str]:
    """The answers that `by` may read of `search`, by question. Case number and purpose are not among them.

    Whoever requested it reads all of it. Whoever examines reads nothing before all opinions are locked, whatever other
    roles they hold; afterwards what the pack shows to examiners.
    """
    if search.requested_by == by.id:
        return dict(search.fields)
    purpose = pack.purpose(search.purpose)
    fields = {field.name: field for field in (*(pack.fields(purpose) if purpose else ()), EXCEPTION)}
    roles = _reading(search, by)
    return {name: text for name, text in search.fields.items() if name in fields and _shown(fields[name], roles)}


def _reading(search: Search, by: Actor) -> frozenset[str]:
    """The roles in which `by` reads this search now."""
    examines = examination(search, by.id) is not None
    if examines:
        return frozenset({"examiner"}) if search.state in AFTER_THE_OPINIONS else frozenset()
    held = frozenset(READERS[role] for role in by.roles if role in READERS)
    return held if search.state in AFTER_THE_OPINIONS else held - {"examiner"}


def _shown(field: FormField, roles: frozenset[str]) -> bool:
    return not roles.isdisjoint(field.shown_to)
