"""A figure becomes the file that matplotlib would make of it."""

from __future__ import annotations

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from layerscope.plotting.drawing.saving import render
from layerscope.plotting.drawing.style import house_style


@pytest.mark.parametrize(
    "inches", [(1.0, 0.5), (1.0149999, 0.7), (1.0777, 0.6123), (1.29, 0.58), (1.16, 0.57)]
)
def test_a_png_has_the_pixels_of_matplotlibs_own_whatever_its_size(inches):
    figure = Figure(figsize=inches)
    figure.add_subplot().plot([0, 1], [0, 1])
    own = io.BytesIO()
    with house_style():
        figure.savefig(own, format="png")
    with Image.open(own) as expected, Image.open(io.BytesIO(render(figure, "png"))) as found:
        assert found.mode == "RGB"
        assert np.array_equal(np.asarray(found), np.asarray(expected.convert("RGB")))
    assert tuple(figure.get_size_inches()) == pytest.approx(inches)
