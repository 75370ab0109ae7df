"""The mathematics: pure functions, tensors in, numbers out. Knows nothing of models, files or configs."""

from layerscope.functional.between import BetweenBasis, between_basis, centered, class_weights
from layerscope.functional.collapsed_layer import NCLayer, nc_layer
from layerscope.functional.correlation import (
    Correlations,
    weight_class_correlation,
    weight_means_correlation,
)
from layerscope.functional.covariance import (
    CovarianceSpectrum,
    activation_stable_rank,
    covariance_spectrum,
    largest_eigenvalue,
    row_spectrum,
    sketched_spectrum,
)
from layerscope.functional.dot_products import mean_norms, mean_products, similarities
from layerscope.functional.duality import (
    Uniformity,
    bias_collapse,
    self_duality_error,
    self_duality_etf,
    self_duality_frobenius,
    uniform_duality,
)
from layerscope.functional.kernels import KernelStats, kernel_stats
from layerscope.functional.nearest import ncc_accuracy, ncc_agreement, nearest_class
from layerscope.functional.ood import ood_orthogonality
from layerscope.functional.ranks import (
    approximate_rank,
    cutoff_rank,
    effective_rank,
    nuclear_frobenius,
    nuclear_rank,
    participation_ratio,
    singular_values,
    stable_rank,
)
from layerscope.functional.simplex import (
    directionless,
    equiangularity,
    equinorm,
    etf_error,
    etf_floor,
    weight_equiangularity,
    weight_equinorm,
    weight_etf_error,
)
from layerscope.functional.spectra import Spectrum, spectrum
from layerscope.functional.subspaces import (
    class_alignment,
    mean_subspace_cosine,
    numerical_rank,
    subspace_angles,
    top_alignment,
)
from layerscope.functional.traces import Traces, between_trace, traces, within_trace
from layerscope.functional.variability import (
    cdnv,
    cdnv_pairs,
    energies_along,
    nc1_from_energies,
    nc1_pinv,
    nc1_quotient,
    nc1_range_fraction,
    nc1_svd,
    nc1_svd_from_energies,
)
from layerscope.functional.vci import vci, vci_from_rows
from layerscope.functional.weighting import WEIGHTINGS, ClassWeights, weights_by

__all__ = [
    "WEIGHTINGS",
    "BetweenBasis",
    "ClassWeights",
    "Correlations",
    "CovarianceSpectrum",
    "KernelStats",
    "NCLayer",
    "Spectrum",
    "Traces",
    "Uniformity",
    "activation_stable_rank",
    "approximate_rank",
    "between_basis",
    "between_trace",
    "bias_collapse",
    "cdnv",
    "cdnv_pairs",
    "centered",
    "class_alignment",
    "class_weights",
    "covariance_spectrum",
    "cutoff_rank",
    "directionless",
    "effective_rank",
    "energies_along",
    "equiangularity",
    "equinorm",
    "etf_error",
    "etf_floor",
    "kernel_stats",
    "largest_eigenvalue",
    "mean_norms",
    "mean_products",
    "mean_subspace_cosine",
    "nc1_from_energies",
    "nc1_pinv",
    "nc1_quotient",
    "nc1_range_fraction",
    "nc1_svd",
    "nc1_svd_from_energies",
    "nc_layer",
    "ncc_accuracy",
    "ncc_agreement",
    "nearest_class",
    "nuclear_frobenius",
    "nuclear_rank",
    "numerical_rank",
    "ood_orthogonality",
    "participation_ratio",
    "row_spectrum",
    "self_duality_error",
    "self_duality_etf",
    "self_duality_frobenius",
    "similarities",
    "singular_values",
    "sketched_spectrum",
    "spectrum",
    "stable_rank",
    "subspace_angles",
    "top_alignment",
    "traces",
    "uniform_duality",
    "vci",
    "vci_from_rows",
    "weight_class_correlation",
    "weight_equiangularity",
    "weight_equinorm",
    "weight_etf_error",
    "weight_means_correlation",
    "weights_by",
    "within_trace",
]
