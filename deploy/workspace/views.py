"""Modals and Home tabs: a trigger of three seconds and one use opens them; each person's stack holds at most three.

Source: docs.slack.dev/surfaces/modals.
"""

import json
import secrets
from dataclasses import dataclass
from typing import Any

from .blocks import elements_of, faults_in_view, slack_files_in
from .clock import Clock, Timings
from .feed import Feed
from .files import Files
from .model import Json, SlackError, View
from .shapes import Shapes
from .state import State

DEPTH, VIEW_BYTES = 3, 250_000


@dataclass(slots=True)
class Trigger:
    """The right to open a modal for `user`; `view` is the modal in which it arose."""

    user: str
    expires: float
    view: str | None
    spent: bool = False


class Triggers:
    def __init__(self, clock: Clock, timings: Timings) -> None:
        self._clock, self._timings = clock, timings
        self._issued: dict[str, Trigger] = {}

    def issue(self, user: str, view: str | None = None) -> str:
        now = self._clock.now()
        key = f"{int(now * 1000)}.{secrets.randbelow(10**10)}.{secrets.token_hex(16)}"
        self._issued[key] = Trigger(user, now + self._timings.trigger, view)
        return key

    def spend(self, untrusted_key: str) -> Trigger:
        trigger = self._issued.get(untrusted_key)
        if trigger is None:
            raise SlackError("invalid_trigger_id" if untrusted_key else "invalid_arguments")
        if trigger.spent:
            raise SlackError("exchanged_trigger_id")
        if self._clock.now() > trigger.expires:
            raise SlackError("expired_trigger_id")
        trigger.spent = True
        return trigger


def completed(part: Any) -> Any:
    """Text objects as Slack gives them back: with `emoji` and `verbatim`, so an option is not quite what was sent."""
    if isinstance(part, list):
        return [completed(p) for p in part]
    if not isinstance(part, dict):
        return part
    filled: Json = {k: completed(v) for k, v in part.items()}
    if isinstance(filled.get("text"), str) and filled.get("type") in {"plain_text", "mrkdwn"}:
        filled.setdefault(*{"plain_text": ("emoji", True), "mrkdwn": ("verbatim", False)}[filled["type"]])
    return filled


def name_blocks(blocks: list[Json]) -> list[Json]:
    """The same blocks, with the ids that Slack gives to those that have none."""
    named: list[Json] = completed(json.loads(json.dumps(blocks)))
    for block in named:
        block.setdefault("block_id", secrets.token_urlsafe(4)[:5])
        for element in elements_of(block):
            element.setdefault("action_id", secrets.token_urlsafe(4)[:5])
    return named


