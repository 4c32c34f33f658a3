"""Whatever people type and however much there is, every view the bot builds is one that Slack takes."""

import importlib
import inspect
import pkgutil
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import CodeType, FrameType
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bot.views
from bot.views import (
    aftermath,
    approval,
    comparison,
    context,
    home,
    premises,
    preparing,
    quality,
    request,
    review,
    upkeep,
)
from bot.views.lead import Beside
from deploy.workspace.blocks import faults_in_blocks, faults_in_view
from policy.aftermath import Corroboration, Evidence, LeadOutcome
from policy.contradictions import Check, Fact
from policy.contradictions import Verdict as Compared
from policy.known_answers import Proportion, Rates, Verdict
from policy.model import (
    Answer,
    Candidate,
    Conclusion,
    Examination,
    Face,
    Label,
    Note,
    Outcome,
    PersonId,
    Preparation,
    Search,
    SearchId,
    State,
)
from policy.morphology import Component, Found
from policy.preparation import Gamma
from policy.schema import Report, Statistic
from policy.timers import Stage, Waiting
from tests import story

from .judges.block_kit import models_say
from .judges.limits_judge import limits_say

PACK = story.pack()
LONGEST_REPORT = Report(
    code="a" * 40,
    every="two-years",
    to="<!channel> & " * 150,
    due="y" * 75,
    tells=get_args(Statistic),  # all there is to tell
    source="z" * 2000,
)
HOSTILE = (
    "<!channel> <@U0EVIL> <#C0EVIL|x> *IDENTIFIED* _sure_ ~not~ `x` :white_check_mark: http://evil.example &lt;!here>"
)
NASTY = (
    HOSTILE,
    "x" * 9000,
    "<@U0ABCDEF>" * 900,
    "&" * 4000,
    "🙂" * 3001,
    "*_~`>" * 1000,
    "line\n" * 900,
    "\u202e" * 80,
    "a",
)
ANYTHING = st.one_of(st.sampled_from(NASTY), st.text(min_size=1, max_size=60).filter(str.strip))
SEARCH = SearchId("S-2026-000001")
FILES = {"probe": "F0PROBE000"} | {f"{n:02d}": f"F0CANDID{n:02d}" for n in range(50)}


def form_of(purpose, place: dict[str, str], typed: str):
    """The form for a purpose, everything in it answered with `typed`, and every further question asked."""
    answers = {"purpose": purpose.code if purpose else ""}
    if purpose:
        fields = PACK.fields(purpose)
        answers |= {f.name: ",".join(f.options) if f.options else typed for f in fields} | {"case-number": typed}
    return request.form(PACK, SEARCH, "F0PROBE000", "U0REQUEST", place, answers)


def candidate(number: int) -> Candidate:
    return Candidate(Label(f"{number:02d}"), f"P{number}", (f"G{number}",), number, 0.5)


@st.composite
def searches(draw: st.DrawFn) -> Search:
    """A search at its end, with as many candidates, faces and opinions as a search may have."""
    count = draw(st.sampled_from((2, 20, 50)))
    seen = tuple(candidate(n) for n in range(count))
    answers = {c.label: Answer.POSSIBLE for c in seen}
    opinions = tuple(
        Examination(PersonId(f"U{n}"), answers, Conclusion.POSSIBLE_MATCH, Label("00"), draw(ANYTHING))
        for n in range(3)
    )
    faces = tuple(Face(n, "good", (draw(ANYTHING),) * 3, 60.0) for n in range(draw(st.sampled_from((1, 2, 40)))))
    return Search(
        SEARCH,
        State.IN_REVIEW,
        "nypd-2020@1.0.0",
        PersonId("U0REQUEST"),
        purpose=draw(st.sampled_from([p.code for p in PACK.purposes] + list(NASTY))),
        case_number=draw(ANYTHING),
        fields={"basis": draw(ANYTHING)},
        faces=faces,
        face=0,
        candidates=seen,
        examinations=opinions,
        outcome=draw(st.sampled_from(list(Outcome)[:4])),
        reason=draw(ANYTHING),
        lead=Label("00"),
    )


def _figures(typed: str):
    """More of everything than a page holds."""
    rates = [Rates(f"{typed[:99]}{n}", Proportion(1, 9), Proportion(0, 0), 0) for n in range(60)]
    dwell = [{"examiner": typed[:99], "opinions": 9, "hasty": 1, "median": 12.5}] * 60
    pairs = [{"one": typed[:99], "other": typed[:99], "together": 12, "agreed": 12}] * 60
    return rates, dwell, pairs


