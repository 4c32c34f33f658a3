"""Whether what somebody typed says anything at all (M2). Pure.

A form that has to be filled in is filled in: with “n/a”, with the same words again, with what the keyboard has next to
each other, with a pointer to another file. None of it tells a supervisor, or a court, anything.
"""

import re

from policy.mentions import folded

STOCK = """
n a, na, none, nil, null, nothing, tbd, tba, todo, test, testing, unknown, not known, same, same as above, as above,
see above, see below, see report, see file, see case, see case file, see attached, see narrative, see notes, various,
misc, idk, dunno, not applicable, no comment, whatever, blah, foo, bar, foo bar, yes, no, ok, ask me, later
"""
PHRASES = frozenset(" ".join(STOCK.split()).split(", "))
ONE_LETTER = re.compile(r"([^\W\d])\1*")  # digits repeat in what is true: a man of 22, or of 5'5
FEW_WORDS = 4
FEW_LETTERS = 3  # a shorter word carries little
CHARS_FOR_A_WORD = 12  # of the length that is asked for, one word that carries something
FIRST = 50  # words of which half differ, or the text says the same again and again
KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "poiuytrewq", "lkjhgfdsa", "mnbvcxz")
REASON_MIN_CHARS, REASON_LETTERS = 6, 4  # a reason is at least so long, and of so many different letters
DECIDED = frozenset({"approved", "rejected", "no reason"})  # what was decided, said again
RUN = 4  # so many keys side by side are no word
SMALL = """
the and for with from that this these those was were been has have had not are his her him its our their them they you
your she who whom which what when where there here per now okay yes please also into onto than then
"""
POINTERS = """
see seen report reports file files filed case cases attached attachment attachments refer reference referenced details
detail above below narrative note notes same info information ecms dd5 system document documents
"""
CARRY_NOTHING = frozenset([*SMALL.split(), *POINTERS.split()])


def says_nothing(text: str) -> bool:
    """Whether a short answer is a stock phrase, one letter or no letter at all."""
    plain = folded(text)
    return plain in PHRASES or ONE_LETTER.fullmatch(plain.replace(" ", "")) is not None or not plain


def is_no_reason(text: str) -> bool:
    """Whether a reason is none: a few characters, one of them over and over, a stock phrase or the decision (M23)."""
    plain = folded(text)
    short = len(text.strip()) < REASON_MIN_CHARS or len(set(plain)) < REASON_LETTERS
    return short or plain in DECIDED or says_nothing(text)


def is_placeholder(text: str, min_chars: int) -> bool:
    """Whether a narrative says nothing: too short, a stock phrase, a pointer elsewhere, the same again, or keys."""
    plain = folded(text)
    words = [word for word in plain.split() if _carries(word)][:FIRST]
    different = len(set(words))
    return (
        len(text.strip()) < min_chars
        or says_nothing(text)
        or "lorem ipsum" in plain
        or len(set(plain.split())) < FEW_WORDS
        or different < max(1, min_chars // CHARS_FOR_A_WORD)
        or different * 2 < len(words)
    )


def _carries(word: str) -> bool:
    """Whether a word may say something: not a small word, one letter repeated, or a run along the keyboard."""
    run = len(word) >= RUN and any(word in row for row in KEYBOARD)
    return len(word) >= FEW_LETTERS and word not in CARRY_NOTHING and not ONE_LETTER.fullmatch(word) and not run
