"""Every figure of many runs: its name and number, what it shows, what it is drawn from."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from layerscope.plotting.matrix.imbalance_table import TABLES as IMBALANCE
from layerscope.plotting.matrix.quantities import QUANTITIES
from layerscope.plotting.matrix.tables import ESTIMATORS, SIZES, MatrixTables
from layerscope.plotting.quantity import Quantity
from layerscope.plotting.run_tables import LOG

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame


@dataclass(frozen=True)
class MatrixFigure:
    """One figure of many runs.

    Parameters
    ----------
    number
        In the list of figures F1 to F45; ``-`` for our own.
    description
    frame
        ``module:name`` in this room: :class:`~layerscope.plotting.matrix.tables.MatrixTables` → the frame
        that is drawn. ``source`` are its keywords.
    function
        ``module:name``: that frame and a title → a figure. ``options`` are its keywords. Both are resolved
        when drawn, so that listing figures loads no matplotlib.
    needs
        Tables that some run must have.
    uses
        Tables that are drawn in when they are there.
    table
        Whether the frame is worth a CSV beside the figure.
    title
        Of a figure that is not about the runs; that of the runs otherwise.
    """

    description: str
    frame: str
    function: str
    needs: tuple[str, ...]
    uses: tuple[str, ...] = ()
    number: str = "-"
    source: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    table: bool = False
    title: str = ""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Every table the figure depends on."""
        return (*self.needs, *self.uses)

    def rows(self, tables: MatrixTables) -> DataFrame:
        """The frame that is drawn.

        Raises
        ------
        UsageError
            The runs have nothing of the kind.
        """
        frame: DataFrame = _function(self.frame)(tables, **self.source)
        return frame

    def draw(self, rows: DataFrame, title: str) -> Figure:
        """Draw that frame.

        Raises
        ------
        UsageError
            The runs do not differ in what the figure compares.
        """
        figure: Figure = _function(self.function)(rows, self.title or title, **self.options)
        return figure


def _function(place: str) -> Callable[..., Any]:
    module, name = place.split(":")
    function: Callable[..., Any] = getattr(
        importlib.import_module(f"layerscope.plotting.matrix.{module}"), name
    )
    return function


def _looks(quantity: Quantity, *, lines: bool = True, share: bool = True) -> dict[str, Any]:
    looks: dict[str, Any] = {"label": quantity.label, "log": quantity.log}
    if lines:
        looks |= {"reference": quantity.reference, "ceiling": quantity.ceiling}
    return {**looks, "share": quantity.share} if share else looks


def _beside(quantity: Quantity, *more: str) -> tuple[str, ...]:
    """Tables that are drawn in when they are there: those that hold what to compare with, and ``more``."""
    names = dict.fromkeys((*more, *(source.table for source in quantity.beside)))
    return tuple(name for name in names if name != quantity.table)


SCATTER_NUMBERS = {"DSE": "F25", "DSMI": "F26", "DSMI_inputs": "F27"}
MULTIPLIED = ("CDNV", "NC1", "NCC", "DSE")

CURVES = "imbalance_curves"


def _by_layer(
    kind: str, text: str, function: str, names: Iterable[str], *, lines: bool = True
) -> dict[str, MatrixFigure]:
    """A figure of each named quantity over the layers, as lines or in colours."""
    return {
        f"{name}_{kind}": MatrixFigure(
            f"{QUANTITIES[name].label} {text}",
            "quantities:layer_rows",
            function,
            (QUANTITIES[name].table,),
            _beside(QUANTITIES[name], "CDNV") if lines else (),
            source={"quantity": name},
            options=_looks(QUANTITIES[name], lines=lines),
        )
        for name in names
    }


_SCATTERS = {
    f"{name}_accuracy": MatrixFigure(
        f"{quantity.label} at the last layer against test accuracy, through training",
        "accuracy_scatter:accuracy_frame",
        "accuracy_scatter:accuracy_scatter",
        (quantity.table, LOG),
        _beside(quantity),
        number=SCATTER_NUMBERS.get(name, "-"),
        source={"quantity": name},
        options=_looks(quantity, share=False),
    )
    for name, quantity in QUANTITIES.items()
}


