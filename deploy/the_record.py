"""What an operator types for the record: who they are, why, and on whose order. Each says something, on one line."""

import unicodedata

import typer

UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # what hides, turns or breaks a line, and half a character
LONGEST = 1000


def hides(text: str) -> bool:
    """Whether not all of it is seen where it is printed."""
    return any(unicodedata.category(mark) in UNPRINTABLE for mark in text)


def for_the_record(value: str) -> str:
    """The words with single blanks between them; a command line that says nothing, or hides some of it, is refused."""
    words = " ".join(value.split())
    if not words or hides(words):
        raise typer.BadParameter("nothing is named, or with marks that cannot be printed")
    if len(words) > LONGEST:
        raise typer.BadParameter(f"say it in {LONGEST} characters")
    return words
