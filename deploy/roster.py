"""A roster as a file has it: everybody in it is checked before anybody is changed. CSV here; SCIM shares the checks."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from bot.people import Person
from bot.roster import RESERVED
from policy.model import PersonId, Role

COLUMNS = ("id", "name", "roles", "certified_until", "team", "account")
UNIT = "unit"  # may follow: examiners' error rates are told by unit
GIVEN = frozenset(Role) - {Role.SYSTEM}

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,99}")
TEAM = re.compile(r"[TE][A-Z0-9]{1,20}")
ACCOUNT = re.compile(r"[UW][A-Z0-9]{1,20}")
LONGEST = 200
JOINERS = "\u200c\u200d"  # some scripts write names with them
FORMULA = ("=", "+", "-", "@")  # what a spreadsheet reckons with instead of showing it
YEARS = range(2000, 2101)


class RosterError(Exception):
    """The file cannot be used: what is wrong with it, all of it, each with its place. Nothing was changed."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


# --- CSV --------------------------------------------------------------------------------------------------------------


def read(path: Path) -> list[Person]:
    """The people of a CSV file with these columns; several roles are separated by blanks."""
    people: list[tuple[str, Person]] = []
    problems: list[str] = []
    try:
        for where, row in _rows(_text(path), problems):
            wrong = list(_wrong(row))
            problems += [f"{where}: {problem}" for problem in wrong]
            if not wrong:
                people.append((where, _person(row)))
    except RosterError as error:
        problems += error.problems
    problems += twice((where, f"the id {one.id}") for where, one in people)
    problems += twice((where, f"the account {one.account} of {one.team}") for where, one in people)
    if not people and not problems:
        problems.append("nobody is in it")
    if problems:
        raise RosterError(*problems)
    return [person for _, person in people]


def _text(path: Path) -> str:
    """The file's text; spreadsheets put a byte order mark in front of it."""
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise RosterError(f"line {line}: this is not UTF-8; save the file as UTF-8") from None


def _rows(text: str, problems: list[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """(the line it begins in, the row) of every row that has as many values as there are columns."""
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = tuple(name.strip() for name in next(lines, ()))
        if columns not in {COLUMNS, (*COLUMNS, UNIT)}:
            raise RosterError(f"line 1: the columns have to be {', '.join(COLUMNS)} and, if you like, {UNIT}")
        began = lines.line_num + 1
        for values in lines:
            if len(values) == len(columns):
                said = {name: value.strip() for name, value in zip(columns, values, strict=True)}
                yield f"line {began}", said
            elif values:
                problems.append(f"line {began}: it has {len(values)} values for {len(columns)} columns")
            began = lines.line_num + 1
    except csv.Error as error:
        raise RosterError(f"line {lines.line_num}: from here on it is no CSV ({error})") from None


def _wrong(row: dict[str, str]) -> Iterator[str]:
    yield from of_id(row["id"])
    yield from of_words("name", row["name"])
    yield from of_account(row["team"], row["account"])
    if unknown := sorted(set(row["roles"].split()) - GIVEN):
        yield f"nobody has the role {', '.join(map(shown, unknown))}; roles are {', '.join(sorted(GIVEN))}"
    if row["certified_until"] and _until(row["certified_until"]) is None:
        yield f"certified_until {shown(row['certified_until'])} is not a date such as 2027-03-13"
    if row.get(UNIT):
        yield from of_words(UNIT, row[UNIT])


def _person(row: dict[str, str]) -> Person:
    roles = frozenset(Role(role) for role in row["roles"].split())
    until = _until(row["certified_until"])
    return Person(PersonId(row["id"]), row["name"], roles, until, row["team"], row["account"], row.get(UNIT, ""))


def _until(untrusted: str) -> datetime | None:
    """The moment at which a certification ends; None where there is none or the words say none."""
    try:
        until = datetime.fromisoformat(untrusted)
    except ValueError:
        return None
    if until.year not in YEARS:
        return None
    return until.replace(tzinfo=UTC) if until.tzinfo is None else until


# --- what CSV and SCIM have in common ---------------------------------------------------------------------------------


def of_id(untrusted: str) -> Iterator[str]:
    """What is wrong with a person's id."""
    if not ID.fullmatch(untrusted):
        yield f"the id {shown(untrusted)} has to be of letters, digits and . _ - @, beginning with a letter or digit"
    elif untrusted.lower() in RESERVED:
        yield f"the id {shown(untrusted)} is the ledger's name for what is no person"


def of_words(what: str, untrusted: str) -> Iterator[str]:
    """What is wrong with a name, of a person or of a unit."""
    if not untrusted:
        yield f"the {what} is empty"
    elif len(untrusted) > LONGEST:
        yield f"the {what} is longer than {LONGEST} characters"
    elif any(unicodedata.category(c).startswith(("C", "Zl", "Zp")) and c not in JOINERS for c in untrusted):
        yield f"the {what} {shown(untrusted)} has characters in it that nobody sees"
    elif untrusted.startswith(FORMULA):
        yield f"the {what} {shown(untrusted)} begins as a formula does"


def of_account(team: str, account: str) -> Iterator[str]:
    """What is wrong with a Slack account and its workspace."""
    if not TEAM.fullmatch(team):
        yield f"the team {shown(team)} is no Slack workspace, such as T012AB3CD"
    if not ACCOUNT.fullmatch(account):
        yield f"the account {shown(account)} is no Slack account, such as U012AB3CD"


def twice(named: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Whatever stands at two places; letters differ by more than their case."""
    first: dict[str, str] = {}
    for where, what in named:
        before = first.setdefault(what.lower(), where)
        if before != where:
            yield f"{where}: {what} stands in {before} already"


def shown(untrusted: str) -> str:
    """What stands in the file, so that nothing in it acts on a terminal."""
    return repr(untrusted if len(untrusted) <= 60 else untrusted[:60] + "…")  # noqa: PLR2004 - a line
