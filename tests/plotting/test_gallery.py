"""The gallery shows what there is."""

from __future__ import annotations

import importlib.util
import io
import re
from pathlib import Path

import numpy as np
from matplotlib.colors import to_rgb
from PIL import Image

from layerscope.plotting import FIGURES
from layerscope.plotting.drawing.sheet import Sheet
from layerscope.plotting.drawing.style import CLASS_COLOURS, depth_colours, epoch_colours, styled

DOCS = Path(__file__).parents[2] / "docs"
NUMBER = re.compile(r"F\d+")


def test_the_gallery_shows_every_figure_and_has_every_picture():
    page = (DOCS / "gallery.md").read_text(encoding="utf-8")
    pictures = re.findall(r"\]\((gallery/[^)]+\.png)\)", page)
    shown = {Path(picture).stem.partition("_")[2] for picture in pictures}
    assert {name for name in FIGURES if not name.endswith("_test")} <= shown
    assert all((DOCS / picture).is_file() for picture in pictures)


def test_the_figures_of_the_list_are_shown():
    page = (DOCS / "gallery.md").read_text(encoding="utf-8")
    shown = {number for caption in re.findall(r"\(F[^)]*\)", page) for number in NUMBER.findall(caption)}
    twins = {f"F{number}" for number in range(11, 15)}  # those of the test split
    assert not {f"F{number}" for number in range(1, 46)} - twins - shown


def test_its_pictures_are_small():
    assert sum(path.stat().st_size for path in (DOCS / "gallery").glob("*.png")) < 5_000_000


def test_its_pictures_keep_the_colours_that_tell_things_apart():
    colours = [*CLASS_COLOURS, *epoch_colours(range(6)).values(), *depth_colours(range(6)).values()]
    with Image.open(io.BytesIO(gallery().picture_bytes(_swatches(colours)))) as image:
        found = np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0).astype(int)
    for colour in colours:
        wanted = np.rint(np.array(to_rgb(colour)) * 255).astype(int)
        assert np.abs(found - wanted).max(axis=1).min() <= 8, colour


def gallery():
    spec = importlib.util.spec_from_file_location("gallery", DOCS / "gallery.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@styled
def _swatches(colours):
    """Dots of each colour beside shades of many more."""
    sheet = Sheet.of_panels("colours", 2, 2)
    for place, colour in enumerate(colours):
        sheet.axes[0].plot(np.arange(5), np.full(5, place), "o", color=colour, markeredgewidth=0)
    sheet.axes[1].imshow(np.arange(100).reshape(10, 10), cmap="viridis")
    return sheet.finish()
