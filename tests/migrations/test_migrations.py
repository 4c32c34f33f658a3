"""The schema: the sum of its revisions, forward only."""

import asyncio
import re
import sys

import asyncpg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from typer.testing import CliRunner

import migrations
from bot import database as bot_database
from bot.database import SchemaTooOldError
from deploy.commands import db


@pytest.fixture
async def empty(postgres):
    """A database without a schema; its superuser's address."""
    await postgres.create_database("empty")
    yield postgres.url("empty")
    conn = await asyncpg.connect(postgres.url())
    await conn.execute("DROP DATABASE empty WITH (FORCE)")
    await conn.close()


async def asked(url, question):
    conn = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await conn.fetch(question)]
    finally:
        await conn.close()


def test_revisions_follow_one_another_and_say_why():
    config = Config()
    config.set_main_option("script_location", str(migrations.HERE))
    revisions = list(ScriptDirectory.from_config(config).walk_revisions())[::-1]
    numbers = [one.revision for one in revisions]
    assert numbers == sorted(set(numbers))
    assert all(re.fullmatch(r"\d{4}", number) for number in numbers)
    assert revisions[-1].revision == migrations.head()
    for one, before in zip(revisions, [None, *revisions[:-1]], strict=True):
        assert one.down_revision == (before.revision if before else None)
        assert one.doc
        assert (migrations.HERE / "versions" / one.path).with_suffix(".sql").exists()


async def test_an_upgrade_is_done_once(empty):
    assert await migrations.current(empty) is None
    await migrations.upgrade(empty)
    assert await migrations.current(empty) == migrations.head()
    await migrations.upgrade(empty)
    assert await migrations.current(empty) == migrations.head()


async def test_two_upgrades_at_once_are_one(empty):
    program = "import asyncio, sys, migrations; asyncio.run(migrations.upgrade(sys.argv[1]))"
    both = [await asyncio.create_subprocess_exec(sys.executable, "-c", program, empty) for _ in range(2)]
    assert [await one.wait() for one in both] == [0, 0]
    assert await migrations.current(empty) == migrations.head()


async def test_an_upgrade_that_fails_changes_nothing(empty):
    conn = await asyncpg.connect(empty)
    await conn.execute("CREATE SCHEMA casework")  # stands in the way of 0003
    with pytest.raises(Exception, match="casework"):
        await migrations.upgrade(empty)
    assert await conn.fetch("SELECT FROM pg_namespace WHERE nspname IN ('ledger', 'gallery', 'logs')") == []
    await conn.close()
    assert await migrations.current(empty) is None


async def test_no_superuser_is_needed(postgres, empty):
    """As an agency's database office would have it: an owner of the database who is no superuser."""
    conn = await asyncpg.connect(empty)
    await conn.execute("CREATE ROLE dba LOGIN CREATEROLE PASSWORD 'correct-horse'; ALTER DATABASE empty OWNER TO dba")
    for role in ("owner", "bot", "matcher", "auditor", "sealer"):
        await conn.execute(f"GRANT leadgate_{role} TO dba WITH ADMIN OPTION")
    await conn.close()
    url = postgres.url("empty", "dba", "correct-horse")
    await migrations.upgrade(url)
    await db.make_login(url, "some_bot", "bot", "battery-staple")
    assert await asked(postgres.url("empty", "some_bot", "battery-staple"), "SELECT count(*) FROM casework.search") == [
        (0,)
    ]
    conn = await asyncpg.connect(postgres.url())
    await conn.execute("ALTER DATABASE empty OWNER TO postgres")
    await conn.execute("DROP ROLE some_bot")
    await conn.close()
    await _drop(empty, "dba")


async def _drop(url, role):
    conn = await asyncpg.connect(url)
    await conn.execute(f"REASSIGN OWNED BY {role} TO postgres; DROP OWNED BY {role}; DROP ROLE {role}")
    await conn.close()


async def test_who_let_a_poor_photograph_through_before_0026_is_on_record_after_it(empty):
    await migrations.upgrade(empty, "0025")
    conn = await asyncpg.connect(empty)
    await conn.execute("""
        SET session_replication_role = replica;
        INSERT INTO casework.person (id, name, roles) VALUES ('dana', 'Dana', '{requester}'), ('mara', 'Mara', '{supervisor}');
        INSERT INTO casework.search (id, version, state, pack, purpose, case_number, requested_by, requested_at, body)
            SELECT 'LG-AAAAAAAAAAA' || n, 1, 'assessed', 'a@1.0.0', 'suspect', 'X', 'dana', now(),
                   jsonb_build_object('pack', 'a@1.0.0', 'overridden_by', CASE n WHEN 1 THEN 'mara' END)
            FROM generate_series(1, 2) AS n;
        SET session_replication_role = origin""")
    await conn.close()
    await migrations.upgrade(empty)
    through = await asked(empty, "SELECT search, requested_by, supervisor FROM casework.overridden")
    assert through == [("LG-AAAAAAAAAAA1", "dana", "mara")]


