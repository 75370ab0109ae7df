"""What is on the figures: every value, the right colours, and nothing outside the page."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from layerscope.errors import UsageError
from layerscope.plotting import FIGURES, RunTables
from layerscope.plotting.drawing.style import FIRST_COLOUR, LAST_COLOUR, NC_COLOUR
from layerscope.plotting.run_tables import LOG

LAYERS = [f"block{index}.fc" for index in range(5)] + ["fc"]
RESNET = ["conv1", *(f"layer{s}.{b}.conv{i}" for s in range(1, 5) for b in range(2) for i in (1, 2)), "fc"]
DENSENET = [f"features.denseblock{1 + i // 15}.denselayer{i % 15 + 1}.conv1" for i in range(59)] + [
    "classifier"
]
MEASURED = ("Accuracy", "CDNV", "Traces", "NC1", "ETF", "NCC", "AngleBetweenSubspaces", "WeightSVs")
MANY = [0, 1, 2, 5, 10, 50, 350]


def load(folder: Path, title: str = "mlp · digits") -> RunTables:
    return RunTables.load(folder, (LOG, *MEASURED), title=title)


def draw(tables: RunTables, name: str) -> Figure:
    return FIGURES[name].draw(tables)


def laid_out(tables: RunTables, name: str) -> Figure:
    """The figure with every text at its place, which takes as long as drawing it."""
    figure = draw(tables, name)
    figure.draw_without_rendering()
    return figure


def data_lines(axes: Axes) -> list[Any]:
    return [
        line
        for line in axes.get_lines()
        if line.get_transform() == axes.transData and len(line.get_xdata()) > 2
    ]


def written(axes: Axes) -> list[Any]:
    """Every text of a panel that is drawn; tick labels beyond the limits are not."""
    low, high = sorted(axes.get_ylim())
    left, right = axes.get_xlim()
    names = zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
    numbers = zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)
    ticks = [label for place, label in names if left <= place <= right]
    ticks += [label for place, label in numbers if low <= place <= high]
    return [*ticks, *axes.texts, axes.xaxis.label, axes.yaxis.label, axes.title]


def texts_outside(figure: Figure) -> list[str]:
    """Texts that leave the page."""
    page = figure.bbox
    texts = [*figure.texts, *(text for legend in figure.legends for text in legend.get_texts())]
    texts += [text for axes in figure.axes for text in written(axes)]
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts if text.get_text()]
    return [
        text
        for text, box in boxes
        if box.x0 < page.x0 or box.x1 > page.x1 or box.y0 < page.y0 or box.y1 > page.y1
    ]


def overlapping_ticks(axes: Axes) -> bool:
    boxes = [label.get_window_extent() for label in axes.get_xticklabels() if label.get_text()]
    if any(label.get_rotation() for label in axes.get_xticklabels()):  # slanted lines of 0.09 inch
        return any(b.x1 - a.x1 < 12.7 for a, b in pairwise(boxes))
    return any(b.x0 <= a.x1 for a, b in pairwise(boxes))


@pytest.mark.parametrize(
    ("layers", "epochs", "names"),
    [
        (LAYERS[3:], MANY, ("Traces", "Overview")),
        (RESNET, [4], ("CDNV", "NCC")),
        (DENSENET, [0, 350], ("CDNV",)),
    ],
    ids=["3 layers", "18 layers", "60 layers"],
)
def test_nothing_leaves_the_page_or_covers_its_neighbour(synthetic, layers, epochs, names):
    tables = load(synthetic.write(layers, epochs, classes=100))
    for name in names:
        figure = laid_out(tables, name)
        assert texts_outside(figure) == [], name
        assert all(len(axes.get_xticklabels()) <= 15 for axes in figure.axes)
        assert not any(overlapping_ticks(axes) for axes in figure.axes), name


def test_a_line_shows_the_values_of_its_table(small_run):
    tables = load(small_run)
    axes = draw(tables, "CDNV_test").axes[0]
    rows = tables.rows("CDNV", split="test", statistic="mean", epoch=10)
    assert np.array_equal(data_lines(axes)[-1].get_ydata(), rows["value"])
    assert axes.get_yscale() == "log"


def test_epochs_are_all_shown_when_few_and_spread_when_many(synthetic):
    few = load(synthetic.write(LAYERS, [0, 3, 7]))
    assert few.epochs == (0, 3, 7)
    many = load(synthetic.write(LAYERS[:2], list(range(0, 24))))
    assert len(many.epochs) == 6
    assert (many.epochs[0], many.epochs[-1]) == (0, 23)
    lines = draw(many, "NC1").axes[0].get_lines()
    assert sum(line.get_marker() == "o" for line in lines) == 6


@pytest.mark.parametrize(
    "name", ["CDNV", "NC1_test", "Traces", "ETF", "NCC", "WeightSVs", "AngleBetweenSubspaces"]
)
def test_the_nc_layer_is_marked_on_every_panel(small_run, name):
    tables = load(small_run)
    assert tables.nc_layer is not None
    for axes in draw(tables, name).axes:
        marks = [line for line in axes.get_lines() if line.get_color() == NC_COLOUR]
        assert [list(mark.get_xdata()) for mark in marks] == [[tables.nc_layer.index] * 2]
        assert "NC layer" in [text.get_text() for text in axes.texts]


def test_without_cdnv_there_is_no_mark(small_run):
    (small_run / "measurements" / "CDNV.csv").unlink()
    axes = draw(load(small_run), "NC1").axes[0]
    assert not any(line.get_color() == NC_COLOUR for line in axes.get_lines())


def spoilt(layer: int, value: float, status: str) -> Any:
    def spoil(measure: str, row: dict[str, Any]) -> dict[str, Any]:
        hit = measure == "CDNV" and row["layer_index"] == layer and row["epoch"] == 10
        return {**row, "value": value, "status": status} if hit else row

    return spoil


@pytest.mark.parametrize(
    ("value", "status", "note"),
    [
        (math.nan, "undefined", "\N{MULTIPLICATION SIGN} undefined"),
        (math.inf, "infinite", "▲ infinite"),
        (0.0, "ok", "▼ zero or below"),
        (0.3, "degenerate", "○ degenerate"),
    ],
)
def test_values_without_a_place_are_marked_and_explained(synthetic, value, status, note):
    tables = load(synthetic.write(LAYERS, [0, 10], spoil=spoilt(3, value, status)))
    figure = draw(tables, "CDNV")
    axes = figure.axes[0]
    assert note in " ".join(text.get_text() for text in figure.texts)
    lone = [line for line in axes.get_lines() if list(line.get_xdata()) == [3.0]]
    assert len(lone) == 1
    if status != "degenerate":
        assert lone[0].get_transform() != axes.transData
        assert np.isnan(data_lines(axes)[-1].get_ydata()[3])


def test_one_note_names_every_reason_of_degenerate_values_and_counts_them(synthetic):
    reasons = {(0, 1): "singletons", (10, 1): "two_classes", (10, 2): "singletons+two_classes"}

    def spoil(measure: str, row: dict[str, Any]) -> dict[str, Any]:
        reason = reasons.get((row["epoch"], row["layer_index"])) if measure == "CDNV" else None
        return {**row, "reason": reason, "status": "degenerate" if reason else row["status"]}

    figure = draw(load(synthetic.write(LAYERS, [0, 10], spoil=spoil)), "CDNV")
    notes = " ".join(text.get_text() for text in figure.texts)
    assert notes.count("○") == 1
    assert "○ degenerate: singletons (2), two classes (2)" in notes


def test_layers_a_measure_skips_are_left_off_the_axis(synthetic):
    def skip(measure: str, row: dict[str, Any]) -> dict[str, Any]:
        if measure == "WeightSVs" and row["layer_index"] in (1, 3):
            return {**row, "value": math.nan, "status": "skipped"}
        return row

    axes = draw(load(synthetic.write(LAYERS, [0, 10], spoil=skip)), "WeightSVs").axes[0]
    shown = [label.get_text() for label in axes.get_xticklabels()]
    assert shown == ["block0.fc", "block2.fc", "block4.fc", "fc"]
    assert not any("undefined" in text.get_text() for text in axes.figure.texts)


def test_subspace_angles_show_first_in_red_and_last_in_black(small_run):
    axes = draw(load(small_run), "AngleBetweenSubspaces").axes[0]
    assert [line.get_color() for line in data_lines(axes)] == [FIRST_COLOUR, LAST_COLOUR]
    assert axes.get_ylim() == (0.0, 1.04)


def test_subspace_angles_show_layers_of_every_rank(synthetic):
    def narrow(measure: str, row: dict[str, Any]) -> dict[str, Any]:
        narrow_layer = measure == "AngleBetweenSubspaces" and row["layer_index"] == 2
        return {**row, "rank": 4} if narrow_layer else row

    axes = draw(load(synthetic.write(LAYERS, [0, 10], spoil=narrow)), "AngleBetweenSubspaces").axes[0]
    assert len(data_lines(axes)[-1].get_xdata()) == len(LAYERS)


def test_the_floor_of_the_etf_error_is_drawn_only_where_there_is_one(synthetic):
    def legend(classes: int) -> str:
        figure = draw(load(synthetic.write(LAYERS, [0, 10], classes=classes)), "ETF")
        return " ".join(text.get_text() for entry in figure.legends for text in entry.get_texts())

    assert "attainable in this dimension" in legend(100)
    assert "attainable in this dimension" not in legend(10)


def test_the_nearest_centre_is_compared_with_the_network_and_chance(small_run):
    tables = load(small_run)
    axes = draw(tables, "NCC").axes[0]
    levels = {float(line.get_ydata()[0]) for line in axes.get_lines() if line.get_linestyle() == ":"}
    own = tables.rows("Accuracy", quantity="accuracy", epoch=10)["value"]
    assert levels == {0.1, *own}


def test_the_title_is_taken_literally(small_run):
    figure = laid_out(load(small_run, title="my_net$x$ · 100% · a_b"), "CDNV")
    assert any(r"my_net\$x\$ · 100% · a_b" in text.get_text() for text in figure.texts)
    assert texts_outside(figure) == []


def test_a_long_title_is_broken_between_its_parts(small_run):
    title = " · ".join(["a_very_long_model_name_indeed", "some_dataset", "cross-entropy", "SGD, lr 0.1"] * 2)
    figure = laid_out(load(small_run, title=title), "CDNV")
    assert texts_outside(figure) == []
    assert len(figure.texts) >= 3


def test_a_split_that_was_not_measured_is_named(synthetic):
    tables = load(synthetic.write(LAYERS, [0], splits=("train",)))
    with pytest.raises(UsageError, match="the table CDNV holds no rows of split 'test'"):
        draw(tables, "CDNV_test")


def test_the_overview_shows_what_there_is(small_run):
    headings = ["Loss", "Accuracy", "Collapse at the last layer", "CDNV", "NC1", "ETF error"]
    headings += ["Nearest class centre", "Subspace angles: first (red), last (black)"]
    assert [axes.get_title(loc="left") for axes in draw(load(small_run), "Overview").axes] == headings
    for name in ("NC1", "ETF", "NCC"):
        (small_run / "measurements" / f"{name}.csv").unlink()
    assert len(draw(load(small_run), "Overview").axes) == 4
    with pytest.raises(UsageError, match="the run has no table yet"):
        draw(RunTables({}), "Overview")
