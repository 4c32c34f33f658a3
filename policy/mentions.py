"""Whether a text mentions a word of the pack, however it is written. Pure.

Spacing, case, accents, punctuation, and letters that only look like others change nothing. It finds plain words: it is
there for whoever did not think of the law, and for whoever hopes that nobody reads; people read the request all the
same, and whoever circumvents it has written down that they did.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from policy.days import without
from policy.look_alikes import LETTERS

READ_AS = LETTERS | {ord("ӏ"): "l"}  # small, it prints like l; elsewhere it is read as the I that its capital is


def mentioned(words: Iterable[str], texts: Iterable[str]) -> str | None:
    """The first of `words` in the texts; one that ends in a star begins a word, the others are whole."""
    spoken = f" {folded(without(' . '.join(texts)))} "
    return next((word.rstrip("*") for word in words if _pattern(word) in spoken), None)


@lru_cache(4096)
def _pattern(word: str) -> str:
    """What stands between blanks in a folded text: a beginning, or a whole word."""
    return f" {folded(word)}" if word.endswith("*") else f" {folded(word)} "


def folded(text: str) -> str:
    """Small Latin letters and digits with single blanks between words."""
    plain = (
        c
        for c in unicodedata.normalize("NFKD", text).casefold()
        if unicodedata.category(c)[0] not in "MC" or c in "\n\t"
    )
    return " ".join(re.sub(r"[\W_]+", " ", "".join(plain).translate(READ_AS)).split())
