"""`leadgate known-answers`: cases whose answer is known, for examiners to be measured with (X2)."""

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import typer

from bot import database, ids, known_answers
from bot.settings import Settings, SettingsError, read

app = typer.Typer(no_args_is_help=True)


class ManifestError(Exception):
    """The manifest cannot be used; no case was added."""


@dataclass(frozen=True, slots=True)
class Row:
    """A photograph, and the id of the person of the gallery who is in it; nobody where None."""

    photo: Path
    person: str | None


@app.callback()
def cases() -> None:
    """Known-answer cases. Each is given once."""


@app.command("add")
def add(manifest: Path) -> None:
    """Adds the cases of a JSONL file: {"photo": FILE, "person": ID of the gallery, or null where nobody of it is seen}.

    Settings: LEADGATE_… in the environment, as the bot's.
    """
    try:
        rows = rows_of(manifest)
        added = asyncio.run(put(read(), rows, datetime.now(UTC)))
    except (ManifestError, SettingsError, OSError) as error:
        _stop(f"{error}. No case was added.")
    typer.echo(f"{added} cases were added, {len(rows) - added} were there already.")


def rows_of(manifest: Path) -> list[Row]:
    """The manifest's rows; photographs lie beside it."""
    lines = manifest.read_text(encoding="utf-8").splitlines()
    return [_row(line, manifest, number) for number, line in enumerate(lines, start=1) if line.strip()]


def _row(line: str, manifest: Path, number: int) -> Row:
    try:
        untrusted: Any = json.loads(line)
        photo, person = manifest.parent / str(untrusted["photo"]), untrusted["person"]
    except (ValueError, KeyError, TypeError) as error:
        raise ManifestError(f"{manifest}, line {number}: {type(error).__name__}: {error}") from None
    if not photo.is_file() or not (person is None or (isinstance(person, str) and person)):
        raise ManifestError(f"{manifest}, line {number}: a photograph that is there, and a person's id or null")
    return Row(photo, person)


async def put(settings: Settings, rows: list[Row], now: datetime) -> int:
    """All of them or none; how many were new."""
    pool = await database.connect(settings.database_url.get_secret_value(), name="leadgate-known-answers")
    kek = settings.key_encryption_key
    try:
        async with pool.acquire() as conn, conn.transaction():
            return sum(
                [
                    await known_answers.add(conn, kek, ids.known_answer(), row.photo.read_bytes(), row.person, now)
                    for row in rows
                ]
            )
    finally:
        await pool.close()


def _stop(why: str) -> NoReturn:
    typer.echo(f"leadgate: {why}", err=True)
    raise typer.Exit(2)
