from __future__ import annotations

import math

import pytest
import torch

from layerscope.training.nt_xent import nt_xent


def naive(projections, temperature):
    """Equation 1 of the paper, term by term."""
    count = len(projections)
    cosine = torch.nn.functional.cosine_similarity

    def similarity(one, other):
        return math.exp(cosine(projections[one], projections[other], dim=0).item() / temperature)

    losses = []
    for view in range(count):
        partner = (view + count // 2) % count
        others = sum(similarity(view, other) for other in range(count) if other != view)
        losses.append(-math.log(similarity(view, partner) / others))
    return sum(losses) / count


@pytest.mark.parametrize("temperature", [0.1, 0.5, 2.0])
def test_it_is_the_mean_of_the_papers_terms(temperature):
    projections = torch.randn(8, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    expected = naive(projections, temperature)
    assert nt_xent(projections, temperature).item() == pytest.approx(expected, rel=1e-12)


def test_equal_projections_give_the_log_of_the_number_of_others():
    assert nt_xent(torch.ones(8, 3, dtype=torch.float64), 0.5).item() == pytest.approx(math.log(7))


def test_pairs_that_agree_and_nothing_else_give_almost_nothing():
    pairs = torch.eye(4, dtype=torch.float64).repeat(2, 1)
    assert nt_xent(pairs, 0.01).item() < 1e-12


def test_a_single_image_has_nothing_to_be_told_from():
    assert nt_xent(torch.randn(2, 3), 0.5).item() == 0


def test_lengths_do_not_matter():
    projections = torch.randn(8, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert nt_xent(3 * projections, 0.5).item() == pytest.approx(nt_xent(projections, 0.5).item())
