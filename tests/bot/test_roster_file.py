"""A file of people: checked as a whole before anybody is changed, and every change told and kept."""

import asyncio
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from bot import ledger, people
from bot.people import Person
from bot.roster import Member
from bot.roster_file import put, put_members
from deploy.commands.people import app
from deploy.roster import RosterError, read
from policy.model import PersonId, Role
from tests import story as s

HEAD = "id,name,roles,certified_until,team,account\n"
EVA = "eva,Eva,examiner,2027-01-01,T1,U1\n"
MAL = "mal,Mallory,requester,2027-01-01,T1,U9\n"

WRONG = {
    "one account, two people": (
        EVA + "mal,Mallory,supervisor,,T1,U1\n",
        "line 3: the account U1 of T1 stands in line 2",
    ),
    "one person, two accounts": (EVA + "eva,Eva,supervisor,,T1,U2\n", "line 3: the id eva stands in line 2"),
    "one person in two cases": (EVA + "Eva,Eva,supervisor,,T1,U2\n", "line 3: the id Eva stands in line 2"),
    "a row too short": ("eva,Eva,examiner\n", "line 2: it has 3 values for 6 columns"),
    "a row too long": ("eva,Eva,examiner,,T1,U1,,x\n", "line 2: it has 8 values for 6 columns"),
    "no account": ("eva,Eva,examiner,,T1,\n", "line 2: the account '' is no Slack account"),
    "no team": ("eva,Eva,examiner,,,U1\n", "line 2: the team '' is no Slack workspace"),
    "a formula for an account": ("eva,Eva,examiner,,T1,=cmd|calc\n", "line 2: the account '=cmd|calc' is no"),
    "a formula for a name": ("eva,=1+1,examiner,,T1,U1\n", "line 2: the name '=1+1' begins as a formula does"),
    "no name": ("eva,,examiner,,T1,U1\n", "line 2: the name is empty"),
    "an endless name": (f"eva,{'E' * 201},examiner,,T1,U1\n", "line 2: the name is longer than 200"),
    "marks in a name": ("eva,\u202eavE,examiner,,T1,U1\n", r"line 2: the name '\u202eavE' has characters in it that"),
    "a zero byte": ("e\0va,Eva,examiner,,T1,U1\n", r"line 2: the id 'e\x00va' has to be of letters"),
    "no id": (",Eva,examiner,,T1,U1\n", "line 2: the id '' has to be of letters"),
    "the system's id": ("System,Eva,examiner,,T1,U1\n", "line 2: the id 'System' is the ledger's name for"),
    "the known answers' id": ("known-answer,Eva,,,T1,U1\n", "line 2: the id 'known-answer' is the ledger's name for"),
    "the system's role": ("eva,Eva,system,,T1,U1\n", "line 2: nobody has the role 'system'; roles are auditor,"),
    "an unknown role": ("eva,Eva,examiner king,,T1,U1\n", "line 2: nobody has the role 'king'"),
    "no date": ("eva,Eva,examiner,soon,T1,U1\n", "line 2: certified_until 'soon' is not a date"),
    "a date at the end of time": ("eva,Eva,examiner,9999-12-31T23:59:59-14:00,T1,U1\n", "is not a date such as"),
    "nobody": ("\n", "nobody is in it"),
    "no CSV": ('eva,"Eva"x,examiner,,T1,U1\n', "line 2: from here on it is no CSV"),
}


def written(folder, text, encoding="utf-8"):
    path = folder / "roster.csv"
    path.write_bytes(text.encode(encoding))
    return path


def problems(path) -> str:
    with pytest.raises(RosterError) as refused:
        read(path)
    return "\n".join(refused.value.problems)


@pytest.mark.parametrize("name", WRONG)
def test_a_file_with_a_row_that_cannot_be_meant_is_refused_with_its_line(name, tmp_path):
    text, why = WRONG[name]
    assert why in problems(written(tmp_path, HEAD + text))


def test_everything_that_is_wrong_is_said_at_once(tmp_path):
    said = problems(written(tmp_path, HEAD + EVA + ",,king,soon,,\n" + "mal,Mallory\n" + EVA))
    assert [line.partition(":")[0] for line in said.splitlines()] == ["line 3"] * 6 + ["line 4"] + ["line 5"] * 2


