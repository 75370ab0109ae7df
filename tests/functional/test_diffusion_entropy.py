"""Diffusion spectral entropy and matrix-entry entropy."""

import math

import entropy_reference as reference
import numpy as np
import pytest
import torch
from clouds import MOVES, cloud, clouds, far_groups, moved, torus
from constructions import few
from hypothesis import given
from hypothesis import strategies as st

from layerscope.functional import (
    diffusion_scaling,
    diffusion_spectral_entropy,
    diffusion_spectral_mutual_information,
    diffusion_spectrum,
    gaussian_affinity,
    matrix_entry_entropy,
    saturation,
    spectral_entropy,
    spectral_entropy_error,
)

alphas = st.sampled_from([0.0, 0.5, 1.0])
powers = st.sampled_from([0.5, 1.0, 2.0, 7.0])
sigmas = st.floats(0.3, 3.0)
SINGLE = 1e-5  # nats


def entry_entropy(points, sigma, alpha=0.0):
    return matrix_entry_entropy(gaussian_affinity(points, sigma), alpha=alpha)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("t", [1.0, 3.0])
def test_far_groups_of_any_sizes_have_the_entropy_of_their_number(alpha, t):
    points = far_groups(3, 30, 70)
    assert diffusion_spectral_entropy(points, bandwidth=1.0, t=t, alpha=alpha) == pytest.approx(math.log(3))


def test_equal_points_have_no_entropy_and_far_ones_all_there_is():
    assert diffusion_spectral_entropy(far_groups(40), bandwidth=0.1) == pytest.approx(0.0, abs=1e-12)
    assert diffusion_spectral_entropy(far_groups(*[1] * 20), bandwidth=1.0) == pytest.approx(math.log(20))
    assert entry_entropy(far_groups(40), 1.0) == pytest.approx(2 * math.log(40))
    assert entry_entropy(far_groups(*[1] * 20), 1.0) == pytest.approx(math.log(20))


def test_two_points_follow_the_closed_form():
    points = torch.tensor([[0.0], [1.3]], dtype=torch.float64)
    weight = math.exp(-(1.3**2) / (2 * 0.9**2))
    second = (1 - weight) / (1 + weight)
    shares = 1 / (1 + second), second / (1 + second)
    truth = -sum(p * math.log(p) for p in shares)
    assert diffusion_spectral_entropy(points, bandwidth=0.9) == pytest.approx(truth, rel=1e-12)
    assert truth == pytest.approx(0.6297294, abs=5e-8)


@given(points=clouds, sigma=sigmas, t=powers, alpha=alphas)
@few
def test_values_are_those_of_the_definition(points, sigma, t, alpha):
    found = diffusion_spectral_entropy(points, bandwidth=sigma, t=t, alpha=alpha)
    assert found == pytest.approx(reference.dse(points.numpy(), sigma, t, alpha), rel=1e-6, abs=1e-7)
    entries = reference.entry_entropy(points.numpy(), sigma, alpha)
    assert entry_entropy(points, sigma, alpha) == pytest.approx(entries, rel=1e-12)


def test_the_eigenvalues_are_those_of_the_stochastic_matrix_and_not_of_a_second_normalisation():
    points = cloud(5, 40, 4)
    wanted = np.sort(np.linalg.eigvals(reference.operator(points.numpy(), 1.2, 0.0)).real)[::-1]
    found = diffusion_spectrum(gaussian_affinity(points, 1.2)).values.numpy()
    assert found == pytest.approx(wanted, abs=1e-12)
    again = np.sort(np.linalg.eigvals(reference.operator(points.numpy(), 1.2, 0.5)).real)[::-1]
    assert np.abs(found - again).max() > 0.01


@pytest.mark.parametrize("change", MOVES)
@given(points=clouds, seed=st.integers(0, 1000), sigma=sigmas, t=powers, alpha=alphas)
@few
def test_coordinates_order_and_copies_do_not_matter(change, points, seed, sigma, t, alpha):
    expected = diffusion_spectral_entropy(points, bandwidth=sigma, t=t, alpha=alpha)
    other = moved(change, points, seed)
    assert diffusion_spectral_entropy(other, bandwidth=sigma, t=t, alpha=alpha) == pytest.approx(
        expected, rel=1e-7, abs=1e-6
    )