def _imbalance(
    number: str, description: str, function: str, room: str = "imbalance", **options: Any
) -> MatrixFigure:
    return MatrixFigure(
        description,
        "imbalance_table:imbalance_rows",
        f"{room}:{function}",
        IMBALANCE,
        number=number,
        options=options,
    )


_IMBALANCE = {
    "DriftMap": _imbalance("F33", "drift by data set and model", "drift_map"),
    "DriftScaling": _imbalance(
        "F34", "drift against the imbalance ratio, with its power law", "scaling", CURVES
    ),
    "ImbalanceByKind": _imbalance(
        "F35, F37, F41", "accuracies of head, mid and tail, and drift, of each kind of run", "by_category"
    ),
    "ImbalanceWeightDecay": _imbalance(
        "F36", "drift and accuracies against weight decay", "against", CURVES, axis="Optimizer.weight-decay"
    ),
    "ImbalanceDriftPenalty": _imbalance(
        "F38",
        "drift and accuracies against the drift penalty",
        "against",
        CURVES,
        axis="Optimizer.drift-penalty",
    ),
    "ImbalanceBatchSize": _imbalance(
        "F39", "drift and accuracies against the batch size", "against", CURVES, axis="Data.batch-size"
    ),
    "ImbalanceLayerNorm": _imbalance(
        "F40",
        "drift and tail accuracy through training, with and without LayerNorm",
        "over_epochs",
        hue="Model.final-norm",
    ),
    "ImbalanceShots": _imbalance(
        "F42",
        "accuracy of many-, medium- and few-shot classes",
        "by_category",
        accuracies=("overall", "many", "medium", "few"),
    ),
    "DriftEpochs": _imbalance("F43", "drift and tail accuracy through training", "over_epochs"),
    "DriftLayers": MatrixFigure(
        "relative drift by layer",
        "imbalance_table:drift_rows",
        "imbalance:over_layers",
        ("Drift",),
        number="F44",
    ),
    "DriftTail": _imbalance("F45", "tail accuracy against drift, a point per run", "scatter"),
}

MATRIX_FIGURES: dict[str, MatrixFigure] = {
    **_by_layer(
        "profile", "by layer at the last epoch, compared along the axes", "profiles:profile", QUANTITIES
    ),
    **_by_layer(
        "map",
        "over layers and epochs, a panel per setting",
        "heat_maps:layer_epoch_map",
        QUANTITIES,
        lines=False,
    ),
    **_by_layer(
        "multiples", "by layer through training, a panel per setting", "profiles:multiples", MULTIPLIED
    ),
    **_SCATTERS,
    "NCLayerByAxis": MatrixFigure(
        "the NC layer against depth, every axis, and repetition",
        "nc_layers:nc_layer_frame",
        "nc_layers:nc_layers",
        ("CDNV",),
    ),
    "Correlations": MatrixFigure(
        "Pearson's and Spearman's correlation of every measure with accuracy and the gap (also as CSV)",
        "correlations:correlation_frame",
        "correlations:correlations",
        (LOG,),
        tuple(dict.fromkeys(quantity.table for quantity in QUANTITIES.values())),
        table=True,
    ),
    "Estimators": MatrixFigure(
        "estimates of mutual information against label corruption and dimension",
        "estimators:estimator_frame",
        "estimators:estimator_comparison",
        (ESTIMATORS,),
        number="F28",
        title="estimates of I(X; Y) of points around class centres",
    ),
    "EstimatorRuntime": MatrixFigure(
        "seconds of an estimate against the dimension",
        "estimators:estimator_frame",
        "estimators:estimator_runtime",
        (ESTIMATORS,),
        number="F29",
        title="seconds of an estimate of I(X; Y) of points around class centres",
    ),
    "InitialisationStudy": MatrixFigure(
        "DSE early in training and test accuracy, by the standard deviation of the first weights",
        "development:development_frame",
        "development:development",
        ("DSE", LOG),
        number="F30",
        source={"quantity": "DSE"},
        options={"label": QUANTITIES["DSE"].label, "hue": "Model.conv-init-std"},
    ),
    "Screening": MatrixFigure(
        "measures of networks against their accuracies, a bubble per run",
        "screening:screening_frame",
        "screening:screening",
        (LOG,),
        (*(("DSE", "DSMI", "CDNV", "NC1")), SIZES),
        number="F31",
    ),
    **_IMBALANCE,
}
"""Name → figure. Names differ from those of the figures of one run."""
