"""All runs of a folder as one frame: exact, complete, and honest about what is missing."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from layerscope.config import dump_yaml, parse_config
from layerscope.errors import UsageError
from layerscope.experiment import Experiment
from layerscope.results import Catalogue, TableStore
from layerscope.results.rows import LATER, RESULT

MATRIX = """\
Model: {model-name: mlp_single, embedding-layers: [fc]}
Data: {dataset-id: digits, batch-size: 512, subset: 512}
Optimizer: {lr: 0.1, epochs: 2}
Logging: {save-dir: SAVE, log-epochs: [0, 2], trackers: []}
Measurements: {measures: [CDNV, NCC, WeightSVs, Accuracy]}
Matrix:
  Optimizer: {lr: [0.1, 0.01]}
  Run: {run: [0, 1]}
"""
RUNS = ["lr_0.01/run_0", "lr_0.01/run_1", "lr_0.1/run_0", "lr_0.1/run_1"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs of a small matrix, trained and measured."""
    base = tmp_path_factory.mktemp("catalogue")
    path = base / "matrix.yaml"
    path.write_text(MATRIX.replace("SAVE", str(base / "logs")), encoding="utf-8")
    experiment = Experiment.from_yaml(path, matrix=True)
    outcomes = [*experiment.train(), *experiment.measure()]
    assert [outcome.error for outcome in outcomes] == [None] * 8
    return base / "logs"


@pytest.fixture
def logs(trained: Path, tmp_path: Path) -> Path:
    """The same runs, to be damaged."""
    return Path(shutil.copytree(trained, tmp_path / "logs"))


def row(layer: int = 0, value: float = 0.5, **more: Any) -> dict[str, Any]:
    place = {"split": "train", "layer_name": f"fc{layer}", "layer_index": layer}
    result = {"value": value, "error": None, "ceiling": None, "status": "ok", "unit": "1"}
    taken = {"weighting": "balanced", "where": "input", "reduce": "flatten"}
    sizes = {"samples": 100, "classes": 10, "dim": 64}
    return {**place, "statistic": "mean", **result, **taken, **sizes} | more


def made(folder: Path, rows: dict[int, list[dict[str, Any]]], **sections: dict[str, Any]) -> Path:
    """A run with a table of CDNV, without the training."""
    tree = {
        "Model": {"model-name": "mlp_single"},
        "Data": {"dataset-id": "digits"},
        "Optimizer": {"lr": 0.1, "epochs": 2},
        "Logging": {"save-dir": "logs"},
    }
    config = parse_config(
        {name: {**tree.get(name, {}), **sections.get(name, {})} for name in {*tree, *sections}}
    )
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(dump_yaml(config.resolved()), encoding="utf-8")
    for epoch, content in rows.items():
        TableStore(folder / "measurements").replace("CDNV", epoch, content, "key")
    (folder / "measurements").mkdir(exist_ok=True)
    return folder


def hexes(values: Any) -> list[str]:
    return [float(value).hex() for value in values]


@pytest.mark.parametrize("measure", ["CDNV", "NCC", "WeightSVs", "Accuracy"])
def test_a_table_holds_the_rows_of_every_run_bit_for_bit(trained, measure):
    frame = Catalogue(trained).table(measure)
    for name in RUNS:
        own = TableStore(trained / name / "measurements").read(measure)
        rows = frame[frame["run"] == name]
        assert hexes(rows["value"]) == hexes(own["value"])
        for column in own.columns.drop("value"):
            assert rows[column].astype(str).tolist() == own[column].astype(str).tolist(), column
    assert len(frame) == sum(len(TableStore(trained / name / "measurements").read(measure)) for name in RUNS)