def hold(search: Search, state: State, typed: str) -> Search:
    """The same search, held, with every answer of its form typed and more concerns than fit."""
    purpose = PACK.purposes[0]
    fields = {f.name: ",".join(f.options) if f.options else typed for f in PACK.fields(purpose)}
    return replace(
        search,
        state=state,
        purpose=purpose.code,
        fields=fields,
        concerns=(typed,) * 12,
        repositories=("juvenile",),
        approval_due=datetime(2026, 1, 1, tzinfo=UTC) if len(typed) % 2 else None,
        refused_by=PersonId(typed),
    )


def waits(search: Search) -> list[Waiting]:
    """Something of every stage, long overdue and not due at all."""
    far = [story.NOON - timedelta(days=400), story.NOON + timedelta(minutes=7)]
    return [Waiting(search, stage, due - timedelta(days=1), due, due) for stage in Stage for due in far]


def _corroborated(typed: str) -> tuple[Corroboration, ...]:
    return tuple(Corroboration(kind, typed, "U0REQUEST", story.NOON) for kind in Evidence) * 5


OF_A_CASE = {
    "id": SEARCH,
    "purpose": "suspect",
    "state": "closed",
    "outcome": "possible-match",
    "requested_at": story.NOON,
}
EVA = PersonId("eva")


def against_the_record(search: Search, typed: str) -> Search:
    """The same search, every fact of the record against what was described."""
    checks = tuple(Check(fact, typed, typed, Compared.CONTRADICTS) for fact in Fact)
    return replace(search, context=checks, resolutions={fact.value: typed for fact in Fact})


BESIDE = Beside(dict.fromkeys(Outcome, 9), story.NOON.date())


def long_history(search: Search, typed: str) -> Search:
    """The same search with many steps of preparation and long answers of the requester."""
    step = Preparation(Gamma(1.2), "ab" * 32, "cd" * 32, EVA, story.NOON)
    notes = (Note(EVA, story.NOON, typed),) * 30
    return replace(search, preparations=(step,) * 90, fields={"edits": typed, "earlier-searches": typed}, notes=notes)


