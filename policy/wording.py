"""Words that make more of a comparison than it is. Pure.

What an examiner writes is printed on a lead, and a reader in a hurry takes the strongest word for the finding: context
biases downstream, too (domain.md section 3).
"""

import re

CLAIMS = re.compile(
    r"\b(?:(?<!possible )match(?:e[sd]|ing)?|hits?|confirm(?:s|ed|ation)?|identif(?:y|ies|ied|ication)|identical"
    r"|same (?:person|man|woman|guy)|scores?|percent(?:age)?|probabl[ey]|probability|certain(?:ly|ty)?|definite(?:ly)?"
    r"|undoubtedly|no doubt|guilty|perpetrator|suspect)\b|%",
    re.IGNORECASE,
)


def claim(text: str) -> str | None:
    """The first word in an examiner's `text` that says more than what can be seen; None where there is none."""
    found = CLAIMS.search(text)
    return found[0] if found else None
