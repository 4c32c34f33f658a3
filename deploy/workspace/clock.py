"""The workspace's own time: real time unless a test moves it forward."""

import asyncio
import time
from dataclasses import dataclass


@dataclass(slots=True)
class Timings:
    """How long Slack waits, in seconds. Every figure is Slack's own; tests and the control door may scale them.

    Source: api.slack.com/apis/events-api#retries (at once, a minute, five minutes).
    """

    ack: float = 3.0
    redelivery: tuple[float, ...] = (0.0, 60.0, 300.0)
    trigger: float = 3.0
    response_url: float = 1800.0
    response_url_posts: int = 5
    file_processing: float = 0.4
    socket_life: float = 3600.0
    rate_window: float = 60.0


class Clock:
    """Says what time it is here, and lets a sleeper be overtaken by `advance`."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._moved = asyncio.Event()

    def now(self) -> float:
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """It is `seconds` later; whoever slept that long wakes."""
        self._ahead += max(0.0, seconds)
        self._moved.set()
        self._moved = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        until = self.now() + seconds
        while (left := until - self.now()) > 0:
            moved = self._moved
            try:
                await asyncio.wait_for(moved.wait(), left)
            except TimeoutError:
                return
