"""Spectra that are known by products only."""

import math

import pytest
import torch
from clouds import cloud, far_groups

from layerscope.functional import (
    diffusion_spectrum,
    gaussian_affinity,
    spectral_entropy,
    spectral_entropy_error,
)
from layerscope.functional.lanczos import krylov_pairs, lanczos_quadratures


def positive(size, seed=0):
    rows = cloud(seed, size, size)
    matrix = rows @ rows.T
    return matrix / torch.linalg.matrix_norm(matrix, 2)


def lanczos_quadrature(matrix, starts, steps):
    *_, last = lanczos_quadratures(lambda block: matrix @ block, starts, steps)
    return last


def test_a_full_krylov_space_gives_the_quadratic_form_of_any_function():
    matrix, starts = positive(12), cloud(1, 12, 4)
    nodes, weights = lanczos_quadrature(matrix, starts, 12)
    values, vectors = torch.linalg.eigh(matrix)
    for function in (torch.sqrt, torch.exp, torch.square):
        wanted = starts.T @ vectors @ torch.diag(function(values.clamp(min=0))) @ vectors.T @ starts
        found = (weights * function(nodes.clamp(min=0))).sum(dim=1)
        assert found == pytest.approx(wanted.diagonal(), rel=1e-8)


def test_few_steps_are_exact_for_polynomials_of_low_degree():
    matrix, starts = positive(40), cloud(1, 40, 3)
    nodes, weights = lanczos_quadrature(matrix, starts, 3)
    for degree in range(6):
        wanted = (starts * (torch.linalg.matrix_power(matrix, degree) @ starts)).sum(dim=0)
        assert (weights * nodes**degree).sum(dim=1) == pytest.approx(wanted, rel=1e-10)


def test_an_exhausted_krylov_space_is_no_accident():
    matrix = torch.diag(torch.tensor([1.0, 1.0, 0.5, 0.5, 0.0], dtype=torch.float64))
    nodes, weights = lanczos_quadrature(matrix, torch.ones(5, 2).double(), 5)
    assert (weights * nodes).sum(dim=1) == pytest.approx(torch.tensor([3.0, 3.0]).double())
    assert weights.sum(dim=1) == pytest.approx(torch.tensor([5.0, 5.0]).double())
    nothing = lanczos_quadrature(matrix, torch.zeros(5, 1).double(), 3)
    assert float(nothing[1].sum()) == 0.0


def test_leading_pairs_have_converged_and_are_orthonormal():
    values = torch.cat([torch.tensor([1.0, 0.8, 0.5]), torch.full((97,), 0.01)]).double()
    matrix = torch.diag(values)
    found, vectors = krylov_pairs(lambda block: matrix @ block, cloud(3, 100, 5), 4)
    assert found[:3] == pytest.approx(values[:3], rel=1e-9)
    assert vectors.T @ vectors == pytest.approx(torch.eye(len(found)).double(), abs=1e-10)


@pytest.mark.parametrize(
    ("dim", "sigma"), [(64, 8.0), (64, "median"), (8, "median"), (3, "median"), (2, "knn:5"), (1, 0.3)]
)
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_the_estimate_is_right_within_its_error(dim, sigma, precision):
    affinity = gaussian_affinity(cloud(5, 400, dim), sigma, precision=precision)
    for alpha in (0.0, 1.0):
        exact = diffusion_spectrum(affinity, alpha=alpha)
        sampled = diffusion_spectrum(affinity, alpha=alpha, method="lanczos", seed=3)
        assert not sampled.exact
        for t in (1, 2, 5):
            truth, found = spectral_entropy(exact, t), spectral_entropy(sampled, t)
            error = spectral_entropy_error(sampled, t)
            assert found == pytest.approx(truth, abs=4 * error + 2e-3 * truth + 1e-6)
            assert error < 0.06 * truth + 1e-6


def test_the_error_is_that_of_repeated_estimates():
    affinity = gaussian_affinity(cloud(5, 300, 12), "median")
    spectra = [diffusion_spectrum(affinity, method="lanczos", seed=seed) for seed in range(24)]
    values = torch.tensor([spectral_entropy(spectrum) for spectrum in spectra])
    errors = torch.tensor([spectral_entropy_error(spectrum) for spectrum in spectra])
    assert 0.5 < float(errors.mean() / values.std()) < 2.0
    truth = spectral_entropy(diffusion_spectrum(affinity))
    assert abs(float(values.mean()) - truth) < 4 * float(values.std()) / math.sqrt(24)


def test_equal_seeds_give_equal_bits_and_others_do_not():
    affinity = gaussian_affinity(cloud(5, 100, 12), "median")
    first, again, other = (
        spectral_entropy(diffusion_spectrum(affinity, method="lanczos", seed=seed)) for seed in (1, 1, 2)
    )
    assert first == again != other


def test_far_groups_leave_nothing_to_chance():
    for points, groups in ((far_groups(3, 30, 70), 3), (far_groups(80), 1)):
        spectrum = diffusion_spectrum(gaussian_affinity(points, 1.0), method="lanczos")
        assert spectral_entropy(spectrum) == pytest.approx(math.log(groups), abs=1e-6)
        assert spectral_entropy_error(spectrum) < 1e-6


@pytest.mark.parametrize("count", [1, 2, 64])
def test_few_points_are_always_exact(count):
    assert diffusion_spectrum(gaussian_affinity(cloud(1, count, 2)), method="lanczos").exact


def test_a_block_krylov_space_ends_where_it_has_seen_everything():
    matrix = torch.diag(torch.tensor([1.0, 0.5, 0.2, 0.1], dtype=torch.float64))
    found, vectors = krylov_pairs(lambda block: matrix @ block, torch.eye(4, 2).double(), 3)
    assert found.tolist() == [1.0, 0.5]
    assert vectors.abs() == pytest.approx(torch.eye(4, 2).double())


def test_products_in_tiles_give_the_spectrum_of_the_whole_matrix(monkeypatch):
    monkeypatch.setattr("layerscope.functional.pairs.TILE", 3000)
    points = cloud(5, 200, 12)
    whole, tiled = (gaussian_affinity(points, "median", memory=memory) for memory in (2**30, 0))
    found = [spectral_entropy(diffusion_spectrum(affinity, method="lanczos")) for affinity in (whole, tiled)]
    assert found[1] == pytest.approx(found[0], rel=1e-5)


def test_many_points_are_sampled_unless_all_eigenvalues_are_asked_for(monkeypatch):
    monkeypatch.setattr("layerscope.functional.diffusion.EXACT", 70)
    assert diffusion_spectrum(gaussian_affinity(cloud(1, 70, 3))).exact
    many = gaussian_affinity(cloud(1, 71, 3))
    assert not diffusion_spectrum(many).exact
    assert diffusion_spectrum(many, method="exact").exact


def test_a_single_probe_has_no_error_and_none_is_refused():
    affinity = gaussian_affinity(cloud(1, 70, 3))
    assert math.isnan(spectral_entropy_error(diffusion_spectrum(affinity, method="lanczos", probes=1)))
    for arguments in ({"probes": 0}, {"steps": 0}):
        with pytest.raises(ValueError, match="at least one probe and one step"):
            diffusion_spectrum(affinity, method="lanczos", **arguments)
