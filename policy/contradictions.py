"""What a witness described against what the arrest record says, once both opinions are locked (M22, X3). Pure.

The examiners saw neither. A fact that differs by more than the pack tolerates contradicts, and what only a person can
compare is not settled by a word in common: either stops the lead until a supervisor has resolved it in writing, and it
prints on the lead. Eight inches and seventy pounds were once explained away in nobody's writing (New York 2025,
domain.md).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from policy import marks

CM_PER_INCH, KG_PER_POUND = 2.54, 0.45359237
HEIGHT, WEIGHT, AGE, SEX, MARKS, DAY = (
    "witness-height",
    "witness-weight",
    "witness-age",
    "witness-sex",
    "witness-marks",
    "incident-date",
)  # the questions of the form, by name (policy/packs/desk.toml)
DESCRIBED = frozenset({HEIGHT, WEIGHT, AGE, SEX, MARKS})  # what a witness said; it prints on a lead where it matters
Range = tuple[float, float]
Reader = Callable[[str], Range | None]  # what people type -> least and most; None where it cannot be compared


class Fact(StrEnum):
    HEIGHT = "height"
    WEIGHT = "weight"
    AGE = "age"
    SEX = "sex"
    MARKS = "marks"
    CUSTODY = "custody"


class Verdict(StrEnum):
    FITS = "fits"
    CONTRADICTS = "contradicts"
    UNSETTLED = "unsettled"  # two texts that only a person can compare
    UNKNOWN = "not-comparable"  # one side says nothing that can be compared


@dataclass(frozen=True, slots=True)
class Record:
    """What the gallery has on file of one person; None and empty: nothing. No name: nobody decides on one."""

    sex: str | None = None
    birth_year: int | None = None
    height_cm: float | None = None
    weight_kg: float | None = None
    marks: str | None = None
    custody: tuple[tuple[date, date | None], ...] = ()  # from, until; None: still there


@dataclass(frozen=True, slots=True)
class Check:
    """One fact of the description beside the record's, in words."""

    fact: Fact
    described: str
    recorded: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Tolerated:
    """How far described and recorded may lie apart before they contradict."""

    height_cm: float
    weight_kg: float
    age_years: float


def compared(said: Mapping[str, str], record: Record, asked_on: date, tolerated: Tolerated) -> tuple[Check, ...]:
    """One check for each fact that was described, and for custody where the day is known."""
    day = incident(said)
    every = (
        _measured(Fact.HEIGHT, said.get(HEIGHT, ""), record.height_cm, tolerated.height_cm, height),
        _measured(Fact.WEIGHT, said.get(WEIGHT, ""), record.weight_kg, tolerated.weight_kg, weight),
        _age(said.get(AGE, ""), record.birth_year, day or asked_on, tolerated.age_years),
        _sex(said.get(SEX, ""), record.sex),
        _marks(said.get(MARKS, ""), record.marks),
        _custody(day, record.custody),
    )
    return tuple(check for check in every if check is not None)


def contradictions(checks: tuple[Check, ...]) -> tuple[Check, ...]:
    """What has to be resolved in writing: what contradicts, and what somebody has to look at to say whether it does."""
    return tuple(check for check in checks if check.verdict in {Verdict.CONTRADICTS, Verdict.UNSETTLED})


def _measured(fact: Fact, text: str, recorded: float | None, tolerated: float, read: Reader) -> Check | None:
    if not text:
        return None
    found = read(text)
    if found is None or recorded is None:
        return Check(fact, text, NOT_ON_FILE if recorded is None else _in_words(fact, recorded), Verdict.UNKNOWN)
    least, most = found
    fits = least - tolerated <= recorded <= most + tolerated
    return Check(fact, text, _in_words(fact, recorded), Verdict.FITS if fits else Verdict.CONTRADICTS)


NOT_ON_FILE = "not on file"


