"""The door: a command comes in, the policy decides; state, ledger and follow-up jobs are written in one transaction.

A crash at any line leaves all three or none. What cannot be recorded is not done.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import reduce
from typing import Any, cast

import structlog
from pydantic import TypeAdapter

from bot import checklist, drafts, jobs, known_answers, ledger, queue, store
from bot.database import Conn, Pool
from policy import approval, typed
from policy.authority import searchable, withheld
from policy.model import (
    Actor,
    Command,
    Event,
    ExaminationConcluded,
    Label,
    PersonId,
    Refused,
    Role,
    Search,
    SearchId,
    State,
)
from policy.morphology import Component, Found
from policy.pack import Pack, PackError, place_of
from policy.workflow import Events, decide, evolve, may

log = structlog.get_logger()

PRIVATE = frozenset(  # committed to; erasable, class by class (bot/retention.py)
    {
        "case_number",
        "case_number_typed",
        "fields",
        "checks",
        "resolutions",
        "candidates",
        "differences",
        "reference",
        "note",
    }
)

SYSTEM = Actor(PersonId("system"), frozenset({Role.SYSTEM}))


class Casework:
    """All commands go through `submit`; it alone opens transactions for facts."""

    def __init__(
        self, pool: Pool, packs: Mapping[str, Pack], active: Pack, clock: Callable[[], datetime], kek: bytes
    ) -> None:
        self._pool = pool
        self._packs = {**packs, active.id: active}
        self._active = active
        self._clock = clock
        self._kek = kek

    async def submit(
        self, search_id: SearchId, command: Command, by: Actor, *, lease: queue.Lease | None = None
    ) -> Events:
        """What `command` led to is recorded, its follow-up jobs are enqueued, and the job that brought it is over.

        An empty answer means that it had been done before. Refusals are recorded and returned like every event.
        """
        now, command = self._clock(), typed.cleaned(command)
        async with self._pool.acquire() as conn, conn.transaction():
            await store.lock(conn, search_id)
            before = await store.load(conn, search_id)
            events = decide(before, command, by, self.pack_of(before), now)
            after = reduce(evolve, events, before)
            if after != before:
                await store.save(conn, after, now)
            await self._record(conn, after, events, by, now)
            if (before.state is State.NEW and after.state is not State.NEW) or any(map(_locks, events)):
                await drafts.forget(conn, search_id, by.id)
            if lease:
                await queue.complete(conn, lease)
        for event in events:
            log.info("casework.event", search=search_id, kind=type(event).__name__, actor=by.id, rule=_rule(event))
        return events

    async def _record(self, conn: Conn, after: Search, events: Events, by: Actor, now: datetime) -> None:
        for event in events:
            data, private = as_entry(event)
            stream = stream_of(after.id)
            await ledger.append(conn, stream, type(event).__name__, at=now, actor=by.id, data=data, private=private)
            await store.testify(conn, after, event, now)
            for job in jobs.following(event, after, now):
                await queue.enqueue(conn, job)

    async def refuse(self, search_id: SearchId, refused: Refused, by: Actor) -> None:
        """That somebody tried what is not permitted is recorded, where it never came to a command."""
        async with self._pool.acquire() as conn, conn.transaction():
            await store.lock(conn, search_id)
            await self._record(conn, await store.load(conn, search_id), (refused,), by, self._clock())
        log.info("casework.event", search=search_id, kind="Refused", actor=by.id, rule=refused.rule)

    async def remember(self, job: queue.Job) -> None:
        """What came in is durable before it is acknowledged: Slack never redelivers what was."""
        async with self._pool.acquire() as conn, conn.transaction():
            await queue.enqueue(conn, job)

    def may(self, search: Search, command: Command, by: Actor) -> Refused | None:
        """Whether `by` could give `command` now; asked before something is shown, and decided again when it is done."""
        return may(search, command, by, self.pack_of(search), self._clock())

    async def note(self, stream: str, kind: str, by: Actor, data: Mapping[str, Any]) -> None:
        """The ledger has an entry of a stream that is no search's own."""
        async with self._pool.acquire() as conn, conn.transaction():
            await ledger.append(conn, stream, kind, at=self._clock(), actor=by.id, data=data)

    def now(self) -> datetime:
        return self._clock()

    async def sat_down(self, search_id: SearchId, by: Actor, probe: str | None = None) -> None:
        """An examiner is at it now, and the time since they last were is counted (S7); `probe` was served to them."""
        async with self._pool.acquire() as conn:
            await known_answers.sat_down(conn, search_id, by.id, self._clock(), probe)

    async def probe_served(self, search_id: SearchId, by: Actor) -> str:
        """The SHA-256 of the submitted image that `by` was served at the viewer; empty before."""
        async with self._pool.acquire() as conn:
            return await known_answers.probe_served(conn, search_id, by.id) or ""

    async def compared(self, search_id: SearchId, candidate: Label, by: Actor) -> Mapping[Component, Found]:
        """What `by` found so far of that candidate, component by component."""
        async with self._pool.acquire() as conn:
            return await checklist.compared(conn, search_id, by.id, candidate)

    async def compare(
        self, search_id: SearchId, candidate: Label, findings: Mapping[Component, Found], by: Actor
    ) -> None:
        """The findings stand, and the ledger has those that are new."""
        now = self._clock()
        async with self._pool.acquire() as conn, conn.transaction():
            before = await checklist.compared(conn, search_id, by.id, candidate)
            for component, found in findings.items():
                if before.get(component) is not found:
                    await checklist.find(conn, search_id, by.id, candidate, component, found, now)
                    said = {"candidate": candidate, "component": component, "finding": found}
                    await ledger.append(
                        conn, f"viewer:{search_id}", "ComponentCompared", at=now, actor=by.id, data=said
                    )

    async def draft(self, search_id: SearchId, by: Actor) -> dict[str, str]:
        """What `by` had typed into the form of this search before closing it."""
        async with self._pool.acquire() as conn, conn.transaction():
            return await drafts.opened(conn, self._kek, search_id, by.id)

    async def keep_draft(self, search_id: SearchId, command: Command, by: Actor, answers: Mapping[str, str]) -> None:
        """What `by` typed is found again, as long as they could give the command that it is for."""
        async with self._pool.acquire() as conn, conn.transaction():
            await store.lock(conn, search_id)
            if self.may(await store.load(conn, search_id), command, by) is None:
                await drafts.keep(conn, self._kek, search_id, by.id, answers)

    async def look(self, search_id: SearchId) -> Search:
        async with self._pool.acquire() as conn:
            return await store.load(conn, search_id)

    async def finish(self, lease: queue.Lease) -> None:
        """A job without a fact of its own is over."""
        async with self._pool.acquire() as conn, conn.transaction():
            await queue.complete(conn, lease)

    def withheld(self, search: Search) -> str:
        """Why nobody may see the result now; empty where they may (M41)."""
        return withheld(search, self._clock())

    def searchable(self, search: Search) -> tuple[str, ...]:
        """The classes of photographs that this search may reach now (M42)."""
        return searchable(search, self.pack_of(search), self._clock())

    def pack_of(self, search: Search) -> Pack:
        """The pack it was requested under; the active one where it was not requested yet (M44)."""
        return self._active if search.state is State.NEW else self._packs[search.pack]

    @property
    def packs(self) -> Mapping[str, Pack]:
        """Every pack that a search was requested under, and the active one, by id."""
        return self._packs

    @property
    def active(self) -> Pack:
        return self._active


