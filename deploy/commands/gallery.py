"""`leadgate gallery`: arrest photographs enter, are sealed, expunged and looked through."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import cv2
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from bot.packs import load_pack
from bot.settings import SettingsError
from deploy import enrol_run, manifest, type10
from deploy import register as registers
from deploy.enrol_run import Terms, Told
from deploy.manifest import Manifest
from deploy.type10 import Report, Said
from matcher import custody, enrolment, gallery, pack, pipeline, register, sweeping
from matcher.app import load_faces, model_pack
from matcher.enrolment import Rule
from matcher.faces import PROVIDERS, Faces
from matcher.gallery import Conn
from matcher.pack import PackError
from matcher.settings import Settings
from policy.pack import PackError as PolicyPackError

app = typer.Typer(no_args_is_help=True)
console = Console(stderr=True)
By = Annotated[str, typer.Option("--by", help="who is doing this; the ledger remembers it")]
Order = Annotated[str, typer.Option(help="the court's or agency's reference")]
PackName = Annotated[str, typer.Option("--pack", envvar="LEADGATE_PACK", help="the policy pack")]
PackFolder = Annotated[Path | None, typer.Option(envvar="LEADGATE_PACK_FOLDER", help="the agency's own packs")]
PackKey = Annotated[Path | None, typer.Option(envvar="LEADGATE_PACK_KEY", help="the public key that signed them")]
What = Annotated[str, typer.Argument(help="a photograph, an arrest or a person")]
T = TypeVar("T")


@app.callback()
def group() -> None:
    """The gallery of lawfully held arrest photographs."""


@app.command()
def enrol(
    path: Annotated[Path, typer.Argument(exists=True, help="CSV, JSONL, or a folder with a folder per person")],
    by: By = "operator",
    legal_basis: Annotated[str, typer.Option(help="of a folder: their class, such as arrest")] = "",
    agency: Annotated[str, typer.Option(help="of a folder: whose they are")] = "",
    photo_date: Annotated[str, typer.Option(help="of a folder: when they were taken, such as 2026-03-13")] = "",
    needs_approval: Annotated[
        bool, typer.Option("--needs-approval", help="searched only when another approves, though the pack asks it not")
    ] = False,
    pack_name: PackName = "nypd-2020",
    pack_folder: PackFolder = None,
    pack_key: PackKey = None,
    check: Annotated[bool, typer.Option("--check", help="say what is wrong, write nothing")] = False,
    workers: Annotated[int, typer.Option(help="threads; 0: one for each core")] = 0,
) -> None:
    """Enrols photographs. Can be stopped, or killed, and started again: none is lost and none is enrolled twice."""
    said = {"legal_basis": legal_basis, "agency": agency, "photo_date": photo_date}
    read = manifest.of_folder(path, said) if path.is_dir() else manifest.read(path, _now().date())
    _refuse_wrong(read)
    if check:
        console.print(f"{len(read.rows)} photographs can be enrolled. Nothing was written.")
        return
    terms = Terms(by, _rule(pack_name, pack_folder, pack_key), needs_approval)
    told = _enrolled(read, terms, workers or pipeline.cores())
    if told is None:
        console.print(f"leadgate: nothing was enrolled. {LOOSER}")
        raise typer.Exit(2)
    console.print(f"{told.done} photographs enrolled, {told.before} were already, {len(told.refused)} refused.")
    for row, why in told.refused:
        console.print(f"  line {row.line}, {row.path.name}: {why}")
    if terms.needs_approval and told.done:
        console.print(f"They wait for somebody else: leadgate gallery approve {told.batch} --by NAME")
    if told.refused:
        raise typer.Exit(1)


def _refuse_wrong(read: Manifest) -> None:
    if not read.wrong and read.rows:
        return
    table = Table("line", "why it cannot be enrolled", title="Nothing was enrolled")
    for line, why in read.wrong[:50]:
        table.add_row(str(line), why)
    console.print(table if read.wrong else "There is nothing to enrol there.")
    if len(read.wrong) > 50:  # noqa: PLR2004 - a screenful
        console.print(f"… and {len(read.wrong) - 50} more")
    raise typer.Exit(2)


LOOSER = (
    "The rule in force asks for two people, and this pack does not. Only the database's owner makes it looser: "
    "leadgate gallery rule, with the owner's login."
)


def _rule(name: str, folder: Path | None, key: Path | None) -> Rule:
    """What the policy pack asks of whoever enrols."""
    try:
        said, _ = load_pack(name, folder, key)
    except (PolicyPackError, SettingsError) as error:
        console.print(f"leadgate: {error}")
        raise typer.Exit(2) from None
    return Rule(said.id, said.sha256, said.enrolment.dual_control)


def _enrolled(read: Manifest, terms: Terms, workers: int) -> Told | None:
    settings = _settings()
    cv2.setNumThreads(1)  # the workers are as many as the cores; OpenCV's own threads would get in their way
    first = _loaded(settings)
    spare = iter((first,))  # what was loaded to say what is used is the first worker's
    console.print(f"{len(read.rows)} photographs, {workers} workers.")

    def load() -> Faces:
        return next(spare, None) or load_faces(settings, 1)

    rate = TextColumn("{task.fields[rate]}")
    columns = (TextColumn("enrolling"), BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=len(read.rows), rate="")

        def step(done: int, per_second: float) -> None:
            progress.update(task, completed=done, rate=f"{per_second:.1f}/s")

        told = _with_database(partial(enrol_run.run, read, load, terms, workers, step))
    model = _model()
    _with_database(lambda conn: enrol_run.embed_missing(conn, load, model, workers))  # enrolled with another pack
    return told


@app.command()
def rule(
    by: By,
    pack_name: PackName = "nypd-2020",
    pack_folder: PackFolder = None,
    pack_key: PackKey = None,
) -> None:
    """Puts the enrolment rule of a policy pack in force. A looser one needs the login of the database's owner."""
    wanted = _rule(pack_name, pack_folder, pack_key)
    if _with_database(lambda conn: enrolment.put_rule(conn, wanted, by=by, now=_now())) is None:
        console.print(f"leadgate: nothing was changed. {LOOSER}")
        raise typer.Exit(2)
    people = "two people" if wanted.dual_control else "one person"
    console.print(f"{wanted.pack} is in force: {people} for each batch.")


