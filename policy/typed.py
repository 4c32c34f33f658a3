"""What people type, as it is kept: their words, without what hides, reorders or breaks them (M37). Pure."""

import unicodedata
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, cast

from policy.model import Command

MAX_TEXT = 3000  # Slack's own limit for an input


def plain(text: str) -> str:
    """Without characters of Unicode's categories C (controls, bidi overrides, private use), line ends excepted."""
    return "".join(c for c in text[:MAX_TEXT] if c in "\n\t" or not unicodedata.category(c).startswith("C"))


def cleaned(command: Command) -> Command:
    """The command with every text in it plain: its reasons, notes, references and answers, whichever they are.

    What is itself a value of several parts (a candidate, an origin) names things of ours and of the gallery, and is
    left alone: an identifier that was changed would name nothing.
    """
    return replace(command, **{one.name: _plain(getattr(command, one.name)) for one in fields(command)})


def _plain(value: object) -> Any:
    if type(value) is str:  # a word of an enumeration is a string, too, and is none that anybody typed
        return plain(value)
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in cast("Mapping[object, object]", value).items()}
    if isinstance(value, tuple):
        return tuple(_plain(one) for one in cast("tuple[object, ...]", value))
    return value
