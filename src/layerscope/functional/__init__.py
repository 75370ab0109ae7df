"""The mathematics: pure functions, tensors in, numbers out. Knows nothing of models, files or configs."""

from layerscope.functional.adjacency import (
    adjacency_spectral_entropy,
    adjacency_spectrum,
    graph_spectrum,
    neighbor_graph,
)
from layerscope.functional.affinity import Affinity, dense_affinity, gaussian_affinity
from layerscope.functional.bandwidth import bandwidth_of
from layerscope.functional.between import BetweenBasis, between_basis, centered, class_weights
from layerscope.functional.binned import (
    BinnedInformation,
    binned_mutual_information,
    code_words,
    entropy_of_counts,
    equal_width_codes,
    shannon_entropy_binned,
)
from layerscope.functional.class_groups import class_groups
from layerscope.functional.class_parts import (
    ClassInformation,
    ClassParts,
    class_information,
    class_parts,
    matched_subsets,
)
from layerscope.functional.clusters import cluster_inputs
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
from layerscope.functional.diffusion import (
    diffusion_scaling,
    diffusion_spectral_entropy,
    diffusion_spectrum,
    matrix_entry_entropy,
)
from layerscope.functional.diffusion_information import (
    class_spectra,
    diffusion_spectral_mutual_information,
    spectral_information,
)
from layerscope.functional.discrete_information import (
    DiscreteInformation,
    class_mutual_information,
    discrete_mutual_information,
    joint_counts,
)
from layerscope.functional.dot_products import mean_norms, mean_products, similarities
from layerscope.functional.drift import (
    drift_gap,
    drift_norm,
    drift_prior,
    drift_relative,
    etf_distances,
    weight_drift,
)
from layerscope.functional.duality import (
    Uniformity,
    bias_collapse,
    self_duality_error,
    self_duality_etf,
    self_duality_frobenius,
    uniform_duality,
)
from layerscope.functional.eigenvalues import (
    Eigenvalues,
    saturation,
    spectral_entropy,
    spectral_entropy_error,
)
from layerscope.functional.gaussian_information import (
    GaussianInformation,
    gaussian_mutual_information,
    gaussian_mutual_information_of,
)
from layerscope.functional.kernels import KernelStats, kernel_stats
from layerscope.functional.ksg import (
    NeighborInformation,
    ksg_mutual_information,
    label_mutual_information,
)
from layerscope.functional.latent_information import (
    LatentInformation,
    latent_mutual_information,
    latent_mutual_informations,
)
from layerscope.functional.latent_training import LatentSettings
from layerscope.functional.matching import Matches, assigned_matches, nearest_matches
from layerscope.functional.minority import cosine_between, group_cosine, norm_ratio
from layerscope.functional.nearest import ncc_accuracy, ncc_agreement, nearest_class
from layerscope.functional.neighbors import nearest_neighbors
from layerscope.functional.ood import ood_orthogonality
from layerscope.functional.pair_variability import cdnv, cdnv_pairs
from layerscope.functional.principal import principal_components
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
from layerscope.functional.seli import seli_error, seli_grams
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
from layerscope.functional.spectrum_key import spectrum_key
from layerscope.functional.subspaces import (
    class_alignment,
    mean_subspace_cosine,
    numerical_rank,
    subspace_angles,
    top_alignment,
)
from layerscope.functional.traces import Traces, between_trace, traces, within_trace
from layerscope.functional.variability import (
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
from layerscope.functional.whitening import WhiteningMap, whitening

__all__ = [
    "WEIGHTINGS",
    "Affinity",
    "BetweenBasis",
    "BinnedInformation",
    "ClassInformation",
    "ClassParts",
    "ClassWeights",
    "Correlations",
    "CovarianceSpectrum",
    "DiscreteInformation",
    "Eigenvalues",
    "GaussianInformation",
    "KernelStats",
    "LatentInformation",
    "LatentSettings",
    "Matches",
    "NCLayer",
    "NeighborInformation",
    "Spectrum",
    "Traces",
    "Uniformity",
    "WhiteningMap",
    "activation_stable_rank",
    "adjacency_spectral_entropy",
    "adjacency_spectrum",
    "approximate_rank",
    "assigned_matches",
    "bandwidth_of",
    "between_basis",
    "between_trace",
    "bias_collapse",
    "binned_mutual_information",
    "cdnv",
    "cdnv_pairs",
    "centered",
    "class_alignment",
    "class_groups",
    "class_information",
    "class_mutual_information",
    "class_parts",
    "class_spectra",
    "class_weights",
    "cluster_inputs",
    "code_words",
    "cosine_between",
    "covariance_spectrum",
    "cutoff_rank",
    "dense_affinity",
    "diffusion_scaling",
    "diffusion_spectral_entropy",
    "diffusion_spectral_mutual_information",
    "diffusion_spectrum",
    "directionless",
    "discrete_mutual_information",
    "drift_gap",
    "drift_norm",
    "drift_prior",
    "drift_relative",
    "effective_rank",
    "energies_along",
    "entropy_of_counts",
    "equal_width_codes",
    "equiangularity",
    "equinorm",
    "etf_distances",
    "etf_error",
    "etf_floor",
    "gaussian_affinity",
    "gaussian_mutual_information",
    "gaussian_mutual_information_of",
    "graph_spectrum",
    "group_cosine",
    "joint_counts",
    "kernel_stats",
    "ksg_mutual_information",
    "label_mutual_information",
    "largest_eigenvalue",
    "latent_mutual_information",
    "latent_mutual_informations",
    "matched_subsets",
    "matrix_entry_entropy",
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
    "nearest_matches",
    "nearest_neighbors",
    "neighbor_graph",
    "norm_ratio",
    "nuclear_frobenius",
    "nuclear_rank",
    "numerical_rank",
    "ood_orthogonality",
    "participation_ratio",
    "principal_components",
    "row_spectrum",
    "saturation",
    "self_duality_error",
    "self_duality_etf",
    "self_duality_frobenius",
    "seli_error",
    "seli_grams",
    "shannon_entropy_binned",
    "similarities",
    "singular_values",
    "sketched_spectrum",
    "spectral_entropy",
    "spectral_entropy_error",
    "spectral_information",
    "spectrum",
    "spectrum_key",
    "stable_rank",
    "subspace_angles",
    "top_alignment",
    "traces",
    "uniform_duality",
    "vci",
    "vci_from_rows",
    "weight_class_correlation",
    "weight_drift",
    "weight_equiangularity",
    "weight_equinorm",
    "weight_etf_error",
    "weight_means_correlation",
    "weights_by",
    "whitening",
    "within_trace",
]