def test_the_axes_of_the_matrix_are_columns(trained):
    catalogue = Catalogue(trained)
    assert catalogue.axes == ["Optimizer.lr", "Run.run"]
    assert catalogue.runs.to_dict("list") == {
        "run": RUNS,
        "Optimizer.lr": [0.01, 0.01, 0.1, 0.1],
        "Run.run": [0, 1, 0, 1],
    }
    frame = catalogue.table("CDNV")
    assert list(frame.columns[:4]) == ["run", "Optimizer.lr", "Run.run", "epoch"]
    assert (frame["Optimizer.lr"] == frame["run"].astype(str).str.split("[_/]").str[1].astype(float)).all()


def test_columns_have_the_types_one_computes_with(trained):
    frame = Catalogue(trained).table("WeightSVs")
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == {
        **{"run": "category", "Optimizer.lr": "float64", "Run.run": "int64"},
        **{"epoch": "int64", "split": "category", "layer_name": "category", "layer_index": "int64"},
        **{"sigma_index": "int64", "scale": "category", "value": "float64", "error": "float64"},
        **{"ceiling": "float64", "status": "category", "reason": "category", "unit": "category"},
        **{"weighting": "category", "where": "category", "reduce": "category"},
        **{"samples": "Int64", "classes": "Int64", "singletons": "Int64", "dim": "Int64"},
    }


def test_values_at_the_edge_come_back_bit_for_bit(tmp_path):
    values = [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, -0.0, math.inf, -math.inf, 1e-17, math.nan]
    made(tmp_path / "a", {0: [row(layer, value) for layer, value in enumerate(values)]})
    frame = Catalogue(tmp_path).table("CDNV")
    assert hexes(frame["value"]) == hexes(values)


def test_names_that_look_like_missing_values_or_numbers_stay_text(tmp_path):
    names = ["0", "null", "nan", "NA", "True", 'odd,"name"']
    made(tmp_path / "a", {0: [row(i, layer_name=name) for i, name in enumerate(names)]})
    assert Catalogue(tmp_path).table("CDNV")["layer_name"].tolist() == names


def test_a_qualifier_that_is_missing_somewhere_is_missing_there(tmp_path):
    made(tmp_path / "a", {0: [row(rank=2), row(1, rank=None)]}, Run={"run": 0})
    made(tmp_path / "b", {0: [row(scale=0.5), row(1, scale=-1)]}, Run={"run": 1})
    frame = Catalogue(tmp_path).table("CDNV")
    assert frame["run"].tolist() == ["a", "a", "b", "b"]
    assert frame["rank"].tolist() == [2, pd.NA, pd.NA, pd.NA]
    assert str(frame["rank"].dtype) == "Int64"
    assert frame["scale"].isna().tolist() == [True, True, False, False]
    assert frame["scale"].tolist()[2:] == [0.5, -1.0]


def test_runs_are_chosen_by_their_configs(trained):
    frame = Catalogue(trained).table("CDNV", where={"optimizer": {"LR": 1e-2}, "Run": {"run": [1, 7]}})
    assert set(frame["run"]) == {"lr_0.01/run_1"}
    with pytest.raises(UsageError, match=r"none of the 4 runs .* Run\.run is 0 or 1"):
        Catalogue(trained).table("CDNV", where={"Run": {"run": 2}})


def test_columns_are_chosen_by_name(trained):
    frame = Catalogue(trained).table("CDNV", columns=["layer_index", "value"])
    assert list(frame.columns) == ["run", "Optimizer.lr", "Run.run", "layer_index", "value"]
    whole = Catalogue(trained).table("CDNV")
    assert hexes(frame["value"]) == hexes(whole["value"])
    with pytest.raises(UsageError, match="there is no column 'layer_indx'; did you mean 'layer_index'"):
        Catalogue(trained).table("CDNV", columns=["layer_indx"])


@pytest.mark.parametrize(("epochs", "found"), [("last", [2]), (0, [0]), ([0, 2], [0, 2]), (None, [0, 2])])
def test_epochs_are_chosen_before_anything_else_is_read(trained, epochs, found):
    frame = Catalogue(trained).table("CDNV", epochs=epochs)
    assert frame["epoch"].unique().tolist() == found
    whole = Catalogue(trained).table("CDNV")
    assert hexes(frame["value"]) == hexes(whole[whole["epoch"].isin(found)]["value"])


