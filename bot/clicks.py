"""Slack's interactive payloads, read once: the only place that knows their shape."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.views import blocks


@dataclass(frozen=True, slots=True)
class Click:
    """A button pressed, an option chosen or a shortcut used."""

    team: str
    account: str
    trigger: str
    action: str
    value: str
    block: str
    channel: str
    thread: str | None
    view_id: str
    view_hash: str
    meta: Mapping[str, Any]
    values: Mapping[str, str]  # what the modal said when it was clicked in, by block id


@dataclass(frozen=True, slots=True)
class Submission:
    """A modal sent off."""

    team: str
    account: str
    meta: Mapping[str, Any]
    values: Mapping[str, str]  # block id -> what was typed or chosen; "" where nothing was


def click(body: Mapping[str, Any]) -> Click:
    action = (body.get("actions") or [{}])[0]
    message = body.get("message") or {}
    view = body.get("view") or {}
    return Click(
        team=_team(body),
        account=body["user"]["id"],
        trigger=body["trigger_id"],
        action=action.get("action_id", ""),
        value=_value(action),
        block=action.get("block_id", ""),
        channel=(body.get("channel") or {}).get("id", ""),
        thread=message.get("thread_ts") or message.get("ts"),
        view_id=view.get("id", ""),
        view_hash=view.get("hash", ""),
        meta=blocks.meta(view) if view.get("private_metadata") else {},
        values=_values(view),
    )


def submission(body: Mapping[str, Any]) -> Submission:
    view = body["view"]
    return Submission(_team(body), body["user"]["id"], blocks.meta(view), _values(view))


def _values(view: Mapping[str, Any]) -> dict[str, str]:
    said = (view.get("state") or {}).get("values") or {}
    return {block: _value(next(iter(elements.values()), {})) for block, elements in said.items()}


def _team(body: Mapping[str, Any]) -> str:
    return (body.get("team") or {}).get("id") or body["user"].get("team_id", "")


def _value(element: Mapping[str, Any]) -> str:
    """What an element says: its text, its day, its one option, or its options joined by commas."""
    if option := element.get("selected_option"):
        return str(option["value"])
    if "selected_options" in element:
        return ",".join(str(o["value"]) for o in element["selected_options"] or ())
    return str(element.get("selected_date") or element.get("value") or "")
