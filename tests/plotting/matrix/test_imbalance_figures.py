"""Tables and figures over the runs of a small group: two factors, two repetitions, one epoch."""

from __future__ import annotations

import pandas as pd
import pytest

from layerscope.config import load_matrix
from layerscope.errors import UsageError
from layerscope.plotting.matrix import imbalance, imbalance_curves
from layerscope.plotting.matrix.imbalance_groups import FIGURES, report
from layerscope.plotting.matrix.imbalance_table import imbalance_table, label_of, labels_of, last_epochs
from layerscope.plotting.matrix.registry import MATRIX_FIGURES
from layerscope.run import Run

MATRIX = """
Model: {model-name: mlp_small, embedding-layers: [^fc], classifier-bias: False}
Data: {dataset-id: digits, batch-size: 256, subset: 300, imbalance: {factor: None}}
Optimizer: {loss: celoss, lr: 0.05, epochs: 1}
Logging: {save-dir: unused, log-epochs: [0], trackers: []}
Measurements: {measures: Imbalance, splits: [train, test]}
Matrix:
  Data: {imbalance: {factor: [1, 0.1]}}
  Run: {run: [0, 1]}
"""


@pytest.fixture(scope="module")
def group(tmp_path_factory):
    base = tmp_path_factory.mktemp("group")
    (base / "m.yaml").write_text(MATRIX)
    for cell in load_matrix(base / "m.yaml"):
        run = Run(cell.config, base / "exp02_test" / cell.name, cell.name, cell.axes)
        run.train(device="cpu")
        run.measure(device="cpu")
    return base / "exp02_test"


@pytest.fixture(scope="module")
def table(group):
    return imbalance_table(group)


def test_every_run_and_kept_epoch_has_a_row_with_its_place_in_the_matrix(table):
    assert len(table) == 4 * 2
    assert sorted(table["Data.imbalance.factor"].unique()) == [0.1, 1.0]
    assert sorted(table["epoch"].unique()) == [0, 1]
    assert sorted(table["label"].unique()) == ["factor_0.1", "factor_1"]
    assert len(last_epochs(table)) == 4


def test_the_numbers_are_those_of_the_tables(group, table):
    run = Run.open(group / "factor_0.1" / "run_1")
    drift, recall = run.tables.read("Drift"), run.tables.read("GroupAccuracy")
    row = table[(table["run"] == "factor_0.1/run_1") & (table["epoch"] == 1)].iloc[0]
    chosen = drift[(drift["epoch"] == 1) & (drift["split"] == "train") & (drift["statistic"] == "norm")]
    assert row["drift"] == chosen["value"].item()
    chosen = recall[(recall["epoch"] == 1) & (recall["split"] == "test") & (recall["rule"] == "thirds")]
    assert row["tail"] == chosen[chosen["group"] == "tail"]["value"].item()


def test_a_balanced_run_has_no_gap(table):
    balanced = table["Data.imbalance.factor"] == 1
    assert (table[balanced]["gap"] == 0).all()
    assert (table[~balanced]["gap"] > 0).all()


def test_the_report_draws_its_figures_and_prints_the_fit(group):
    text = report(group, "exp02_test")
    assert "R² = " in text
    names = {path.stem for path in (group / "figures").iterdir()}
    assert names == {"DriftScaling", "DriftEpochs", "DriftLayers", "DriftTail", ".drawn"}


@pytest.mark.parametrize(
    "draw",
    [
        lambda table: imbalance.by_category(table, "x"),
        lambda table: imbalance.by_category(table, "x", accuracies=imbalance.SHOTS),
        lambda table: imbalance_curves.against(table, "x", axis="Run.run"),
        lambda table: imbalance.heat_map(table, "x", rows="Run.run", columns="label"),
        lambda table: imbalance.over_epochs(table, "x", hue="label"),
    ],
    ids=["losses", "shots", "against", "map", "epochs"],
)
def test_every_kind_of_figure_has_a_panel_with_something_in_it(draw, table):
    for axes in draw(table).axes:
        assert axes.lines or axes.patches or axes.collections


def test_bars_are_as_high_as_the_mean_over_repetitions(table):
    accuracy, _ = imbalance.by_category(table, "x", accuracies=("overall",)).axes
    expected = last_epochs(table).groupby("label", sort=False)["overall"].mean()
    assert [bar.get_height() for bar in accuracy.patches] == pytest.approx(expected.tolist())


def test_every_group_has_a_figure_of_its_own():
    assert list(FIGURES) == [f"exp{number:02d}" for number in range(1, 11)]
    numbers = {number for name in FIGURES.values() for number in MATRIX_FIGURES[name].number.split(", ")}
    assert numbers == {f"F{n}" for n in range(33, 43)}


def test_an_unknown_group_and_unmeasured_runs_are_refused(group, tmp_path):
    with pytest.raises(UsageError, match="'mine' is not a group; they begin with exp01"):
        report(group, "mine")
    with pytest.raises(UsageError, match="there is no run below"):
        report(tmp_path, "exp02_small")


@pytest.mark.parametrize(
    ("run", "label"),
    [("losses/loss_celoss/run_2", "celoss"), ("smoothing/run_0", "smoothing"), ("run_3", "run_3")],
)
def test_a_label_leaves_the_repetition_out(run, label):
    assert label_of(run) == label


def test_labels_of_runs_of_several_kinds_name_their_axes():
    places = [(model, factor) for model in ("mlp_single", "mlp_small") for factor in (1.0, 0.02)]
    runs = pd.DataFrame(places, columns=["Model.model-name", "Data.imbalance.factor"])
    runs.insert(0, "run", [f"{model}/factor_{factor}/run_0" for model, factor in places])
    assert labels_of(runs)[:2] == ["mlp_single · factor 1", "mlp_single · factor 0.02"]
