"""What a request must say before anything is searched."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy import intake
from policy.intake import is_placeholder, normalised
from policy.model import CaseKnown
from tests import story as s

COMMON = {"basis": s.BASIS, "image-source": "phone"}
WELL_FORMED = {
    "suspect": ("2026-075-001234", COMMON | {"timing": "is", "offence": "PL 160.15"}),
    "missing-victim-witness": ("m-2026-01234", COMMON | {"sub-role": "missing"}),
    "deceased": ("K26-01234", COMMON),
    "incapacitated": ("2026-075-A00123", COMMON),
    "arrestee": ("k26012345", COMMON | {"identification": "withheld"}),
    "imminent-threat": (
        "J-2026-123456",
        COMMON | {"imminence": "A caller says that a bomb will go off at six tonight."},
    ),
}


def request(purpose, **changes):
    number, fields = WELL_FORMED[purpose]
    return replace(s.ASK, purpose=purpose, case_number=number, fields=fields, **changes)


def test_the_pack_authorises_the_six_uses_of_the_policy_of_march_2020_and_no_others():
    assert [p.code for p in s.pack().purposes] == list(WELL_FORMED)


@pytest.mark.parametrize("purpose", WELL_FORMED)
def test_a_complete_request_is_accepted_for_each_authorised_use(purpose):
    assert intake.screen(request(purpose), s.pack()) is None


@pytest.mark.parametrize("purpose", WELL_FORMED)
def test_each_question_of_a_purpose_has_to_be_answered(purpose):
    complete = request(purpose)
    for name in complete.fields:
        fields = {k: v for k, v in complete.fields.items() if k != name}
        assert intake.screen(replace(complete, fields=fields), s.pack()).rule == f"field:{name}"


@pytest.mark.parametrize("purpose", WELL_FORMED)
@pytest.mark.parametrize(
    "number", ["", "12", "2026-75-1", "<!channel>", "2026-075-001234\n2026-075-001235", "9" * 4000]
)
def test_a_case_number_of_another_form_is_refused_with_the_form_it_should_have(purpose, number):
    refused = intake.screen(replace(request(purpose), case_number=number), s.pack())
    assert refused.rule == "case-number"
    assert s.pack().purpose(purpose).case_number_hint in refused.reason


@pytest.mark.parametrize("code", ["", "g", "protest", "SUSPECT", "immigration"])
def test_a_purpose_that_is_not_one_of_the_six_is_refused(code):
    assert intake.screen(replace(s.ASK, purpose=code), s.pack()).rule == "authorised-purpose"


def test_without_the_attestation_nothing_is_searched():
    assert intake.screen(replace(s.ASK, attested=False), s.pack()).rule == "attested"


@pytest.mark.parametrize("text", ["", "n/a", "N/A.", "tbd", "test", "x" * 60, "robbery " * 12, "see report", "short"])
def test_a_narrative_that_says_nothing_is_a_placeholder(text):
    assert is_placeholder(text, 40)


def test_a_narrative_in_ones_own_words_is_none():
    assert not is_placeholder(s.BASIS, 40)


def test_a_choice_that_was_not_offered_is_refused():
    fields = {**s.FIELDS, "image-source": "satellite"}
    assert intake.screen(replace(s.ASK, fields=fields), s.pack()).rule == "field:image-source"


@settings(deadline=None)
@given(st.text(max_size=200))
def test_normalising_a_case_number_is_idempotent_and_leaves_no_control_character(text):
    once = normalised(text)
    assert normalised(once) == once
    assert not any(c in once for c in "\u202e\u2066\x00\x07\n\t\u200f")


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["basis", "offence"]), st.text(max_size=400)))
def test_cleaned_text_keeps_its_words_and_loses_what_reorders_or_hides_them(fields):
    for name, text in intake.cleaned(fields).items():
        assert text.strip() == text
        assert not any("\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069" for c in text)
        assert name in fields


def test_the_form_asks_what_the_answers_so_far_call_for_and_nothing_else():
    pack = s.pack()
    suspect = pack.purpose("suspect")
    always = ["timing", "offence", "basis", "image-source", "circumstances", "incident-date"]

    def names(**answers):
        return [field.name for field in intake.asked(pack, suspect, answers)]

    assert names() == always
    assert names(circumstances="edited,minor") == [*always[:5], "edits", "incident-date"]
    assert names(circumstances="earlier") == [*always[:5], "earlier-searches", "incident-date"]
    assert names(circumstances="protected") == [*always[:5], "suspicion", "incident-date"]
    assert names(basis="He spoke at the rally.") == [*always[:5], "suspicion", "incident-date"]
    described = [f"witness-{what}" for what in ("height", "weight", "age", "sex", "marks")]
    assert names(circumstances="witness") == [*always[:5], "description", *described, "incident-date"]


def test_a_number_that_the_case_system_does_not_know_is_refused_and_a_closed_case_is_a_supervisors_concern():
    def under(known):
        asked = request("suspect", case_known=known)
        return [one.rule for one in intake.findings(asked, s.pack())], intake.concerns(asked, s.pack())

    assert under(CaseKnown.UNKNOWN) == (["case-exists"], ())
    assert under(CaseKnown.CLOSED) == ([], (intake.CASE_CLOSED,))
    for known in (CaseKnown.OPEN, CaseKnown.OFFLINE, CaseKnown.NOT_ASKED):
        assert under(known) == ([], ())


def test_the_word_that_makes_a_request_touch_protected_activity_is_named():
    assert intake.protected(s.pack(), {"basis": "He held a sign at the rally."}) == (
        "The request mentions “rally”: it may touch protected activity."
    )
    assert intake.protected(s.pack(), {"basis": s.BASIS}) == ""
