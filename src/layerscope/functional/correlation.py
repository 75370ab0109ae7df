"""Singular vectors of a weight against the class means that it reads (MLPSVD)."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from layerscope.functional.between import EPS, centered
from layerscope.functional.spectra import Spectrum, spectrum

GAP = 1e-10  # relative gap of singular values below which their vectors are not unique


class Correlations(NamedTuple):
    r"""Sizes of cosines; rows are the leading right singular vectors v of the weight.

    What is arbitrary, since singular values are equal or zero, is NaN.

    Attributes
    ----------
    means : Tensor (w, K)
        :math:`|\langle v_i, \mu_c/|\mu_c|\rangle|`; NaN for a mean that is zero.
    vectors : Tensor (w, k)
        :math:`|\langle v_i, u_j\rangle|` with the leading singular directions u of the means as they are.
    """

    means: Tensor
    vectors: Tensor


def weight_means_correlation(
    weight: Tensor, means: Tensor, *, weight_vectors: int = 100, class_vectors: int = 10
) -> Correlations:
    """How the leading directions that a weight reads correlate with the (uncentred) class means.

    Parameters
    ----------
    weight : Tensor (out, D)
    means : Tensor (K, D)
    weight_vectors, class_vectors : int
        How many of each are taken at most.

    Raises
    ------
    ValueError
        The weight reads another number of features than the means have.

    References
    ----------
    Rangamani, Lindegaard, Galanti, Poggio (2023), ICML (PMLR 202); its code calls it MLPSVD.
    """
    if weight.shape[1:] != means.shape[1:]:
        raise ValueError(f"a weight of {weight.shape[1]} features cannot read means of {means.shape[1]}")
    return correlations(spectrum(weight), means, weight_vectors, class_vectors)


def weight_class_correlation(
    weight: Tensor, rows: Tensor, *, weight_vectors: int = 100, class_vectors: int = 10
) -> Tensor:
    r"""How the leading directions of a weight correlate with those in which the samples of a class vary.

    Parameters
    ----------
    weight : Tensor (out, D)
    rows : Tensor (n, D)
        Features of one class; their mean is subtracted here.
    weight_vectors, class_vectors : int
        How many of each are taken at most.

    Returns
    -------
    Tensor (w, k)
        :math:`|\langle v_i, e_j\rangle|` with the leading eigenvectors e of the class covariance; NaN where
        equal or vanishing values leave a vector arbitrary.

    Raises
    ------
    ValueError
        The weight reads another number of features than the rows have.
    """
    if weight.shape[1:] != rows.shape[1:]:
        raise ValueError(f"a weight of {weight.shape[1]} features cannot read rows of {rows.shape[1]}")
    leading = _determined(spectrum(weight), 0.0)[:, :weight_vectors].T
    directions = _determined(spectrum(centered(rows)[0]), 0.0)[:, :class_vectors]
    return (leading @ directions).abs()


def correlations(
    weight: Spectrum, means: Tensor, weight_vectors: int, class_vectors: int, *, rounding: float = 0.0
) -> Correlations:
    """:func:`weight_means_correlation` of a weight whose spectrum is known.

    Parameters
    ----------
    rounding : float
        Singular values of the means up to which they can be rounding of the features.
    """
    means = means.double()
    leading = _determined(weight, 0.0)[:, :weight_vectors].T
    units = means / torch.linalg.vector_norm(means, dim=1, keepdim=True)
    directions = _determined(spectrum(means), rounding)[:, :class_vectors]
    return Correlations((leading @ units.T).abs(), (leading @ directions).abs())


def _determined(found: Spectrum, rounding: float) -> Tensor:
    """Right singular vectors, NaN in place of those that equal or vanishing values leave arbitrary."""
    values, right = found.values, found.right.clone()
    if not values.numel():
        return right
    floor = max(rounding, float(values[0]) * max(right.shape) * EPS)
    gaps = torch.nn.functional.pad(values.diff().neg(), (1, 1), value=math.inf)
    unique = torch.minimum(gaps[:-1], gaps[1:]) > GAP * values[0]
    determined = (unique & (values > floor))[: right.shape[1]]  # vectors may have been left out
    right[:, ~determined] = math.nan
    return right
