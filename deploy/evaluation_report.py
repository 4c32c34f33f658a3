"""The evaluation as plots and as one page of HTML that a disclosure package can cite."""

import base64
import html
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

from matcher.evaluation import Searched, Verification

mpl.use("Agg")
from matplotlib.figure import Figure

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1d2129}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse}
td,th{border-bottom:1px solid #ddd;padding:.25rem .8rem;text-align:left}td+td{font-variant-numeric:tabular-nums}
img{max-width:100%}.note{color:#555}
"""
CAVEAT = (
    "A candidate is an investigative lead only, never an identification. These figures hold for the photographs they "
    "were measured on; on poorer photographs, and on people unlike those of the set, errors are more frequent."
)


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was measured."""

    figures: dict[str, Any]
    found: Searched
    verified: Verification | None
    degradation: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])


def plots(report: Report) -> dict[str, bytes]:
    """PNG by name."""
    drawn = {
        "scores": _scores(report.found),
        "fnir-fpir": _tradeoff(report.found),
        "error-versus-discard": _discard(report.figures["error_versus_discard"]),
        "gallery-size": _sizes(report.figures["by_gallery_size"]),
    }
    if report.verified:
        drawn |= {"roc": _roc(report.verified), "det": _det(report.verified)}
    if report.degradation:
        drawn["degradation"] = _degradation(report.degradation)
    return drawn


def _drawn(figure: Figure) -> bytes:
    out = io.BytesIO()
    figure.tight_layout()
    figure.savefig(out, format="png", dpi=110)
    return out.getvalue()


def _axes(x: str, y: str, title: str) -> tuple[Figure, Any]:
    figure = Figure(figsize=(6.4, 4.2))
    axes = figure.subplots()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_title(title)
    axes.grid(visible=True, alpha=0.3)
    return figure, axes


def _roc(verified: Verification) -> bytes:
    figure, axes = _axes("false accept rate", "true accept rate", "ROC, given pairs")
    axes.semilogx(np.maximum(verified.far, 1e-4), verified.tar)
    axes.set_ylim(0.9, 1.001)
    return _drawn(figure)


def _det(verified: Verification) -> bytes:
    figure, axes = _axes("false match rate", "false non-match rate", "DET, given pairs")
    axes.loglog(np.maximum(verified.far, 1e-4), np.maximum(1 - verified.tar, 1e-4))
    return _drawn(figure)


def _scores(found: Searched) -> bytes:
    figure, axes = _axes("cosine", "searches", "mates and best strangers")
    bins = np.linspace(-0.2, 1, 90).tolist()
    axes.hist(found.mate, bins=bins, alpha=0.7, label="the mate")
    axes.hist(found.stranger, bins=bins, alpha=0.7, label="the best stranger")
    axes.legend()
    return _drawn(figure)


def _tradeoff(found: Searched) -> bytes:
    figure, axes = _axes("FPIR", "FNIR", "identification: misses against false alarms")
    thresholds = np.quantile(found.stranger, np.linspace(0, 1, 300)) if len(found.stranger) else np.zeros(0)
    fpir = [float((found.stranger > t).mean()) for t in thresholds]
    fnir = [float((found.mate <= t).mean()) for t in thresholds]
    axes.loglog(np.maximum(fpir, 1e-4), np.maximum(fnir, 1e-4))
    return _drawn(figure)


def _discard(curves: Mapping[str, list[float]]) -> bytes:
    figure, axes = _axes("share of probes discarded, worst first", "FNIR at FPIR 1e-2", "error versus discard")
    for name, curve in curves.items():
        if name != "discarded":
            axes.plot(curves["discarded"], curve, label=name)
    axes.legend(fontsize=8)
    return _drawn(figure)


def _sizes(by_size: Mapping[str, Mapping[str, float]]) -> bytes:
    figure, axes = _axes("people in the gallery", "share", "by gallery size")
    sizes = [int(size) for size in by_size]
    axes.semilogx(sizes, [1 - rates["rank1"] for rates in by_size.values()], "o-", label="FNIR at rank 1")
    axes.semilogx(sizes, [rates["fnir_at_fpir_1e-2"] for rates in by_size.values()], "o-", label="FNIR at FPIR 1e-2")
    axes.legend()
    return _drawn(figure)


def _degradation(series: Mapping[str, Mapping[str, float]]) -> bytes:
    figure, axes = _axes("level, mild to severe", "rank-1 hit rate", "degraded probes")
    for name, levels in series.items():
        axes.plot(range(len(levels)), list(levels.values()), "o-", label=f"{name} ({', '.join(levels)})")
    axes.legend(fontsize=8)
    return _drawn(figure)


def page(report: Report, drawn: Mapping[str, bytes]) -> str:
    """One file of HTML, the plots within."""
    model = report.figures["model"]
    facts = "".join(f"<tr><th>{html.escape(name)}<td>{html.escape(value)}" for name, value in _facts(report))
    sections = "".join(_section(title, rows) for title, rows in _tables(report))
    pictures = "".join(
        f'<h2>{name}</h2><img alt="{name}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'
        for name, png in drawn.items()
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>Evaluation of {html.escape(model['pack'])}</title>"
        f"<style>{STYLE}</style><h1>Evaluation of the matcher</h1>"
        f"<table>{facts}</table>"
        f'<p class="note">{CAVEAT}</p>{sections}{pictures}</html>\n'
    )


