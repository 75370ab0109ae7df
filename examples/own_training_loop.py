"""Neural collapse of the last layer, watched from a training loop of one's own.

    python examples/own_training_loop.py --epochs 20

Nothing of layerscope trains here: the loop is plain PyTorch on the digits of scikit-learn, and layerscope's
accumulators look on. Put the lines marked with ``<-`` into your own loop.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import layerscope as ls

CLASSES, WIDTH = 10, 64
COLUMNS = ("epoch", "accuracy", "nc1_pinv", "cdnv", "etf_error", "self_duality", "ncc_agreement")


def main(arguments: Sequence[str] | None = None) -> list[dict[str, float]]:
    """Train, and print one line of measures per epoch."""
    parser = argparse.ArgumentParser(description="neural collapse in a training loop of one's own")
    parser.add_argument("--epochs", type=int, default=20)
    epochs = parser.parse_args(arguments).epochs

    torch.manual_seed(0)
    digits = load_digits()
    images = torch.tensor(digits.data, dtype=torch.float32) / 16
    labels = torch.tensor(digits.target)
    body = nn.Sequential(nn.Linear(64, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU())
    head = nn.Linear(WIDTH, CLASSES)
    optimizer = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.1, momentum=0.9)

    print(" ".join(f"{name:>13}" for name in COLUMNS))
    history = []
    for epoch in range(1, epochs + 1):
        for rows in torch.randperm(len(labels)).split(64):
            loss = cross_entropy(head(body(images[rows])), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        history.append({"epoch": float(epoch), **measures(body, head, images, labels)})
        print(" ".join(f"{history[-1][name]:13.4g}" for name in COLUMNS))
    return history


@torch.no_grad()
def measures(body: nn.Module, head: nn.Linear, images: Tensor, labels: Tensor) -> dict[str, float]:
    """Two passes over the data: the class means first, then what is nearest to them."""
    moments = ls.statistics.ClassMoments(CLASSES, WIDTH, scatter=True)  # <-
    network = ls.statistics.Decisions(CLASSES)  # <-
    batches = list(zip(images.split(256), labels.split(256), strict=True))
    for batch, names in batches:
        features = body(batch)
        moments.update(features, names)  # <-
        network.update(head(features), names)  # <-

    nearest = ls.statistics.NearestCenter(moments.means, moments.present, CLASSES)  # <-
    for batch, names in batches:
        features = body(batch)
        nearest.update(features, names, head(features).argmax(dim=1))  # <-

    return {
        "accuracy": network.accuracy,
        "nc1_pinv": ls.functional.nc1_pinv(moments.within_covariance, moments.means, moments.global_mean),
        "cdnv": ls.functional.cdnv(moments.variances, moments.means)["mean"],
        "etf_error": ls.functional.etf_error(moments.means),
        "self_duality": ls.functional.self_duality_error(head.weight, moments.means),
        "ncc_agreement": nearest.agreement,
    }


if __name__ == "__main__":
    main()
