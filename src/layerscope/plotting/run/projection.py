"""Features and class means of one layer in two dimensions, checkpoint by checkpoint."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from layerscope.errors import MissingPackage, UsageError
from layerscope.plotting.drawing.axes import layers_of
from layerscope.plotting.drawing.selection import spread
from layerscope.plotting.drawing.sheet import Legend, Sheet
from layerscope.plotting.drawing.style import class_colours, styled
from layerscope.plotting.drawing.text import literal
from layerscope.plotting.registry import SUMMARY
from layerscope.plotting.run_tables import OpenRun, RunTables

MOST_PANELS = 6
MOST_POINTS = 1000
MOST_NAMED = 20
PHATE_NEIGHBORS = 5

Array = NDArray[np.float64]


class Plane(NamedTuple):
    """Points (N, 2) and class means (K, 2), in units of the means' rms distance from their centre.

    ``share`` of the means' squared distances lies within the plane; NaN where the plane is none of features.
    ``parts``: of what is embedded by neighbourhoods; how far they lie from one another then means nothing.
    """

    points: Array
    means: Array
    labels: NDArray[np.int64]
    classes: NDArray[np.int64]
    share: float
    parts: int = 1


Method = Literal["means", "phate"]


def in_plane(tables: RunTables) -> Figure:
    """F32: features of the last measured layer in the plane of their class means, by checkpoint."""
    return _of_last_layer(tables, "means")


def by_phate(tables: RunTables) -> Figure:
    """F32: features of the last measured layer, embedded by PHATE, by checkpoint."""
    return _of_last_layer(tables, "phate")


def _of_last_layer(tables: RunTables, method: Method) -> Figure:
    layers = [layer for name in SUMMARY if tables.has(name) for layer in layers_of(tables.frames[name])]
    if tables.run is None or not layers:
        raise UsageError("features take an open run with a measured layer; measure CDNV first")
    last = max(layers, key=lambda layer: layer.index)
    return projection(tables.run, last.name, title=tables.title, method=method)


@styled
def projection(
    run: OpenRun,
    layer: str,
    split: str = "train",
    epochs: Sequence[int] | None = None,
    *,
    title: str = "",
    method: Method = "means",
) -> Figure:
    """F32: features and class means of a layer in two dimensions, a panel per checkpoint.

    Parameters
    ----------
    run
        An open run: ``layerscope.Run.open(folder)``.
    layer
        Any module of the network.
    epochs
        At most six kept ones; None is a spread of them, the first and the last among them.
    method
        ``means``: the plane in which the class means vary most. ``phate``: the embedding of Moon et al.
        (2019), in which neighbourhoods and the paths between them are kept, not distances; of every
        checkpoint on its own, turned to lie as the one before.

    Raises
    ------
    UsageError
        There is no checkpoint, or too few classes for a plane.
    MissingPackage
        PHATE is not installed.
    """
    chosen = spread(run.checkpoints.epochs() if epochs is None else epochs, MOST_PANELS)
    if not chosen:
        raise UsageError("there is no checkpoint to take features from; train the run first")
    plane_of = class_plane if method == "means" else phate_plane
    panels = len(chosen)
    columns = 2 if panels in (2, 4) else min(panels, 3)
    sheet = Sheet.of_panels(title, panels, columns, (1.9, 1.9), headings=True, between=0.35)
    before = None
    for axes, epoch in zip(sheet.axes, chosen, strict=True):
        features, labels = run.features(layer, split, epoch)
        plane = plane_of(np.asarray(features, dtype=float), np.asarray(labels))
        plane = plane if before is None else _turned(plane, before)
        _draw(axes, plane)
        axes.set_title(_heading(epoch, plane), pad=3)
        before = plane
    kind = f"{layer}, {split}" if method == "means" else f"{layer}, {split}, by PHATE"
    sheet.legends += _legends(kind, before.classes if before else np.array([], dtype=np.int64))
    return sheet.finish()


def _heading(epoch: int, plane: Plane) -> str:
    share = "" if np.isnan(plane.share) else f": {plane.share:.0%} of the means"
    parts = "" if plane.parts == 1 else f": {plane.parts} separate parts"
    return literal(f"epoch {epoch}{share}{parts}")


def class_plane(features: Array, labels: NDArray[np.int64]) -> Plane:
    """Project features (N, D) on the two leading principal directions of their class means.

    The centre is the mean of the class means, lengths are in units of their root mean square distance from
    it, ``share`` is that of their squared distances that lies within the plane.
    """
    classes, places = np.unique(labels, return_inverse=True)
    if len(classes) < 3 or features.shape[1] < 2:
        raise UsageError("a plane of class means takes three classes and two features at least")
    means = np.stack([features[places == place].mean(axis=0) for place in range(len(classes))])
    center = means.mean(axis=0)
    _, values, directions = np.linalg.svd(means - center, full_matrices=False)
    size = float(np.sqrt((values**2).sum() / len(classes))) or 1.0
    plane = directions[:2].T / size
    share = float((values[:2] ** 2).sum() / max((values**2).sum(), np.finfo(float).tiny))
    return Plane((features - center) @ plane, (means - center) @ plane, labels, classes, share)


def phate_plane(features: Array, labels: NDArray[np.int64]) -> Plane:
    """Embed features (N, D), every so many of them, by PHATE; the means are those of the embedded points.

    Raises
    ------
    UsageError
        There are too few samples or classes.
    MissingPackage
        PHATE is not installed.
    """
    step = -(-len(labels) // MOST_POINTS)
    some, own = features[::step], labels[::step]
    if len(own) <= PHATE_NEIGHBORS or len(np.unique(own)) < 2:
        raise UsageError(f"PHATE takes more than {PHATE_NEIGHBORS} samples and two classes at least")
    embedding = _phate()(n_components=2, knn=PHATE_NEIGHBORS, random_state=0, n_jobs=1, verbose=0)
    with warnings.catch_warnings():  # collapsed classes are such parts: the heading says it
        warnings.filterwarnings("ignore", "Graph is disconnected", RuntimeWarning)
        points = np.asarray(embedding.fit_transform(some), dtype=float)
    parts = getattr(getattr(embedding, "graph", None), "n_connected_components", 1)
    return _scaled(points, own)._replace(parts=int(parts))


def _phate() -> Any:
    try:
        from phate import PHATE
    except ImportError as error:
        raise MissingPackage("PHATE is not installed: pip install 'layerscope[phate]'") from error
    return PHATE


def _scaled(points: Array, labels: NDArray[np.int64]) -> Plane:
    """Points about the centre of their class means, in units of the means' rms distance from it."""
    classes, places = np.unique(labels, return_inverse=True)
    means = np.stack([points[places == place].mean(axis=0) for place in range(len(classes))])
    center = means.mean(axis=0)
    size = float(np.sqrt(((means - center) ** 2).sum(axis=1).mean())) or 1.0
    return Plane((points - center) / size, (means - center) / size, labels, classes, math.nan)


