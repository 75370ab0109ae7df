"""Every figure of one run: its name, what it shows, what it is drawn from."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from layerscope.errors import UsageError
from layerscope.plotting.quantity import LABEL_ENTROPIES
from layerscope.plotting.run_tables import CHECKPOINTS, LOG, NC_LAYER_TABLE, OBSERVATIONS, PAIRS, RunTables

if TYPE_CHECKING:
    from matplotlib.figure import Figure as MatplotlibFigure

AnyFigure = TypeVar("AnyFigure", bound="Numbered")

FORMATS = ("pdf", "png")
"""Of every figure: for a paper, and to look at."""


class Numbered(Protocol):
    """What figures of one run and of many have in common."""

    @property
    def number(self) -> str:
        """In the list of figures, such as ``F2`` or ``F35, F37, F41``; ``-`` for our own."""


@dataclass(frozen=True)
class Figure:
    """One figure.

    ``function`` is ``module:name`` within this package, resolved when drawn, so that listing figures
    loads no matplotlib. ``needs`` must all be there, of ``any_of`` at least one; ``uses`` are drawn in when
    they are. ``number`` is that of the list of figures in the literature, ``-`` for our own. ``formats``: as
    which files it is drawn.
    """

    number: str
    description: str
    function: str
    needs: tuple[str, ...] = ()
    uses: tuple[str, ...] = (NC_LAYER_TABLE,)
    split: str | None = None
    any_of: tuple[str, ...] = ()
    formats: tuple[str, ...] = FORMATS

    @property
    def inputs(self) -> tuple[str, ...]:
        """Every table the figure depends on."""
        return tuple(dict.fromkeys((*self.needs, *self.any_of, *self.uses)))

    def draw(self, tables: RunTables) -> MatplotlibFigure:
        """Draw the figure from ``tables``."""
        module, name = self.function.split(":")
        function: Callable[..., MatplotlibFigure]
        function = getattr(importlib.import_module(f"layerscope.plotting.{module}"), name)
        return function(tables) if self.split is None else function(tables, split=self.split)


Named = dict[str, Figure]


def _both(
    name: str, numbers: str, description: str, function: str, *needs: str, any_of: tuple[str, ...] = ()
) -> Named:
    """A figure of the train split and its twin of the test split; ``numbers``: ``F2 F11``, or ``F4``."""
    number, _, of_twin = numbers.partition(" ")
    common = (function, needs, (NC_LAYER_TABLE,))
    return {
        name: Figure(number, description, *common, "train", any_of),
        f"{name}_test": Figure(of_twin or "-", f"{description}, test split", *common, "test", any_of),
    }


def _one(name: str, number: str, description: str, function: str, *needs: str) -> Named:
    return {name: Figure(number, description, function, needs)}


OVERVIEW = "Overview"
IN_OVERVIEW = (
    *("Accuracy", "CDNV", "NC1", "ETF", "NCC", "SelfDuality", "AngleBetweenSubspaces"),
    *("ActivationStableRank", "DSE", "KSG", "DSMI", "Drift"),
)
LAST_LAYER = ("NC1", "CDNV", "ETF", "GNC2", "SelfDuality", "NCC")
SUMMARY = ("Traces", "CDNV", "NC1", "ETF", "NCC", "VCI")
INFORMATION = ("BinnedMI", "KSG", "GaussianMI", "LatentMI", "DSMI")
IN_COLOURS = (*SUMMARY, "AngleBetweenSubspaces", "ActivationStableRank", "DSE", "KSG", "DSMI", "Drift")
TABLES_OF_LABEL_ENTROPY = tuple(source.table for source in LABEL_ENTROPIES)
ANGLES, SPECTRA = "AngleBetweenSubspaces", "ActivationCovSVs"

FIGURES: Named = {
    # training
    "Accuracy": Figure(
        "F1", "accuracy through training", "run.accuracy:accuracy", any_of=(LOG, "Accuracy"), uses=()
    ),
    "Training": Figure(
        "F19",
        "loss and accuracy through training",
        "run.training:training",
        any_of=(LOG, "Accuracy"),
        uses=(),
    ),
    "Observations": Figure(
        "F23", "gradient norm and activations", "run.training:observations", (OBSERVATIONS,), ()
    ),
    # collapse
    **_both("CDNV", "F2 F11", "class-distance normalised variance by layer", "run.variability:cdnv", "CDNV"),
    **_both(
        "CDNVPairs",
        "-",
        "variance against distance of pairs of classes",
        "run.class_pairs:cdnv_pairs",
        "CDNVPairs",
    ),
    **_both("Traces", "F3 F12", "traces within and between classes", "run.variability:traces", "Traces"),
    **_both("NC1", "F4", "within-class over between-class covariance", "run.variability:nc1", "NC1"),
    **_both("VCI", "-", "variability collapse index by layer", "run.variability:vci", "VCI"),
    **_both("ETF", "F5 F13", "class means against a simplex ETF", "run.geometry:etf", "ETF"),
    **_both("GNC2", "-", "kernels of the class means, by layer", "run.geometry:gnc2", "GNC2"),
    **_both(ANGLES, "F7 F14", "class means against the weights", "run.geometry:subspace_angles", ANGLES),
    "NCC": Figure(
        "F8", "nearest class centre by layer", "run.nearest_center:ncc", ("NCC",), ("CDNV", "Accuracy")
    ),
    **_one("NC5", "-", "other data against the class means", "run.collapse:ood", "NC5"),
    **_one(
        "SelfDuality", "-", "classifier against class means", "run.classifier:self_duality", "SelfDuality"
    ),
    **_one(
        "ClassifierETF", "-", "classifier against an ETF", "run.classifier:classifier_etf", "ClassifierETF"
    ),
    "NCThroughTraining": Figure(
        "F21",
        "NC1 to NC4 at the last layer by epoch",
        "run.collapse:through_training",
        uses=(),
        any_of=LAST_LAYER,
    ),
    "NCLayer": Figure("-", "NC layer by epoch", "run.collapse:collapsed_layer", ("NCLayer",), ()),
    **_both("Summary", "F18", "logarithm of every measure by layer", "run.collapse:summary", any_of=SUMMARY),
    **_both(
        "LayerEpoch", "-", "measures by layer and epoch", "run.layer_epoch:main_measures", any_of=IN_COLOURS
    ),
    # spectra and ranks
    **_one("WeightSVs", "F6", "singular values of the weights", "run.weights:weight_svs", "WeightSVs"),
    **_one(
        "WeightSpectra", "F17", "distribution of singular values", "run.spectra:weight_spectra", "WeightSVs"
    ),
    **_one("WeightRanks", "F16", "ranks of the weights", "run.ranks:weight_ranks", "WeightRanks"),
    **_one("WeightSoftRanks", "-", "soft ranks of the weights", "run.ranks:soft_ranks", "WeightRanks"),
    **_both(
        "ActivationStableRank",
        "F9",
        "stable rank within the classes",
        "run.ranks:class_stable_rank",
        "ActivationStableRank",
    ),
    **_both("FeatureStableRank", "F10", "stable rank of features", "run.ranks:feature_stable_rank", SPECTRA),
    **_both(SPECTRA, "-", "eigenvalues of the covariances", "run.spectra:covariance_spectra", SPECTRA),
    **_both("MLPSVD", "F15", "singular vectors against class means", "run.mlp_svd:mlp_svd", "MLPSVD"),
    # information
    **_both(
        "LabelInformation",
        "F20",
        "information with the labels by layer",
        "run.information:labels_by_layer",
        any_of=INFORMATION,
    ),
    **_both(
        "InputInformation",
        "F20",
        "information with the inputs by layer",
        "run.information:inputs_by_layer",
        any_of=INFORMATION,
    ),
    **_both(
        "LabelInformationByEpoch",
        "F20",
        "information with the labels by epoch",
        "run.information:labels_by_epoch",
        any_of=INFORMATION,
    ),
    **_both(
        "InputInformationByEpoch",
        "F20",
        "information with the inputs by epoch",
        "run.information:inputs_by_epoch",
        any_of=INFORMATION,
    ),
    **_both("DSE", "-", "spectral entropies by layer", "run.information:entropy_by_layer", "DSE"),
    **_both("DSEByEpoch", "-", "spectral entropies by epoch", "run.information:entropy_by_epoch", "DSE"),
    # pairs of images
    "JointPMF": Figure(
        "F22",
        "decisions on pairs of test and train images",
        "run.pairs:joint_pmf",
        ("JointPMF",),
        ("DiscreteMI",),
    ),
    **_both(
        "ClassInformation",
        "-",
        "information that each class gives",
        "run.classes:class_information",
        "ClassMI",
    ),
    "DecisionInformation": Figure(
        "F20",
        "information of decisions on pairs by epoch",
        "run.information:decisions_by_epoch",
        ("DiscreteMI",),
        (),
    ),
    "PairedInformation": Figure(
        "F20",
        "information of paired images by layer",
        "run.information:pairs_by_layer",
        any_of=("PairedMI", "PairedLatentMI"),
    ),
    "ImagePairs": Figure("F24", "pairs of test and train images", "run.pairs:image_pairs", (PAIRS,), ()),
    # imbalance
    **_both("ClassRecall", "-", "recall of every class", "run.classes:class_recall", "ClassRecall"),
    "GroupAccuracy": Figure(
        "-", "frequent and rare classes", "run.imbalance:group_accuracy", ("GroupAccuracy",), ()
    ),
    **_both("Drift", "F44", "drift of the centre by layer", "run.imbalance:drift", "Drift"),
    **_one(
        "DriftByEpoch", "F43", "drift at the classifier by epoch", "run.imbalance:drift_by_epoch", "Drift"
    ),
    **_both(
        "MinorityCollapse", "-", "class means of rare classes", "run.imbalance:minority", "MinorityCollapse"
    ),
    **_one(
        "MinorityByEpoch",
        "-",
        "classifier's rows of rare classes",
        "run.imbalance:minority_by_epoch",
        "MinorityCollapse",
    ),
    **_one("SELI", "-", "distance to the SELI geometry", "run.imbalance:seli", "SELI"),
    # all at once
    OVERVIEW: Figure(
        "-",
        "the run at a glance",
        "run.overview:overview",
        uses=(NC_LAYER_TABLE, *TABLES_OF_LABEL_ENTROPY),
        any_of=(LOG, *IN_OVERVIEW),
    ),
}


OF_FEATURES: Named = {
    "Projection": Figure(
        "F32",
        "features by checkpoint in the plane of the class means",
        "run.projection:in_plane",
        (CHECKPOINTS,),
        any_of=SUMMARY,
    ),
    "ProjectionPHATE": Figure(
        "F32",
        "features by checkpoint, embedded by PHATE (an extra)",
        "run.projection:by_phate",
        (CHECKPOINTS,),
        any_of=SUMMARY,
    ),
}
"""Figures for which the network is run again: they are drawn when they are named, and at no other time."""


def named_figures(names: Iterable[str] | None) -> dict[str, Figure]:
    """The figures called ``names`` (case ignored); all that are drawn from tables when None.

    Raises
    ------
    UsageError
        A name is unknown; the message gives the nearest known ones.
    """
    return dict(FIGURES) if names is None else named(names, {**FIGURES, **OF_FEATURES})


def named(names: Iterable[str], figures: Mapping[str, AnyFigure]) -> dict[str, AnyFigure]:
    """Those of ``figures`` that are called ``names`` (case ignored), or have such a number: ``F32``.

    Raises
    ------
    UsageError
        A name is unknown; the message gives the nearest known ones.
    """
    known = {name.casefold(): name for name in figures}
    chosen: dict[str, AnyFigure] = {}
    for name in names:
        found = _numbered(name, figures) or [known.get(name.casefold(), "")]
        if found == [""]:
            raise UsageError(_unknown(name, known))
        chosen |= {each: figures[each] for each in found}
    return chosen


def _numbered(number: str, figures: Mapping[str, AnyFigure]) -> list[str]:
    """The names of the figures with this number."""
    return [name for name, figure in figures.items() if number.upper() in figure.number.split(", ")]


def _unknown(name: str, known: Mapping[str, str]) -> str:
    near = [known[match] for match in difflib.get_close_matches(name.casefold(), known, n=3)]
    hint = f"did you mean {' or '.join(near)}?" if near else f"the figures are {', '.join(known.values())}."
    return f"there is no figure {name!r}: {hint}"
