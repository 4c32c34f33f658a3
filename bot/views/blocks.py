"""The few Block Kit pieces that the surfaces are made of, each within Slack's published limits."""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from policy import days

Block = dict[str, Any]
View = dict[str, Any]

SECTION, HEADER, BUTTON, OPTION, ALT, META = 3000, 150, 75, 75, 2000, 3000


def clipped(text: str, limit: int) -> str:
    """`text` within `limit` characters, an ellipsis where something is missing."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


# Each has a twin that looks the same and formats nothing: mrkdwn knows no escape for its own marks.
MARKS = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "*": "∗", "_": "ˍ", "~": "∼", "`": "ˋ"})
EMOJI = re.compile(r":(?=[\w+'-]+:)")


def literal(text: str) -> str:
    """Typed text inside mrkdwn or a message's `text`: it mentions nobody, links nowhere and formats nothing (M37)."""
    return EMOJI.sub("꞉", " ".join(text.split())).translate(MARKS)


def mrkdwn(text: str) -> Block:
    """Verbatim: what is not marked as a link, a channel or a mention becomes none."""
    return {"type": "mrkdwn", "text": clipped(text, SECTION), "verbatim": True}


def plain(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": clipped(text, limit), "emoji": False}


def header(text: str) -> Block:
    return {"type": "header", "text": plain(text, HEADER)}


def section(text: str, *, accessory: Block | None = None, block_id: str | None = None) -> Block:
    block: Block = {"type": "section", "text": mrkdwn(text)}
    if accessory:
        block["accessory"] = accessory
    if block_id:
        block["block_id"] = block_id
    return block


def quoted(text: str) -> Block:
    """What a person wrote, shown as it was written: plain text renders nothing."""
    return {"type": "section", "text": plain(text or "–", SECTION)}


def context(text: str) -> Block:
    return {"type": "context", "elements": [mrkdwn(text)]}


def divider() -> Block:
    return {"type": "divider"}


def image(file: str, alt: str, title: str | None = None) -> Block:
    block: Block = {"type": "image", "slack_file": {"id": file}, "alt_text": clipped(alt, ALT)}
    if title:
        block["title"] = plain(title, ALT)
    return block


def pictured(files: Mapping[str, str], label: str, alt: str) -> list[Block]:
    """The photograph of that label, where it stands in Slack; otherwise it is at the viewer alone (M38)."""
    return [image(files[label], alt, alt)] if label in files else []


def actions(*elements: Block, block_id: str | None = None) -> Block:
    block: Block = {"type": "actions", "elements": list(elements)}
    return block | ({"block_id": block_id} if block_id else {})


def button(
    text: str, action_id: str, value: str, *, style: str | None = None, confirm: Mapping[str, Any] | None = None
) -> Block:
    element: Block = {"type": "button", "text": plain(text, BUTTON), "action_id": action_id, "value": value}
    if style:
        element["style"] = style
    if confirm:
        element["confirm"] = dict(confirm)
    return element


def option(value: str, text: str) -> Block:
    return {"text": plain(text, OPTION), "value": value}


def select(action_id: str, placeholder: str, options: Mapping[str, str], chosen: str | None = None) -> Block:
    element: Block = {
        "type": "static_select",
        "action_id": action_id,
        "placeholder": plain(placeholder, 150),
        "options": [option(value, text) for value, text in options.items()],
    }
    if chosen is not None and chosen in options:
        element["initial_option"] = option(chosen, options[chosen])
    return element


def text_input(
    action_id: str, *, multiline: bool, placeholder: str = "", longest: int = 3000, typed: str = ""
) -> Block:
    element: Block = {"type": "plain_text_input", "action_id": action_id, "multiline": multiline, "max_length": longest}
    if placeholder:
        element["placeholder"] = plain(placeholder, 150)
    if typed:
        element["initial_value"] = typed[:longest]
    return element


def date_input(action_id: str, chosen: str = "") -> Block:
    """A calendar; `chosen` is a day as year-month-day, and anything else is no day to begin with."""
    element: Block = {"type": "datepicker", "action_id": action_id}
    if found := days.day(chosen):
        element["initial_date"] = found.isoformat()
    return element


def checkboxes(action_id: str, options: Mapping[str, str], ticked: Collection[str] = ()) -> Block:
    element: Block = {
        "type": "checkboxes",
        "action_id": action_id,
        "options": [option(value, text) for value, text in options.items()],
    }
    if chosen := [option(value, text) for value, text in options.items() if value in ticked]:
        element["initial_options"] = chosen
    return element


def radio(action_id: str, options: Mapping[str, str], chosen: str | None = None) -> Block:
    element: Block = {
        "type": "radio_buttons",
        "action_id": action_id,
        "options": [option(value, text) for value, text in options.items()],
    }
    if chosen is not None and chosen in options:
        element["initial_option"] = option(chosen, options[chosen])
    return element


def asked(
    block_id: str, label: str, element: Block, *, hint: str = "", optional: bool = False, dispatch: bool = False
) -> Block:
    block: Block = {
        "type": "input",
        "block_id": block_id,
        "label": plain(label, 2000),
        "element": element,
        "optional": optional,
        "dispatch_action": dispatch,
    }
    if hint:
        block["hint"] = plain(hint, 2000)
    return block


def modal(callback_id: str, title: str, submit: str | None, blocks: list[Block], meta: Mapping[str, Any]) -> View:
    view: View = {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain(title, 24),
        "close": plain("Close", 24),
        "blocks": blocks,
        "private_metadata": json.dumps(meta, separators=(",", ":")),
    }
    if submit:
        view["submit"] = plain(submit, 24)
    return view


def meta(view: Mapping[str, Any]) -> dict[str, Any]:
    """What the modal was opened with."""
    return json.loads(view["private_metadata"])
