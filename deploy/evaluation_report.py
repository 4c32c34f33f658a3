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
    said = report.figures
    model = said["model"]
    sections = "".join(_section(name, said[name]) for name in SECTIONS if name in said)
    pictures = "".join(
        f'<h2>{name}</h2><img alt="{name}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'
        for name, png in drawn.items()
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>Evaluation of {html.escape(model['pack'])}</title>"
        f"<style>{STYLE}</style><h1>Evaluation of the matcher</h1>"
        f"<p>Model pack <b>{html.escape(model['pack'])}</b>, licence {html.escape(model['licence'])},<br>"
        f"SHA-256 <code>{model['sha256']}</code><br>{said['photographs']} photographs of {said['people']} people, "
        f"{said['undetected']} without a detected face (counted as errors); {said['evaluated_at']}.</p>"
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
    sections = [(name, said[name]) for name in SECTIONS if name in said]
    levels = [
        (name, "  ".join(f"{at}: {hit:.3f}" for at, hit in of.items())) for name, of in report.degradation.items()
    ]
    tables = [(title, [(name, _shown(value)) for name, value in rows.items()]) for title, rows in sections]
    if levels:
        tables.append(("degraded probes, rank-1 hit rate by level", levels))
    words = {
        "caveat": CAVEAT,
        "facts": [
            ("Model pack", said["model"]["pack"]),
            ("Licence", said["model"]["licence"]),
            ("SHA-256", said["model"]["sha256"]),
            ("Photographs", f"{said['photographs']} of {said['people']} people"),
            ("Without a detected face", f"{said['undetected']} (counted as errors)"),
            ("Measured", said["evaluated_at"]),
        ],
        "tables": tables,
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


def _section(title: str, figures: Mapping[str, Any]) -> str:
    rows = "".join(f"<tr><td>{html.escape(name)}<td>{html.escape(_shown(value))}" for name, value in figures.items())
    return f"<h2>{title}</h2><table>{rows}</table>"


def _shown(value: object) -> str:
    match value:
        case float():
            return f"{value:.4f}"
        case [float(low), float(high)]:
            return f"{low:.4f} to {high:.4f}"
        case {**rates}:
            return ", ".join(f"{name} {_shown(rate)}" for name, rate in rates.items())
        case _:
            return str(value)