def test_a_run_that_has_not_reached_its_end_is_named_not_mixed_in(tmp_path, caplog):
    made(tmp_path / "done", {0: [row()], 2: [row()]}, Run={"run": 0})
    made(tmp_path / "going", {0: [row()], 1: [row()]}, Run={"run": 1})
    catalogue = Catalogue(tmp_path)
    assert catalogue.table("CDNV", epochs="last")["run"].tolist() == ["done"]
    assert [str(problem) for problem in catalogue.problems] == [
        f"{tmp_path / 'going'}: CDNV: no rows of epoch 2"
    ]
    assert "going: CDNV: no rows of epoch 2" in caplog.text


def test_repetitions_become_mean_deviation_and_number(trained):
    catalogue = Catalogue(trained)
    whole = catalogue.table("CDNV")
    frame = catalogue.table("CDNV", over="Run.run")
    assert len(frame) * 2 == len(whole)
    assert list(frame.columns) == [
        *("Optimizer.lr", "epoch", "split", "layer_name", "layer_index", "statistic"),
        *("unit", "weighting", "where", "reduce"),
        *("mean", "std", "n"),
    ]
    one = whole[(whole["run"] == "lr_0.1/run_0")]["value"].to_numpy()
    other = whole[(whole["run"] == "lr_0.1/run_1")]["value"].to_numpy()
    mine = frame[frame["Optimizer.lr"] == 0.1]
    assert mine["mean"].tolist() == pytest.approx(((one + other) / 2).tolist(), rel=1e-14)
    assert mine["std"].tolist() == pytest.approx((abs(one - other) / math.sqrt(2)).tolist(), rel=1e-9)
    assert set(frame["n"]) == {2}


def test_undefined_values_do_not_count_among_repetitions(tmp_path):
    for run, value in enumerate([1.0, 3.0, math.nan]):
        status = "undefined" if math.isnan(value) else "ok"
        made(tmp_path / str(run), {0: [row(value=value, status=status)]}, Run={"run": run})
    frame = Catalogue(tmp_path).table("CDNV", over="Run.run")
    assert frame[["mean", "std", "n"]].to_numpy().tolist() == [[2.0, math.sqrt(2), 2.0]]


def test_a_single_repetition_has_no_deviation(tmp_path):
    made(tmp_path / "a", {0: [row(value=3.0)]})
    frame = Catalogue(tmp_path).table("CDNV", over=["Run.run", "Run.seed"])
    assert frame["mean"].tolist() == [3.0]
    assert frame["std"].isna().all()
    assert frame["n"].tolist() == [1]


def test_an_unknown_axis_is_named(trained):
    with pytest.raises(UsageError, match=r"no axis 'Data.dataset'; known are: Optimizer\.lr, Run\.run"):
        Catalogue(trained).table("CDNV", over="Data.dataset")


def test_the_same_run_twice_is_no_repetition(logs):
    shutil.copytree(logs / RUNS[0], logs / "again" / RUNS[0])
    assert set(Catalogue(logs).table("CDNV")["run"]) == {*RUNS, f"again/{RUNS[0]}"}
    with pytest.raises(UsageError, match=r"again/lr_0.01/run_0 and lr_0.01/run_0 .* differ in no setting"):
        Catalogue(logs).table("CDNV", over="Run.run")


def test_a_missing_a_damaged_and_an_edited_table_are_named(logs, caplog):
    (logs / RUNS[0] / "measurements/CDNV.csv").unlink()
    torn = logs / RUNS[1] / "measurements/CDNV.csv"
    torn.write_bytes(torn.read_bytes()[:-20])
    edited = logs / RUNS[2] / "measurements/CDNV.csv"
    edited.write_bytes(edited.read_bytes().replace(b"0,test,", b"0,train,", 1))
    catalogue = Catalogue(logs)
    assert set(catalogue.table("CDNV")["run"]) == {RUNS[3]}
    found = [str(problem) for problem in catalogue.problems]
    assert found[0] == f"{logs / RUNS[0]}: CDNV: not there"
    assert "the rows of epoch 2 are not those that were written" in found[1]
    assert "the rows of epoch 0 are not those that were written" in found[2]
    assert len(found) == 3
    assert all(name in caplog.text for name in RUNS[:3])


