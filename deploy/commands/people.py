"""`leadgate people`: the roster."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from bot import database, roster_file
from bot.database import AWAY, Conn
from bot.people import Person
from bot.roster import Member
from bot.roster_file import Change, Standing
from deploy import scim
from deploy.roster import TEAM, RosterError, read

app = typer.Typer(no_args_is_help=True)

Url = Annotated[str, typer.Option(envvar="LEADGATE_DATABASE_URL", help="the database", show_default=False)]
Made = tuple[list[Change], list[Member]]  # what changed, and whoever could not be told from somebody else
Work = Callable[[Conn], Awaitable[Made]]
MOST = 50  # a screenful
UNCHANGED = "The roster was not changed."


@app.callback()
def group() -> None:
    """Who may do what."""


@app.command("import")
def import_(
    file: Path,
    url: Url,
    team: Annotated[str, typer.Option(help="of a SCIM export: the Slack workspace, T…")] = "",
    only_these: Annotated[
        bool, typer.Option("--only-these", help="whoever is not in the file has no role any more; asks first")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="say what is wrong, or what would change; write nothing")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="with --only-these: do not ask")] = False,
) -> None:
    """Puts the people of a CSV file on the roster; whoever is on it already is changed to what the file says.

    Of a SCIM 2.0 export (.json): roles follow its groups, it certifies nobody, and whoever is not active has none.
    Whoever is left out keeps what they have, but for --only-these.
    """
    asked = _asked(file, team, datetime.now(UTC), only=only_these)
    agreed: list[Change] | None = None
    if check or (only_these and not yes):
        agreed, unknown = _run(url, asked.work, keep=False)
        _tell(agreed, unknown)
        if check:
            typer.echo(f"Would change: {len(agreed)}. {UNCHANGED}")
            return
        _agree(agreed)
    changes, unknown = _run(url, asked.work, keep=True, agreed=agreed)
    if agreed is None:
        _tell(changes, unknown)
    typer.echo(f"People in the file: {asked.people}. Changed: {len(changes)}.")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a file asks of the roster, all of it checked, and how many people are in it."""

    work: Work
    people: int


def _asked(file: Path, team: str, now: datetime, *, only: bool) -> _Asked:
    export = file.suffix.lower() == ".json"
    if export and not TEAM.fullmatch(team):
        _refuse("a SCIM export says nothing of the workspace: name it with --team T….")
    try:
        return _of_scim(file, team, now, only=only) if export else _of_csv(file, now, only=only)
    except RosterError as error:
        _refuse(f"{file} cannot be used.", error.problems)
    except OSError as error:
        _refuse(f"{file} cannot be read ({error.strerror}).")


def _of_csv(file: Path, now: datetime, *, only: bool) -> _Asked:
    people = read(file)

    async def work(conn: Conn) -> Made:
        return await roster_file.put(conn, people, now, only=only), []

    return _Asked(work, len(people))


def _of_scim(file: Path, team: str, now: datetime, *, only: bool) -> _Asked:
    try:
        members = scim.members(file.read_text(encoding="utf-8-sig"), team)
    except UnicodeDecodeError:
        raise RosterError("it is not UTF-8") from None

    async def work(conn: Conn) -> Made:
        return await roster_file.put_members(conn, team, members, now, only=only)

    return _Asked(work, len(members))


def _refuse(why: str, problems: Sequence[str] = ()) -> NoReturn:
    """Ends with status 2, having said what is wrong, all of it, and that nothing was done."""
    typer.echo(f"leadgate: {why} {UNCHANGED}", err=True)
    for problem in problems[:MOST]:
        typer.echo(f"  {problem}", err=True)
    if len(problems) > MOST:
        typer.echo(f"  … and {len(problems) - MOST} more", err=True)
    raise typer.Exit(2)


# --- what changes, told -----------------------------------------------------------------------------------------------


def _tell(changes: Sequence[Change], unknown: Sequence[Member]) -> None:
    for change in changes:
        typer.echo(f"  {change.person}: {'; '.join(_told(change))}")
    for member in unknown:
        typer.echo(
            f"  {member.account}: has no role, since somebody else is called {member.handle}; "
            "a CSV file says whose account it is"
        )


NOWHERE = Standing("", (), "", "", ())


def _told(change: Change) -> list[str]:
    before, after = change.before or NOWHERE, change.after
    every: list[tuple[str, Sequence[str], Sequence[str]]] = [
        ("roles", before.roles, after.roles),
        ("certified until", _one(before.certified_until), _one(after.certified_until)),
        ("accounts", before.accounts, after.accounts),
        ("unit", _one(before.unit), _one(after.unit)),
        ("called", _one(before.name), _one(after.name)),
    ]
    return [
        f"{what} {', '.join(now) or 'none'}" + (f", was {', '.join(was)}" if was else "")
        for what, was, now in every
        if was != now
    ]


def _one(text: str) -> tuple[str, ...]:
    return (text,) if text else ()


def _agree(changes: Sequence[Change]) -> None:
    """Somebody has seen who loses what and wants it; otherwise it ends here."""
    losing = [change for change in changes if change.before and change.before.roles and not change.after.roles]
    agreed = False
    with suppress(typer.Abort):
        agreed = typer.confirm(f"People who lose every role: {len(losing)}. Go on?")
    if not agreed:
        typer.echo(UNCHANGED)
        raise typer.Exit(1)


# --- the database -----------------------------------------------------------------------------------------------------


class _UndoneError(Exception):
    """Everything in the transaction is taken back."""


def _run(url: str, work: Work, *, keep: bool, agreed: list[Change] | None = None) -> Made:
    """What the work led to; taken back where it is not to be `keep`, or is not what was agreed to."""
    try:
        made = asyncio.run(_transact(url, work, keep=keep, agreed=agreed))
    except AWAY as error:
        _refuse(str(error))
    if keep and agreed is not None and made[0] != agreed:
        _refuse("somebody changed the roster while you looked. Look again.")
    return made


async def _transact(url: str, work: Work, *, keep: bool, agreed: list[Change] | None) -> Made:
    made: Made = [], []
    pool = await database.connect(url, name="leadgate-people")
    try:
        async with pool.acquire() as conn:
            with suppress(_UndoneError):
                async with conn.transaction():
                    made = await work(conn)
                    if not keep or (agreed is not None and made[0] != agreed):
                        raise _UndoneError
    finally:
        await pool.close()
    return made


async def put(url: str, people: list[Person], now: datetime) -> None:
    """The roster has these people, and the ledger says so."""

    async def work(conn: Conn) -> Made:
        return await roster_file.put(conn, people, now, only=False), []

    await _transact(url, work, keep=True, agreed=None)
