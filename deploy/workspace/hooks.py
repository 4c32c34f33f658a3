"""Response addresses: an app may answer an interaction five times within half an hour, without a token.

Source: docs.slack.dev/interactivity/handling-user-interaction#message_responses.
"""

import secrets
from dataclasses import dataclass
from typing import Any

from .clock import Clock, Timings
from .model import Json, Message, SlackError
from .posting import Draft, Posting
from .state import State


@dataclass(slots=True)
class Hook:
    """Where an answer goes, and how many more may come."""

    user: str
    channel: str
    message: Message | None
    left: int
    expires: float


class Hooks:
    def __init__(self, state: State, posting: Posting, clock: Clock, timings: Timings, base: str) -> None:
        self._state, self._posting, self._clock, self._timings, self.base = state, posting, clock, timings, base
        self._issued: dict[str, Hook] = {}

    def issue(self, user: str, channel: str, message: Message | None = None) -> str:
        secret = secrets.token_urlsafe(24)
        expires = self._clock.now() + self._timings.response_url
        self._issued[secret] = Hook(user, channel, message, self._timings.response_url_posts, expires)
        return f"{self.base}/actions/{self._state.team}/{secret}"

    def use(self, secret: str, untrusted: Any) -> None:
        hook = self._issued.get(secret)
        if hook is None or hook.left <= 0:
            raise SlackError("used_url")
        if self._clock.now() > hook.expires:
            raise SlackError("expired_url")
        if not isinstance(untrusted, dict):
            raise SlackError("invalid_payload")
        self._apply(hook, untrusted)
        hook.left -= 1

    def _apply(self, hook: Hook, body: Json) -> None:
        if hook.message and body.get("delete_original"):
            self._posting.delete(hook.message)
            return
        draft = Draft.read(body)
        if hook.message and body.get("replace_original"):
            self._posting.judge(draft)
            self._posting.edit(hook.message, draft)
        elif body.get("response_type") == "in_channel":
            self._posting.judge(draft)
            self._posting.post_as_bot(hook.channel, draft)
        else:
            self._posting.judge(draft)
            self._posting.post_ephemeral(hook.channel, hook.user, draft)

    def answer_now(self, user: str, channel: str, untrusted: Any) -> None:
        """What an app put into its acknowledgement of a command."""
        body: Json = {"text": untrusted} if isinstance(untrusted, str) else untrusted
        if body.get("text") or body.get("blocks"):
            self._apply(Hook(user, channel, None, 1, 0.0), body)
