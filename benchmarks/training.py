"""An epoch of our training loop over a hand-written plain PyTorch loop on preloaded tensors."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pairs import Comparison, compare
from torch import Tensor

from layerscope.config import parse_config
from layerscope.data.load import load_data
from layerscope.models.build import build_model
from layerscope.training.forward import build_forward
from layerscope.training.loop import train_epoch
from layerscope.training.optimizers import build_optimizer

CONFIG = {
    "Model": {"model-name": "mlp", "embedding-layers": ["fc"]},
    "Data": {"dataset-id": "fashionmnist", "batch-size": 128, "subset": 20000},
    "Optimizer": {"lr": 0.01, "weight-decay": 5e-4, "epochs": 1},
    "Logging": {"save-dir": "unused"},
}


def run() -> list[Comparison]:
    """Compare on 20,000 images of Fashion-MNIST, batch 128, SGD with momentum, MSE."""
    config = parse_config(CONFIG, source="benchmark")
    device = torch.device("cpu")
    data = load_data(config.data, config.run, device)
    model = build_model(config.model, data.train.shape, 10, seed=0)
    forward = build_forward(config.optimizer, model, 10, device)
    optimizer = build_optimizer(config.optimizer, model)

    def ours() -> None:
        train_epoch(config, 1, data.train, forward, optimizer)

    images = torch.cat([batch for batch, _ in data.train.batches(1000)])
    plain_model = build_model(config.model, data.train.shape, 10, seed=0)
    plain = PlainLoop(plain_model, images, data.train.labels)
    name = "training epoch, `mlp` on 20,000 images of Fashion-MNIST, batch 128 / plain PyTorch loop"
    return [compare(name, ours, plain.epoch, bound=1.05)]


class PlainLoop:
    """What a researcher would write: nothing logged, nothing saved, nothing checked."""

    def __init__(self, model: torch.nn.Module, images: Tensor, labels: Tensor) -> None:
        self.model, self.images, self.labels = model, images, labels
        self.optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)

    def epoch(self) -> None:
        """One pass in random order."""
        self.model.train()
        for rows in torch.randperm(len(self.labels)).split(128):
            logits = self.model(self.images[rows])
            loss = F.mse_loss(logits, F.one_hot(self.labels[rows], 10).float())
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