def test_a_row_is_named_by_the_line_in_which_it_begins(tmp_path):
    said = problems(written(tmp_path, HEAD + 'eva,"Eva\nStone",examiner,,T1,U1\n\nmal,Mallory,king,,T1,U9\n'))
    assert [line.partition(":")[0] for line in said.splitlines()] == ["line 2", "line 5"]


def test_a_file_as_spreadsheets_save_it_is_read(tmp_path):
    path = written(tmp_path, HEAD.replace("\n", "\r\n") + EVA.replace(",", " , ").replace("\n", "\r\n"), "utf-8-sig")
    (eva,) = read(path)
    assert (eva.id, eva.name, eva.account) == ("eva", "Eva", "U1")


def test_a_file_that_is_not_utf_8_is_refused_with_its_line(tmp_path):
    assert problems(written(tmp_path, HEAD + EVA + "jose,José,examiner,,T1,U2\n", "latin-1")).startswith("line 3: ")
    assert "line 1: this is not UTF-8" in problems(written(tmp_path, HEAD + EVA, "utf-16"))


def test_other_columns_are_refused(tmp_path):
    assert "the columns have to be id, name," in problems(written(tmp_path, EVA))
    assert "the columns have to be id, name," in problems(written(tmp_path, ""))


def test_names_of_every_script_are_taken(tmp_path):
    names = ["Zoë Ó Súilleabháin", "علی‌رضا", "王小明", "'t Hooft"]
    rows = "".join(f"p{n},{name},examiner,,T1,U{n}\n" for n, name in enumerate(names))
    assert [person.name for person in read(written(tmp_path, HEAD + rows))] == names


# --- what it changes --------------------------------------------------------------------------------------------------


def person(name, account, *roles, until=s.NEXT_YEAR):
    return Person(PersonId(name), name.title(), frozenset(roles), until, "T1", account)


async def enlisted(pool, *persons, only=False):
    async with pool.acquire() as conn, conn.transaction():
        return await put(conn, persons, s.NOON, only=only)


async def told(pool):
    async with pool.acquire() as conn:
        return [(e.kind, dict(e.data)) for e in await ledger.read(conn, "people")]


async def who(pool, account):
    async with pool.acquire() as conn:
        return await people.actor(conn, "T1", account)


async def test_what_a_file_changes_is_told_before_and_after_and_nothing_where_nothing_changed(pool):
    await enlisted(pool, person("eva", "U1", Role.EXAMINER))
    assert await enlisted(pool, person("eva", "U1", Role.EXAMINER)) == []
    renewed = s.NEXT_YEAR + timedelta(days=365)
    (change,) = await enlisted(pool, person("eva", "U1", Role.EXAMINER, Role.SUPERVISOR, until=renewed))
    assert (change.person, change.before.roles, change.after.roles) == (
        "eva",
        ("examiner",),
        ("examiner", "supervisor"),
    )
    first, second = await told(pool)
    eva = {"roles": ["examiner"], "certified_until": s.NEXT_YEAR.isoformat(), "unit": "", "accounts": ["T1/U1"]}
    assert first == ("PersonEnrolled", {"person": "eva", "before": None, "after": eva})
    after = eva | {"roles": ["examiner", "supervisor"], "certified_until": renewed.isoformat()}
    assert second == ("PersonEnrolled", {"person": "eva", "before": eva, "after": after})


async def test_an_account_that_goes_from_one_person_to_another_leaves_a_trace(pool):
    await enlisted(pool, person("eva", "U1", Role.EXAMINER), person("mal", "U9", Role.REQUESTER))
    await enlisted(pool, person("eva", "U9", Role.EXAMINER))
    assert (await who(pool, "U9")).id == "eva"
    assert (await who(pool, "U1")).id == "unknown:T1:U1"
    moves = [data for kind, data in await told(pool) if kind == "AccountMoved"]
    assert moves == [
        {"account": "T1/U1", "from": "eva", "to": ""},
        {"account": "T1/U9", "from": "mal", "to": "eva"},
    ]
    kind, data = (await told(pool))[2]
    assert (kind, data["before"]["accounts"], data["after"]["accounts"]) == ("PersonEnrolled", ["T1/U1"], ["T1/U9"])


