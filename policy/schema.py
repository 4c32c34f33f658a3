"""The parts of a policy pack. Every rule cites its source; what was not checked against the original says so."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from policy.patterns import UnsafePatternError, checked, fits

Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=2000)]  # blanks say nothing
Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=48)]
Tier = Literal["good", "limited", "poor"]
Reader = Literal["supervisor", "auditor", "examiner"]

FORBIDDEN = re.compile(r"\b(hits?|confirmed|identified|scores?|strong)\b|%|(?<!possible )\bmatch\b", re.IGNORECASE)


class PackError(Exception):
    """The policy pack cannot be used; the start stops here."""


def wrong(rule: str, said: str, *place: str | int) -> PydanticCustomError:
    """What a validator raises: the rule's name is stable, the sentence is for whoever mends the pack.

    `place` is where it stands, for what concerns several places of the pack.
    """
    return PydanticCustomError("pack", "{said}", {"rule": rule, "said": said, "place": place})


def _safe(pattern: str) -> str:
    try:
        return checked(pattern)
    except UnsafePatternError as error:
        raise wrong("unsafe-pattern", str(error)) from error


def _sober(text: str) -> str:
    """Words that would make more of a lead than it is may not stand in a notice (domain.md section 6)."""
    if found := FORBIDDEN.search(text):
        raise wrong("sober-words", f"“{found[0]}” says more than a lead is")
    return text


Pattern = Annotated[str, Field(max_length=200), AfterValidator(_safe)]
Notice = Annotated[Sentence, AfterValidator(_sober)]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rule(Part):
    """Something the pack says, with where it is from."""

    source: Sentence
    unverified: bool = False  # known from memory only; to be checked against the original before any legal claim


class Condition(Part):
    """Another question of the same form, and the answer to it."""

    field: Code
    says: Code


class FormField(Rule):
    """One question that a purpose requires an answer to (domain.md section 2.2)."""

    name: Code
    label: Label
    kind: Literal["text", "narrative", "date", "choice", "checks"]
    hint: Annotated[str, Field(max_length=150)] = ""
    options: dict[Code, Annotated[str, Field(max_length=75)]] = {}
    required: bool = True  # whenever it is asked
    when: Condition | None = None  # asked only then
    pattern: Pattern | None = None  # the form of a text, for numbers of orders and the like
    example: Annotated[str, Field(max_length=150)] = ""  # of an answer; required with a pattern
    measure: Literal["height", "weight", "age"] | None = None  # the text is read as one, which a person can have
    dated: bool = False  # the text has to name a day
    refuses: dict[Code, Sentence] = {}  # answers that end the request, each with the sentence that says why
    holds: dict[Code, Sentence] = {}  # answers that a supervisor has to approve first, each with why
    shown_to: tuple[Reader, ...] = ("supervisor", "auditor")  # beside the requester; examiners only after their opinion

    @model_validator(mode="after")
    def choices_have_options(self) -> Self:
        if (self.kind in {"choice", "checks"}) != bool(self.options):
            raise wrong("options", f"field {self.name!r}: a choice has options, and nothing else has")
        if unknown := (self.refuses.keys() | self.holds.keys()) - self.options.keys():
            raise wrong("options", f"field {self.name!r}: {', '.join(sorted(unknown))} is not among its options")
        if self.pattern and self.kind != "text":
            raise wrong("options", f"field {self.name!r}: only a text has a pattern")
        if self.pattern and not fits(self.pattern, self.example):
            raise wrong("example-fits", f"field {self.name!r}: its example is not of the form it asks for")
        if self.options and self.options.keys() <= self.refuses.keys() | self.holds.keys():
            raise wrong("options", f"field {self.name!r}: every answer is refused or held")
        if (self.measure and self.kind != "text") or (self.dated and self.kind not in {"text", "narrative"}):
            raise wrong("options", f"field {self.name!r}: only a text is a measure or names a day")
        return self


class Only(Rule):
    """Of a question that every request is asked, the answers that one purpose allows."""

    field: Code
    answers: Annotated[tuple[Code, ...], Field(min_length=1)]
    because: Sentence  # what whoever answers otherwise is told


class Purpose(Rule):
    """One authorised use."""

    code: Code
    label: Annotated[str, Field(max_length=75)]
    text: Sentence  # the policy's own words, or ours where the source is paraphrased
    case_number_label: Label
    case_number_hint: Annotated[str, Field(max_length=150)]
    case_number_pattern: Pattern
    case_number_example: Annotated[str, Field(max_length=100)]
    fields: tuple[FormField, ...] = ()
    only: tuple[Only, ...] = ()
    covers: tuple[Code, ...] = ()  # codes of other packs that mean this; read by `policy simulate` alone

    @model_validator(mode="after")
    def example_fits(self) -> Self:
        if not fits(self.case_number_pattern, self.case_number_example):
            raise wrong("example-fits", f"purpose {self.code!r}: its example is not of the form it asks for")
        return self


class Ban(Rule):
    """A use that is not permitted whatever the purpose. Its words in a narrative bring the request to a supervisor."""

    code: Code
    text: Sentence
    words: tuple[Annotated[str, Field(min_length=3, max_length=40)], ...] = ()


class ProtectedActivity(Rule):
    """Images of what people do under the First Amendment need a stated suspicion and a supervisor (M43)."""

    words: tuple[Annotated[str, Field(min_length=3, max_length=40)], ...]
    field: Code  # where a requester says that it is one …
    says: Code  # … by this answer
    statement: Code  # the narrative that is then required


class Review(Rule):
    examiners: Annotated[int, Field(ge=2, le=3)]
    blind: Literal[True] = True  # no pack may let the second examiner see the first opinion (M20)
    disagreement: Literal["no-lead", "arbiter"]
    supervisor_decides: bool
    checklist: bool = True  # whoever is named as possible was compared component by component before (M18)
    assigned: bool = (
        False  # who examines is drawn by lot (S9); in earlier packs, which do not say so, whoever came first
    )

    @model_validator(mode="after")
    def an_arbiter_settles_between_two(self) -> Self:
        if self.disagreement == "arbiter" and self.examiners != 2:  # noqa: PLR2004 - a third opinion settles two
            raise wrong("arbiter", "an arbiter is the third of three; with three examiners there is nobody to settle")
        return self


class Foils(Rule):
    """Whoever examines after a locked opinion sees its pick among look-alikes, or look-alikes alone (X1)."""

    shown: Annotated[int, Field(ge=3, le=50)]  # so many candidates, with a pick among them and with none


class Candidates(Rule):
    """How many people are compared (M16)."""

    smallest: Annotated[int, Field(ge=2, le=50)] = 2
    default: Annotated[int, Field(ge=2, le=50)]
    largest: Annotated[int, Field(ge=2, le=50)] = 50
    compare_all: Literal[True] = True  # an examiner answers every one of them (M18)

    @model_validator(mode="after")
    def default_lies_between(self) -> Self:
        if not self.smallest <= self.default <= self.largest:
            raise wrong("candidates", "the default lies between the smallest and the largest number")
        return self


Measure = Literal[
    "inter-eye-distance",  # pixels
    "detection-score",
    "yaw",  # degrees, whichever side; pitch and roll too
    "pitch",
    "roll",
    "sharpness",  # variance of the Laplacian on the aligned face
    "exposure",  # mean grey level
    "contrast",  # standard deviation of grey levels
    "occlusion",  # share of the face unlike its own skin
    "compression",  # grey levels that neighbours differ more across JPEG's grid
    "recapture",  # powers of ten by which a single frequency stands out
]


class Bounds(Part):
    """What a measure has to be for each tier; a tier that is not named asks nothing."""

    good: float | None = None
    limited: float | None = None
    poor: float | None = None


class Limit(Rule):
    """What the matcher has to measure on a face for a tier. Its code is the reason that people are told."""

    code: Code
    measure: Measure
    least: Bounds = Bounds()
    most: Bounds = Bounds()
    hint: bool = False  # is told, and changes no tier: it was not shown to predict error


def _least(code: Measure, good: float, limited: float | None = None, poor: float | None = None) -> Limit:
    return Limit(code=code, measure=code, least=Bounds(good=good, limited=limited, poor=poor), source=BEFORE)


BEFORE = "what the matcher itself asked before a pack could say it"
EARLIER_LIMITS = (
    _least("inter-eye-distance", 45, 24, 12),
    _least("detection-score", 0.85),
    Limit(code="yaw", measure="yaw", most=Bounds(good=45), source=BEFORE),
    _least("sharpness", 12),
    Limit(code="exposure", measure="exposure", least=Bounds(good=35), most=Bounds(good=225), source=BEFORE),
    _least("contrast", 14),
)
"""Of texts that were recorded under before limits were a pack's: they stay readable and mean what they meant."""


