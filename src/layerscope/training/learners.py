"""What is trained when nobody tells the labels: the model, with what its objective puts on top of it.

The classifier of the model has no part in that: it is frozen, and holds the linear probe
(:mod:`layerscope.training.probe`).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from layerscope.config import Config
from layerscope.errors import ModelError
from layerscope.models.classifier import find_classifier
from layerscope.training.last_features import last_features

PROJECTION_DIM = 128
"""As in SimCLR."""


class Contrastive(nn.Module):
    """The model's last features (B, D), projected to be compared: Linear(D, D), ReLU, Linear(D, P)."""

    def __init__(self, model: nn.Module, num_classes: int, dim: int) -> None:
        super().__init__()
        _, classifier = find_classifier(model, num_classes)
        width = classifier.in_features
        self.model = _with_frozen(model, classifier)
        self.head = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, dim))
        self.num_classes = num_classes

    def forward(self, views: Tensor) -> Tensor:
        """Return the projections (B, P) of views (B, C, H, W)."""
        _, classifier = find_classifier(self.model, self.num_classes)
        projections: Tensor = self.head(last_features(self.model, classifier, views))
        return projections


class Reconstruction(nn.Module):
    """What an autoencoder makes of images (B, C, H, W): images of the same shape."""

    def __init__(self, model: nn.Module, num_classes: int) -> None:
        super().__init__()
        if not callable(getattr(model, "reconstruct", None)):
            raise ModelError(
                "Optimizer.objective: reconstruction needs a model that reconstructs images: ae, or one of "
                "your own with a method reconstruct(images). Choose it as Model.model-name."
            )
        _, classifier = find_classifier(model, num_classes)
        self.model = _with_frozen(model, classifier)

    def forward(self, images: Tensor) -> Tensor:
        """Return the reconstructions (B, C, H, W)."""
        reconstructed: Tensor = self.model.reconstruct(images)  # type: ignore[operator]
        return reconstructed


def learner(config: Config, model: nn.Module, num_classes: int) -> nn.Module:
    """Return the module whose parameters the config's objective trains: ``model`` itself, or around it.

    Raises
    ------
    ModelError
        The model has no linear classifier, or cannot reconstruct.
    """
    objective = config.optimizer.objective
    if objective == "supervised":
        return model
    if objective == "reconstruction":
        return Reconstruction(model, num_classes)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(config.run.seed_for("projection-head"))
        return Contrastive(model, num_classes, config.optimizer.projection_dim or PROJECTION_DIM)


def _with_frozen(model: nn.Module, classifier: nn.Module) -> nn.Module:
    classifier.requires_grad_(False)
    return model
