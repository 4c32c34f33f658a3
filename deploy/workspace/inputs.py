"""What a person chose or typed, in the words of `state.values`; and what its client refuses before the app hears."""

from typing import Any, Final

from .blocks import elements_of
from .files import Files
from .model import Json, SlackError
from .shapes import Shapes

ANSWER_FIELD: Final = {
    "plain_text_input": "value",
    "email_text_input": "value",
    "url_text_input": "value",
    "number_input": "value",
    "rich_text_input": "rich_text_value",
    "static_select": "selected_option",
    "external_select": "selected_option",
    "radio_buttons": "selected_option",
    "overflow": "selected_option",
    "multi_static_select": "selected_options",
    "multi_external_select": "selected_options",
    "checkboxes": "selected_options",
    "users_select": "selected_user",
    "multi_users_select": "selected_users",
    "conversations_select": "selected_conversation",
    "multi_conversations_select": "selected_conversations",
    "channels_select": "selected_channel",
    "multi_channels_select": "selected_channels",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "file_input": "files",
}
INITIAL_FIELD: Final = {
    "value": "initial_value",
    "rich_text_value": "initial_value",
    "selected_option": "initial_option",
    "selected_options": "initial_options",
    "selected_user": "initial_user",
    "selected_users": "initial_users",
    "selected_conversation": "initial_conversation",
    "selected_conversations": "initial_conversations",
    "selected_channel": "initial_channel",
    "selected_channels": "initial_channels",
    "selected_date": "initial_date",
    "selected_time": "initial_time",
    "selected_date_time": "initial_date_time",
}
REQUIRED: Final = "Please complete this required field."
STATELESS: Final = {"button", "overflow", "image"}


class Inputs:
    """Reads simple values into Slack's shapes. A file is named by its id, an option by its value."""

    def __init__(self, files: Files, shapes: Shapes) -> None:
        self._files, self._shapes = files, shapes

    def answer(self, element: Json, simple: Any, user: str, offered: list[Json]) -> Json:
        """One element's answer. `offered` are options an external menu gave this person."""
        kind = element["type"]
        field = ANSWER_FIELD[kind]
        match field:
            case "selected_option":
                chosen = None if simple in (None, "") else _option(element, str(simple), offered)
            case "selected_options":
                chosen = [_option(element, str(v), offered) for v in _as_list(simple)]
            case "files":
                chosen = [self._file(str(v), user) for v in _as_list(simple)]
            case _ if field.endswith("s"):
                chosen = _as_list(simple)
            case _:
                chosen = None if simple in (None, "") else simple
        return {"type": kind, field: chosen}

    def _file(self, key: str, user: str) -> Json:
        file = self._files.visible(user, key)
        return self._shapes.file(file)

    def initial(self, element: Json) -> Json | None:
        kind = element["type"]
        if kind in STATELESS:
            return None
        field = ANSWER_FIELD[kind]
        empty: Any = [] if field.endswith("s") else None
        return {"type": kind, field: element.get(INITIAL_FIELD.get(field, ""), empty)}

    def values(self, blocks: list[Json], known: Json, simple: Json, user: str, offered: list[Json]) -> Json:
        """`state.values`: what was just given, else what was known, else what the app put there."""
        values: Json = {}
        for block in blocks:
            elements = elements_of(block)
            for element in elements:
                if element["type"] in STATELESS:
                    continue
                name, place = element["action_id"], block["block_id"]
                given = name if name in simple else place if place in simple and len(elements) == 1 else None
                before = known.get(place, {}).get(name) or self.initial(element)
                answer = self.answer(element, simple[given], user, offered) if given else before
                values.setdefault(place, {})[name] = answer
        return values


def refusals(blocks: list[Json], values: Json) -> dict[str, str]:
    """What Slack's client says beside an input, by block id, without asking the app."""
    found: dict[str, str] = {}
    for block in blocks:
        if block["type"] == "input":
            element = block["element"]
            answer = values[block["block_id"]][element["action_id"]]
            given = answer.get(ANSWER_FIELD[element["type"]])
            if given in (None, "", []):
                if not block.get("optional"):
                    found[block["block_id"]] = REQUIRED
            elif reason := _unfit(element, given):
                found[block["block_id"]] = reason
    return found


def _unfit(element: Json, given: Any) -> str | None:
    match element["type"]:
        case "plain_text_input":
            return _length(str(given), element.get("min_length", 0), element.get("max_length", 3000))
        case "number_input":
            return _range(str(given), element)
        case "email_text_input" if "@" not in str(given):
            return "Enter a valid email address."
        case "url_text_input" if not str(given).startswith(("http://", "https://")):
            return "Enter a valid URL."
        case "file_input" if len(given) > element.get("max_files", 10):
            return f"Attach at most {element.get('max_files', 10)} files."
        case "file_input" if wrong := _wrong_type(given, element.get("filetypes")):
            return f"{wrong} is not of a kind this form takes."
        case _:
            return None


def _length(given: str, least: int, most: int) -> str | None:
    if len(given) < least:
        return f"Please enter at least {least} characters."
    return f"Please enter at most {most} characters." if len(given) > most else None


def _range(given: str, element: Json) -> str | None:
    try:
        number = float(given)
    except ValueError:
        return "Please enter a number."
    if not element["is_decimal_allowed"] and not number.is_integer():
        return "Please enter a whole number."
    if "min_value" in element and number < float(element["min_value"]):
        return f"Please enter a number of at least {element['min_value']}."
    if "max_value" in element and number > float(element["max_value"]):
        return f"Please enter a number of at most {element['max_value']}."
    return None


def _wrong_type(files: list[Json], allowed: list[str] | None) -> str | None:
    """By the name's ending, as Slack's client does: a convenience and no protection."""
    if not allowed:
        return None
    return next((f["name"] for f in files if f["name"].rpartition(".")[2].lower() not in allowed), None)


def _option(element: Json, value: str, offered: list[Json]) -> Json:
    groups: list[Json] = element.get("option_groups") or []
    known = [*(element.get("options") or []), *(o for g in groups for o in g["options"]), *offered]
    found = next((o for o in known if o.get("value") == value), None)
    if found is None:
        raise SlackError("invalid_option", f"{value} is not among the options of {element.get('action_id')}")
    return found


def _as_list(simple: Any) -> list[Any]:
    if simple is None or simple == "":
        return []
    return list(simple) if isinstance(simple, (list, tuple)) else [simple]