class Views:
    """Every open modal, by person, and every Home tab."""

    def __init__(
        self, state: State, shapes: Shapes, clock: Clock, triggers: Triggers, files: Files, feed: Feed
    ) -> None:
        self._state, self._shapes, self._clock, self._triggers, self._feed = state, shapes, clock, triggers, feed
        self._files = files
        self.stacks: dict[str, list[View]] = {}

    # -- what the app asks for ---------------------------------------------------------------------------------

    def open(self, trigger_id: str, untrusted_view: Any) -> View:
        self._judge(untrusted_view)
        trigger = self._triggers.spend(trigger_id)
        view = self._make(trigger.user, untrusted_view)
        self.stacks[trigger.user] = [view]
        self._tell(trigger.user)
        return view

    def push(self, trigger_id: str, untrusted_view: Any) -> View:
        self._judge(untrusted_view)
        trigger = self._triggers.spend(trigger_id)
        if trigger.view is None or not self.find(view_id=trigger.view):
            raise SlackError("invalid_trigger_id")
        return self.push_for(trigger.user, untrusted_view)

    def push_for(self, user: str, untrusted_view: Any) -> View:
        self._judge(untrusted_view)
        stack = self.stacks.get(user, [])
        if len(stack) >= DEPTH:
            raise SlackError("push_limit_reached")
        view = self._make(user, untrusted_view)
        if stack:
            view.root, view.previous = stack[0].id, stack[-1].id
        self.stacks[user] = [*stack, view]
        self._tell(user)
        return view

    def update(self, untrusted_view: Any, *, view_id: str = "", external_id: str = "", view_hash: str = "") -> View:
        self._judge(untrusted_view, ("modal", "home"))
        view = self.find(view_id=view_id, external_id=external_id)
        if view is None or view.type != untrusted_view["type"]:
            raise SlackError("not_found")
        if view_hash and view_hash != view.hash:
            raise SlackError("hash_conflict")
        self._rewrite(view, untrusted_view)
        self._tell(view.user)
        return view

    def publish(self, user: str, untrusted_view: Any, view_hash: str = "") -> View:
        self._judge(untrusted_view, ("home",))
        view = self._state.homes.get(user)
        if view_hash and (view is None or view_hash != view.hash):
            raise SlackError("hash_conflict")
        if view is None:
            view = self._make(user, untrusted_view)
        else:
            self._rewrite(view, untrusted_view)
        self._state.keep(view)
        self._feed.tell([user], {"type": "home", "view": self._shapes.view(view)})
        return view

    # -- what the person does ----------------------------------------------------------------------------------

    def top(self, user: str) -> View | None:
        stack = self.stacks.get(user)
        return stack[-1] if stack else None

    def find(self, *, view_id: str = "", external_id: str = "") -> View | None:
        everything = [v for stack in self.stacks.values() for v in stack] + list(self._state.homes.values())
        if external_id:
            return next((v for v in everything if v.external_id == external_id), None)
        return next((v for v in everything if v.id == view_id), None)

    def pop(self, user: str) -> None:
        self.stacks[user] = self.stacks.get(user, [])[:-1]
        self._tell(user)

    def clear(self, user: str) -> list[View]:
        closed, self.stacks[user] = self.stacks.get(user, []), []
        self._tell(user)
        return closed

    # -- how --------------------------------------------------------------------------------------------------

    def _judge(self, untrusted_view: Any, kinds: tuple[str, ...] = ("modal",)) -> None:
        if findings := faults_in_view(untrusted_view, kinds):
            raise SlackError("invalid_arguments", *findings)
        for reference, at in slack_files_in(untrusted_view["blocks"]):
            key = file_named(reference)
            if not self._files.showable(self._state.bot_user, key):
                raise SlackError("invalid_arguments", f"[ERROR] invalid slack file [json-pointer:/view{at}/slack_file]")
        if len(json.dumps(untrusted_view)) > VIEW_BYTES:
            raise SlackError("view_too_large")
        external = untrusted_view.get("external_id")
        known = self.find(external_id=external) if external else None
        if known and known.body.get("callback_id") != untrusted_view.get("callback_id"):
            raise SlackError("duplicate_external_id")

    def _make(self, user: str, body: Json) -> View:
        key = self._state.next_id("V")
        view = View(key, user, body["type"], {}, "", root=key)
        self._rewrite(view, body)
        return view

    def _rewrite(self, view: View, body: Json) -> None:
        """What was typed stays typed where the block and the action are still there (docs: "Updating views")."""
        for reference, _ in slack_files_in(body["blocks"]):
            self._files.shown(file_named(reference), user=view.user)
        view.body = completed(body) | {"blocks": name_blocks(body["blocks"])}
        view.external_id = body.get("external_id") or ""
        view.hash = f"{int(self._clock.now())}.{secrets.token_hex(4)}"
        present = {(b["block_id"], e["action_id"]) for b in view.body["blocks"] for e in elements_of(b)}
        kept: Json = {}
        for block, actions in view.values.items():
            if still := {a: v for a, v in actions.items() if (block, a) in present}:
                kept[block] = still
        view.values = kept

    def _tell(self, user: str) -> None:
        self._feed.tell([user], {"type": "views", "views": [self._shapes.view(v) for v in self.stacks.get(user, [])]})


def file_named(reference: Json) -> str:
    """The file id in a `slack_file`, whether it is named by id or by its private address."""
    if key := reference.get("id"):
        return str(key)
    parts = str(reference.get("url", "")).split("/")
    return next((p.partition("-")[2] for p in parts if p.startswith("T") and "-F" in p), "")