def _turned(plane: Plane, before: Plane) -> Plane:
    """The plane rotated or mirrored so that the class means lie as near as they can to those before."""
    if len(plane.classes) != len(before.classes):
        return plane
    left, _, right = np.linalg.svd(plane.means.T @ before.means)
    turn = left @ right
    return plane._replace(points=plane.points @ turn, means=plane.means @ turn)


def _draw(axes: Axes, plane: Plane) -> None:
    colours = class_colours(len(plane.classes))
    step = -(-len(plane.labels) // MOST_POINTS)
    chosen = np.searchsorted(plane.classes, plane.labels)[::step]
    points = plane.points[::step]
    axes.scatter(
        points[:, 0],
        points[:, 1],
        s=3,
        c=[colours[place] for place in chosen],
        alpha=0.5,
        linewidths=0,
        rasterized=True,
    )
    axes.scatter(
        plane.means[:, 0], plane.means[:, 1], s=22, c=colours, edgecolors="black", linewidths=0.7, zorder=3
    )
    reach = 1.05 * max(1.0, float(np.abs(plane.means).max()), float(np.abs(points).max()))
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[-1, 0, 1], yticks=[-1, 0, 1])
    axes.grid(visible=False)
    axes.axhline(0, color="0.9", linewidth=0.5, zorder=0.5)
    axes.axvline(0, color="0.9", linewidth=0.5, zorder=0.5)


def _legends(heading: str, classes: NDArray[np.int64]) -> list[Legend]:
    mean = Line2D([], [], linestyle="none", marker="o", color="0.8", markeredgecolor="black")
    first = Legend(literal(heading), [(mean, "class mean"), (_dot("0.5"), "sample")])
    if len(classes) > MOST_NAMED:
        return [first]
    named = zip(class_colours(len(classes)), classes, strict=True)
    return [first, Legend("class", [(_dot(colour), str(name)) for colour, name in named])]


def _dot(colour: str) -> Line2D:
    return Line2D([], [], linestyle="none", marker="o", markersize=3, color=colour)
