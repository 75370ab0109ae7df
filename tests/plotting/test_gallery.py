"""The gallery shows what there is."""

from __future__ import annotations

import re
from pathlib import Path

from layerscope.plotting import FIGURES

DOCS = Path(__file__).parents[2] / "docs"


def test_the_gallery_shows_every_figure_and_has_every_picture():
    page = (DOCS / "gallery.md").read_text(encoding="utf-8")
    pictures = re.findall(r"\]\((gallery/[^)]+\.png)\)", page)
    shown = {Path(picture).stem.partition("_")[2] for picture in pictures}
    assert {name for name in FIGURES if not name.endswith("_test")} <= shown
    assert all((DOCS / picture).is_file() for picture in pictures)


def test_its_pictures_are_small():
    assert sum(path.stat().st_size for path in (DOCS / "gallery").glob("*.png")) < 5_000_000
