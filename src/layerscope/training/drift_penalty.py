"""A term that keeps the centre of the last features at the origin."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from layerscope.distributed.exchange import summed
from layerscope.distributed.ranks import world_size
from layerscope.models.classifier import find_classifier


class DriftPenalty:
    """``strength · |mean_i h_i|²`` over a batch of inputs h (B, D) of the classifier.

    Of several processes each adds its share; together they minimise the term of the whole batch.
    """

    def __init__(self, strength: float, model: nn.Module, num_classes: int) -> None:
        self.strength = strength
        self._features: Tensor | None = None
        _, classifier = find_classifier(model, num_classes)
        classifier.register_forward_pre_hook(self._keep)

    def _keep(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self._features = inputs[0]

    def take(self) -> Tensor:
        """Return the term (a scalar) of the batch that the model has just seen, and forget it."""
        features, self._features = self._features, None
        assert features is not None
        features = features.flatten(1).float()
        if world_size() == 1:
            return self.strength * features.mean(dim=0).square().sum()
        mean = _mean_of_all(features.detach())
        # Linear in the own features, with the gradient of |mean|²; its mean over samples is |mean|².
        own = features.sum(dim=0) / max(len(features), 1)
        return self.strength * (2 * mean @ own - mean @ mean)


def _mean_of_all(features: Tensor) -> Tensor:
    count = features.new_tensor([len(features)])
    total = summed(torch.cat([features.sum(dim=0), count]).double().cpu())
    return (total[:-1] / total[-1]).to(features)
