"""What a witness described against what is on record: what fits, what contradicts, what says nothing either way."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import model as m
from policy.contradictions import Check, Fact, Record, Tolerated, Verdict, compared, contradictions, height, weight
from policy.leads import RESOLUTION_MIN_CHARS, against
from policy.placeholders import is_placeholder
from policy.workflow import decide
from tests import story as s
from tests.story import DANA, MARA, SYSTEM

DAY = date(2026, 3, 13)
TOLERATED = Tolerated(height_cm=10, weight_kg=18, age_years=8)
FITS, CONTRADICTS, UNKNOWN = Verdict.FITS, Verdict.CONTRADICTS, Verdict.UNKNOWN
UNSETTLED = Verdict.UNSETTLED


def verdict(said, record, tolerated=TOLERATED):
    (check,) = compared(said, record, DAY, tolerated)
    return check.verdict


SAID = {
    "eight inches apart": ({"witness-height": "5'6"}, Record(height_cm=188), CONTRADICTS),
    "four inches are forgiven": ({"witness-height": "5'6"}, Record(height_cm=177.6), FITS),
    "a hair more is not": ({"witness-height": "5'6"}, Record(height_cm=177.7), CONTRADICTS),
    "too small, too": ({"witness-height": "180 cm"}, Record(height_cm=169.9), CONTRADICTS),
    "a range, and within it": ({"witness-height": "5'8-6'0"}, Record(height_cm=178), FITS),
    "a range of centimetres": ({"witness-height": "175-180 cm"}, Record(height_cm=190), FITS),
    "seventy pounds apart": ({"witness-weight": "160 LB"}, Record(weight_kg=104.3), CONTRADICTS),
    "pounds are no kilograms": ({"witness-weight": "180 LB"}, Record(weight_kg=82), FITS),
    "kilograms are no pounds": ({"witness-weight": "180 kg"}, Record(weight_kg=82), CONTRADICTS),
    "about that age": ({"witness-age": "30-35"}, Record(birth_year=1990), FITS),
    "half that age": ({"witness-age": "18"}, Record(birth_year=1990), CONTRADICTS),
    "twice that age": ({"witness-age": "60-70"}, Record(birth_year=1990), CONTRADICTS),
    "the year before the birthday counts": ({"witness-age": "27"}, Record(birth_year=1990), FITS),
    "another sex": ({"witness-sex": "female"}, Record(sex="M"), CONTRADICTS),
    "the same sex": ({"witness-sex": "male"}, Record(sex="M"), FITS),
    "a mark that is on file": ({"witness-marks": "a rose on the neck"}, Record(marks="tattoo, rose, neck"), FITS),
    "a mark that may be": ({"witness-marks": "tattoo on the neck"}, Record(marks="tattoo, neck"), UNSETTLED),
    "another mark": ({"witness-marks": "tattoo on the neck"}, Record(marks="mole, left cheek"), UNSETTLED),
    "no mark, and one on file": ({"witness-marks": "no tattoos"}, Record(marks="tattoo, neck"), CONTRADICTS),
    "in custody that day": (
        {"incident-date": "2026-02-01"},
        Record(custody=((DAY.replace(day=1, month=1), DAY),)),
        CONTRADICTS,
    ),
    "in custody still": ({"incident-date": "2026-02-01"}, Record(custody=((date(2025, 1, 1), None),)), CONTRADICTS),
    "released the day before": (
        {"incident-date": "2026-02-01"},
        Record(custody=((date(2025, 1, 1), date(2026, 1, 31)),)),
        FITS,
    ),
    "released that very day": (
        {"incident-date": "2026-02-01"},
        Record(custody=((date(2025, 1, 1), date(2026, 2, 1)),)),
        CONTRADICTS,
    ),
    "no height on file": ({"witness-height": "5'6"}, Record(), UNKNOWN),
    "no weight on file": ({"witness-weight": "80 kg"}, Record(), UNKNOWN),
    "no birth on file": ({"witness-age": "30"}, Record(), UNKNOWN),
    "no sex on file": ({"witness-sex": "male"}, Record(sex="X"), UNKNOWN),
    "no marks on file": ({"witness-marks": "tattoo"}, Record(), UNKNOWN),
    "words for a height": ({"witness-height": "tall"}, Record(height_cm=180), UNKNOWN),
}


@pytest.mark.parametrize("name", SAID)
def test_what_was_described_beside_what_is_on_record(name):
    said, record, expected = SAID[name]
    assert verdict(said, record) is expected


@pytest.mark.parametrize(
    "said", [{}, {"witness-sex": "unsaid"}, {"incident-date": "2026-02-30"}, {"incident-date": "2026-02-01"}]
)
def test_what_nobody_described_is_not_compared(said):
    assert compared(said, Record(sex="M", height_cm=180, marks="scar"), DAY, TOLERATED) == ()


def test_every_number_is_told_as_it_is_said_on_both_sides_of_the_sea():
    checks = compared(
        {"witness-height": "5'6", "witness-weight": "160 LB"}, Record(height_cm=188, weight_kg=104), DAY, TOLERATED
    )
    assert checks == (
        Check(Fact.HEIGHT, "5'6", "188 cm (6 ft 2 in)", CONTRADICTS),
        Check(Fact.WEIGHT, "160 LB", "104 kg (229 lb)", CONTRADICTS),
    )


@given(st.floats(100, 220), st.integers(0, 30))
def test_a_height_always_fits_itself_and_tolerance_only_forgives(cm, more):
    feet, inches = divmod(round(cm / 2.54), 12)
    said = {"witness-height": f"{feet}'{inches}"}
    assert verdict(said, Record(height_cm=cm)) is FITS
    for apart in (cm - 10 - more, cm + 10 + more):
        strict, loose = (verdict(said, Record(height_cm=apart), replace(TOLERATED, height_cm=t)) for t in (5, 45))
        assert (strict, loose) != (FITS, CONTRADICTS)


@given(st.text(max_size=100))
def test_whatever_was_typed_is_read_or_is_not(text):
    for read in (height, weight):
        found = read(text)
        assert found is None or found[0] <= found[1]


# --- the gate -----------------------------------------------------------------------------------------------------------

DESCRIBED = {"circumstances": "witness", "description": "Short and slight, in a red cap.", "witness-height": "5'6"}
ASK = replace(s.ASK, fields={**s.FIELDS, **DESCRIBED})
TALL = m.OpenContext(replace(s.RECORD, height_cm=193))
FITTING = m.OpenContext(replace(s.RECORD, height_cm=172))
WHY = "The witness looked down at him from the platform; see her statement of 14 March."


def at_the_gate(record=TALL, rules=None):
    search, _ = s.tell([(ASK, DANA), *s.AGREED[1:-1], (record, SYSTEM)], rules)
    return search


def approves(search, **resolutions):
    return decide(search, replace(s.APPROVE, resolutions=resolutions), MARA, s.pack(), s.NOON)


def test_the_record_is_looked_at_only_when_all_opinions_are_locked():
    early, _ = s.tell([(ASK, DANA), *s.AGREED[1:-2]])
    (refused,) = decide(early, TALL, SYSTEM, s.pack(), s.NOON)
    assert (refused.rule, early.context) == ("fits-state", None)


def test_a_contradiction_is_told_and_stops_the_lead_until_it_is_resolved_in_writing():
    search = at_the_gate()
    assert [check.fact for check in against(search)] == [Fact.HEIGHT]
    for said in ({}, {"height": "  "}, {"height": "see report"}, {"weight": WHY}):
        (refused,) = approves(search, **said)
        assert refused.rule == "resolves-contradictions"
    decided, issued = approves(search, height=WHY)
    assert decided.resolutions == {"height": WHY}
    assert isinstance(issued, m.LeadIssued)


@pytest.mark.parametrize(
    "said", ["It is a confirmed match, whatever the witness saw.", "He was identified by his mother, so never mind."]
)
def test_a_resolution_says_no_more_than_a_comparison_can(said):
    (refused,) = approves(at_the_gate(), height=said)
    assert refused.rule == "sober-words"


def test_no_resolution_is_kept_of_what_does_not_contradict():
    decided, _ = approves(at_the_gate(FITTING), height=WHY, custody=WHY)
    assert decided.resolutions == {}


def test_not_approving_needs_no_resolution():
    no = m.DecideLead(approve=False, reason="The height does not fit.")
    _, closed = decide(at_the_gate(), no, MARA, s.pack(), s.NOON)
    assert closed.outcome is m.Outcome.NO_POSSIBLE_MATCH


def test_a_record_that_was_sealed_meanwhile_ends_it():
    search = at_the_gate(m.OpenContext(None))
    assert (search.state, search.outcome) == (m.State.CLOSED, m.Outcome.NO_POSSIBLE_MATCH)
    assert "may no longer be used" in search.reason


def test_marks_that_only_a_person_can_compare_stop_the_lead_until_one_has():
    ask = replace(ASK, fields={**ASK.fields, "witness-height": "5'9", "witness-marks": "tattoo on the neck"})
    record = replace(s.RECORD, height_cm=175, marks="tattoo, neck")
    search, _ = s.tell([(ask, DANA), *s.AGREED[1:-1], (m.OpenContext(record), SYSTEM)])
    assert [check.fact for check in against(search)] == [Fact.MARKS]
    (refused,) = approves(search)
    assert (refused.rule, refused.reason[:5]) == ("resolves-contradictions", "Marks")
    decided, _ = approves(search, marks="Both are a rose, seen from the left; the photograph of the neck was compared.")
    assert decided.resolutions.keys() == {"marks"}


def test_where_examiners_decide_alone_a_contradiction_still_takes_a_supervisor():
    rules = s.pack()
    rules = rules.model_copy(update={"review": rules.review.model_copy(update={"supervisor_decides": False})})
    assert at_the_gate(FITTING, rules).state is m.State.LEAD
    stopped = at_the_gate(TALL, rules)
    assert (stopped.state, stopped.decided_by) == (m.State.AGREED, None)


def test_contradictions_are_what_contradicts():
    checks = compared(
        {"witness-height": "5'6", "witness-sex": "male", "witness-age": "30"},
        Record(sex="M", height_cm=193),
        DAY,
        TOLERATED,
    )
    assert [check.verdict for check in checks] == [CONTRADICTS, UNKNOWN, FITS]
    assert [check.fact for check in contradictions(checks)] == [Fact.HEIGHT]
    assert is_placeholder("x" * (RESOLUTION_MIN_CHARS - 1), RESOLUTION_MIN_CHARS)


def test_what_was_compared_is_recorded_with_its_hour_and_in_the_packs_own_measure():
    ask = replace(s.ASK, fields={**s.FIELDS, **DESCRIBED, "witness-weight": "160 LB", "witness-age": "30"})
    steps = [(ask, DANA), *s.AGREED[1:-1]]
    before, _ = s.tell(steps)
    record = m.OpenContext(Record(birth_year=1990, height_cm=172, weight_kg=90))
    (opened,) = decide(before, record, SYSTEM, s.pack(), s.NOON)
    assert (opened.at, opened.candidate, opened.contradicts) == (s.NOON, s.K7, ())
    heavier = m.OpenContext(Record(birth_year=1990, height_cm=172, weight_kg=91))
    (opened,) = decide(before, heavier, SYSTEM, s.pack(), s.NOON)
    assert opened.contradicts == ("weight",)
    assert [check.verdict for check in opened.checks] == [FITS, CONTRADICTS, FITS]
    gone = decide(before, m.OpenContext(None), SYSTEM, s.pack(), s.NOON)
    told = "The arrest record of that person may no longer be used. No lead comes of it."
    assert gone == (m.SearchClosed(m.Outcome.NO_POSSIBLE_MATCH, told),)
