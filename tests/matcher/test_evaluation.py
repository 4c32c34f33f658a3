"""What `leadgate evaluate` says is what was measured: figures over scores whose answer is known by hand."""

import json
import shutil

import numpy as np
import pypdfium2
import pytest
from typer.testing import CliRunner

from deploy.commands import evaluate
from matcher import dataset, degradation, evaluation
from matcher.dataset import DatasetError


def test_a_matcher_that_separates_perfectly_is_perfect():
    said = evaluation.verification(
        np.array([0.9, 0.8, 0.7, 0.1, 0.2, 0.0] * 10), np.array([1, 1, 1, 0, 0, 0] * 10, bool)
    )
    assert (said.accuracy, said.tar_at_far[1e-3]) == (1.0, 1.0)


def test_a_matcher_that_guesses_is_right_half_the_time():
    rng = np.random.default_rng(0)
    said = evaluation.verification(rng.random(4000), rng.random(4000) < 0.5)
    assert said.accuracy == pytest.approx(0.5, abs=0.03)
    assert said.tar_at_far[1e-2] == pytest.approx(0.01, abs=0.01)


def test_the_roc_goes_from_nothing_accepted_to_everything():
    far, tar = evaluation.roc(np.array([0.9, 0.5, 0.5, 0.1]), np.array([True, True, False, False]))
    assert list(zip(far, tar, strict=True)) == [(0, 0), (0, 0.5), (0.5, 1), (1, 1)]


def test_the_best_threshold_lies_between_the_two_kinds():
    threshold = evaluation.best_threshold(np.array([0.1, 0.3, 0.6, 0.9]), np.array([False, False, True, True]))
    assert threshold == pytest.approx(0.45)


def rows(*at: tuple[float, float]) -> np.ndarray:
    vectors = np.array(at, np.float32)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


PEOPLE = np.array([0, 0, 1, 1, 2])
VECTORS = rows((1, 0), (1, 0.01), (0, 1), (1, 0.05), (-1, 0))  # the second photograph of person 1 looks like person 0


def test_a_probe_that_looks_like_somebody_else_misses_at_rank_1_and_hits_at_rank_10():
    found = evaluation.search(VECTORS, PEOPLE)
    assert (list(found.people), list(found.rank)) == ([0, 1], [1, 2])
    said = evaluation.identification(found, 3)
    assert (said.hit_at_rank[1], said.hit_at_rank[10], said.gallery, said.probes) == (0.5, 1.0, 3, 2)
    assert said.fnir_at_fpir[1e-2] == 0.5


def test_a_photograph_without_a_face_is_a_miss_and_not_left_out():
    vectors = VECTORS.copy()
    vectors[1] = 0
    found = evaluation.search(vectors, PEOPLE)
    assert evaluation.identification(found, 3).hit_at_rank[1] == 0
    genuine, impostor = evaluation.all_pairs(vectors, PEOPLE)
    assert min(genuine) == evaluation.UNSEEN
    assert (len(genuine), len(impostor)) == (2, 8)


def test_an_equal_score_of_a_stranger_counts_against_us():
    assert list(evaluation.search(rows((1, 0), (1, 0), (1, 0)), np.array([0, 1, 0])).rank) == [2]


def test_the_interval_holds_the_figure_and_widens_with_fewer_people():
    rng = np.random.default_rng(1)

    def made(people: int) -> evaluation.Searched:
        n = people * 3
        miss = rng.random(n) < 0.2
        return evaluation.Searched(np.repeat(np.arange(people), 3), 1 - miss, 1 + miss, np.zeros(n))

    few, many = (
        evaluation.with_interval(made(n), lambda s: float((s.rank > 1).mean()), rounds=200) for n in (20, 2000)
    )
    assert few.low <= few.value <= few.high
    assert many.high - many.low < (few.high - few.low) / 4


def test_a_measure_that_predicts_error_makes_the_curve_fall():
    quality = np.arange(100.0)
    error = quality < 10
    curve = evaluation.error_versus_discard(quality, error, (0.0, 0.05, 0.1, 0.5))
    assert curve == pytest.approx([0.1, 5 / 95, 0, 0])
    assert evaluation.error_versus_discard(-quality, error, (0.0, 0.5)) == pytest.approx([0.1, 0.2])


def test_groups_share_one_threshold():
    found = evaluation.Searched(
        np.array([0, 1, 2]), np.array([0.9, 0.3, 0.8]), np.array([1, 4, 1]), np.array([0.1, 0.6, 0.2])
    )
    said = evaluation.by_group(found, {0: "a", 1: "b", 2: "a"}, 0.5)
    assert said == {"a": (2, 0.0, 0.0, 0.0), "b": (1, 1.0, 1.0, 1.0)}


