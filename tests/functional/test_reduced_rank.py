"""The best linear map through a few dimensions."""

import pytest
import torch

from layerscope.functional.reduced_rank import reduced_rank_regression

WEIGHTS = torch.tensor([1.0, 4.0, 0.25, 1.0], dtype=torch.float64)


@pytest.fixture(scope="module")
def samples():
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(300, 5, generator=generator, dtype=torch.float64)
    mixing = torch.randn(5, 4, generator=generator, dtype=torch.float64)
    noise = torch.randn(300, 4, generator=generator, dtype=torch.float64)
    targets = inputs @ mixing + noise
    return inputs - inputs.mean(dim=0), targets - targets.mean(dim=0)


def error(found, targets):
    return float(((found - targets).square() * WEIGHTS).sum(dim=1).mean())


@pytest.mark.parametrize("rank", [1, 2, 4])
def test_no_other_map_through_as_many_dimensions_is_better(samples, rank):
    # Independent reference: the truncated decomposition of the fitted values of ordinary least squares.
    inputs, targets = samples
    encoder, decoder = reduced_rank_regression(inputs, targets, WEIGHTS, rank)
    assert encoder.shape == (5, rank)
    fitted = inputs @ torch.linalg.lstsq(inputs, targets).solution * WEIGHTS.sqrt()
    left, sizes, right = torch.linalg.svd(fitted, full_matrices=False)
    best = left[:, :rank] * sizes[:rank] @ right[:rank] / WEIGHTS.sqrt()
    assert error(inputs @ encoder @ decoder, targets) == pytest.approx(error(best, targets), rel=1e-6)


def test_of_the_inputs_themselves_it_keeps_the_leading_principal_components(samples):
    inputs, _ = samples
    encoder, decoder = reduced_rank_regression(inputs, inputs, torch.ones(5), 2)
    left_out = (inputs @ encoder @ decoder - inputs).square().sum(dim=1).mean()
    variances = torch.linalg.eigvalsh(inputs.T @ inputs / len(inputs))
    assert float(left_out) == pytest.approx(float(variances[:3].sum()), rel=1e-6)


def test_latents_come_by_what_they_explain_and_none_varies_by_more_than_one(samples):
    inputs, targets = samples
    encoder, decoder = reduced_rank_regression(inputs, targets, WEIGHTS, 3)
    latents = inputs @ encoder
    assert float(latents.square().mean(dim=0).max()) == pytest.approx(1.0)
    explained = [
        float((latents[:, [n]] @ decoder[[n]]).square().mul(WEIGHTS).sum(dim=1).mean()) for n in range(3)
    ]
    assert explained == sorted(explained, reverse=True)


def test_dimensions_that_would_carry_nothing_are_left_out(samples):
    inputs, targets = samples
    narrow = inputs[:, :2]
    assert reduced_rank_regression(narrow, targets, WEIGHTS, 8)[0].shape == (2, 2)
    encoder, decoder = reduced_rank_regression(torch.zeros(300, 3), targets, WEIGHTS, 8)
    assert (encoder.shape, decoder.shape) == ((3, 0), (0, 4))
