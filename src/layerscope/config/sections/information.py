"""Key ``Measurements.information``: how information and entropy are estimated from a sample."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from layerscope.config.fields import (
    AnyCase,
    AsTuple,
    Expected,
    Fraction,
    OneOrMore,
    Positive,
)
from layerscope.config.sections.base import Section

LEAST_POWER = 0.5
"""The smallest power of a diffusion whose entropy rounding does not decide."""

ALL_EIGENVALUES = 5000
"""The largest sample of which every eigenvalue is computed, as powers below 1 need."""

_RULE = re.compile(r"median|knn:[1-9][0-9]*|sqrtD:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[-+]?[0-9]+)?")
_BINNING = re.compile(r"(?:minmax|per_unit):[1-9][0-9]*|fixed:[1-9][0-9]*:([^:]+):([^:]+)")
_GRAPH = re.compile(r"gaussian|knn:[1-9][0-9]*")


def _checked_bandwidth(value: Any) -> Any:
    if isinstance(value, str) and not _RULE.fullmatch(value):
        raise ValueError(f"{value!r} is not a bandwidth: median, knn:K, sqrtD:C or a number above 0")
    if not isinstance(value, str) and not value > 0:
        raise ValueError(f"a bandwidth is above 0, not {value}")
    return value


def _checked_binnings(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        if not _BINNING.fullmatch(value):
            raise ValueError(f"{value!r} is not a binning such as minmax:30, per_unit:2 or fixed:30:-1:1")
        if value.startswith("fixed:"):
            _check_limits(value)
    return tuple(dict.fromkeys(values))


def _check_limits(binning: str) -> None:
    low, high = binning.split(":")[2:]
    try:
        ascending = -math.inf < float(low) < float(high) < math.inf
    except ValueError:
        ascending = False
    if not ascending:
        raise ValueError(f"{binning!r} is no binning fixed:B:LOW:HIGH with two numbers, LOW below HIGH")


def _checked_graph(value: Any) -> Any:
    """True is the older word for the Gaussian kernel."""
    if value is True:
        return "gaussian"
    if isinstance(value, str) and not _GRAPH.fullmatch(value):
        raise ValueError(f"{value!r} is no graph: gaussian or knn:K")
    return value


def _alone(value: Any) -> Any:
    """One number stands for the list of itself."""
    return (value,) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


Bandwidth = Annotated[
    float | str, AfterValidator(_checked_bandwidth), Expected("median, knn:K, sqrtD:C or a number above 0")
]
Powers = Annotated[
    tuple[Annotated[float, Field(ge=LEAST_POWER)], ...],
    BeforeValidator(_alone),
    AsTuple,
    Field(min_length=1),
    Expected("a number of at least 0.5 (rounding decides smaller powers), or a list of them"),
]
Binnings = Annotated[
    tuple[str, ...],
    OneOrMore,
    AfterValidator(_checked_binnings),
    Field(min_length=1),
    Expected("binnings such as minmax:30 (one range for all units), per_unit:2 or fixed:30:-1:1"),
]
Graph = Annotated[bool | str, BeforeValidator(_checked_graph), Expected("False, gaussian (or True) or knn:K")]


def neighbors_of(rule: float | str) -> int:
    """K of ``knn:K``, else 0."""
    return int(rule.removeprefix("knn:")) if isinstance(rule, str) and rule.startswith("knn:") else 0


class InformationConfig(Section):
    """How information and entropy are estimated from a sample."""

    units: Annotated[Literal["nats", "bits"], AnyCase] = Field(
        default="nats", description="What information is counted in"
    )
    bandwidth: Bandwidth = Field(
        default="median",
        description="Width of the diffusion's kernel: median (distance), knn:K, sqrtD:C, or a number",
    )
    alpha: Fraction = Field(
        default=0.0, description="How far the density of the points is taken out of the diffusion, 0 to 1"
    )
    times: Powers = Field(
        default=(1.0,),
        description="Powers t of the diffusion, one or several, of at least 0.5; any below 1 makes all "
        "kernels float64",
    )
    adjacency: Graph = Field(
        default=False,
        description="DSE: the entropy of a graph's own eigenvalues as well, which takes long: gaussian (or "
        "True), the kernel, or knn:K, the graph of nearest neighbours; False: none",
    )
    clusters: Positive = Field(
        default=10, description="Groups into which the inputs are clustered, for DSMI with the inputs"
    )
    binnings: Binnings = Field(
        default=("minmax:30", "per_unit:2"),
        description="Ways of binning activations: range (minmax, per_unit) and number of bins, or "
        "fixed:BINS:LOW:HIGH",
    )
    neighbors: Positive = Field(default=3, description="Neighbours k of the nearest-neighbour estimates")
    components: Positive | None = Field(
        default=8,
        description="Leading principal components that nearest-neighbour and Gaussian estimates look at; "
        "None: every feature",
    )
    latent_dims: Positive = Field(default=8, description="Latent dimensions of each block for LatentMI")
    latent_epochs: Positive = Field(
        default=300,
        description="Epochs of LatentMI's networks at most; they stop once they no longer improve",
    )

    @property
    def fewest(self) -> int:
        """The largest sample that is too small for the bandwidth: K of ``knn:K``, else 0."""
        return neighbors_of(self.bandwidth)
