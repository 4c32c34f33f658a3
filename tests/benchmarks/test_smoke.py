"""The benchmarks run, in a size that proves nothing but that they do."""

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.benchmarks import cold_start, enrol, first_pass, gains, search, service


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


def test_what_each_step_is_worth_is_measured_on_the_same_photographs(tmp_path, monkeypatch, capsys):
    cast = Path(__file__).parents[2] / "deploy" / "demo" / "cast"
    rows = [
        json.loads(line) for name in ("gallery", "probes") for line in (cast / f"{name}.jsonl").read_text().splitlines()
    ]
    pictures: dict[str, list[Path]] = {}
    for row in rows:
        if row["person"] and row.get("faces", 1) == 1:
            pictures.setdefault(row["person"], []).append(cast / row.get("photo", row.get("probe")))
    for person, own in list(pictures.items())[:4]:
        (tmp_path / "set" / person).mkdir(parents=True)
        for at in range(gains.ENROLLED + 1):  # of whom the cast has fewer, the same one smaller each time
            picture = Image.open(own[at % len(own)])
            picture.thumbnail((360 - 40 * at, 450 - 50 * at))
            picture.save(tmp_path / "set" / person / f"{person}_{at}.jpg")
    names = sorted(path.name for path in (tmp_path / "set").glob("*/*"))
    pairs = [f"{a},{b},{int(a.split('_')[0] == b.split('_')[0])}" for a in names for b in names if a < b]
    (tmp_path / "pairs.csv").write_text("\n".join(["a,b,same", *pairs]))
    file = tmp_path / "gains.json"
    argv = ["--data", str(tmp_path / "set"), "--pairs", str(tmp_path / "pairs.csv"), "--hard", "1", "--json", str(file)]
    monkeypatch.setattr("sys.argv", ["gains", *argv])
    gains.main()
    figures = json.loads(file.read_text())
    assert list(figures["steps"]) == list(gains.STEPS)
    assert list(figures["enrolled"]) == ["first photograph", "best of three", "mean of three"]
    assert {row["undetected"] for row in figures["steps"].values()} == {0.0}
    assert all(row["rank1"] > 0.5 for row in (*figures["steps"].values(), *figures["enrolled"].values()))
    assert "1+mirrored" in capsys.readouterr().out


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
    monkeypatch.setattr(
        "sys.argv", ["service", "--n", "900", "--searches", "2", "--approved", "300", "--json", str(file)]
    )
    service.main()
    figures = json.loads(file.read_text())
    for part in ("quiet", "written_to"):
        assert set(figures[part]) == {*service.STAGES, "response", "total"}
        assert figures[part]["total"]["p50"] > 0
    assert figures["approval"]["photographs"] == 300
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
