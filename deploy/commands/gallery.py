"""`leadgate gallery`: enrolment of arrest photographs."""

import asyncio
import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from matcher import gallery, images
from matcher.app import load_faces
from matcher.faces import Faces
from matcher.gallery import Enrolment
from matcher.images import ImageRefusedError
from matcher.settings import Settings

app = typer.Typer(no_args_is_help=True)
console = Console(stderr=True)

NEEDED = ("person", "photo", "legal_basis", "agency", "arrest_id", "photo_date")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a manifest that may be enrolled."""

    path: Path
    enrolment: Enrolment


@app.callback()
def group() -> None:
    """The gallery of lawfully held arrest photographs."""


@app.command()
def enrol(manifest: Path, by: Annotated[str, typer.Option(help="who is enrolling")] = "operator") -> None:
    """Enrols the photographs of a CSV or JSONL manifest. Can be stopped and started again: none is enrolled twice."""
    rows, wrong = read(manifest)
    if wrong:
        table = Table("line", "why it cannot be enrolled", title="Nothing was enrolled")
        for line, why in wrong[:50]:
            table.add_row(str(line), why)
        console.print(table)
        raise typer.Exit(2)
    done, refused = asyncio.run(_enrol(rows, by))
    console.print(
        f"{done} photographs enrolled, {len(rows) - done - len(refused)} were already, {len(refused)} refused."
    )
    for path, why in refused:
        console.print(f"  {path.name}: {why}")
    if refused:
        raise typer.Exit(1)


def read(manifest: Path) -> tuple[list[Row], list[tuple[int, str]]]:
    """The manifest's rows, and what is wrong with it by line: everything is looked at before anything is written."""
    rows: list[Row] = []
    wrong: list[tuple[int, str]] = []
    for line, untrusted in _lines(manifest):
        try:
            rows.append(_row(untrusted, manifest.parent))
        except (ValueError, KeyError, TypeError) as error:
            wrong.append((line, str(error)))
    return rows, wrong


def _lines(manifest: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with manifest.open(encoding="utf-8", newline="") as file:
        if manifest.suffix == ".csv":
            yield from enumerate(csv.DictReader(file), start=2)
        else:
            yield from ((n, json.loads(line)) for n, line in enumerate(file, start=1) if line.strip())


def _row(untrusted: dict[str, Any], folder: Path) -> Row:
    if missing := [name for name in NEEDED if not untrusted.get(name)]:
        raise ValueError(f"without {', '.join(missing)}")
    path = folder / str(untrusted["photo"])
    if not path.is_file():
        raise ValueError(f"there is no file {untrusted['photo']}")
    enrolment = Enrolment(
        person=str(untrusted["person"]),
        name=str(untrusted.get("name") or untrusted["person"]),
        legal_basis=str(untrusted["legal_basis"]),
        agency=str(untrusted["agency"]),
        arrest_id=str(untrusted["arrest_id"]),
        taken_on=date.fromisoformat(str(untrusted["photo_date"])),
        sealed=_flag(untrusted.get("sealed")),
        juvenile=_flag(untrusted.get("juvenile")),
        sex=untrusted.get("sex") or None,
        birth_year=int(untrusted["birth_year"]) if untrusted.get("birth_year") else None,
        height_cm=float(untrusted["height_cm"]) if untrusted.get("height_cm") else None,
        weight_kg=float(untrusted["weight_kg"]) if untrusted.get("weight_kg") else None,
        marks=untrusted.get("marks") or None,
    )
    return Row(path, enrolment)


def _flag(untrusted: object) -> bool:
    text = str(untrusted).strip().lower()
    if text in {"", "none", "false", "no", "0"}:
        return False
    if text in {"true", "yes", "1"}:
        return True
    raise ValueError(f"{text!r} is neither yes nor no")


async def _enrol(rows: list[Row], by: str) -> tuple[int, list[tuple[Path, str]]]:
    settings = Settings()  # pyright: ignore[reportCallIssue] - the environment fills it
    faces = await asyncio.to_thread(load_faces, settings)
    pool = await gallery.connect(settings.database_url.get_secret_value(), "leadgate-enrol")
    done, refused = 0, []
    columns = (TextColumn("enrolling"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=console) as progress:
            for row in progress.track(rows):
                async with pool.acquire() as conn:
                    try:
                        done += await _enrol_one(conn, faces, row, by)
                    except ImageRefusedError as no:
                        refused.append((row.path, no.reason))
    finally:
        await pool.close()
    return done, refused


async def _enrol_one(conn: Any, faces: Faces, row: Row, by: str) -> bool:
    photo = await asyncio.to_thread(images.decode, row.path.read_bytes())
    if await gallery.enrolled(conn, row.enrolment.person, photo.sha256):
        return False
    found = await asyncio.to_thread(faces.find, photo)
    if len(found) != 1:
        why = "several faces: whose is it?" if found else "no face was found."
        raise ImageRefusedError("one-face", f"An arrest photograph has one face in it; here, {why}")
    vector = await asyncio.to_thread(faces.vector, photo, found[0])
    jpeg = await asyncio.to_thread(images.as_jpeg, photo.pixels)
    now, model = datetime.now(UTC), faces.model.sha256
    return await gallery.enrol(
        conn, row.enrolment, sha256=photo.sha256, jpeg=jpeg, vector=vector, model=model, by=by, now=now
    )
