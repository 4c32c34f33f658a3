"""`leadgate …`: one command line over bot, matcher and demo."""

import importlib
import sys

import typer

GROUPS = {
    "db": "the database: upgrade, logins",
    "ledger": "the tamper-evident record: verify, prove, export",
    "gallery": "the gallery of arrest photographs: enrol, seal, expunge",
    "people": "the roster: who may do what, certified until when",
    "jobs": "the durable queue: what waits, what failed",
    "policy": "policy packs",
}

app = typer.Typer(
    help="Leadgate: facial-recognition searches as governed investigative leads.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a traceback may show what must not be shown
)


def _mount() -> None:
    for name, text in GROUPS.items():
        module = importlib.import_module(f"deploy.commands.{name}")
        app.add_typer(module.app, name=name, help=text)
    for name in ("run", "demo", "evaluate"):
        app.add_typer(importlib.import_module(f"deploy.commands.{name}").app)


def main() -> None:
    """The command line's entry."""
    _mount()
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
