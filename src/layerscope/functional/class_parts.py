"""A sample, its classes, and random subsets as large as its classes: what labels say about an entropy."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, Literal, TypeVar

import torch
from torch import Tensor

from layerscope.functional.points import check_labels
from layerscope.functional.units import Units, in_units

T = TypeVar("T")
Variant = Literal["both", "full", "matched"]
REPEATS = 5


@dataclass(frozen=True)
class ClassParts(Generic[T]):
    """Something computed from all points, from each class, and from random subsets of each class's size.

    Attributes
    ----------
    counts : Tensor (K,), int64
        Points of each label that occurs, labels ascending.
    whole : T or None
        Of all points; None when not asked for.
    classes : list of T
    matched : dict of int to list of T
        Size of a class → several random subsets of that size; empty when not asked for.
    """

    counts: Tensor
    whole: T | None
    classes: list[T]
    matched: dict[int, list[T]]


@dataclass(frozen=True)
class ClassInformation:
    r"""What labels y tell about points X, by an entropy S that is no entropy of a distribution.

    Both variants may be negative, and neither is bounded by ``label_entropy``.

    Attributes
    ----------
    entropy : float
        :math:`S(X)`, of all points; NaN when not computed.
    conditional : float
        :math:`\sum_y p(y) S(X|y)`.
    matched_entropy : float
        :math:`\sum_y p(y) S(n_y \text{ random points})`, mean over the repeats; the ceiling of ``matched``.
    label_entropy : float
        :math:`H(Y)`, plug-in.
    full_error, matched_error : float
        Standard errors: of the approximation of the spectra, and for ``matched`` of the random subsets, too.
    """

    entropy: float
    conditional: float
    matched_entropy: float
    label_entropy: float
    full_error: float = 0.0
    matched_error: float = math.nan

    @property
    def full(self) -> float:
        """``entropy - conditional`` (the definition of the paper)."""
        return self.entropy - self.conditional

    @property
    def matched(self) -> float:
        """``matched_entropy - conditional``: the same with samples of equal size (the code of the paper)."""
        return self.matched_entropy - self.conditional


def class_parts(
    measure: Callable[[Tensor], T],
    labels: Tensor,
    *,
    variant: Variant = "both",
    repeats: int = REPEATS,
    seed: int = 0,
    subsets: Mapping[int, Sequence[Tensor]] | None = None,
    together: Callable[[Tensor], list[T]] | None = None,
) -> ClassParts[T]:
    """Apply a measure to all points, to each class, and to random subsets of its size.

    Parameters
    ----------
    measure : callable
        Indices (m,) of points, ascending within a class → anything.
    labels : Tensor (n,)
        Integers.
    variant : "both" | "full" | "matched"
        What :func:`class_information` shall tell; ``matched`` skips all points, ``full`` the subsets.
    repeats : int
        Subsets for each size of a class; classes of one size share them.
    seed : int
        Of the subsets.
    subsets : mapping of int to index tensors, optional
        Size → given subsets, in place of random ones.
    together : callable, optional
        The measure of several parts of one size, less than all points, at once: indices (k, m) → k results.

    Raises
    ------
    ValueError
        Labels that are not one integer per point, no points, no repeats, or an unknown variant.
    """
    check_labels(labels, len(labels))
    if variant not in ("both", "full", "matched"):
        raise ValueError(f"variant must be 'both', 'full' or 'matched', not {variant!r}")
    if len(labels) == 0:
        raise ValueError("labels of no points say nothing")
    _, place, counts = torch.unique(labels, return_inverse=True, return_counts=True)
    drawn: Mapping[int, Sequence[Tensor]] = {}
    if variant != "full":
        drawn = subsets if subsets is not None else matched_subsets(counts, repeats, seed)
    everything = torch.arange(len(labels), device=labels.device)
    classes = [(place == c).nonzero().squeeze(1) for c in range(len(counts))]
    chosen = [index.to(labels.device) for indices in drawn.values() for index in indices]
    found = _by_size(measure, together, [*classes, *chosen], len(labels))
    rest = iter(found[len(classes) :])
    return ClassParts(
        counts,
        None if variant == "matched" else measure(everything),
        found[: len(classes)],
        {size: list(islice(rest, len(indices))) for size, indices in drawn.items()},
    )


def _by_size(
    measure: Callable[[Tensor], T],
    together: Callable[[Tensor], list[T]] | None,
    parts: Sequence[Tensor],
    count: int,
) -> list[T]:
    """The measure of each part; those of one size together where that is possible."""
    sizes: dict[int, list[int]] = {}
    for place, part in enumerate(parts):
        sizes.setdefault(len(part), []).append(place)
    found: dict[int, T] = {}
    for size, places in sizes.items():
        group = [parts[place] for place in places]
        if together is None or size == count:
            results = [measure(part) for part in group]
        else:
            results = together(torch.stack(group))
        found.update(zip(places, results, strict=True))
    return [found[place] for place in range(len(parts))]


def matched_subsets(counts: Tensor, repeats: int = REPEATS, seed: int = 0) -> dict[int, list[Tensor]]:
    """For every size of a class, random subsets of all points, as large as the class, without replacement.

    All are independent draws of one generator of this function's own.

    Parameters
    ----------
    counts : Tensor (K,)
        Points per class.
    repeats, seed : int

    Raises
    ------
    ValueError
        Fewer than one repeat.
    """
    if repeats < 1:
        raise ValueError(f"at least one subset per size must be drawn, not {repeats}")
    generator = torch.Generator().manual_seed(seed)
    total = int(counts.sum())
    return {
        size: [torch.randperm(total, generator=generator)[:size].sort().values for _ in range(repeats)]
        for size in sorted(set(counts.tolist()))
    }


def class_information(
    parts: ClassParts[T],
    entropy: Callable[[T], float],
    error: Callable[[T], float] | None = None,
    *,
    units: Units = "nats",
) -> ClassInformation:
    """What the labels tell, once every part is turned into an entropy.

    Parameters
    ----------
    parts : ClassParts
    entropy : callable
        Part → entropy in nats.
    error : callable, optional
        Part → standard error of that entropy; taken as 0 when omitted.
    units : "nats" | "bits"
    """
    shares = (parts.counts.double() / parts.counts.sum()).tolist()
    within = math.hypot(*(p * _error(part, error) for p, part in zip(shares, parts.classes, strict=True)))
    sizes = parts.counts.tolist()
    samples = {size: [entropy(part) for part in subsets] for size, subsets in parts.matched.items()}
    spreads = [
        sum(p for p, n in zip(shares, sizes, strict=True) if n == size) * _mean_error(values)
        for size, values in samples.items()
    ]
    found = {
        "entropy": math.nan if parts.whole is None else entropy(parts.whole),
        "conditional": _mixed(shares, [entropy(part) for part in parts.classes]),
        "matched_entropy": _mixed(shares, [_mean(samples.get(size, [])) for size in sizes]),
        "label_entropy": -sum(p * math.log(p) for p in shares),
        "full_error": math.nan if parts.whole is None else math.hypot(_error(parts.whole, error), within),
        "matched_error": math.hypot(*spreads, within) if samples else math.nan,
    }
    return ClassInformation(**{name: in_units(value, units) for name, value in found.items()})


def _mixed(shares: Sequence[float], values: Sequence[float]) -> float:
    return math.fsum(p * value for p, value in zip(shares, values, strict=True))


def _error(part: T, error: Callable[[T], float] | None) -> float:
    return error(part) if error is not None else 0.0


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan


def _mean_error(values: Sequence[float]) -> float:
    """Standard error of the mean of independent values; NaN for fewer than two."""
    if len(values) < 2:
        return math.nan
    mean = _mean(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1) / len(values))
