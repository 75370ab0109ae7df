"""What values are compared with is there for every layer and epoch, and named."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from layerscope.plotting.drawing.sheet import Sheet
from layerscope.plotting.drawing.style import REFERENCE_COLOUR, depth_colours
from layerscope.plotting.run.class_pairs import cdnv_pairs
from layerscope.plotting.run.collapse import collapsed_layer, summary, through_training
from layerscope.plotting.run.geometry import etf
from layerscope.plotting.run.information import LABELS
from layerscope.plotting.run.layer_epoch import main_measures
from layerscope.plotting.run.mlp_svd import mlp_svd
from layerscope.plotting.run.panels import layers_over_epochs
from layerscope.plotting.run.variability import cdnv
from layerscope.plotting.run.weights import weight_svs
from layerscope.plotting.run_tables import RunTables


def row(**own) -> dict[str, object]:
    common = {"epoch": 5, "split": "train", "layer_index": 0, "layer_name": "fc", "error": math.nan}
    return {**common, "ceiling": math.nan, "status": "ok", "unit": "1", "classes": 10, "dim": 4, **own}


def words(figure) -> str:
    legends = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    return " ".join([*legends, *(text.get_text() for text in figure.texts)])


def geometry(floor: float = 0.8165) -> pd.DataFrame:
    values = {
        "equiangular": 0.3,
        "equiangular_std": 0.2,
        "equinorm": 0.1,
        "etf_error": 0.9,
        "etf_floor": floor,
    }
    return pd.DataFrame([row(statistic=name, value=value) for name, value in values.items()])


def test_the_floor_of_one_layer_crosses_the_panel_whatever_other_tables_hold():
    later = pd.DataFrame([row(epoch=9, statistic="pinv", value=1.0)])
    axes = etf(RunTables({"ETF": geometry(), "NC1": later}, "x")).axes[3]
    (floor,) = (line for line in axes.get_lines() if line.get_color() == REFERENCE_COLOUR)
    assert list(floor.get_xdata()) == [0, 1]
    assert list(floor.get_ydata()) == [0.8165] * 2
    assert axes.get_ylim()[1] > 0.9  # the marker is whole


def test_an_infinite_floor_is_not_drawn():
    figure = etf(RunTables({"ETF": geometry(floor=math.inf)}, "x"))
    assert not [line for line in figure.axes[3].get_lines() if line.get_color() == REFERENCE_COLOUR]
    assert "attainable" not in words(figure)


def estimates(ceilings: tuple[float, float]) -> RunTables:
    rows = [
        row(epoch=epoch, layer_index=index, layer_name=f"l{index}", variable="labels", value=1.0 + epoch,
            ceiling=ceiling, unit="nat")
        for epoch in (0, 5)
        for index, ceiling in enumerate(ceilings)
    ]  # fmt: skip
    return RunTables({"KSG": pd.DataFrame(rows)}, "x")


@pytest.mark.parametrize(
    ("ceilings", "colours", "name"),
    [
        ((4.0, 4.0), [REFERENCE_COLOUR], "ceiling of the estimate"),
        ((4.0, 6.0), list(depth_colours([0, 1]).values()), "ceiling of the estimate, by layer"),
    ],
)
def test_ceilings_that_differ_by_layer_are_drawn_for_each_in_its_colour(ceilings, colours, name):
    figure = layers_over_epochs(estimates(ceilings), [LABELS["neighbours"]], "train")
    lines = [line for line in figure.axes[0].get_lines() if line.get_linestyle() == "-."]
    assert [line.get_color() for line in lines] == colours
    assert [line.get_ydata()[0] for line in lines] == sorted(set(ceilings))
    assert name in words(figure).split("   ")[0]


def test_heat_maps_name_the_unit():
    (first, *_) = main_measures(estimates((4.0, 4.0))).axes
    assert first.get_title(loc="left") == "I(T; Y), neighbours (nats)"


def test_a_measure_of_0_is_called_so_on_an_axis_of_logarithms():
    cdnv = pd.DataFrame([row(statistic="mean", value=0.0), row(layer_index=1, statistic="mean", value=0.5)])
    text = words(summary(RunTables({"CDNV": cdnv}, "x")))
    assert "the measure is 0" in text
    assert "below" not in text


def lines_at(axes, level):
    return [line for line in axes.get_lines() if set(line.get_ydata()) == {level}]


@pytest.mark.parametrize(("unit", "label", "marks"), [("1", "", 1), ("feature^-2", " (exponent 2)", 0)])
def test_figures_of_cdnv_name_another_exponent_and_compare_it_with_no_threshold(unit, label, marks):
    rows = [row(layer_index=i, statistic="mean", value=0.5, unit=unit) for i in (0, 1)]
    tables = RunTables({"CDNV": pd.DataFrame(rows)}, "x")
    course = through_training(tables)
    assert course.axes[0].get_ylabel() == f"mean over pairs{label}"
    assert len(lines_at(course.axes[0], 0.2)) == marks
    assert ("threshold of the NC layer" in words(course)) == bool(marks)
    assert cdnv(tables).axes[0].get_ylabel() == f"CDNV{label}"
    assert main_measures(tables).axes[0].get_title(loc="left") == f"CDNV{label}"
    assert f"CDNV{label}" in words(summary(tables))
    pairs = pd.DataFrame([row(value=0.5, unit=unit, **{"class": 0, "other": 1})])
    assert f"colour: CDNV{label} of two classes" in words(cdnv_pairs(RunTables({"CDNVPairs": pairs}, "x")))


def test_no_collapsed_layer_is_called_so():
    none = pd.DataFrame([row(statistic="first", value=math.nan, status="undefined")])
    assert "no layer below 0.2" in words(collapsed_layer(RunTables({"NCLayer": none}, "x")))


def test_the_legend_of_singular_values_lists_those_that_are_there():
    rows = [row(split="weights", scale="relative", sigma_index=float(i), value=0.5**i) for i in range(4)]
    legend = words(weight_svs(RunTables({"WeightSVs": pd.DataFrame(rows)}, "")))
    assert legend.split()[-2:] == ["1", "4"]


def test_class_means_and_their_directions_have_panels_that_name_their_epoch():
    rows = [
        row(epoch=epoch, against=kind, weight_vector=w, class_vector=c, value=0.5)
        for epoch in (0, 3)
        for kind in ("mean", "vector")
        for w in (0, 1)
        for c in (0, 1)
    ]
    axes = mlp_svd(RunTables({"MLPSVD": pd.DataFrame(rows)}, "x")).axes
    assert [each.get_title(loc="left") for each in axes] == ["fc, epoch 0", "fc, epoch 3"] * 2
    assert [each.get_xlabel() for each in axes] == ["class mean"] * 2 + ["class vector"] * 2


def test_a_title_over_two_lines_ends_without_a_dot():
    figure = Sheet.of_panels(" · ".join(["a part of the title"] * 6)).finish()
    assert len(figure.texts) > 1
    assert not any(text.get_text().rstrip().endswith("·") for text in figure.texts)
