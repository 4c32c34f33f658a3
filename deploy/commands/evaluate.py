"""`leadgate evaluate`: how often the matcher misses and how often it offers strangers, on photographs of yours."""

import hashlib
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from deploy import evaluation_report
from deploy.evaluation_report import Report, shown
from matcher import dataset, degradation, evaluation, pack, pipeline
from matcher.dataset import DatasetError, Measured, Pairs
from matcher.faces import Faces
from matcher.pack import PackError

app = typer.Typer()
console = Console(stderr=True, markup=False)
SIZES = (100, 200, 500, 1000, 2000, 5000)
DISCARD = tuple(round(share * 0.05, 2) for share in range(13))


class Provider(StrEnum):
    """As LEADGATE_MATCHER_PROVIDER."""

    CPU = "cpu"
    CUDA = "cuda"
    OPENVINO = "openvino"
    COREML = "coreml"


@app.command()
def evaluate(
    data: Annotated[Path, typer.Option(help="a folder with a folder of photographs for each person")],
    pairs: Annotated[Path | None, typer.Option(help="CSV with columns a, b, same; or LFW's pairs.txt")] = None,
    groups: Annotated[Path | None, typer.Option(help="CSV with columns person, group: figures by group")] = None,
    pack_folder: Annotated[Path | None, typer.Option("--pack", help="a model pack; the default if not said")] = None,
    preprocessing: Annotated[str | None, typer.Option(help="instead of the pack's, such as 1+mirrored")] = None,
    degraded: Annotated[int, typer.Option(min=0, help="how many probes to degrade, level by level; 0: none")] = 0,
    json_file: Annotated[Path | None, typer.Option("--json", help="write the figures here")] = None,
    plots: Annotated[Path | None, typer.Option(help="write the plots here, as PNG")] = None,
    html: Annotated[Path | None, typer.Option(help="write one report here, plots included")] = None,
    pdf: Annotated[Path | None, typer.Option(help="write the same report here, as tagged PDF")] = None,
    workers: Annotated[int, typer.Option(min=0, max=256, help="threads; 0: one for each core")] = 0,
    provider: Annotated[Provider, typer.Option(help="what onnxruntime runs on")] = Provider.CPU,
    cache: Annotated[Path, typer.Option(help="where the default pack is built")] = Path("~/.cache/leadgate"),
) -> None:
    """Verification, identification, error versus discard and degradation, as table, JSON, plots and one report."""
    try:
        _check_outputs(plots, *(file for file in (json_file, html, pdf) if file))
        folder = pack_folder or pack.default(cache.expanduser())
        load = partial(Faces, folder, threads=1, preprocessing=preprocessing, provider=provider.value)
        model = load().model
        console.print(f"Model {model.pack} on {model.provider}.")
        paths = dataset.photographs(data)
        given = dataset.read_pairs(pairs, paths) if pairs else None  # before the work, not after it
        measured = _measured(load, paths, workers or pipeline.cores())
        report = _report(model.model_dump(mode="json"), measured, given, groups)
        report.figures["data_sha256"] = dataset.digest(paths)
        report.figures["pairs_sha256"] = hashlib.sha256(pairs.read_bytes()).hexdigest() if pairs else None
        if degraded:
            report.degradation.update(_degraded(load, measured, degraded, workers or pipeline.cores()))
        _write(report, json_file, plots, html, pdf)
    except (DatasetError, PackError) as error:
        console.print(f"leadgate: nothing was evaluated. {error}")
        raise typer.Exit(2) from None
    except OSError as error:
        console.print(f"leadgate: {error.filename} cannot be written ({error.strerror}). The figures are above.")
        raise typer.Exit(2) from None


def _check_outputs(plots: Path | None, *files: Path) -> None:
    for file in files:
        if file.is_dir() or not os.access(file.absolute().parent, os.W_OK):
            raise DatasetError(f"{file} cannot be written.")
    if plots and (plots.exists() and not plots.is_dir()):
        raise DatasetError(f"{plots} is no folder.")