def _in_words(fact: Fact, value: float) -> str:
    """Metric and as it is said in the United States."""
    if fact is Fact.HEIGHT:
        inches = round(value / CM_PER_INCH)
        return f"{value:.0f} cm ({inches // 12} ft {inches % 12} in)"
    return f"{value:.0f} kg ({value / KG_PER_POUND:.0f} lb)"


def _age(text: str, birth_year: int | None, on: date, tolerated: float) -> Check | None:
    if not text:
        return None
    found = age(text)
    if found is None or birth_year is None:
        born = NOT_ON_FILE if birth_year is None else f"born in {birth_year}"
        return Check(Fact.AGE, text, born, Verdict.UNKNOWN)
    oldest = on.year - birth_year  # or a year less, before that year's birthday
    fits = found[0] - tolerated <= oldest and oldest - 1 <= found[1] + tolerated
    recorded = f"{oldest - 1} or {oldest} (born in {birth_year})"
    return Check(Fact.AGE, text, recorded, Verdict.FITS if fits else Verdict.CONTRADICTS)


SEXES = {"female": "F", "male": "M"}


def _sex(chosen: str, recorded: str | None) -> Check | None:
    if chosen not in SEXES:
        return None
    if recorded not in set(SEXES.values()):
        return Check(Fact.SEX, chosen, NOT_ON_FILE, Verdict.UNKNOWN)
    fits = SEXES[chosen] == recorded
    in_words = next(word for word, code in SEXES.items() if code == recorded)
    return Check(Fact.SEX, chosen, in_words, Verdict.FITS if fits else Verdict.CONTRADICTS)


def _marks(text: str, recorded: str | None) -> Check | None:
    if not text:
        return None
    if not recorded:
        return Check(Fact.MARKS, text, NOT_ON_FILE, Verdict.UNKNOWN)
    return Check(Fact.MARKS, text, recorded, MARKS_COMPARED[marks.compared(text, recorded)])


MARKS_COMPARED = {True: Verdict.FITS, False: Verdict.CONTRADICTS, None: Verdict.UNSETTLED}


def _custody(day: date | None, spells: tuple[tuple[date, date | None], ...]) -> Check | None:
    """Whoever was in custody that day was not at the scene. Where nothing is on file, nothing is shown by it."""
    if day is None or not spells:
        return None
    told = f"on {day.isoformat()}"
    for began, ended in spells:
        if began <= day and (ended is None or day <= ended):
            until = f"until {ended.isoformat()}" if ended else "and still is"
            return Check(Fact.CUSTODY, told, f"in custody from {began.isoformat()} {until}", Verdict.CONTRADICTS)
    return Check(Fact.CUSTODY, told, "not in custody then", Verdict.FITS)


# --- what people type -------------------------------------------------------------------------------------------------

FEET = re.compile(r"(\d)['’](\d{1,2})")


def height(text: str) -> Range | None:
    """Centimetres: of `180 cm`, `175-180 cm`, `5'11` or `5'9-6'0`."""
    if feet := FEET.findall(text):
        inches = [int(one) * 12 + int(other) for one, other in feet]
        return _ordered([n * CM_PER_INCH for n in inches])
    return _numbers(text)


def weight(text: str) -> Range | None:
    """Kilograms: of `80 kg`, `75-85 kg`, `180 lb` or `170-190 lb`."""
    found = _numbers(text)
    if found and "LB" in text.upper():
        return found[0] * KG_PER_POUND, found[1] * KG_PER_POUND
    return found


def age(text: str) -> Range | None:
    """Years: of `30` or `25-35`."""
    return _numbers(text)


def incident(said: Mapping[str, str]) -> date | None:
    """The day it happened, where the form says one that there is."""
    try:
        return date.fromisoformat(said.get(DAY, ""))
    except ValueError:
        return None


def _numbers(text: str) -> Range | None:
    found = [float(number) for number in re.findall(r"\d+", text)]
    return _ordered(found) if found else None


def _ordered(found: list[float]) -> Range:
    return min(found), max(found)
