"""A panel looks like any axes of matplotlib."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from layerscope.plotting.drawing.panel import INNER, Panel, panel_class


def linear(axes: Axes) -> None:
    axes.plot([1e6 + 1, 1e6 + 2], [3e-9, 7e-9])  # both numbers have an offset
    axes.set_xlabel("x")
    axes.set_ylabel("y")
    axes.grid(visible=True)


def logarithmic(axes: Axes) -> None:
    axes.plot([1, 5, 9], [1e-4, 1, 30])
    axes.set_yscale("log")
    axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(which="both", direction="in", top=True, labeltop=True, labelrotation=30)


def named(axes: Axes) -> None:
    axes.plot([0, 1, 2], [1, 0, 1])
    axes.set_xticks([0, 1, 2], ["one", "two", "three"], fontsize=7)
    for text in axes.get_xticklabels():
        text.set(rotation=45, ha="right", rotation_mode="anchor", color="red")
    axes.set_xlim(-0.5, 1.5)  # without the last
    axes.yaxis.tick_right()
    axes.set_ylim(1, 0)


def pixels(kind: type[Axes], draw) -> np.ndarray:
    figure = Figure((3, 2), dpi=100)
    canvas = FigureCanvasAgg(figure)
    draw(figure.add_subplot(axes_class=kind))
    canvas.draw()
    figure.axes[0].set_title("drawn again")
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


@pytest.mark.parametrize("draw", [linear, logarithmic, named])
def test_the_same_pixels_as_of_any_axes(draw):
    assert np.array_equal(pixels(Panel, draw), pixels(Axes, draw))


def test_ticks_follow_the_limits():
    panel = Figure().add_subplot(axes_class=Panel)
    panel.set_ylim(0, 5)
    before = [text.get_text() for text in panel.get_yticklabels()]
    panel.set_ylim(0, 50)
    assert (
        [text.get_text() for text in panel.get_yticklabels()] == ["0", "10", "20", "30", "40", "50"] != before
    )


def test_a_page_cut_to_its_content_has_the_names_of_ticks_in_it():
    boxes = []
    for kind in (Panel, Axes):
        figure = Figure()
        FigureCanvasAgg(figure)
        named(figure.add_subplot(axes_class=kind))
        boxes.append(figure.get_tightbbox().extents)
    assert np.array_equal(*boxes)


@pytest.mark.parametrize("lacking", INNER)
def test_a_matplotlib_without_what_a_panel_builds_upon_has_its_own_axes(lacking):
    class Another:
        pass

    for name in INNER:
        if name != lacking:
            setattr(Another, name, None)
    assert panel_class(Another) is Axes
    assert panel_class() is Panel