@given(points=clouds, sigma=sigmas, exponent=st.integers(-5, 5))
@few
def test_points_and_bandwidth_scale_together(points, sigma, exponent):
    scale = 10.0**exponent
    expected = diffusion_spectral_entropy(points, bandwidth=sigma)
    found = diffusion_spectral_entropy(scale * points, bandwidth=scale * sigma)
    assert found == pytest.approx(expected, rel=1e-9)
    for rule in ("median", "knn:1"):
        expected = diffusion_spectral_entropy(points, bandwidth=rule)
        assert diffusion_spectral_entropy(scale * points, bandwidth=rule) == pytest.approx(expected, rel=1e-9)


@given(points=clouds, sigma=sigmas, alpha=alphas)
@few
def test_entropy_is_bounded_and_never_rises_with_t(points, sigma, alpha):
    spectrum = diffusion_spectrum(gaussian_affinity(points, sigma), alpha=alpha)
    values = [spectral_entropy(spectrum, t) for t in (0.5, 1, 2, 4, 64, 1000)]
    assert values == sorted(values, reverse=True)
    assert 0 <= values[-1] <= values[0] <= math.log(len(points)) + 1e-12
    assert 0 <= saturation(spectrum) <= 1 + 1e-12


def test_a_fixed_bandwidth_saturates_with_the_dimension_and_a_rule_does_not():
    fixed, ruled = [], []
    for dim in (4, 64, 1024):
        affinity, other = (gaussian_affinity(cloud(1, 200, dim), rule) for rule in (10.0, "sqrtD:1"))
        fixed.append(saturation(diffusion_spectrum(affinity)))
        ruled.append(saturation(diffusion_spectrum(other)))
    assert fixed[0] < 0.1 and fixed[2] > 0.999
    assert max(ruled) < 0.9


def test_distances_survive_a_large_common_offset_and_a_small_bandwidth():
    points = cloud(3, 100, 5)
    expected = diffusion_spectral_entropy(1e-6 * points, bandwidth=1e-6)
    apart = torch.cat([1e-6 * points, 1e-6 * points + 1.0])  # two copies, a million bandwidths apart
    found = diffusion_spectral_entropy(apart + 1000.0, bandwidth=1e-6)
    assert found == pytest.approx(expected + math.log(2), abs=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_features_of_any_float_type_are_taken_as_they_are(dtype):
    points = cloud(2, 30, 6).to(dtype)
    assert diffusion_spectral_entropy(points) == diffusion_spectral_entropy(points.double())


@pytest.mark.parametrize("sigma", [1.0, 8.0, 30.0])
@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_single_precision_is_close_because_the_known_eigenvalue_is_taken_out(sigma, alpha):
    points = cloud(4, 300, 64)
    double = diffusion_spectral_entropy(points, bandwidth=sigma, alpha=alpha)
    single = diffusion_spectral_entropy(points, bandwidth=sigma, alpha=alpha, precision="float32")
    assert single == pytest.approx(double, abs=5e-6)


@pytest.mark.parametrize(("count", "dims", "sigma"), [(800, 1, 3.0), (30, 2, 1.0), (9, 3, 3.0)])
@pytest.mark.parametrize("t", [0.5, 0.75, 1.0, 2.0])
def test_small_eigenvalues_are_right_where_they_matter_most(count, dims, sigma, t):
    powers = reference.torus_spectrum(count, dims, sigma) ** t
    found = diffusion_spectral_entropy(torus(count, dims), bandwidth=sigma, t=t)
    assert found == pytest.approx(reference.entropy(powers / powers.sum()), abs=1e-4 if t < 1 else 1e-9)


@pytest.mark.parametrize("t", [0.5, 0.75, 1.0])
def test_many_copies_of_few_points_change_no_power(t):
    points = cloud(1, 10, 3)
    expected = diffusion_spectral_entropy(points, bandwidth=2.0, t=t)
    many = points.repeat(80, 1)
    assert diffusion_spectral_entropy(many, bandwidth=2.0, t=t) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    "points", [cloud(1, 10, 3).repeat(80, 1), torus(800, 1), torus(9, 3), cloud(2, 800, 2)]
)
def test_single_precision_makes_no_entropy_of_eigenvalues_that_are_zero(points):
    double = diffusion_spectral_entropy(points, bandwidth=2.0)
    single = diffusion_spectral_entropy(points, bandwidth=2.0, precision="float32")
    assert single == pytest.approx(double, abs=SINGLE)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"t": 0.25}, "t must be at least 0.5, not 0.25: .* smaller than rounding"),
        ({"t": 0.25, "precision": "float32"}, "t must be at least 0.5"),
        (
            {"t": 0.75, "precision": "float32"},
            "t = 0.75 is below 1, .* precision='float64' and method='exact'",
        ),
        ({"t": 0.75, "method": "lanczos"}, "t = 0.75 is below 1, .* precision='float64' and method='exact'"),
    ],
)
def test_powers_that_errors_of_small_eigenvalues_would_decide_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        diffusion_spectral_entropy(cloud(1, 70), **arguments)
    if "method" not in arguments:
        labels = torch.arange(70) % 2
        with pytest.raises(ValueError, match=message):
            diffusion_spectral_mutual_information(cloud(1, 70), labels, **arguments)