class Quality(Rule):
    """Tiers that may be searched, and those that a supervisor may let through (M8); the others end as unsuitable."""

    accepted_tiers: tuple[Tier, ...]
    override_tiers: tuple[Tier, ...] = ()
    faults_for_poor: Annotated[int, Field(ge=1, le=20)] = 3  # so many limits broken together make a face poor
    limits: Annotated[tuple[Limit, ...], Field(min_length=1)] = EARLIER_LIMITS

    @model_validator(mode="after")
    def tiers_stand_once(self) -> Self:
        if set(self.accepted_tiers) & set(self.override_tiers):
            raise wrong("tiers", "a tier that is accepted needs no override")
        codes = [limit.code for limit in self.limits]
        if twice := {code for code in codes if codes.count(code) > 1}:
            raise wrong("duplicate-code", f"{', '.join(sorted(twice))} stands twice among the limits")
        return self


class Certification(Rule):
    required: bool
    valid_days: Annotated[int, Field(ge=1, le=3660)]


class PreApproval(Rule):
    """Who besides the requester has to agree before anything is searched."""

    approvers: Annotated[int, Field(ge=0, le=3)]
    purposes: tuple[Code, ...] = ()  # none named: all of them


class Emergency(Rule):
    """Purposes that may run before the approval, which is then owed, or the result is quarantined (M41)."""

    purposes: tuple[Code, ...]
    approval_hours: Annotated[int, Field(ge=1, le=72)]


