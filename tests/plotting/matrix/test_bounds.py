"""What information about labels cannot exceed is drawn where it is drawn, in figures of many runs, too."""

from __future__ import annotations

import numpy as np
import pytest

from layerscope.plotting.drawing.style import REFERENCE_COLOUR
from layerscope.plotting.matrix.registry import MATRIX_FIGURES
from layerscope.plotting.matrix.tables import MatrixTables

AXES = {"Data.imbalance.factor": (1.0, 0.1), "Run.run": (0, 1)}
ENTROPY = {1.0: 2.3, 0.1: 1.9}


@pytest.fixture(scope="module")
def tables(study):
    """KSG of two degrees of imbalance, and in another table the entropies of their labels."""
    made = study(AXES, only=("KSG", "BinnedMI"))
    entropy = made.frames["BinnedMI"].astype({"statistic": str}).assign(statistic="label_entropy")
    entropy["value"] = entropy["Data.imbalance.factor"].map(ENTROPY)
    return MatrixTables({**made.frames, "BinnedMI": entropy}, "x")


def drawn(name, tables):
    figure = MATRIX_FIGURES[name]
    return figure.draw(figure.rows(tables), "x")


def dotted(axes):
    """Height → colour of the dotted levels across a panel."""
    lines = [line for line in axes.get_lines() if line.get_linestyle() == ":" and len(line.get_ydata()) == 2]
    levels = [line for line in lines if line.get_ydata()[0] == line.get_ydata()[1] > 1]
    return {round(float(line.get_ydata()[0]), 6): line.get_color() for line in levels}


def words(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


@pytest.mark.parametrize("name", ["KSG_profile", "KSG_accuracy"])
def test_the_entropy_of_labels_that_differ_is_drawn_for_each_colour(name, tables):
    assert "BinnedMI" in MATRIX_FIGURES[name].inputs
    figure = drawn(name, tables)
    (axes,) = figure.axes
    found = dotted(axes)
    assert sorted(found) == sorted(ENTROPY.values())
    assert len(set(found.values())) == 2
    assert REFERENCE_COLOUR not in found.values()
    assert "entropy H(Y)" in words(figure)


def test_the_entropy_of_labels_that_are_the_same_is_one_grey_line(tables):
    entropy = tables.frames["BinnedMI"].assign(value=2.3)
    (axes,) = drawn("KSG_profile", MatrixTables({**tables.frames, "BinnedMI": entropy}, "x")).axes
    assert dotted(axes) == {2.3: REFERENCE_COLOUR}


def test_without_it_or_in_another_unit_nothing_is_drawn(tables):
    bits = tables.frames["BinnedMI"].astype({"unit": str}).assign(unit="bit")
    for frames in ({"KSG": tables.frames["KSG"]}, {**tables.frames, "BinnedMI": bits}):
        figure = drawn("KSG_profile", MatrixTables(frames, "x"))
        assert dotted(figure.axes[0]) == {}
        assert "entropy H(Y)" not in words(figure)


def test_a_ceiling_far_above_the_values_is_named_below_the_panels(tables):
    far, near = (tables.frames["KSG"].assign(ceiling=height) for height in (50.0, 0.4))
    notes = [text.get_text() for text in drawn("KSG_profile", MatrixTables({"KSG": far}, "x")).texts]
    assert any("ceiling of the estimate, above the panel: 50" in note for note in notes)
    figure = drawn("KSG_profile", MatrixTables({"KSG": near}, "x"))
    assert any(np.allclose(line.get_ydata(), 0.4) for line in figure.axes[0].get_lines())
    assert "ceiling of the estimate" in words(figure)
