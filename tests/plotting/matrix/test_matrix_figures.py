"""Every figure of many runs, from sound tables and from the oddest ones."""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from layerscope.errors import UsageError
from layerscope.plotting.drawing.saving import render
from layerscope.plotting.matrix.estimators import estimator_comparison
from layerscope.plotting.matrix.quantities import QUANTITIES, quantity_rows
from layerscope.plotting.matrix.registry import MATRIX_FIGURES
from layerscope.plotting.matrix.tables import MatrixTables
from layerscope.plotting.registry import FIGURES

KINDS = (
    *("CDNV_profile", "CDNV_map", "CDNV_multiples", "DSE_accuracy", "NCLayerByAxis", "Correlations"),
    *("CDNV_accuracy", "ETF_profile"),
    *("InitialisationStudy", "Screening", "DriftMap", "DriftScaling", "ImbalanceByKind"),
    *("ImbalanceWeightDecay", "DriftEpochs", "DriftLayers", "DriftTail"),
)
"""One figure for every function and scale."""

WITH_AXES_OF_VALUES = (
    *("CDNV_profile", "CDNV_multiples", "CDNV_accuracy", "KSG_accuracy", "ETF_profile", "Screening"),
    *("InitialisationStudy", "ImbalanceByKind", "ImbalanceWeightDecay", "DriftScaling", "DriftEpochs"),
    *("DriftLayers", "DriftTail"),
)

OF_GROUP = {name for name, figure in MATRIX_FIGURES.items() if figure.number in
            {f"F{number}" for number in range(33, 46)} | {"F35, F37, F41"}}  # fmt: skip


def drawn(name, tables) -> Figure:
    figure = MATRIX_FIGURES[name]
    return figure.draw(figure.rows(tables), tables.title)


def is_filled(axes) -> bool:
    return bool(axes.lines or axes.patches or axes.images or axes.collections)


@pytest.mark.parametrize("name", (*KINDS, "Estimators", "EstimatorRuntime", "ImbalanceShots"))
def test_every_kind_of_figure_is_drawn_from_what_it_says_it_needs(name, plain, group):
    tables = group if name in OF_GROUP else plain
    only = type(tables)({each: tables.frames[each] for each in MATRIX_FIGURES[name].inputs}, tables.title)
    figure = drawn(name, only)
    assert figure.axes
    assert all(is_filled(axes) for axes in figure.axes)


def test_estimates_from_noisier_points_have_panels_and_a_truth_of_their_own(plain):
    frame = plain.frames["estimators"]
    noisy = frame.assign(noise=0.5, truth=0.5 * frame["truth"])
    both = pd.concat([frame.assign(noise=0.1), noisy])
    axes = estimator_comparison(both, "").axes
    assert len(axes) == 2 * len(estimator_comparison(frame, "").axes)
    assert [axes[n].get_title() for n in (0, 3)] == ["20 dimensions, noise 0.1", "20 dimensions, noise 0.5"]
    truths = [
        next(line.get_ydata()[0] for line in axes[n].lines if line.get_linestyle() == "--") for n in (0, 3)
    ]
    assert truths == pytest.approx([2.3, 1.15])


def test_every_figure_finds_its_rows_and_its_function(plain, group):
    functions = {MATRIX_FIGURES[name].function for name in KINDS}
    for name, figure in MATRIX_FIGURES.items():
        assert len(figure.rows(group if name in OF_GROUP else plain))
        assert figure.function in functions | {
            "estimators:estimator_comparison",
            "estimators:estimator_runtime",
        }


