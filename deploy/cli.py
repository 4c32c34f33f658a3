"""`leadgate …`: one command line over bot, matcher and demo."""

import importlib
import sys
from typing import Any

import typer

GROUPS = {
    "db": "the database: upgrade, logins",
    "ledger": "the tamper-evident record: verify, prove, export",
    "gallery": "the gallery of arrest photographs: enrol, seal, expunge",
    "people": "the roster: who may do what, certified until when",
    "leads": "investigative leads: the sheet for the case file",
    "known-answers": "cases that measure how often examiners err",
    "jobs": "the durable queue: what waits, what failed",
    "retention": "how long what is kept, legal holds, what is due to go",
    "policy": "policy packs",
}

app = typer.Typer(
    help="Leadgate: facial-recognition searches as governed investigative leads.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a traceback may show what must not be shown
)


COMMANDS = {"bot": "run", "worker": "run", "sealer": "run", "demo": "demo", "evaluate": "evaluate"}


def _mount(asked: str | None) -> None:
    """Imports only what was asked for, so that the bot starts without the matcher; everything for the list of all."""
    for name, text in GROUPS.items():
        if asked not in COMMANDS and asked in {name, None}:
            app.add_typer(_module(name).app, name=name, help=text)
    for name in sorted(set(COMMANDS.values())):
        if asked not in GROUPS and COMMANDS.get(asked or "", name) == name:
            app.add_typer(_module(name).app)


def _module(name: str) -> Any:
    return importlib.import_module(f"deploy.commands.{name.replace('-', '_')}")


def main() -> None:
    """The command line's entry."""
    asked = sys.argv[1] if len(sys.argv) > 1 else None
    _mount(asked if asked in {*GROUPS, *COMMANDS} else None)
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
