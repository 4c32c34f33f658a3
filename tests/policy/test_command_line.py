"""`leadgate policy` as counsel and developers type it."""

import io
import re
import subprocess
import sys
from pathlib import Path

import pikepdf
import pypdfium2
import pytest

from bot.casework import Casework, register
from bot.packs import SHIPPED, load_pack, shipped
from bot.people import Person, enrol
from bot.settings import SettingsError
from policy import model as m
from policy.cases import complete
from policy.pack import PackError, parse
from tests import story as s


def leadgate(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deploy", "policy", *map(str, words)]
    environment |= {"PATH": "/usr/bin:/bin", "COLUMNS": "200", "PYTHONUTF8": "1"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=120)


def test_every_shipped_pack_checks_and_the_cases_are_counted():
    done = leadgate("check")
    assert done.returncode == 0, done.stderr
    held, cases = re.search(r"(\d+) of (\d+) cases hold$", done.stdout.strip()).groups()
    assert held == cases == str(sum(len(s.pack(name).cases) for name in s.NAMES))
    assert int(cases) > 400


def test_an_agency_signs_checks_and_explains_a_pack_of_its_own(tmp_path):
    own = tmp_path / "our-town.toml"
    text = (s.PACKS / "bja-template.toml").read_text(encoding="utf-8").replace('"bja-template"', '"our-town"', 1)
    own.write_text(text, encoding="utf-8")
    assert leadgate("key", tmp_path / "agency.key").returncode == 0
    assert (tmp_path / "agency.key").stat().st_mode & 0o777 == 0o600
    assert leadgate("sign", "--key", tmp_path / "agency.key", own).returncode == 0
    here = {"LEADGATE_PACK_FOLDER": str(tmp_path), "LEADGATE_PACK_KEY": str(tmp_path / "agency.pub")}
    assert "our-town@1.1.0: 49 of 49 cases hold" in leadgate("check", "our-town", **here).stdout
    page = tmp_path / "our-town.html"
    assert leadgate("explain", "our-town", "--html", page, **here).returncode == 0
    assert "<h2>Who decides</h2>" in page.read_text(encoding="utf-8")
    own.write_text(text.replace("examiners = 2", "examiners = 3"), encoding="utf-8")
    altered = leadgate("check", "our-town", **here)
    assert altered.returncode == 2
    assert "our-town.toml:1: signature: wrong-signature" in altered.stderr


def test_a_case_that_does_not_hold_fails_the_check(tmp_path):
    own = tmp_path / "our-town.toml"
    text = (s.PACKS / "bja-template.toml").read_text(encoding="utf-8").replace('"bja-template"', '"our-town"', 1)
    own.write_text(text.replace('then = "refused: field:authority"', 'then = "requested"'), encoding="utf-8")
    leadgate("key", tmp_path / "agency.key")
    leadgate("sign", "--key", tmp_path / "agency.key", own)
    done = leadgate("check", "our-town", "--folder", tmp_path, "--key", tmp_path / "agency.pub")
    assert done.returncode == 1
    assert "no authority named: not “requested” but “refused: field:authority”" in done.stderr


def test_a_pack_is_explained_in_markdown():
    done = leadgate("explain", "detroit-2024")
    assert done.returncode == 0
    assert done.stdout.startswith("# Detroit Police Department")
    assert "**Unverified: to be checked against the original" in done.stdout


def own_pack(folder, *changes, name="our-town"):
    """An agency's pack in `folder`, the template with `changes`, signed with the agency's key; its environment."""
    text = (s.PACKS / "bja-template.toml").read_text(encoding="utf-8").replace('"bja-template"', f'"{name}"', 1)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    leadgate("key", folder / "agency.key")
    assert leadgate("sign", "--key", folder / "agency.key", folder / f"{name}.toml").returncode == 0
    return {"LEADGATE_PACK_FOLDER": str(folder), "LEADGATE_PACK_KEY": str(folder / "agency.pub")}


def one_line(done) -> str:
    """What a command says that stops: one line, and no trace of where in the code."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    (told,) = done.stderr.strip().splitlines()
    return told


def test_a_pack_is_explained_as_a_tagged_pdf_with_title_and_language(tmp_path):
    done = leadgate("explain", "virginia-2026", "--pdf", tmp_path / "virginia.pdf")
    assert (done.returncode, done.stdout) == (0, "")
    made = (tmp_path / "virginia.pdf").read_bytes()
    with pikepdf.open(io.BytesIO(made)) as pdf:
        assert pdf.Root.MarkInfo.Marked
        assert str(pdf.Root.Lang) == "en-US"
        assert pdf.Root.ViewerPreferences.DisplayDocTitle
        assert str(pdf.docinfo.Title).startswith("Virginia statute")
        assert pdf.open_metadata()["pdfuaid:part"] == "1"
        assert pdf.check_pdf_syntax() == []
    document = pypdfium2.PdfDocument(made)
    told = " ".join(" ".join(page.get_textpage().get_text_bounded() for page in document).split())
    for said in ("at least 0.98 in every demographic group", "Who decides", "danger to themselves or others", "HB1339"):
        assert said in told
    again = leadgate("explain", "virginia-2026", "--pdf", tmp_path / "again.pdf")
    assert again.returncode == 0
    assert (tmp_path / "again.pdf").read_bytes() == made


def test_text_of_a_pack_is_no_markup_in_the_pdf_nor_on_the_screen(tmp_path):
    title = 'title = "BJA Face Recognition Policy Development Template"'
    here = own_pack(tmp_path, (title, 'title = "Our [/x] town #panic() [bold]$x$"'))
    done = leadgate("explain", "our-town", "--pdf", tmp_path / "x.pdf", **here)
    assert done.returncode == 0, done.stderr
    with pikepdf.open(tmp_path / "x.pdf") as pdf:
        assert str(pdf.docinfo.Title) == "Our [/x] town #panic() [bold]$x$"
    shown = leadgate("show", "our-town", **here)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("Our [/x] town #panic() [bold]$x$ · our-town@")


def test_the_pack_that_is_shown_is_named_as_for_every_other_command():
    assert leadgate("show", "detroit-2024").stdout.startswith("Detroit Police Department")
    assert "· nypd-2020@" in leadgate("show").stdout


WRONG_FILES = {
    "a pack that is not there": (["sign", "--key", "{key}", "{folder}/none.toml"], "none.toml: No such file"),
    "a key that is not there": (["sign", "--key", "{folder}/none.key", "{pack}"], "none.key: No such file"),
    "the public half for a key": (["sign", "--key", "{pub}", "{pack}"], "the private key is not one line"),
    "a key that is no text": (["sign", "--key", "{raw}", "{pack}"], "it holds no text. Nothing was signed."),
    "a key over a key": (["key", "{key}"], "No key was made. Name another file."),
    "a key that is its own public half": (["key", "{folder}/new.pub"], "No key was made. Name another file."),
    "a key in no folder": (["key", "{folder}/none/agency.key"], "No such file or directory. No key was made"),
    "a page in no folder": (["explain", "nypd-2020", "--html", "{folder}/none/x.html"], "Nothing was written there."),
    "a PDF in no folder": (["explain", "nypd-2020", "--pdf", "{folder}/none/x.pdf"], "Nothing was written there."),
}


@pytest.mark.parametrize("name", WRONG_FILES)
def test_a_file_that_cannot_be_used_is_named_in_one_line(name, tmp_path):
    own_pack(tmp_path)
    (tmp_path / "raw.key").write_bytes(b"\xff\xfe")
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    places = {"folder": tmp_path, "key": tmp_path / "agency.key", "pub": tmp_path / "agency.pub"}
    places |= {"pack": tmp_path / "our-town.toml", "raw": tmp_path / "raw.key"}
    words, told = WRONG_FILES[name]
    assert told in one_line(leadgate(*(word.format(**places) for word in words)))
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


BAD_PACKS = {
    "a sentence that means nothing": (
        'when = "the requester asks"',
        'when = "the requester dances"',
        r"our-town\.toml:\d+: cases\.\d+\.when: unknown-words: “the requester dances”",
    ),
    "an end that there is not": (
        'then = "disagreed"',
        'then = "delighted"',
        r"our-town\.toml:\d+: cases\.\d+\.then: unknown-words: “delighted”",
    ),
    "a past that cannot be told": (
        'given = ["the examination is open", ',
        'given = ["the examination is over", ',
        r"our-town\.toml:\d+: cases\.\d+\.given: unknown-words: “the examination is over”",
    ),
}


@pytest.mark.parametrize("name", BAD_PACKS)
def test_a_case_in_words_that_mean_nothing_stops_the_start_with_its_line(name, tmp_path):
    old, new, told = BAD_PACKS[name]
    here = own_pack(tmp_path, (old, new))
    said = one_line(leadgate("explain", "our-town", **here))
    assert re.search(told, said)
    at = int(re.search(r"our-town\.toml:(\d+)", said)[1])
    key = new.split(" ", 1)[0]
    assert (tmp_path / "our-town.toml").read_text(encoding="utf-8").splitlines()[at - 1].startswith(key)
    with pytest.raises(PackError, match=told):
        load_pack("our-town", tmp_path, tmp_path / "agency.pub")


@pytest.mark.parametrize("file", ["our-town.toml.sig", "agency.pub"])
def test_a_signature_or_key_that_is_no_text_is_named(file, tmp_path):
    here = own_pack(tmp_path)
    (tmp_path / file).write_bytes(b"\xff\xfe\x00")
    assert f"{file}:1: signature: not-utf-8: " in one_line(leadgate("check", "our-town", **here))


async def test_a_pack_that_says_something_else_under_a_version_that_was_used_stops_the_start_with_file_and_line(pool):
    altered = s.text_of() + "\n# or so\n"
    async with pool.acquire() as conn, conn.transaction():
        await register(conn, s.pack(), s.text_of())
        with pytest.raises(PackError, match=r"^nypd-2020\.toml:4: version: new-version: nypd-2020@"):
            await register(conn, parse(altered, "nypd-2020.toml"), altered)


async def test_an_installation_that_recorded_an_earlier_text_starts_and_knows_it(pool):
    earlier = (Path(__file__).parent / "recorded" / "1-nypd-2020.toml").read_text(encoding="utf-8")
    async with pool.acquire() as conn, conn.transaction():
        await register(conn, parse(earlier, "nypd-2020"), earlier)
        known = await register(conn, s.pack(), s.text_of())
    packs = {name: parse(text, name) for name, text in known}
    assert set(packs) == {"nypd-2020@1.1.0", s.pack().id}
    assert packs["nypd-2020@1.1.0"].sha256 != s.pack().sha256


def test_text_of_a_pack_is_no_markup_in_the_page(tmp_path):
    own = tmp_path / "our-town.toml"
    text = (s.PACKS / "bja-template.toml").read_text(encoding="utf-8").replace('"bja-template"', '"our-town"', 1)
    own.write_text(
        text.replace('text = "To identify a deceased person."', 'text = "<script>alert(1)</script>"'), encoding="utf-8"
    )
    leadgate("key", tmp_path / "agency.key")
    leadgate("sign", "--key", tmp_path / "agency.key", own)
    leadgate(
        "explain", "our-town", "--html", tmp_path / "x.html", "--folder", tmp_path, "--key", tmp_path / "agency.pub"
    )
    page = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_an_unknown_pack_is_one_clear_line():
    done = leadgate("explain", "gotham-1939")
    assert (done.returncode, done.stderr.strip()) == (
        2,
        "leadgate: LEADGATE_PACK: there is no policy pack 'gotham-1939'",
    )


def test_the_shipped_packs_load_under_the_shipped_key():
    assert shipped() == s.NAMES
    for name in shipped():
        assert load_pack(name)[0].name == name


def test_an_agencys_folder_goes_before_what_is_shipped_and_needs_its_key(tmp_path):
    (tmp_path / "nypd-2020.toml").write_bytes((s.PACKS / "nypd-2020.toml").read_bytes())
    with pytest.raises(SettingsError, match="LEADGATE_PACK_KEY"):
        load_pack("nypd-2020", tmp_path)
    with pytest.raises(SettingsError, match="is not signed"):
        load_pack("nypd-2020", tmp_path, s.PACKS / "leadgate.pub")
    (tmp_path / "nypd-2020.toml.sig").write_bytes((s.PACKS / "nypd-2020.toml.sig").read_bytes())
    assert load_pack("nypd-2020", tmp_path, s.PACKS / "leadgate.pub")[0] == s.pack()
    assert (SHIPPED / "leadgate.pub").is_file()
    with pytest.raises(SettingsError, match="no key file"):
        load_pack("nypd-2020", tmp_path, tmp_path / "none.pub")


def test_what_is_no_pack_by_itself_does_not_load():
    with pytest.raises(PackError, match=r"desk\.toml"):
        load_pack("desk")


async def test_recorded_requests_are_tabled_under_another_pack(pool, database):
    casework = Casework(pool, {}, s.pack(), lambda: s.NOON, b"k" * 32)
    async with pool.acquire() as conn, conn.transaction():
        await register(conn, s.pack(), s.text_of())
        for number, by in enumerate((s.DANA,)):
            await enrol(conn, Person(by.id, by.id, by.roles, by.certified_until, "T1", f"U{number}"))
    await casework.submit(m.SearchId("LG-AAAAAAAAAAAA"), s.ASK, s.DANA)
    await casework.submit(m.SearchId("LG-BBBBBBBBBBBB"), complete(s.pack(), "deceased"), s.DANA)
    done = leadgate(
        "simulate", "--as", "detroit-2024", "--since", "2026-03-13", LEADGATE_DATABASE_URL=database.url("bot")
    )
    assert done.returncode == 0, done.stderr
    assert (
        "2 requests under detroit-2024@1.1.0: 0 accepted, 0 held, 2 refused, 0 erased; 1 would have been asked for more"
        in done.stdout
    )
    assert "“deceased” is not an authorised use under detroit-2024@1.1.0." in done.stdout
    later = leadgate(
        "simulate", "--as", "detroit-2024", "--since", "2026-03-14", LEADGATE_DATABASE_URL=database.url("bot")
    )
    assert "0 requests under" in later.stdout


def test_without_its_database_simulate_says_so_in_one_sentence():
    nobody = {"LEADGATE_DATABASE_URL": "postgresql://bot@127.0.0.1:1/leadgate"}
    done = leadgate("simulate", "--as", "detroit-2024", "--since", "2026-03-13", **nobody)
    assert done.returncode == 2
    [line] = done.stderr.strip().splitlines()
    assert line.startswith("leadgate: no recorded request can be read just now: ")
    assert line.endswith("Nothing was changed.")
