"""Where in a pack's text something stands: TOML's own reader tells no lines, and whoever mends a pack needs them."""

import re
from collections import Counter
from collections.abc import Iterator

Place = tuple[str | int, ...]

HEADER = re.compile(r"^\s*(\[\[?)\s*([\w.\- ]+?)\s*\]\]?\s*(?:#.*)?$")
KEY = re.compile(r"^\s*([\w\-]+(?:\s*\.\s*[\w\-]+)*)\s*=\s*(.*)$")
STRINGS = re.compile(r'"(?:\\.|[^"\\])*"|' + r"'[^']*'")
FENCES = ('"""', "'''")


def line_of(text: str, place: Place) -> int:
    """The line, from 1, where `place` stands, or the nearest thing around it that does."""
    lines: dict[Place, int] = {}
    for found, line in _places(text):
        lines.setdefault(found, line)
    return next((lines[place[:n]] for n in range(len(place), 0, -1) if place[:n] in lines), 1)


def _places(text: str) -> Iterator[tuple[Place, int]]:
    """Every table and key with its line, in order."""
    seen: Counter[Place] = Counter()
    table: Place = ()
    until: str | None = None  # inside of a value of several lines
    depth = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if until:
            until = None if until in line else until
            continue
        if depth > 0:
            depth += _depth(line)
            continue
        if header := HEADER.match(line):
            table = _table(header, seen)
            yield table, number
        elif key := KEY.match(line):
            yield (*table, *(part.strip() for part in key[1].split("."))), number
            until = next((f for f in FENCES if key[2].startswith(f) and f not in key[2][3:]), None)
            depth = 0 if until else _depth(key[2])


def _table(header: re.Match[str], seen: Counter[Place]) -> Place:
    """The place that a header opens; an array of tables counts its elements."""
    *outer, last = (part.strip() for part in header[2].split("."))
    place: Place = ()
    for part in outer:
        place = (*place, part)
        if seen[place]:
            place = (*place, seen[place] - 1)
    place = (*place, last)
    if header[1] == "[":
        return place
    seen[place] += 1
    return (*place, seen[place] - 1)


def _depth(value: str) -> int:
    """How many brackets are still open at the end of the line."""
    bare = STRINGS.sub("", value).split("#", 1)[0]
    return bare.count("[") + bare.count("{") - bare.count("]") - bare.count("}")
