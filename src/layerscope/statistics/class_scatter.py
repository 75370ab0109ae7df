"""Within-class variance along chosen directions: all of the scatter that NC1 needs, without a D×D matrix."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from layerscope.statistics.class_sums import add_class_sums


class DirectionalScatter:
    r"""Per class, the sum of squared coordinates of samples about their class mean.

    :math:`E_{cj} = \sum_{y_i = c} \big(u_j^\top (h_i - \mu_c)\big)^2`, so that
    :math:`u_j^\top \Sigma_c u_j = E_{cj} / n_c`. Needs the final class means, hence a second sweep.

    Parameters
    ----------
    num_classes : int
    directions : int
        Number r of directions.
    device
        Where the state lives.
    """

    def __init__(self, num_classes: int, directions: int, *, device: torch.device | str = "cpu") -> None:
        self.counts = torch.zeros(num_classes, dtype=torch.int64, device=device)
        self.energies = torch.zeros(num_classes, directions, dtype=torch.float64, device=device)

    def update(self, coordinates: Tensor, labels: Tensor) -> None:
        """Add a batch.

        Parameters
        ----------
        coordinates : Tensor (B, r)
            :math:`u_j^\\top (h_i - \\mu_{y_i})`.
        labels : Tensor (B,)
        """
        add_class_sums(self.energies, coordinates.to(torch.float64, copy=True).square_(), labels)
        self.counts += torch.bincount(labels, minlength=len(self.counts))

    def merge(self, other: DirectionalScatter) -> DirectionalScatter:
        """Add what another accumulator saw; returns self."""
        if other.energies.shape != self.energies.shape:
            mine, theirs = tuple(self.energies.shape), tuple(other.energies.shape)
            raise ValueError(f"cannot merge scatter of (classes, directions) {theirs} into {mine}")
        self.energies += other.energies
        self.counts += other.counts
        return self

    def compute(self) -> Tensor:
        r""":math:`u_j^\top \Sigma_c u_j` (K+, r) of the present classes."""
        rows = self.counts.nonzero().squeeze(1)
        return self.energies[rows] / self.counts[rows].unsqueeze(1)

    def state_dict(self) -> dict[str, Any]:
        """A copy of everything needed to continue or merge elsewhere."""
        return {"counts": self.counts.clone(), "energies": self.energies.clone()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Replace the state by one that :meth:`state_dict` gave."""
        device = self.counts.device
        self.counts = state["counts"].to(device, copy=True)
        self.energies = state["energies"].to(device, copy=True)

    def pooled(self, weights: Tensor) -> Tensor:
        r""":math:`u_j^\top \Sigma_w u_j` (r,) with the weights (K+,) of the present classes."""
        return weights @ self.compute()