def test_lfws_own_list_of_pairs_is_read(tmp_path):
    paths = [tmp_path / person / f"{person}_{n:04d}.jpg" for person in ("Ann", "Bob") for n in (1, 2)]
    file = tmp_path / "pairs.txt"
    file.write_text("2\t1\nAnn\t1\t2\nAnn\t2\tBob\t1\nBob\t1\t2\nAnn\t1\tBob\t2\n")
    read = dataset.read_pairs(file, paths)
    assert (list(read.a), list(read.b), list(read.same)) == ([0, 1, 2, 0], [1, 2, 3, 3], [True, False, True, False])
    assert list(read.fold) == [0, 0, 1, 1]  # its own folds, as published figures are made


@pytest.mark.parametrize(
    ("text", "expected"), [("1", True), ("true", True), ("Yes", True), ("0", False), ("no", False)]
)
def test_whether_two_are_the_same_is_said_in_several_ways(tmp_path, text, expected):
    file = tmp_path / "pairs.CSV"
    file.write_text(f"a,b,same\nAnn/1.jpg,Bob/1.jpg,{text}\n")
    read = dataset.read_pairs(file, [tmp_path / "Ann" / "1.jpg", tmp_path / "Bob" / "1.jpg"])
    assert list(read.same) == [expected]
    assert read.fold is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b,same\nAnn_0001.jpg,Zoe_0001.jpg,0\n", "line 2: there is no photograph Zoe_0001.jpg"),
        ("a,b,same\n", "no pairs"),
        ("a,b,same\nAnn_0001.jpg,Ann_0001.jpg,maybe\n", "line 2: same is 'maybe', neither 1 nor 0"),
        ("a,b,same,fold\nAnn_0001.jpg,Ann_0001.jpg,1,x\n", "line 2: fold 'x' is not a number"),
        ("a,b,same\nAnn_0001.jpg,\xff,1\n", "there is no photograph"),
        ("left,right\nAnn_0001.jpg,Zoe_0001.jpg\n", "no columns a, b and same"),
        ("", "no columns a, b and same"),
    ],
)
def test_a_list_of_pairs_that_does_not_fit_is_refused_with_its_line(tmp_path, text, said):
    file = tmp_path / "pairs.csv"
    file.write_text(text)
    with pytest.raises(DatasetError, match=said):
        dataset.read_pairs(file, [tmp_path / "Ann" / "Ann_0001.jpg"])


def test_a_name_that_several_photographs_have_is_asked_about(tmp_path):
    file = tmp_path / "pairs.csv"
    file.write_text("a,b,same\n1.jpg,Bob/1.jpg,0\n")
    with pytest.raises(DatasetError, match=r"line 2: several photographs are called 1\.jpg; name the folder"):
        dataset.read_pairs(file, [tmp_path / "Ann" / "1.jpg", tmp_path / "Bob" / "1.jpg"])


@pytest.mark.parametrize("same", [[True] * 4, [False] * 4, [True]])
def test_pairs_that_tell_nothing_give_no_figure(same):
    with pytest.raises(ValueError, match="kind"):
        evaluation.verification(np.linspace(0, 1, len(same)), np.array(same))


def evaluated(cast_folder, cache, *argv):
    return CliRunner().invoke(evaluate.app, ["--data", str(cast_folder), "--cache", str(cache), *argv])


def test_what_cannot_be_written_is_said_before_the_work(cast_folder, cache, tmp_path):
    (tmp_path / "file").write_text("")
    for option, where in (("--json", tmp_path), ("--html", tmp_path / "no" / "e.html"), ("--plots", tmp_path / "file")):
        ran = evaluated(cast_folder, cache, option, str(where))
        assert ran.exit_code == 2, ran.output
        assert "nothing was evaluated" in " ".join(ran.output.split())
        assert "measuring" not in ran.output


@pytest.mark.parametrize("argv", [("--degraded", "-1"), ("--workers", "-2"), ("--provider", "abacus")])
def test_an_option_that_means_nothing_is_refused(cast_folder, cache, argv):
    assert evaluated(cast_folder, cache, *argv).exit_code == 2


def test_a_set_in_which_nobody_has_two_photographs_is_said_in_a_line(cast_folder, cache, tmp_path):
    for folder in sorted(cast_folder.iterdir())[:2]:
        (tmp_path / folder.name).mkdir()
        shutil.copy(next(folder.iterdir()), tmp_path / folder.name)
    (tmp_path / "Ann").mkdir()
    (tmp_path / "Ann" / "dir.jpg").mkdir()  # a folder by a photograph's name
    ran = evaluated(tmp_path, cache, "--workers", "1")
    assert (ran.exit_code, "Nobody there has two photographs" in " ".join(ran.output.split())) == (2, True)


@pytest.mark.parametrize("text", ["{", "[1]", '{"pack": "x"}'])
def test_a_pack_that_says_nothing_of_itself_is_named(cast_folder, cache, tmp_path, text):
    (tmp_path / "pack.json").write_text(text)
    ran = evaluated(cast_folder, cache, "--pack", str(tmp_path))
    assert (ran.exit_code, "pack.json" in ran.output.replace("\n", "")) == (2, True), ran.output


