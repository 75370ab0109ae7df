"""Points of a scatter."""

import warnings

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from layerscope.plotting.matrix.points import draw_points

RED, BLUE = (1.0, 0.0, 0.0, 1.0), (0.0, 0.0, 1.0, 1.0)


def drawn(values, statuses, sizes=20.0):
    rows = pd.DataFrame({"x": range(len(values)), "value": values, "status": statuses, "reason": ""})
    figure = Figure()
    axes = figure.add_subplot()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw_points(axes, rows, "x", [RED, BLUE, RED][: len(values)], sizes)
        figure.canvas.draw()
    return axes.collections


def test_what_is_not_finite_is_left_out_with_its_colour_and_size():
    (points,) = drawn([np.nan, 2.0, 3.0], ["undefined", "ok", "ok"], [1.0, 4.0, 9.0])
    assert points.get_offsets().tolist() == [[1.0, 2.0], [2.0, 3.0]]
    assert points.get_sizes().tolist() == [4.0, 9.0]
    assert [tuple(colour) for colour in points.get_edgecolors()] == [BLUE, RED]


def test_points_of_degenerate_values_are_hollow():
    (points,) = drawn([1.0, 2.0], ["ok", "degenerate"])
    assert [tuple(face)[3] for face in points.get_facecolors()] == [1.0, 0.0]


def test_nothing_finite_draws_nothing():
    assert not drawn([np.nan], ["undefined"])