def test_profiles_mark_the_nc_layer_of_each_colour_and_what_to_compare_with(study):
    figure = drawn("NCC_profile", study(spoil=lambda rows: rows.assign(classes=4)))
    notes = " ".join(text.get_text() for text in figure.texts)
    assert "NC layer, median of the runs that have one" in notes
    assert "chance" in [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    for axes in figure.axes:
        chance = [line for line in axes.lines if set(line.get_ydata()) == {0.25}]
        assert len(chance) == 1
        marks = [line for line in axes.lines if line.get_marker() == "D"]
        assert [list(line.get_xdata()) for line in marks] == [[1.0], [1.0]]


def test_the_floor_of_the_etf_error_is_that_of_the_same_layer(study):
    table = study(only=("ETF", "CDNV")).frames["ETF"]
    table = table[table["statistic"] == "etf_error"]
    floor = table.assign(statistic="etf_floor", value=0.1 * table["layer_index"])
    both = pd.concat([table.astype({"statistic": str}), floor])
    rows = quantity_rows(both, QUANTITIES["ETF"], frames={})
    assert len(rows) == len(table)
    assert np.allclose(rows["reference"], 0.1 * rows["layer_index"])


def test_names_say_which_of_the_two_kinds_a_figure_is():
    assert not {name.casefold() for name in MATRIX_FIGURES} & {name.casefold() for name in FIGURES}
    assert all(figure.description and figure.inputs for figure in MATRIX_FIGURES.values())


def test_every_number_of_the_list_that_is_about_many_runs_has_its_figure():
    numbers = {number for figure in MATRIX_FIGURES.values() for number in figure.number.split(", ")}
    assert numbers - {"-"} == {f"F{number}" for number in (*range(25, 32), *range(33, 46))}


ONE = {"Model.model-name": ("mlp_small",)}
ODD = {
    "one run": {"axes": ONE},
    "one epoch": {"epochs": (0,)},
    "nothing finite": {"spoil": lambda rows: rows.assign(value=math.nan, status="undefined")},
    "all infinite": {"spoil": lambda rows: rows.assign(value=math.inf, status="infinite")},
    "all zero": {"spoil": lambda rows: rows.assign(value=0.0, status="degenerate")},
    "one layer": {"layers": ("fc",)},
    "200 layers and long names": {
        "axes": {
            "Model.model-name": ("zoo/" + "very_long_$name_{of}_a_model" * 4, "b"),
            "Run.run": (0, 1, 2),
        },
        "layers": tuple(f"features.denseblock{i}.denselayer{i}.norm_$x^{{{i}}}.relu" for i in range(200)),
        "epochs": (0, 5),
    },
}


@pytest.fixture(scope="module")
def odd_tables(study):
    return functools.cache(lambda odd: study(**ODD[odd]))


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", KINDS)
def test_odd_tables_give_a_readable_figure_or_a_reason(name, odd, odd_tables):
    tables = odd_tables(odd)
    try:
        figure = drawn(name, tables)
    except UsageError as error:
        assert len(str(error)) > 20
    else:
        width, height = figure.get_size_inches()
        assert width < 25
        assert height < 25


@pytest.mark.parametrize(
    ("name", "odd"),
    [
        *((name, "nothing finite") for name in WITH_AXES_OF_VALUES),
        *((name, "all infinite") for name in ("CDNV_accuracy", "KSG_accuracy", "ETF_profile", "DriftTail")),
    ],
)
def test_panels_without_a_finite_value_say_so(name, odd, odd_tables, group):
    tables = odd_tables(odd)
    if name in OF_GROUP:
        value = math.nan if odd == "nothing finite" else math.inf
        spoilt = {each: frame.assign(value=value) for each, frame in group.frames.items() if "value" in frame}
        tables = dataclasses.replace(group, frames={**group.frames, **spoilt})
    texts = {text.get_text() for axes in drawn(name, tables).axes for text in axes.texts}
    assert "no finite value" in texts


@pytest.mark.parametrize("name", MATRIX_FIGURES)
def test_tables_that_hold_only_a_header_are_refused_in_plain_words(name, plain):
    tables = dataclasses.replace(plain, frames={each: frame[:0] for each, frame in plain.frames.items()})
    with pytest.raises(UsageError, match=r"holds? (no )?rows|has rows|at least|is empty"):
        drawn(name, tables)


@pytest.mark.parametrize("name", ["CDNV_profile", "CDNV_map", "DSE_accuracy", "NCLayerByAxis"])
def test_long_names_with_the_signs_of_formulas_are_written_as_they_are(name, odd_tables):
    assert render(drawn(name, odd_tables("200 layers and long names")), "png")


def test_a_thousand_runs_are_a_figure_of_a_page_that_says_what_it_leaves_out(study):
    axes = {
        "Optimizer.lr": tuple(np.geomspace(1e-4, 1, 40)),
        "Data.subset": tuple(range(13)),
        "Run.run": (0, 1),
    }
    tables = study(axes, epochs=(0, 5), layers=("a", "fc"), only=("CDNV", "log"))
    for name, note in (("CDNV_map", "24 of 520 combinations"), ("CDNV_accuracy", "4 of 13 values of subset")):
        figure = drawn(name, tables)
        assert max(figure.get_size_inches()) < 20
        assert note in " ".join(text.get_text() for text in figure.texts)
    assert max(drawn("NCLayerByAxis", tables).get_size_inches()) < 20


OF_DEGENERATE = {"CDNV_profile": 1, "Screening": 1, "CDNV_map": 3, "CDNV_multiples": 3, "CDNV_accuracy": 3}
"""Figure → of how many of the three epochs it shows the last layer."""


def degenerate_last_layers(rows):
    """Of four runs for one reason, of two others for two, at every epoch."""
    last, small = rows["layer_index"] == 2, rows["Model.model-name"] == "mlp_small"
    both = last & ~small & (rows["Model.conv-init-std"] == 0.5)
    reason = np.select([last & small, both], ["two_classes", "rounding+two_classes"], "")
    return rows.assign(status=np.where(reason == "", "ok", "degenerate"), reason=reason)


def without_reasons(rows):
    return degenerate_last_layers(rows).drop(columns="reason")


@pytest.mark.parametrize(("name", "epochs"), OF_DEGENERATE.items())
def test_notes_name_the_reasons_of_degenerate_values_and_count_them(name, epochs, study):
    tables = study(spoil=degenerate_last_layers, only=("CDNV", "log"))
    notes = " ".join(text.get_text() for text in drawn(name, tables).texts)
    assert f"○ degenerate: rounding ({2 * epochs}), two classes ({6 * epochs})" in notes


@pytest.mark.parametrize(("name", "epochs"), OF_DEGENERATE.items())
def test_of_tables_of_earlier_versions_notes_count_degenerate_values(name, epochs, study):
    tables = study(spoil=without_reasons, only=("CDNV", "log"))
    notes = " ".join(text.get_text() for text in drawn(name, tables).texts)
    assert f"○ degenerate ({6 * epochs})" in notes


def test_runs_whose_tables_have_no_reasons_are_counted_beside_those_that_have(tmp_path, synthetic_run):
    for run, known in enumerate(({"reason": "two_classes"}, {})):
        folder = synthetic_run(tmp_path / f"run_{run}")
        folder.write(
            ["a", "fc"],
            [0, 5],
            run=run,
            spoil=lambda _, row, known=known: row | known | {"status": "degenerate"},
        )
    figure = drawn("CDNV_profile", MatrixTables.load(tmp_path, ("CDNV",)))
    notes = " ".join(text.get_text() for text in figure.texts)
    assert "○ degenerate: not recorded (2), two classes (2)" in notes


def test_development_names_the_reasons_of_degenerate_values(study):
    figure = drawn("InitialisationStudy", study(spoil=degenerate_last_layers, only=("DSE", "log")))
    notes = " ".join(text.get_text() for text in figure.texts)
    assert "○ degenerate: rounding (6), two classes (18)" in notes


def test_points_of_degenerate_values_are_hollow(study):
    tables = study(ONE, spoil=lambda rows: rows.assign(status="degenerate"), only=("CDNV", "log"))
    (axes,) = drawn("CDNV_accuracy", tables).axes
    faces = np.concatenate([points.get_facecolor() for points in axes.collections])
    assert faces[:, 3].tolist() == [0.0] * 3


def test_undefined_and_infinite_values_leave_a_mark_and_a_note(study):
    def spoil(rows):
        value = rows["value"].to_numpy().copy()
        value[3::17], value[5::19] = math.nan, math.inf
        return rows.assign(value=value)

    for name in ("CDNV_profile", "CDNV_map", "CDNV_multiples"):
        notes = " ".join(text.get_text() for text in drawn(name, study(spoil=spoil)).texts)
        assert "undefined" in notes
        assert "infinite" in notes
