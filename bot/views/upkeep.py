"""What people are reminded of. Pure."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from bot.views.blocks import Block, context, literal, section
from policy.model import PersonId
from policy.schema import Report

Message = tuple[str, list[Block]]


def certification(until: datetime) -> Message:
    """To whom it concerns."""
    text = f"Your certification ends on {until:%d %B %Y}"
    return text, [
        section(
            f"*{text}.* From then on you can neither ask for searches nor examine or decide. What you did until then "
            "stands. Ask your supervisor for the renewal in time."
        )
    ]


def certification_of(account: str | None, person: PersonId, until: datetime) -> Message:
    """To the supervisors."""
    who = f"<@{account}>" if account else literal(person)
    text = "A certification ends soon"
    renew = "`leadgate people import` records the renewal."
    return text, [section(f"*The certification of {who} ends on {until:%d %B %Y}.* {renew}")]


IN_WORDS = {
    "receive-photo": "reading the photograph",
    "run-search": "searching the gallery",
    "open-review": "opening the examination",
    "open-context": "looking at the arrest record",
    "ask-face": "asking which face is meant",
    "ask-approval": "asking for the approval",
    "call-arbiter": "asking for one more examiner",
    "ask-decision": "asking for the decision",
    "give-notice": "telling the requester",
    "hand-photograph": "handing over the photograph",
    "hand-sheet": "handing over the lead sheet",
    "tell-recalled": "telling of the recall",
    "tell-arrest": "telling of an arrest on a lead that may not be used",
}


def stuck(job: Mapping[str, Any], *, given_up: bool) -> Message:
    """To the supervisors: a search cannot go on."""
    text = f"Search {job['search']} is stuck" if given_up else f"A message of search {job['search']} is missing"
    until = datetime.fromisoformat(job["until"])
    ends = f" At {until:%H:%M} UTC on {until:%d %B} it ends, and its requester is told." if given_up else ""
    what = IN_WORDS.get(job["kind"], literal(job["kind"]))
    return text, [
        section(
            f"*{text}*: {what} failed again and again. Nothing of it is lost. An administrator finds why with "
            f"`leadgate jobs dead`, and tries again with `leadgate jobs retry {job['job']}`.{ends}"
        )
    ]


def cases_refused(status: int) -> Message:
    """To the supervisors, once a day while it lasts."""
    text = "Case numbers are not checked: the case system refuses this desk"
    return text, [
        section(
            f"*{text}.* It answers {status} to the secret that the desk sends. Requests go on, and each says that its "
            "number was not checked. An administrator sets `LEADGATE_CASE_SECRET` anew and restarts the bot."
        )
    ]


def report_due(report: Report, pack: str, day: date) -> Message:
    """To the supervisors, on the first day of the next period."""
    text = f"A report is due: {report.code}"
    first = _first_day(report.every, day)
    tells = ", ".join(report.tells)
    return text, [
        section(
            f"*{literal(text)}*, to {literal(report.to)}, {literal(report.due)}. It tells: {literal(tells)}.\n"
            f"`/face-usage {first} {day}` counts requests by purpose and outcome for its period."
        ),
        context(f"Policy pack {literal(pack)}. Source: {literal(report.source)}"),
    ]


def _first_day(every: str, day: date) -> date:
    """Of the period that ended the day before."""
    match every:
        case "week":
            return day - timedelta(days=7)
        case "quarter":
            return date(day.year - (day.month == 1), (day.month - 4) % 12 + 1, 1)
        case "two-years":
            return date(day.year - 2, 1, 1)
        case _:
            return date(day.year - 1, 1, 1)
