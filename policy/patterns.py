"""Regular expressions that a pack may use: few enough forms that the time to match has a bound known beforehand.

Python's `re` backtracks. A pack comes from outside, so its patterns are read by the small grammar below, which has no
unbounded repetition, no wildcard, no look-around and no back-reference. What it accepts can be matched in at most
`MOST_WAYS` ways and matches at most `LONGEST` characters; both are computed before the pattern ever meets an input.
"""

import re
from dataclasses import dataclass

MOST_WAYS = 10_000
LONGEST = 100
SPECIAL = frozenset(r"\^$.|?*+()[]{}")
BOUNDS = re.compile(r"\{(\d{1,3})(?:,(\d{1,3}))?\}")
CLASS = re.compile(r"\[((?:\\d|[A-Za-z0-9 _./#:-])+)\]")


class UnsafePatternError(ValueError):
    """The pattern is outside of what can be matched in bounded time, or is not one at all."""


@dataclass(frozen=True, slots=True)
class Extent:
    """What a part of a pattern can match: in how many ways at most, and how many characters at most."""

    ways: int = 1
    longest: int = 0


def checked(pattern: str) -> str:
    """`pattern`, which is safe to match; UnsafePatternError says what is not."""
    reader = _Reader(pattern)
    extent = reader.alternatives()
    if reader.at < len(pattern):
        raise UnsafePatternError(f"“{pattern[reader.at]}” at {reader.at + 1} closes nothing")
    if extent.longest > LONGEST:
        raise UnsafePatternError(f"it matches up to {extent.longest} characters; {LONGEST} are the most")
    if not extent.longest:
        raise UnsafePatternError("it matches nothing but emptiness")
    try:
        re.compile(pattern)
    except re.error as error:  # a reversed range, for example
        raise UnsafePatternError(str(error)) from error
    return pattern


def fits(pattern: str, text: str) -> bool:
    """Whether all of `text` has the form; letters and digits are those of ASCII, and what is longer never is."""
    return len(text) <= LONGEST and re.fullmatch(pattern, text, re.ASCII) is not None


class _Reader:
    """Reads one pattern from left to right, knowing at each point how much it can match so far."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self.at = 0

    def alternatives(self) -> Extent:
        found = [self._sequence()]
        while self._next() == "|":
            self.at += 1
            found.append(self._sequence())
        return _bounded(Extent(sum(e.ways for e in found), max(e.longest for e in found)))

    def _sequence(self) -> Extent:
        extent = Extent()
        while self._next() not in {"", "|", ")"}:
            part = self._repeated(self._atom())
            extent = _bounded(Extent(extent.ways * part.ways, extent.longest + part.longest))
        return extent

    def _atom(self) -> Extent:
        here = self._next()
        if here == "(":
            return self._group()
        if found := CLASS.match(self._pattern, self.at):
            self.at = found.end()
            return Extent(1, 1)
        if here == "\\":
            return self._escape()
        if here in SPECIAL:
            raise UnsafePatternError(f"“{here}” at {self.at + 1}: only bounded repetitions and plain classes are read")
        self.at += 1
        return Extent(1, 1)

    def _group(self) -> Extent:
        opened = self.at + 1
        self.at += 3 if self._pattern.startswith("(?:", self.at) else 1
        extent = self.alternatives()
        if self._next() != ")":
            raise UnsafePatternError(f"the bracket at {opened} is not closed")
        self.at += 1
        return extent

    def _escape(self) -> Extent:
        escaped = self._pattern[self.at + 1 : self.at + 2]
        if escaped != "d" and escaped not in SPECIAL:
            raise UnsafePatternError(f"“\\{escaped}” at {self.at + 1}: of the escapes only \\d is read")
        self.at += 2
        return Extent(1, 1)

    def _repeated(self, part: Extent) -> Extent:
        if self._next() == "?":
            self.at += 1
            return _bounded(Extent(part.ways + 1, part.longest))
        found = BOUNDS.match(self._pattern, self.at)
        if not found:
            return part
        self.at = found.end()
        least, most = int(found[1]), int(found[2] or found[1])
        if least > most or most > LONGEST:
            raise UnsafePatternError(f"“{found[0]}”: a repetition has a smaller and a larger end, at most {LONGEST}")
        ways = sum(min(part.ways**count, MOST_WAYS + 1) for count in range(least, most + 1))
        return _bounded(Extent(ways, part.longest * most))

    def _next(self) -> str:
        return self._pattern[self.at : self.at + 1]


def _bounded(extent: Extent) -> Extent:
    if extent.ways > MOST_WAYS:
        raise UnsafePatternError(f"it can match in more than {MOST_WAYS} ways: a hostile input could stall it")
    return extent