class Repositories(Rule):
    """Classes of gallery photographs that may be searched, and those that need an executive each time (M42)."""

    permitted: Annotated[tuple[Code, ...], Field(min_length=1)]
    exceptional: tuple[Code, ...] = ()
    exception_days: Annotated[int, Field(ge=1, le=90)] = 7

    @model_validator(mode="after")
    def classes_stand_once(self) -> Self:
        if set(self.permitted) & set(self.exceptional):
            raise wrong("repositories", "a permitted class is no exception")
        return self


class Enrolment(Rule):
    """What it takes to enter the gallery (M12)."""

    dual_control: bool  # a batch is searched only when somebody other than who enrolled it has agreed


class Contradictions(Rule):
    """How far a witness's description and the arrest record may lie apart before they contradict (X3)."""

    height_cm: Annotated[float, Field(ge=0, le=50)]
    weight_kg: Annotated[float, Field(ge=0, le=100)]
    age_years: Annotated[float, Field(ge=0, le=50)]


class Timers(Rule):
    """How long what waits for people may wait, in hours, before they are reminded (S10)."""

    approval: Annotated[int, Field(ge=1, le=720)]
    face: Annotated[int, Field(ge=1, le=720)]
    quality: Annotated[int, Field(ge=1, le=720)]
    examination: Annotated[int, Field(ge=1, le=720)]
    arbitration: Annotated[int, Field(ge=1, le=720)]
    decision: Annotated[int, Field(ge=1, le=720)]
    escalation: Annotated[int, Field(ge=2, le=10)]  # so many times as long, and the supervisors hear of it

    def hours(self) -> dict[str, int]:
        """By stage."""
        return {
            name: value for name, value in self if isinstance(value, int) and name not in {"escalation", "unverified"}
        }


class Leads(Rule):
    expiry_days: Annotated[int, Field(ge=1, le=365)]  # without a recorded outcome (M28)


class Retention(Rule):
    """How long one class of records is kept (M32), and whether it goes as soon as somebody who has to approve did not.

    A legal hold stops either.
    """

    of: Literal["probe", "working-copy", "candidates", "opinions", "lead", "request", "ledger", "logs"]
    days: Annotated[int, Field(ge=1, le=36600)]
    counted_from: Literal["closed", "created"] = "closed"
    until_refused: bool = False  # Regulation (EU) 2024/1689, Article 26(10)


Statistic = Literal[
    # the superset of what statutes ask for (domain.md section 2.1)
    "period",
    "agency",
    "requests",
    "rejected-requests",
    "users",
    "query-history",
    "purposes",
    "offences",
    "repository-classes",
    "image-sources",
    "candidate-lists",
    "leads",
    "no-leads",
    "disagreements",
    "emergencies",
    "late-approvals",
    "modified-probes",
    "repeat-searches",
    "closed-cases",
    "arrests",
    "misidentifications",
    "outcomes",
    "demographics",
    "recipients",
    "image-source-of-match",
    "breaches",
    "discipline",
    "training",
    "stage-times",
    "gallery",
    "algorithm",
    # what single statutes ask for in their own words
    "case-numbers",
    "compliance",
    "crimes",
    "databases",
    "dates",
    "error-rates",
    "orders",
    "reasons",
    "systems",
    "warrants",
]


class Report(Rule):
    code: Code
    every: Literal["week", "quarter", "year", "two-years", "breach"]
    to: Sentence
    due: Annotated[str, Field(max_length=75)]
    tells: Annotated[tuple[Statistic, ...], Field(min_length=1)]


class Disclosure(Rule):
    code: Code
    text: Sentence


class Evaluation(Rule):
    """What the recognition model must have been through before it is used (M45)."""

    nist_required: bool
    lowest_true_positive_rate: Annotated[float, Field(ge=0, le=1)] | None = None  # in every demographic group


class Notices(Rule):
    """What people are told at the end (domain.md section 6); counsel approves the wording."""

    lead: Notice
    duties: Annotated[tuple[Notice, ...], Field(min_length=1)]
    limits: Notice
    no_lead: Notice
    unsuitable: Notice
    acknowledgement: Annotated[Notice, Field(max_length=300)]  # as much as Slack's confirmation can hold


class Case(Part):
    """A sentence that counsel can read and `leadgate policy check` runs: given, when, then."""

    name: Sentence
    given: tuple[Sentence, ...] = ()  # what happened before, in the words of policy/cases.py
    when: Sentence
    then: Sentence  # a state, or "refused: RULE"
    because: Sentence
    purpose: Code | None = None  # the pack's first, where none is named
    case_number: str | None = None
    answers: dict[Code, str] = {}  # over those of a complete request
    omit: tuple[Code, ...] = ()  # questions left open
    repositories: tuple[Code, ...] = ()
    attested: bool = True
