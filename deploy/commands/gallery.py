"""`leadgate gallery`: arrest photographs enter, are sealed, expunged and looked through."""

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Protocol, TypeVar

import cv2
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from bot.packs import load_pack
from bot.settings import SettingsError
from deploy import enrol_run, manifest, type10
from deploy import register as registers
from deploy.at_the_gallery import REFUSED, WRONG, console, loaded, model, out, read_settings, stop, with_database
from deploy.enrol_run import Terms, Told
from deploy.manifest import Manifest, Row
from deploy.the_record import for_the_record
from deploy.type10 import Report, Said
from matcher import custody, enrolment, pipeline, register, sweeping
from matcher.app import load_faces
from matcher.custody import AmbiguousError, Changed, Kind, What
from matcher.enrolment import Rule
from matcher.faces import Faces
from matcher.gallery import Conn
from policy.pack import PackError as PolicyPackError

app = typer.Typer(no_args_is_help=True)
SCREENFUL = 50
T = TypeVar("T")


def _cosine(value: float) -> float:
    if not 0 < value <= 1:  # no number is not, either
        raise typer.BadParameter("a cosine above 0, 1 at most")
    return value


By = Annotated[str, typer.Option("--by", callback=for_the_record, help="who is doing this; the ledger remembers it")]
Order = Annotated[str, typer.Option(callback=for_the_record, help="the court's or agency's reference")]
PackName = Annotated[str, typer.Option("--pack", envvar="LEADGATE_PACK", help="the policy pack")]
PackFolder = Annotated[Path | None, typer.Option(envvar="LEADGATE_PACK_FOLDER", help="the agency's own packs")]
PackKey = Annotated[Path | None, typer.Option(envvar="LEADGATE_PACK_KEY", help="the public key that signed them")]
Name = Annotated[str, typer.Argument(callback=for_the_record, help="a photograph, an arrest or a person")]
As = Annotated[Kind | None, typer.Option("--as", help="what the name is the name of, where it might be several things")]
Agency = Annotated[str, typer.Option(help="whose arrest it is, where several agencies have one of that number")]
Workers = Annotated[int, typer.Option(min=0, max=256, help="threads; 0: one for each core")]


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
    check: Annotated[
        bool, typer.Option("--check", help="look at every photograph, say what is wrong, write nothing")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="a new JSONL file of every line that is wrong or refused")] = None,
    workers: Workers = 0,
) -> None:
    """Enrols photographs. Can be stopped, or killed, and started again: none is lost and none is enrolled twice."""
    said = {"legal_basis": legal_basis, "agency": agency, "photo_date": photo_date}
    today = _now().date()
    read = manifest.of_folder(path, said, today) if path.is_dir() else manifest.read(path, today)
    _begin(report)
    if read.wrong or not read.rows:
        _report(report, read.wrong)
        _tell("Nothing was enrolled", read.wrong or [(0, "there is nothing to enrol there")])
        raise typer.Exit(REFUSED)
    terms = Terms(by, _rule(pack_name, pack_folder, pack_key), needs_approval)
    told = _ran(read, None if check else terms, workers or pipeline.cores())
    if told is None:
        stop(f"nothing was enrolled. {LOOSER}")
    _report(report, _lines(told.refused))
    if check:
        console.print(f"{told.done} photographs can be enrolled, {told.before} are already. Nothing was written.")
    else:
        console.print(f"{told.done} photographs enrolled, {told.before} were already, {len(told.refused)} refused.")
    if told.refused:
        _tell("Refused", _lines(told.refused))
    if told.noted:
        _tell("Look at these", _lines(told.noted))
    if terms.needs_approval and told.done and not check:
        console.print(f"They wait for somebody else: leadgate gallery approve {told.batch} --by NAME")
    if told.refused:
        raise typer.Exit(WRONG)


def _lines(rows: list[tuple[Row, str]]) -> list[tuple[int, str]]:
    return [(row.line, f"{row.path.name}: {why}") for row, why in rows]


def _tell(title: str, lines: Sequence[tuple[int, str]]) -> None:
    table = Table("line", "why", title=title)
    for line, why in lines[:SCREENFUL]:
        table.add_row(str(line or ""), why)
    console.print(table)
    if len(lines) > SCREENFUL:
        console.print(f"… and {len(lines) - SCREENFUL} more; --report FILE has them all.")


def _begin(report: Path | None) -> None:
    """The report can be written: better known before the work than after it."""
    try:
        if report:
            report.open("x").close()
    except OSError as error:
        stop(f"nothing was enrolled. {report} cannot be made ({error.strerror}).")


def _report(report: Path | None, lines: Sequence[tuple[int, str]]) -> None:
    if report:
        report.write_text("".join(json.dumps({"line": n, "why": why}) + "\n" for n, why in lines), encoding="utf-8")


