"""Figures from frames, without files."""

from __future__ import annotations

import pytest

import layerscope as ls
from layerscope.errors import UsageError
from layerscope.plotting import RunTables


def test_a_frame_becomes_a_figure_as_wide_as_asked_for(small_run):
    frame = RunTables.load(small_run, ["CDNV"]).frames["CDNV"]
    figure = ls.figures.draw("cdnv", frame, title="mine", columns=2)
    assert figure.get_size_inches()[0] == pytest.approx(7.2)
    assert "mine" in figure.texts[0].get_text()


def test_a_figure_of_several_tables_asks_for_their_names(small_run):
    frame = RunTables.load(small_run, ["CDNV"]).frames["CDNV"]
    with pytest.raises(UsageError, match="drawn from several tables; give them by name: Traces, CDNV"):
        ls.figures.draw("Summary", frame)


def test_any_number_of_a_table_over_layers_and_epochs(small_run):
    frame = RunTables.load(small_run, ["NC1"]).frames["NC1"]
    axes = ls.figures.layer_epoch(frame, {"statistic": "quotient"}, split="test", log=True).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["0", "5", "10"]
    with pytest.raises(UsageError, match="no row of split ood"):
        ls.figures.layer_epoch(frame, split="ood")
