"""What a request must say before anything is searched."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy import intake
from policy.intake import normalised
from policy.model import CaseKnown
from policy.placeholders import is_placeholder
from tests import story as s

COMMON = {"basis": s.BASIS, "image-source": "phone", "requester": s.ASKER}
WELL_FORMED = {
    "suspect": ("2026-075-001234", COMMON | {"timing": "is", "offence": "PL 160.15"}),
    "missing-victim-witness": ("m-2026-01234", COMMON | {"sub-role": "missing"}),
    "deceased": ("K26-01234", COMMON),
    "incapacitated": ("2026-075-A00123", COMMON),
    "arrestee": ("k26012345", COMMON | {"image-source": "custody", "identification": "withheld"}),
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
    first = ["timing", "offence", "basis", "image-source", "circumstances"]
    last = ["incident-date", "captured", "requester"]

    def names(**answers):
        return [field.name for field in intake.asked(pack, suspect, answers)]

    assert names() == [*first, *last]
    assert names(circumstances="edited,minor") == [*first, "edits", *last]
    assert names(circumstances="earlier") == [*first, "earlier-searches", *last]
    assert names(circumstances="protected") == [*first, "suspicion", *last]
    assert names(circumstances="original") == [*first, "evidence-item", "evidence-sha256", *last]
    assert names(circumstances="urgent") == [*first, "urgent-facts", *last]
    assert names(basis="He spoke at the rally.") == [*first, "suspicion", *last]
    described = [f"witness-{what}" for what in ("height", "weight", "age", "sex", "marks", "clothing")]
    assert names(circumstances="witness") == [*first, "description", *described, *last]


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


def asked(**answers):
    """What is said of a suspect's request that answers so."""
    return intake.screen(replace(s.ASK, fields={**s.FIELDS, **answers}), s.pack(), s.NOON)


NOTHING = {
    "an offence": {"offence": "n/a"},
    "an offence, spaced out": {"offence": " N / A "},
    "earlier searches": {"circumstances": "earlier", "earlier-searches": "N/A"},
    "edits": {"circumstances": "edited", "edits": "-"},
    "a description": {"circumstances": "witness", "description": "x"},
    "clothing": {"circumstances": "witness", "description": "A tall man.", "witness-clothing": "unknown"},
    "who asks": {"requester": "..."},
    "an evidence item": {"circumstances": "original", "evidence-item": "N/A"},
}


@pytest.mark.parametrize("name", NOTHING)
def test_a_placeholder_is_no_answer_to_any_question(name):
    answers = NOTHING[name]
    refused = asked(**answers)
    assert refused.rule == f"field:{list(answers)[-1]}"
    assert "say what it is" in refused.reason
    assert ("leave the question open" in refused.reason) == (name == "clothing")


@pytest.mark.parametrize(
    "said",
    [
        "see report see report see report see file now ok",
        "the the the a a a b b b c c c d d d e e e f f f g g g",
        "aaaa bbbb cccc dddd eeee ffff gggg hhhh iiii jjjj",
        "asdf qwer zxcv hjkl asdf qwer zxcv hjkl asdf qwer",
        "as per the report attached to the case file in ECMS",
        "lorem ipsum dolor sit amet consectetur adipiscing elit",
        "robbery suspect fled store " * 9,
    ],
)
def test_a_narrative_that_only_fills_the_form_is_refused(said):
    assert asked(basis=said).rule == "field:basis"


DAYS = {"2026-99-99", "2026-02-30", "20260312", "12 March 2026", "0001-01-01", "2026-W11-4", "٢٠٢٦-٠٣-١٢"}


@pytest.mark.parametrize("day", sorted(DAYS))
def test_a_day_is_one_that_there_is(day):
    assert "there is no such day" in asked(**{"incident-date": day}).reason


@pytest.mark.parametrize(("day", "rule"), [("2026-03-13", None), ("2026-03-14", None), ("2026-03-15", "to come")])
def test_a_day_is_not_to_come_wherever_on_earth_it_is_asked(day, rule):
    """At noon in Greenwich it is the 14th on Kiritimati already, and the 15th nowhere."""
    refused = asked(**{"incident-date": day})
    assert (refused is None) if rule is None else rule in refused.reason
    assert intake.screen(replace(s.ASK, fields={**s.FIELDS, "incident-date": day}), s.pack()) is None


MEASURES = [
    ("height", "9'9-1'1"),
    ("height", "999 cm"),
    ("height", "5'0-6'11"),
    ("height", "5'13"),
    ("weight", "999 LB"),
    ("weight", "50-190 kg"),
    ("age", "999"),
    ("age", "0-99"),
]


