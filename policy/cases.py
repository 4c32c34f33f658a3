"""Given, when, then: the sentences of a pack's cases, told to the same `decide` that rules every search.

Counsel writes and reads the sentences; `PEOPLE`, `DEEDS` and `TALES` are all the words there are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import reduce

from policy import evaluated, intake
from policy import model as m
from policy.authority import approval_open, examiners
from policy.contradictions import Record
from policy.folding import evolve
from policy.leads import against
from policy.morphology import Component, Found, Support
from policy.pack import FormField, Pack
from policy.schema import Case
from policy.workflow import Events, decide

NOON = datetime(2026, 3, 13, 12, 0, tzinfo=UTC)  # when every case begins
CERTIFIED_UNTIL = NOON + timedelta(days=180)
NARRATIVE = "The person in the still took the till of a shop at Fifth and Main and ran towards the park."


class CaseError(Exception):
    """The case says something that none of the words here mean."""


def _person(name: str, *roles: m.Role) -> m.Actor:
    return m.Actor(m.PersonId(name), frozenset(roles), CERTIFIED_UNTIL)


R, E, S = m.Role.REQUESTER, m.Role.EXAMINER, m.Role.SUPERVISOR
EXAMINERS = ("the first examiner", "the second examiner", "a third examiner")
SUPERVISORS = ("the supervisor", "another supervisor", "a third supervisor")
PEOPLE: Mapping[str, m.Actor] = {
    "the requester": _person("requester", R),
    "another requester": _person("another-requester", R),
    "an all-rounder": _person("all-rounder", R, E, S),  # holds every role of the desk at once
    "the all-rounder": _person("all-rounder", R, E, S),
    **{name: _person(name.replace(" ", "-"), E) for name in EXAMINERS},
    **{name: _person(name.replace(" ", "-"), S) for name in SUPERVISORS},
    "the executive": _person("executive", m.Role.EXECUTIVE),
    "a stranger": m.Actor(m.PersonId("stranger"), frozenset()),
}
SYSTEM = m.Actor(m.PersonId("system"), frozenset({m.Role.SYSTEM}))

PHOTO = "ab" * 32
K7, P4, W9 = m.Label("K7"), m.Label("P4"), m.Label("W9")
FOUND = tuple(m.Candidate(label, f"S-{n}", (f"p-{n}",), n, 1 - n / 10) for n, label in enumerate((K7, P4, W9), 1))
FACES = {
    "one good face": (m.Face(0, "good", (), 96.0),),
    "one limited face": (m.Face(0, "limited", ("yaw",), 60.0),),
    "one poor face": (m.Face(0, "poor", ("inter-eye-distance",), 30.0),),
    "one unsuitable face": (m.Face(0, "unsuitable", ("inter-eye-distance",), 11.0),),
    "two faces": (m.Face(0, "good", (), 96.0), m.Face(1, "good", (), 60.0)),
    "no face": (),
}
REASON = "Written down, as it has to be."
RESOLVED = "He stood two steps below the witness, who says so now; see the supplementary report of 14 March."
RECORD = Record(sex="M", birth_year=1990, height_cm=180, weight_kg=82)  # of whoever the examiners find
RECORDS = {
    "somebody far taller than described": Record(sex="M", birth_year=1990, height_cm=203, weight_kg=82),
    "somebody who was in custody": Record(custody=((date(2026, 1, 1), None),)),
}


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a case stands: the search so far, the hour, who may no longer act, and what came of the last deed."""

    pack: Pack
    case: Case
    search: m.Search
    now: datetime = NOON
    lapsed: frozenset[m.PersonId] = frozenset()
    last: Events = ()

    def after(self, command: m.Command, by: m.Actor) -> "Scene":
        by = replace(by, certified_until=self.now) if by.id in self.lapsed else by
        events = decide(self.search, command, by, self.pack, self.now)
        return replace(self, search=reduce(evolve, events, self.search), last=events)

    @property
    def outcome(self) -> str:
        """A state, or the refusal."""
        refused = next((event for event in self.last if isinstance(event, m.Refused)), None)
        return f"refused: {refused.rule}" if refused else self.search.state.value


def failure(case: Case, pack: Pack) -> str | None:
    """What came instead of what the case says; None where it holds."""
    scene = reduce(_told, case.given, Scene(pack, case, m.Search(m.SearchId("LG-AAAAAAAAAAAA"))))
    came = _told(scene, case.when).outcome
    return None if came == case.then else f"{case.name}: not “{case.then}” but “{came}”"


