"""Packs: what they say holds, where they say it from is cited, and what is wrong in one is named with file and line."""

import hashlib
import re
import tomllib
from pathlib import Path

import pytest

from policy import document, released
from policy.cases import CaseError, complete, failure
from policy.intake import screen
from policy.morphology import Component
from policy.pack import BASE, PackError, Sealed, gathered, parse, place_of
from policy.quality import tier
from policy.schema import Case
from policy.signing import key_files, sign
from tests import story as s

SHIPPED = [
    "bja-template",
    "detroit-2024",
    "eu-aiact-post-rbi",
    "fbi-ngi-ips",
    "maryland-2024",
    "massachusetts-2020",
    "nyc-2025",
    "nypd-2020",
    "utah-2021",
    "virginia-2026",
    "washington-2020",
]
CASES = [(name, case) for name in SHIPPED for case in s.pack(name).cases]
DESK, NYPD = (
    (s.PACKS / "desk.toml").read_text(encoding="utf-8"),
    (s.PACKS / "nypd-2020.toml").read_text(encoding="utf-8"),
)


def test_eleven_packs_are_shipped():
    assert s.NAMES == SHIPPED


def spoken(name: str, case) -> str:
    """Without marks that a shell or another runner cannot hand on."""
    return f"{name}: {case.name}".encode("ascii", "ignore").decode()


@pytest.mark.parametrize(("name", "case"), CASES, ids=[spoken(*one) for one in CASES])
def test_every_case_that_a_pack_carries_holds(name, case):
    assert failure(case, s.pack(name)) is None


def test_a_case_that_does_not_hold_says_what_came_instead():
    case = s.pack().cases[0].model_copy(update={"then": "held"})
    assert failure(case, s.pack()) == "a certified requester with a complete request: not “held” but “requested”"


@pytest.mark.parametrize("sentence", ["the requester dances", "somebody asks", "asks", ""])
def test_a_case_in_words_that_mean_nothing_is_not_taken_for_one_that_holds(sentence):
    case = s.pack().cases[0].model_copy(update={"when": sentence})
    with pytest.raises(CaseError):
        failure(case, s.pack())


@pytest.mark.parametrize("name", SHIPPED)
def test_a_complete_request_is_refused_for_nothing_under_any_purpose(name):
    pack = s.pack(name)
    for purpose in pack.purposes:
        assert screen(complete(pack, purpose.code), pack) is None


EVERY_USE = [(name, purpose.code) for name in SHIPPED for purpose in s.pack(name).purposes]


@pytest.mark.parametrize(("name", "purpose"), EVERY_USE)
def test_every_use_of_every_pack_goes_from_the_request_to_an_acknowledged_lead(name, purpose):
    told = {"name": "all the way", "because": "That is what it is for.", "purpose": purpose}
    case = Case(given=("a lead is issued",), when="the requester acknowledges the lead", then="lead", **told)
    nobody = Case(given=("the examination is open",), when="every examiner finds nobody", then="closed", **told)
    assert failure(case, s.pack(name)) is None
    assert failure(nobody, s.pack(name)) is None


@pytest.mark.parametrize("name", SHIPPED)
def test_every_rule_cites_its_source_and_every_one_but_the_pack_is_in_the_document(name):
    pack = s.pack(name)
    told = document.markdown(pack)
    rules = list(document.rules(pack))
    assert len(rules) > 25
    for rule in rules:
        assert rule.source in told


@pytest.mark.parametrize("name", SHIPPED)
def test_what_was_not_checked_against_the_original_is_marked_as_often_as_it_is_said(name):
    pack = s.pack(name)
    told = document.markdown(pack)
    assert told.count(document.UNVERIFIED) == len(list(document.unverified(pack)))


def test_an_unverified_rule_is_counted_at_the_head_of_the_document():
    detroit, other = s.pack("detroit-2024"), s.pack()
    ours = [limit for limit in detroit.quality.limits if limit.unverified]
    assert f"{6 + len(ours)} rules are **unverified**" in document.markdown(detroit)
    limits = tuple(limit.model_copy(update={"unverified": False}) for limit in other.quality.limits)
    checked = {
        "repositories": detroit.repositories,
        "contradictions": other.contradictions.model_copy(update={"unverified": False}),
        "quality": other.quality.model_copy(update={"limits": limits}),
    }
    assert "unverified" not in document.markdown(other.model_copy(update=checked))


