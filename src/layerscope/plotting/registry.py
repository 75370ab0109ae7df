"""Every figure there is: its name, what it shows, what it is drawn from."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layerscope.errors import UsageError
from layerscope.plotting.run_tables import LOG, NC_LAYER_TABLE, PAIRS, RunTables

if TYPE_CHECKING:
    from matplotlib.figure import Figure as MatplotlibFigure


@dataclass(frozen=True)
class Figure:
    """One figure.

    ``function`` is ``module:name`` within this package, resolved when drawn, so that listing figures
    loads no matplotlib. ``needs`` must all be there; ``uses`` are drawn in when they are.
    """

    description: str
    function: str
    needs: tuple[str, ...] = ()
    uses: tuple[str, ...] = (NC_LAYER_TABLE,)
    split: str | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """Every table the figure depends on."""
        return tuple(dict.fromkeys((*self.needs, *self.uses)))

    def draw(self, tables: RunTables) -> MatplotlibFigure:
        """Draw the figure from ``tables``."""
        module, name = self.function.split(":")
        function: Callable[..., MatplotlibFigure]
        function = getattr(importlib.import_module(f"layerscope.plotting.{module}"), name)
        return function(tables) if self.split is None else function(tables, split=self.split)


MEASURES = ("Accuracy", "CDNV", "Traces", "NC1", "ETF", "NCC", "AngleBetweenSubspaces", "WeightSVs")

FIGURES: dict[str, Figure] = {
    "Accuracy": Figure("accuracy through training", "run.accuracy:accuracy", uses=(LOG, "Accuracy")),
    "CDNV": Figure(
        "class-distance normalised variance by layer", "run.variability:cdnv", ("CDNV",), split="train"
    ),
    "CDNV_test": Figure("CDNV by layer, test split", "run.variability:cdnv", ("CDNV",), split="test"),
    "Traces": Figure(
        "traces within and between classes by layer", "run.variability:traces", ("Traces",), split="train"
    ),
    "Traces_test": Figure("traces by layer, test split", "run.variability:traces", ("Traces",), split="test"),
    "NC1": Figure(
        "within-class over between-class covariance by layer", "run.variability:nc1", ("NC1",), split="train"
    ),
    "NC1_test": Figure("NC1 by layer, test split", "run.variability:nc1", ("NC1",), split="test"),
    "ETF": Figure("class means against a simplex ETF by layer", "run.geometry:etf", ("ETF",), split="train"),
    "ETF_test": Figure("ETF by layer, test split", "run.geometry:etf", ("ETF",), split="test"),
    "WeightSVs": Figure("singular values of the weights by layer", "run.weights:weight_svs", ("WeightSVs",)),
    "AngleBetweenSubspaces": Figure(
        "class means against the weights' top subspace by layer",
        "run.geometry:subspace_angles",
        ("AngleBetweenSubspaces",),
        split="train",
    ),
    "AngleBetweenSubspaces_test": Figure(
        "angle between subspaces by layer, test split",
        "run.geometry:subspace_angles",
        ("AngleBetweenSubspaces",),
        split="test",
    ),
    "NCC": Figure(
        "accuracy of the nearest class centre by layer",
        "run.nearest_center:ncc",
        ("NCC",),
        ("CDNV", "Accuracy"),
    ),
    "JointPMF": Figure(
        "decisions on pairs of test and train images", "run.pairs:joint_pmf", ("JointPMF",), ("DiscreteMI",)
    ),
    "ImagePairs": Figure("pairs of test and train images", "run.pairs:image_pairs", (PAIRS,), uses=()),
    "Overview": Figure("the run at a glance", "run.overview:overview", uses=(LOG, *MEASURES)),
}


def named_figures(names: Iterable[str] | None) -> dict[str, Figure]:
    """The figures called ``names`` (case ignored), all when None.

    Raises
    ------
    UsageError
        A name is unknown; the message gives the nearest known ones.
    """
    if names is None:
        return dict(FIGURES)
    known = {name.casefold(): name for name in FIGURES}
    chosen = {}
    for name in names:
        if name.casefold() not in known:
            raise UsageError(_unknown(name, known))
        chosen[known[name.casefold()]] = FIGURES[known[name.casefold()]]
    return chosen


def _unknown(name: str, known: dict[str, str]) -> str:
    near = [known[match] for match in difflib.get_close_matches(name.casefold(), known, n=3)]
    hint = f"did you mean {' or '.join(near)}?" if near else f"the figures are {', '.join(FIGURES)}."
    return f"there is no figure {name!r}: {hint}"
