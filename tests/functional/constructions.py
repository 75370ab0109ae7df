"""Features whose neural-collapse values are known in closed form, and random ones."""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from hypothesis import settings
from hypothesis import strategies as st
from torch import Tensor

few = settings(max_examples=8, deadline=None, derandomize=True, database=None)


@dataclass(frozen=True)
class Labelled:
    """Features (N, D), float64, and labels (N,)."""

    features: Tensor
    labels: Tensor

    @cached_property
    def counts(self) -> Tensor:
        return torch.bincount(self.labels)

    @cached_property
    def means(self) -> Tensor:
        return torch.stack([self.features[self.labels == c].mean(dim=0) for c in range(len(self.counts))])

    @cached_property
    def variances(self) -> Tensor:
        squares = (self.features - self.means[self.labels]).square().sum(dim=1)
        return torch.stack([squares[self.labels == c].mean() for c in range(len(self.counts))])

    def within(self, weights: Tensor) -> Tensor:
        """Σw with these class weights (D, D)."""
        rows = (self.features - self.means[self.labels]) * (weights / self.counts)[self.labels].sqrt()[
            :, None
        ]
        return rows.T @ rows


def random_rotation(dim: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    q, r = torch.linalg.qr(torch.randn(dim, dim, generator=generator, dtype=torch.float64))
    return q * r.diagonal().sign()


def simplex(classes: int, dim: int, seed: int = 0) -> Tensor:
    """Vertices (K, D) of a centred simplex with unit norms, turned at random; needs dim ≥ K-1."""
    vertices = torch.zeros(classes, dim, dtype=torch.float64)
    for j in range(classes - 1):  # Helmert basis of the complement of (1, …, 1)
        vertices[: j + 1, j] = 1.0
        vertices[j + 1, j] = -(j + 1.0)
        vertices[:, j] /= math.sqrt((j + 1) * (j + 2))
    return math.sqrt(classes / (classes - 1)) * vertices @ random_rotation(dim, seed)


def with_isotropic_noise(means: Tensor, size: float) -> Labelled:
    """Pairs ± e_j s √D around every mean: every class covariance is exactly s² I."""
    dim = means.shape[1]
    steps = size * math.sqrt(dim) * torch.cat([torch.eye(dim), -torch.eye(dim)]).double()  # (2D, D)
    features = (means.unsqueeze(1) + steps).flatten(end_dim=1)  # (K, 2D, D) -> (2DK, D)
    return Labelled(features, torch.arange(len(means)).repeat_interleave(2 * dim))


def random_labelled(seed: int, counts: list[int], dim: int, offset: float = 0.0) -> Labelled:
    """Gaussian classes of these sizes in shuffled order."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    labels = labels[torch.randperm(len(labels), generator=generator)]
    means = 2 * torch.randn(len(counts), dim, generator=generator, dtype=torch.float64)
    noise = torch.randn(len(labels), dim, generator=generator, dtype=torch.float64)
    return Labelled(means[labels] + noise + offset, labels)


def changed(change: str, data: Labelled, seed: int) -> Labelled:
    """The same data in other coordinates, under other names or in another order."""
    features, labels = data.features, data.labels
    count, dim = features.shape
    generator = torch.Generator().manual_seed(seed)
    if change == "rotate":
        return Labelled(features @ random_rotation(dim, seed), labels)
    if change == "shift":
        return Labelled(features + 100 * torch.randn(dim, generator=generator, dtype=torch.float64), labels)
    if change == "scale":
        return Labelled(features * 10.0 ** (seed % 9 - 4), labels)
    if change == "relabel":
        return Labelled(features, torch.randperm(len(data.counts), generator=generator)[labels])
    if change == "repeat":
        return Labelled(features.repeat(3, 1), labels.repeat(3))
    if change == "pad":
        return Labelled(torch.cat([features, features.new_zeros(count, 1 + seed % 4)], dim=1), labels)
    assert change == "reorder"
    order = torch.randperm(count, generator=generator)
    return Labelled(features[order], labels[order])


CHANGES = ["rotate", "shift", "scale", "relabel", "repeat", "pad", "reorder"]


def _labelled(seed: int) -> Labelled:
    generator = torch.Generator().manual_seed(seed)
    classes, dim = (int(torch.randint(low, high, (), generator=generator)) for low, high in ((3, 7), (2, 10)))
    return random_labelled(seed, torch.randint(2, 10, (classes,), generator=generator).tolist(), dim)


labelled = st.integers(0, 100_000).map(_labelled)
