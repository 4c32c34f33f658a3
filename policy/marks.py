"""Scars, marks and tattoos in two people's words: whether they fit, contradict, or need somebody who looks. Pure.

`tattoo on the arm` is in a million descriptions. Only what is particular to a mark (a rose, a skull, a teardrop) makes
two texts fit; the kind of mark, the place on the body and a negation never do.
"""

import re
from dataclasses import dataclass

KINDS = {
    "tattoo": r"tattoo\w*|tatt?s?|ink(?:ed)?",
    "scar": r"scar(?:s|red|ring)?",
    "mole": r"moles?|nevus|naevus",
    "birthmark": r"birth-?marks?|port-?wine",
    "piercing": r"pierc\w+",
    "burn": r"burn(?:s|ed|t)?",
    "freckle": r"freckle[sd]?",
    "wart": r"warts?",
    "mark": r"(?:visible |distinguishing )?marks?|markings?",
}
ANYTHING = "mark"  # the kind that is no kind: whoever denies marks denies all of them
SITES = (
    r"faces?|facial|head|scalp|forehead|temples?|(?:eye)?brows?|eyes?|eyelids?|nose|cheeks?|cheekbones?|lips?|mouth|chin|jaw\w*"
    r"|ears?|earlobes?|lobes?|neck|throat|nape|chest|back|shoulders?|arms?|forearms?|elbows?|wrists?|hands?|knuckles?"
    r"|fingers?|thumbs?|legs?|thighs?|knees?|calf|calves|ankles?|feet|foot|torso|stomach|abdomen|belly|hips?|body|skin"
)
SIDES = r"left|right"
SMALL = (
    r"upper|lower|small|large|big|tiny|long|short|old|new|faded|beside|above|below|under|over|about|around|near|behind|across"
    r"|inside|outside|front|side|both|some|several|many|few|with|from|that|this|the|and|possibly|maybe|perhaps|looks|like"
    r"|black|dark|light|coloured|colored|visible|healed|file|on|in|of|an|at|to|his|her|he|she|has|had|was|is|it|one|two|three"
    r"|line|lines|kind|type|sort|patch|spot"
)
NO = r"(?:no|none|not any|nothing|without|nil|never|unmarked|no other|clean|clear)"
DENIES = re.compile(rf"^\W*{NO}\b")
CLAUSE = re.compile(r"[,;.\n/]|\b(?:but|and|except|apart from)\b|(?=\bwithout\b)")
KIND = {kind: re.compile(rf"\b(?:{words})\b") for kind, words in KINDS.items()}
GENERIC = re.compile(rf"(?:{'|'.join(KINDS.values())}|{SITES}|{SIDES}|{SMALL}|{NO})")
FEW_LETTERS = 3  # words shorter than that are particular to nothing


@dataclass(frozen=True, slots=True)
class Marks:
    """What one text says: kinds that it denies, and of what it names kinds, places, sides and words of its own."""

    denied: frozenset[str]
    named: bool
    kinds: frozenset[str]
    sites: frozenset[str]
    sides: frozenset[str]
    particular: frozenset[str]


def compared(described: str, recorded: str) -> bool | None:
    """True where they fit, False where one denies what the other names; None where somebody has to look."""
    one, other = _read(described), _read(recorded)
    if _denies(one, other) or _denies(other, one):
        return False
    if not one.named and not other.named:
        return True
    alike = one.particular & other.particular
    differ = any(
        _apart(*both) for both in ((one.kinds, other.kinds), (one.sites, other.sites), (one.sides, other.sides))
    )
    return True if alike and not differ else None


def _denies(one: Marks, other: Marks) -> bool:
    return other.named and (ANYTHING in one.denied or bool(one.denied & other.kinds))


def _apart(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether both say something, and nothing that is the same."""
    return bool(one and other) and not one & other


def _read(text: str) -> Marks:
    clauses = [clause.strip() for clause in CLAUSE.split(text.casefold()) if clause.strip()]
    denied = frozenset(kind for clause in clauses if DENIES.match(clause) for kind in _kinds(clause) or {ANYTHING})
    told = " ".join(clause for clause in clauses if not DENIES.match(clause))
    words = re.findall(r"[^\W\d_]+", told)
    return Marks(
        denied=denied,
        named=bool(words),
        kinds=_kinds(told) - {ANYTHING},
        sites=frozenset(_singular(word) for word in words if re.fullmatch(SITES, word)),
        sides=frozenset(word for word in words if re.fullmatch(SIDES, word)),
        particular=frozenset(
            _singular(word) for word in words if len(word) >= FEW_LETTERS and not GENERIC.fullmatch(word)
        ),
    )


def _kinds(text: str) -> frozenset[str]:
    return frozenset(kind for kind, words in KIND.items() if words.search(text))


def _singular(word: str) -> str:
    return word.removesuffix("s")