def stream_of(search_id: SearchId) -> str:
    return f"search:{search_id}"


def _locks(event: Event) -> bool:
    return isinstance(event, ExaminationConcluded)


def _rule(event: Event) -> str | None:
    return event.rule if isinstance(event, Refused) else None


def as_entry(event: Event) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """What the ledger keeps of `event`: data in the clear, and what it only commits to."""
    every = cast("dict[str, Any]", TypeAdapter(type(event)).dump_python(event, mode="json"))
    private = {name: value for name, value in every.items() if name in PRIVATE}
    data = {name: value for name, value in every.items() if name not in PRIVATE}
    return data, private or None


def from_entry(kind: str, data: Mapping[str, Any]) -> Event:
    """The event that an entry tells of, its private fields opened."""
    kinds: dict[str, type] = {event.__name__: event for event in Event.__args__}
    return cast("Event", TypeAdapter(kinds[kind]).validate_python(dict(data)))


REGISTER_PACK = """
INSERT INTO casework.pack (id, sha256, text, examiners, supervisor_decides, certification, checklist, foils)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING
"""
REGISTER_PURPOSE = "INSERT INTO casework.purpose (pack, code) VALUES ($1, $2) ON CONFLICT DO NOTHING"
REGISTER_TERMS = """
INSERT INTO casework.terms
    (pack, purpose, approvers, emergency_hours, exceptional, exception_days, accepted_tiers, override_tiers)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING
"""
PACKS = "SELECT id, sha256, text FROM casework.pack"


class PackAlteredError(PackError):
    """A pack of this name and version was used before and said something else; give it a new version."""


async def register(conn: Conn, pack: Pack, text: str) -> list[tuple[str, str]]:
    """`pack` may be searched under from now on; answers (id, text) of every pack ever used."""
    review, certification = pack.review, pack.certification.required
    await conn.execute(
        REGISTER_PACK,
        pack.id,
        pack.sha256,
        text,
        review.examiners,
        review.supervisor_decides,
        certification,
        review.checklist,
        pack.foils.shown if pack.foils else None,
    )
    await hold_to(conn, pack)
    rows = await conn.fetch(PACKS)
    if any(row["id"] == pack.id and row["sha256"] != pack.sha256 for row in rows):
        at = place_of(text, f"{pack.name}.toml", ("version",))
        raise PackAlteredError(
            f"{at}: version: new-version: {pack.id} was used here before and said something else. Its searches live "
            "under what it said then; nothing was changed. Give the altered pack a new version, and sign it again."
        )
    return [(row["id"], row["text"]) for row in rows]


async def hold_to(conn: Conn, pack: Pack) -> None:
    """The database has what `pack` asks for each of its purposes, and lets no search stand on less."""
    photographs, tiers = pack.repositories, pack.quality
    for purpose in pack.purposes:
        await conn.execute(REGISTER_PURPOSE, pack.id, purpose.code)
        emergency = approval.path(purpose.code, pack)
        await conn.execute(
            REGISTER_TERMS,
            pack.id,
            purpose.code,
            approval.always(purpose.code, pack),
            emergency.approval_hours if emergency else None,
            list(photographs.exceptional),
            photographs.exception_days,
            list(tiers.accepted_tiers),
            list(tiers.override_tiers),
        )


async def known_packs(conn: Conn) -> list[tuple[str, str]]:
    """(id, text) of every pack ever used."""
    return [(row["id"], row["text"]) for row in await conn.fetch(PACKS)]
