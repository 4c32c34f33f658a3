"""What has to be approved of a request: why, by how many, before the search or within hours of it (M41, M43). Pure."""

from dataclasses import dataclass

from policy import intake
from policy.model import RequestSearch, Search
from policy.pack import Pack
from policy.schema import Ban, Emergency


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a request that is complete becomes a search."""

    concerns: tuple[str, ...]  # why somebody has to see it first
    approvers: int
    hours: int | None  # an emergency runs at once, and its approval is owed after so many hours

    @property
    def held(self) -> bool:
        """Whether nothing is searched before the approval."""
        return self.approvers > 0 and self.hours is None


def terms(command: RequestSearch, pack: Pack) -> Terms:
    """An emergency does not wait for a signature; but it does where what is asked gives cause for concern (M43)."""
    concerns = intake.concerns(command, pack)
    emergency = None if concerns else path(command.purpose, pack)
    least = int(bool(concerns) or emergency is not None)
    return Terms(concerns, max(always(command.purpose, pack), least), emergency.approval_hours if emergency else None)


def always(purpose: str, pack: Pack) -> int:
    """How many people have to approve each request for this purpose, whatever it says."""
    asked = pack.pre_approval
    return asked.approvers if not asked.purposes or purpose in asked.purposes else 0


def path(purpose: str, pack: Pack) -> Emergency | None:
    """The pack's emergency path, where this purpose may take it (M41)."""
    return pack.emergency if pack.emergency and purpose in pack.emergency.purposes else None


def banned(search: Search, pack: Pack) -> tuple[Ban, ...]:
    """The uses never permitted whose words the request has. Words are hints: a person says whether they apply."""
    return tuple(ban for ban in pack.bans if any(ban.text in concern for concern in search.concerns))
