"""`leadgate policy`: packs, for counsel and developers."""

import asyncio
import secrets
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from markdown_it import MarkdownIt
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot import database, store
from bot.packs import load_pack, shipped
from bot.settings import SettingsError
from deploy import pack_document
from policy import released
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
Named = Annotated[str, typer.Argument(metavar="PACK", help="its name, such as detroit-2024")]
Url = Annotated[str, typer.Option(envvar="LEADGATE_DATABASE_URL", help="the database", show_default=False)]
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body{{font:16px/1.5 Georgia,serif;max-width:48rem;margin:2rem auto;padding:0 1rem}}code{{font-size:.85em}}
@page{{margin:2cm}}h2{{break-after:avoid}}li{{break-inside:avoid}}</style>{body}</html>
"""


def _load(name: str, folder: Path | None, key: Path | None) -> Pack:
    try:
        return load_pack(name, folder, key)[0]
    except (PackError, SettingsError) as error:
        _stop(str(error))


@app.command()
def show(name: Named = "nypd-2020", folder: Folder = None, key: Key = None) -> None:
    """Prints what a pack permits, each purpose with its source."""
    pack = _load(name, folder, key)
    console = Console(highlight=False)
    console.print(f"[bold]{escape(pack.title)}[/] · {pack.id} · sha256 {pack.sha256}")
    for one in pack.purposes:
        console.print(f"\n[bold]{escape(one.label)}[/] ({one.code})\n{escape(one.text)}\n[dim]{escape(one.source)}[/]")


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
        _stop(f"{pack.id}: {error}")


@app.command()
def explain(
    name: Named,
    html: Annotated[Path | None, typer.Option(help="write a page instead")] = None,
    pdf: Annotated[Path | None, typer.Option(help="write an accessible PDF instead")] = None,
    folder: Folder = None,
    key: Key = None,
) -> None:
    """Prints a pack as a document that counsel can read: in Markdown, or as a page or a PDF where a file is named."""
    pack = _load(name, folder, key)
    text = markdown(pack)
    if html:
        body = MarkdownIt("commonmark", {"html": False}).render(text)
        _write(html, PAGE.format(title=pack.id, body=body).encode())
    if pdf:
        _write(pdf, pack_document.pdf(text, pack.id))
    if not html and not pdf:
        typer.echo(text)


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
    beside = private.with_suffix(".pub")
    if beside == private or beside.exists():
        _stop(f"{beside}: the public key would be written over it. No key was made. Name another file.")
    try:
        private.touch(mode=0o600, exist_ok=False)
    except OSError as error:
        _stop(f"{private}: {error.strerror}. No key was made, and nothing was written over. Name another file.")
    _write(private, secret.encode())
    _write(beside, public.encode())
    typer.echo(f"{beside}: set LEADGATE_PACK_KEY to its path wherever the packs are used")


@app.command(name="sign")
def sign_packs(
    packs: list[Path], key: Annotated[Path, typer.Option(show_default=False, help="the private key file")]
) -> None:
    """Signs packs (NAME.toml) for whoever trusts the key: NAME.toml.sig stands beside each afterwards."""
    try:
        secret = _read(key).decode()
    except UnicodeDecodeError:
        _stop(f"{key}: this is no key file: it holds no text. Nothing was signed.")
    for pack in packs:
        _sign(pack, secret)


@app.command()
def release() -> None:
    """Signs every shipped pack with a new key whose private half nobody keeps; its public half joins the tree.

    Nobody can sign a shipped pack later, ourselves included: a changed pack is a new release, with a new key. What was
    released under a version never changes: a pack that did is not signed before it has a new one.
    """
    secret, public = key_files(secrets.token_bytes(32))
    packs = sorted(PACKS.glob("*.toml"))
    listed = PACKS / "released.txt"
    try:
        renewed_list = released.renewed(listed.read_text(encoding="utf-8"), [_read(pack) for pack in packs])
    except PackError as error:
        _stop(f"{error}. Nothing was signed.")
    for pack in packs:
        _sign(pack, secret)
    listed.write_text(renewed_list, encoding="utf-8")
    (PACKS / "leadgate.pub").write_text(public, encoding="utf-8")


def _sign(pack: Path, secret: str) -> None:
    try:
        signature = sign(_read(pack), pack.stem, secret)
    except PackError as error:
        _stop(f"{error}. {pack.name} was not signed.")
    _write(pack.with_name(f"{pack.name}.sig"), signature.encode())
    typer.echo(f"{pack.name}.sig")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        _stop(f"{file}: {error.strerror}. Nothing was signed.")


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        _stop(f"{file}: {error.strerror}. Nothing was written there.")


def _stop(told: str) -> NoReturn:
    typer.echo(f"leadgate: {told}", err=True)
    raise typer.Exit(2) from None


@app.command()
def readme() -> None:
    """Renews the table of who may do what in policy/README.md."""
    file = PACKS.parent / "README.md"
    file.write_text(renewed(file.read_text(encoding="utf-8")), encoding="utf-8")
