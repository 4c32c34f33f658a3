"""`leadgate policy`: packs, for counsel and developers."""

import asyncio
import secrets
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from markdown_it import MarkdownIt
from rich.console import Console
from rich.table import Table

from bot import database, store
from bot.packs import load_pack, shipped
from bot.settings import SettingsError
from policy.cases import CaseError, failure
from policy.document import markdown
from policy.matrix import renewed
from policy.model import Search
from policy.pack import Pack, PackError
from policy.replay import Verdict, replayed
from policy.signing import key_files, sign

app = typer.Typer(no_args_is_help=True)
PACKS = Path(__file__).parents[2] / "policy" / "packs"
Folder = Annotated[Path | None, typer.Option(envvar="LEADGATE_PACK_FOLDER", help="the agency's own packs")]
Key = Annotated[Path | None, typer.Option(envvar="LEADGATE_PACK_KEY", help="the public key that signed them")]
Url = Annotated[str, typer.Option(envvar="LEADGATE_DATABASE_URL", help="the database", show_default=False)]
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body{{font:16px/1.5 Georgia,serif;max-width:48rem;margin:2rem auto;padding:0 1rem}}code{{font-size:.85em}}
@page{{margin:2cm}}h2{{break-after:avoid}}li{{break-inside:avoid}}</style>{body}</html>
"""


def _load(name: str, folder: Path | None, key: Path | None) -> Pack:
    try:
        return load_pack(name, folder, key)[0]
    except (PackError, SettingsError) as error:
        typer.echo(f"leadgate: {error}", err=True)
        raise typer.Exit(2) from None


@app.command()
def show(name: str = "nypd-2020", folder: Folder = None, key: Key = None) -> None:
    """Prints what a pack permits, each purpose with its source."""
    pack = _load(name, folder, key)
    console = Console()
    console.print(f"[bold]{pack.title}[/] · {pack.id} · sha256 {pack.sha256}")
    for purpose in pack.purposes:
        console.print(f"\n[bold]{purpose.label}[/] ({purpose.code})\n{purpose.text}\n[dim]{purpose.source}[/]")


@app.command()
def check(
    names: Annotated[list[str] | None, typer.Argument(help="packs; all that are shipped, where none is named")] = None,
    folder: Folder = None,
    key: Key = None,
) -> None:
    """Loads packs, verifies their signatures and runs the cases they carry. Exit 1 where one does not hold."""
    failed = cases = 0
    for pack in [_load(name, folder, key) for name in names or shipped()]:
        told = _failures(pack)
        cases += len(pack.cases)
        failed += len(told)
        typer.echo(f"{pack.id}: {len(pack.cases) - len(told)} of {len(pack.cases)} cases hold")
        for one in told:
            typer.echo(f"  {one}", err=True)
    typer.echo(f"{cases - failed} of {cases} cases hold")
    if failed:
        raise typer.Exit(1)


def _failures(pack: Pack) -> list[str]:
    try:
        return [told for case in pack.cases if (told := failure(case, pack))]
    except CaseError as error:
        typer.echo(f"leadgate: {pack.id}: {error}", err=True)
        raise typer.Exit(2) from None


@app.command()
def explain(
    name: str,
    html: Annotated[Path | None, typer.Option(help="write a page to print instead")] = None,
    folder: Folder = None,
    key: Key = None,
) -> None:
    """Prints a pack as a document that counsel can read, in Markdown or as a page (a browser makes it a PDF)."""
    pack = _load(name, folder, key)
    text = markdown(pack)
    if html is None:
        typer.echo(text)
    else:
        body = MarkdownIt("commonmark", {"html": False}).render(text)
        html.write_text(PAGE.format(title=pack.id, body=body), encoding="utf-8")


@app.command()
def simulate(
    url: Url,
    under: Annotated[str, typer.Option("--as", help="the pack to try")],
    since: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="requests from this day on, UTC")],
    folder: Folder = None,
    key: Key = None,
) -> None:
    """Replays recorded requests under another pack and tables what it would have refused, held or asked for as well.

    Changes nothing.
    """
    pack = _load(under, folder, key)
    day = since.date()
    try:
        recorded = asyncio.run(_recorded(url))
    except (*database.AWAY, database.SchemaTooOldError) as error:
        typer.echo(f"leadgate: no recorded request can be read just now: {error}. Nothing was changed.", err=True)
        raise typer.Exit(2) from None
    asked = [s for s in recorded if s.requested_at and s.requested_at.date() >= day]
    verdicts = replayed(asked, pack)
    Console().print(_table(verdicts))
    typer.echo(_summary(verdicts, pack))


async def _recorded(url: str) -> list[Search]:
    pool = await database.connect(url, name="leadgate-policy")
    try:
        async with pool.acquire() as conn:
            return [await store.load(conn, search) for search in await store.every(conn)]
    finally:
        await pool.close()


def _table(verdicts: Iterable[Verdict]) -> Table:
    table = Table("search", "requested for", "would be", "verdict", "why", "would also have been asked for")
    for one in verdicts:
        if one.verdict != "accepted" or one.asked:
            why, asked = "\n".join(one.reasons), "\n".join(one.asked)
            table.add_row(one.search, one.purpose, one.under or "–", one.verdict, why, asked)
    return table


def _summary(verdicts: list[Verdict], pack: Pack) -> str:
    counts = {kind: sum(one.verdict == kind for one in verdicts) for kind in ("accepted", "held", "refused", "erased")}
    told = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    further = sum(bool(one.asked) for one in verdicts)
    return f"{len(verdicts)} requests under {pack.id}: {told}; {further} would have been asked for more"


@app.command()
def key(private: Annotated[Path, typer.Argument(help="where the private key is written; FILE.pub beside it")]) -> None:
    """Makes the key with which an agency signs its packs. The private half belongs off this machine."""
    secret, public = key_files(secrets.token_bytes(32))
    private.touch(mode=0o600, exist_ok=False)
    private.write_text(secret, encoding="utf-8")
    private.with_suffix(".pub").write_text(public, encoding="utf-8")
    typer.echo(f"{private.with_suffix('.pub')}: set LEADGATE_PACK_KEY to its path wherever the packs are used")


@app.command(name="sign")
def sign_packs(packs: list[Path], key: Annotated[Path, typer.Option(help="the private key file")]) -> None:
    """Signs packs (NAME.toml) for whoever trusts the key: NAME.toml.sig stands beside each afterwards."""
    for pack in packs:
        _sign(pack, key.read_text(encoding="utf-8"))


@app.command()
def release() -> None:
    """Signs every shipped pack with a new key whose private half nobody keeps; its public half joins the tree.

    Nobody can sign a shipped pack later, ourselves included: a changed pack is a new release, with a new key.
    """
    secret, public = key_files(secrets.token_bytes(32))
    for pack in sorted(PACKS.glob("*.toml")):
        _sign(pack, secret)
    (PACKS / "leadgate.pub").write_text(public, encoding="utf-8")


def _sign(pack: Path, secret: str) -> None:
    signature = sign(pack.read_bytes(), pack.stem, secret)
    pack.with_name(f"{pack.name}.sig").write_text(signature, encoding="utf-8")
    typer.echo(f"{pack.name}.sig")


@app.command()
def readme() -> None:
    """Renews the table of who may do what in policy/README.md."""
    file = PACKS.parent / "README.md"
    file.write_text(renewed(file.read_text(encoding="utf-8")), encoding="utf-8")
