"""`leadgate bot`, `leadgate worker`: the long-running processes of the people's side."""

import asyncio

import typer
from pydantic import ValidationError

from bot import app as composition
from bot import logs
from bot.notes import NoteError
from bot.sealing import LedgerBrokenError
from bot.settings import SealerSettings, SettingsError, read
from policy.pack import PackError

app = typer.Typer()


@app.command()
def bot() -> None:
    """Listens to Slack and records what people do. Settings: LEADGATE_… in the environment."""
    _run(composition.serve)


@app.command()
def worker() -> None:
    """Runs the durable jobs: everything that acts on Slack and the matcher."""
    _run(composition.work)


@app.command()
def sealer() -> None:
    """Signs the ledger: a process with a login and a key of its own. Settings: LEADGATE_SEALER_… in the environment."""
    logs.setup("sealer")
    try:
        asyncio.run(composition.seal(SealerSettings()))  # pyright: ignore[reportCallIssue] - the environment fills it
    except (ValidationError, OSError, NoteError, LedgerBrokenError) as error:
        typer.echo(f"leadgate: the sealer cannot go on: {type(error).__name__}. Nothing was signed.", err=True)
        raise typer.Exit(2) from None


def _run(process: composition.Process) -> None:
    try:
        composition.run(process, read())
    except (SettingsError, PackError) as error:
        typer.echo(f"leadgate: cannot start. {error}", err=True)
        raise typer.Exit(2) from None
