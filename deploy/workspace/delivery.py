"""Getting an envelope to the app: three seconds to acknowledge, then again at once, after a minute and after five.

Source: docs.slack.dev/apis/events-api#retries. Interactions and commands are never repeated: the person is told that it
did not work.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from .clock import Clock, Timings
from .faults import Faults
from .model import Json
from .state import Shelf

EnvelopeKind: TypeAlias = Literal["events_api", "interactive", "slash_commands"]
PENDING = "pending"

RetryReason: TypeAlias = Literal["http_timeout", "http_error", "connection_failed", "timeout", "no_retry"]


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is sent. `about` names it for the fault plan: the event's or the interaction's type."""

    kind: EnvelopeKind
    about: str
    payload: Json
    takes_response: bool = False


@dataclass(frozen=True, slots=True)
class Ack:
    """The app has it; `payload` is what it answered, if anything."""

    payload: Any = None


@dataclass(frozen=True, slots=True)
class NotAcknowledged:
    """The app did not answer in time, or not well."""

    reason: RetryReason


@dataclass(slots=True)
class Pending:
    """An event that the app has not acknowledged: `attempt` is the next one, due at `due`, and why it comes again."""

    envelope: Envelope
    attempt: int = 0
    reason: str = ""
    due: float = 0.0


class Transport(Protocol):
    async def send(self, envelope: Envelope, attempt: int, reason: str) -> Ack | NotAcknowledged:
        """One attempt. `attempt` counts from 0; `reason` says why the one before failed."""
        ...


class Delivery:
    """Sends envelopes over whichever transport the app has chosen, with the faults that were asked for.

    What is not acknowledged is kept on the shelf: a workspace that was killed goes on redelivering where it was.
    """

    def __init__(self, clock: Clock, timings: Timings, faults: Faults, transport: Transport, shelf: Shelf) -> None:
        self._clock, self._timings, self._faults, self._shelf = clock, timings, faults, shelf
        self.transport = transport
        self._running: set[asyncio.Task[None]] = set()
        self._held: list[Envelope] = []
        self.undelivered: list[Json] = []
        self.sent: list[Envelope] = []

    async def ask(self, envelope: Envelope) -> Ack | NotAcknowledged:
        """One attempt, answered: for what a person is waiting for."""
        self._record(envelope)
        match self._faults.delivery(envelope.about):
            case None:
                pass
            case fault if fault.what == "drop":
                return NotAcknowledged("timeout")
            case fault if fault.what in {"delay", "reorder"}:
                await self._clock.sleep(fault.seconds)
            case fault if fault.what == "duplicate":
                await self.transport.send(envelope, 0, "")
            case fault:
                await self.transport.send(envelope, 0, "")
                return NotAcknowledged("timeout")
        return await self.transport.send(envelope, 0, "")

    def post(self, envelope: Envelope) -> None:
        """An event: on its way, without anybody waiting for it."""
        self._record(envelope)
        fault = self._faults.delivery(envelope.about)
        if fault and fault.what == "reorder":
            self._held.append(envelope)
            self._start(self._release_later(fault.seconds))
            return
        copies = 2 if fault and fault.what == "duplicate" else 1
        for _ in range(copies):
            pending = Pending(envelope)
            self._keep(pending)
            self._start(self._deliver(pending, fault.what if fault else "", fault.seconds if fault else 0.0))
        held, self._held = self._held, []
        for late in held:
            self._start(self._deliver(Pending(late)))

    def resume(self) -> None:
        """What was not acknowledged before the restart comes again when it is due."""
        for kept in self._shelf.load(PENDING):
            envelope = Envelope("events_api", kept["about"], kept["payload"])
            self._start(self._deliver(Pending(envelope, kept["attempt"], kept["reason"], kept["due"])))

    def on_their_way(self) -> list[str]:
        """The events that the app has not acknowledged yet, by type."""
        return [str(kept["about"]) for kept in self._shelf.load(PENDING)]

    async def _release_later(self, seconds: float) -> None:
        """A held event is overtaken by the next one, or goes on its own when there is none."""
        await self._clock.sleep(seconds)
        held, self._held = self._held, []
        for late in held:
            await self._deliver(Pending(late))

    async def _deliver(self, pending: Pending, misfortune: str = "", seconds: float = 0.0) -> None:
        if misfortune == "delay":
            await self._clock.sleep(seconds)
        if misfortune == "no_ack":
            await self.transport.send(pending.envelope, 0, "")
        lost = misfortune in {"drop", "no_ack"}
        waits = self._timings.redelivery
        while pending.attempt <= len(waits):
            await self._clock.sleep(pending.due - self._clock.now())
            match await self._attempt(pending, lost=lost):
                case Ack() | NotAcknowledged("no_retry"):
                    return self._forget(pending)
                case NotAcknowledged(reason):
                    wait = waits[pending.attempt] if pending.attempt < len(waits) else 0.0
                    pending.attempt, pending.reason, pending.due = pending.attempt + 1, reason, self._clock.now() + wait
                    self._keep(pending)
            lost = False
        self._forget(pending)
        self.undelivered.append(pending.envelope.payload)
        return None

    async def _attempt(self, pending: Pending, *, lost: bool) -> Ack | NotAcknowledged:
        if lost:
            return NotAcknowledged("timeout")
        return await self.transport.send(pending.envelope, pending.attempt, pending.reason)

    def _keep(self, pending: Pending) -> None:
        envelope, key = pending.envelope, pending.envelope.payload["event_id"]
        kept = {"attempt": pending.attempt, "reason": pending.reason, "due": pending.due}
        self._shelf.save(PENDING, key, kept | {"about": envelope.about, "payload": envelope.payload})

    def _forget(self, pending: Pending) -> None:
        self._shelf.forget(PENDING, pending.envelope.payload["event_id"])

    def _record(self, envelope: Envelope) -> None:
        self.sent.append(envelope)
        del self.sent[:-5000]

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def close(self) -> None:
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
