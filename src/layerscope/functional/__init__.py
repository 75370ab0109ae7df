"""The mathematics: pure functions, tensors in, numbers out. Knows nothing of models, files or configs."""

from layerscope.functional.between import BetweenBasis, between_basis, centered, class_weights
from layerscope.functional.simplex import directionless, equiangularity, equinorm, etf_error, etf_floor
from layerscope.functional.spectra import Spectrum, spectrum
from layerscope.functional.subspaces import mean_subspace_cosine, numerical_rank, subspace_angles
from layerscope.functional.variability import (
    between_trace,
    cdnv,
    nc1_from_energies,
    nc1_pinv,
    nc1_quotient,
    nc1_range_fraction,
)

__all__ = [
    "BetweenBasis",
    "Spectrum",
    "between_basis",
    "between_trace",
    "cdnv",
    "centered",
    "class_weights",
    "directionless",
    "equiangularity",
    "equinorm",
    "etf_error",
    "etf_floor",
    "mean_subspace_cosine",
    "nc1_from_energies",
    "nc1_pinv",
    "nc1_quotient",
    "nc1_range_fraction",
    "numerical_rank",
    "spectrum",
    "subspace_angles",
]