def everything_for(search: Search, typed: str) -> dict[str, Any]:
    """Every message and modal, by name."""
    messages = {
        "offer": request.offer(SEARCH, "F0PROBE000", "U0REQUEST"),
        "not for search": request.not_for_search(typed),
        "card": request.card(search, PACK),
        "face question": request.face_question(search, "F0PROBE000"),
        "face chosen": request.face_chosen(search),
        "notice": request.notice(search, PACK, BESIDE),
        "photograph": request.photograph(search, "F0PROBE000", typed),
        "root": review.root(search, FILES),
        "somebody drawn": review.called(search, open_to_all=False),
        "somebody needed": review.called(search, open_to_all=True),
        "over": review.over(search),
        "decision": review.decision(search, FILES),
        "decided": review.decided(search),
        "decision with contradictions": review.decision(against_the_record(search, typed), FILES),
        "notice with contradictions": request.notice(
            long_history(against_the_record(search, typed), typed), PACK, BESIDE
        ),
        "feedback": quality.feedback(search, search.examinations[0], Label("00"), Verdict.WRONG_PERSON),
        "root without pictures": review.root(search, {}),
        "decision without pictures": review.decision(search, {}),
        "face question without a picture": request.face_question(search, None),
        "photograph at the viewer": request.photograph(search, None, typed),
        "may be prepared": preparing.wanted(search),
        "preparation over": preparing.over(search),
        "deleted": request.deleted(search),
        "still there": request.still_there(search),
        "withheld": request.withheld(search, typed),
        "please delete": request.please_delete(search),
        "no photograph": request.no_photograph(search),
        "certification ends": upkeep.certification(story.NOON),
        "somebody's certification ends": upkeep.certification_of(None, PersonId(typed), story.NOON),
        "a report is due": upkeep.report_due(LONGEST_REPORT, PACK.id, story.NOON.date()),
        **{f"reminder {n}": home.reminder(one) for n, one in enumerate(waits(search))},
        **{f"escalation {n}": home.escalation(one) for n, one in enumerate(waits(search))},
        "handed": home.handed(search),
        "decision with what was added": review.decision(
            replace(search, notes=(Note(EVA, story.NOON, typed),) * 5), FILES
        ),
        "returned": review.returned(search),
        "added to a lead": review.added(search, Note(EVA, story.NOON, typed)),
        "asked again": review.again(search),
        "the case system refuses": upkeep.cases_refused(401),
        "stuck": upkeep.stuck(
            {"search": SEARCH, "job": 9, "kind": typed, "until": story.NOON.isoformat()}, given_up=True
        ),
        "expires soon": aftermath.expires_soon(search, story.NOON),
        "expired": aftermath.expired(search),
        "recalled": aftermath.recalled(replace(search, recalled=typed)),
        "recall answered": aftermath.recalled(replace(search, recalled=typed, recall_acknowledged_at=story.NOON)),
        "was recalled": aftermath.was_recalled(replace(search, recalled=typed, acknowledged_at=story.NOON)),
        "recalled in the notice": request.withheld(replace(search, recalled=typed, acknowledged_at=story.NOON), typed),
        "decided, a lead": review.decided(replace(search, state=State.LEAD)),
        "unseen": aftermath.unseen(search),
        "nobody saw": aftermath.nobody_saw(search),
        "arrest on a withheld lead": aftermath.arrest_on_withheld(search, typed),
        "no lead": request.notice(
            replace(long_history(search, typed), outcome=Outcome.NO_POSSIBLE_MATCH, lead=None), PACK, BESIDE
        ),
        "forwarded": aftermath.forwarded(SEARCH, "sheet", "U0REQUEST", "C0INTAKE000"),
        "left a channel": premises.left("C0INTAKE000", "U0REQUEST"),
        "cannot leave a channel": premises.not_left("C0INTAKE000", ""),
        "approval question": approval.question(hold(search, State.HELD, typed), PACK),
        "poor image question": approval.question(hold(search, State.QUALITY_HELD, typed), PACK),
        "approval settled": approval.settled(hold(search, State.CLOSED, typed)),
    }
    reasons = {f"reason to {a}": approval.reason_form(SEARCH, a, bans=PACK.bans) for a in approval.WHAT}
    place = {"channel": "C0INTAKE000", "thread": "1764000000.000001"}
    purposes = [None, *PACK.purposes]
    forms = {f"form {n}": form_of(p, place, typed) for n, p in enumerate(purposes)}
    forms["form with what was wrong"] = request.form(PACK, SEARCH, "F0PROBE000", "U0REQUEST", place, {}, [typed] * 9)
    mine = search.examinations[0]
    sheets = {f"worksheet {n}": review.worksheet(search, mine, FILES, "seed", n) for n in (0, 1, 99)}
    usage = [{"purpose": f"{typed[:200]}{n}", "outcome": typed, "searches": 3} for n in range(60)]
    return (
        messages
        | forms
        | sheets
        | reasons
        | {
            "empty worksheet": review.worksheet(search, None, FILES, "seed"),
            "worksheet without pictures": review.worksheet(search, mine, {}, "seed"),
            "comparison": comparison.sheet(SEARCH, Label("00"), "ab" * 32, {}),
            "comparison half done": comparison.sheet(
                SEARCH, Label("00"), "ab" * 32, {Component.EARS: Found.EXPLAINABLE}
            ),
            "locked": review.locked(search),
            "decision form": review.decision_form(search, approve=True),
            "decision form with contradictions": review.decision_form(against_the_record(search, typed), approve=True),
            "what is on record": context.sheet(against_the_record(search, typed), typed),
            "evidence": aftermath.evidence_form(replace(search, corroboration=_corroborated(typed))),
            "first evidence": aftermath.evidence_form(search),
            "outcome": aftermath.outcome_form(replace(search, corroboration=_corroborated(typed))),
            "outcome without evidence": aftermath.outcome_form(search),
            "outcome after an arrest": aftermath.outcome_form(replace(search, aftermath=LeadOutcome.ARREST)),
            "arrest recorded": review.telling(aftermath.arrest_recorded(typed)),
            "closing a case": aftermath.closing_form(typed[:200], [SEARCH] * 99, 3),
            "closed a case": aftermath.closed_on_another(typed[:200], [SEARCH] * 99),
            "home": home.tab([(one, n % 2 == 0, n % 3 == 0) for n, one in enumerate(waits(search) * 5)], story.NOON),
            "empty home": home.tab([], story.NOON),
            "home without a database": home.away(),
            "add to an opinion": review.note_form(search),
            "ask for one more opinion": review.return_form(search),
            "hand back": home.hand_back_form(search),
            "hand over": home.hand_over_form(search, {f"U{n}": typed[:200] or "Eva" for n in range(150)}),
            "queue": home.queue(waits(search) * 5, story.NOON),
            "empty queue": home.queue([], story.NOON),
            "doors of a lead": [aftermath.doors(search)],
            "nothing on record": context.sheet(search, ""),
            "refusal form": review.decision_form(search, approve=False),
            "telling": review.telling(typed),
            "waits no more": home.settled(search),
            "viewer link": review.viewer_link("http://127.0.0.1:9/" + "t" * 200, "048213"),
            "addressed": [request.addressed_to("U0REQUEST")],
            "quality": quality.figures(3.5, 7, *_figures(typed)),
            "usage": review.usage(usage, {}, "2026-01-01", "2026-02-01"),
            "a case": review.of_case([OF_A_CASE, OF_A_CASE | {"outcome": None}] * 40, {}, typed[:200]),
            "a case without searches": review.of_case([], {}, typed[:200]),
        }
    )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(search=searches(), typed=ANYTHING)
