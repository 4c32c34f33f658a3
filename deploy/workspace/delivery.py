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

EnvelopeKind: TypeAlias = Literal["events_api", "interactive", "slash_commands"]
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


class Transport(Protocol):
    async def send(self, envelope: Envelope, attempt: int, reason: str) -> Ack | NotAcknowledged:
        """One attempt. `attempt` counts from 0; `reason` says why the one before failed."""
        ...


class Delivery:
    """Sends envelopes over whichever transport the app has chosen, with the faults that were asked for."""

    def __init__(self, clock: Clock, timings: Timings, faults: Faults, transport: Transport) -> None:
        self._clock, self._timings, self._faults = clock, timings, faults
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
            self._start(self._deliver(envelope, fault.what if fault else "", fault.seconds if fault else 0.0))
        held, self._held = self._held, []
        for late in held:
            self._start(self._deliver(late, "", 0.0))

    async def _release_later(self, seconds: float) -> None:
        """A held event is overtaken by the next one, or goes on its own when there is none."""
        await self._clock.sleep(seconds)
        held, self._held = self._held, []
        for late in held:
            await self._deliver(late, "", 0.0)

    async def _deliver(self, envelope: Envelope, misfortune: str, seconds: float) -> None:
        if misfortune == "delay":
            await self._clock.sleep(seconds)
        if misfortune == "no_ack":
            await self.transport.send(envelope, 0, "")
        lost = misfortune in {"drop", "no_ack"}
        outcome = NotAcknowledged("timeout") if lost else await self.transport.send(envelope, 0, "")
        for attempt, wait in enumerate(self._timings.redelivery, 1):
            match outcome:
                case Ack() | NotAcknowledged("no_retry"):
                    return
                case NotAcknowledged(reason):
                    await self._clock.sleep(wait)
                    outcome = await self.transport.send(envelope, attempt, reason)
        if isinstance(outcome, NotAcknowledged):
            self.undelivered.append(envelope.payload)

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
