"""The library's accumulators over the procedure of the public ``neural_collapse``, on random features."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial

import torch
from pairs import Comparison, compare
from torch import Tensor

from layerscope.functional import (
    between_basis,
    cdnv,
    etf_error,
    nc1_from_energies,
    nc1_pinv,
    self_duality_error,
)
from layerscope.measurement.coordinates import Coordinates
from layerscope.statistics import ClassMoments, Decisions, DirectionalScatter, NearestCenter, label_groups

SAMPLES, DIM, BATCH, ROWS = 20_000, 512, 250, 2048
TILE = 64  # rows of class means whose differences the public package forms at a time, as its README does
Batches = Sequence[tuple[Tensor, Tensor, Tensor]]
"""Features, labels and the network's logits, which come with its forward pass."""

Results = dict[str, float]


def run() -> list[Comparison]:
    """Compare at 10 and at 1000 classes, with the measures of collapse that are computed from them."""
    return [
        _compared(f"accumulate and compute, N = 20,000, D = 512, K = {classes:,} / the public way", classes)
        for classes in (10, 1000)
    ]


def _compared(name: str, classes: int) -> Comparison:
    batches, weight = features_of(classes)
    kept = torch.zeros(SAMPLES, DIM)  # where offsets are kept, checkpoint after checkpoint
    ours, theirs = layerscope_way(batches, weight, kept), public_way(batches, weight)
    for key, value in theirs.items():
        assert abs(ours[key] - value) <= 1e-3 * abs(value), (key, ours[key], value)
    return compare(
        name, partial(layerscope_way, batches, weight, kept), partial(public_way, batches, weight), bound=0.2
    )


def features_of(classes: int) -> tuple[Batches, Tensor]:
    """Batches of noisy classes, far enough apart that both ways decide alike, and a classifier (K, D)."""
    generator = torch.Generator().manual_seed(0)
    means = torch.randn(classes, DIM, generator=generator)
    labels = torch.arange(SAMPLES) % classes
    features = means[labels] + torch.randn(SAMPLES, DIM, generator=generator)
    order = torch.randperm(SAMPLES, generator=generator)
    features, labels = features[order], labels[order]
    weight = means + 0.5 * torch.randn(classes, DIM, generator=generator)
    parts = (part.split(BATCH) for part in (features, labels, features @ weight.T))
    return list(zip(*parts, strict=True)), weight


def layerscope_way(batches: Batches, weight: Tensor, offsets: Tensor) -> Results:
    """As suits few classes or many: those that span all features gain nothing from their directions."""
    classes, dim = weight.shape
    return along_means(batches, weight, offsets) if classes <= dim else in_all_features(batches, weight)


def along_means(batches: Batches, weight: Tensor, offsets: Tensor) -> Results:
    """One pass, which keeps the offsets (N, D); one product of these with the span of the means."""
    classes, dim = weight.shape
    moments, network = ClassMoments(classes, dim, keep=offsets), Decisions(classes)
    decided = []
    for features, labels, logits in batches:
        groups = label_groups(labels, len(labels), classes)
        moments.update(features, labels, groups=groups)
        decided.append(network.update(logits, labels, groups=groups))
    means, variances = moments.means, moments.variances
    basis = between_basis(means)
    scatter = DirectionalScatter(classes, basis.rank)
    nearest = NearestCenter((means - basis.center) @ basis.directions, moments.present, classes)
    reader = Coordinates(moments, moments.reference, basis, scatter, basis, nearest)
    labels = torch.cat([labels for _, labels, _ in batches])
    parts = (part.split(reader.rows) for part in (moments.kept, labels, torch.cat(decided)))
    for some in zip(*parts, strict=True):
        reader.update(*some)
    energies = scatter.pooled(moments.weights("sample"))
    within = float(moments.weights("sample") @ variances)
    nc1 = nc1_from_energies(energies, basis, within, classes)
    return {"nc1": nc1, "agreement": nearest.agreement} | of_means(means, variances, weight)


