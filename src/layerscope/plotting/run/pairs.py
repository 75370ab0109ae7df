"""Pairs of test and train images: the images, and the decisions on both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from layerscope.errors import UsageError
from layerscope.plotting.drawing.selection import spread, tick_places
from layerscope.plotting.drawing.sheet import Sheet
from layerscope.plotting.drawing.style import styled
from layerscope.plotting.drawing.text import literal
from layerscope.plotting.quantity import chosen_rows
from layerscope.plotting.run_tables import PAIRS, RunTables
from layerscope.results.stored_pairs import Images, StoredPairs

if TYPE_CHECKING:
    from pandas import DataFrame

MAPS = 4
"""Checkpoints whose decisions are shown."""

ANNOTATED = 12
"""Classes up to which every cell has its number."""

DARK = 0.3
"""Share of the largest from which a cell is too dark for black numbers."""

THUMBNAIL, GAP, MARGIN, TEXT = 0.58, 0.06, 0.4, 0.13  # inches


@styled
def joint_pmf(tables: RunTables) -> Figure:
    """F22: share of the pairs by the decision on the test and on the train image, through training."""
    rows = tables.rows("JointPMF", status="ok")
    epochs = spread(sorted(int(epoch) for epoch in rows["epoch"].unique()), MAPS)
    classes = int(rows["dim"].max())
    side = 2.5 if classes <= ANNOTATED else 2.2
    columns = min(len(epochs), 3 if len(epochs) == 3 else 2)
    sheet = Sheet.of_panels(tables.title, len(epochs), columns, (side, side), headings=True)
    highest = float(rows[rows["epoch"].isin(epochs)]["value"].max())
    for axes, epoch in zip(sheet.axes, epochs, strict=True):
        _draw_shares(axes, rows[rows["epoch"] == epoch], classes, highest)
        axes.set_title(_heading(tables, epoch), pad=4)
    sheet.notes.add(f"grey: square root of the share of the pairs, white 0 to black {highest:.2g}")
    return sheet.finish()


@styled
def image_pairs(tables: RunTables) -> Figure:
    """F24: test images over the train images that they are paired with, with their similarity."""
    pairs = tables.pairs
    if pairs is None or len(pairs.test_images) == 0:
        raise UsageError(f"there is no file of {PAIRS}; measure Pairs first")
    count = len(pairs.test_images)
    width = MARGIN + count * (THUMBNAIL + GAP)
    height = 0.28 + 2 * (THUMBNAIL + TEXT + GAP) + 0.18
    figure = Figure(figsize=(width, height))
    figure.text(0.5, 1 - 0.06 / height, literal(tables.title), ha="center", va="top", fontsize=7)
    rows = (("test", pairs.test_images, pairs.test_label), ("train", pairs.train_images, pairs.train_label))
    for row, (name, images, labels) in enumerate(rows):
        top = 0.28 + row * (THUMBNAIL + TEXT + GAP)
        middle = 1 - (top + TEXT + THUMBNAIL / 2) / height
        figure.text(0.1 / width, middle, name, rotation=90, va="center", fontsize=7)
        for place in range(count):
            left = MARGIN + place * (THUMBNAIL + GAP)
            bottom = 1 - (top + TEXT + THUMBNAIL) / height
            box = (left / width, bottom, THUMBNAIL / width, THUMBNAIL / height)
            _draw_image(figure.add_axes(box), images[place], _caption(pairs, place, row, int(labels[place])))
    figure.text(0.99, 0.03 / height, literal(_how(pairs)), ha="right", va="bottom", fontsize=6, color="0.3")
    return figure


def _draw_shares(axes: Axes, rows: DataFrame, classes: int, highest: float) -> None:
    shares = np.zeros((classes, classes))
    shares[rows["train_class"], rows["test_class"]] = rows["value"]
    scale = PowerNorm(0.5, vmin=0.0, vmax=highest)  # or all but the largest shares would look white
    axes.imshow(shares, cmap="Greys", norm=scale, origin="lower", interpolation="nearest")
    axes.grid(visible=False)
    ticks = tick_places(classes)
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.set_yticks(ticks, [str(tick) for tick in ticks])
    axes.set_xlabel("decision on the test image")
    axes.set_ylabel("decision on the train image")
    if classes <= ANNOTATED:
        for down, across in zip(*np.nonzero(shares >= 0.005), strict=True):
            share = shares[down, across]
            colour = "white" if share > highest * DARK else "black"
            text = f"{share:.2f}".removeprefix("0")
            axes.text(across, down, text, ha="center", va="center", fontsize=5, color=colour)


def _heading(tables: RunTables, epoch: int) -> str:
    if not tables.has("DiscreteMI"):
        return f"epoch {epoch}"
    frame = tables.frames["DiscreteMI"]
    rows = chosen_rows(frame[frame["epoch"] == epoch], {"statistic": "information", "class": -1}, "test")
    if rows is None:
        return f"epoch {epoch}"
    return f"epoch {epoch}: {rows['value'].iloc[0]:.2f} {rows['unit'].iloc[0]}s"


def _draw_image(axes: Axes, image: Images, caption: str) -> None:
    shown = image[..., 0] if image.shape[2] == 1 else image
    axes.imshow(shown, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_axis_off()
    axes.set_title(caption, fontsize=6, pad=1.5)


def _caption(pairs: StoredPairs, place: int, row: int, label: int) -> str:
    """The label; over the train image the similarity as well."""
    return f"{label}" if row == 0 else f"{label} ({pairs.cosine[place]:.2f})"


def _how(pairs: StoredPairs) -> str:
    identity = pairs.identity
    same = float(np.mean(pairs.test_label == pairs.train_label))
    space = " ".join(str(identity[key]) for key in ("encoder", "name", "layer") if key in identity)
    return (
        f"{identity['method']}, {space}; above the images: label (cosine); {len(pairs.test):,} pairs, "
        f"{same:.0%} of one label"
    )
