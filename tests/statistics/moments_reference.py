"""Class statistics in two passes over all samples at once, in float64; and samples to try them on."""

from dataclasses import dataclass

import torch
from hypothesis import settings
from torch import Tensor

few = settings(max_examples=8, deadline=None, derandomize=True, database=None)


@dataclass(frozen=True)
class Truth:
    """What an accumulator must find, over the classes that have samples."""

    counts: Tensor
    means: Tensor
    variances: Tensor
    within: Tensor


def two_pass(features: Tensor, labels: Tensor) -> Truth:
    features = features.double()
    counts, means, variances = [], [], []
    scatter = torch.zeros(features.shape[1], features.shape[1], dtype=torch.float64)
    for c in labels.unique():
        rows = features[labels == c]
        offsets = rows - rows.mean(dim=0)
        counts.append(len(rows))
        means.append(rows.mean(dim=0))
        variances.append(offsets.square().sum() / len(rows))
        scatter += offsets.T @ offsets
    return Truth(torch.tensor(counts), torch.stack(means), torch.stack(variances), scatter / len(labels))


def assert_agree(moments, truth: Truth, rel: float, *, scale: float | None = None) -> None:
    """Means relative to ``scale`` (by default their own largest entry), second moments to their trace."""
    size = float(truth.means.abs().max()) if scale is None else scale
    spread = float(truth.within.trace())
    assert moments.counts[moments.present].tolist() == truth.counts.tolist()
    assert torch.allclose(moments.means, truth.means, rtol=0, atol=rel * size)
    assert torch.allclose(moments.variances, truth.variances, rtol=rel, atol=rel * spread)
    if moments._outer is not None:
        assert torch.allclose(moments.within_covariance, truth.within, rtol=0, atol=rel * spread)


def samples(seed: int, count: int = 60, classes: int = 4, dim: int = 5, offset: float = 0.0):
    """Features (N, D), float64, and labels (N,); small classes may be missing or single."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (count,), generator=generator)
    means = 3 * torch.randn(classes, dim, generator=generator, dtype=torch.float64)
    noise = torch.randn(count, dim, generator=generator, dtype=torch.float64)
    return offset + means[labels] + noise, labels
