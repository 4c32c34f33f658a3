"""A third judge of Block Kit: slackblocks, whose classes refuse what breaks Slack's documented limits when they are made.

It reads no element back from JSON, so each object of a payload is made anew here, from the bottom up, by the name that
the documentation gives it; a key that the class has no argument for is refused, and what it makes has to be what it was
made of.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from slackblocks import blocks, elements, objects, views
from slackblocks.errors import InvalidUsageError

Json = dict[str, Any]
BLOCKS: Mapping[str, Callable[..., Any]] = {
    "actions": blocks.ActionsBlock,
    "context": blocks.ContextBlock,
    "divider": blocks.DividerBlock,
    "file": blocks.FileBlock,
    "header": blocks.HeaderBlock,
    "image": blocks.ImageBlock,
    "input": blocks.InputBlock,
    "section": blocks.SectionBlock,
}
ELEMENTS: Mapping[str, Callable[..., Any]] = {
    "button": elements.Button,
    "channels_select": elements.ChannelSelectMenu,
    "checkboxes": elements.CheckboxGroup,
    "conversations_select": elements.ConversationSelectMenu,
    "datepicker": elements.DatePicker,
    "email_text_input": elements.EmailInput,
    "external_select": elements.ExternalSelectMenu,
    "file_input": elements.FileInput,
    "image": elements.Image,
    "multi_static_select": elements.StaticMultiSelectMenu,
    "number_input": elements.NumberInput,
    "overflow": elements.OverflowMenu,
    "plain_text_input": elements.PlainTextInput,
    "radio_buttons": elements.RadioButtonGroup,
    "static_select": elements.StaticSelectMenu,
    "timepicker": elements.TimePicker,
    "url_text_input": elements.URLInput,
    "users_select": elements.UserSelectMenu,
}
TEXTS = ("plain_text", "mrkdwn")
MAY_BE_LEFT_OUT = ("action_id", "url")  # by Slack's documentation, though some of the classes have no default
PARTS: Mapping[str, Callable[..., Any]] = {
    "confirm": objects.ConfirmationDialogue,
    "initial_option": objects.Option,
    "initial_options": objects.Option,
    "options": objects.Option,
    "option_groups": objects.OptionGroup,
    "slack_file": objects.SlackFile,
}


class NotKnownError(Exception):
    """The judge has no class, or no argument, for something in the payload."""


def limits_say(untrusted: Json | list[Json]) -> str | None:
    """Why slackblocks refuses a view or a list of blocks; None when it takes it."""
    try:
        if isinstance(untrusted, dict):
            _view(untrusted)
        else:
            for block in untrusted:
                _block(block)
    except (InvalidUsageError, NotKnownError) as error:
        return str(error)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        return f"cannot be made: {type(error).__name__} {error}"
    return None


def _view(said: Json) -> Any:
    kind = views.ModalView if said["type"] == "modal" else views.HomeTabView
    given = {name: value for name, value in said.items() if name not in {"type", "blocks"}}
    arguments = {name: _part(name, value) for name, value in given.items()}
    return _made(kind, arguments | {"blocks": [_block(block) for block in said["blocks"]]})


def _block(said: Json) -> Any:
    if said["type"] not in BLOCKS:
        raise NotKnownError(f"no block {said['type']!r}")
    made = _made(BLOCKS[said["type"]], {name: _part(name, value) for name, value in said.items() if name != "type"})
    _is_what_it_was_made_of(made, said)
    return made


def _part(name: str, said: Any) -> Any:
    match said:
        case {"type": kind} if kind in TEXTS:
            return objects.Text.from_dict(said)
        case {"type": kind} if kind in ELEMENTS:
            return _made(ELEMENTS[kind], {key: _part(key, value) for key, value in said.items() if key != "type"})
        case {"type": kind}:
            raise NotKnownError(f"no element {kind!r}")
        case {**fields} if name in PARTS:
            return _made(PARTS[name], {key: _part(key, value) for key, value in fields.items()})
        case list():
            return [_part(name, one) for one in said]
        case _:
            return said


def _made(kind: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    known = inspect.signature(kind).parameters
    if unknown := arguments.keys() - known.keys():
        raise NotKnownError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
    unsaid = {name: None for name in MAY_BE_LEFT_OUT if name in known and name not in arguments}
    return kind(**unsaid | dict(arguments))


def _is_what_it_was_made_of(made: Any, said: Json) -> None:
    """Nothing that we sent is missing in what the judge would send; what it adds says what Slack assumes anyway."""
    if lost := _lost(said, made._resolve(), said["type"]):
        raise NotKnownError(f"lost: {lost}")


def _lost(said: Any, resolved: Any, where: str) -> str | None:
    match said, resolved:
        case dict(), dict():
            found = (_lost(value, resolved.get(key), f"{where}.{key}") for key, value in said.items())
            return next((each for each in found if each), None)
        case list(), list() if len(said) == len(resolved):
            found = (_lost(one, other, f"{where}[]") for one, other in zip(said, resolved, strict=True))
            return next((each for each in found if each), None)
        case _:
            return None if said == resolved or (not said and resolved is None) else where
