"""`leadgate policy`: packs, for counsel and developers."""

import secrets
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bot.packs import load_pack
from bot.settings import SettingsError
from policy.pack import PackError
from policy.signing import key_files, sign

app = typer.Typer(no_args_is_help=True)
PACKS = Path(__file__).parents[2] / "policy" / "packs"


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
