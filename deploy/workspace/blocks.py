"""Block Kit's limits, stated as data and enforced as Slack enforces them: every fault is named with its JSON pointer.

Sources: docs.slack.dev/reference/block-kit (blocks, elements, composition objects). The wording of the messages is what
Slack answers in `response_metadata.messages`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeAlias

from .model import Json

Surface: TypeAlias = Literal["message", "modal", "home"]
Findings: TypeAlias = list[str]
Rule: TypeAlias = Callable[[Any, str, Findings], None]

MESSAGE_BLOCKS, VIEW_BLOCKS, ID_CHARACTERS = 50, 100, 255


def _say(findings: Findings, what: str, where: str) -> None:
    findings.append(f"[ERROR] {what} [json-pointer:{where or '/'}]")


# -- leaves -----------------------------------------------------------------------------------------------------


def string(most: int, least: int = 0, pattern: str = "") -> Rule:
    """A string of `least` to `most` characters, matching `pattern` when one is given."""

    def rule(value: Any, where: str, findings: Findings) -> None:
        if not isinstance(value, str):
            return _say(findings, "must be a string", where)
        if len(value) > most:
            return _say(findings, f"must be less than {most + 1} characters", where)
        if len(value) < least:
            return _say(findings, f"must be more than {least - 1} characters", where)
        if pattern and not re.fullmatch(pattern, value):
            return _say(findings, f"does not match the pattern {pattern}", where)
        return None

    return rule


def flag(value: Any, where: str, findings: Findings) -> None:
    if not isinstance(value, bool):
        _say(findings, "must be a boolean", where)


def number(least: int, most: int) -> Rule:
    def rule(value: Any, where: str, findings: Findings) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            return _say(findings, "must be an integer", where)
        if not least <= value <= most:
            return _say(findings, f"must be between {least} and {most}", where)
        return None

    return rule


def one_of(*allowed: str) -> Rule:
    def rule(value: Any, where: str, findings: Findings) -> None:
        if value not in allowed:
            _say(findings, "must be one of: " + ", ".join(allowed), where)

    return rule


def anything(_value: Any, _where: str, _findings: Findings) -> None:
    return


def many(of: Rule, most: int, least: int = 1) -> Rule:
    def rule(value: Any, where: str, findings: Findings) -> None:
        if not isinstance(value, list):
            return _say(findings, "must be an array", where)
        if len(value) > most:
            return _say(findings, f"no more than {most} items allowed", where)
        if len(value) < least:
            return _say(findings, f"no less than {least} items allowed" if value else "must not be empty", where)
        for index, item in enumerate(value):
            of(item, f"{where}/{index}", findings)
        return None

    return rule


def shape(required: Mapping[str, Rule], optional: Mapping[str, Rule] = {}, kind: str = "") -> Rule:
    """An object with exactly these fields; `kind` is its `type`, already matched."""

    def rule(value: Any, where: str, findings: Findings) -> None:
        if not isinstance(value, dict):
            return _say(findings, "must be an object", where)
        for name in required:
            if name not in value:
                _say(findings, f"missing required field: {name}", where)
        for name, item in value.items():
            if name == "type" and kind:
                continue
            check = required.get(name) or optional.get(name)
            if check is None:
                _say(findings, f"invalid additional property: {name}", where)
            elif item is not None or name in required:
                check(item, f"{where}/{name}", findings)
        return None

    return rule


def union(kinds: Mapping[str, Rule]) -> Rule:
    """An object whose `type` says which rule holds."""

    def rule(value: Any, where: str, findings: Findings) -> None:
        if not isinstance(value, dict):
            return _say(findings, "must be an object", where)
        if "type" not in value:
            return _say(findings, "missing required field: type", where)
        check = kinds.get(str(value["type"]))
        if check is None:
            return _say(findings, f"unsupported type: {value['type']}", f"{where}/type")
        return check(value, where, findings)

    return rule


def both(*rules: Rule) -> Rule:
    def rule(value: Any, where: str, findings: Findings) -> None:
        before = len(findings)
        for check in rules:
            check(value, where, findings)
            if len(findings) > before:
                return

    return rule


def needs_one(*names: str, exactly: bool = True) -> Rule:
    def rule(value: Any, where: str, findings: Findings) -> None:
        present = [n for n in names if value.get(n) is not None]
        if not present or (exactly and len(present) > 1):
            _say(findings, f"must provide {'exactly one of' if exactly else 'one of'}: {', '.join(names)}", where)

    return rule


def initial_among_options(value: Json, where: str, findings: Findings) -> None:
    groups = value.get("option_groups") or []
    known = [*(value.get("options") or []), *(o for g in groups for o in g.get("options", []))]
    chosen = value.get("initial_options") or ([value["initial_option"]] if value.get("initial_option") else [])
    for option in chosen:
        if option not in known:
            _say(findings, "initial option must exactly match a provided option", where)


# -- composition objects ----------------------------------------------------------------------------------------


def text(most: int, *, plain: bool = False) -> Rule:
    words = string(most, 1)
    kinds: dict[str, Rule] = {"plain_text": shape({"text": words}, {"emoji": flag}, "plain_text")}
    if not plain:
        kinds["mrkdwn"] = shape({"text": words}, {"verbatim": flag}, "mrkdwn")
    return union(kinds)


ID: Final = string(ID_CHARACTERS, 1)
LINK: Final = string(3000, 1, r"(https?://|mailto:|slack://).*")
CONFIRM: Final = shape(
    {"title": text(100, plain=True), "text": text(300), "confirm": text(30, plain=True), "deny": text(30, plain=True)},
    {"style": one_of("primary", "danger")},
)


def option(*, plain: bool, most_text: int = 75) -> Rule:
    return shape(
        {"text": text(most_text, plain=plain), "value": string(150, 1)},
        {"description": text(75, plain=plain), "url": LINK},
    )


PLAIN_OPTIONS: Final = many(option(plain=True), 100)
OPTION_GROUPS: Final = many(shape({"label": text(75, plain=True), "options": PLAIN_OPTIONS}), 100)
SLACK_FILE: Final = both(shape({}, {"id": string(20, 1), "url": LINK}), needs_one("id", "url"))
DISPATCH: Final = shape({}, {"trigger_actions_on": many(one_of("on_enter_pressed", "on_character_entered"), 2)})
FILTER: Final = shape(
    {},
    {
        "include": many(one_of("im", "mpim", "private", "public"), 4),
        "exclude_external_shared_channels": flag,
        "exclude_bot_users": flag,
    },
)

# -- elements ---------------------------------------------------------------------------------------------------

COMMON: Final[Mapping[str, Rule]] = {"action_id": ID, "confirm": CONFIRM, "focus_on_load": flag}
PLACEHOLDER: Final[Mapping[str, Rule]] = {"placeholder": text(150, plain=True)}


def _menu(kind: str, own: Mapping[str, Rule], required: Mapping[str, Rule] = {}) -> Rule:
    multi: Mapping[str, Rule] = {"max_selected_items": number(1, 100)} if kind.startswith("multi_") else {}
    return shape(required, {**COMMON, **PLACEHOLDER, **multi, **own}, kind)


def _static(kind: str, initial: str, rule: Rule) -> Rule:
    fields: Mapping[str, Rule] = {"options": PLAIN_OPTIONS, "option_groups": OPTION_GROUPS, initial: rule}
    return both(_menu(kind, fields), needs_one("options", "option_groups"), initial_among_options)


ONE: Final = option(plain=True)
SOME: Final = many(ONE, 100)
IDS: Final = many(string(20, 1), 100)
DATE: Final = string(10, 10, r"\d{4}-\d{2}-\d{2}")
TIME: Final = string(5, 5, r"([01]\d|2[0-3]):[0-5]\d")
CHOICES: Final = option(plain=False)

BUTTON: Final = shape(
    {"text": text(75, plain=True)},
    {
        "action_id": ID,
        "url": LINK,
        "value": string(2000),
        "style": one_of("primary", "danger"),
        "confirm": CONFIRM,
        "accessibility_label": string(75),
    },
    "button",
)
IMAGE: Final = both(
    shape({"alt_text": string(2000)}, {"image_url": LINK, "slack_file": SLACK_FILE}, "image"),
    needs_one("image_url", "slack_file"),
)
CHECKBOXES: Final = both(
    shape({"options": many(CHOICES, 10)}, {**COMMON, "initial_options": many(CHOICES, 10)}, "checkboxes"),
    initial_among_options,
)
RADIO: Final = both(
    shape({"options": many(CHOICES, 10)}, {**COMMON, "initial_option": CHOICES}, "radio_buttons"),
    initial_among_options,
)
OVERFLOW: Final = shape({"options": many(ONE, 5)}, {"action_id": ID, "confirm": CONFIRM}, "overflow")
EXTERNAL: Final[Mapping[str, Rule]] = {"min_query_length": number(0, 1000)}
CONVERSATIONS: Final[Mapping[str, Rule]] = {
    "default_to_current_conversation": flag,
    "filter": FILTER,
    "response_url_enabled": flag,
}

INTERACTIVE: Final[Mapping[str, Rule]] = {
    "button": BUTTON,
    "checkboxes": CHECKBOXES,
    "radio_buttons": RADIO,
    "overflow": OVERFLOW,
    "datepicker": shape({}, {**COMMON, **PLACEHOLDER, "initial_date": DATE}, "datepicker"),
    "timepicker": shape({}, {**COMMON, **PLACEHOLDER, "initial_time": TIME, "timezone": string(100)}, "timepicker"),
    "datetimepicker": shape(
        {}, {**COMMON, "initial_date_time": number(1_000_000_000, 9_999_999_999)}, "datetimepicker"
    ),
    "static_select": _static("static_select", "initial_option", ONE),
    "multi_static_select": _static("multi_static_select", "initial_options", SOME),
    "external_select": _menu("external_select", {**EXTERNAL, "initial_option": ONE}),
    "multi_external_select": _menu("multi_external_select", {**EXTERNAL, "initial_options": SOME}),
    "users_select": _menu("users_select", {"initial_user": string(20, 1)}),
    "multi_users_select": _menu("multi_users_select", {"initial_users": IDS}),
    "conversations_select": _menu("conversations_select", {**CONVERSATIONS, "initial_conversation": string(20, 1)}),
    "multi_conversations_select": _menu("multi_conversations_select", {**CONVERSATIONS, "initial_conversations": IDS}),
    "channels_select": _menu("channels_select", {"initial_channel": string(20, 1), "response_url_enabled": flag}),
    "multi_channels_select": _menu("multi_channels_select", {"initial_channels": IDS}),
}
_TEXT_INPUT: Final[Mapping[str, Rule]] = {
    "action_id": ID,
    "dispatch_action_config": DISPATCH,
    "focus_on_load": flag,
    **PLACEHOLDER,
}
INPUTS: Final[Mapping[str, Rule]] = {
    **{k: v for k, v in INTERACTIVE.items() if k not in {"button", "overflow"}},
    "plain_text_input": shape(
        {},
        {
            **_TEXT_INPUT,
            "initial_value": string(3000),
            "multiline": flag,
            "min_length": number(0, 3000),
            "max_length": number(1, 3000),
        },
        "plain_text_input",
    ),
    "email_text_input": shape({}, {**_TEXT_INPUT, "initial_value": string(3000)}, "email_text_input"),
    "url_text_input": shape({}, {**_TEXT_INPUT, "initial_value": string(3000)}, "url_text_input"),
    "number_input": shape(
        {"is_decimal_allowed": flag},
        {**_TEXT_INPUT, "initial_value": string(3000), "min_value": string(50), "max_value": string(50)},
        "number_input",
    ),
    "rich_text_input": shape({}, {**_TEXT_INPUT, "initial_value": anything}, "rich_text_input"),
    "file_input": shape(
        {}, {"action_id": ID, "filetypes": many(string(20, 1), 50), "max_files": number(1, 10)}, "file_input"
    ),
}

# -- rich text --------------------------------------------------------------------------------------------------

STYLE: Final = shape({}, dict.fromkeys(("bold", "italic", "strike", "code", "underline"), flag))
_SPANS: Final = union(
    {
        "text": shape({"text": string(4000, 1)}, {"style": STYLE}, "text"),
        "link": shape({"url": LINK}, {"text": string(4000), "unsafe": flag, "style": STYLE}, "link"),
        "emoji": shape(
            {"name": string(100, 1)}, {"unicode": string(50), "style": STYLE, "skin_tone": anything}, "emoji"
        ),
        "user": shape({"user_id": string(20, 1)}, {"style": STYLE}, "user"),
        "usergroup": shape({"usergroup_id": string(20, 1)}, {"style": STYLE}, "usergroup"),
        "channel": shape({"channel_id": string(20, 1)}, {"style": STYLE}, "channel"),
        "broadcast": shape({"range": one_of("here", "channel", "everyone")}, {"style": STYLE}, "broadcast"),
        "date": shape(
            {"timestamp": anything, "format": string(200, 1)}, {"url": LINK, "fallback": string(200)}, "date"
        ),
        "color": shape({"value": string(20, 1)}, {}, "color"),
    }
)
_SPAN_LIST: Final = many(_SPANS, 1000, 0)
_SECTION: Final = shape({"elements": _SPAN_LIST}, {}, "rich_text_section")
_BORDER: Final = number(0, 1)
_RICH: Final = union(
    {
        "rich_text_section": _SECTION,
        "rich_text_list": shape(
            {"elements": many(union({"rich_text_section": _SECTION}), 1000), "style": one_of("bullet", "ordered")},
            {"indent": number(0, 8), "offset": number(0, 100_000), "border": _BORDER},
            "rich_text_list",
        ),
        "rich_text_quote": shape({"elements": _SPAN_LIST}, {"border": _BORDER}, "rich_text_quote"),
        "rich_text_preformatted": shape(
            {"elements": _SPAN_LIST}, {"border": _BORDER, "language": string(50)}, "rich_text_preformatted"
        ),
    }
)

# -- blocks -----------------------------------------------------------------------------------------------------

BID: Final[Mapping[str, Rule]] = {"block_id": ID}


def _input_element(kinds: Mapping[str, Rule]) -> Rule:
    return shape(
        {"label": text(2000, plain=True), "element": union(kinds)},
        {**BID, "hint": text(2000, plain=True), "optional": flag, "dispatch_action": flag},
        "input",
    )


_CONTEXT_ELEMENT: Final = union({"plain_text": text(3000), "mrkdwn": text(3000), "image": IMAGE})
_EVERYWHERE: Final[Mapping[str, Rule]] = {
    "section": both(
        shape(
            {},
            {
                **BID,
                "text": text(3000),
                "fields": many(text(2000), 10),
                "accessory": union({**INTERACTIVE, "image": IMAGE}),
                "expand": flag,
            },
            "section",
        ),
        needs_one("text", "fields", exactly=False),
    ),
    "header": shape({"text": text(150, plain=True)}, {**BID, "level": number(1, 4)}, "header"),
    "divider": shape({}, BID, "divider"),
    "context": shape({"elements": many(_CONTEXT_ELEMENT, 10)}, BID, "context"),
    "actions": shape({"elements": many(union(INTERACTIVE), 25)}, BID, "actions"),
    "image": both(
        shape(
            {"alt_text": string(2000)},
            {**BID, "title": text(2000, plain=True), "image_url": LINK, "slack_file": SLACK_FILE},
            "image",
        ),
        needs_one("image_url", "slack_file"),
    ),
    "rich_text": shape({"elements": many(_RICH, 1000)}, BID, "rich_text"),
}
BLOCKS: Final[Mapping[Surface, Mapping[str, Rule]]] = {
    "message": {
        **_EVERYWHERE,
        "input": _input_element({k: v for k, v in INPUTS.items() if k != "file_input"}),
        "markdown": shape({"text": string(12_000, 1)}, BID, "markdown"),
    },
    "modal": {**_EVERYWHERE, "input": _input_element(INPUTS)},
    "home": {**_EVERYWHERE, "input": _input_element({k: v for k, v in INPUTS.items() if k != "file_input"})},
}


def faults_in_blocks(untrusted_blocks: Any, surface: Surface) -> Findings:
    """What Slack would say is wrong with these blocks; nothing when it would take them."""
    findings: Findings = []
    most = MESSAGE_BLOCKS if surface == "message" else VIEW_BLOCKS
    many(union(BLOCKS[surface]), most, 0 if surface == "home" else 1)(untrusted_blocks, "/blocks", findings)
    return findings or _double_names(untrusted_blocks)


def _double_names(blocks: list[Json]) -> Findings:
    findings: Findings = []
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        if (name := block.get("block_id")) and name in seen:
            _say(findings, f"`block_id` {name} already exists", f"/blocks/{index}/block_id")
        seen.add(block.get("block_id") or "")
        actions = [e["action_id"] for e in elements_of(block) if e.get("action_id")]
        for action in {a for a in actions if actions.count(a) > 1}:
            _say(findings, f"`action_id` {action} already exists", f"/blocks/{index}")
    return findings


def elements_of(block: Json) -> list[Json]:
    """The interactive elements of a block, wherever its kind keeps them."""
    match block.get("type"):
        case "actions":
            return list(block.get("elements", []))
        case "section" if block.get("accessory", {}).get("type") not in {None, "image"}:
            return [block["accessory"]]
        case "input":
            return [block["element"]]
        case _:
            return []


VIEW: Final[Mapping[str, Rule]] = {
    "modal": shape(
        {"title": text(24, plain=True), "blocks": anything},
        {
            "submit": text(24, plain=True),
            "close": text(24, plain=True),
            "private_metadata": string(3000),
            "callback_id": string(255),
            "external_id": string(255),
            "clear_on_close": flag,
            "notify_on_close": flag,
            "submit_disabled": flag,
        },
        "modal",
    ),
    "home": shape(
        {"blocks": anything},
        {"private_metadata": string(3000), "callback_id": string(255), "external_id": string(255)},
        "home",
    ),
}


def faults_in_view(untrusted_view: Any, kinds: tuple[str, ...] = ("modal",)) -> Findings:
    """What Slack would say is wrong with this view."""
    findings: Findings = []
    union({k: VIEW[k] for k in kinds})(untrusted_view, "/view", findings)
    if findings:
        return findings
    surface: Surface = "home" if untrusted_view["type"] == "home" else "modal"
    findings = [
        f.replace("json-pointer:", "json-pointer:/view") for f in faults_in_blocks(untrusted_view["blocks"], surface)
    ]
    has_input = any(b.get("type") == "input" for b in untrusted_view["blocks"] if isinstance(b, dict))
    if not findings and surface == "modal" and has_input and not untrusted_view.get("submit"):
        _say(findings, "missing required field: submit", "/view")
    return findings


def slack_files_in(blocks: list[Json]) -> list[tuple[Json, str]]:
    """Every `slack_file` an image names, with its JSON pointer."""
    found: list[tuple[Json, str]] = []
    for index, block in enumerate(blocks):
        candidates = [(block, ""), (block.get("accessory") or {}, "/accessory")]
        if block.get("type") == "context":
            candidates += [(e, f"/elements/{n}") for n, e in enumerate(block.get("elements", []))]
        found += [(item["slack_file"], f"/blocks/{index}{at}") for item, at in candidates if item.get("slack_file")]
    return found