def test_a_damaged_list_of_tables_is_named(logs):
    path = logs / RUNS[0] / "measurements/manifest.json"
    path.write_bytes(path.read_bytes()[:100])
    catalogue = Catalogue(logs)
    assert set(catalogue.table("CDNV")["run"]) == {*RUNS[1:]}
    assert "it is not a list of measured epochs" in str(catalogue.problems[0])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "columns epoch"),
        (b"a,b\n1,2\n", "columns epoch"),
        (b"\x00\xff\xfe", "codec"),
        (b"HEADER\n0,train\n", "Expected 16 columns"),
        (b"HEADER\n0,train,fc,0,mean,much,,,ok,1,balanced,,,1,1,1\n", "invalid value"),
        (b"HEADER\n0,train,fc,0,mean,,,,ok,1,balanced,,,1,1,1\n", "column value has empty cells"),
        (b"HEADER\n\n0,train,fc,0,mean,1,,,ok,1,balanced,,,1,1,1\n", "column epoch has empty cells"),
        (b'HEADER\n0,train,"f\nc",0,mean,1,,,ok,1,balanced,,,1,1,1\n', "rows"),
    ],
)
def test_a_table_from_elsewhere_that_is_none_is_named(tmp_path, content, why):
    result = [name for name in RESULT if name not in LATER]
    header = ",".join(["epoch", "split", "layer_name", "layer_index", "statistic", *result])
    made(tmp_path / "good", {0: [row()]}, Run={"run": 0})
    bad = made(tmp_path / "bad", {}, Run={"run": 1})
    (bad / "measurements/CDNV.csv").write_bytes(content.replace(b"HEADER", header.encode()))
    catalogue = Catalogue(tmp_path)
    assert catalogue.table("CDNV")["run"].tolist() == ["good"]
    [problem] = catalogue.problems
    assert problem.source == str(bad)
    assert why in problem.message


def test_a_table_from_elsewhere_need_not_end_in_a_new_line(tmp_path):
    for number in range(3):
        folder = made(tmp_path / str(number), {0: [row(value=float(number))]}, Run={"run": number})
        (folder / "measurements/manifest.json").unlink()
        table = folder / "measurements/CDNV.csv"
        table.write_bytes(table.read_bytes().rstrip(b"\n") if number < 2 else table.read_bytes())
    assert Catalogue(tmp_path).table("CDNV")["value"].tolist() == [0.0, 1.0, 2.0]


def test_what_no_run_has_is_an_error_with_the_nearest_name(trained):
    catalogue = Catalogue(trained)
    assert catalogue.measures() == ["Accuracy", "CDNV", "NCC", "WeightSVs"]
    assert hexes(catalogue.table("cdnv")["value"]) == hexes(catalogue.table("CDNV")["value"])
    with pytest.raises(UsageError, match="has a table WeightSV; did you mean 'WeightSVs'"):
        catalogue.table("WeightSV")
    with pytest.raises(UsageError, match="there is no run below"):
        Catalogue(trained / "nowhere").table("CDNV")


def test_when_every_table_is_damaged_the_error_says_how(logs):
    for name in RUNS:
        (logs / name / "measurements/CDNV.csv").write_bytes(b"nothing")
    with pytest.raises(UsageError, match=r"none of 4 runs below .* has CDNV: .*lr_0.01/run_0: CDNV: damaged"):
        Catalogue(logs).table("CDNV")