@app.command()
def batches() -> None:
    """Batches that wait for a second person."""
    found = _with_database(enrolment.waiting)
    table = Table("batch", "made by", "at", "photographs", "people", "pack", "manifest's SHA-256")
    for one in found:
        at = one.made_at.strftime("%Y-%m-%d %H:%M")
        table.add_row(one.id, one.made_by, at, *map(str, (one.photographs, one.people)), one.pack, one.manifest_sha256)
    Console().print(table if found else "No batch waits.")


@app.command()
def approve(
    what: Annotated[str, typer.Argument(help="a batch, or the manifest that it was enrolled from")], by: By
) -> None:
    """Lets a batch be searched. Not for whoever enrolled it."""
    meant = _with_database(lambda conn: _meant(conn, what))
    if not meant:
        console.print("No batch of that manifest waits.")
        raise typer.Exit(1)
    for batch in meant:
        why_not = _with_database(lambda conn, batch=batch: enrolment.approve(conn, batch, by=by, now=_now()))
        console.print(why_not or f"Batch {batch} can be searched.")
        if why_not:
            raise typer.Exit(1)


async def _meant(conn: Conn, what: str) -> list[str]:
    """The batch of that name, or those that wait and were enrolled from that manifest."""
    if not await asyncio.to_thread(Path(what).is_file):
        return [what]
    digest = (await asyncio.to_thread(manifest.read, Path(what))).sha256
    return [one.id for one in await enrolment.waiting(conn) if one.manifest_sha256 == digest]


@app.command()
def seal(what: What, order: Order, by: By) -> None:
    """Takes photographs out of every search, at once."""
    _said(_with_database(lambda conn: custody.seal(conn, what, order=order, by=by, now=_now())), "sealed")


@app.command()
def unseal(what: What, order: Order, by: By) -> None:
    """Lets sealed photographs be searched again."""
    _said(_with_database(lambda conn: custody.unseal(conn, what, order=order, by=by, now=_now())), "unsealed")


