"""`leadgate leads`: what an operator takes out of the system about a lead; the ledger remembers that it was taken."""

import asyncio
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from bot import app as composition
from bot.database import AWAY, SchemaTooOldError
from bot.matching import MatcherAwayError, MatcherRefusedError
from bot.settings import SettingsError, read
from policy.model import SearchId
from policy.pack import PackError

app = typer.Typer(no_args_is_help=True)
FAULTS = (SettingsError, PackError, SchemaTooOldError, MatcherAwayError, MatcherRefusedError, *AWAY)


@app.callback()
def leads() -> None:
    """Investigative leads."""


@app.command("sheet")
def sheet(
    search: str,
    to: Annotated[Path, typer.Argument(help="the PDF to write; it must not exist", dir_okay=False)],
) -> None:
    """Writes the lead sheet of an acknowledged lead. Settings: LEADGATE_… in the environment, as the bot's."""
    if to.exists():
        _stop(f"{to} exists already. Nothing was written.")
    try:
        made = asyncio.run(composition.lead_sheet(read(), SearchId(search)))
    except FAULTS as error:
        _stop(f"the lead sheet cannot be made just now: {error or type(error).__name__}. Nothing was written.")
    if made is None:
        why = "is not a lead that its requester has acknowledged, or its photographs are past their time"
        _stop(f"{search} {why}. Nothing was written.")
    to.touch(mode=0o600)
    to.write_bytes(made)
    typer.echo(f"{to}: {len(made):,} bytes. The ledger has its SHA-256.")


def _stop(why: str) -> NoReturn:
    typer.echo(f"leadgate: {why}", err=True)
    raise typer.Exit(2)
