"""`leadgate ledger`: keys, verification, proofs, export, and the witness."""

import asyncio
import fcntl
import json
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from bot import audit, database, notes
from bot.database import Conn, DatabaseAwayError, SchemaTooOldError
from bot.notes import Checkpoint, NoteError, Signer, Verifier
from bot.sealing import LedgerBrokenError

app = typer.Typer(no_args_is_help=True)

T = TypeVar("T")
Url = Annotated[
    str, typer.Option(envvar="LEADGATE_DATABASE_URL", help="the database, as an auditor", show_default=False)
]
Vkey = Annotated[
    str,
    typer.Option(
        envvar="LEADGATE_LEDGER_VKEY", help="the signer's public key: its text, or a file", show_default=False
    ),
]
UNUSABLE = (DatabaseAwayError, SchemaTooOldError, NoteError, OSError)
MOST = 20  # faults shown


@app.command()
def key(name: str, file: Path) -> None:
    """Makes a signing key, for the sealer or for a witness, and shows its public key.

    NAME tells whose it is for ever, such as police.example.gov/ledger. FILE must not exist yet.
    """
    try:
        signer = Signer.new(name)
        _write(file, signer.secret + "\n", private=True)
    except UNUSABLE as error:
        raise _stop(f"No key was made. {_told(error)}") from None
    typer.echo(f"The private key is in {file}: give it to nobody. The public keys, to be kept outside this machine:")
    typer.echo(f"as the ledger's signer:  {signer.verifier}")
    typer.echo(f"as a witness:            {signer.cosigner}")


@app.command()
def verify(
    url: Url,
    vkey: Vkey = "",
    witnessed: Annotated[list[Path] | None, typer.Option(help="a checkpoint kept elsewhere; may be repeated")] = None,
) -> None:
    """Recomputes every chain, leaf, root, signature and commitment. Names what does not hold, and ends with 1 then."""
    try:
        verifier = _verifier(vkey) if vkey else None
        seen = [_seen(path, verifier) for path in witnessed or ()]
        report = _with(url, lambda conn: audit.verify(conn, verifier, seen))
    except UNUSABLE as error:
        raise _stop(f"The ledger could not be read. {_told(error)}") from None
    if report.faults:
        for fault in report.faults[:MOST]:
            typer.echo(str(fault))
        if len(report.faults) > MOST:
            typer.echo(f"… and {len(report.faults) - MOST} more.")
        raise _stop("The ledger does not hold. Keep this database as it is, and compare it with a backup.", 1)
    typer.echo(
        f"The ledger holds: {report.entries} entries, {report.sealed} of them sealed under {report.checkpoints} "
        f"checkpoints, {report.private} private fields open."
    )
    if not verifier:
        typer.echo("Signatures were not checked: give the signer's public key with --vkey.")
    if not seen:
        typer.echo("Nothing kept elsewhere was compared: a log rewritten with the key would look like this, too.")


@app.command()
def proof(
    url: Url,
    directory: Annotated[Path, typer.Option(help="where the files go", show_default=False)],
    entry: Annotated[list[int] | None, typer.Argument(help="numbers of entries")] = None,
    stream: Annotated[str, typer.Option(help="all entries of a stream, such as search:LG-…", show_default=False)] = "",
) -> None:
    """Packs entries for disclosure: each as it was hashed, with its proof and what opens its private fields."""

    async def pack(conn: Conn) -> list[audit.Evidence]:
        numbers = [*(entry or ()), *(await audit.numbers_of(conn, stream) if stream else ())]
        return await audit.evidence(conn, numbers)

    try:
        packed = _with(url, pack)
        for one in packed:
            _write(directory / f"{one.number}.json", one.entry.decode())
            _write(directory / f"{one.number}.tlog-proof", str(one.proof))
            if one.openings:
                _write(directory / f"{one.number}.private.json", json.dumps(one.openings, indent=1), private=True)
    except (audit.NotInLogError, LedgerBrokenError, *UNUSABLE) as error:
        raise _stop(f"No proof. {_told(error)}") from None
    typer.echo(f"{len(packed)} entries with their proofs are in {directory}.")


@app.command()
def export(url: Url, directory: Path, vkey: Vkey = "") -> None:
    """Writes the whole signed log as C2SP tlog-tiles does: any tool for such logs can check it."""
    try:
        size = _with(url, lambda conn: audit.export(conn, directory))
        if vkey:
            _write(directory / "vkey", f"{_verifier(vkey)}\n")
    except (LedgerBrokenError, *UNUSABLE) as error:
        raise _stop(f"The log was not exported. {_told(error)}") from None
    typer.echo(f"{size} entries are in {directory}.")


@app.command()
def witness(
    url: Url,
    vkey: Vkey,
    key_file: Annotated[Path, typer.Option(envvar="LEADGATE_WITNESS_KEY_FILE", help="the witness's own key")],
    state: Annotated[Path, typer.Option(help="what was seen; keep it on another machine than the database")],
    every: Annotated[float, typer.Option(help="seconds between looks; 0 looks once")] = 0,
) -> None:
    """Cosigns the last checkpoint if it extends all that was seen. Ends with 1 where the log was cut or rewritten."""
    try:
        signer, verifier = Signer.read(key_file.read_text(encoding="utf-8")), _verifier(vkey)
        while True:
            typer.echo(_look(url, signer, verifier, state))
            if not every:
                return
            time.sleep(every)
    except (audit.LogCutError, LedgerBrokenError) as error:
        raise _stop(f"Nothing was cosigned: {error}", 1) from None
    except UNUSABLE as error:
        raise _stop(f"Nothing was cosigned. {_told(error)}") from None


def _look(url: str, signer: Signer, verifier: Verifier, state: Path) -> str:
    """What was seen is on disk before it is cosigned: a witness that forgets could be told two stories."""
    with state.with_name(f"{state.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        seen = notes.checkpoint(state.read_text(encoding="utf-8"), verifier) if state.exists() else None
        found = _with(url, lambda conn: audit.consistent(conn, verifier, seen))
        if found is None:
            return "Nothing is sealed yet."
        note, now = found
        _write(state, note)
        _write(state.with_name(f"{state.name}.cosigned"), signer.cosign(note, int(time.time())))
    return f"Seen and cosigned: {now.size} entries, {now.size - (seen.size if seen else 0)} of them new."


def _with(url: str, act: Callable[[Conn], Awaitable[T]]) -> T:
    async def run() -> T:
        async with database.alone(url, name="leadgate-ledger") as conn:
            return await act(conn)

    return asyncio.run(run())


def _verifier(text: str) -> Verifier:
    """A public key given as text or as the name of a file with it."""
    path = Path(text)
    return Verifier.read(path.read_text(encoding="utf-8") if path.is_file() else text)


def _seen(path: Path, verifier: Verifier | None) -> Checkpoint:
    text = path.read_text(encoding="utf-8")
    return notes.checkpoint(text, verifier) if verifier else Checkpoint.read(notes.split(text)[0])


def _write(path: Path, text: str, *, private: bool = False) -> None:
    """The file has this text, on disk, whole or not at all. A private one is never replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if private and path.exists():
        raise FileExistsError(f"{path} exists already")
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o644)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)  # the new name, too
    finally:
        os.close(directory)


def _told(error: BaseException) -> str:
    match error:
        case FileExistsError():
            return str(error)
        case OSError():
            return f"{error.filename}: {error.strerror}"
        case _:
            return str(error)


def _stop(message: str, code: int = 2) -> typer.Exit:
    typer.echo(f"leadgate: {message}", err=True)
    return typer.Exit(code)
