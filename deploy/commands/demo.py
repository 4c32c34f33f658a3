"""`leadgate demo`: the whole mission on one machine."""

import asyncio
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.demo import guide, newcomers
from deploy.demo import play as script
from deploy.demo.processes import ProcessDiedError
from deploy.demo.system import System, running

app = typer.Typer()
console = Console(highlight=False)

DEFAULT_ROOT = Path(".leadgate") / "demo"


@app.command()
def demo(
    play: Annotated[bool, typer.Option("--play", help="play the story by itself, print a transcript, and end")] = False,
    port: Annotated[int, typer.Option(help="where the page is; 0 lets the system choose")] = 8400,
    root: Annotated[Path, typer.Option("--dir", help="where the demonstration keeps its data")] = DEFAULT_ROOT,
    fresh: Annotated[bool, typer.Option("--fresh", help="begin with an empty ledger")] = False,
    photo: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="of --play: your own probe")] = None,
    gallery: Annotated[
        Path | None,
        typer.Option(exists=True, help="your own gallery: a manifest, or a folder with a folder for each person"),
    ] = None,
) -> None:
    """Starts everything on this machine: you are the detective, the examiners and the supervisor in turn."""
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    if photo and not play:
        raise typer.BadParameter("--photo is for --play; in the workspace, post your picture in #face-intake")
    if fresh or play or gallery:  # a gallery of one's own stands instead of the cast, not beside it
        shutil.rmtree(root, ignore_errors=True)
    try:
        asyncio.run(_play(root, photo, gallery) if play else _stay(root, port, gallery))
    except (ProcessDiedError, AssertionError) as error:
        console.print(f"[red]The demonstration could not go on.[/] {error}")
        raise typer.Exit(1) from None


async def _play(root: Path, photo: Path | None, gallery: Path | None) -> None:
    began = time.monotonic()

    def say(who: str, what: str) -> None:
        if who:
            console.print(f"[dim]{time.monotonic() - began:6.1f} s[/]  [bold]{who:12}[/] {what}")
        else:
            console.print()

    who = "" if photo or gallery else " Everybody here is synthetic."
    console.print(f"[bold]Leadgate[/]: from a photograph to an investigative lead.{who}\n")
    async with running(root, lease_seconds=10, gallery=gallery) as system:
        say("leadgate", "Postgres, workspace, matcher, bot and worker run on this machine")
        await script.story(system, say, script.probe_of(photo, gallery) if photo else None)
    console.print("\nThe story is complete.")


async def _stay(root: Path, port: int, gallery: Path | None) -> None:
    async with running(root, port=port, gallery=gallery) as system, newcomers.door(system) as door:
        _welcome(system)
        rail = asyncio.create_task(guide.lead(system, door))
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await stop.wait()
        rail.cancel()
        console.print("Stopping. Nothing is lost: the next start goes on where this one ended.")


def _welcome(system: System) -> None:
    console.print(f"\n[bold]Leadgate[/] is at [bold]{system.page}[/] (this machine only). Ctrl-C ends it.\n")
    console.print("  1. Be [bold]Dana Ruiz[/], detective: post a photograph in #face-intake. Pictures to post lie in")
    console.print(f"     {script.PICTURES / 'probes'}")
    console.print("  2. Press the button beneath it, give the purpose, the case, its basis, and who you are.")
    console.print("  3. Be [bold]Eva Lind[/], then [bold]Noor Haddad[/], in #face-review: open your worksheet.")
    console.print("  4. Be [bold]Mara Quinn[/], supervisor, in #face-oversight: decide. Then try /face-usage.")
    console.print("  5. Be Dana again: acknowledge, and see the photograph.")
    console.print("  6. The guide beside the page takes a picture of your own face into the gallery, if you like.\n")
