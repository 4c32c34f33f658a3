"""The benchmarks run, in a size that proves nothing but that they do."""

import json
from pathlib import Path

import pytest

from tests.benchmarks import cold_start, enrol, first_pass, search, service


def test_the_search_benchmark_writes_the_figures_it_prints(tmp_path, monkeypatch, capsys):
    file = tmp_path / "search.json"
    argv = [
        "search",
        "--n",
        "3000",
        "--json",
        str(file),
        "--only",
        "limit,ours,numpy",
        "--rounds",
        "2",
        "--probes",
        "40",
    ]
    monkeypatch.setattr("sys.argv", argv)
    search.main()
    figures = json.loads(file.read_text())
    assert list(figures) == ["n", *(f"{name}_ms" for name in search.ENGINES), "recall_at_50", "certified"]
    assert (figures["recall_at_50"], figures["certified"], figures["pgvector_ms"]) == (1.0, 1.0, None)
    assert figures["ours_ms"] > 0
    assert "3,000 x 512" in capsys.readouterr().out


def test_an_engine_that_does_not_exist_is_named(monkeypatch):
    monkeypatch.setattr("sys.argv", ["search", "--n", "100", "--only", "ours,oracle", "--probes", "5"])
    with pytest.raises(SystemExit, match="no engine 'oracle'"):
        search.main()


def test_the_cold_start_benchmark_loads_what_it_saved(tmp_path, monkeypatch):
    file = tmp_path / "cold.json"
    monkeypatch.setattr("sys.argv", ["cold_start", "--n", "2000", "--dimension", "32", "--json", str(file)])
    cold_start.main()
    assert json.loads(file.read_text())["load_and_verify_s"] > 0


def test_the_enrolment_benchmark_measures_all_on_the_same_photographs(tmp_path, monkeypatch):
    data = Path(__file__).parents[2] / "deploy" / "demo" / "cast" / "pictures"
    file = tmp_path / "enrol.json"
    monkeypatch.setattr(
        "sys.argv", ["enrol", "--data", str(data), "--count", "8", "--without-deepface", "--json", str(file)]
    )
    enrol.main()
    figures = json.loads(file.read_text())
    assert figures["photographs"] == 8
    assert figures["ours_faces"] == figures["insightface_loop_faces"] == 8
    assert min(figures[f"{name}_per_s"] for name in ("ours", "ours_stored", "insightface_loop")) > 0


def test_the_service_benchmark_times_every_stage_quiet_and_written_to(tmp_path, monkeypatch, capsys):
    file = tmp_path / "service.json"
    monkeypatch.setattr("sys.argv", ["service", "--n", "900", "--searches", "2", "--json", str(file)])
    service.main()
    figures = json.loads(file.read_text())
    for part in ("quiet", "written_to"):
        assert set(figures[part]) == {*service.STAGES, "response", "total"}
        assert figures[part]["total"]["p50"] > 0
    assert "gallery of 900 x 128" in capsys.readouterr().out


def test_the_first_pass_table_leaves_less_out_with_every_bit_and_never_what_belongs_to_the_answer(
    tmp_path, monkeypatch, capsys
):
    file = tmp_path / "first_pass.json"
    monkeypatch.setattr("sys.argv", ["first_pass", "--n", "2000", "--json", str(file)])
    first_pass.main()
    lines = json.loads(file.read_text())["lines"]
    by_bits = [line for line in lines if line["code"] == "uniform"]
    assert [line["unknown"] for line in by_bits] == sorted((line["unknown"] for line in by_bits), reverse=True)
    assert all(line["survive"] >= 50 / 2000 for line in lines if line["code"] != "int8, whole (ours)")
    assert by_bits[3]["unknown"] == pytest.approx(0.107, abs=0.003)  # Max 1960: .01154 of the variance
    assert "2,000 x 512" in capsys.readouterr().out
