"""Logs explain; the ledger testifies and never goes through here. JSON lines on stdout, and a buffer for Postgres.

Nothing personal by construction: only named keys pass, objects are never made text, exceptions are told by type and
place, and libraries by where in their source they spoke, never by what they said (asyncpg's details carry row values,
slack_sdk's messages carry what people wrote).
"""

import collections
import logging
import math
import re
import secrets
import sys
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, TextIO
from uuid import UUID

import structlog
from structlog.typing import EventDict

# What a record may say besides its event; a test holds the log calls of the bot to this list.
ALLOWED = frozenset({
    *("event", "level", "timestamp", "service", "logger", "place"),
    *("search", "job", "kind", "actor", "rule", "attempt", "state", "lost"),
    *("count", "size", "port", "transport", "elapsed_ms", "status", "revision", "away", "drafts"),
    *("error", "exception", "frames", "sqlstate", "constraint", "slack_error"),
})  # fmt: skip
SECRET = re.compile(
    r"xox[a-z]-[\w-]+|xapp-[\w-]+|xoxe[.\w-]+|eyJ[\w-]{10,}\.[\w-]+|-----BEGIN [A-Z ]+-----|PRIVATE\+KEY\S+"
    r"|(?<=://)[^/\s@]*@|https://(?:files|hooks)\.slack\.com/\S+"
)
NAME = re.compile(r"[a-z][a-z0-9.-]{0,60}")
LONGEST = 200  # characters of a value
MOST = 20  # elements of a value
FRAMES = 12
HEADROOM = 0.9  # of the buffer; the rest is for errors
LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "exception": 40, "critical": 50}


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the log."""

    number: int
    at: datetime
    level: int
    event: str
    context: Mapping[str, Any]


@dataclass(slots=True)
class Buffer:
    """Records on their way to Postgres: bounded, never blocking; what finds no place is counted by level."""

    service: str
    run: str = field(default_factory=lambda: secrets.token_hex(8))
    capacity: int = 20_000
    number: int = 0
    dropped: collections.Counter[int] = field(default_factory=collections.Counter[int])
    _told: int = 0
    _latest: datetime | None = None
    _records: collections.deque[Record] = field(default_factory=collections.deque[Record])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, event: EventDict) -> None:
        """The record waits to be taken, or is counted as dropped."""
        level = LEVELS.get(str(event.get("level")), logging.INFO)
        context = {name: value for name, value in event.items() if name not in {"event", "level", "timestamp"}}
        at = datetime.fromisoformat(event["timestamp"])
        with self._lock:
            self.number, self._latest = self.number + 1, at
            if len(self._records) >= self.capacity * (1.0 if level >= logging.ERROR else HEADROOM):
                self.dropped[level] += 1
                return
            self._records.append(Record(self.number, at, level, str(event["event"]), context))

    def take(self, most: int) -> list[Record]:
        """Up to `most` records, the oldest first; they are in the taker's hands now."""
        with self._lock:
            return [self._records.popleft() for _ in range(min(most, len(self._records)))]

    def give_up(self, levels: Iterable[int]) -> None:
        """Records of these levels could not be kept anywhere."""
        with self._lock:
            self.dropped.update(levels)

    def loss(self) -> list[Record]:
        """What was dropped and not yet told of, as a record of its own."""
        with self._lock:
            total = self.dropped.total()
            if total == self._told or self._latest is None:
                return []
            since, self._told, self.number = total - self._told, total, self.number + 1
            return [Record(self.number, self._latest, logging.ERROR, "log.dropped", {"count": since})]

    def __len__(self) -> int:
        return len(self._records)


def setup(service: str = "leadgate", *, level: int = logging.INFO, stream: TextIO = sys.stdout) -> Buffer:
    """Everything that is logged, by us and by libraries, goes to `stream` and into the buffer, in this order."""
    buffer = Buffer(service)

    def keep(_: Any, __: str, event: EventDict) -> EventDict:
        buffer.put(event)
        return event

    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        without_text,
        redacted,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        keep,
        structlog.processors.JSONRenderer(),
    ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers[:] = [Libraries()]
    root.setLevel(logging.WARNING)
    return buffer


class Libraries(logging.Handler):
    """What libraries log, as an event of ours: who spoke, where, how loudly; not what was said."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            place = f"{record.filename}:{record.lineno}:{record.funcName}"
            log = structlog.get_logger()
            log.log(record.levelno, "library", logger=record.name, place=place, exc_info=record.exc_info)
        except Exception:  # noqa: BLE001 - as every handler: logging must not break what it tells of
            self.handleError(record)


def redacted(_: Any, __: str, event: EventDict) -> EventDict:
    """Only what is allowed, scrubbed; `lost` names the keys that did not pass."""
    kept = {name: scrubbed(value) for name, value in event.items() if name in ALLOWED}
    if not NAME.fullmatch(str(kept["event"])):
        kept["event"] = "unnamed"  # a sentence may have anything in it: structlog fills in its positional arguments
    if lost := sorted(re.sub(r"\W", "?", name)[:32] for name in event if name not in ALLOWED):
        kept["lost"] = lost[:MOST]
    return kept


def scrubbed(value: object, depth: int = 0) -> Any:
    """`value` as JSON can hold it, short and without secrets; an object is told by its type only."""
    match value:
        case None | bool() | int():
            return value
        case float():
            return round(value, 3) if math.isfinite(value) else str(value)
        case UUID():
            return str(value)
        case str():
            plain = value.replace("\0", "?").encode(errors="replace").decode()  # what Postgres takes for text
            return SECRET.sub("<secret>", plain)[:LONGEST]
        case list() | tuple() if depth < 1:
            return [scrubbed(one, depth + 1) for one in value[:MOST]]  # pyright: ignore[reportUnknownVariableType]
        case _:
            return f"<{type(value).__name__}>"


def without_text(_: Any, __: str, event: EventDict) -> EventDict:
    """An exception's text may carry row values or addresses: its type and the lines it passed are enough."""
    told = event.pop("exc_info", None)
    event.pop("stack_info", None)
    error = sys.exc_info()[1] if told is True else told[1] if isinstance(told, tuple) else told
    if isinstance(error, BaseException):
        event["exception"] = type(error).__qualname__
        event["frames"] = _frames(error.__traceback__)
        for name, attribute in (("sqlstate", "sqlstate"), ("constraint", "constraint_name")):
            if isinstance(found := getattr(error, attribute, None), str):
                event[name] = found
    return event


def _frames(trace: TracebackType | None) -> list[str]:
    frames: list[str] = []
    while trace:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}:{code.co_name}")
        trace = trace.tb_next
    return frames[-FRAMES:]