def in_all_features(batches: Batches, weight: Tensor) -> Results:
    """A pass for moments and the pooled scatter within classes; one for nearest means, many rows at once."""
    classes, dim = weight.shape
    moments, network = ClassMoments(classes, dim, scatter=True), Decisions(classes)
    decided = []
    for features, labels, logits in batches:
        groups = label_groups(labels, len(labels), classes)
        moments.update(features, labels, groups=groups)
        decided.append(network.update(logits, labels, groups=groups))
    means = moments.means
    nearest = NearestCenter(means, moments.present, classes)
    width = ROWS // BATCH
    for start in range(0, len(batches), width):
        some = [(features, labels) for features, labels, _ in batches[start : start + width]]
        features, labels = (torch.cat(part) for part in zip(*some, strict=True))
        nearest.update(features, labels, torch.cat(decided[start : start + width]))
    nc1 = nc1_pinv(moments.within_covariance, means)
    return {"nc1": nc1, "agreement": nearest.agreement} | of_means(means, moments.variances, weight)


def of_means(means: Tensor, variances: Tensor, weight: Tensor) -> Results:
    """What means and variances tell alone."""
    return {
        "cdnv": cdnv(variances, means)["mean"],
        "etf": etf_error(means),
        "dual": self_duality_error(weight, means),
    }


def public_way(batches: Batches, weight: Tensor) -> Results:
    """Means; then pooled covariance and variances; then decisions: each a pass of its own."""
    classes, dim = weight.shape
    counts, sums = torch.zeros(classes, dtype=torch.int32), torch.zeros(classes, dim)
    for features, labels, _ in batches:
        hot = one_hot(labels, classes)
        counts += hot.sum(dim=0, dtype=torch.int32)
        sums += hot.T.float() @ features
    means = sums / counts[:, None]
    scatter, squares = torch.zeros(dim, dim), torch.zeros(classes)
    for features, labels, _ in batches:  # the package has an accumulator for each, fed in one loop
        fingerprint(means)
        one_hot(labels, classes).sum(dim=0, dtype=torch.int32)
        offsets = features - means[labels]
        scatter += offsets.T @ offsets
        fingerprint(means)
        hot = one_hot(labels, classes)
        hot.sum(dim=0, dtype=torch.int32)
        squares += (hot.T.float() @ (features - means[labels]) ** 2).sum(dim=-1)
    agreeing = torch.zeros(classes, dtype=torch.int32)
    for features, labels, _ in batches:
        fingerprint(means), fingerprint(weight)
        lengths = features.norm(dim=-1)[:, None] ** 2 + means.norm(dim=-1) ** 2
        nearest = (lengths - 2 * features @ means.T).argmin(dim=-1)
        matches = nearest == (features @ weight.T).argmax(dim=-1)
        one_hot(labels, classes).sum(dim=0, dtype=torch.int32)
        agreeing.scatter_add_(0, labels, matches.int())
    return public_measures(means, scatter / SAMPLES, squares / counts, weight) | {
        "agreement": float(agreeing.sum()) / SAMPLES
    }


def public_measures(means: Tensor, within: Tensor, variances: Tensor, weight: Tensor) -> Results:
    """Pseudo-inverse of a D×D matrix, K×K×D differences in tiles, K×K Gram matrices, all in float32."""
    classes = len(means)
    offsets = means - means.mean(dim=0)
    between = offsets.T @ offsets / classes
    frame = (torch.eye(classes) - 1 / classes) / (classes - 1) ** 0.5
    gram, dual = offsets @ offsets.T, weight @ offsets.T
    return {
        "nc1": float((within @ torch.linalg.pinv(between)).trace()) / classes,
        "cdnv": tiled_cdnv(means, variances),
        "etf": float((gram / gram.norm() - frame).norm()),
        "dual": float((dual / dual.norm() - frame).norm()),
    }


def tiled_cdnv(means: Tensor, variances: Tensor) -> float:
    """Mean over pairs from differences (tile, tile, D)."""
    total, classes = 0.0, len(means)
    for rows in torch.arange(classes).split(TILE):
        for columns in torch.arange(classes).split(TILE):
            squares = (means[rows][:, None] - means[columns]).norm(dim=-1) ** 2
            spread = (variances[rows][:, None] + variances[columns]) / 2
            apart = rows[:, None] != columns
            total += float((spread[apart] / squares[apart]).sum())
    return total / (classes * (classes - 1))


def one_hot(labels: Tensor, classes: int) -> Tensor:
    """Which class each sample is of (B, K)."""
    return labels[:, None] == torch.arange(classes)


def fingerprint(matrix: Tensor) -> str:
    """How the public accumulators tell, in every batch, whether the means are still the same."""
    return hashlib.sha256(matrix.numpy().tobytes()).hexdigest()
