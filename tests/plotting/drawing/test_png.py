"""A picture is read back as it was."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from layerscope.plotting.drawing.png import png


def test_pixels_and_resolution_are_read_back():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    with Image.open(io.BytesIO(png(pixels, 200))) as image:
        image.verify()
    with Image.open(io.BytesIO(png(pixels, 200))) as image:
        assert image.mode == "RGB"
        assert image.info["dpi"] == pytest.approx((200, 200), rel=1e-4)
        assert np.array_equal(np.asarray(image), pixels)
