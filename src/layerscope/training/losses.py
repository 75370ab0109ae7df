"""What training minimises."""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

Loss = Callable[[Tensor, Tensor, int], Tensor]


def mseloss(logits: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """Mean squared distance to the one-hot labels, over all entries as in :class:`torch.nn.MSELoss`.

    Formula: ``sum_ik (z_ik - [y_i = k])² / (B K)``; logits z (B, K), labels y (B,).
    """
    one_hot = logits.new_zeros(len(labels), num_classes).scatter_(1, labels[:, None], 1)
    return F.mse_loss(logits, one_hot)


def celoss(logits: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """Mean cross entropy ``-log softmax(z_i)[y_i]`` in nats; logits (B, K), labels (B,)."""
    return F.cross_entropy(logits, labels)


LOSSES: dict[str, Loss] = {"mseloss": mseloss, "celoss": celoss}