@pytest.mark.parametrize("name", SHIPPED)
def test_the_document_tells_every_case_and_every_purpose(name):
    pack = s.pack(name)
    told = document.markdown(pack)
    assert all(purpose.text in told for purpose in pack.purposes)
    assert all(case.because in told for case in pack.cases)


def leaves(value, key=""):
    """Every text and number that a pack says, with the key that it stands under."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield name, name  # codes of options are keys
            yield from leaves(one, name)
    elif isinstance(value, list):
        for one in value:
            yield from leaves(one, key)
    elif value is not None and not isinstance(value, bool):
        yield key, value


# What is told in other words: parts of sentences that the document makes of them.
IN_OTHER_WORDS = {"every", "shown_to", "disagreement", "name", "version", "smallest"}


@pytest.mark.parametrize("name", SHIPPED)
def test_the_document_says_everything_that_the_pack_says(name):
    pack = s.pack(name)
    told = document.markdown(pack)
    said = pack.model_dump(mode="json", exclude={"cases", "sha256"}, exclude_defaults=True)
    keys = {key for key, value in leaves(said) if key == value}
    refused = {f.holds[code] for f in pack.common_fields for code in f.holds if code in f.refuses}  # never held
    for key, value in leaves(said):
        if key not in IN_OTHER_WORDS and key != value and value not in refused:
            shown = f"{value:g}" if isinstance(value, float) else str(value).rstrip("*" if key == "words" else "")
            assert shown in told, (key, value)
    assert keys
    assert f"at least {pack.narrative_min_chars} characters" in told
    assert all(component in told for component in Component)
    assert f"{pack.quality.faults_for_poor} limits broken together" in told
    assert all(f"`{one.case_number_pattern}`" in told for one in pack.purposes)
    assert "examiners once every opinion is locked" in told  # who reads which answer


def test_virginias_share_of_true_positives_is_in_its_document():
    assert "a true-positive rate of at least 0.98 in every demographic group" in document.markdown(
        s.pack("virginia-2026")
    )


def test_what_no_statute_says_is_not_cited_as_if_it_did():
    told = document.markdown(s.pack("utah-2021"))
    assert "at least 80 characters and says something. *Source: engineering judgement: " in told
    assert re.search(r"The requester attests: “.*” \*Source: engineering judgement", told)


def test_a_case_is_told_as_given_when_then():
    case = next(c for c in s.pack().cases if c.name == "parole photographs, allowed in writing")
    assert document.case_sentence(case) == (
        "- **parole photographs, allowed in writing.** Given photographs of the class parole are asked for; the requester "
        "asks; the executive allows the photographs; the request is approved; when the photograph shows one good face, "
        "then **assessed**: Named, reasoned and until a date (M42)."
    )


@pytest.mark.parametrize("name", SHIPPED)
def test_every_pack_keeps_the_floor_of_two_blind_examiners_who_compare_everybody(name):
    pack = s.pack(name)
    assert pack.review.examiners >= 2
    assert pack.review.blind
    assert pack.candidates.compare_all
    assert 2 <= pack.candidates.smallest <= pack.candidates.default <= pack.candidates.largest <= 50


# --- what is wrong is named with file, line and rule ---------------------------------------------------------------------


def nypd(old: str = "", new: str = "", count: int = 1) -> str:
    """The shipped pack with one change, its base behind it."""
    assert old in NYPD
    return NYPD.replace(old, new, count) + BASE + DESK


def line(text: str) -> int:
    return next(n for n, found in enumerate(NYPD.splitlines(), 1) if text in found)


def purpose(code: str) -> int:
    """The line on which the purpose begins."""
    return line(f'code = "{code}"') - 1


WRONG = {
    "an unknown key": (
        nypd('text = "To identify a deceased', 'colour = "red"\ntext = "To identify a deceased'),
        line('text = "To identify a deceased'),
        "purposes.2.colour: unknown-key: there is no key 'colour' here",
    ),
    "an unknown key in a table": (
        nypd("approval_hours = 24", "approval_hours = 24\nafter_hours = 1"),
        line("approval_hours") + 1,
        "emergency.after_hours: unknown-key: there is no key 'after_hours' here",
    ),
    "a missing citation": (
        nypd('source = "pr0313, authorised use 3"\n'),
        purpose("deceased"),
        "purposes.2.source: missing-citation: every rule says where it is from: source = …",
    ),
    "a missing key": (
        nypd('case_number_label = "Aided number"\n'),
        purpose("incapacitated"),
        "purposes.3.case_number_label: missing-key: the key 'case_number_label' is required here",
    ),
    "a pattern that could stall": (
        nypd(r"'[BKMQR]\d{2}-\d{4,6}'", r"'(\d+)+-[BKMQR]'"),
        line(r"'[BKMQR]\d{2}-\d{4,6}'"),
        "purposes.2.case_number_pattern: unsafe-pattern: “+” at 4: only bounded repetitions and plain classes are read",
    ),
    "a duplicate code": (
        nypd('code = "incapacitated"', 'code = "deceased"'),
        purpose("incapacitated"),
        "purposes.3: duplicate-code: 'deceased' stands twice among the purposes",
    ),
    "a question asked twice": (
        nypd('name = "offence"', 'name = "timing"'),
        purpose("suspect"),
        "purposes.0: duplicate-code: timing is asked twice",
    ),
    "questions asked twice": (
        nypd('name = "timing"', 'name = "basis"').replace('name = "offence"', 'name = "description"'),
        purpose("suspect"),
        "purposes.0: duplicate-code: basis, description is asked twice",
    ),
    "questions that the desk asks itself": (
        nypd('name = "timing"', 'name = "repositories"').replace('name = "offence"', 'name = "repositories-reason"'),
        purpose("suspect"),
        "purposes.0: duplicate-code: repositories, repositories-reason is asked by the desk itself",
    ),
    "an example of another form": (
        nypd('case_number_example = "K26-01234"', 'case_number_example = "K26"'),
        purpose("deceased"),
        "purposes.2: example-fits: purpose 'deceased': its example is not of the form it asks for",
    ),
    "an emergency for a purpose that does not exist": (
        nypd('purposes = ["imminent-threat"]', 'purposes = ["anything", "imminent-threat", "all"]'),
        line('purposes = ["imminent-threat"]'),
        "emergency.purposes: names-purpose: there is no purpose all, anything",
    ),
    "an approval for a purpose that does not exist": (
        nypd("[emergency]", '[pre_approval]\npurposes = ["anything"]\n\n[emergency]'),
        line("[emergency]") + 1,
        "pre_approval.purposes: names-purpose: there is no purpose anything",
    ),
    "an approval that never comes": (
        nypd("approval_hours = 24", "approval_hours = 0"),
        line("approval_hours"),
        "emergency.approval_hours: greater-than-equal: Input should be greater than or equal to 1",
    ),
    "a class both permitted and an exception": (
        nypd('exceptional = ["parole"', 'exceptional = ["arrest"'),
        line("[repositories]"),
        "repositories: repositories: a permitted class is no exception",
    ),
    "a choice refused that nobody can make": (
        nypd(
            '[[purposes.fields]]\nname = "timing"',
            '[[purposes.fields]]\nrefuses = { never = "Not at all." }\nname = "timing"',
        ),
        line('name = "timing"') - 1,
        "purposes.0.fields.0: options: field 'timing': never is not among its options",
    ),
    "no title": (
        nypd('title = "NYPD facial recognition policy, March 2020"\n'),
        1,
        "title: missing-key: the key 'title' is required here",
    ),
    "a ban without a code": (
        nypd('code = "non-arrest-photos"\n'),
        line('code = "non-arrest-photos"') - 1,
        "bans.4.code: missing-key: the key 'code' is required here",
    ),
    "no TOML": (
        NYPD.replace('version = "1.2.0"', "version ="),
        line('version = "1.2.0"'),
        "pack: not-toml: Invalid value (at line 4, column 10)",
    ),
    "a base of another version": (
        nypd('base = "desk@1.1.0"', 'base = "desk@9.9.9"'),
        line("base ="),
        "base: names-base: it builds on 'desk@9.9.9'; there is desk@1.1.0",
    ),
    "a base that did not come with it": (
        NYPD,
        line("base ="),
        "base: names-base: it builds on 'desk@1.1.0'; there is nothing",
    ),
    "a question that waits for an answer nobody can give": (
        nypd('name = "offence"', 'when = { field = "timing", says = "never" }\nname = "offence"'),
        purpose("suspect"),
        "purposes.0: names-field: field 'offence' waits for an answer that nobody can give",
    ),
    "a question that waits for one that nobody asks": (
        nypd('name = "offence"', 'when = { field = "gone", says = "never" }\nname = "offence"'),
        purpose("suspect"),
        "purposes.0: names-field: field 'offence' waits for an answer that nobody can give",
    ),
    **{
        f"a screen whose {what} nobody asks": (
            nypd("[emergency]", f'[protected_activity]\n{what} = "gone"\n\n[emergency]'),
            line("[emergency]"),
            "protected_activity: names-field: its question or its statement is not asked",
        )
        for what in ("field", "says", "statement")
    },
    "only answers that nobody can give": (
        nypd('answers = ["custody"]', 'answers = ["mugshot"]'),
        line('field = "image-source"') - 1,
        "purposes.4.only.0: names-field: purpose 'arrestee' allows only answers to 'image-source' that nobody can give",
    ),
    "only answers that are refused anyway": (
        nypd('answers = ["custody"]', 'answers = ["custody", "drawn"]'),
        line('field = "image-source"') - 1,
        "purposes.4.only.0: names-field: purpose 'arrestee' allows only answers to 'image-source' that nobody can give",
    ),
    "only answers to what nobody asks": (
        nypd('field = "image-source"', 'field = "mood"'),
        line('field = "image-source"') - 1,
        "purposes.4.only.0: names-field: purpose 'arrestee' allows only answers to 'mood' that nobody can give",
    ),
    "a choice that is a measure": (
        nypd('name = "timing"', 'measure = "age"\nname = "timing"'),
        line('name = "timing"') - 1,
        "purposes.0.fields.0: options: field 'timing': only a text is a measure or names a day",
    ),
    "a choice that names a day": (
        nypd('name = "timing"', 'dated = true\nname = "timing"'),
        line('name = "timing"') - 1,
        "purposes.0.fields.0: options: field 'timing': only a text is a measure or names a day",
    ),
    "a citation of blanks": (
        nypd('source = "pr0313, authorised use 3"', 'source = "   "'),
        line('source = "pr0313, authorised use 3"'),
        "purposes.2.source: string-too-short: String should have at least 3 characters",
    ),
    "a screen whose statement is no narrative": (
        nypd("[emergency]", '[protected_activity]\nstatement = "edits"\n\n[emergency]'),
        line("[emergency]"),
        "protected_activity: names-field: its question or its statement is not asked",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_pack_that_cannot_be_used_says_where_and_which_rule(name):
    text, at, told = WRONG[name]
    with pytest.raises(PackError) as wrong:
        parse(text, "nypd-2020.toml")
    assert str(wrong.value) == f"nypd-2020.toml:{at}: {told}"


FLOOR = '\n[candidates]\nsmallest = 30\nsource = "s.1"\n'
NEVER = 'refuses = { has = "Never.", is = "Never.", about-to = "Never." }\n'
OF_NO_USE = {
    "a choice between nothing": (nypd('kind = "text"\nhint = "for', 'kind = "choice"\nhint = "for'), "options"),
    "a choice of which all is refused": (nypd('name = "timing"', f'{NEVER}name = "timing"'), "options"),
    "a narrative of a form": (nypd('kind = "narrative"', "kind = 'narrative'\npattern = '\\d'"), "options"),
    "an example of another form": (nypd('hint = "for', "pattern = '\\d{3}'\nhint = \"for"), "example-fits"),
    "an arbiter among three": (nypd("[review]", '[review]\nexaminers = 3\ndisagreement = "arbiter"'), "arbiter"),
    "a smallest list above the usual one": (NYPD + FLOOR + BASE + DESK, "candidates"),
    "an override of what is accepted": (
        NYPD + '\n[quality]\noverride_tiers = ["good"]\n' + BASE + DESK,
        "tiers",
    ),
    "a limit twice": (NYPD + BASE + DESK.replace('code = "yaw"', 'code = "contrast"'), "duplicate-code"),
}


@pytest.mark.parametrize("name", OF_NO_USE)
def test_what_could_never_be_answered_or_decided_is_no_pack(name):
    text, rule = OF_NO_USE[name]
    with pytest.raises(PackError, match=rf"^[\w-]+\.toml:\d+: [\w.]+: {rule}: "):
        parse(text, "nypd-2020.toml")


TWICE = {
    "bans": 'code = "x"\ntext = "Never."\nsource = "s.1"',
    "retention": 'of = "x"\ndays = 1\nsource = "s.1"',
    "reports": 'code = "x"\nevery = "week"\nto = "them"\ndue = "soon"\ntells = ["requests"]\nsource = "s.1"',
    "disclosures": 'code = "x"\ntext = "Tell."\nsource = "s.1"',
    "cases": 'name = "x-ray"\nwhen = "the requester asks"\nthen = "requested"\nbecause = "It is so."',
}


@pytest.mark.parametrize("table", TWICE)
def test_what_has_a_code_has_it_for_itself(table):
    one = f"\n[[{table}]]\n{TWICE[table]}\n"
    code = "x-ray" if table == "cases" else "probe" if table == "retention" else "x"
    one = one.replace('of = "x"', 'of = "probe"')
    text = NYPD + one + one
    with pytest.raises(PackError) as wrong:
        parse(text + BASE + DESK, "nypd-2020.toml")
    second = len(text.splitlines()) - len(one.strip().splitlines()) + 1
    assert re.fullmatch(
        rf"nypd-2020\.toml:{second}: {table}\.\d+: duplicate-code: '{code}' stands twice among the {table}",
        str(wrong.value),
    ), wrong.value


ALONE = f"""title = "Our town"
source = "Town ordinance 7"
{DESK}
[[purposes]]
code = "deceased"
label = "Deceased person"
text = "To identify a deceased person."
case_number_label = "Number"
case_number_hint = "K26-01234"
case_number_pattern = "[A-Z0-9-]{{4,9}}"
case_number_example = "K26-01234"
source = "Town ordinance 7, section 2"
"""


def test_a_pack_may_build_on_nothing_and_its_mistakes_have_places_too():
    assert parse(ALONE, "our-town.toml").title == "Our town"
    text = ALONE.replace('name = "edits"', 'colour = "red"\nname = "edits"')
    at = next(n for n, found in enumerate(text.splitlines(), 1) if found.startswith("colour"))
    with pytest.raises(PackError) as wrong:
        parse(text, "our-town.toml")
    assert str(wrong.value) == f"our-town.toml:{at}: common_fields.7.colour: unknown-key: there is no key 'colour' here"


def test_where_something_stands_is_told_in_the_overlay_or_in_its_base():
    text = NYPD + BASE + DESK
    cases = [n for n, found in enumerate(NYPD.splitlines(), 1) if found == "[[cases]]"]
    questions = [n for n, found in enumerate(DESK.splitlines(), 1) if found == "[[common_fields]]"]
    own = DESK.count("\n[[cases]]") + 2  # after those of the base
    assert place_of(text, "nypd-2020.toml", ("cases", own)) == f"nypd-2020.toml:{cases[2]}"
    assert place_of(text, "nypd-2020.toml", ("common_fields", 1)) == f"desk.toml:{questions[1]}"
    with pytest.raises(PackError, match=r"^nypd-2020\.toml:5: base: names-base: "):
        place_of(NYPD, "nypd-2020.toml", ("cases", 2))


def test_a_mistake_in_a_table_that_the_overlay_does_not_have_is_the_bases():
    bad = DESK.replace("days = 365\ncounted_from", "days = 0\ncounted_from")
    with pytest.raises(PackError) as wrong:
        parse(NYPD + BASE + bad, "nypd-2020.toml")
    at = next(n for n, found in enumerate(bad.splitlines(), 1) if found == "days = 0")
    assert str(wrong.value).startswith(f"desk.toml:{at}: retention.7.days: greater-than-equal: ")


def test_a_mistake_in_an_element_that_the_overlay_does_not_have_is_the_bases():
    bad = DESK.replace('name = "image-source"', 'colour = "red"\nname = "image-source"', 1)
    at = next(n for n, found in enumerate(bad.splitlines(), 1) if found.startswith("colour"))
    with pytest.raises(PackError, match=rf"^desk\.toml:{at}: common_fields\.1\.colour: unknown-key: "):
        parse(NYPD + BASE + bad, "nypd-2020.toml")


def test_what_the_base_says_twice_is_found_though_the_overlay_says_it_once():
    twice = DESK + '\n[[retention]]\nof = "probe"\ndays = 1\nsource = "s.1"\n'
    once = NYPD + '\n[[retention]]\nof = "probe"\ndays = 2\nsource = "s.2"\n'
    at = next(n for n, found in enumerate(once.splitlines(), 1) if found == "[[retention]]")
    with pytest.raises(PackError, match=rf"^nypd-2020\.toml:{at}: retention\.8: duplicate-code: 'probe' stands twice"):
        parse(once + BASE + twice, "nypd-2020.toml")


def test_of_two_of_the_same_code_the_one_that_is_wrong_is_named():
    one = '\n[[cases]]\nname = "{}"\nwhen = "the requester asks"\nthen = "requested"\nbecause = "It may."\n'
    text = NYPD + one.format("new") + 'colour = "red"\n' + one.format("other") + one.format("new")
    at = next(n for n, found in enumerate(text.splitlines(), 1) if found.startswith("colour"))
    with pytest.raises(PackError, match=rf"^nypd-2020\.toml:{at}: cases\.\d+\.colour: unknown-key: "):
        parse(text + BASE + DESK, "nypd-2020.toml")


@pytest.mark.parametrize("key", ["name", "version"])
def test_a_pack_does_not_go_by_the_name_or_the_version_of_its_base(key):
    without = re.sub(rf"^{key} = .*\n", "", NYPD, count=1, flags=re.MULTILINE)
    with pytest.raises(PackError, match=rf"^nypd-2020\.toml:1: {key}: missing-key: the key '{key}' is required here$"):
        gathered("nypd-2020", signed({"nypd-2020": without, "desk": DESK}))


def test_a_pack_that_was_searched_under_before_that_was_asked_reads_for_ever():
    without = re.sub(r"^version = .*\n", "", NYPD, count=1, flags=re.MULTILINE)
    assert parse(without + BASE + DESK, "nypd-2020.toml").id == "nypd-2020@1.1.0"


def test_a_base_is_named_by_its_exact_version():
    loose = NYPD.replace('base = "desk@1.1.0"', 'base = "desk"')
    text = gathered("nypd-2020", signed({"nypd-2020": loose, "desk": DESK}))
    assert text == loose + BASE + DESK
    with pytest.raises(
        PackError, match=r"^nypd-2020\.toml:5: base: names-base: it builds on 'desk'; there is desk@1\.1\.0$"
    ):
        parse(text, "nypd-2020.toml")
    with pytest.raises(PackError, match=r"^desk\.toml:\d+: pack: not-toml"):
        parse(loose + BASE + "name =", "nypd-2020.toml")


def test_nothing_follows_a_pack_that_builds_on_nothing():
    with pytest.raises(
        PackError, match=r"^our-town\.toml:1: base: names-base: it builds on None; there is desk@1\.1\.0$"
    ):
        parse(ALONE + BASE + DESK, "our-town.toml")


def test_what_is_no_toml_anywhere_below_is_named_with_its_file():
    with pytest.raises(PackError, match=r"^desk\.toml:\d+: pack: not-toml"):
        parse(NYPD + BASE + DESK.replace('name = "desk"', "name ="), "nypd-2020.toml")
    texts = {"nypd-2020": "name ="}
    with pytest.raises(PackError, match=r"^nypd-2020\.toml:1: pack: not-toml"):
        gathered("nypd-2020", signed(texts))


def test_what_is_wrong_in_the_base_is_named_with_the_bases_file_and_line():
    bad = DESK.replace("smallest = 2", "smallest = 1")
    with pytest.raises(PackError) as wrong:
        parse(NYPD + BASE + bad, "nypd-2020.toml")
    at = next(n for n, found in enumerate(bad.splitlines(), 1) if "smallest" in found)
    assert str(wrong.value).startswith(f"desk.toml:{at}: candidates.smallest: greater-than-equal: ")


def test_several_mistakes_are_counted():
    with pytest.raises(PackError, match=r"\(1 more\)$"):
        parse(
            nypd('source = "pr0313, authorised use 3"\n').replace('source = "pr0313, authorised use 4"\n', ""),
            "nypd-2020.toml",
        )


@pytest.mark.parametrize("word", ["a 98% match", "this hit", "identified", "a strong match", "the score", "confirmed"])
def test_no_notice_makes_more_of_a_lead_than_it_is(word):
    text = NYPD + f'\n[notices]\nlead = "We have {word} for you."\n' + BASE + DESK
    with pytest.raises(PackError, match=r"notices\.lead: sober-words"):
        parse(text, "nypd-2020.toml")


@pytest.mark.parametrize(
    "tables",
    [
        "[review]\nblind = false",
        "[candidates]\ncompare_all = false",
        "[candidates]\nlargest = 51",
        "[review]\nexaminers = 1",
    ],
)
def test_no_pack_can_lower_the_floor(tables):
    text = NYPD.replace("[review]\n", "[review]\n" if "review" not in tables else tables + "\n")
    text = text if "review" in tables else f"{text}\n{tables}\n"
    with pytest.raises(PackError):
        parse(text + BASE + DESK, "nypd-2020.toml")


def test_an_overlay_says_otherwise_where_it_does_and_nothing_is_lost():
    below, over = s.pack("nypd-2020"), s.pack("nyc-2025")
    assert [p.code for p in over.purposes] == [p.code for p in below.purposes]
    edits = {f.name: f for f in over.common_fields}["edits"]
    assert (edits.kind, edits.when.says) == ("narrative", "edited")
    assert {case.name for case in below.cases} < {case.name for case in over.cases}
    assert over.id == "nyc-2025@1.1.0" != below.id


def test_the_text_kept_with_a_search_says_everything_for_ever():
    text = s.text_of("nyc-2025")
    assert text.count(BASE) == 2
    assert parse(text, "anything") == s.pack("nyc-2025")


def test_a_report_tells_what_a_statute_can_ask_for_and_nothing_else():
    text = NYPD.replace('tells = ["requests"', 'tells = ["nonsense"')
    at = line("tells = [")
    with pytest.raises(PackError, match=rf"^nypd-2020\.toml:{at}: reports\.0\.tells\.0: literal-error: .*'requests'"):
        parse(text + BASE + DESK, "nypd-2020.toml")


# --- what was recorded, and what was released ---------------------------------------------------------------------------

RECORDED = sorted((Path(__file__).parent / "recorded").glob("*.toml"))


@pytest.mark.parametrize("file", RECORDED, ids=[file.stem for file in RECORDED])
def test_a_text_that_was_recorded_earlier_is_still_read_and_its_searches_live_on(file):
    text = file.read_text(encoding="utf-8")
    pack = parse(text, file.name)
    assert pack.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert "## Who decides" in document.markdown(pack)
    case = Case(
        name="all the way",
        given=("a lead is issued",),
        when="the requester acknowledges the lead",
        then="lead",
        because="A search lives and dies under the pack it was requested under.",
    )
    assert failure(case, pack) is None


def test_before_a_pack_could_say_them_limits_and_dual_control_were_what_the_desk_did():
    first = parse(RECORDED[0].read_text(encoding="utf-8"), "nypd-2020")
    eyes = {"inter-eye-distance": 30.0, "detection-score": 0.9, "yaw": 0.0}
    measures = eyes | {"sharpness": 50.0, "exposure": 120.0, "contrast": 40.0}
    assert tier(measures, first.quality) == ("limited", ("inter-eye-distance",))
    assert not first.enrolment.dual_control
    assert first.timers.approval == s.pack().timers.approval


LIST = (s.PACKS / "released.txt").read_text(encoding="utf-8")


def test_a_text_that_was_released_under_a_version_never_changes():
    """Whoever changes a shipped pack gives it a new version; `leadgate policy release` adds the line."""
    known = released.read(LIST)
    for file in s.PACKS.glob("*.toml"):
        said = tomllib.loads(file.read_text(encoding="utf-8"))
        assert known[f"{said['name']}@{said['version']}"] == hashlib.sha256(file.read_bytes()).hexdigest(), file.name


def test_the_list_of_releases_takes_new_versions_and_refuses_another_text_for_an_old_one():
    town = b'name = "town"\nversion = "1.0.0"\n'
    once = released.renewed("", [town])
    assert released.renewed(once, [town]) == once
    later = released.renewed(once, [town.replace(b"1.0.0", b"1.0.1")])
    assert set(released.read(later)) == {"town@1.0.0", "town@1.0.1"}
    with pytest.raises(PackError, match=r"^town\.toml: version: new-version: town@1\.0\.0 was released"):
        released.renewed(later, [town + b"# or so"])


# --- signatures ---------------------------------------------------------------------------------------------------------

SECRET, PUBLIC = key_files(bytes(range(32)))
OTHER = key_files(bytes(32))[1]


def signed(texts: dict[str, str], key: str = SECRET, trusted: str = PUBLIC):
    """Reads packs out of `texts`, signed with `key`."""
    return lambda name: Sealed(texts[name].encode(), sign(texts[name].encode(), name, key), trusted)


def test_an_agency_signs_its_own_packs_with_its_own_key():
    texts = {"nypd-2020": NYPD, "desk": DESK}
    assert gathered("nypd-2020", signed(texts)) == NYPD + BASE + DESK


@pytest.mark.parametrize("altered", ["nypd-2020", "desk"])
@pytest.mark.parametrize(
    "change", [lambda raw: raw + b"\n", lambda raw: raw.replace(b"2", b"1", 1), lambda raw: raw[:-1]]
)
def test_an_altered_pack_does_not_load_nor_one_whose_base_is_altered(altered, change):
    texts = {"nypd-2020": NYPD, "desk": DESK}

    def read(name):
        file = signed(texts)(name)
        return Sealed(change(file.text), file.signature, file.trusted) if name == altered else file

    with pytest.raises(PackError, match=rf"{altered}.toml:1: signature: wrong-signature: .*altered"):
        gathered("nypd-2020", read)


@pytest.mark.parametrize(
    "signature", ["", "ed25519", "ed25519 x y", "rsa a b", "ed25519 {id} AAAA", "ed25519 {id} ~~~~"]
)
def test_a_signature_that_is_none_is_refused(signature):
    key = sign(b"", "x", SECRET).split()[1]
    with pytest.raises(PackError, match="wrong-signature"):
        gathered("desk", lambda _: Sealed(DESK.encode(), signature.format(id=key), PUBLIC))


def test_a_signature_by_a_key_that_is_not_trusted_is_refused_and_both_keys_are_named():
    with pytest.raises(PackError, match=r"signed with key [0-9a-f]{16}, but the key trusted here is [0-9a-f]{16}"):
        gathered("desk", signed({"desk": DESK}, trusted=OTHER))


def test_a_signature_for_one_pack_does_not_serve_another_name():
    seal = sign(DESK.encode(), "desk", SECRET)
    with pytest.raises(PackError, match="altered"):
        gathered("nypd-2020", lambda _: Sealed(DESK.encode(), seal, PUBLIC))


@pytest.mark.parametrize("key", ["", "ed25519-public", "ed25519-public AAAA", "ed25519-public ~~~", SECRET])
def test_a_file_that_is_no_public_key_is_refused(key):
    with pytest.raises(PackError, match="trusted public key"):
        gathered("desk", lambda _: Sealed(DESK.encode(), sign(DESK.encode(), "desk", SECRET), key))


def test_a_file_that_is_called_otherwise_than_its_pack_is_refused():
    """Else an agency that copies a pack and signs it would search under a name that it did not ask for."""
    with pytest.raises(PackError) as wrong:
        gathered("town", signed({"town": NYPD, "desk": DESK}))
    at = line('name = "nypd-2020"')
    assert str(wrong.value) == f"town.toml:{at}: name: names-file: the file is called 'town', the pack 'nypd-2020'"


def test_a_signed_file_that_is_no_text_is_refused_with_its_line():
    raw = DESK.encode().replace(b'version = "1.1.0"', b'version = "\xff"')
    with pytest.raises(PackError, match=r"^desk\.toml:4: pack: not-utf-8: "):
        gathered("desk", lambda _: Sealed(raw, sign(raw, "desk", SECRET), PUBLIC))


def test_packs_that_build_on_each_other_without_end_are_refused():
    text = DESK.replace('name = "desk"', 'name = "desk"\nbase = "desk@1.1.0"')
    with pytest.raises(PackError, match="more than 4 deep"):
        gathered("desk", signed({"desk": text}))


def test_the_private_half_of_the_shipped_key_is_nowhere_in_the_tree():
    assert not [path for path in s.PACKS.rglob("*") if path.is_file() and b"ed25519-private" in path.read_bytes()]