@pytest.mark.parametrize(("what", "said"), MEASURES)
def test_a_measure_is_one_that_a_person_can_have_and_says_something(what, said):
    described = {"circumstances": "witness", "description": "A tall man in a red cap."}
    refused = asked(**described, **{f"witness-{what}": said})
    assert refused.rule == f"field:witness-{what}"
    assert "say what it is" not in refused.reason


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("height", "5'9-6'0"),
        ("height", "5'5"),
        ("height", "5'09"),
        ("height", "188 cm"),
        ("weight", "170-190 lb"),
        ("weight", "99 kg"),
        ("age", "25-35"),
        ("age", "22"),
    ],
)
def test_a_measure_as_people_say_it_is_taken(what, said):
    described = {"circumstances": "witness", "description": "A tall man in a red cap."}
    assert asked(**described, **{f"witness-{what}": said}) is None


@pytest.mark.parametrize(
    ("edits", "accepted"),
    [
        ("I cropped it and then also changed the colours a little bit here", False),
        ("12 March 2026, Det. Ruiz: cropped to the head and brightness raised by a tenth.", True),
        ("On March 12th Det. Ruiz cropped it to the head and raised the brightness.", True),
        ("3/12/2026: Det. Ruiz cropped it to the head and raised the brightness.", True),
        ("2026-03-12 Det. Ruiz cropped it to the head and raised the brightness.", True),
        ("Version 1.2 of the tool cropped it to the head and raised the brightness.", False),
    ],
)
def test_under_local_law_55_a_modification_names_its_day(edits, accepted):
    ask = replace(s.ASK, fields={**s.FIELDS, "circumstances": "edited", "edits": edits})
    refused = intake.screen(ask, s.pack("nyc-2025"))
    assert (refused is None) == accepted


@pytest.mark.parametrize("source", ["cctv", "phone", "body-worn", "social", "id-document", "other", "drawn"])
def test_who_is_under_arrest_is_searched_by_the_custody_photograph_alone(source):
    ask = request("arrestee")
    assert intake.screen(ask, s.pack()) is None
    refused = intake.screen(replace(ask, fields={**ask.fields, "image-source": source}), s.pack())
    assert refused.rule == "field:image-source"
    assert ("custody photograph" in refused.reason) == (source != "drawn")


PROTECTED = [
    "several mosques and synagogues were visited by the man",
    "a politically motivated vandal was seen",
    "he talked politics with the clerk",
    "the vigils were attended by him for days",
    "people prayed at a temple and a gurdwara there",
    "a march and a parade took place in front",
    "union meetings and strike lines on the block",
    "a press photographer was pushed",
    "he came out of the church services",
    "he came out of the church  service",
    "he came out of the church\nservice",
    "he came out of the church-service",
    "he stood at the pro\u200btest",
    "he stood at the PROTEST",
    "he stood at the рrotest",
    "he stood at the ρrοtest",
    "he stood at the ｐｒｏｔｅｓｔ",
    "he stood at the prótest",
    "he stood at the 𝗽𝗿𝗼𝘁𝗲𝘀𝘁",
    "he stood at the ᴘʀᴏᴛᴇꜱᴛ",
    "he marched with pickets",
    "a sit-in was held there",
]
PLAIN = [
    "on 12 March 2026 he took the till",
    "on March 12th he took the till",
    "in March 2026 he took the till",
    "a vigilant neighbour filmed him",
    "he showed the police the demonstrated use of a crowbar",
    "he ran towards Union Station",
]


@pytest.mark.parametrize("said", PROTECTED)
def test_protected_activity_is_found_however_it_is_written(said):
    text = f"The still shows the man of Sunday evening: {said}, and then ran away quickly."
    assert asked(basis=text).rule == "field:suspicion"
    ask = replace(s.ASK, fields={**s.FIELDS, "basis": text})
    assert "protected activity" in " ".join(intake.concerns(ask, s.pack()))


@pytest.mark.parametrize("said", PLAIN)
def test_what_only_looks_like_protected_activity_is_none(said):
    text = f"The still shows the man of Sunday evening: {said}, and then ran away quickly."
    assert asked(basis=text) is None


def test_nobody_is_shown_a_code_or_a_bare_pattern_where_something_is_wrong():
    """Codes are for counsel, patterns for whoever writes packs."""
    for name in s.NAMES:
        pack = s.pack(name)
        for purpose in pack.purposes:
            wrong = {field.name: "~" * 50 for field in pack.fields(purpose)}
            ask = replace(s.ASK, purpose=purpose.code, case_number="~", fields=wrong, attested=False)
            for refused in intake.findings(ask, pack, s.NOON):
                assert not re.search(r"\([MSXL]\d|\\d|\[A-Z", refused.reason), refused
