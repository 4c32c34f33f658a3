"""Logs explain; the ledger testifies and never goes through here. JSON lines on stdout."""

import logging
import sys
from typing import Any

import structlog
from structlog.typing import EventDict


def setup(level: int = logging.INFO) -> None:
    """Structlog and the libraries' logs go to stdout as JSON; exceptions by type and place, never by their text."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            without_text,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stdout, format='{"logger": "%(name)s", "level": "%(levelname)s"}'
    )


def without_text(_: Any, __: str, event: EventDict) -> EventDict:
    """An exception's text may carry row values or addresses: its type and the lines it passed are enough."""
    error = event.pop("exc_info", None)
    if isinstance(error, BaseException):
        event["exception"] = type(error).__qualname__
        frames: list[str] = []
        trace = error.__traceback__
        while trace:
            code = trace.tb_frame.f_code
            frames.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}:{code.co_name}")
            trace = trace.tb_next
        event["frames"] = frames[-12:]
    return event
