"""`leadgate db`: the schema and the logins of the services."""

import asyncio
import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

import migrations
from bot import database

app = typer.Typer(no_args_is_help=True)

Url = Annotated[
    str, typer.Option(envvar="LEADGATE_DATABASE_URL", help="the database, as its owner", show_default=False)
]
ITERATIONS = 4096  # Postgres' own default (scram_iterations)
PASSWORD = re.compile(r"[!-~]{12,}")  # what SASLprep (RFC 4013) leaves as it is


class Duty(StrEnum):
    """What a login is for: the group role leadgate_… that it becomes a member of."""

    BOT = "bot"
    MATCHER = "matcher"
    AUDITOR = "auditor"
    SEALER = "sealer"


class LoginError(Exception):
    """The login cannot be made as asked; nothing was changed."""


@app.command()
def upgrade(url: Url) -> None:
    """Brings the schema up to date. What was there stays; if a step fails, nothing has changed."""
    before = asyncio.run(migrations.current(url))
    asyncio.run(migrations.upgrade(url))
    after = asyncio.run(migrations.current(url))
    if before == after:
        typer.echo(f"The database was up to date: revision {after}.")
    else:
        typer.echo(f"The database is at revision {after} (before: {before or 'empty'}).")


@app.command()
def current(url: Url) -> None:
    """Says which revision the database has, and which this program needs. Ends with 1 where it has to be upgraded."""
    has, needs = asyncio.run(migrations.current(url)), migrations.head()
    typer.echo(f"The database is at revision {has or 'none'}; this program needs {needs}.")
    if not has or has < needs:
        raise typer.Exit(1)


@app.command()
def login(
    name: str,
    url: Url,
    role: Annotated[list[Duty], typer.Option(help="what it is for; may be given more than once")],
    password: Annotated[
        str, typer.Option(envvar="LEADGATE_LOGIN_PASSWORD", help="made and shown once unless given", show_default=False)
    ] = "",
) -> None:
    """Makes a login for a service, or gives an existing one a new password and the roles named."""
    chosen = password or secrets.token_urlsafe(24)
    try:
        asyncio.run(make_login(url, name, role, chosen))
    except LoginError as error:
        typer.echo(f"leadgate: {error}. Nothing was changed.", err=True)
        raise typer.Exit(2) from None
    typer.echo(f"{name} may log in as {', '.join(role)}.")
    if not password:
        typer.echo(f"Its password, shown this once: {chosen}")


# The name and the roles cannot be parameters of CREATE ROLE: they are handed over as settings and quoted by format().
HAND_OVER = """
SELECT set_config('leadgate.login', $1, true), set_config('leadgate.verifier', $2, true),
    set_config('leadgate.roles', $3, true)
"""
MAKE = """
DO $$
DECLARE
    login text := current_setting('leadgate.login');
    role text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = login) THEN
        EXECUTE format('CREATE ROLE %I', login);
    END IF;
    EXECUTE format('ALTER ROLE %I LOGIN PASSWORD %L', login, current_setting('leadgate.verifier'));
    FOREACH role IN ARRAY string_to_array(current_setting('leadgate.roles'), ' ') LOOP
        EXECUTE format('GRANT %I TO %I', role, login);
    END LOOP;
END $$
"""


async def make_login(url: str, name: str, role: str | Sequence[str], password: str) -> None:
    """`name` may log in with `password` and is a member of leadgate_`role` (of each, if several)."""
    roles = [Duty(one) for one in ([role] if isinstance(role, str) else role)]
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name) or name.startswith(("leadgate_", "pg_")):
        raise LoginError(f"{name!r} is no name for a login: small letters, digits, _; not beginning leadgate_ or pg_")
    if not PASSWORD.fullmatch(password):
        raise LoginError("a password has at least 12 characters, all of them ASCII and no blanks")
    memberships = " ".join(f"leadgate_{one}" for one in roles)
    pool = await database.connect(url, name="leadgate-db", size=1, needs_schema=False)
    try:
        async with pool.acquire() as conn, conn.transaction():
            await conn.execute(HAND_OVER, name, scram_verifier(password, secrets.token_bytes(16)), memberships)
            await conn.execute(MAKE)
    finally:
        await pool.close()


def scram_verifier(password: str, salt: bytes) -> str:
    """What the server keeps instead of the password (RFC 5803), so that it never sees, and never logs, the password."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    encoded = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${ITERATIONS}:{encoded[0]}${encoded[1]}:{encoded[2]}"
