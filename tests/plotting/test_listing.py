"""Figures by name."""

from __future__ import annotations

import subprocess
import sys

import pytest

from layerscope.errors import UsageError
from layerscope.plotting.listing import chosen_figures, listing
from layerscope.plotting.matrix.registry import MATRIX_FIGURES
from layerscope.plotting.registry import FIGURES, OF_FEATURES


def test_names_are_divided_into_figures_of_one_run_and_of_many():
    chosen = chosen_figures(["cdnv_MAP", "CDNV", "Correlations"])
    assert chosen.of_one == ["CDNV"]
    assert chosen.of_many == ["CDNV_map", "Correlations"]
    assert chosen_figures([]) == (list(FIGURES), list(MATRIX_FIGURES))


def test_a_number_means_all_figures_that_have_it():
    assert chosen_figures(["f32", "F11"]) == (["Projection", "ProjectionPHATE", "CDNV_test"], [])
    assert chosen_figures(["F37"]).of_many == ["ImbalanceByKind"]
    with pytest.raises(UsageError, match="there is no figure 'F99'"):
        chosen_figures(["F99"])


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="there is no figure 'CDNV_mop': did you mean CDNV_map"):
        chosen_figures(["CDNV_mop"])


def test_the_list_has_every_figure_with_its_number_and_tables():
    lines = listing().splitlines()
    for name in (*FIGURES, *OF_FEATURES, *MATRIX_FIGURES):
        assert sum(line.startswith(f"  {name} ") for line in lines) == 1
    (line,) = [line for line in lines if line.startswith("  DSE_accuracy ")]
    assert " F25 " in line
    assert line.endswith("DSE, log")


def test_listing_loads_no_heavy_library():
    code = (
        "import sys\nfrom layerscope.cli import main\nmain(['--list-figures'])\n"
        "print([m for m in ('matplotlib', 'pandas', 'torch', 'scipy') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1] == "[]"
