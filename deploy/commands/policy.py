"""`leadgate policy`: packs, for counsel and developers."""

import typer
from rich.console import Console

from bot.app import load_pack
from bot.settings import SettingsError
from policy.pack import PackError

app = typer.Typer(no_args_is_help=True)


@app.command()
def show(name: str = "nypd-2020") -> None:
    """Prints what a pack permits, each purpose with its source."""
    try:
        pack, _ = load_pack(name)
    except (PackError, SettingsError) as error:
        typer.echo(f"leadgate: {error}", err=True)
        raise typer.Exit(2) from None
    console = Console()
    console.print(f"[bold]{pack.title}[/] · {pack.id} · sha256 {pack.sha256}")
    for purpose in pack.purposes:
        console.print(f"\n[bold]{purpose.label}[/] ({purpose.code})\n{purpose.text}\n[dim]{purpose.source}[/]")
