"""The loss of contrastive learning."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def nt_xent(projections: Tensor, temperature: float) -> Tensor:
    """Mean normalised temperature-scaled cross-entropy over 2B views, in nats (arXiv:2002.05709 eq. 1).

    Formula: ``-log exp(s_ij / t) / sum_{k ≠ i} exp(s_ik / t)``, s cosine similarity, j the other view of the
    image of view i. Between 0 (also for a single image, which has nothing to be told from) and, when all
    projections agree, log(2B - 1); opposite ones give up to 2 / t more.

    Parameters
    ----------
    projections : Tensor (2B, D)
        Views of B images: all first views, then all second ones.
    temperature : float
        t > 0.
    """
    views = len(projections)
    units = F.normalize(projections, dim=1)
    similarities = (units @ units.T / temperature).fill_diagonal_(-torch.inf)  # no view is told from itself
    partners = torch.arange(views, device=units.device).roll(views // 2)
    return F.cross_entropy(similarities, partners)
