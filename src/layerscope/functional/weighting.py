"""What a mean over classes is: two weightings, and the mixtures that other code uses."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from layerscope.functional.between import class_weights

_SCHEMES: dict[str, tuple[str, str, str, str]] = {  # within, pooled, between, center
    "balanced": ("balanced", "balanced", "balanced", "balanced"),
    "sample": ("sample", "sample", "sample", "sample"),
    "papyan": ("sample", "sample", "balanced", "sample"),
    "rnc": ("sample", "sample", "balanced", "balanced"),
    "inc": ("balanced", "sample", "balanced", "sample"),
}

WEIGHTINGS = tuple(_SCHEMES)
"""``balanced`` and ``sample``, then the presets ``papyan``, ``rnc`` and ``inc``."""


@dataclass(frozen=True)
class ClassWeights:
    r"""Weights (K,) of the classes, each summing to 1, float64.

    Attributes
    ----------
    within : Tensor
        Of the class variances in :math:`\mathrm{tr}\,\Sigma_w` as a trace of its own.
    pooled : Tensor
        Of the class covariances in the :math:`\Sigma_w` of NC1.
    between : Tensor
        Of the class means in :math:`\Sigma_b`.
    center : Tensor
        Of the class means in the centre.
    """

    within: Tensor
    pooled: Tensor
    between: Tensor
    center: Tensor


def weights_by(weighting: str, counts: Tensor) -> ClassWeights:
    r"""Class weights that a weighting or preset means.

    ``balanced`` (every class counts the same) and ``sample`` (every sample does) use one kind throughout, so
    that within and between add up to the total covariance. Presets repeat the mixtures of other code;
    they agree with both on balanced data:

    - ``papyan``: :math:`\Sigma_w` by samples, :math:`\Sigma_b` by classes about the mean of the samples
      (Papyan, Han, Donoho 2020; Zhu et al. 2021);
    - ``rnc``: the same about the mean of the class means (the ``neural-collapse`` package, Papyan's
      notebook);
    - ``inc``: traces by classes, NC1's :math:`\Sigma_w` by samples, centre the mean of the samples
      (Rangamani et al. 2023).

    Parameters
    ----------
    weighting : str
        One of :data:`WEIGHTINGS`.
    counts : Tensor (K,)
        Samples per class, all positive.

    Raises
    ------
    ValueError
        An unknown weighting; the message lists the known ones.
    """
    if weighting not in _SCHEMES:
        raise ValueError(f"weighting must be one of {', '.join(WEIGHTINGS)}, not {weighting!r}")
    return ClassWeights(*(class_weights(counts, kind) for kind in _SCHEMES[weighting]))