def test_slack_takes_every_view_whatever_people_type(search: Search, typed: str):
    wrong: dict[str, Any] = {}
    for name, made in everything_for(search, typed).items():
        payload = made[1] if isinstance(made, tuple) else made
        found = (
            faults_in_view(payload, ("home" if "home" in name else "modal",))
            if isinstance(payload, dict)
            else faults_in_blocks(payload, "message")
        )
        if found or (found := models_say(payload) or limits_say(payload)):
            wrong[name] = found
    assert wrong == {}


# What mrkdwn makes of text: mentions and links, bold, italic, struck, code, emoji.
MARKED = re.compile(r"<[^>]*>|\*[^*]+\*|\b_[^_]+_\b|~[^~]+~|`[^`]+`|:[\w+-]+:")


def texts_of(payload: Any) -> Iterator[dict[str, Any]]:
    """Every text object of a view or of blocks, wherever it stands."""
    match payload:
        case {"type": "plain_text" | "mrkdwn", "text": str()}:
            yield payload
        case dict():
            for part in payload.values():
                yield from texts_of(part)
        case list() | tuple():
            for part in payload:
                yield from texts_of(part)
        case _:
            pass


def marks_in(made: Any) -> Counter[str]:
    """How a message or a view is formatted: its `text`, and every text object that is read as mrkdwn."""
    read = [part["text"] for part in texts_of(made) if part["type"] == "mrkdwn"]
    read += [made[0]] if isinstance(made, tuple) else []
    return Counter(mark[0] for text in read for mark in MARKED.findall(text))


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(search=searches(), typed=st.sampled_from((HOSTILE, "*_~`>:x:" * 40, "*a* _b_ ~c~ `d` :e: <@U0EVIL>")))
def test_what_people_type_mentions_nobody_links_nowhere_and_formats_nothing(search: Search, typed: str):
    """No more is formatted than where somebody typed a mere letter: what the house formats, and nothing else."""
    hostile, sober = (everything_for(_typing(search, text), text) for text in (typed, "a"))
    more = {name: marks_in(made) - marks_in(sober[name]) for name, made in hostile.items()}
    assert {name: marks for name, marks in more.items() if marks} == {}


def _typing(search: Search, typed: str) -> Search:
    """The same search, in which people typed nothing but that."""
    opinions = tuple(replace(e, differences=typed) for e in search.examinations)
    faces = tuple(replace(face, reasons=(typed,)) for face in search.faces)
    said = replace(search, case_number=typed, reason=typed, examinations=opinions, faces=faces)
    return replace(said, fields={"basis": typed}, purpose=typed)


@settings(max_examples=1, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(search=searches(), typed=ANYTHING)
def test_slack_makes_no_link_of_what_is_not_marked_as_one(search: Search, typed: str):
    every = [part for made in everything_for(search, typed).values() for part in texts_of(made)]
    assert {part["verbatim"] for part in every if part["type"] == "mrkdwn"} == {True}


NOT_A_PAYLOAD = {
    "case",
    "timer",
    "line",
    "question",
    "on_the_lead",
    "order",
    "read_conclusion",
    "lead_sheet",
    "read",
    "in_words",
}
"""Public functions beside the views that give an order, a reading and a line of text."""


def builders() -> dict[CodeType, str]:
    """Every public function of every module of views, so that a new one is asked for by name."""
    found: dict[CodeType, str] = {}
    for info in pkgutil.iter_modules(bot.views.__path__):
        module = importlib.import_module(f"bot.views.{info.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            ours = function.__module__ == module.__name__ and info.name != "blocks"
            if ours and not name.startswith("_") and name not in NOT_A_PAYLOAD:
                found[function.__code__] = f"{info.name}.{name}"
    return found


@settings(max_examples=1, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(search=searches(), typed=ANYTHING)
def test_no_view_of_the_bot_is_forgotten_above(search: Search, typed: str):
    called: set[CodeType] = set()

    def note(frame: FrameType, _event: str, _arg: object) -> None:
        called.add(frame.f_code)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        everything_for(search, typed)
    finally:
        sys.setprofile(before)
    assert sorted(name for code, name in builders().items() if code not in called) == []


@pytest.mark.parametrize("count", [1, 2, 50])
def test_a_text_for_notifications_is_always_there_and_short(count: int):
    search = Search(SEARCH, State.IN_REVIEW, candidates=tuple(candidate(n) for n in range(count)))
    for text, _ in (request.card(search, PACK), review.root(search, FILES)):
        assert 0 < len(text) <= 4000