def _write(report: Report, json_file: Path | None, plots: Path | None, html: Path | None, pdf: Path | None) -> None:
    Console().print(_table(report))
    if json_file:
        json_file.write_text(json.dumps(report.figures | {"degradation": report.degradation}, indent=1) + "\n")
    drawn = evaluation_report.plots(report) if plots or html or pdf else {}
    if plots:
        plots.mkdir(parents=True, exist_ok=True)
        for name, png in drawn.items():
            (plots / f"{name}.png").write_bytes(png)
    if html:
        html.write_text(evaluation_report.page(report, drawn), encoding="utf-8")
    if pdf:
        pdf.write_bytes(evaluation_report.pdf(report, drawn))


def _measured(load: Any, paths: Sequence[Path], workers: int) -> Measured:
    columns = (TextColumn("measuring"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        through = pipeline.through(load, dataset.measure, paths, workers=workers)
        samples = [sample for _, sample in progress.track(through, total=len(paths))]
    return dataset.collected(samples, load().model.dimension)


def _report(model: dict[str, Any], measured: Measured, pairs: Pairs | None, groups: Path | None) -> Report:
    found = evaluation.search(measured.vectors, measured.people)
    if not len(found.mate):
        raise DatasetError("Nobody there has two photographs: one is enrolled, and nobody is left to search for.")
    identified = evaluation.identification(found, len(measured.names))
    verified = _verified(measured, pairs) if pairs else None
    threshold = identified.threshold_at_fpir[1e-2]
    figures: dict[str, Any] = {
        "model": model,
        "leadgate": metadata.version("leadgate"),
        "evaluated_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "photographs": len(measured.paths),
        "people": len(measured.names),
        "undetected": measured.undetected,
        "verification": _verification_figures(measured, verified),
        "identification": _identification_figures(identified, found),
        "by_gallery_size": _by_size(measured),
        "error_versus_discard": _discard(measured),
    }
    if groups:
        figures |= _by_group(found, dataset.read_groups(groups, measured.names), threshold)
    return Report(figures, found, verified)


def _verified(measured: Measured, pairs: Pairs) -> evaluation.Verification:
    a, b = pairs.a, pairs.b
    scores = np.einsum("ij,ij->i", measured.vectors[a], measured.vectors[b]).astype(np.float64)
    seen = np.any(measured.vectors != 0, axis=1)
    scores[~(seen[a] & seen[b])] = evaluation.UNSEEN
    try:
        return evaluation.verification(scores, pairs.same, pairs.fold)
    except ValueError as error:
        raise DatasetError(f"The list of pairs tells nothing: {error}.") from None


def _verification_figures(measured: Measured, verified: evaluation.Verification | None) -> dict[str, Any]:
    over_all = evaluation.tar_over_all_pairs(measured.vectors, measured.people)
    figures: dict[str, Any] = {f"all_pairs_tar_at_far_{_power(far)}": tar for far, tar in over_all.items()}
    if verified:
        figures |= {"pairs": verified.pairs, "accuracy": verified.accuracy, "accuracy_error": verified.deviation}
        figures |= {f"tar_at_far_{_power(far)}": tar for far, tar in verified.tar_at_far.items()}
    return figures


def _identification_figures(identified: evaluation.Identification, found: evaluation.Searched) -> dict[str, Any]:
    figures: dict[str, Any] = {"gallery": identified.gallery, "probes": identified.probes}
    figures |= {f"rank{rank}": hit for rank, hit in identified.hit_at_rank.items()}
    for fpir, rate in identified.fnir_at_fpir.items():
        figures[f"fnir_at_fpir_{_power(fpir)}"] = rate
        figures[f"threshold_at_fpir_{_power(fpir)}"] = identified.threshold_at_fpir[fpir]
    for rank in evaluation.RANKS:
        missed = evaluation.with_interval(found, partial(evaluation.fnir_at_rank, rank=rank))
        figures |= {f"fnir_rank{rank}": missed.value, f"fnir_rank{rank}_95": [missed.low, missed.high]}
    for fpir, threshold in identified.threshold_at_fpir.items():
        missed = evaluation.with_interval(found, partial(evaluation.fnir, threshold=threshold))
        figures[f"fnir_at_fpir_{_power(fpir)}_95"] = [missed.low, missed.high]
    return figures


def _by_size(measured: Measured) -> dict[str, dict[str, float]]:
    out: dict[str, dict[str, float]] = {}
    for size in (*(s for s in SIZES if s < len(measured.names)), len(measured.names)):
        found = evaluation.search(measured.vectors, measured.people, gallery_people=size)
        if len(found.mate):
            one = evaluation.identification(found, size)
            missed = evaluation.with_interval(
                found, partial(evaluation.fnir, threshold=one.threshold_at_fpir[1e-2]), rounds=200
            )
            out[str(size)] = {
                "rank1": one.hit_at_rank[1],
                "fnir_at_fpir_1e-2": missed.value,
                "fnir_at_fpir_1e-2_low": missed.low,
                "fnir_at_fpir_1e-2_high": missed.high,
                "probes": one.probes,
            }
    return out


def _discard(measured: Measured) -> dict[str, list[float]]:
    """For each measure: FNIR at FPIR 1e-2 of the probes that are left when the worst by that measure are discarded."""
    found, rows = evaluation.search(measured.vectors, measured.people), _probe_rows(measured)
    seen = np.array([bool(measured.quality[row]) for row in rows])
    if not seen.any():
        return {}
    threshold = evaluation.identification(found, len(measured.names)).threshold_at_fpir[1e-2]
    error = (found.mate <= threshold)[seen]
    kept = [measured.quality[row] for row, there in zip(rows, seen, strict=True) if there]
    curves = {
        name: evaluation.error_versus_discard(np.array([q[name] for q in kept]), error, DISCARD) for name in kept[0]
    }
    return {"discarded": list(DISCARD), **curves}


def _probe_rows(measured: Measured) -> list[int]:
    _, first = np.unique(measured.people, return_index=True)
    enrolled = set(first.tolist())
    return [row for row in range(len(measured.paths)) if row not in enrolled]


def _by_group(found: evaluation.Searched, groups: dict[int, str], threshold: float) -> dict[str, Any]:
    """Rates of each group at the one threshold of all, with their intervals; and how far the groups are apart."""
    rows = evaluation.by_group(found, groups, threshold)
    keys = ("probes", "fnir_rank1", "fnir", "fpir")
    figures: dict[str, dict[str, Any]] = {group: dict(zip(keys, row, strict=True)) for group, row in rows.items()}
    for group, one in evaluation.split(found, groups).items():
        for name, rate in (("fnir", evaluation.fnir), ("fpir", evaluation.fpir)):
            interval = evaluation.with_interval(one, partial(rate, threshold=threshold), rounds=200)
            figures[group][f"{name}_95"] = [interval.low, interval.high]
    apart: dict[str, Any] = {}
    for name in keys[1:] if figures else ():
        worst, times = evaluation.differential({group: row[name] for group, row in figures.items()})
        apart |= {f"{name}_highest": worst, f"{name}_times_lowest": times}
    return {"groups": figures, "group_differentials": apart}


def _degraded(load: Any, measured: Measured, count: int, workers: int) -> dict[str, dict[str, float]]:
    """Rank-1 hit rate of the same probes, degraded in one way at a time."""
    rows = np.random.default_rng(0).permutation(_probe_rows(measured))[:count]
    _, first = np.unique(measured.people, return_index=True)
    gallery, mates = measured.vectors[first], measured.people[rows]
    jobs = [(name, level, measured.paths[row]) for name, level in degradation.LEVELS for row in rows]
    columns = (TextColumn("degrading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        through = pipeline.through(load, degradation.vector, jobs, workers=workers)
        vectors = [vector for _, vector in progress.track(through, total=len(jobs))]
    out: dict[str, dict[str, float]] = {}
    for at, (name, level) in enumerate(degradation.LEVELS):
        part = vectors[at * len(rows) : (at + 1) * len(rows)]
        hits = [v is not None and int(np.argmax(gallery @ v)) == mate for v, mate in zip(part, mates, strict=True)]
        out.setdefault(name, {})[f"{level:g}"] = float(np.mean(hits))
    return out


def _power(rate: float) -> str:
    return f"{rate:.0e}".replace("e-0", "e-")


def _table(report: Report) -> Table:
    said = report.figures
    table = Table("figure", "value", title=escape(f"{said['model']['pack']} on {said['photographs']} photographs"))
    for section in ("verification", "identification", "groups", "group_differentials"):
        for name, value in said.get(section, {}).items():
            table.add_row(escape(f"{section}.{name}"), escape(shown(value)))
    table.add_row("undetected", str(said["undetected"]))
    for name, levels in report.degradation.items():
        table.add_row(f"rank 1, {name}", "  ".join(f"{level}: {hit:.3f}" for level, hit in levels.items()))
    return table
