"""The folder ``figures`` of a matrix."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from layerscope.errors import UsageError
from layerscope.plotting import NCPlotter
from layerscope.plotting.matrix import plots
from layerscope.plotting.matrix.plots import MatrixPlots
from layerscope.plotting.matrix.registry import MATRIX_FIGURES

NAMES = ["CDNV_profile", "Correlations"]


@pytest.fixture
def base(tmp_path, synthetic_runs):
    return synthetic_runs(tmp_path / "study")


def test_figures_are_drawn_once_and_again_when_a_table_or_the_set_of_runs_changes(base):
    written = NCPlotter.plot_matrix(base, NAMES)
    assert {path.name for path in written} == {
        *("CDNV_profile.pdf", "CDNV_profile.png", "Correlations.pdf", "Correlations.png", "Correlations.csv")
    }
    assert NCPlotter.plot_matrix(base, NAMES) == []
    (base / "figures" / "CDNV_profile.pdf").unlink()
    assert len(NCPlotter.plot_matrix(base, NAMES)) == 2
    (base / "lr_0.2" / "run_1" / "measurements" / "CDNV.csv").unlink()
    assert {path.stem for path in NCPlotter.plot_matrix(base, NAMES)} == {"CDNV_profile", "Correlations"}
    assert len(NCPlotter.plot_matrix(base, ["CDNV_profile"], force=True)) == 2


def test_the_table_of_correlations_is_written_beside_its_figure(base):
    NCPlotter.plot_matrix(base, ["correlations"])
    table = pd.read_csv(base / "figures" / "Correlations.csv")
    assert set(table["target"]) == {"test_accuracy", "gap"}
    assert set(table["n"]) == {4}


def test_what_cannot_be_drawn_is_left_out_and_not_tried_again(base, monkeypatch):
    few = ("CDNV_accuracy", "Screening", "DSE_profile", "DriftMap", "ETF_by_depth")
    depth = replace(MATRIX_FIGURES["DSE_profile"], needs=("ETF",), source={"quantity": "DSE"})
    known = {**MATRIX_FIGURES, "ETF_by_depth": depth}
    monkeypatch.setattr(plots, "MATRIX_FIGURES", {name: known[name] for name in few})
    assert {path.stem for path in MatrixPlots(base).draw()} == {"CDNV_accuracy", "Screening"}
    monkeypatch.setattr(MatrixPlots, "_draw", None)
    assert MatrixPlots(base).draw() == []


def test_a_named_figure_that_cannot_be_drawn_says_why(base, caplog):
    with pytest.raises(UsageError, match="DSE_profile cannot be drawn: no run has the tables it needs: DSE"):
        NCPlotter.plot_matrix(base, ["DSE_profile"])
    NCPlotter.plot_matrix(base, ["DSE_profile", "CDNV_profile"])
    assert "DSE_profile is not drawn: no run has the tables it needs: DSE" in caplog.text
    with pytest.raises(UsageError, match="there is no figure 'CDNV_profil': did you mean CDNV_profile"):
        NCPlotter.plot_matrix(base, ["CDNV_profil"])
    with pytest.raises(UsageError, match="there is no run below"):
        NCPlotter.plot_matrix(base.parent / "elsewhere")


def test_a_damaged_table_of_one_run_is_named_and_the_others_are_drawn(base, caplog):
    path = base / "lr_0.1" / "run_0" / "measurements" / "CDNV.csv"
    path.write_bytes(path.read_bytes()[:-40])
    assert len(NCPlotter.plot_matrix(base, ["CDNV_profile"])) == 2
    assert "lr_0.1/run_0" in caplog.text


def test_figures_of_damaged_estimates_are_refused(base):
    (base / "estimators.csv").write_text("estimator,dimension\nKSG,20\n")
    with pytest.raises(
        UsageError, match="Estimators cannot be drawn: the table of estimators lacks the columns"
    ):
        NCPlotter.plot_matrix(base, ["Estimators"])
