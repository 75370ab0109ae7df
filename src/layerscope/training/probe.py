"""The linear probe: how well a linear classifier does on features that were learnt without labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from layerscope.data.split import Split
from layerscope.distributed.exchange import summed
from layerscope.distributed.share import own_share
from layerscope.models.classifier import find_classifier
from layerscope.training.last_features import last_features
from layerscope.training.watch import never

RIDGE = 1e-3
"""Weight of the penalty, relative to the mean variance of a feature."""

ROUNDING = 1e-12
"""Variance below this share of the squares is none."""


@torch.no_grad()
def fit_probe(model: nn.Module, split: Split, batch_size: int, pauses: Callable[[], bool] = never) -> bool:
    """Put ridge regression of the one-hot labels on the last features into the classifier of ``model``.

    ``W = (C + r tr(C)/D I)⁻¹ B``, C (D, D) the covariance of the features, B (D, K) that with the one-hot
    labels, in float64; the bias makes means meet means. Closed form: no seed, no learning rate. The
    class of the largest output is the decision. A classifier without bias is fitted through the origin.

    Returns whether the end was reached: False when stopped on the way; the classifier is then as it was.
    """
    _, classifier = find_classifier(model, split.num_classes)
    sums = _Sums(classifier.in_features, split.num_classes, split.labels.device)
    model.eval()
    for images, labels in split.batches(batch_size, share=own_share()):
        if pauses():
            return False
        sums.add(last_features(model, classifier, images), labels)
    weight, bias = sums.of_all_processes().solve(centred=classifier.bias is not None)
    classifier.weight.copy_(weight)
    if classifier.bias is not None:
        classifier.bias.copy_(bias)
    return True


@dataclass
class _Sums:
    """Sums over samples of products of (1, features, one-hot labels), (1 + D + K, 1 + D + K) in float64."""

    dim: int
    classes: int
    device: torch.device

    def __post_init__(self) -> None:
        size = 1 + self.dim + self.classes
        self.products = torch.zeros(size, size, dtype=torch.float64, device=self.device)

    def add(self, features: Tensor, labels: Tensor) -> None:
        ones = torch.ones(len(labels), 1, dtype=torch.float64, device=self.device)
        rows = torch.cat([ones, features.double(), F.one_hot(labels, self.classes).double()], dim=1)
        self.products += rows.T @ rows

    def of_all_processes(self) -> _Sums:
        self.products = summed(self.products.cpu()).to(self.device)
        return self

    def solve(self, *, centred: bool) -> tuple[Tensor, Tensor]:
        """Weights (K, D) and bias (K,)."""
        moments = self.products / self.products[0, 0]
        means = moments[0, 1:]
        second = moments[1:, 1:] - (torch.outer(means, means) if centred else 0)
        covariance, cross = second[: self.dim, : self.dim], second[: self.dim, self.dim :]
        scale, rounding = covariance.trace(), ROUNDING * moments[1 : 1 + self.dim, 1 : 1 + self.dim].trace()
        varies = scale > rounding
        ridge = RIDGE * torch.where(varies, scale / self.dim, torch.ones_like(scale))
        identity = torch.eye(self.dim, dtype=torch.float64, device=self.device)
        weight = torch.linalg.solve(covariance + ridge * identity, cross).T
        return weight, means[self.dim :] - weight @ means[: self.dim]
