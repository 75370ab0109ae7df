"""What training minimises: one number for each sample of logits z (B, K) with labels y (B,)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def mseloss(logits: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """Mean squared distance to the one-hot labels, over all entries as in :class:`torch.nn.MSELoss`.

    Formula: ``sum_ik (z_ik - [y_i = k])² / (B K)``; logits z (B, K), labels y (B,).
    """
    one_hot = logits.new_zeros(len(labels), num_classes).scatter_(1, labels[:, None], 1)
    return F.mse_loss(logits, one_hot)


def celoss(logits: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """Mean cross entropy ``-log softmax(z_i)[y_i]`` in nats; logits (B, K), labels (B,)."""
    return F.cross_entropy(logits, labels)


def squared_errors(logits: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
    """Squared distances to the labels, ``sum_k (z_ik - t_ik)² / K`` with ``t = (1 - s) [y = k] + s / K``."""
    targets = torch.full_like(logits, smoothing / logits.shape[1])
    targets.scatter_(1, labels[:, None], 1 - smoothing + smoothing / logits.shape[1])
    return (logits - targets).square().mean(dim=1)


def cross_entropies(logits: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
    """Cross-entropies ``-sum_k t_ik log softmax(z_i)[k]`` in nats, with t as in :func:`squared_errors`."""
    return F.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)


def focal_losses(logits: Tensor, labels: Tensor, gamma: float) -> Tensor:
    """Focal losses ``-(1 - p_i)^gamma log p_i``, p the label's probability (Lin et al., arXiv:1708.02002).

    1 - p is the sum of the other probabilities, in logarithms: a sure decision does not round it to 0.
    """
    log_p = F.log_softmax(logits, dim=1)
    label = F.one_hot(labels, logits.shape[1]).bool()
    others = log_p.masked_fill(label, -torch.inf).logsumexp(dim=1)
    return -torch.exp(gamma * others) * log_p[label]


def adjusted(logits: Tensor, log_priors: Tensor, tau: float = 1.0) -> Tensor:
    """Logits plus ``tau`` times the log share of each class (K,) in the training set.

    Their cross-entropy is logit adjustment (Menon et al., arXiv:2007.07314 eq. 10); with tau = 1 it is the
    balanced softmax ``-log n_y e^{z_y} / sum_k n_k e^{z_k}`` (Ren et al., arXiv:2007.10740 eq. 4).
    """
    return logits + tau * log_priors.to(logits)
