"""Every statement in the source fits the schema, and may be run by the role that runs it."""

import ast
import re
from pathlib import Path

import asyncpg
import pytest

ROOT = Path(__file__).parents[2]
VERB = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b")
RUN = {"execute", "executemany", "fetch", "fetchrow", "fetchval"}
ROLES = {"bot": "bot", "matcher": "matcher", "bot/sealing": "sealer", "bot/audit": "auditor"}


def modules():
    for package in ("bot", "matcher"):
        for file in sorted((ROOT / package).rglob("*.py")):
            yield str(file.relative_to(ROOT).with_suffix("")), ast.parse(file.read_text(encoding="utf-8"))


def statements():
    """(module, name, SQL) of every module-level constant that is a statement."""
    for module, tree in modules():
        for node in tree.body:
            match node:
                case ast.Assign([ast.Name(name)], ast.Constant(str(sql))) if name.isupper() and VERB.match(sql):
                    yield module, name, sql


STATEMENTS = {f"{module}.{name}": (module, sql) for module, name, sql in statements()}


def role_of(module: str) -> str:
    return ROLES.get(module) or ROLES[module.partition("/")[0]]


def test_there_are_statements():
    assert len(STATEMENTS) > 40
    assert {"bot/queue.CLAIM", "bot/ledger.APPEND", "matcher/gallery.ELIGIBLE"} <= STATEMENTS.keys()


@pytest.fixture(scope="module")
async def logins(template):
    """A connection for each role, to the migrated template's first copy."""
    made = {role: await asyncpg.connect(template.url(role)) for role in set(ROLES.values())}
    yield made
    for conn in made.values():
        await conn.close()


@pytest.fixture(scope="module")
async def template(postgres, template):
    """A copy for this module: nobody may be connected to the template while it is copied."""
    from dataclasses import replace

    conn = await asyncpg.connect(postgres.url())
    await conn.execute(f"CREATE DATABASE statements TEMPLATE {template.name} STRATEGY FILE_COPY")
    yield replace(template, name="statements")
    await conn.execute("DROP DATABASE statements WITH (FORCE)")
    await conn.close()


@pytest.mark.parametrize("name", STATEMENTS)
async def test_a_statement_fits_the_schema_and_its_role_may_run_it(logins, name):
    module, sql = STATEMENTS[name]
    conn = logins[role_of(module)]
    await plan(conn, sql)


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_names_its_columns(name):
    assert not re.search(r"SELECT\s+(\w+\.)?\*|RETURNING\s+\*", STATEMENTS[name][1])


def test_statements_are_constants():
    """What runs is a constant above the function that runs it, so that the tests above have seen it."""
    for module, tree in modules():
        for node in ast.walk(tree):
            match node:
                case ast.Call(ast.Attribute(_, method), [ast.Constant() | ast.JoinedStr() as sql, *_]) if method in RUN:
                    assert ast.unparse(sql) == "'SELECT 1'", f"{module}:{node.lineno}: {ast.unparse(sql)}"


HOT = [
    "bot/queue.ENQUEUE",
    "bot/queue.CLAIM",
    "bot/queue.COMPLETE",
    "bot/queue.POSTPONE",
    "bot/store.LOAD",
    "bot/store.SAVE",
    "bot/ledger.APPEND",
    "bot/ledger.READ",
    "bot/ledger.PRIVATE",
    "bot/sealing.TAKE",
    "bot/sealing.LEAVES",
    "bot/sealing.LAST_CHECKPOINT",
    "bot/sealing.SEALED",
    "bot/sealing.STREAM_SEALED",
    "bot/people.ACTOR",
    "bot/photos.OPEN",
    "bot/desk.FIND_POST",
    "bot/desk.UPLOADS",
    "bot/audit.ENTRIES",
    "bot/audit.BUNDLE",
    "bot/audit.CHECKPOINTS",
]


@pytest.mark.parametrize("name", HOT)
async def test_a_statement_that_is_run_all_the_time_has_an_index(logins, name):
    """An index can serve it: the planner, told to avoid scans of whole tables, needs none."""
    module, sql = STATEMENTS[name]
    conn = logins[role_of(module)]
    await conn.execute("SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off")
    assert "Seq Scan" not in await plan(conn, sql)
    await conn.execute("RESET ALL")


async def plan(conn, sql):
    """How it would be run, whatever its parameters; the right to run it is checked, too."""
    parameters = (await conn.prepare(sql)).get_parameters()
    rows = await conn.fetch(f"EXPLAIN (GENERIC_PLAN) {sql}", *[None] * len(parameters))
    return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("bot/sealing.PUT_LEAVES", "bot"),
        ("bot/ledger.APPEND", "auditor"),
        ("bot/ledger.ERASE", "matcher"),
        ("bot/audit.PRIVATE", "sealer"),
        ("bot/store.LOAD", "matcher"),
        ("bot/photos.OPEN", "auditor"),
        ("matcher/enrolment.PUT_EMBEDDING", "bot"),
    ],
)
async def test_a_role_may_not_run_anothers_statement(logins, name, role):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await plan(logins[role], STATEMENTS[name][1])
