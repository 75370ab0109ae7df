"""The accumulators as ``torchmetrics`` metrics, which sync between processes; needs the package torchmetrics.

State is gathered, not summed: each process has its own reference points, so parts are merged as the
accumulators merge them.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from layerscope.functional.pair_variability import cdnv
from layerscope.functional.simplex import etf_error
from layerscope.functional.traces import traces
from layerscope.functional.variability import nc1_pinv, nc1_quotient
from layerscope.statistics.class_moments import ClassMoments
from layerscope.statistics.decisions import Decisions
from layerscope.statistics.feature_sample import FeatureSample, Sampled
from layerscope.statistics.nearest_center import NearestCenter
from layerscope.statistics.ood_mean import OutOfDistribution

try:
    from torchmetrics import Metric
    from torchmetrics.utilities import dim_zero_cat
except ImportError as error:
    raise ImportError(
        "layerscope.statistics.torchmetrics needs torchmetrics: pip install 'layerscope[torchmetrics]'"
    ) from error


class _Gathered(Metric):
    """A metric whose state is that of an accumulator, one part per process after a sync."""

    full_state_update = True
    _parts: dict[str, int]

    def _keep(self, state: dict[str, Any]) -> None:
        """Register every tensor of an accumulator's state."""
        self._parts = {name: value.ndim for name, value in state.items() if isinstance(value, Tensor)}
        for name in self._parts:
            self.add_state(f"part_{name}", default=state[name], dist_reduce_fx=None)

    def _write(self, state: dict[str, Any]) -> None:
        for name in self._parts:
            setattr(self, f"part_{name}", state[name])

    def _states(self) -> list[dict[str, Any]]:
        """One state per process: parts that were gathered have one more dimension."""
        found = {name: getattr(self, f"part_{name}") for name in self._parts}
        extra = {name: value.ndim > self._parts[name] for name, value in found.items()}
        count = next(len(value) if extra[name] else 1 for name, value in found.items())
        return [
            {name: value[part] if extra[name] else value for name, value in found.items()}
            for part in range(count)
        ]