LOOSER = (
    "The rule in force asks for two people, and this pack does not. Only the database's owner makes it looser: "
    "leadgate gallery rule, with the owner's login."
)


def _rule(name: str, folder: Path | None, key: Path | None) -> Rule:
    """What the policy pack asks of whoever enrols."""
    try:
        said, _ = load_pack(name, folder, key)
    except (PolicyPackError, SettingsError) as error:
        stop(str(error))
    return Rule(said.id, said.sha256, said.enrolment.dual_control)


def _ran(read: Manifest, terms: Terms | None, workers: int) -> Told | None:
    """What a run of enrolment did, or, without terms, would do."""
    settings = read_settings()
    cv2.setNumThreads(1)  # the workers are as many as the cores; OpenCV's own threads would get in their way
    spare = iter((loaded(settings),))  # what was loaded to say what is used is the first worker's
    console.print(f"{len(read.rows)} photographs, {workers} workers.")

    def load() -> Faces:
        return next(spare, None) or load_faces(settings, 1)

    rate = TextColumn("{task.fields[rate]}")
    columns = (TextColumn("enrolling" if terms else "checking"), BarColumn(), MofNCompleteColumn(), rate)
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task("", total=len(read.rows), rate="")

        def step(done: int, per_second: float) -> None:
            progress.update(task, completed=done, rate=f"{per_second:.1f}/s")

        if terms is None:
            return with_database(partial(enrol_run.check, read, load, workers, step))
        told = with_database(partial(enrol_run.run, read, load, terms, workers, step))
    which = model()
    with_database(lambda conn: enrol_run.embed_missing(conn, load, which, workers))  # enrolled with another pack
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
    if with_database(lambda conn: enrolment.put_rule(conn, wanted, by=by, now=_now())) is None:
        stop(f"nothing was changed. {LOOSER}")
    people = "two people" if wanted.dual_control else "one person"
    console.print(f"{wanted.pack} is in force: {people} for each batch.")


@app.command()
def batches() -> None:
    """Batches that wait for a second person."""
    found = with_database(enrolment.waiting)
    table = Table("batch", "made by", "at", "photographs", "people", "pack", "manifest's SHA-256")
    for one in found:
        at = one.made_at.strftime("%Y-%m-%d %H:%M")
        table.add_row(one.id, one.made_by, at, *map(str, (one.photographs, one.people)), one.pack, one.manifest_sha256)
    out.print(table if found else "No batch waits.")


@app.command()
def approve(
    what: Annotated[str, typer.Argument(help="a batch, or the manifest that it was enrolled from")], by: By
) -> None:
    """Lets a batch be searched. Not for whoever enrolled it."""
    meant = with_database(lambda conn: _meant(conn, what))
    if not meant:
        console.print("No batch of that manifest waits.")
        raise typer.Exit(1)
    for batch in meant:
        why_not = with_database(lambda conn, batch=batch: enrolment.approve(conn, batch, by=by, now=_now()))
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
def seal(name: Name, order: Order, by: By, kind: As = None, agency: Agency = "") -> None:
    """Takes photographs out of every search, at once; others of the same arrest are enrolled sealed."""
    _changed(custody.seal, What(name, kind, agency), order, by, "sealed")


@app.command()
def unseal(name: Name, order: Order, by: By, kind: As = None, agency: Agency = "") -> None:
    """Lets sealed photographs be searched again."""
    _changed(custody.unseal, What(name, kind, agency), order, by, "unsealed")


