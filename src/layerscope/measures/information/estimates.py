"""Estimates from a sample, from smaller ones, and how sure they are."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from torch import Tensor

from layerscope.measures.base import CheckpointStatistics, Subject, Value
from layerscope.measures.estimation import Estimation
from layerscope.measures.information.observations import each_observed
from layerscope.measures.information.observed import Observed
from layerscope.statistics.feature_sample import even_choice

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Estimate:
    """One number with what has to be said of it; see :class:`~layerscope.measures.base.Value`."""

    value: float
    unit: str
    reason: str = ""
    error: float | None = None
    ceiling: float | None = None


class Sample(Protocol):
    """What estimates are made from: samples of which some can be left out."""

    @property
    def labels(self) -> Tensor:
        """Class of each sample (n,), over which parts of them are even."""

    @property
    def estimation(self) -> Estimation:
        """How it is estimated."""

    def restricted(self: S, index: Tensor) -> S:
        """Only these of the samples."""

    def __len__(self) -> int: ...


S = TypeVar("S", bound=Sample)
Estimator = Callable[[S], Mapping[Place, Estimate]]
Observe = Callable[[CheckpointStatistics], Iterator[tuple[Subject, Observed]]]


def estimated_values(
    statistics: CheckpointStatistics,
    qualifiers: tuple[str, ...],
    estimator: Estimator[Observed],
    observe: Observe = each_observed,
) -> Iterator[tuple[Subject, Value]]:
    """The values that an estimator gives for every layer, split and size of sample.

    Parameters
    ----------
    statistics : CheckpointStatistics
    qualifiers : tuple of str
        Names of what the estimator's places are made of; the last qualifier, ``n``, is added.
    estimator : callable
        Sample → place → estimate.
    observe : callable
        What gives the samples.
    """
    for subject, observed in observe(statistics):
        yield from sized_values(subject, observed, qualifiers, estimator)


def sized_values(
    subject: Subject,
    observed: S,
    qualifiers: tuple[str, ...],
    estimator: Estimator[S],
    halved: Estimator[S] | None = None,
) -> Iterator[tuple[Subject, Value]]:
    """The values that an estimator gives for every size of one sample.

    Parameters
    ----------
    subject : Subject
    observed : Sample
    qualifiers, estimator
        See :func:`estimated_values`.
    halved : callable, optional
        Gives, of half a sample, those estimates whose spread is their error; all when omitted.
    """
    for size, place, estimate in _all_sizes(observed, estimator, halved or estimator):
        place_names: dict[str, str | int] = dict(zip(qualifiers, place, strict=False))
        value = Value(
            {**place_names, "n": size},
            estimate.value,
            unit=estimate.unit,
            error=estimate.error,
            ceiling=estimate.ceiling,
            reason=estimate.reason,
        )
        yield replace(subject, samples=size), value


def half_sample_errors(observed: S, estimator: Estimator[S]) -> dict[Place, float]:
    r"""Standard errors by the delete-half jackknife: the spread of estimates from random halves.

    :math:`\sqrt{\frac{1}{R-1}\sum_r(\hat\theta_r-\bar\theta)^2}` over R halves, each as even over the classes
    as the sample; the factor :math:`(n-d)/d` of a jackknife that deletes d of n is 1 for halves. NaN with
    fewer than four samples or a half without a finite estimate; empty with fewer than two repeats.

    References
    ----------
    Shao, Wu (1989), A general theory for jackknife variance estimation, Annals of Statistics 17(3).
    """
    estimation = observed.estimation
    if estimation.repeats < 2:
        return {}
    found: dict[Place, list[float]] = {}
    for repeat in range(estimation.repeats):
        half = even_choice(observed.labels, len(observed) // 2, _seed(estimation.seed, repeat))
        for place, estimate in estimator(observed.restricted(half)).items():
            found.setdefault(place, []).append(estimate.value)
    return {place: _spread(values) for place, values in found.items()}


def of_all_sizes(observed: S) -> Iterator[S]:
    """The smaller samples that are wanted, ascending, each part of the next, and the whole one."""
    whole = len(observed)
    for size in sorted(size for size in {*observed.estimation.grid} if size < whole):
        yield observed.restricted(even_choice(observed.labels, size, observed.estimation.seed))
    yield observed


def _all_sizes(
    observed: S, estimator: Estimator[S], halved: Estimator[S]
) -> Iterator[tuple[int, Place, Estimate]]:
    for part in of_all_sizes(observed):
        errors = half_sample_errors(part, halved) if len(part) >= 4 else {}
        for place, estimate in estimator(part).items():
            yield len(part), place, replace(estimate, error=errors.get(place, estimate.error))


def _spread(values: list[float]) -> float:
    return statistics.stdev(values) if all(map(math.isfinite, values)) else math.nan


def _seed(seed: int, repeat: int) -> int:
    """Seeds of the halves, none of which draws the samples themselves."""
    return (seed + 7919 * (repeat + 1)) % 2**31