class ClassMomentsMetric(_Gathered):
    """:class:`layerscope.statistics.ClassMoments` as a metric.

    ``update(features, labels)``; ``compute()`` gives NC1 (quotient; with ``scatter``, ``nc1_pinv`` too), the
    mean CDNV and the ETF error, from balanced classes; ``moments()`` the accumulator itself, for every other
    measure of ``layerscope.functional``.

    Parameters
    ----------
    num_classes, dim : int
    scatter, sketch, sample_weights, seed
        As of the accumulator.
    """

    def __init__(
        self,
        num_classes: int,
        dim: int,
        *,
        scatter: bool = False,
        sketch: int = 0,
        sample_weights: Tensor | None = None,
        seed: int = 0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._new = partial(
            ClassMoments,
            num_classes,
            dim,
            scatter=scatter,
            sketch=sketch,
            sample_weights=sample_weights,
            seed=seed,
        )
        self._keep(self._new().state_dict())

    def update(self, features: Tensor, labels: Tensor) -> None:
        """Add a batch (B, D) with labels (B,)."""
        moments = self.moments()
        moments.update(features, labels)
        self._write(moments.state_dict())

    def compute(self) -> dict[str, Tensor]:
        """Three or four measures of collapse, as 0-dimensional tensors."""
        moments = self.moments()
        means, variances = moments.means, moments.variances
        values = {
            "nc1_quotient": nc1_quotient(*traces(variances, means)),
            "cdnv": cdnv(variances, means)["mean"],
            "etf_error": etf_error(means),
        }
        if "outer" in self._parts and len(means):
            values["nc1_pinv"] = nc1_pinv(moments.within_covariance, means)
        return {name: torch.tensor(value, dtype=torch.float64) for name, value in values.items()}

    def moments(self) -> ClassMoments:
        """What was accumulated, parts of other processes merged in after a sync."""
        first, *others = (self._moments_of(state) for state in self._states())
        for other in others:
            first.merge(other)
        return first

    def _moments_of(self, state: dict[str, Any]) -> ClassMoments:
        moments = self._new(device=state["counts"].device)
        absent = dict.fromkeys(("outer", "sketch", "seed", "sample_weights"))
        moments.load_state_dict({**absent, **state})
        return moments


class NearestCenterMetric(_Gathered):
    """:class:`layerscope.statistics.NearestCenter` as a metric: ``update(features, labels, decisions)``.

    Parameters
    ----------
    centers : Tensor (K+, D)
        Class means of the train split.
    classes : Tensor (K+,)
        Their class indices, ascending.
    num_classes : int
    """

    def __init__(self, centers: Tensor, classes: Tensor, num_classes: int, **options: Any) -> None:
        super().__init__(**options)
        self._start = (centers.double(), classes, num_classes)
        self._keep(NearestCenter(*self._start).state_dict())

    def update(self, features: Tensor, labels: Tensor, decisions: Tensor | None = None) -> None:
        """Add a batch (B, D) with labels and, for the agreement, the network's decisions (B,)."""
        nearest = self._merged()
        nearest.update(features, labels, decisions)
        self._write(nearest.state_dict())

    def compute(self) -> dict[str, Tensor]:
        """Accuracy, balanced accuracy and agreement, and the numbers of samples and ties."""
        return _tensors(self._merged().compute())

    def _merged(self) -> NearestCenter:
        first, *others = (self._nearest_of(state) for state in self._states())
        for other in others:
            first.merge(other)
        return first

    def _nearest_of(self, state: dict[str, Any]) -> NearestCenter:
        nearest = NearestCenter(state["centers"], state["classes"], self._start[2])
        nearest.load_state_dict(state)
        return nearest


class DecisionsMetric(_Gathered):
    """:class:`layerscope.statistics.Decisions` as a metric: ``update(logits, labels, mean_loss)``.

    Parameters
    ----------
    num_classes : int
    """

    def __init__(self, num_classes: int, **options: Any) -> None:
        super().__init__(**options)
        self.num_classes = num_classes
        self._keep(Decisions(num_classes).state_dict())

    def update(self, logits: Tensor, labels: Tensor, mean_loss: Tensor | None = None) -> None:
        """Add a batch of logits (B, K) and labels (B,)."""
        decisions = self._merged()
        decisions.update(logits, labels, mean_loss)
        self._write(decisions.state_dict())

    def compute(self) -> dict[str, Tensor]:
        """Accuracy, balanced accuracy and mean loss, and the number of samples."""
        return _tensors(self._merged().compute())

    def _merged(self) -> Decisions:
        first, *others = (self._decisions_of(state) for state in self._states())
        for other in others:
            first.merge(other)
        return first

    def _decisions_of(self, state: dict[str, Any]) -> Decisions:
        decisions = Decisions(self.num_classes, device=state["_loss"].device)
        decisions.load_state_dict({"_table": None, **state})
        return decisions


class OutOfDistributionMetric(_Gathered):
    """:class:`layerscope.statistics.OutOfDistribution` as a metric: ``update(features)``, the mean feature.

    Parameters
    ----------
    dim : int
    """

    def __init__(self, dim: int, **options: Any) -> None:
        super().__init__(**options)
        self.dim = dim
        self._keep(OutOfDistribution(dim).state_dict())

    def update(self, features: Tensor) -> None:
        """Add a batch (B, D)."""
        mean = self._merged()
        mean.update(features)
        self._write(mean.state_dict())

    def compute(self) -> Tensor:
        """Mean feature (D,)."""
        return self._merged().mean

    def _merged(self) -> OutOfDistribution:
        first, *others = (self._mean_of(state) for state in self._states())
        for other in others:
            first.merge(other)
        return first

    def _mean_of(self, state: dict[str, Any]) -> OutOfDistribution:
        mean = OutOfDistribution(self.dim, device=state["count"].device)
        mean.load_state_dict(state)
        return mean


class FeatureSampleMetric(Metric):
    """:class:`layerscope.statistics.FeatureSample` as a metric: ``update(features, labels, indices)``.

    The choice depends on seed, indices and labels only, so it is that of one process, however many there are.
    Every process has to see at least one batch before a sync.

    Parameters
    ----------
    per_class, num_classes, dim, seed : int
    """

    full_state_update = True
    features: list[Tensor] | Tensor
    labels: list[Tensor] | Tensor
    indices: list[Tensor] | Tensor

    def __init__(self, per_class: int, num_classes: int, dim: int, *, seed: int = 0, **options: Any) -> None:
        super().__init__(**options)
        self._new = partial(FeatureSample, per_class, num_classes, dim, seed=seed)
        for name in Sampled._fields:  # lists, since processes keep different numbers of samples
            self.add_state(name, default=[], dist_reduce_fx="cat")

    def update(self, features: Tensor, labels: Tensor, indices: Tensor) -> None:
        """Add a batch (B, D) with labels (B,) and places in the split (B,)."""
        sample = self._sample()
        sample.update(features, labels, indices)
        for name, value in sample.compute()._asdict().items():
            setattr(self, name, [value])

    def compute(self) -> Sampled:
        """The chosen samples."""
        return self._sample().compute()

    def _sample(self) -> FeatureSample:
        found = [getattr(self, name) for name in Sampled._fields]
        if not len(found[0]):
            return self._new(device=self.device)
        kept = [dim_zero_cat(part) for part in found]  # already one tensor each after a sync
        sample = self._new(device=kept[0].device)
        sample.update(*kept)
        return sample


def _tensors(values: dict[str, float]) -> dict[str, Tensor]:
    return {name: torch.tensor(value, dtype=torch.float64) for name, value in values.items()}
