"""Mutual information by six estimators: held to a known truth, then of a network's features on the digits.

    python examples/mutual_information.py

Nothing is downloaded. Every estimate is too low or too high in its own way, so each is printed with what it
has to be compared with.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import layerscope as ls
from layerscope.data.known_information import embedded, gaussian_pairs

CLASSES = 10


def main(arguments: Sequence[str] | None = None) -> dict[str, float]:
    """Print one line per estimate, in nats."""
    parser = argparse.ArgumentParser(description="mutual information by several estimators")
    parser.add_argument("--samples", type=int, default=1000, help="of the known distribution")
    parser.add_argument("--latent-epochs", type=int, default=60, help="of the latent networks, at most")
    chosen = parser.parse_args(arguments)
    return {**known(chosen.samples, chosen.latent_epochs), **digits()}


def known(samples: int, latent_epochs: int) -> dict[str, float]:
    """Two pairs of Gaussians of correlation 0.8, plain and hidden in 40 dimensions each."""
    plain = gaussian_pairs(samples, 0.8, dim=2, seed=0)
    wide = embedded(plain, 40, seed=0)
    near = ls.functional.ksg_mutual_information(plain.x, plain.y)
    linear = ls.functional.gaussian_mutual_information(plain.x, plain.y)
    settings = ls.functional.LatentSettings(dims=2, epochs=latent_epochs)
    latent = ls.functional.latent_mutual_information(wide.x, wide.y, settings=settings)
    found = {
        "truth": plain.nats,
        "KSG": near.value,
        "Gaussian": linear.unbiased,
        "latent, 40 + 40 dimensions": latent.value,
    }
    show(found)
    print(f"{'at most by KSG':>36} {near.ceiling:7.3f}; with bits for nats: units='bits'")
    return found


def digits() -> dict[str, float]:
    """What a small network's hidden layer knows of the label, and its decisions on pairs of like images."""
    loaded = load_digits()
    images, labels = torch.tensor(loaded.data, dtype=torch.float32) / 16, torch.tensor(loaded.target)
    train, test = torch.arange(len(images)) % 4 != 0, torch.arange(len(images)) % 4 == 0
    hidden, decisions = trained(images, labels, train)

    pairs = ls.functional.nearest_matches(images[test], images[train])  # the most similar train image
    counts = ls.functional.joint_counts(decisions[test], decisions[train][pairs.points], CLASSES)
    discrete = ls.functional.discrete_mutual_information(counts, permutations=100)

    affinity = ls.functional.gaussian_affinity(hidden[test], "median")
    spectra = ls.functional.class_spectra(affinity, labels[test])
    found = {
        "hidden layer and label, Ross": ls.functional.label_mutual_information(
            hidden[test].double(), labels[test]
        ).value,
        "hidden layer and label, DSMI": ls.functional.spectral_information(spectra).full,
        "entropy of these decisions": discrete.row_entropy,
        "decisions on pairs of images": discrete.value,
        "the same, pairs broken up": discrete.null_mean,
    }
    show(found)
    return found


def trained(images: Tensor, labels: Tensor, train: Tensor) -> tuple[Tensor, Tensor]:
    """Hidden features and decisions of all images, after a short training on some."""
    torch.manual_seed(0)
    body = nn.Sequential(nn.Linear(64, 32), nn.ReLU())
    head = nn.Linear(32, CLASSES)
    optimizer = torch.optim.Adam([*body.parameters(), *head.parameters()], lr=1e-2)
    for _ in range(60):
        loss = cross_entropy(head(body(images[train])), labels[train])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        hidden = body(images)
        return hidden, head(hidden).argmax(dim=1)


def show(found: dict[str, float]) -> None:
    """One line per value."""
    for name, value in found.items():
        print(f"{name:>36} {value:7.3f}")


if __name__ == "__main__":
    main()
