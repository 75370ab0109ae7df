"""NC5: the mean feature of data that belongs to no class."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from layerscope.statistics.checks import check_features, not_finite


class OutOfDistribution:
    """Mean of the features of an out-of-distribution set, in one pass; labels are not used.

    Offsets from the mean of the first batch are summed in float64, so a large common offset costs nothing.

    Parameters
    ----------
    dim : int
        Features per sample.
    device
        Where the state lives.
    """

    def __init__(self, dim: int, *, device: torch.device | str = "cpu") -> None:
        self.dim = dim
        self.count = torch.zeros((), dtype=torch.int64, device=device)
        self._reference = torch.zeros(dim, dtype=torch.float64, device=device)
        self._sum = torch.zeros(dim, dtype=torch.float64, device=device)

    def update(self, features: Tensor) -> None:
        """Add a batch (B, D).

        Raises
        ------
        ValueError
            Wrong shape, or features that are not finite. The state is then unchanged.
        """
        check_features(features, self.dim)
        if not len(features):
            return
        features = features.detach().double()
        reference = self._reference if self.samples else features.mean(dim=0)
        step = (features - reference).sum(dim=0)
        if not math.isfinite(float(step.square().sum())):
            raise ValueError(not_finite(features))
        self._reference = reference
        self._sum += step
        self.count += len(features)

    def merge(self, other: OutOfDistribution) -> OutOfDistribution:
        """Add what another accumulator saw; returns self."""
        if other.dim != self.dim:
            raise ValueError(f"cannot merge the mean of {other.dim} features into that of {self.dim}")
        if not self.samples:
            self._reference = other._reference.clone()
        self._sum += other._sum + other.count * (other._reference - self._reference)
        self.count += other.count
        return self

    @property
    def samples(self) -> int:
        """Number of samples seen."""
        return int(self.count)

    @property
    def mean(self) -> Tensor:
        """Mean feature (D,), float64; NaN without samples."""
        mean: Tensor = self._reference + self._sum / self.count
        return mean

    def compute(self) -> Tensor:
        """Mean feature (D,)."""
        return self.mean

    def state_dict(self) -> dict[str, Any]:
        """A copy of everything needed to continue or merge elsewhere."""
        return {
            "count": self.count.clone(),
            "reference": self._reference.clone(),
            "sum": self._sum.clone(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Replace the state by one that :meth:`state_dict` gave."""
        device = self.count.device
        self.count = state["count"].to(device, copy=True)
        self._reference = state["reference"].to(device, copy=True)
        self._sum = state["sum"].to(device, copy=True)
        self.dim = len(self._sum)
