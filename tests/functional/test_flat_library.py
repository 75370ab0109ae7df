"""What every function of the flat library promises: names, precision, purity."""

import inspect
import math

import pytest
import torch
from constructions import random_labelled, random_rotation

import layerscope as ls
from layerscope import functional as F

NAMED = [  # by the design of the library
    *("nc1_pinv", "nc1_svd", "nc1_quotient", "cdnv", "etf_error", "self_duality_error", "kernel_stats"),
    *("mean_norms", "similarities", "ncc_agreement", "ood_orthogonality", "subspace_angles", "stable_rank"),
    "effective_rank",
]
DATA = random_labelled(3, [9, 7, 8, 6], 5)
WITHIN = DATA.within(F.class_weights(DATA.counts, "sample"))
WEIGHT = random_rotation(5, 1)[:4] + 0.1 * DATA.means
VALUES = torch.linalg.svdvals(WEIGHT)
BASIS = F.between_basis(DATA.means)
ENERGIES = F.energies_along(BASIS, WITHIN)
SAME = random_rotation(5, 2)

CALLS = {  # function → tensors that it takes, and the rest
    "activation_stable_rank": ([DATA.features], {}),
    "approximate_rank": ([VALUES], {"share": 0.9}),
    "between_trace": ([DATA.means], {}),
    "bias_collapse": ([WEIGHT, torch.ones(4).double(), DATA.means[0]], {}),
    "cdnv": ([DATA.variances, DATA.means], {}),
    "cdnv_pairs": ([DATA.variances, DATA.means], {}),
    "class_alignment": ([WEIGHT, DATA.means], {}),
    "covariance_spectrum": ([WITHIN], {}),
    "cutoff_rank": ([VALUES], {"threshold": 0.1}),
    "effective_rank": ([VALUES], {}),
    "equiangularity": ([DATA.means], {}),
    "equinorm": ([DATA.means], {}),
    "etf_error": ([DATA.means], {}),
    "kernel_stats": ([DATA.means], {"kernel": "log"}),
    "largest_eigenvalue": ([DATA.features], {}),
    "mean_norms": ([DATA.means], {}),
    "mean_products": ([DATA.means], {}),
    "mean_subspace_cosine": ([SAME[:, :2], SAME[:, 1:3]], {}),
    "nc1_pinv": ([WITHIN, DATA.means, DATA.means.mean(dim=0)], {}),
    "nc1_range_fraction": ([ENERGIES], {"within_trace": float(WITHIN.trace())}),
    "nc1_svd": ([WITHIN, DATA.means], {}),
    "ncc_accuracy": ([DATA.features], {"labels": DATA.labels, "means": DATA.means}),
    "ncc_agreement": ([DATA.features], {"decisions": DATA.labels, "means": DATA.means}),
    "nearest_class": ([DATA.features, DATA.means], {}),
    "nuclear_frobenius": ([VALUES], {}),
    "nuclear_rank": ([VALUES], {}),
    "ood_orthogonality": ([DATA.means, DATA.features[0]], {}),
    "participation_ratio": ([VALUES], {}),
    "row_spectrum": ([DATA.features], {}),
    "self_duality_error": ([WEIGHT, DATA.means], {}),
    "self_duality_etf": ([WEIGHT, DATA.means], {}),
    "self_duality_frobenius": ([WEIGHT, DATA.means], {}),
    "similarities": ([WEIGHT, DATA.means], {}),
    "singular_values": ([WEIGHT], {}),
    "spectrum": ([WEIGHT], {}),
    "stable_rank": ([VALUES], {}),
    "subspace_angles": ([SAME[:, :2], SAME[:, 1:3]], {}),
    "traces": ([DATA.variances, DATA.means], {}),
    "uniform_duality": ([WEIGHT, DATA.means], {}),
    "vci": ([WITHIN, DATA.means], {}),
    "vci_from_rows": ([DATA.features, DATA.means], {}),
    "weight_class_correlation": ([WEIGHT, DATA.features], {}),
    "weight_equiangularity": ([WEIGHT], {}),
    "weight_equinorm": ([WEIGHT], {}),
    "weight_etf_error": ([WEIGHT], {}),
    "weight_means_correlation": ([WEIGHT, DATA.means], {}),
    "within_trace": ([DATA.variances], {}),
}
NO_TENSORS = {"etf_floor", "nc1_quotient", "nc_layer"}
PIECES = {  # of which the others are made
    *("between_basis", "centered", "class_weights", "directionless", "energies_along", "nc1_from_energies"),
    *("nc1_svd_from_energies", "numerical_rank", "sketched_spectrum", "top_alignment", "weights_by"),
}


ROOMS = {  # of collapse and spectra; information measures have promises of their own
    *("between", "collapsed_layer", "correlation", "covariance", "dot_products", "duality", "kernels"),
    *(
        "nearest",
        "ood",
        "pair_variability",
        "ranks",
        "simplex",
        "spectra",
        "subspaces",
        "traces",
        "variability",
        "vci",
    ),
    "weighting",
}


def called(name, dtype):
    tensors, rest = CALLS[name]
    return getattr(F, name)(*(tensor.to(dtype) for tensor in tensors), **rest)


def numbers(value):
    """All numbers in a result, whatever it is made of; singular vectors without their signs."""
    if isinstance(value, torch.Tensor):
        return value.double().abs().flatten().tolist()
    if isinstance(value, (int, float, bool)):
        return [abs(float(value))]
    if isinstance(value, str):
        return []
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, tuple):
        value = vars(value).values()
    return [number for part in value for number in numbers(part)]


@pytest.mark.parametrize("name", NAMED)
def test_the_names_of_the_design_are_there(name):
    assert callable(getattr(ls.functional, name))


def test_every_function_is_called_here_or_is_a_piece_of_one():
    functions = {name: getattr(F, name) for name in F.__all__ if inspect.isfunction(getattr(F, name))}
    ours = {name for name, one in functions.items() if one.__module__.rpartition(".")[2] in ROOMS}
    assert ours == set(CALLS) | NO_TENSORS | PIECES


@pytest.mark.parametrize("name", CALLS)
def test_results_are_the_same_from_float32_and_nearly_from_half_precision(name):
    """Sixteen bits of bfloat16 features change the inputs by a thousandth, so only their size is compared."""
    exact = numbers(called(name, torch.float64))
    assert numbers(called(name, torch.float32)) == pytest.approx(exact, rel=1e-4, abs=1e-5, nan_ok=True)
    for dtype in (torch.float16, torch.bfloat16):
        rough = numbers(called(name, dtype))
        assert len(rough) == len(exact)
        assert all(
            math.isnan(a) or abs(a - b) < 0.2 * (1 + abs(b)) for a, b in zip(rough, exact, strict=True)
        )


@pytest.mark.parametrize("name", CALLS)
def test_a_function_is_pure(name):
    """Its arguments and the global generator are as before, and a second call gives the same bits."""
    tensors, rest = CALLS[name]
    given = [tensor.clone() for tensor in tensors]
    state = torch.get_rng_state()
    first = getattr(F, name)(*given, **rest)
    again = getattr(F, name)(*given, **rest)
    assert repr(numbers(first)) == repr(numbers(again))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(a, b) for a, b in zip(given, tensors, strict=True))


@pytest.mark.parametrize("name", CALLS)
def test_every_function_says_what_it_is(name):
    assert inspect.getdoc(getattr(F, name))
    assert inspect.signature(getattr(F, name)).return_annotation is not inspect.Signature.empty
