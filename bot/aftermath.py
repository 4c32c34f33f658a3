"""What becomes of a lead: the requester's evidence and outcome, its end in time, its recall.

Listeners submit commands; errands tell people and take back what they were handed.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from slack_bolt.async_app import AsyncAck

from bot import clicks, ids
from bot.casework import SYSTEM, Casework
from bot.database import Conn, Pool
from bot.desk import Desk
from bot.people import People, account_of
from bot.queue import Job, Lease
from bot.views import aftermath, review
from policy.aftermath import ANOTHER, BEFORE, UNSEEN, UNSEEN_TOLD, Evidence, LeadOutcome
from policy.model import (
    AcknowledgeRecall,
    Command,
    ExpireLead,
    RecallLead,
    RecordEvidence,
    RecordOutcome,
    Refused,
    Search,
    SearchId,
)

FIELD_OF_RULE = {"names-evidence": aftermath.REFERENCE, "one-outcome": aftermath.OUTCOME}


class Aftermath:
    """The doors of whoever has a lead. Built by the composition root."""

    def __init__(self, casework: Casework, people: People, desk: Desk) -> None:
        self._casework = casework
        self._people = people
        self._desk = desk

    async def evidence_asked(self, body: dict[str, Any]) -> None:
        await self._asked(body, RecordEvidence(Evidence.PHYSICAL, "?"), aftermath.evidence_form)

    async def outcome_asked(self, body: dict[str, Any]) -> None:
        await self._asked(body, RecordOutcome(LeadOutcome.ANOTHER_PERSON, ""), aftermath.outcome_form)

    async def _asked(self, body: dict[str, Any], command: Command, form: Callable[[Search], Any]) -> None:
        """The form, or a sentence why not; a refused attempt is recorded."""
        pressed = clicks.click(body)
        by = await self._people.actor(pressed.team, pressed.account)
        search = await self._casework.look(SearchId(pressed.value))
        if refused := self._casework.may(search, command, by):
            await self._casework.refuse(search.id, refused, by)
            await self._desk.open_view(pressed.trigger, review.telling(refused.reason))
            return
        await self._desk.open_view(pressed.trigger, form(search))

    async def evidence_given(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        form = clicks.submission(body)
        command = RecordEvidence(Evidence(form.values[aftermath.KIND]), form.values.get(aftermath.REFERENCE, ""))
        await self._given(ack, form, command, aftermath.REFERENCE)

    async def outcome_given(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        form = clicks.submission(body)
        command = RecordOutcome(LeadOutcome(form.values[aftermath.OUTCOME]), form.values.get(aftermath.NOTE, ""))
        await self._given(ack, form, command, aftermath.OUTCOME)

    async def _recorded(self, ack: AsyncAck, search_id: SearchId, command: Command) -> None:
        """The form closes, or says that what was recorded is an arrest on a lead that nobody may use."""
        search = await self._casework.look(search_id)
        why = self._casework.withheld(search)
        match command:
            case RecordOutcome(outcome=LeadOutcome.ARREST) if why:
                await ack(response_action="update", view=review.telling(aftermath.arrest_recorded(why)))
            case _:
                await ack()

    async def _given(self, ack: AsyncAck, form: clicks.Submission, command: Command, field: str) -> None:
        """Recorded before the form closes, or the form says why not."""
        by = await self._people.actor(form.team, form.account)
        match await self._casework.submit(SearchId(form.meta["search"]), command, by):
            case (Refused(rule, reason),):
                await ack(response_action="errors", errors={FIELD_OF_RULE.get(rule, field): reason})
            case _:
                await self._recorded(ack, SearchId(form.meta["search"]), command)

    async def recall_acknowledged(self, body: dict[str, Any]) -> None:
        pressed = clicks.click(body)
        by = await self._people.actor(pressed.team, pressed.account)
        match await self._casework.submit(SearchId(pressed.value), AcknowledgeRecall(), by):
            case (Refused(_, reason),):
                await self._desk.open_view(pressed.trigger, review.telling(reason))
            case _:
                pass


class Afterwards:
    """The errands that follow a lead. Built by the composition root."""

    def __init__(self, casework: Casework, pool: Pool, desk: Desk, team: str, oversight: str) -> None:
        self._casework = casework
        self._pool = pool
        self._desk = desk
        self._team = team
        self._oversight = oversight

    def by_kind(self) -> Mapping[str, Callable[[Lease], Awaitable[None]]]:
        return {
            "remind-lead": self.remind,
            "remind-unseen": self.remind_unseen,
            "tell-unseen": self.tell_unseen,
            "tell-arrest": self.tell_arrest,
            "expire-lead": self.expire,
            "tell-expired": self.tell_expired,
            "tell-recalled": self.tell_recalled,
            "remind-recall": self.tell_recalled,
            "settle-recall": self.settle_recall,
            "exonerate": self.exonerate,
        }

    async def remind(self, lease: Lease) -> None:
        """The requester knows when the lead expires, and what they owe until then (M28)."""
        search = await self._look(lease)
        if search.aftermath is None and search.expires_at is not None and not self._casework.withheld(search):
            await self._tell(lease, search, aftermath.expires_soon(search, search.expires_at))
        await self._casework.finish(lease)

    async def remind_unseen(self, lease: Lease) -> None:
        """The requester knows that a lead waits for their acknowledgement, and that it expires all the same."""
        search = await self._look(lease)
        if search.acknowledged_at is None and not self._casework.withheld(search):
            await self._tell(lease, search, aftermath.unseen(search))
        await self._casework.finish(lease)

    async def tell_unseen(self, lease: Lease) -> None:
        """The supervisors know of a lead that nobody looks at: its requester may be away, or not know of it."""
        search = await self._look(lease)
        if search.acknowledged_at is None and not self._casework.withheld(search):
            key = ids.post_key(lease.key, "unseen")
            await self._desk.post(key, self._oversight, aftermath.nobody_saw(search), again=lease.again)
        await self._casework.finish(lease)

    async def tell_arrest(self, lease: Lease) -> None:
        """The supervisors know at once of an arrest on a lead that nobody may use."""
        search = await self._look(lease)
        said = aftermath.arrest_on_withheld(search, self._casework.withheld(search))
        await self._desk.post(ids.post_key(lease.key, "arrest"), self._oversight, said, again=lease.again)
        await self._casework.finish(lease)

    async def expire(self, lease: Lease) -> None:
        await self._casework.submit(SearchId(lease.payload["search"]), ExpireLead(), SYSTEM, lease=lease)

    async def tell_expired(self, lease: Lease) -> None:
        search = await self._look(lease)
        key = ids.post_key(lease.key, "expired")
        await self._desk.post(key, self._oversight, aftermath.expired(search), again=lease.again)
        await self._casework.finish(lease)

    async def tell_recalled(self, lease: Lease) -> None:
        """Whoever has it is asked to destroy it, again every day until they answer; the supervisors know (M27)."""
        search = await self._look(lease)
        if search.acknowledged_at is not None and search.recall_acknowledged_at is None:
            await self._tell(lease, search, aftermath.recalled(search))
        key = ids.post_key(search.id, "was-recalled")
        await self._desk.post(key, self._oversight, aftermath.was_recalled(search), again=lease.again)
        await self._casework.finish(lease)

    async def settle_recall(self, lease: Lease) -> None:
        """What was asked and told says that it was answered."""
        search = await self._look(lease)
        for key, said in (
            (ids.post_key(search.id, "was-recalled"), aftermath.was_recalled(search)),
            (ids.post_key(search.id, "told"), aftermath.recalled(search)),
        ):
            if known := await self._desk.posted(key):
                await self._desk.update(*known, said)
        await self._casework.finish(lease)

    async def exonerate(self, lease: Lease) -> None:
        """The case was closed on another person: every lead of that case is recalled, this one among them (X13)."""
        search = await self._look(lease)
        async with self._pool.acquire() as conn:
            every = await leads_of_the_case(conn, search.id)
        for one in every:
            await self._casework.submit(one, RecallLead(ANOTHER), SYSTEM)
        await self._casework.finish(lease)

    async def _look(self, lease: Lease) -> Search:
        return await self._casework.look(SearchId(lease.payload["search"]))

    async def _tell(self, lease: Lease, search: Search, message: aftermath.Message) -> None:
        """A direct message to the requester, where they still have an account."""
        assert search.requested_by is not None, "a lead that nobody requested"
        async with self._pool.acquire() as conn:
            account = await account_of(conn, self._team, search.requested_by)
        if account is not None:
            channel = await self._desk.direct_channel(account)
            key = ids.post_key(search.id if lease.kind == "tell-recalled" else lease.key, "told")
            await self._desk.post(key, channel, message, again=lease.again)


OF_THE_CASE = """
SELECT other.id FROM casework.search AS this JOIN casework.search AS other ON other.case_number = this.case_number
WHERE this.id = $1 AND other.state = 'lead' AND this.case_number <> 'purged' ORDER BY other.requested_at, other.id
"""


async def leads_of_the_case(conn: Conn, search: SearchId) -> list[SearchId]:
    """Every lead of the case that the search belongs to."""
    return [SearchId(row["id"]) for row in await conn.fetch(OF_THE_CASE, search)]


OPEN = """
SELECT id, (body ->> 'expires_at')::timestamptz AS due, body ->> 'recalled' <> '' AS recalled,
    (body ->> 'issued_at')::timestamptz AS issued, body ->> 'acknowledged_at' IS NOT NULL AS seen,
    body ->> 'recall_acknowledged_at' IS NOT NULL AS answered