def test_the_command_writes_table_json_plots_and_report(cast_folder, cache, tmp_path):
    out, plots, page, sheet = tmp_path / "e.json", tmp_path / "plots", tmp_path / "e.html", tmp_path / "e.pdf"
    argv = ["--data", str(cast_folder), "--json", str(out), "--plots", str(plots), "--html", str(page)]
    argv += ["--pdf", str(sheet)]
    ran = CliRunner().invoke(evaluate.app, [*argv, "--degraded", "2", "--cache", str(cache)])
    assert ran.exit_code == 0, ran.output
    figures = json.loads(out.read_text())
    assert figures["undetected"] == 0
    assert figures["identification"]["rank1"] == 1.0
    assert set(figures["degradation"]) == set(degradation.WAYS)
    assert {"pose", "light", "occlusion"} <= set(figures["degradation"])
    assert {"unoccluded", "little compressed", "no raster"} <= set(figures["error_versus_discard"])
    for rank in (1, 10, 20, 50):
        low, high = figures["identification"][f"fnir_rank{rank}_95"]
        assert low <= figures["identification"][f"fnir_rank{rank}"] <= high
    assert "identification.rank1" in ran.output
    assert (plots / "scores.png").read_bytes().startswith(b"\x89PNG")
    assert "never an identification" in page.read_text()
    read = pypdfium2.PdfDocument(sheet)
    said = " ".join(" ".join(page.get_textpage().get_text_range() for page in read).split())
    for exactly in (figures["model"]["sha256"], figures["data_sha256"]):
        assert exactly in said.replace(" ", "")
        assert exactly in page.read_text()
    assert figures["data_sha256"] == dataset.digest(dataset.photographs(cast_folder))
    for of_a_plot in (
        "By gallery size",
        "Error versus discard",
        "FNIR at FPIR 1e-2 (95 % interval)",
        "1+mirrored+retried",
    ):
        assert of_a_plot in said
    assert "never an identification" in said
    images = [one for page in read for one in page.get_objects() if one.type == pypdfium2.raw.FPDF_PAGEOBJ_IMAGE]
    assert len(images) == len(list(plots.glob("*.png")))


def test_rates_by_group_and_how_far_groups_are_apart_come_from_a_labelled_list(cast_folder, cache, tmp_path):
    people = sorted(folder.name for folder in cast_folder.iterdir())
    labels, out, page = tmp_path / "groups.csv", tmp_path / "e.json", tmp_path / "e.html"
    rows = [f"{person},{'women' if at % 2 else 'men'}" for at, person in enumerate(people[:-1])]
    labels.write_text("\n".join(["person,group", *rows, "Nobody,men", f"{people[-1]},"]) + "\n")
    argv = ["--data", str(cast_folder), "--groups", str(labels), "--json", str(out), "--html", str(page)]
    ran = CliRunner().invoke(evaluate.app, [*argv, "--cache", str(cache)])
    assert ran.exit_code == 0, ran.output
    figures = json.loads(out.read_text())
    assert set(figures["groups"]) == {"men", "women"}
    probes = {group: row["probes"] for group, row in figures["groups"].items()}
    assert sum(probes.values()) < figures["identification"]["probes"]  # the unlabelled person is in neither
    for row in figures["groups"].values():
        assert 0 <= row["fpir_95"][0] <= row["fpir"] <= row["fpir_95"][1] <= 1
        assert row["fnir_rank1"] == 0.0
    assert figures["group_differentials"]["fnir_rank1_times_lowest"] is None
    assert "group_differentials.fpir_highest" in ran.output
    assert "<td>women" in page.read_text()


def test_how_far_groups_are_apart_is_the_highest_rate_by_the_lowest():
    assert evaluation.differential({"a": 0.02, "b": 0.06, "c": 0.03}) == ("b", pytest.approx(3.0))
    assert evaluation.differential({"a": 0.0, "b": 0.06}) == ("b", None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,group\nAnn,a\n", "no columns person and group"),
        ("", "no columns person and group"),
        ("person,group\nZoe,a\n", "names nobody"),
        ("person,group\nAnn,a\nAnn,b\n", "line 3: Ann is in two groups"),
    ],
)
def test_a_list_of_groups_that_does_not_fit_is_refused_with_a_sentence(tmp_path, text, said):
    file = tmp_path / "groups.csv"
    file.write_text(text)
    with pytest.raises(DatasetError, match=said):
        dataset.read_groups(file, ["Ann", "Bob"])


def test_a_folder_without_photographs_is_said_in_a_line(tmp_path, cache):
    ran = CliRunner().invoke(evaluate.app, ["--data", str(tmp_path), "--cache", str(cache)])
    assert ran.exit_code == 2
