"""Information measures, by layer and through training, with what they can be at most."""

from __future__ import annotations

from matplotlib.figure import Figure

from layerscope.plotting.quantity import CEILING, H_OF_LABELS, Quantity, Source, entropy_of
from layerscope.plotting.run.panels import layers_over_epochs, over_epochs, over_layers
from layerscope.plotting.run_tables import RunTables


def _estimates(variable: str, of: str) -> dict[str, Quantity]:
    """Every measure of the information of features with a variable, by its estimator."""

    def panel(table: str, heading: str, *, ceiling: str = CEILING, **where: str) -> Quantity:
        known = entropy_of(variable, table)
        return Quantity(table, f"I(T; {of})", where, heading, ceiling=ceiling, **known)

    bins = "" if variable == "labels" else CEILING  # with labels, the ceiling is their entropy
    return {
        "bins": panel("BinnedMI", "bins", ceiling=bins, statistic=variable),
        "neighbours": panel("KSG", "neighbours (KSG)", variable=variable),
        "gaussian": panel("GaussianMI", "Gaussian", ceiling=bins, variable=variable, statistic="unbiased"),
        "latent": panel("LatentMI", "latent", variable=variable),
        "diffusion": panel("DSMI", "diffusion, full", ceiling="", variable=variable, statistic="full"),
        "matched": panel("DSMI", "diffusion, matched", variable=variable, statistic="matched"),
    }


DECISIONS = [
    Quantity(
        "DiscreteMI",
        "information",
        {"statistic": "information", "class": -1},
        "decisions on pairs",
        beside=(Source("DiscreteMI", {"statistic": "label_entropy", "class": -1}),),
        beside_label=H_OF_LABELS,
        ceiling=CEILING,
        low=0.0,
    ),
    Quantity(
        "DiscreteMI",
        "share of the pairs",
        {"statistic": "agreement", "class": -1},
        "pairs decided alike",
        beside=(Source("DiscreteMI", {"statistic": "label_agreement", "class": -1}),),
        beside_label="pairs of one label",
        share=True,
    ),
]
PAIRED = [
    Quantity("PairedMI", "information", {"estimator": "ksg"}, "neighbours (KSG)", ceiling=CEILING),
    Quantity("PairedMI", "information", {"estimator": "gaussian"}, "Gaussian", ceiling="entropy H(Y)"),
    Quantity("PairedLatentMI", "information", {}, "latent", ceiling=CEILING),
]
LABELS, INPUTS = _estimates("labels", "Y"), _estimates("inputs", "X")
ENTROPIES = [
    Quantity("DSE", "entropy S", {"statistic": "entropy"}, "diffusion spectral", low=0.0, ceiling="ln n"),
    Quantity("DSE", "entropy", {"statistic": "matrix_entry"}, "matrix entry", low=0.0, ceiling="2 ln n"),
    Quantity("DSE", "entropy", {"statistic": "adjacency"}, "adjacency spectral", low=0.0, ceiling="ln n"),
    Quantity("DSE", "entropy", {"statistic": "adjacency_knn"}, "neighbour graph", low=0.0, ceiling="ln n"),
]


def labels_by_layer(tables: RunTables, split: str = "train") -> Figure:
    """F20: information of the features of each layer with the labels, by every estimator there is."""
    return over_layers(tables, list(LABELS.values()), split)


def inputs_by_layer(tables: RunTables, split: str = "train") -> Figure:
    """F20: information of the features of each layer with the inputs, by every estimator there is."""
    return over_layers(tables, list(INPUTS.values()), split)


def labels_by_epoch(tables: RunTables, split: str = "train") -> Figure:
    """F20: information with the labels through training, one line per layer."""
    return layers_over_epochs(tables, list(LABELS.values()), split)


def inputs_by_epoch(tables: RunTables, split: str = "train") -> Figure:
    """F20: information with the inputs through training, one line per layer."""
    return layers_over_epochs(tables, list(INPUTS.values()), split)


def entropy_by_layer(tables: RunTables, split: str = "train") -> Figure:
    """Entropies of the diffusion, of one step, and of the kernel by layer, with the largest they can be."""
    return over_layers(tables, ENTROPIES, split)


def entropy_by_epoch(tables: RunTables, split: str = "train") -> Figure:
    """Entropies of the diffusion, of one step, and of the kernel through training, one line per layer."""
    return layers_over_epochs(tables, ENTROPIES, split)


def decisions_by_epoch(tables: RunTables) -> Figure:
    """F20: information between the decisions on paired test and train images, by epoch."""
    return over_epochs(tables, DECISIONS, "")


def pairs_by_layer(tables: RunTables) -> Figure:
    """F20: information between the features of paired test and train images, by layer."""
    return over_layers(tables, PAIRED, "test")
