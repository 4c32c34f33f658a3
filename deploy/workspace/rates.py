"""How often a method may be called: Slack's tiers, counted per method over a minute.

Source: docs.slack.dev/apis/web-api/rate-limits. `chat.postMessage` is counted per channel: one a second, with a short
burst let through. Tier 5 stands for the "special" tier of methods that Slack lets through by the hundred.
"""

from collections import deque
from typing import Final

from .clock import Clock, Timings

TIERS: Final = {1: 1, 2: 20, 3: 50, 4: 100, 5: 600}
POSTS_A_WINDOW, POST_BURST = 60, 10


class Rates:
    """Refuses the call that is one too many, and says after how many seconds it would be taken."""

    def __init__(self, clock: Clock, timings: Timings) -> None:
        self._clock, self._timings = clock, timings
        self._calls: dict[str, deque[float]] = {}
        self._posts: dict[str, tuple[float, float]] = {}
        self.scale = 1.0

    def wait(self, method: str, tier: int) -> float:
        """Seconds to wait; 0 when the call is taken. `scale` widens every tier."""
        now, window = self._clock.now(), self._timings.rate_window
        calls = self._calls.setdefault(method, deque())
        while calls and calls[0] <= now - window:
            calls.popleft()
        if len(calls) >= TIERS[tier] * self.scale:
            return max(1.0, calls[0] + window - now)
        calls.append(now)
        return 0.0

    def wait_to_post(self, channel: str) -> float:
        """A bucket that fills with one post a second and holds a burst."""
        now = self._clock.now()
        rate, burst = POSTS_A_WINDOW / self._timings.rate_window * self.scale, POST_BURST * self.scale
        left, since = self._posts.get(channel, (burst, now))
        left = min(burst, left + (now - since) * rate)
        if left < 1:
            self._posts[channel] = (left, now)
            return max(1.0, (1 - left) / rate)
        self._posts[channel] = (left - 1, now)
        return 0.0
