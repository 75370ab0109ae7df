"""A line of entries looks like a legend of matplotlib with as many columns."""

from __future__ import annotations

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from layerscope.plotting.drawing.sheet import swatch
from layerscope.plotting.drawing.strip import Strip
from layerscope.plotting.drawing.style import house_style

TOP = 0.8


def entries() -> list[tuple[Line2D | None, str]]:
    return [
        (None, "train, epoch"),
        (Line2D([], [], color="C0", marker="o"), "1000"),
        (swatch("red"), "class"),
        (Line2D([], [], color="k", linestyle="--"), r"$\mu_B$"),
    ]


def own(figure: Figure) -> None:
    figure.legends.append(Strip(figure, entries(), TOP))


def usual(figure: Figure) -> None:
    lines = [line or Line2D([], [], linestyle="none") for line, _ in entries()]
    figure.legend(
        lines,
        [text for _, text in entries()],
        loc="upper center",
        bbox_to_anchor=(0.5, TOP),
        ncols=len(lines),
        borderaxespad=0.0,
        borderpad=0.0,
        handlelength=1.5,
        handletextpad=0.4,
        columnspacing=0.9,
    )


def test_the_same_pixels_and_the_same_box_as_of_a_legend():
    drawn, boxes = [], []
    with house_style():
        for draw in (own, usual):
            figure = Figure((5, 1), dpi=150)
            canvas = FigureCanvasAgg(figure)
            draw(figure)
            canvas.draw()
            drawn.append(np.asarray(canvas.buffer_rgba()))
            boxes.append(figure.legends[0].get_window_extent(canvas.get_renderer()).extents)
    assert np.array_equal(*drawn)
    assert np.allclose(*boxes, atol=1.0)


def test_it_is_there_when_a_page_is_cut_to_its_content():
    with house_style():
        figure = Figure((5, 1))
        canvas = FigureCanvasAgg(figure)
        own(figure)
        (left, right), width = figure.get_tightbbox().intervalx, figure.get_size_inches()[0]
    assert canvas is figure.canvas
    assert 0 < left < 0.4 * width
    assert np.isclose(left + right, width, atol=0.01)
