"""The people of the story, the noon it happens at, and the pack it happens under."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, reduce
from pathlib import Path

from policy import model as m
from policy.contradictions import Record
from policy.pack import Pack, Sealed, gathered, parse
from policy.workflow import decide, evolve

NOON = datetime(2026, 3, 13, 12, 0, tzinfo=UTC)
NEXT_YEAR = NOON + timedelta(days=365)
PACKS = Path(__file__).parents[1] / "policy" / "packs"


KEY = (PACKS / "leadgate.pub").read_text(encoding="utf-8")


def text_of(name: str = "nypd-2020") -> str:
    """The shipped pack, verified, with what it builds on."""
    return gathered(name, lambda one: Sealed(*_files(one), KEY))


def _files(name: str) -> tuple[bytes, str]:
    return (PACKS / f"{name}.toml").read_bytes(), (PACKS / f"{name}.toml.sig").read_text(encoding="utf-8")


@cache
def pack(name: str = "nypd-2020") -> Pack:
    return parse(text_of(name), f"{name}.toml")


NAMES = sorted(path.stem for path in PACKS.glob("*.toml") if path.stem != "desk")


def person(name: str, *roles: m.Role) -> m.Actor:
    return m.Actor(m.PersonId(name), frozenset(roles), NEXT_YEAR)


DANA = person("dana", m.Role.REQUESTER)
SAM = person("sam", m.Role.REQUESTER)
EVA = person("eva", m.Role.EXAMINER)
NOOR = person("noor", m.Role.EXAMINER)
BEN = person("ben", m.Role.EXAMINER)
MARA = person("mara", m.Role.SUPERVISOR)
VERA = person("vera", m.Role.SUPERVISOR)
TOVE = person("tove", m.Role.SUPERVISOR)
REX = person("rex", m.Role.EXECUTIVE)
ADA = person("ada", m.Role.AUDITOR)
OMNI = person("omni", m.Role.REQUESTER, m.Role.EXAMINER, m.Role.SUPERVISOR)  # holds every human role at once
SYSTEM = m.Actor(m.PersonId("system"), frozenset({m.Role.SYSTEM}))
NOBODY = m.Actor(m.PersonId("unknown:T1:U9"), frozenset())
EVERYBODY: tuple[m.Actor, ...] = (DANA, SAM, EVA, NOOR, BEN, MARA, ADA, VERA, REX, OMNI, SYSTEM, NOBODY)

SHA = "ab" * 32
ORIGIN = m.Origin("C1", "1.0", "F1")
BASIS = "Robbery at the corner of Fifth and Main; the man in the still took the till and fled."
ASKER = "12345, 75 Pct Det Squad, Sgt. Alvarez"
FIELDS = {"basis": BASIS, "image-source": "cctv", "timing": "has", "offence": "PL 160.15", "requester": ASKER}
K7, P4, W9 = m.Label("K7"), m.Label("P4"), m.Label("W9")
CANDIDATES = tuple(
    m.Candidate(label, f"S-{n}", (f"p-{n}",), n, 1 - n / 10) for n, label in enumerate((K7, P4, W9), start=1)
)
FACE = m.Face(0, "good", (), 96.0)
OTHER_FACE = m.Face(1, "good", (), 60.0)
POOR_FACE = m.Face(0, "unsuitable", ("inter-eye-distance",), 11.0)

ASK = m.RequestSearch("suspect", "2026-075-001234", FIELDS, attested=True, origin=ORIGIN)
SEEN = m.AssessPhoto(SHA, (FACE,), "model")
SEEN_TWO = m.AssessPhoto(SHA, (FACE, OTHER_FACE), "model")
FOUND = m.RecordCandidates(CANDIDATES, {"k": 20})
OPENED = m.RecordPosted(m.Post.REVIEW, "C2", "2.0")
COMPARED = dict.fromkeys(m.Component, m.Found.SIMILAR) | {m.Component.EARS: m.Found.EXPLAINABLE}
DIFFERENCES = "The ear lobes differ slightly; the light explains it."
LEAD = m.Conclude(m.Conclusion.POSSIBLE_MATCH, K7, DIFFERENCES, SHA, COMPARED)
OTHER_LEAD = replace(LEAD, candidate=P4)
NO_LEAD = m.Conclude(m.Conclusion.NO_POSSIBLE_MATCH, None, "", SHA)
APPROVE = m.DecideLead(approve=True, reason="Both examinations are sound.")

Step = tuple[m.Command, m.Actor]


def answers(by: m.Actor, *possible: m.Label) -> list[Step]:
    """`by` answers every candidate: those named as possible, the others as excluded."""
    return [
        (m.AnswerCandidate(c.label, m.Support.SAME if c.label in possible else m.Support.DIFFERENT), by)
        for c in CANDIDATES
    ]


TO_REVIEW: list[Step] = [(ASK, DANA), (SEEN, SYSTEM), (FOUND, SYSTEM), (OPENED, SYSTEM)]


def says(command: m.Conclude, by: m.Actor) -> list[Step]:
    """`by` answers all and concludes."""
    possible = (K7, P4) if command.candidate else ()
    return [*answers(by, *possible), (command, by)]


RECORD = Record(sex="M", birth_year=1990, height_cm=180, weight_kg=82)
LOOKED = m.OpenContext(RECORD)
AGREED: list[Step] = [*TO_REVIEW, *says(LEAD, EVA), *says(LEAD, NOOR), (LOOKED, SYSTEM)]


def tell(
    steps: list[Step], rules: Pack | None = None, search: m.Search | None = None
) -> tuple[m.Search, list[m.Event]]:
    """The search after the steps, and every event in order."""
    rules = rules or pack()
    search = search or m.Search(m.SearchId("LG-AAAAAAAAAAAA"))
    told: list[m.Event] = []
    for command, by in steps:
        events = decide(search, command, by, rules, NOON)
        told += events
        search = reduce(evolve, events, search)
    return search, told


def refusals(events: list[m.Event]) -> list[str]:
    return [event.rule for event in events if isinstance(event, m.Refused)]