async def test_a_program_newer_than_the_schema_does_not_start(empty):
    with pytest.raises(SchemaTooOldError, match="revision none"):
        await bot_database.connect(empty, name="test")
    await migrations.upgrade(empty, "0001")
    with pytest.raises(SchemaTooOldError, match="revision 0001"):
        await bot_database.connect(empty, name="test")


async def test_everything_belongs_to_the_owner_and_nothing_to_everybody(database, superuser):
    owners = await superuser.fetch(
        """
        SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class
        WHERE relnamespace::regnamespace::text IN ('ledger', 'gallery', 'casework', 'logs')
        """
    )
    assert [row[0] for row in owners] == ["leadgate_owner"]
    granted = await superuser.fetch(
        """
        SELECT relname FROM pg_class, aclexplode(relacl) AS grants
        WHERE relnamespace::regnamespace::text IN ('ledger', 'gallery', 'casework', 'logs') AND grants.grantee = 0
        """
    )
    assert granted == []


async def test_what_runs_as_the_owner_runs_with_a_fixed_search_path(superuser):
    """A SECURITY DEFINER function without one would run what its caller put in the way."""
    rows = await superuser.fetch("SELECT oid::regprocedure::text, proconfig FROM pg_proc WHERE prosecdef")
    assert rows
    for name, configuration in rows:
        assert any(re.match("search_path=", one) for one in configuration or ()), name


# --- logins ----------------------------------------------------------------------------------------------------------


async def test_a_login_gets_in_with_its_password_only(postgres, database, superuser):
    await db.make_login(database.url("postgres"), "some_auditor", "auditor", "correct-horse-battery")
    assert await asked(postgres.url(database.name, "some_auditor", "correct-horse-battery"), "SELECT 1") == [(1,)]
    await db.make_login(database.url("postgres"), "some_auditor", ["auditor", "sealer"], "another-password")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asked(postgres.url(database.name, "some_auditor", "correct-horse-battery"), "SELECT 1")
    roles = await superuser.fetch(
        "SELECT roleid::regrole::text FROM pg_auth_members WHERE member = 'some_auditor'::regrole"
    )
    assert {row[0] for row in roles} == {"leadgate_auditor", "leadgate_sealer"}
    await superuser.execute("DROP ROLE some_auditor")


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("leadgate_owner", "correct-horse-battery"),
        ("postgres; DROP ROLE x", "correct-horse-battery"),
        ("pg_monitor", "correct-horse-battery"),
        ("some_bot", "short"),
        ("some_bot", "has a blank in it"),
        ("some_bot", "ümlaut-and-long-enough"),
    ],
)
async def test_an_odd_login_is_refused(database, name, password):
    with pytest.raises(db.LoginError):
        await db.make_login(database.url("postgres"), name, "bot", password)


async def cli(*arguments):
    return await asyncio.to_thread(CliRunner().invoke, db.app, [str(one) for one in arguments])


async def test_the_command_line_upgrades_and_says_so(empty):
    done = await cli("current", "--url", empty)
    assert (done.exit_code, done.output) == (
        1,
        f"The database is at revision none; this program needs {migrations.head()}.\n",
    )
    done = await cli("upgrade", "--url", empty)
    assert (done.exit_code, "(before: empty)" in done.output) == (0, True)
    assert "was up to date" in (await cli("upgrade", "--url", empty)).output
    assert (await cli("current", "--url", empty)).exit_code == 0


async def test_the_command_line_shows_a_made_password_once_and_a_given_one_never(postgres, database, superuser):
    done = await cli("login", "some_sealer", "--role", "sealer", "--role", "auditor", "--url", database.url("postgres"))
    assert done.exit_code == 0, done.output
    password = done.output.split()[-1]
    assert await asked(postgres.url(database.name, "some_sealer", password), "SELECT 1") == [(1,)]
    given = ("--password", "correct-horse-battery")
    done = await cli("login", "some_sealer", "--role", "sealer", *given, "--url", database.url("postgres"))
    assert "correct-horse" not in done.output
    assert await asked(postgres.url(database.name, "some_sealer", "correct-horse-battery"), "SELECT 1") == [(1,)]
    await superuser.execute("DROP ROLE some_sealer")
    done = await cli("login", "pg_bad", "--role", "sealer", "--url", database.url("postgres"))
    assert (done.exit_code, "Nothing was changed" in done.output) == (2, True)
