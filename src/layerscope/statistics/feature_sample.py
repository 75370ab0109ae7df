"""A fixed number of samples per class, the same ones whatever the batches, the order and the merges."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from layerscope.functional.priorities import priorities
from layerscope.statistics.checks import check_features, check_labels, not_finite


class Sampled(NamedTuple):
    """Chosen samples, by class and then by index.

    Attributes
    ----------
    features : Tensor (n, D)
        As they were given.
    labels, indices : Tensor (n,), int64
    """

    features: Tensor
    labels: Tensor
    indices: Tensor


class FeatureSample:
    """Keeps a seeded random subset of at most ``per_class`` samples of every class.

    Every sample has a priority, a hash of the seed and of its index in the split; those of the lowest
    priority stay. So the choice depends on nothing but seed, indices and labels.

    Parameters
    ----------
    per_class : int
        Samples kept of every class.
    num_classes : int
        1, with labels of zero, for a subset of all samples regardless of class.
    dim : int
        Features per sample.
    seed : int
    device
        Where the state lives.
    """

    def __init__(
        self, per_class: int, num_classes: int, dim: int, *, seed: int = 0, device: torch.device | str = "cpu"
    ) -> None:
        if per_class < 1:
            raise ValueError(f"at least one sample per class must be kept, not {per_class}")
        self.per_class, self.num_classes, self.dim, self.seed = per_class, num_classes, dim, seed
        self._features = torch.zeros(0, dim, device=device)
        self._labels = torch.zeros(0, dtype=torch.int64, device=device)
        self._indices = torch.zeros(0, dtype=torch.int64, device=device)

    def update(self, features: Tensor, labels: Tensor, indices: Tensor) -> None:
        """Add a batch.

        Parameters
        ----------
        features : Tensor (B, D)
        labels : Tensor (B,)
        indices : Tensor (B,)
            Place of every sample in the split; no index may come twice.

        Raises
        ------
        ValueError
            Wrong shapes or labels, or features that are not finite. The state is then unchanged.
        """
        check_features(features, self.dim)
        check_labels(labels, len(features), self.num_classes)
        check_labels(indices, len(features), 1 << 62)
        rows = self._chosen(labels.long(), indices.long())  # at most those can stay: nothing else is copied
        chosen = features.detach()[rows]
        if not bool(chosen.isfinite().all()):
            raise ValueError(not_finite(features))
        self._add(chosen, labels[rows].long(), indices[rows].long())

    def merge(self, other: FeatureSample) -> FeatureSample:
        """Add what another accumulator saw; returns self."""
        mine = (self.per_class, self.num_classes, self.dim, self.seed)
        theirs = (other.per_class, other.num_classes, other.dim, other.seed)
        if mine != theirs:
            raise ValueError(f"cannot merge samples by (per class, classes, dim, seed) {theirs} into {mine}")
        self._add(other._features, other._labels, other._indices)
        return self

    def compute(self) -> Sampled:
        """The chosen samples."""
        return Sampled(self._features, self._labels, self._indices)

    def state_dict(self) -> dict[str, Any]:
        """A copy of everything needed to continue or merge elsewhere."""
        return {
            "features": self._features.clone(),
            "labels": self._labels.clone(),
            "indices": self._indices.clone(),
            "seed": self.seed,
            "per_class": self.per_class,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Replace the state by one that :meth:`state_dict` gave."""
        device = self._features.device
        self._features = state["features"].to(device, copy=True)
        self._labels = state["labels"].to(device, copy=True)
        self._indices = state["indices"].to(device, copy=True)
        self.seed, self.per_class = state["seed"], state["per_class"]
        self.dim = self._features.shape[1]

    def _add(self, features: Tensor, labels: Tensor, indices: Tensor) -> None:
        wide = torch.promote_types(features.dtype, self._features.dtype)
        features = torch.cat([self._features.to(wide), features.to(wide)])
        labels, indices = torch.cat([self._labels, labels]), torch.cat([self._indices, indices])
        if len(torch.unique(indices)) < len(indices):
            raise ValueError("a sample was given twice; indices tell samples apart")
        rows = self._chosen(labels, indices)
        self._features, self._labels, self._indices = features[rows], labels[rows], indices[rows]

    def _chosen(self, labels: Tensor, indices: Tensor) -> Tensor:
        """Rows that stay, ordered by class and index."""
        order = priorities(indices, self.seed).argsort()
        order = order[labels[order].argsort(stable=True)]  # by class, then by priority
        ordered = labels[order]
        counts = torch.bincount(ordered, minlength=1)
        starts = counts.cumsum(dim=0) - counts
        place = torch.arange(len(ordered), device=labels.device) - starts[ordered]
        kept = order[place < self.per_class]
        kept = kept[indices[kept].argsort()]
        return kept[labels[kept].argsort(stable=True)]


def even_choice(labels: Tensor, size: int, seed: int) -> Tensor:
    """Indices (n,), ascending, of a seeded random sample of min(size, N) that is as even as can be.

    One sample of every class is drawn, then a second one, and so on until there are enough; who is drawn
    in the last round, and which samples of a class, the priorities say.

    Parameters
    ----------
    labels : Tensor (N,)
        Of all samples, in the order of their indices.
    size, seed : int
    """
    indices = torch.arange(len(labels), device=labels.device)
    order = priorities(indices, seed).argsort()
    grouped = order[labels[order].argsort(stable=True)]  # by class, then by priority
    counts = torch.bincount(labels, minlength=1)
    round_of = torch.empty_like(indices)
    round_of[grouped] = indices - (counts.cumsum(dim=0) - counts)[labels[grouped]]
    chosen = order[round_of[order].argsort(stable=True)][:size]
    return chosen.sort().values
