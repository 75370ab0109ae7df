"""Runs of different settings are never averaged with each other."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from layerscope.plotting.matrix import imbalance, imbalance_curves
from layerscope.plotting.matrix.development import development, development_frame
from layerscope.plotting.matrix.fits import power_law
from layerscope.plotting.matrix.imbalance_groups import numbers
from layerscope.plotting.matrix.number_axis import NumberAxis
from layerscope.plotting.matrix.places import telling_axes

MODEL, FACTOR, DECAY = "Model.model-name", "Data.imbalance.factor", "Optimizer.weight-decay"
LEVEL = {"mlp_single": 1.0, "mlp_small": 5.0}


def runs(decays=(1e-3,), factors=(1.0, 0.1, 0.01), exponent=0.5) -> pd.DataFrame:
    """Two models, whose drift is a power law of the ratio; two repetitions a little off it."""
    rows = [
        {
            "run": f"{model}/{factor}/{decay}/{run}",
            "label": f"{model} {factor} {decay}",
            MODEL: model,
            FACTOR: factor,
            DECAY: decay,
            "Run.run": run,
            "epoch": epoch,
            "drift": level * factor**-exponent * (1 + epoch) * 1.1 ** (2 * run - 1),
            **dict.fromkeys(("overall", "head", "mid", "tail"), 0.1 * level),
        }
        for model, level in LEVEL.items()
        for factor in factors
        for decay in decays
        for run in (0, 1)
        for epoch in (0, 2)
    ]
    return pd.DataFrame(rows).astype({MODEL: "category"})


def headings(figure) -> list[str]:
    return [axes.get_title() for axes in figure.axes]


def curve(axes) -> list[float]:
    """The first line through means."""
    line = next(line for line in axes.get_lines() if line.get_linestyle() == "-")
    return [float(value) for value in line.get_ydata()]


def notes(figure) -> str:
    return " ".join(text.get_text() for text in figure.texts)


def test_every_model_has_its_own_panels_and_power_law():
    figure = imbalance_curves.scaling(runs(), "x")
    assert headings(figure)[0::2] == [f"{model}: exponent 0.500, R² 1.000" for model in LEVEL]
    for axes, level in zip(figure.axes[0::2], LEVEL.values(), strict=True):
        assert curve(axes) == pytest.approx([3 * level, 3 * level * 10**0.5, 3 * level * 10])


def test_the_numbers_of_a_group_have_a_law_for_every_model():
    text = numbers(runs().assign(**{"relative drift": 1.0, "few": 0.5}), FACTOR)
    assert text.count("x^0.5,") == 2
    assert "ratio of mlp_small" in text


def test_curves_against_a_number_through_training_and_by_layer_are_of_one_setting_each():
    table = runs(decays=(0.0, 1e-3))
    against = imbalance_curves.against(table, "x", axis=DECAY)
    assert len(against.axes) == 2 * 6
    epochs = imbalance.over_epochs(table[table[DECAY] == 0], "x", hue=FACTOR)
    assert headings(epochs) == ["mlp_single", "mlp_single", "mlp_small", "mlp_small"]
    layers = table.assign(
        statistic="relative", split="train", layer_name="fc", layer_index=table["epoch"], value=table["drift"]
    )
    assert len(imbalance.over_layers(layers[layers[DECAY] == 0], "x", hue=FACTOR).axes) == 2


def test_the_development_of_two_networks_is_not_one_curve(plain):
    figure = development(
        development_frame(plain, quantity="DSE"), "x", label="DSE(T)", hue="Model.conv-init-std"
    )
    assert headings(figure) == ["convnet_small", "convnet_small", "mlp_small", "mlp_small"]


def test_the_enlarged_end_lies_where_no_curve_is():
    ramp = [
        {"run": "a", "epoch": epoch, "panel": panel, "value": 0.05 * epoch}
        for panel in ("quantity", "accuracy")
        for epoch in range(21)
    ]
    axes = development(pd.DataFrame(ramp), "x").axes[1]
    (inset,) = axes.child_axes
    left, _, _, top = axes.transAxes.inverted().transform_bbox(inset.get_window_extent()).extents
    assert left > top  # below the diagonal


def test_what_follows_from_known_columns_tells_nothing():
    frame = pd.DataFrame(
        {"run": list("abcd"), DECAY: [0, 0, 1, 1], "Data.batch-size": [8, 8, 16, 16], FACTOR: [1, 2, 1, 2]}
    )
    assert telling_axes(frame, ["Data.batch-size"]) == [FACTOR]


def test_many_settings_are_a_page_that_says_what_it_leaves_out():
    table = runs(decays=tuple(np.geomspace(1e-5, 1, 10)))
    figure = imbalance_curves.scaling(table, "x")
    assert len(figure.axes) == 24
    assert "12 of 20 combinations are shown" in notes(figure)


def test_runs_without_a_factor_stand_apart_and_are_not_in_the_law():
    table = runs()
    table[FACTOR] = table[FACTOR].where(table[FACTOR] < 1)
    figure = imbalance_curves.scaling(table, "x")
    ticks = [text.get_text() for text in figure.axes[0].get_xticklabels()]
    assert ticks == ["not set", "10", "100"]
    assert np.isfinite(figure.axes[0].get_xticks()).all()
    assert "exponent 0.500" in headings(figure)[0]


def test_a_law_leaves_out_ratios_with_infinite_drift_and_one_ratio_has_none():
    table = runs()
    table.loc[(table[FACTOR] == 1.0) & (table["Run.run"] == 0), "drift"] = math.inf
    assert "exponent 0.500" in headings(imbalance_curves.scaling(table, "x"))[0]
    table.loc[table[FACTOR] == 0.1, "drift"] = math.nan
    figure = imbalance_curves.scaling(table, "x")
    assert headings(figure)[0] == "mlp_single: no power law: fewer than two ratios"
    assert "infinite" in notes(figure)


def test_the_law_is_that_of_the_mean_logarithms():
    table = runs(exponent=0.3)
    own = table[table[MODEL] == "mlp_small"]
    last = own[own["epoch"] == 2]
    expected = power_law((1 / last[FACTOR]).tolist(), last["drift"].tolist())
    law = imbalance_curves.drift_law(own)
    assert law.exponent == pytest.approx(expected.exponent, rel=1e-12)
    assert law.coefficient == pytest.approx(expected.coefficient, rel=1e-12)


@pytest.mark.parametrize(
    ("values", "log", "places"),
    [
        ([0.0, 1e-3, 1e-2, None], True, [1e-4, 1e-3, 1e-2, 1e-5]),
        ([4.0, 8.0, None], True, [4.0, 8.0, 2.0]),
        ([4.0, 8.0, None], False, [4.0, 8.0, 0.0]),
        ([3.0, None], True, [3.0, 0.3]),
    ],
)
def test_zero_and_what_is_not_set_have_places_left_of_the_numbers(values, log, places):
    for kind in ("float64", "Float64"):
        column = pd.Series(values, dtype=kind)
        assert NumberAxis.of(column, log=log).places(column).tolist() == pytest.approx(places)


def test_whiskers_are_deviations_of_the_sample_and_say_so():
    table = runs(factors=(0.1,))
    figure = imbalance.by_category(table, "x")
    drift = table[(table[MODEL] == "mlp_single") & (table["epoch"] == 2)]["drift"]
    low, high = figure.axes[1].containers[0].lines[2][0].get_segments()[0][:, 1]
    assert (high - low) / 2 == pytest.approx(drift.std(ddof=1))
    assert "one standard deviation over runs" in notes(figure)


def test_a_map_is_of_one_setting_and_all_maps_share_their_colours():
    table = runs(decays=(0.0, 1e-3)).rename(columns={"drift": "relative drift"})
    table["relative drift"] *= 1 + 1000 * table[DECAY]
    figure = imbalance.heat_map(table, "x", rows=FACTOR, columns=MODEL)
    assert headings(figure) == ["weight-decay 0", "weight-decay 0.001"]
    low, high = (axes.collections[-1] for axes in figure.axes)
    assert np.asarray(high.get_array() / low.get_array()) == pytest.approx(np.full((3, 2), 2.0))
    assert low.get_clim() == high.get_clim()


def test_long_names_of_groups_stay_on_the_page():
    table = runs(factors=(1.0,))
    figure = imbalance.by_category(table.assign(label="a very long name " * 3 + table["label"]), "x")
    figure.draw_without_rendering()
    assert min(text.get_window_extent().x0 for text in figure.axes[0].get_xticklabels()) >= 0


def test_a_short_axis_of_drift_has_four_numbers_that_differ():
    axes = imbalance_curves.scaling(runs(exponent=1e-3), "x").axes[0]
    axes.figure.draw_without_rendering()
    assert len({text.get_text() for text in axes.get_yticklabels()}) == 4


def test_a_line_upon_another_is_broken_so_that_both_can_be_seen():
    table = runs(decays=(0.0,))
    figure = imbalance.over_epochs(table.assign(drift=table["epoch"] + 1.0), "x", hue=FACTOR)
    assert [line.get_linestyle() for line in figure.axes[0].get_lines()][:3] == ["-", "--", ":"]
    assert "broken: upon a line of the same values" in notes(figure)
    different = imbalance.over_epochs(table, "x", hue=FACTOR).axes[0]
    assert {line.get_linestyle() for line in different.get_lines()[:3]} == {"-"}