FROM casework.search WHERE state = 'lead' AND body ->> 'expires_at' IS NOT NULL AND body ->> 'expired_at' IS NULL
    AND (body ->> 'aftermath' IS NULL OR body ->> 'recalled' <> '') ORDER BY id
"""


async def due(conn: Conn, now: datetime) -> list[Job]:
    """What the day asks of leads: reminders, expiries, and recalls that nobody has answered."""
    return [job for row in await conn.fetch(OPEN) for job in _due(row, now)]


def _due(row: Any, now: datetime) -> list[Job]:
    search = {"search": row["id"]}
    if row["recalled"]:
        owed = row["seen"] and not row["answered"]
        return [Job("remind-recall", f"{row['id']}:{now.date()}", search)] if owed else []
    left = (row["due"] - now) / DAY
    if left <= 0:
        return [Job("expire-lead", row["id"], search)]
    days = next((days for days in BEFORE if left <= days), None)
    if row["seen"]:
        return [Job("remind-lead", f"{row['id']}:{days}", search)] if days else []
    return _unseen(row["id"], (now - row["issued"]) / DAY if row["issued"] else 0, days)


DAY = timedelta(days=1)


def _unseen(search: SearchId, waited: float, days: int | None) -> list[Job]:
    """Of a lead that nobody acknowledged: its requester is told, then the supervisors, and again before it expires."""
    payload = {"search": search}
    again = [Job("remind-unseen", f"{search}:{days}", payload)] if days else []
    first = [Job("remind-unseen", f"{search}:issued", payload)] if waited >= UNSEEN and not days else []
    return [*first, *again, *([Job("tell-unseen", search, payload)] if waited >= UNSEEN_TOLD else [])]
