"""`leadgate policy` as counsel and developers type it."""

import re
import subprocess
import sys

import pytest

from bot.casework import Casework, register
from bot.packs import SHIPPED, load_pack, shipped
from bot.people import Person, enrol
from bot.settings import SettingsError
from policy import model as m
from policy.cases import complete
from policy.pack import PackError
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
    assert "our-town@1.0.0: 37 of 37 cases hold" in leadgate("check", "our-town", **here).stdout
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
        "2 requests under detroit-2024@1.0.0: 0 accepted, 1 held, 1 refused, 0 erased; 1 would have been asked for more"
        in done.stdout
    )
    assert "“deceased” is not an authorised use under detroit-2024@1.0.0." in done.stdout
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