def test_runs_without_a_matrix_are_told_apart_by_their_configs(tmp_path):
    made(tmp_path / "a", {0: [row()]}, Optimizer={"lr": 0.1}, Data={"num-workers": 2})
    made(
        tmp_path / "b", {0: [row()]}, Optimizer={"lr": 0.2, "lr-decay-steps": [1]}, Logging={"save-dir": "b"}
    )
    made(tmp_path / "c/d", {0: [row()]}, Model={"embedding-layers": ["fc", "^fc"]}, Run={"seed": 4})
    runs = Catalogue(tmp_path).runs
    assert runs["run"].tolist() == ["a", "b", "c/d"]
    assert runs["Optimizer.lr"].tolist() == [0.1, 0.2, 0.1]
    assert runs["Model.embedding-layers"].tolist() == ["True", "True", "[fc, ^fc]"]
    assert runs["Run.seed"].tolist() == [pd.NA, pd.NA, 4]
    assert set(runs.columns) == {
        *("run", "Optimizer.lr", "Optimizer.lr-decay-steps", "Model.embedding-layers", "Run.seed")
    }


def test_runs_of_two_matrices_are_told_apart_by_all_that_differs(logs, tmp_path):
    made(logs / "other", {0: [row()]}, Optimizer={"momentum": 0.5, "epochs": 2, "lr": 0.1})
    (logs / "other/run.json").write_text(json.dumps({"axes": {"Optimizer.momentum": 0.5}}), encoding="utf-8")
    assert {"Optimizer.lr", "Optimizer.momentum", "Run.run"} <= set(Catalogue(logs).axes)


def test_a_submatrix_is_an_axis_too(tmp_path):
    for name, lr in (("wide", 0.1), ("deep", 0.2)):
        folder = made(tmp_path / name, {0: [row()]}, Optimizer={"lr": lr})
        (folder / "run.json").write_text(json.dumps({"axes": {"exclusive": name}}), encoding="utf-8")
    assert Catalogue(tmp_path).runs.to_dict("list") == {
        "run": ["deep", "wide"],
        "exclusive": ["deep", "wide"],
    }
    (tmp_path / "wide/run.json").write_text("{", encoding="utf-8")
    runs = Catalogue(tmp_path).runs
    assert runs["Optimizer.lr"].tolist() == [0.2, 0.1]


def test_a_config_that_cannot_be_read_is_named(logs):
    (logs / RUNS[0] / "config.yaml").write_text("Model: [", encoding="utf-8")
    catalogue = Catalogue(logs)
    assert set(catalogue.table("CDNV", where={"Optimizer": {"lr": 0.01}})["run"]) == {RUNS[1]}
    assert [problem.source for problem in catalogue.problems] == [str(logs / RUNS[0] / "config.yaml")]
    assert set(catalogue.table("CDNV")["run"]) == set(RUNS)


def test_a_run_that_is_the_folder_itself_has_its_own_name(trained):
    catalogue = Catalogue(trained / RUNS[0])
    assert set(catalogue.table("CDNV")["run"]) == {"run_0"}
    assert catalogue.axes == ["Optimizer.lr", "Run.run"]


def test_the_logs_of_all_runs_are_one_frame(trained):
    frame = Catalogue(trained).log()
    assert list(frame.columns[:5]) == ["run", "Optimizer.lr", "Run.run", "epoch", "train_loss"]
    assert frame["epoch"].tolist() == [0, 1, 2] * 4
    own = pd.read_csv(trained / RUNS[2] / "log.csv", converters={"test_loss": float})
    assert hexes(frame[frame["run"] == RUNS[2]]["test_loss"]) == hexes(own["test_loss"])
    assert frame["train_loss"].isna().tolist() == [True, False, False] * 4
    last = Catalogue(trained).log(epochs="last", columns=["test_accuracy"])
    assert hexes(last["test_accuracy"]) == hexes(frame[frame["epoch"] == 2]["test_accuracy"])