async def test_two_people_may_change_accounts_with_each_other(pool):
    await enlisted(pool, person("eva", "U1", Role.EXAMINER), person("mal", "U9", Role.REQUESTER))
    await enlisted(pool, person("eva", "U9", Role.EXAMINER), person("mal", "U1", Role.REQUESTER))
    assert ((await who(pool, "U9")).id, (await who(pool, "U1")).id) == ("eva", "mal")


async def test_whoever_is_left_out_keeps_their_roles_unless_the_file_is_to_be_everybody(pool):
    await enlisted(pool, person("eva", "U1", Role.EXAMINER), person("mal", "U9", Role.REQUESTER))
    await enlisted(pool, person("eva", "U1", Role.EXAMINER))
    assert (await who(pool, "U9")).roles == {Role.REQUESTER}
    (change,) = await enlisted(pool, person("eva", "U1", Role.EXAMINER), only=True)
    assert (change.person, change.after.roles) == ("mal", ())
    assert (await who(pool, "U9")).roles == set()
    kind, data = (await told(pool))[-1]
    assert kind == "RolesChanged"
    assert data == {"person": "mal", "before": ["requester"], "after": [], "source": "not in the file"}
    await enlisted(pool, person("mal", "U9", Role.REQUESTER))
    assert (await who(pool, "U9")).roles == {Role.REQUESTER}


async def test_whoever_is_not_in_a_scim_export_that_is_to_be_everybody_has_no_role(pool):
    await enlisted(pool, person("eva", "U1", Role.EXAMINER), person("mal", "U9", Role.REQUESTER))
    export = [
        Member("U1", "Eva", "eva.stone", frozenset({Role.EXAMINER})),
        Member("U3", "Not Mallory", "mal", frozenset({Role.EXAMINER})),
    ]
    async with pool.acquire() as conn, conn.transaction():
        changes, unknown = await put_members(conn, "T1", export, s.NOON, only=False)
        assert changes == []
        assert [member.account for member in unknown] == ["U3"]
        changes, _ = await put_members(conn, "T1", export, s.NOON, only=True)
    assert [(change.person, change.after.roles) for change in changes] == [("mal", ())]
    assert ((await who(pool, "U1")).roles, (await who(pool, "U9")).roles) == ({Role.EXAMINER}, set())


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def leadgate(database, tmp_path):
    """Runs `leadgate people import` on what a file says: (exit status, what it said)."""
    runner = CliRunner(env={"LEADGATE_DATABASE_URL": database.url("bot")})

    async def run(text, *options, answer=None):
        path = written(tmp_path, HEAD + text)
        words = ["import", str(path), *options]
        # the command has a loop of its own, as it has when an operator runs it
        result = await asyncio.to_thread(runner.invoke, app, words, input=answer)
        return result.exit_code, result.output

    return run


async def test_a_file_that_is_wrong_changes_nobody(leadgate, pool):
    status, said = await leadgate(EVA + "mal,Mallory,requester\n")
    assert status == 2
    assert "cannot be used. The roster was not changed.\n  line 3: it has 3 values for 6 columns" in said
    assert await told(pool) == []


async def test_what_would_change_is_told_and_not_done(leadgate, pool):
    status, said = await leadgate(EVA, "--check")
    assert (status, await told(pool)) == (0, [])
    assert "  eva: roles examiner; certified until 2027-01-01T00:00:00+00:00; accounts T1/U1; called Eva\n" in said
    assert "Would change: 1. The roster was not changed." in said


async def test_whoever_loses_every_role_is_shown_before_it_is_done(leadgate, pool):
    assert (await leadgate(EVA + MAL))[0] == 0
    status, said = await leadgate(EVA, "--only-these", answer="n\n")
    assert status == 1
    assert "  mal: roles none, was requester\nPeople who lose every role: 1. Go on?" in said
    assert (await who(pool, "U9")).roles == {Role.REQUESTER}
    status, said = await leadgate(EVA, "--only-these", answer="")
    assert (status, "not changed" in said) == (1, True)
    status, said = await leadgate(EVA, "--only-these", answer="y\n")
    assert (status, (await who(pool, "U9")).roles) == (0, set())
    assert "People in the file: 1. Changed: 1." in said
    assert (await leadgate(MAL, "--only-these", "--yes"))[0] == 0
    assert ((await who(pool, "U1")).roles, (await who(pool, "U9")).roles) == (set(), {Role.REQUESTER})
