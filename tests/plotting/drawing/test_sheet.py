"""The page around panels: what is written below it stays on it."""

from __future__ import annotations

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from layerscope.plotting.drawing.sheet import Sheet
from layerscope.plotting.drawing.style import house_style

SHORT = {"band: one standard deviation over runs", "ceiling of the estimate, above the panel: 2.09"}
LONG = {"a note of many words that has no room in a line of a narrow figure, however small its letters"}


@pytest.mark.parametrize("notes", [set(), {"x undefined"}, SHORT, LONG, SHORT | LONG])
def test_notes_take_as_many_lines_as_they_need(notes):
    with house_style():
        sheet = Sheet.of_panels("a title", 1, 1)
        sheet.notes |= notes
        figure = sheet.finish()
        renderer = FigureCanvasAgg(figure).get_renderer()
        boxes = [text.get_window_extent(renderer) for text in figure.texts]
        panel = sheet.axes[0].get_tightbbox(renderer)
    below = [box for box in boxes if box.y1 < panel.y0]
    assert len(below) == len(boxes) - 1  # all but the title
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.width and box.y0 >= 0 for box in below)
    shown = " ".join(text.get_text() for text in figure.texts[1:])
    assert all(word in shown for note in notes for word in note.split())
