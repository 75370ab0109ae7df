"""Every block of a timm model, measured after a short training on the digits; nothing is downloaded.

    python examples/timm_model.py --model test_vit --epochs 5

Needs timm (``pip install 'layerscope[timm]'``). Features are taken by hooks inside a forward pass; tokens and
positions are averaged, so that every block gives one row of features per image.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import timm
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, interpolate

import layerscope as ls
from layerscope.features.layer_features import layer_features
from layerscope.features.reduce import mean

CLASSES, SIZE = 10, 32
Batches = list[tuple[Tensor, Tensor]]


def main(arguments: Sequence[str] | None = None) -> dict[str, dict[str, float]]:
    """Train, then print one line of measures per block."""
    parser = argparse.ArgumentParser(description="neural collapse in every block of a timm model")
    parser.add_argument("--model", default="test_vit", help="any name of timm.list_models()")
    parser.add_argument("--epochs", type=int, default=5)
    chosen = parser.parse_args(arguments)

    torch.manual_seed(0)
    sized = {"img_size": SIZE} if "vit" in chosen.model else {}
    model = timm.create_model(chosen.model, pretrained=False, num_classes=CLASSES, in_chans=1, **sized)
    batches = digits()
    train(model, batches, chosen.epochs)

    found = {}
    for block in blocks_of(model):
        found[block] = measures(model, batches, block)
        print(f"{block:>24}", *(f"{name} {value:.4g}" for name, value in found[block].items()))
    return found


def digits() -> Batches:
    """The 1,797 digits of scikit-learn, enlarged to 32x32."""
    loaded = load_digits()
    small = torch.tensor(loaded.images, dtype=torch.float32).unsqueeze(1) / 16 - 0.5  # (N, 1, 8, 8)
    images, labels = interpolate(small, size=SIZE), torch.tensor(loaded.target)
    return list(zip(images.split(64), labels.split(64), strict=True))


def train(model: nn.Module, batches: Batches, epochs: int) -> None:
    """A plain loop; yours goes here."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    model.train()
    for _ in range(epochs):
        for images, labels in batches:
            loss = cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def blocks_of(model: nn.Module) -> list[str]:
    """Names of the blocks, in order, and of the classifier: of ViTs and of networks in stages alike."""
    names = [name for name, _ in model.named_modules()]
    blocks = [name for name in names if name.startswith(("blocks.", "layer", "stages."))]
    return [name for name in blocks if name.count(".") == 1] + [model.default_cfg["classifier"]]


def measures(model: nn.Module, batches: Batches, block: str) -> dict[str, float]:
    """Collapse at the input of a block."""
    features, labels = layer_features(model, batches, block, reduce=mean)
    moments = ls.statistics.ClassMoments(CLASSES, features.shape[1], scatter=True)
    moments.update(features, labels)
    return {
        "nc1_pinv": ls.functional.nc1_pinv(moments.within_covariance, moments.means),
        "cdnv": ls.functional.cdnv(moments.variances, moments.means)["mean"],
        "etf_error": ls.functional.etf_error(moments.means),
        "ncc_accuracy": ls.functional.ncc_accuracy(features, labels, moments.means),
    }


if __name__ == "__main__":
    main()
