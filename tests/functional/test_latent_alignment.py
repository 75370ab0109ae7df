"""Latents along their canonical correlations."""

import torch

from layerscope.functional import ksg_mutual_information
from layerscope.functional.latent_alignment import FLOOR, alignments


def latents(samples=2000, rho=0.9, noise=20.0):
    """One shared direction on each side, and a far longer one that only this side knows."""
    generator = torch.Generator().manual_seed(0)
    draws = torch.randn(samples, 4, generator=generator, dtype=torch.float64)
    shared = rho * draws[:, 0] + (1 - rho**2) ** 0.5 * draws[:, 1]
    return (
        torch.stack([draws[:, 0], noise * draws[:, 2]], dim=1),
        torch.stack([noise * draws[:, 3], shared], dim=1) + 5,
    )


def test_canonical_directions_are_weighted_with_their_correlation():
    left, right = latents()
    one, other = (side(points) for side, points in zip(alignments(left, right), (left, right), strict=True))
    for turned in (one, other):
        torch.testing.assert_close(turned.mean(dim=0), torch.zeros(2).double(), rtol=0, atol=1e-10)
        torch.testing.assert_close(turned.square().mean(dim=0), torch.tensor([1.0, FLOOR**2]).double())
    correlation = float((one[:, 0] * other[:, 0]).mean())
    assert 0.88 < correlation < 0.92
    assert abs(float((one[:, 1] * other[:, 0]).mean())) < 1e-10


def test_neighbors_see_what_noise_had_hidden():
    left, right = latents()
    truth, hidden = 0.830, ksg_mutual_information(left, right, standardize=False).value
    one, other = alignments(left, right)
    seen = ksg_mutual_information(one(left), other(right), standardize=False).value
    assert hidden < 0.6 * truth
    assert abs(seen - truth) < 0.12


def test_the_scale_and_the_basis_of_latents_do_not_matter():
    left, right = latents(samples=300)
    turn = torch.tensor([[0.6, -0.8], [0.8, 0.6]]).double()
    mapped = 3 * left @ turn - 7
    (one, _), (again, _) = alignments(left, right), alignments(mapped, right)
    torch.testing.assert_close(again(mapped).abs(), one(left).abs(), rtol=0, atol=1e-9)


def test_latents_that_do_not_vary_have_no_directions():
    left, right = latents(samples=100)
    one, other = alignments(left * 0 + 2, right)
    assert one(left).shape == (100, 0)
    assert other(right).shape == (100, 2)
