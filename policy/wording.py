"""Words that make more of a comparison than it is, however they are spelled. Pure.

What an examiner writes is printed on a lead, and a reader in a hurry takes the strongest word for the finding: context
biases downstream, too (domain.md section 3). `strong` may describe what is seen, such as a jaw or the light, and
nothing else; whether somebody was `likely` elsewhere is for a resolution to say.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from policy.look_alikes import LETTERS

SEEN = (  # what may be strong
    r"jaw\w*|chins?|(?:eye)?brows?|nose|nasal|cheek\w*|forehead|neck|lines?|creases?|folds?|wrinkles?|features?|hair\w*"
    r"|beard|stubble|light\w*|shadows?|glare|flash|sun\w*|backlight\w*|lit|contrast|compression|blur|tilt|make-?up|build"
)
PERSON = r"(?:person|man|woman|guy|individual|subject|male|female|boy|girl|human|people)"
CLAIMS = re.compile(
    rf"""
    \b(?:
        (?<!possible\ )match(?:e[sd]|ing|able)?
      | hits?
      | confirm\w* | identif\w* | identical\w* | same\ identity | positive\ id | id(?:'|-)?e?d
      | (?:one\ and\ the\ )?same\ {PERSON}
      | scor(?:e[sd]?|ing)
      | per[\ -]?cent\w* | pct | out\ of\ (?:10|100|ten|a\ hundred)
      | 0[.,]\d+(?!\d|[.,]\d|\ ?(?:[cm]?m|in|inch\w*|px|pixels?)\b)
      | probab\w* | likelihood | odds
      | certain(?:ly|ty)? | definite(?:ly)? | definitive(?:ly)? | positively | conclusive(?:ly)?
      | undoubted(?:ly)? | doubtless(?:ly)? | (?:no|without(?:\ a)?|beyond(?:\ (?:a|any|all|reasonable))*)\ doubt
      | (?:no|without|beyond)\ question | unquestionabl[ey] | unmistakabl[ey]
      | (?:it|this|that|he)(?:'s|\ is|\ was)\ (?:him|her(?!\ \w)|our\ \w+|the\ (?:guy|one|man|woman|offender|robber))
      | our\ (?:guy|man|woman) | bingo
      | guilty | perpetrators? | perps? | culprits? | suspects?
      | strong(?:ly|er|est)?(?!(?:,?\ \w+)?\ (?:{SEEN})\b)
    )\b
    | [%٪‰]
    """,
    re.VERBOSE,
)
NOT_SEEN = frozenset({"Cf", "Cc", "Mn", "Me"})  # joiners, hyphens that show at line ends only, accents


def claim(text: str) -> str | None:
    """The first of `text` that says more than what can be seen, as it was written; None where there is none."""
    return next((text[began:ended] for began, ended in _claims(text)), None)


UNSAID = "[…]"


def sober(text: str) -> str:
    """`text` as a lead may carry it: where it says more than what can be seen, `[…]` stands instead."""
    kept, last = [], 0
    for began, ended in _claims(text):
        kept += [text[last:began], UNSAID]
        last = ended
    return "".join([*kept, text[last:]])


def _claims(text: str) -> Iterator[tuple[int, int]]:
    """Where `text` claims something: from, until."""
    folded, places = _folded(text)
    for found in CLAIMS.finditer(folded):
        yield places[found.start()], [*places, len(text)][found.end()]


def _folded(text: str) -> tuple[str, list[int]]:
    """How `text` reads: lower case, without accents and what is not seen; and of each character, where it stood."""
    letters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        for letter in _as_read(character):
            if letter == " " and letters[-1:] == [" "]:
                continue
            letters.append(letter)
            places.append(place)
    return "".join(letters), places


@cache
def _as_read(character: str) -> str:
    """One character as the letters that a reader takes it for; empty where nothing is seen of it."""
    if character.isspace():
        return " "
    alike = character.casefold().translate(LETTERS)
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", alike).casefold())
    return "".join(c for c in plain if unicodedata.category(c) not in NOT_SEEN).translate(LETTERS)
