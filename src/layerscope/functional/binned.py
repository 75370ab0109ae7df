"""Shannon entropy and mutual information of features that are cut into bins."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from layerscope.functional.points import check_labels, check_points
from layerscope.functional.units import Units, in_units

Edges = Literal["minmax", "per_unit", "fixed"]
BINS = 30
SATURATED = 0.5  # share of distinct code words from which the estimate tells the sample's size


@dataclass(frozen=True)
class BinnedInformation:
    r"""Information in the binned features T of one layer, by counting.

    Attributes
    ----------
    entropy : float
        :math:`H(T)`. A deterministic network's :math:`I(X;T)` is just this.
    conditional : float
        :math:`\sum_y p(y) H(T|y)`.
    label_entropy : float
        :math:`H(Y)`.
    unique_fraction : float
        Distinct code words over samples, in (0, 1].
    """

    entropy: float
    conditional: float
    label_entropy: float
    unique_fraction: float

    @property
    def with_labels(self) -> float:
        """:math:`I(T;Y) = H(T) - H(T|Y)`, in [0, H(Y)]."""
        return max(self.entropy - self.conditional, 0.0)

    @property
    def with_inputs(self) -> float:
        """:math:`I(X;T) = H(T)`, in [0, ln n]: T is a function of X."""
        return self.entropy

    @property
    def saturated(self) -> bool:
        """Whether there are more than half as many code words as samples.

        Once all have, :math:`H(T) = \\ln n` and :math:`I(T;Y) = H(Y)`, whatever the labels are.
        """
        return self.unique_fraction > SATURATED


def shannon_entropy_binned(
    features: Tensor,
    *,
    bins: int = BINS,
    edges: Edges = "minmax",
    limits: tuple[float, float] | None = None,
    units: Units = "nats",
) -> float:
    r"""Plug-in entropy :math:`-\sum_w p(w)\ln p(w)` of the code words w of binned features.

    Parameters
    ----------
    features : Tensor (n, D)
    bins, edges, limits
        See :func:`code_words`.
    units : "nats" | "bits"

    Returns
    -------
    float
        In :math:`[0, \ln n]`; NaN for no samples.
    """
    words = code_words(features, bins=bins, edges=edges, limits=limits)
    return in_units(entropy_of_counts(words.bincount()), units)


def binned_mutual_information(
    features: Tensor,
    labels: Tensor,
    *,
    bins: int = BINS,
    edges: Edges = "minmax",
    limits: tuple[float, float] | None = None,
    units: Units = "nats",
) -> BinnedInformation:
    """Information of a layer's features with labels and with the inputs, by binning.

    Parameters
    ----------
    features : Tensor (n, D)
    labels : Tensor (n,)
        Integers.
    bins, edges, limits
        See :func:`code_words`; the edges are those of all samples.
    units : "nats" | "bits"

    Raises
    ------
    ValueError
        What :func:`code_words` refuses, labels that are not one integer per sample, or no samples.

    References
    ----------
    Shwartz-Ziv, Tishby (2017), arXiv:1703.00810 (30 bins on [-1, 1]); Saxe et al. (2018), ICLR.
    """
    check_labels(labels, len(features))
    if len(features) == 0:
        raise ValueError("no samples, no information")
    words = code_words(features, bins=bins, edges=edges, limits=limits)
    _, classes, counts = torch.unique(labels.to(words.device), return_inverse=True, return_counts=True)
    joint = entropy_of_counts(_relabeled(words * len(counts) + classes).bincount())
    entropy, label_entropy = entropy_of_counts(words.bincount()), entropy_of_counts(counts)
    return BinnedInformation(
        in_units(entropy, units),
        in_units(max(joint - label_entropy, 0.0), units),
        in_units(label_entropy, units),
        (int(words.max()) + 1) / len(words),
    )


def code_words(
    features: Tensor,
    *,
    bins: int = BINS,
    edges: Edges = "minmax",
    limits: tuple[float, float] | None = None,
) -> Tensor:
    """Number (n,) of the code word of each sample, from 0 without gaps; equal for equal binned rows, only.

    Parameters
    ----------
    features : Tensor (n, D)
    bins : int
        Per unit, of equal width; the right edge belongs to the last one.
    edges : "minmax" | "per_unit" | "fixed"
        Between the least and the largest value of all units, of each unit, or ``limits``. Where these are
        equal (a constant unit) everything is in one bin.
    limits : (float, float), optional
        For ``fixed``.

    Raises
    ------
    ValueError
        Features that are no finite matrix, an unknown kind of edges, no bins, limits that are missing, not
        wanted or not ascending, or values outside them.
    """
    check_points(features)
    if bins < 1:
        raise ValueError(f"values are cut into at least one bin, not {bins}")
    features = features.double()
    low, high = _limits(features, edges, limits)
    width = (high - low).clamp(min=torch.finfo(torch.float64).tiny)
    cells = ((features - low) / width * bins).floor().clamp(0, bins - 1).long()
    return _distinct_rows(cells, bins)


def equal_width_codes(values: Tensor, bins: int) -> Tensor:
    """Labels (n,), int64, of a continuous variable (n,): equal cells between its least and largest value."""
    if values.ndim != 1:
        raise ValueError(f"one variable is a tensor (n,), not one of shape {tuple(values.shape)}")
    return code_words(values.unsqueeze(1), bins=bins, edges="per_unit")


def entropy_of_counts(counts: Tensor) -> float:
    """Plug-in entropy in nats of a distribution given by counts; NaN for none."""
    counts = counts[counts > 0].double()
    total = float(counts.sum())
    if total == 0:
        return math.nan
    return max(math.log(total) - float((counts * counts.log()).sum()) / total, 0.0)


def _limits(features: Tensor, edges: str, limits: tuple[float, float] | None) -> tuple[Tensor, Tensor]:
    if edges not in ("minmax", "per_unit", "fixed"):
        raise ValueError(f"edges must be 'minmax', 'per_unit' or 'fixed', not {edges!r}")
    if (limits is not None) != (edges == "fixed"):
        raise ValueError(f"limits belong to edges='fixed' and to nothing else; got {limits} with {edges!r}")
    if limits is not None:
        return _fixed(features, *limits)
    if not features.numel():
        return features.new_zeros(()), features.new_zeros(())
    ends = features.aminmax(dim=0) if edges == "per_unit" else features.aminmax()
    return ends.min, ends.max


def _fixed(features: Tensor, low: float, high: float) -> tuple[Tensor, Tensor]:
    if not low < high:
        raise ValueError(f"limits must ascend, not run from {low} to {high}")
    outside = int(((features < low) | (features > high)).sum())
    if outside:
        raise ValueError(f"{outside} values lie outside [{low}, {high}]; use edges='minmax' or wider limits")
    return features.new_tensor(low), features.new_tensor(high)


def _distinct_rows(cells: Tensor, bins: int) -> Tensor:
    """Number of each row (n, D) among the distinct ones: exact, no hashing."""
    per_word = max(1, int(62 / math.log2(max(bins, 2))))  # columns whose digits fit an int64
    digit_values = bins ** torch.arange(per_word, device=cells.device)
    words = torch.zeros(len(cells), dtype=torch.int64, device=cells.device)
    for some in torch.split(cells, per_word, dim=1):
        numbers = (some * digit_values[: some.shape[1]]).sum(dim=1)
        words = _relabeled(_relabeled(numbers) + words * len(cells))
    return words


def _relabeled(words: Tensor) -> Tensor:
    """The same partition, numbered from 0 without gaps."""
    numbers: Tensor = torch.unique(words, return_inverse=True)[1]
    return numbers
