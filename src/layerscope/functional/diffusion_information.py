"""DSMI: what labels tell about points, by the entropy of the diffusion spectrum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from layerscope.functional.affinity import MEMORY, Affinity, Precision, gaussian_affinity
from layerscope.functional.class_parts import (
    REPEATS,
    ClassInformation,
    ClassParts,
    Variant,
    class_information,
    class_parts,
)
from layerscope.functional.diffusion import diffusion_spectrum, least_power, method_for, part_spectra
from layerscope.functional.eigenvalues import (
    Eigenvalues,
    check_power,
    spectral_entropy,
    spectral_entropy_error,
)
from layerscope.functional.points import check_labels
from layerscope.functional.units import Units


def class_spectra(
    affinity: Affinity,
    labels: Tensor,
    *,
    alpha: float = 0.0,
    variant: Variant = "both",
    repeats: int = REPEATS,
    seed: int = 0,
    subsets: Mapping[int, Sequence[Tensor]] | None = None,
) -> ClassParts[Eigenvalues]:
    """Diffusion spectra of all points, of each class, and of random subsets, out of one Gaussian kernel.

    The kernel between the points of a class is a block of the kernel of all, and is made a diffusion operator
    anew. Several t come from one result, by :func:`spectral_information`.

    Parameters
    ----------
    affinity : Affinity
        Of n points; one bandwidth for all parts.
    labels : Tensor (n,)
        Integers.
    alpha : float
        See :func:`diffusion_spectrum`.
    variant, repeats, seed, subsets
        See :func:`class_parts`.
    """
    check_labels(labels, len(affinity))

    labels = labels.to(affinity.points.device)

    def measure(index: Tensor) -> Eigenvalues:
        part = affinity if len(index) == len(affinity) else affinity.restricted(index)
        return diffusion_spectrum(part, alpha=alpha, seed=seed)

    return class_parts(
        measure,
        labels,
        variant=variant,
        repeats=repeats,
        seed=seed,
        subsets=subsets,
        together=lambda parts: part_spectra(affinity, parts, alpha=alpha, seed=seed),
    )


def spectral_information(
    spectra: ClassParts[Eigenvalues], t: float = 1.0, *, units: Units = "nats"
) -> ClassInformation:
    """Mutual information by the spectral entropy of the t-th powers of the eigenvalues."""
    return class_information(
        spectra,
        lambda part: spectral_entropy(part, t),
        lambda part: spectral_entropy_error(part, t),
        units=units,
    )


def diffusion_spectral_mutual_information(
    points: Tensor,
    labels: Tensor,
    *,
    bandwidth: float | str = "median",
    t: float = 1.0,
    alpha: float = 0.0,
    variant: Variant = "both",
    repeats: int = REPEATS,
    units: Units = "nats",
    precision: Precision = "float64",
    seed: int = 0,
) -> ClassInformation:
    r"""Diffusion spectral mutual information (DSMI) of points and labels.

    With the diffusion spectral entropy S: ``full`` is :math:`S(X) - \sum_y p(y)S(X|y)`, the definition;
    ``matched`` is :math:`\sum_y p(y)[S(n_y \text{ random points}) - S(X|y)]`: samples of one size.

    Parameters
    ----------
    points : Tensor (n, D)
    labels : Tensor (n,)
        Integers. For vectors (DSMI with the inputs) see :func:`cluster_inputs`, for a continuous number
        :func:`equal_width_codes`.
    bandwidth, t, alpha, units, precision
        See :func:`diffusion_spectral_entropy`; one bandwidth, from all points.
    variant : "both" | "full" | "matched"
        What is wanted; what the other alone needs is NaN.
    repeats : int
        Random subsets for each size of a class.
    seed : int
        Of the subsets, the bandwidth's subset and, beyond 5,000 points, the quadrature.

    Returns
    -------
    ClassInformation
        With the label entropy beside it. When the classes are K far groups, ``full`` is ln K.
        ``matched`` cannot exceed ``matched_entropy``, so it saturates when classes are small.

    Raises
    ------
    ValueError
        Labels that are not one integer per point; points, bandwidth, t or alpha that are refused.

    References
    ----------
    Liao et al. (2023), arXiv:2312.04823, definition IV.2.
    """
    check_labels(labels, len(points))
    largest = int(torch.unique(labels, return_counts=True)[1].max()) if len(labels) else 0
    memory = min(8 * largest**2, MEMORY) if variant == "matched" else MEMORY  # blocks are all it takes
    affinity = gaussian_affinity(points, bandwidth, precision=precision, memory=memory, seed=seed)
    widest = largest if variant == "matched" else len(points)
    check_power(t, least_power(method_for(widest), affinity.dtype))
    spectra = class_spectra(affinity, labels, alpha=alpha, variant=variant, repeats=repeats, seed=seed)
    return spectral_information(spectra, t, units=units)
