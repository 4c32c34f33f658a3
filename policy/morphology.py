"""What an examiner compares, component by component, and how far it speaks for one person or two. Pure.

Words inside, words outside: the seven points of the scale stay in the record and are for courts; the requester is told
three words at most, which `outward` makes of them (domain.md section 3).
"""

from collections.abc import Mapping
from enum import StrEnum


class Component(StrEnum):
    """Of a face, top to bottom (ASTM E3149)."""

    SKIN = "skin"
    OUTLINE = "outline"
    PROPORTION = "proportion"
    HAIRLINE = "hairline"
    FOREHEAD = "forehead"
    EYEBROWS = "eyebrows"
    EYES = "eyes"
    CHEEKS = "cheeks"
    NOSE = "nose"
    EARS = "ears"
    MOUTH = "mouth"
    CHIN = "chin"
    NECK = "neck"
    FACIAL_HAIR = "facial-hair"
    LINES = "lines"
    SCARS = "scars"
    MARKS = "marks"
    ALTERATIONS = "alterations"


class Found(StrEnum):
    """What comparing one component came to."""

    SIMILAR = "similar"
    DIFFERENT = "different"
    EXPLAINABLE = "explainable"
    NOT_COMPARABLE = "not-comparable"


class Support(StrEnum):
    """How far what is seen supports one person or two: seven points, the middle one for neither."""

    SAME_STRONGLY = "same-strongly"
    SAME = "same"
    SAME_WEAKLY = "same-weakly"
    NEITHER = "neither"
    DIFFERENT_WEAKLY = "different-weakly"
    DIFFERENT = "different"
    DIFFERENT_STRONGLY = "different-strongly"


class Answer(StrEnum):
    """What an examiner says of one candidate, outward in three words."""

    POSSIBLE = "possible"
    INCONCLUSIVE = "inconclusive"
    EXCLUDED = "excluded"


def outward(support: Support) -> Answer:
    """The word for others: limited support, either way, is no more than inconclusive."""
    match support:
        case Support.SAME_STRONGLY | Support.SAME:
            return Answer.POSSIBLE
        case Support.SAME_WEAKLY | Support.NEITHER | Support.DIFFERENT_WEAKLY:
            return Answer.INCONCLUSIVE
        case Support.DIFFERENT | Support.DIFFERENT_STRONGLY:
            return Answer.EXCLUDED


def speaks_for_one(components: Mapping[Component, Found]) -> bool:
    """Whether anything that could be compared is similar: without that, nobody is named as possible (M18)."""
    return Found.SIMILAR in components.values()
