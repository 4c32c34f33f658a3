"""`leadgate bot`, `leadgate worker`: the long-running processes of the people's side."""

import typer

from bot import app as composition
from bot.settings import SettingsError, read

app = typer.Typer()


@app.command()
def bot() -> None:
    """Listens to Slack and records what people do. Settings: LEADGATE_… in the environment."""
    _run(composition.serve)


@app.command()
def worker() -> None:
    """Runs the durable jobs: everything that acts on Slack and the matcher."""
    _run(composition.work)


def _run(process: composition.Process) -> None:
    try:
        composition.run(process, read())
    except SettingsError as error:
        typer.echo(f"leadgate: cannot start. {error}", err=True)
        raise typer.Exit(2) from None