@app.command()
def expunge(
    name: Name,
    order: Order,
    by: By,
    kind: As = None,
    agency: Agency = "",
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Erases photographs, pictures and vectors for good."""
    what = What(name, kind, agency)
    found = _clear(lambda: with_database(lambda conn: custody.meant(conn, what)))
    if found and not yes:
        table = Table("photograph", "person", "agency", "arrest", "named as", title="To be expunged")
        for one in found:
            table.add_row(one.id, one.person, one.agency, one.arrest_id, one.kind)
        console.print(table)
        typer.confirm(f"Expunge these {len(found)} photographs? This cannot be undone.", abort=True)
    _changed(custody.expunge, what, order, by, "expunged")


class _Act(Protocol):
    async def __call__(self, conn: Conn, what: What, *, order: str, by: str, now: datetime) -> Changed: ...


def _changed(act: _Act, what: What, order: str, by: str, done: str) -> None:
    told = _clear(lambda: with_database(lambda conn: act(conn, what, order=order, by=by, now=_now())))
    if not told.meant:
        stop(f"nothing was {done}: there is no photograph, arrest or person {what.name} here.", WRONG)
    already = f" {told.meant - told.changed} were {done} before." if told.changed < told.meant else ""
    console.print(f"{told.changed} photographs {done}.{already}")


def _clear(act: Callable[[], T]) -> T:
    try:
        return act()
    except AmbiguousError as error:
        stop(f"nothing was changed. {error} (--as, --agency)")


@app.command("custody")
def in_custody(
    path: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV with person, began, ended")],
    register_name: Annotated[
        str, typer.Option("--register", callback=for_the_record, help="whose register it is; the record names it")
    ],
    by: By,
) -> None:
    """Takes over when people were in custody: a lead on somebody who was, on the day, has to be resolved (X3)."""
    read = registers.read(path, _now().date())
    missing = set(with_database(lambda conn: register.unknown(conn, read.spells)))
    wrong = [*read.wrong, *((0, f"{who} is nobody in the gallery") for who in sorted(missing))]
    if wrong or not read.spells:
        _tell("Nothing was recorded", wrong or [(0, "there is nothing to record there")])
        raise typer.Exit(REFUSED)
    record = partial(register.record, spells=read.spells, register=register_name, by=by, now=_now())
    console.print(f"{with_database(record)} of {len(read.spells)} spells were new or changed.")


@app.command()
def stats() -> None:
    """How many of what."""
    which = model()
    table = Table("what", "how many")
    for name, count in with_database(lambda conn: custody.stats(conn, which)).items():
        table.add_row(name.replace("_", " "), f"{count:,}")
    out.print(table)


@app.command()
def sweep(
    threshold: Annotated[float, typer.Option(callback=_cosine, help="cosine from which two faces are looked at")] = 0.7,
    every_picture: Annotated[
        bool, typer.Option("--every-picture", help="look for a face in every picture, not only where none was measured")
    ] = False,
) -> None:
    """Finds duplicates, the same file or face under two identities, and photographs without a face. Exit 1: found."""
    faces = loaded(read_settings())
    found = with_database(lambda conn: sweeping.sweep(conn, faces, threshold, every_picture=every_picture))
    table = Table("what", "people", "cosine", "photographs")
    for one in found:
        table.add_row(one.what, ", ".join(one.people), f"{one.score:.3f}" if one.score else "", "\n".join(one.photos))
    out.print(table if found else "Nothing was found.")
    if found:
        raise typer.Exit(1)


@app.command("import")
def import_type10(
    source: Annotated[Path, typer.Argument(exists=True, help="an ANSI/NIST-ITL file, or a folder of them")],
    into: Annotated[Path, typer.Argument(help="a new folder for photographs and manifest")],
    legal_basis: Annotated[str, typer.Option(help="their class: arrest, parole, …")],
    person_field: Annotated[
        int | None,
        typer.Option(min=1, max=998, help="the field of Type-2 that names the person; else 2.015, 2.014, 2.009"),
    ] = None,
    by_transaction: Annotated[
        bool, typer.Option("--by-transaction", help="each transaction is a person, where nothing else names one")
    ] = False,
    of_age: Annotated[
        bool, typer.Option("--of-age", help="the agency vouches that whoever has no date of birth there was 18")
    ] = False,
    leave_out_wrong: Annotated[
        bool, typer.Option("--leave-out-wrong", help="take the rest where something is wrong")
    ] = False,
) -> None:
    """Unpacks the mugshots of ANSI/NIST-ITL files into a manifest that `enrol` takes."""
    said = Said(legal_basis, _now().date(), person_field, by_transaction, of_age)
    try:
        report = type10.unpack(source, into, said, leave_out_wrong=leave_out_wrong)
    except (type10.Type10Error, OSError) as error:
        stop(f"nothing was imported. {error}")
    _tell_import(report, written=into.exists())
    if not into.exists():
        raise typer.Exit(REFUSED)
    console.print(f"Next: leadgate gallery enrol {into / 'manifest.jsonl'}", soft_wrap=True)


def _tell_import(report: Report, *, written: bool) -> None:
    if report.wrong:
        table = Table("file", "what is wrong with it", title=None if written else "Nothing was imported")
        for name, why in report.wrong[:SCREENFUL]:
            table.add_row(name, why)
        console.print(table)
    if len(report.wrong) > SCREENFUL:
        console.print(f"… and {len(report.wrong) - SCREENFUL} more")
    console.print(f"{report.lines} face images{'' if written else ' could be imported'}.")
    for what, count in report.noted.items():
        console.print(f"{count} {what}.")


@app.command()
def embed(workers: Workers = 0) -> None:
    """Measures again, with the model pack that is set now, every photograph that has no vector of it."""
    load = partial(load_faces, read_settings(), 1)
    which, count = model(), workers or pipeline.cores()
    done = with_database(lambda conn: enrol_run.embed_missing(conn, load, which, count))
    console.print(f"{done} photographs measured.")


def _now() -> datetime:
    return datetime.now(UTC)
