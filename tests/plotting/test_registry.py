"""The list of figures."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from layerscope.config.names import MEASURES
from layerscope.errors import UsageError
from layerscope.plotting.registry import FIGURES, OF_FEATURES, named_figures
from layerscope.plotting.run_tables import FILES


@pytest.mark.parametrize("name", (*FIGURES, *OF_FEATURES))
def test_every_figure_has_a_function_and_known_tables(name):
    figure = {**FIGURES, **OF_FEATURES}[name]
    module, function = figure.function.split(":")
    assert callable(getattr(importlib.import_module(f"layerscope.plotting.{module}"), function))
    assert set(figure.inputs) <= {*FILES, *MEASURES}
    assert figure.description
    assert figure.needs or figure.any_of


def test_descriptions_and_numbers_tell_figures_apart():
    assert len({figure.description for figure in FIGURES.values()}) == len(FIGURES)
    assert {f"F{number}" for number in range(1, 25)} <= {figure.number for figure in FIGURES.values()}


def test_every_test_twin_has_its_figure_and_split():
    twins = [name for name in FIGURES if name.endswith("_test")]
    assert len(twins) > 15
    assert all(FIGURES[name].split == "test" for name in twins)
    assert all(FIGURES[name.removesuffix("_test")].split == "train" for name in twins)


def test_an_unknown_figure_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="there is no figure 'CDVN': did you mean CDNV"):
        named_figures(["CDVN"])
    with pytest.raises(UsageError, match="the figures are Accuracy, Training"):
        named_figures(["qqqqqq"])


def test_names_ignore_case():
    assert list(named_figures(["cdnv", "OVERVIEW"])) == ["CDNV", "Overview"]


def test_listing_figures_and_asking_whether_they_are_fresh_loads_no_heavy_library():
    code = (
        "import sys, pathlib\n"
        "from layerscope.plotting import NCPlotter, FIGURES\n"
        "NCPlotter(pathlib.Path('nowhere')).up_to_date()\n"
        "print([m for m in ('matplotlib', 'pandas', 'torch') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
