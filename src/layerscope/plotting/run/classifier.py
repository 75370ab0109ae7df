"""The classifier through training: its rows as a tight frame, and against the class means."""

from __future__ import annotations

from matplotlib.figure import Figure

from layerscope.plotting.quantity import Quantity, Source
from layerscope.plotting.run.panels import over_epochs
from layerscope.plotting.run_tables import RunTables

DUAL = (0.0, "self-dual")
SELF_DUALITY = [
    Quantity("SelfDuality", label, {"statistic": statistic}, heading, low=0.0, level=level)
    for statistic, label, heading, level in (
        ("frobenius", r"$\|W/\|W\| - M/\|M\|\,\|^2$", "NC3, multiples", DUAL),
        ("etf", r"$\|WM^\top/\|WM^\top\| - $ETF$\|$", "NC3, against an ETF", DUAL),
        ("uniform_variation", r"std / mean of $w_c\cdot m_c$", "uniform duality", DUAL),
        ("cosine", r"mean of $\cos(w_c, m_c)$", "angles", None),
        ("bias", r"$\|W\mu + b\|$ (logits)", "bias", DUAL),
    )
]
FLOOR = Source("ClassifierETF", {"rows": "centered", "statistic": "etf_floor"})
CLASSIFIER_ETF = [
    Quantity(
        "ClassifierETF",
        label,
        {"rows": "centered", "statistic": statistic},
        low=0.0,
        beside=(FLOOR,) if statistic == "etf_error" else (),
        beside_label="attainable in this dimension",
    )
    for statistic, label in (
        ("equiangular", r"mean of $|\cos + 1/(K-1)|$"),
        ("equiangular_std", r"std of $\cos$"),
        ("equinorm", r"std / mean of $\|w_c\|$"),
        ("etf_error", "distance to an ETF"),
    )
]


def self_duality(tables: RunTables) -> Figure:
    """NC3: the classifier's weight against the class means at its input, by epoch."""
    return over_epochs(tables, SELF_DUALITY)


def classifier_etf(tables: RunTables) -> Figure:
    """NC2 of the classifier's centred rows, by epoch, with the smallest error that its shape allows."""
    return over_epochs(tables, CLASSIFIER_ETF)
