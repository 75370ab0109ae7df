"""Samples of known mutual information: their truths and their laws."""

import json
import math
from pathlib import Path

import pytest
import torch

from layerscope.data.known_information import (
    embedded,
    equicorrelated_gaussian,
    gaussian,
    gaussian_pairs,
    half_cube,
    spiral,
    student,
    swiss_roll,
)
from layerscope.errors import DataError

TASKS = json.loads(
    (Path(__file__).parents[1] / "golden" / "information_values.json").read_text(encoding="utf-8")
)["benchmark_tasks"]


@pytest.mark.parametrize(
    ("known", "task"),
    [
        (gaussian_pairs(2, 0.75), "1v1-normal-0.75"),
        (gaussian_pairs(2, 0.8, dim=3, interacting=2), "multinormal-sparse-3-3-2-2.0"),
        (gaussian_pairs(2, 0.8, dim=25, interacting=2), "multinormal-sparse-25-25-2-2.0"),
        (equicorrelated_gaussian(2, 0.5, dim=5), "multinormal-dense-5-5-0.5"),
        (equicorrelated_gaussian(2, 0.5, dim=50), "multinormal-dense-50-50-0.5"),
        (student(2, 1), "student-identity-1-1-1"),
        (student(2, 1, dim=2), "student-identity-2-2-1"),
        (student(2, 3, dim=5), "student-identity-5-5-3"),
        (swiss_roll(gaussian_pairs(2, 0.75)), "swissroll_x-normal_cdf-1v1-normal-0.75"),
        (spiral(gaussian_pairs(2, 0.8, dim=3, interacting=2)), "spiral-multinormal-sparse-3-3-2-2.0"),
        (half_cube(gaussian_pairs(2, 0.75)), "half_cube-1v1-normal-0.75"),
    ],
)
def test_truths_are_those_of_the_published_benchmark(known, task):
    assert known.nats == pytest.approx(TASKS[task], rel=1e-12)


def test_gaussians_have_the_covariance_that_was_asked_for():
    covariance = torch.tensor([[2.0, 0.5, 0.3], [0.5, 1.0, -0.2], [0.3, -0.2, 1.5]], dtype=torch.float64)
    known = gaussian(50_000, covariance, 1)
    found = torch.cov(torch.cat([known.x, known.y], dim=1).T)
    assert torch.allclose(found, covariance, atol=0.05)
    assert known.x.shape == (50_000, 1)


def test_the_tails_of_student_are_as_heavy_as_its_degrees_say():
    known = student(50_000, 5)
    assert float(known.x.square().mean()) == pytest.approx(5 / 3, rel=0.1)
    assert float((known.x * known.y).mean()) == pytest.approx(0.0, abs=0.05)


def test_a_dispersion_adds_the_information_of_its_gaussian():
    dispersion = torch.tensor([[1.0, 0.6], [0.6, 1.0]], dtype=torch.float64)
    assert student(2, 4, dispersion=dispersion).nats == pytest.approx(
        student(2, 4).nats - 0.5 * math.log(1 - 0.36), rel=1e-12
    )


def test_rolling_and_spinning_keep_lengths_where_they_should():
    flat = gaussian_pairs(500, 0.8, dim=3, interacting=2)
    assert torch.allclose(spiral(flat).x.norm(dim=1), flat.x.norm(dim=1))
    roll = swiss_roll(gaussian_pairs(500, 0.75)).x
    angles = 21 * roll.norm(dim=1)
    assert 1.5 * math.pi <= float(angles.min()) <= float(angles.max()) <= 4.5 * math.pi


def test_embedding_keeps_distances_and_puts_noise_aside():
    flat = gaussian_pairs(100, 0.8, dim=2)
    wide = embedded(flat, 16)
    assert wide.x.shape == (100, 16)
    assert torch.allclose(torch.pdist(wide.x), torch.pdist(flat.x))
    noisy = embedded(flat, 16, noise=0.3)
    extra = noisy.x.square().sum(dim=1) - flat.x.square().sum(dim=1)
    assert float(extra.mean()) == pytest.approx(14 * 0.09, rel=0.2)


def test_a_seed_gives_the_same_samples_and_leaves_the_global_stream_alone():
    before = torch.random.get_rng_state()
    assert torch.equal(student(20, 2, seed=5).x, student(20, 2, seed=5).x)
    assert not torch.equal(student(20, 2, seed=5).x, student(20, 2, seed=6).x)
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize(
    "make",
    [
        lambda: gaussian_pairs(5, 0.5, dim=2, interacting=3),
        lambda: gaussian_pairs(5, 1.0),
        lambda: student(5, 0),
        lambda: spiral(gaussian_pairs(5, 0.5)),
        lambda: embedded(gaussian_pairs(5, 0.5, dim=3), 2),
    ],
)
def test_what_has_no_such_law_is_refused(make):
    with pytest.raises(DataError):
        make()