def test_logs_are_averaged_over_repetitions(trained):
    frame = Catalogue(trained).log(over="Run.run", epochs=2)
    whole = Catalogue(trained).log(epochs=2)
    mean = whole.groupby("Optimizer.lr")["test_loss"].mean()
    assert frame["test_loss_mean"].tolist() == pytest.approx(mean.tolist())
    assert frame["test_loss_n"].tolist() == [2, 2]


def test_a_torn_log_is_named(logs):
    path = logs / RUNS[0] / "log.csv"
    path.write_bytes(path.read_bytes()[:-70])
    catalogue = Catalogue(logs)
    assert set(catalogue.log()["run"]) == set(RUNS[1:])
    assert catalogue.problems[0].source == str(logs / RUNS[0])


def test_accuracies_are_the_last_and_the_best(tmp_path):
    head = "epoch,train_loss,train_accuracy,test_loss,test_accuracy,lr,seconds,images_per_second\n"
    for run, accuracies in enumerate([(0.1, 0.9, 0.7), (0.2, 0.3, 0.8)]):
        folder = made(tmp_path / str(run), {}, Run={"run": run})
        rows = "".join(
            f"{epoch},1.0,{accuracy + 0.1},1.0,{accuracy},0.1,1.0,1.0\n"
            for epoch, accuracy in enumerate(accuracies)
        )
        (folder / "log.csv").write_text(head + rows, encoding="utf-8")
    frame = Catalogue(tmp_path).accuracies()
    assert frame.to_dict("list") == {
        "run": ["0", "1"],
        "Run.run": [0, 1],
        "epoch": [2, 2],
        "train_accuracy": [0.7 + 0.1, 0.8 + 0.1],
        "test_accuracy": [0.7, 0.8],
        "best_test_accuracy": [0.9, 0.8],
        "best_epoch": [1, 2],
    }
    over = Catalogue(tmp_path).accuracies(over="Run.run")
    assert over["epoch"].tolist() == [2]
    assert over["best_test_accuracy_mean"].tolist() == [pytest.approx(0.85)]
    assert over["test_accuracy_n"].tolist() == [2]


def test_csv_and_parquet_hold_the_same(trained, tmp_path):
    catalogue = Catalogue(trained)
    frame = catalogue.table("CDNV", epochs="last")
    csv = catalogue.to_csv("CDNV", tmp_path / "new/all.csv", epochs="last")
    parquet = catalogue.to_parquet("CDNV", tmp_path / "new/all.parquet", epochs="last")
    read = pd.read_parquet(parquet)
    read["reason"] = read["reason"].astype("category")  # without a category it comes back as objects
    pd.testing.assert_frame_equal(read, frame)
    read = pd.read_csv(csv, converters={"value": float})
    assert hexes(read["value"]) == hexes(frame["value"])
    assert read.astype(str).to_dict("list") == frame.astype(str).to_dict("list")
    log = catalogue.to_parquet("log", tmp_path / "log.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(log), catalogue.log())


def test_many_runs_are_read_alike_from_a_slow_file_system(tmp_path, monkeypatch):
    from layerscope.results import collect

    for number in range(150):
        made(tmp_path / f"{number:03d}", {0: [row(value=number / 7)]}, Run={"run": number})
    quick = Catalogue(tmp_path).table("CDNV")
    monkeypatch.setattr(collect, "_SLOW_SECONDS", 0.0)
    pd.testing.assert_frame_equal(Catalogue(tmp_path).table("CDNV"), quick)
    assert quick["value"].tolist() == [number / 7 for number in range(150)]


def test_tables_begun_before_some_columns_came_are_read_beside_others(tmp_path):
    older = row()
    newer = {**older, "reason": "rank", "singletons": 2}
    made(tmp_path / "older", {0: [older]}, Run={"run": 0})
    made(tmp_path / "newer", {0: [newer]}, Run={"run": 1})
    frame = Catalogue(tmp_path).table("CDNV").set_index("run")
    assert frame.loc["newer", "reason"] == "rank"
    assert frame.loc["newer", "singletons"] == 2
    assert frame.loc["older", ["reason", "singletons"]].isna().all()
