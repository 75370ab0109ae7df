"""Frequent and rare classes of one run: recall, accuracy of groups, drift, collapse of the minority."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from layerscope.plotting.drawing.axes import draw_epoch_axis, set_share_axis
from layerscope.plotting.drawing.series import draw_series
from layerscope.plotting.drawing.sheet import Legend, Sheet
from layerscope.plotting.drawing.style import CLASS_GROUP_COLOURS, styled
from layerscope.plotting.quantity import Quantity
from layerscope.plotting.run.panels import over_epochs, over_layers
from layerscope.plotting.run_tables import RunTables


def _pooled(statistic: str) -> dict[str, object]:
    return {"statistic": statistic, "class": -1}


def _means(statistic: str) -> dict[str, object]:
    return {"vectors": "means", "statistic": statistic, "rule": "thirds"}


DRIFT = [
    Quantity("Drift", r"$\|\mu_B\|$", _pooled("norm"), "drift", low=0.0),
    Quantity("Drift", r"$\|\mu_B\|$ / rms $\|m_c\|$", _pooled("relative"), "relative drift", low=0.0),
    Quantity("Drift", r"$\|\mu_S - \mu_B\|$", _pooled("gap"), "gap of the two means", low=0.0),
    Quantity("Drift", "mean distance / rms", _pooled("etf"), "class means from the ETF", low=0.0),
]
DRIFT_OF_CLASSIFIER = [
    Quantity("Drift", r"$\|\mu_B\|$ / rms $\|m_c\|$", _pooled("relative"), "relative drift", low=0.0),
    Quantity("Drift", "slope", _pooled("prior_slope"), r"$w_c\cdot\mu_B$ against $\ln n_c$"),
    Quantity("Drift", r"$R^2$", _pooled("prior_r2"), r"fit of $w_c\cdot\mu_B$", share=True),
]
MINORITY = [
    Quantity("MinorityCollapse", label, _means(statistic), heading)
    for statistic, label, heading in (
        ("tail_cosine", "mean cosine", "within the tail"),
        ("head_cosine", "mean cosine", "within the head"),
        ("head_tail_cosine", "mean cosine", "head against tail"),
        ("norm_ratio", "mean length, head / tail", "lengths"),
    )
]
MINORITY_OF_CLASSIFIER = [
    Quantity("MinorityCollapse", one.label, {**one.where, "vectors": "weights"}, one.heading)
    for one in MINORITY
]
SELI = [
    Quantity("SELI", "distance to SELI", {"vectors": vectors}, heading, low=0.0)
    for vectors, heading in (("weights", "rows of the classifier"), ("means", "class means"))
]


def drift(tables: RunTables, split: str = "train") -> Figure:
    """Drift of the centre of the features, by layer."""
    return over_layers(tables, DRIFT, split)


def drift_by_epoch(tables: RunTables) -> Figure:
    """Drift at the classifier, and how it carries the logarithms of the class sizes, by epoch."""
    return over_epochs(tables, DRIFT_OF_CLASSIFIER)


def minority(tables: RunTables, split: str = "train") -> Figure:
    """Angles and lengths of the class means of frequent and rare classes, by layer."""
    return over_layers(tables, MINORITY, split)


def minority_by_epoch(tables: RunTables) -> Figure:
    """Angles and lengths of the classifier's rows of frequent and rare classes, by epoch."""
    return over_epochs(tables, MINORITY_OF_CLASSIFIER)


def seli(tables: RunTables) -> Figure:
    """Distance of classifier and class means from the geometry that the class sizes ask for, by epoch."""
    return over_epochs(tables, SELI)


@styled
def group_accuracy(tables: RunTables) -> Figure:
    """Accuracy of frequent and rare classes by epoch, a panel per split."""
    rows = tables.rows("GroupAccuracy")
    rows = rows[rows["rule"].isin(["none", "thirds"]).to_numpy()]
    splits = [split for split in ("train", "validation", "test") if (rows["split"] == split).any()]
    sheet = Sheet.of_panels(tables.title, len(splits), 3, headings=True)
    for axes, split in zip(sheet.axes, splits, strict=True):
        chosen = rows[(rows["split"] == split).to_numpy()]
        for place, (group, colour) in enumerate(CLASS_GROUP_COLOURS.items()):
            series = chosen[(chosen["group"] == group).to_numpy()]
            slot = (place, len(CLASS_GROUP_COLOURS))
            draw_series(sheet, axes, series, colour=colour, slot=slot, along="epoch")
        axes.set_title(split, loc="left", pad=6)
        axes.set_ylabel("accuracy")
        draw_epoch_axis(axes, chosen["epoch"].unique().tolist())
        set_share_axis(axes)
    entries = [
        (Line2D([], [], color=colour, marker="o"), group) for group, colour in CLASS_GROUP_COLOURS.items()
    ]
    sheet.legends.append(Legend("", entries))
    return sheet.finish()