def untold(case: Case) -> Mapping[str, str]:
    """What of the case means nothing, by the key under which it stands; empty where all of it can be told."""
    wrong: dict[str, str] = {}
    for key, sentence in (*(("given", one) for one in case.given), ("when", case.when)):
        if _meaning(sentence) is None:
            wrong.setdefault(key, sentence)
    if case.then not in {state.value for state in m.State} and not case.then.startswith("refused: "):
        wrong["then"] = case.then
    return wrong


def _told(scene: Scene, sentence: str) -> Scene:
    told = _meaning(sentence)
    if told is None:
        raise CaseError(f"“{sentence}” is not among the sentences that can be told")
    return told(scene)


def _meaning(sentence: str) -> Callable[[Scene], Scene] | None:
    if sentence in TALES:
        return TALES[sentence]
    who = next((who for who in sorted(PEOPLE, key=len, reverse=True) if sentence.startswith(f"{who} ")), None)
    deed = DEEDS.get(sentence.removeprefix(f"{who} "))
    if who is None or deed is None:
        return None
    return lambda scene: deed(scene, PEOPLE[who])


# --- what people do ---------------------------------------------------------------------------------------------------


def _gives(command: m.Command) -> Callable[[Scene, m.Actor], Scene]:
    return lambda scene, by: scene.after(command, by)


def _asks(scene: Scene, by: m.Actor) -> Scene:
    return scene.after(request(scene.case, scene.pack), by)


COMPARED: Mapping[Component, Found] = dict.fromkeys(Component, Found.SIMILAR) | {Component.EARS: Found.EXPLAINABLE}


def _concludes(pick: m.Label | None, record: Record = RECORD) -> Callable[[Scene, m.Actor], Scene]:
    """Every candidate is answered, then the opinion is locked; where all agree, the record is looked at (X3)."""

    def told(scene: Scene, by: m.Actor) -> Scene:
        for candidate in scene.search.candidates:
            support = Support.SAME if candidate.label == pick else Support.DIFFERENT
            scene = scene.after(m.AnswerCandidate(candidate.label, support), by)
        conclusion = m.Conclusion.POSSIBLE_MATCH if pick else m.Conclusion.NO_POSSIBLE_MATCH
        differences, components = ("The ear lobes differ slightly.", COMPARED) if pick else ("", {})
        scene = scene.after(m.Conclude(conclusion, pick, differences, PHOTO, components), by)
        agreed = scene.search.state is m.State.AGREED and scene.search.context is None
        return scene.after(m.OpenContext(record), SYSTEM) if agreed else scene

    return told


DEEDS: Mapping[str, Callable[[Scene, m.Actor], Scene]] = {
    "asks": _asks,
    "approves the request": _gives(m.ApproveRequest(approve=True, reason=REASON)),
    "rejects the request": _gives(m.ApproveRequest(approve=False, reason=REASON)),
    "allows the photographs": _gives(m.AllowRepository(allow=True, reason=REASON)),
    "does not allow the photographs": _gives(m.AllowRepository(allow=False, reason=REASON)),
    "chooses the first face": _gives(m.ChooseFace(0)),
    "overrides the quality": _gives(m.OverrideQuality(proceed=True, reason=REASON)),
    "does not override the quality": _gives(m.OverrideQuality(proceed=False, reason=REASON)),
    "finds a possible match": _concludes(K7),
    "finds another person": _concludes(P4),
    "finds nobody": _concludes(None),
    "declares a conflict": _gives(m.DeclareConflict(REASON)),
    "approves the lead": _gives(m.DecideLead(approve=True, reason=REASON)),
    "approves the lead and resolves it": lambda scene, by: scene.after(
        m.DecideLead(approve=True, reason=REASON, resolutions={c.fact: RESOLVED for c in against(scene.search)}), by
    ),
    "asks for one more opinion": _gives(m.ReturnReview(REASON)),
    "rejects the lead": _gives(m.DecideLead(approve=False, reason=REASON)),
    "acknowledges the lead": _gives(m.Acknowledge()),
    "withdraws": _gives(m.Withdraw(REASON)),
}


# --- what happens -----------------------------------------------------------------------------------------------------


MODELS: Mapping[str, Mapping[str, float]] = {
    "evaluated by NIST": {evaluated.LOWEST: 0.995},
    "never evaluated by NIST": {},
    "that fails one group in twenty": {evaluated.LOWEST: 0.95},
}


def _shows(
    faces: tuple[m.Face, ...], evaluation: Mapping[str, float] = MODELS["evaluated by NIST"]
) -> Callable[[Scene], Scene]:
    return lambda scene: scene.after(m.AssessPhoto(PHOTO, faces, "model", evaluation), SYSTEM)


def _finds(people: tuple[m.Candidate, ...]) -> Callable[[Scene], Scene]:
    return lambda scene: scene.after(m.RecordCandidates(people, {"k": len(people)}), SYSTEM)


