"""What was described beside what is on record: read by the worker once both opinions are locked (M22, X3)."""

from collections.abc import Awaitable, Callable, Mapping

from bot.casework import SYSTEM, Casework
from bot.matching import Matcher, MatcherRefusedError
from bot.queue import Lease
from policy.contradictions import Record
from policy.model import OpenContext, Search, SearchId


class Context:
    """The errand that opens the record. Built by the composition root."""

    def __init__(self, casework: Casework, matcher: Matcher) -> None:
        self._casework = casework
        self._matcher = matcher

    def by_kind(self) -> Mapping[str, Callable[[Lease], Awaitable[None]]]:
        return {"open-context": self.open_context}

    async def open_context(self, lease: Lease) -> None:
        """The policy has compared the record with the description; where there is none any more, no lead comes."""
        search = await self._casework.look(SearchId(lease.payload["search"]))
        if search.lead is None or search.context is not None:
            await self._casework.finish(lease)
            return
        await self._casework.submit(search.id, OpenContext(await self._record(search)), SYSTEM, lease=lease)

    async def _record(self, search: Search) -> Record | None:
        chosen = next(c for c in search.candidates if c.label == search.lead)
        try:
            return await self._matcher.record(chosen.person, str(search.evidence.get("classes", "arrest")).split())
        except MatcherRefusedError:  # sealed or expunged since: nothing may be said of that person (M13)
            return None