@app.command()
def expunge(
    what: What,
    order: Order,
    by: By,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Erases photographs, pictures and vectors for good."""
    if not yes:
        typer.confirm(f"Expunge everything of {what}? This cannot be undone.", abort=True)
    _said(_with_database(lambda conn: custody.expunge(conn, what, order=order, by=by, now=_now())), "expunged")


def _said(count: int, done: str) -> None:
    console.print(f"{count} photographs {done}." if count else f"Nothing was {done}: nothing of that name was there.")
    if not count:
        raise typer.Exit(1)


@app.command("custody")
def in_custody(
    path: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV with person, began, ended")],
    register_name: Annotated[str, typer.Option("--register", help="whose register it is; the record names it")],
    by: By,
) -> None:
    """Takes over when people were in custody: a lead on somebody who was, on the day, has to be resolved (X3)."""
    read = registers.read(path, _now().date())
    missing = set(_with_database(lambda conn: register.unknown(conn, read.spells)))
    wrong = [*read.wrong, *((0, f"{who} is nobody in the gallery") for who in sorted(missing))]
    if wrong or not read.spells:
        table = Table("line", "why nothing was recorded")
        for line, why in wrong[:50]:
            table.add_row(str(line or ""), why)
        console.print(table if wrong else "There is nothing to record there.")
        raise typer.Exit(2)
    record = partial(register.record, spells=read.spells, register=register_name, by=by, now=_now())
    console.print(f"{_with_database(record)} of {len(read.spells)} spells were new or changed.")


@app.command()
def stats() -> None:
    """How many of what."""
    model = _model()
    table = Table("what", "how many")
    for name, count in _with_database(lambda conn: custody.stats(conn, model)).items():
        table.add_row(name.replace("_", " "), f"{count:,}")
    Console().print(table)


@app.command()
def sweep(
    threshold: Annotated[float, typer.Option(help="cosine from which two faces are looked at")] = 0.7,
    every_picture: Annotated[
        bool, typer.Option("--every-picture", help="look for a face in every picture, not only where none was measured")
    ] = False,
) -> None:
    """Finds duplicates, the same file or face under two identities, and photographs without a face. Exit 1: found."""
    faces = _loaded(_settings())
    found = _with_database(lambda conn: sweeping.sweep(conn, faces, threshold, every_picture=every_picture))
    table = Table("what", "people", "cosine", "photographs")
    for one in found:
        table.add_row(one.what, ", ".join(one.people), f"{one.score:.3f}" if one.score else "", "\n".join(one.photos))
    Console().print(table if found else "Nothing was found.")
    if found:
        raise typer.Exit(1)


@app.command("import")
def import_type10(
    source: Annotated[Path, typer.Argument(exists=True, help="an ANSI/NIST-ITL file, or a folder of them")],
    into: Annotated[Path, typer.Argument(help="a new folder for photographs and manifest")],
    legal_basis: Annotated[str, typer.Option(help="their class: arrest, parole, …")],
    person_field: Annotated[
        int | None, typer.Option(help="the field of Type-2 that names the person; else 2.015, 2.014, 2.009")
    ] = None,
    by_transaction: Annotated[
        bool, typer.Option("--by-transaction", help="each transaction is a person, where nothing else names one")
    ] = False,
    leave_out_wrong: Annotated[
        bool, typer.Option("--leave-out-wrong", help="take the rest where something is wrong")
    ] = False,
) -> None:
    """Unpacks the mugshots of ANSI/NIST-ITL files into a manifest that `enrol` takes."""
    said = Said(legal_basis, person_field, by_transaction)
    try:
        report = type10.unpack(source, into, said, leave_out_wrong=leave_out_wrong)
    except type10.Type10Error as error:
        console.print(f"leadgate: nothing was imported. {error}")
        raise typer.Exit(2) from None
    _tell_import(report, written=into.exists())
    if not into.exists():
        raise typer.Exit(2)
    console.print(f"Next: leadgate gallery enrol {into / 'manifest.jsonl'}", soft_wrap=True)


def _tell_import(report: Report, *, written: bool) -> None:
    if report.wrong:
        table = Table("file", "what is wrong with it", title=None if written else "Nothing was imported")
        for name, why in report.wrong[:50]:
            table.add_row(name, why)
        console.print(table)
    if len(report.wrong) > 50:  # noqa: PLR2004 - a screenful
        console.print(f"… and {len(report.wrong) - 50} more")
    console.print(f"{report.lines} face images{'' if written else ' could be imported'}.")
    for what, count in report.noted.items():
        console.print(f"{count} {what}.")


@app.command()
def embed(workers: Annotated[int, typer.Option(help="threads; 0: one for each core")] = 0) -> None:
    """Measures again, with the model pack that is set now, every photograph that has no vector of it."""
    settings = _settings()
    load = partial(load_faces, settings, 1)
    model, count = _model(), workers or pipeline.cores()
    done = _with_database(lambda conn: enrol_run.embed_missing(conn, load, model, count))
    console.print(f"{done} photographs measured.")


def _loaded(settings: Settings) -> Faces:
    """The model; a line says what it runs on: onnxruntime falls back to the CPU without a word."""
    try:
        faces = load_faces(settings, 1)
    except PackError as error:
        console.print(f"leadgate: {error}")
        raise typer.Exit(2) from None
    asked, used = PROVIDERS[settings.provider], faces.model.provider
    instead = "" if asked == used else f" [bold]{asked} was asked for (LEADGATE_MATCHER_PROVIDER) and does not run.[/]"
    console.print(f"Model {faces.model.pack} on {used}.{instead}")
    return faces


def _settings() -> Settings:
    return Settings()  # pyright: ignore[reportCallIssue] - the environment fills it


def _model() -> str:
    try:
        return pack.fingerprint(model_pack(_settings()))
    except PackError as error:
        console.print(f"leadgate: {error}")
        raise typer.Exit(2) from None


def _now() -> datetime:
    return datetime.now(UTC)


def _with_database(act: Callable[[Conn], Awaitable[T]]) -> T:
    async def run() -> T:
        pool = await gallery.connect(_settings().database_url.get_secret_value(), "leadgate-gallery")
        try:
            async with pool.acquire() as conn:
                return await act(conn)
        finally:
            await pool.close()

    try:
        return asyncio.run(run())
    except gallery.AWAY as error:
        console.print(f"leadgate: the database does not answer ({type(error).__name__}). What was done is kept.")
        raise typer.Exit(3) from None
    except gallery.REFUSED as error:
        console.print(f"leadgate: the database refused it. {error}. What was done before is kept.")
        raise typer.Exit(2) from None
    except PackError as error:
        console.print(f"leadgate: {error}")
        raise typer.Exit(2) from None
