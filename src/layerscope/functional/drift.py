"""Drift: how far the centre of the features lies from the origin, and what it carries."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from layerscope.functional.between import between_basis, centered


def drift_norm(means: Tensor) -> float:
    r"""Length of the class-balanced centre, :math:`|\mu_B|`, :math:`\mu_B = \frac1K \sum_c \mu_c`.

    Parameters
    ----------
    means : Tensor (K, D)
        Class means.

    Returns
    -------
    float
        In the unit of the features. 0 for a centred ETF; unchanged by rotations; adding v to all features of
        a centred set makes it :math:`|v|`.
    """
    return float(torch.linalg.vector_norm(centered(means)[1]))


def drift_relative(means: Tensor) -> float:
    r""":func:`drift_norm` over the root mean square of :math:`|\mu_c - \mu_B|`; NaN if all means coincide."""
    spread = _rms(centered(means)[0])
    return drift_norm(means) / spread if spread else math.nan


def drift_gap(means: Tensor, counts: Tensor) -> float:
    r"""Distance :math:`|\mu_S - \mu_B|` of the mean of all samples from the mean of the class means.

    Exactly 0 for classes of equal size. ``counts`` (K,) are the samples of each class.
    """
    offsets, _ = centered(means)
    excess = counts.double() / counts.sum() - 1 / len(counts)
    return float(torch.linalg.vector_norm(excess @ offsets))


def drift_prior(center: Tensor, weight: Tensor, counts: Tensor) -> tuple[float, float]:
    r"""Does the centre carry the frequency of the classes: :math:`w_c^\top \mu_B` against :math:`\ln n_c`.

    Parameters
    ----------
    center : Tensor (D,)
        :math:`\mu_B`, the mean of the class means.
    weight : Tensor (K, D)
        Rows of the classifier.
    counts : Tensor (K,)
        Training samples of each class.

    Returns
    -------
    slope, r2 : float
        Of the least-squares line through the K points; both NaN when all classes have one size. A classifier
        without bias that reproduces the log prior has slope 1.
    """
    if len(counts) < 2 or bool((counts == counts[0]).all()):
        return math.nan, math.nan
    logits = weight.double() @ center.double()
    y, x = logits - logits.mean(), counts.double().log()
    x = x - x.mean()
    slope, total = float(x @ y / (x @ x)), float(y @ y)
    return slope, float((x @ y) ** 2 / (x @ x)) / total if total else math.nan


def weight_drift(weight: Tensor) -> tuple[float, float]:
    r"""Length of the mean row :math:`\bar w` of a classifier (K, D), and over rms :math:`|w_c - \bar w|`."""
    return drift_norm(weight), drift_relative(weight)


def etf_distances(means: Tensor) -> Tensor | None:
    r"""Distance of each centred class mean from its vertex of the closest simplex ETF.

    The means :math:`m_c = \mu_c - \mu_B`, scaled to a root mean square length of 1, are compared with
    :math:`\sqrt{K/(K-1)}\, Q (e_c - \frac1K 1)`, Q the orthogonal map that comes closest (Procrustes).

    Returns
    -------
    Tensor (K,) or None
        0 for an ETF. None when the means span fewer than K-1 dimensions: the closest ETF is not unique then.
    """
    classes = len(means)
    if classes < 2 or between_basis(means).rank < classes - 1:
        return None
    offsets, _ = centered(means)
    scaled = (offsets / _rms(offsets)).T  # (D, K)
    ones = torch.ones(classes, 1, dtype=scaled.dtype, device=scaled.device)
    across = torch.linalg.qr(ones, mode="complete").Q[:, 1:]  # (K, K-1), orthogonal to (1, ..., 1)
    left, _, right = torch.linalg.svd(scaled @ across, full_matrices=False)
    vertices = math.sqrt(classes / (classes - 1)) * (left @ right @ across.T)
    return torch.linalg.vector_norm(scaled - vertices, dim=0)


def _rms(offsets: Tensor) -> float:
    return math.sqrt(float(offsets.square().sum() / len(offsets)))
