"""The font of the figures."""

from __future__ import annotations

import matplotlib as mpl
import pytest
from matplotlib.font_manager import findfont

from layerscope.plotting.drawing import fonts


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    monkeypatch.setattr(mpl, "get_cachedir", lambda: str(tmp_path))
    fonts.house_font.cache_clear()
    yield tmp_path
    fonts.house_font.cache_clear()


def test_the_font_is_made_once_and_then_found(fresh):
    assert fonts.house_font() == fonts.FAMILY
    made = list(fresh.iterdir())
    assert len(made) == 1
    content = made[0].read_bytes()
    assert len(content) < 300_000
    made[0].unlink()
    fonts.house_font.cache_clear()
    fonts.house_font()
    assert made[0].read_bytes() == content
    assert "layerscope-sans" in findfont(fonts.FAMILY, fallback_to_default=False)


def test_without_a_place_for_it_figures_use_the_original(fresh, monkeypatch):
    monkeypatch.setattr(mpl, "get_cachedir", lambda: "/proc/nowhere")
    assert fonts.house_font() == fonts.ORIGINAL
