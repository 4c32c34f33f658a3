"""`leadgate people`: the roster."""

import asyncio
import csv
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bot import database, ledger
from bot.people import Person, enrol
from bot.roster import Member, apply
from deploy import scim
from policy.model import PersonId, Role

app = typer.Typer(no_args_is_help=True)

COLUMNS = ("id", "name", "roles", "certified_until", "team", "account")
UNIT = "unit"  # may follow: examiners' error rates are told by unit
Url = Annotated[str, typer.Option(envvar="LEADGATE_DATABASE_URL", help="the database", show_default=False)]


class RosterError(Exception):
    """The roster file cannot be used; nothing was changed."""


def read(path: Path) -> list[Person]:
    """The people of a CSV file with these columns; several roles are separated by blanks."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        if tuple(rows.fieldnames or ()) not in {COLUMNS, (*COLUMNS, UNIT)}:
            raise RosterError(f"{path}: the columns have to be {', '.join(COLUMNS)} and, if you like, {UNIT}")
        return [_person(row, f"{path}, line {number}") for number, row in enumerate(rows, start=2)]


def _person(row: dict[str, str], where: str) -> Person:
    try:
        roles = frozenset(Role(role) for role in row["roles"].split())
        until = datetime.fromisoformat(row["certified_until"]) if row["certified_until"] else None
    except ValueError as error:
        raise RosterError(f"{where}: {error}") from None
    if Role.SYSTEM in roles or not row["id"]:
        raise RosterError(f"{where}: a person has an id, and is not the system")
    until = until.replace(tzinfo=UTC) if until and until.tzinfo is None else until
    return Person(PersonId(row["id"]), row["name"], roles, until, row["team"], row["account"], row.get(UNIT, ""))


async def put(url: str, people: list[Person], now: datetime) -> None:
    """The roster has these people, and the ledger says so."""
    pool = await database.connect(url, name="leadgate-people")
    try:
        async with pool.acquire() as conn, conn.transaction():
            for person in people:
                await enrol(conn, person)
                until = person.certified_until.isoformat() if person.certified_until else ""
                data = {"person": person.id, "roles": sorted(person.roles), "certified_until": until}
                await ledger.append(conn, "people", "PersonEnrolled", at=now, actor="operator", data=data)
    finally:
        await pool.close()


async def put_members(url: str, team: str, members: list[Member], now: datetime) -> int:
    """The roster has these roles; how many people's changed."""
    pool = await database.connect(url, name="leadgate-people")
    try:
        async with pool.acquire() as conn, conn.transaction():
            return sum([await apply(conn, team, member, now, ("operator", "SCIM")) for member in members])
    finally:
        await pool.close()


@app.command("import")
def import_(
    file: Path,
    url: Url,
    team: Annotated[str, typer.Option(help="of a SCIM export: the Slack workspace, T…")] = "",
) -> None:
    """Puts the people of a CSV file on the roster; whoever is on it already is changed to what the file says.

    Of a SCIM 2.0 export (.json): roles follow its groups, it certifies nobody, and whoever is not active has none.
    """
    if file.suffix.lower() == ".json":
        _import_scim(file, url, team)
        return
    try:
        people = read(file)
    except (RosterError, OSError) as error:
        typer.echo(f"leadgate: {error}. The roster was not changed.", err=True)
        raise typer.Exit(2) from None
    asyncio.run(put(url, people, datetime.now(UTC)))
    typer.echo(f"{len(people)} people are on the roster.")


def _import_scim(file: Path, url: str, team: str) -> None:
    if not re.fullmatch(r"[TE][A-Z0-9]{1,20}", team):
        typer.echo("leadgate: a SCIM export says nothing of the workspace: name it with --team T…", err=True)
        raise typer.Exit(2)
    try:
        members = scim.members(file.read_text(encoding="utf-8"))
    except (scim.ScimError, OSError, UnicodeDecodeError) as error:
        typer.echo(f"leadgate: {file}: {error}. The roster was not changed.", err=True)
        raise typer.Exit(2) from None
    changed = asyncio.run(put_members(url, team, members, datetime.now(UTC)))
    typer.echo(f"{len(members)} people are in the export; the roles of {changed} changed.")
