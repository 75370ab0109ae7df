"""Whatever the tables hold, every figure is drawn within its page, or says why not."""

from __future__ import annotations

import math

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from layerscope.errors import UsageError
from layerscope.plotting import FIGURES, RunTables

TITLE = "a_very_long_model_name_indeed · some_dataset · cross-entropy · SGD, lr 0.1, weight decay 0.0005"
OF_PAIRS = {"JointPMF", "ImagePairs"}  # they have tests of their own
NAMES = [name for name in FIGURES if not name.endswith("_test") and name not in OF_PAIRS]
LAID_OUT = {"Accuracy", "Observations", "Overview", "Traces", "NCC", "Summary", "LayerEpoch", "MLPSVD"}
LAID_OUT |= {"WeightSpectra", "WeightRanks", "LabelInformationByEpoch", "ClassRecall", "SelfDuality"}
"""One figure of each kind of layout: placing all texts takes longer than drawing."""
WITHOUT_VALUES_OF_A_TABLE = {"Accuracy", "Training", "Observations"}


@pytest.fixture(scope="module")
def large(every_table):
    """200 layers of long names, 1,000 classes; some numbers have no place on an axis."""
    names = [f"features.denseblock{i // 20}.a$b_{i}%.deep_{'x' * 40}" for i in range(200)]

    def value(depth: float, progress: float) -> float:
        if depth > 0.9 and progress < 1:
            return math.inf if depth > 0.95 else math.nan
        return 0.0 if depth < 0.1 else 1e3 * math.exp(-20 * depth * progress)

    tables = every_table(names, [0, 350], classes=1000, value=value, splits=["train"])
    return RunTables(tables, TITLE)


@pytest.fixture(scope="module")
def lone(every_table):
    """One layer, one checkpoint, no value that is a number."""
    return RunTables(every_table(["fc"], [0], value=lambda *_: math.nan, status="undefined"))


def panels(figure: Figure) -> list[Axes]:
    """Its panels, without colour bars."""
    return [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]


def texts_outside(figure: Figure) -> list[str]:
    """Texts that leave the page."""
    page = figure.bbox
    texts = [*figure.texts, *(text for legend in figure.legends for text in legend.get_texts())]
    for axes in figure.axes:
        (left, right), (low, high) = sorted(axes.get_xlim()), sorted(axes.get_ylim())
        texts += [t.label1 for t in axes.xaxis.get_major_ticks() if left <= t.get_loc() <= right]
        texts += [t.label1 for t in axes.yaxis.get_major_ticks() if low <= t.get_loc() <= high]
        texts += [*axes.texts, axes.xaxis.label, axes.yaxis.label, axes.title]
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts if text.get_text()]
    return [
        text
        for text, box in boxes
        if box.x0 < page.x0 or box.x1 > page.x1 or box.y0 < page.y0 or box.y1 > page.y1
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_deep_network_is_drawn_within_the_page_with_few_ticks(large, name):
    figure = FIGURES[name].draw(large)
    if name in LAID_OUT:
        figure.draw_without_rendering()
        assert texts_outside(figure) == []
    for axes in panels(figure):
        assert axes.has_data() or axes.texts
        assert len(axes.get_xticklabels()) <= 15


@pytest.mark.parametrize("name", NAMES)
def test_one_layer_and_checkpoint_without_a_number_says_so(lone, name):
    figure = FIGURES[name].draw(lone)
    said = [text.get_text() for text in (*figure.texts, *(t for axes in figure.axes for t in axes.texts))]
    assert name in WITHOUT_VALUES_OF_A_TABLE or any(
        word in text for text in said for word in ("no finite value", "undefined", "arbitrary")
    )


@pytest.mark.parametrize("name", NAMES)
def test_empty_tables_are_refused_in_plain_words(lone, name):
    empty = RunTables({table: frame[:0] for table, frame in lone.frames.items()})
    with pytest.raises(UsageError, match=r"measure|no row|holds no|applies|neither|no layer|no table"):
        FIGURES[name].draw(empty)