def test_a_stored_spectrum_refuses_the_same_powers():
    for method, precision in (("lanczos", "float64"), ("exact", "float32")):
        spectrum = diffusion_spectrum(gaussian_affinity(cloud(1, 70), precision=precision), method=method)
        with pytest.raises(ValueError, match=r"t = 0\.9 is below 1"):
            spectral_entropy(spectrum, 0.9)


def test_bits_are_nats_over_the_logarithm_of_two():
    points = far_groups(1, 2, 3, 4, 5, 6, 7, 8)
    assert diffusion_spectral_entropy(points, bandwidth=1.0, units="bits") == pytest.approx(3.0)
    assert matrix_entry_entropy(gaussian_affinity(far_groups(*[1] * 8), 1.0), units="bits") == pytest.approx(
        3.0
    )


def test_the_scaling_gives_a_symmetric_operator_with_a_known_first_vector():
    affinity = gaussian_affinity(cloud(6, 20, 2), 0.7)
    for alpha in (0.0, 0.3, 1.0):
        scaling, stationary = diffusion_scaling(affinity, alpha)
        matrix = scaling[:, None] * affinity.dense * scaling
        assert matrix @ stationary == pytest.approx(stationary, abs=1e-13)


def test_a_single_point_has_no_entropy_and_no_points_an_undefined_one():
    assert diffusion_spectral_entropy(torch.ones(1, 3), bandwidth=1.0) == 0.0
    assert math.isnan(diffusion_spectral_entropy(torch.ones(0, 3), bandwidth=1.0))
    assert math.isnan(matrix_entry_entropy(gaussian_affinity(torch.ones(0, 3), 1.0)))
    assert math.isnan(saturation(diffusion_spectrum(gaussian_affinity(torch.ones(1, 3), 1.0))))


def test_an_exact_spectrum_has_no_error():
    assert spectral_entropy_error(diffusion_spectrum(gaussian_affinity(cloud(1)))) == 0.0


def test_a_plain_tensor_of_eigenvalues_has_an_entropy_too():
    assert spectral_entropy(torch.tensor([2.0, -2.0, 2.0, 2.0])) == pytest.approx(math.log(4))
    assert math.isnan(spectral_entropy(torch.zeros(3)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"t": 0.0}, "power t must be positive"),
        ({"t": math.inf}, "power t must be positive"),
        ({"alpha": 1.5}, r"alpha must lie in \[0, 1\], not 1.5"),
        ({"units": "hartleys"}, "'nats' or 'bits', not 'hartleys'"),
        ({"method": "guess"}, "'exact' or 'lanczos', not 'guess'"),
        ({"precision": "float16"}, "'float64' or 'float32', not 'float16'"),
        ({"bandwidth": "mean"}, "bandwidth is a positive number, .* not 'mean'"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        diffusion_spectral_entropy(cloud(1), **arguments)


def test_features_that_are_not_finite_are_counted_and_located():
    points = cloud(1)
    points[3, 1] = math.nan
    points[5, 0] = math.inf
    with pytest.raises(ValueError, match=r"2 entries .* first in row 3"):
        diffusion_spectral_entropy(points)
    with pytest.raises(ValueError, match=r"matrix \(n, D\), not a tensor of shape \(12,\)"):
        diffusion_spectral_entropy(cloud(1)[:, 0])