def _passes(time: timedelta) -> Callable[[Scene], Scene]:
    return lambda scene: replace(scene, now=scene.now + time)


def _approved(scene: Scene) -> Scene:
    """Everybody who has to approve does, the executive among them where further photographs are asked for."""
    if scene.search.repositories and scene.search.allowed_until is None:
        scene = DEEDS["allows the photographs"](scene, PEOPLE["the executive"])
    for who in SUPERVISORS:
        if approval_open(scene.search):
            scene = DEEDS["approves the request"](scene, PEOPLE[who])
    return scene


def _stands(scene: Scene) -> Scene:
    scene = _asks(scene, PEOPLE["the requester"])
    return _approved(scene) if scene.search.state is m.State.HELD else scene


def _open(scene: Scene) -> Scene:
    scene = scene if scene.search.state is not m.State.NEW else _stands(scene)
    scene = scene if scene.search.photo_sha256 else _shows(FACES["one good face"])(scene)
    return _finds(FOUND)(scene).after(m.RecordPosted(m.Post.REVIEW, "C2", "2.0"), SYSTEM)


def _every(pick: m.Label | None, record: Record = RECORD) -> Callable[[Scene], Scene]:
    def told(scene: Scene) -> Scene:
        for who in EXAMINERS:
            if len(examiners(scene.search)) < scene.pack.review.examiners:
                scene = _concludes(pick, record)(scene, PEOPLE[who])
        return scene

    return told


def _issued(scene: Scene) -> Scene:
    scene = _every(K7)(_open(scene))
    decides = scene.pack.review.supervisor_decides
    return DEEDS["approves the lead"](scene, PEOPLE["the supervisor"]) if decides else scene


def _lapses(scene: Scene, who: str) -> Scene:
    return replace(scene, lapsed=scene.lapsed | {PEOPLE[who].id})


TALES: Mapping[str, Callable[[Scene], Scene]] = {
    **{f"the photograph shows {what}": _shows(faces) for what, faces in FACES.items()},
    **{f"a model {which} sees it": _shows(FACES["one good face"], found) for which, found in MODELS.items()},
    "the request is approved": _approved,
    "the request stands": _stands,
    "the search finds three people": _finds(FOUND),
    "the search finds nobody": _finds(()),
    "the examination is open": _open,
    "every examiner finds a possible match": _every(K7),
    "every examiner finds nobody": _every(None),
    **{f"every examiner finds {whom}": _every(K7, record) for whom, record in RECORDS.items()},
    "a lead is issued": _issued,
    "the approval is looked for": lambda scene: scene.after(m.Quarantine(), SYSTEM),
    "an hour passes": _passes(timedelta(hours=1)),
    "a day passes": _passes(timedelta(days=1)),
    "two days pass": _passes(timedelta(days=2)),
    "a fortnight passes": _passes(timedelta(days=14)),
    "the requester's certification ran out": lambda scene: _lapses(scene, "the requester"),
    "the first examiner's certification ran out": lambda scene: _lapses(scene, "the first examiner"),
    "the supervisor's certification ran out": lambda scene: _lapses(scene, "the supervisor"),
}


# --- a complete request -----------------------------------------------------------------------------------------------


def request(case: Case, pack: Pack) -> m.RequestSearch:
    """The request of a case: complete for its purpose, but for what the case says."""
    code = case.purpose or pack.purposes[0].code
    purpose = pack.purpose(code)
    answers = dict(case.answers)
    for field in pack.fields(purpose) if purpose else ():
        if field.required and field.name not in {*answers, *case.omit} and _asked(field, answers):
            answers[field.name] = example(field)
    if set(case.repositories) & set(pack.repositories.exceptional) and intake.EXCEPTION.name not in case.omit:
        answers.setdefault(intake.EXCEPTION.name, NARRATIVE)
    number = purpose.case_number_example if purpose else "1"
    return m.RequestSearch(
        purpose=code,
        case_number=number if case.case_number is None else case.case_number,
        fields=answers,
        attested=case.attested,
        origin=m.Origin("C1", "1.0", "F1"),
        repositories=case.repositories,
    )


def _asked(field: FormField, answers: Mapping[str, str]) -> bool:
    return field.when is None or field.when.says in intake.chosen(answers.get(field.when.field, ""))


def example(field: FormField) -> str:
    """An answer that the policy has nothing against."""
    if field.kind in {"choice", "checks"}:
        return next(one for one in field.options if one not in field.refuses and one not in field.holds)
    return field.example or NARRATIVE


def complete(pack: Pack, code: str) -> m.RequestSearch:
    """A request for this purpose that is refused for nothing."""
    return request(
        Case(name="complete", when="the requester asks", then="requested", because="it is", purpose=code), pack
    )