SECTIONS = ("verification", "identification", "groups", "group_differentials")
TEMPLATE = Path(__file__).with_name("evaluation_report.typ")
ALT = {
    "scores": "Histogram: cosines of mates and of best strangers.",
    "fnir-fpir": "Curve: misses (FNIR) against false alarms (FPIR), both logarithmic.",
    "error-versus-discard": "Curves: FNIR at FPIR 1e-2 when the worst probes by each quality measure are discarded.",
    "gallery-size": "Curves: misses by the number of people in the gallery.",
    "roc": "ROC: true accept rate by false accept rate, given pairs.",
    "det": "DET: false non-match rate by false match rate, given pairs.",
    "degradation": "Curves: rank-1 hit rate by level of degradation.",
}


def pdf(report: Report, drawn: Mapping[str, bytes]) -> bytes:
    """The same report as tagged PDF/UA-1; the same figures give the same bytes."""
    import typst

    said = report.figures
    words = {
        "caveat": CAVEAT,
        "facts": _facts(report),
        "tables": _tables(report),
        "pictures": [{"name": name, "alt": ALT[name], "numbers": list(png)} for name, png in drawn.items()],
    }
    made = typst.compile(
        TEMPLATE.read_bytes(),
        format="pdf",
        sys_inputs={"report": json.dumps(words)},
        pdf_standards=["ua-1"],
        ignore_system_fonts=True,
        timestamp=int(datetime.fromisoformat(said["evaluated_at"]).timestamp()),
    )
    assert isinstance(made, bytes), "one PDF"
    return made


def _facts(report: Report) -> list[tuple[str, str]]:
    """What was evaluated, so that somebody else can evaluate the same again."""
    said, model = report.figures, report.figures["model"]
    thresholds = ", ".join(f"{far}: {cosine:.3f}" for far, cosine in model["thresholds"].items())
    return [
        ("Model pack", model["pack"]),
        ("Licence", model["licence"]),
        ("SHA-256 of the model", model["sha256"]),
        ("Preprocessing", model["preprocessing"]),
        ("Thresholds, cosine by false accept rate", thresholds),
        ("Ran on", model["provider"]),
        ("Leadgate", said["leadgate"]),
        ("Photographs", f"{said['photographs']} of {said['people']} people"),
        ("SHA-256 of the photographs", said["data_sha256"]),
        ("SHA-256 of the list of pairs", said["pairs_sha256"] or "no pairs were given"),
        ("Without a detected face", f"{said['undetected']} (counted as errors)"),
        ("Measured", said["evaluated_at"]),
    ]


WORDS = {"tar": "TAR", "far": "FAR", "fnir": "FNIR", "fpir": "FPIR", "95": "(95 % interval)"}


def _label(key: str) -> str:
    """`fnir_at_fpir_1e-2_95` -> "FNIR at FPIR 1e-2 (95 % interval)"."""
    spaced = key.replace("rank", "rank ").replace("_", " ").split()
    return " ".join(WORDS.get(word, word) for word in spaced)


def _tables(report: Report) -> list[tuple[str, list[tuple[str, str]]]]:
    """Every figure, plots' figures included, by the table that it stands in."""
    said = report.figures
    out = [
        (_label(name).capitalize(), [(_label(key), shown(value)) for key, value in said[name].items()])
        for name in SECTIONS
        if name in said
    ]
    sizes = [(f"{size} people", shown(rates)) for size, rates in said["by_gallery_size"].items()]
    out.append(("By gallery size", sizes))
    curves = said["error_versus_discard"]
    worst = [
        (name, ", ".join(f"{share:.0%} {rate:.4f}" for share, rate in zip(curves["discarded"], curve, strict=True)))
        for name, curve in curves.items()
        if name != "discarded"
    ]
    out.append(("Error versus discard: FNIR at FPIR 1e-2 of what is left, by the share discarded", worst))
    if report.degradation:
        levels = [
            (name, "  ".join(f"{at}: {hit:.3f}" for at, hit in of.items())) for name, of in report.degradation.items()
        ]
        out.append(("Degraded probes, rank-1 hit rate by level", levels))
    return [(title, rows) for title, rows in out if rows]


def _section(title: str, rows: list[tuple[str, str]]) -> str:
    lines = "".join(f"<tr><td>{html.escape(name)}<td>{html.escape(value)}" for name, value in rows)
    return f"<h2>{html.escape(title)}</h2><table>{lines}</table>"


def shown(value: object) -> str:
    """A figure as it is printed."""
    match value:
        case float():
            return f"{value:.4f}"
        case [float(low), float(high)]:
            return f"{low:.4f} to {high:.4f}"
        case {**rates}:
            return ", ".join(f"{name} {shown(rate)}" for name, rate in rates.items())
        case _:
            return str(value)
