"""Products of columns with each other: those of the whole product, block by block."""

import pytest
import torch

from layerscope.functional import gram as module
from layerscope.functional.gram import add_products, gram, mirrored


def rows(count, dim, seed=0):
    return torch.randn(count, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize(("count", "dim"), [(9, 1), (5, 130), (40, 300), (0, 4), (3, 0)])
def test_products_are_those_of_the_whole_in_blocks(monkeypatch, count, dim):
    monkeypatch.setattr(module, "BLOCK", 7)
    values = rows(count, dim)
    found = gram(values)
    torch.testing.assert_close(found, values.T @ values, rtol=1e-12, atol=1e-12)
    assert torch.equal(found, found.T)


def test_blocks_of_float32_are_summed_in_float64():
    values = rows(20_000, 3).float()
    found = gram(values)
    assert found.dtype == torch.float64
    torch.testing.assert_close(found, values.double().T @ values.double(), rtol=1e-6, atol=0.02)


@pytest.mark.parametrize("dim", [1, 5, 131])
def test_a_symmetric_product_is_whole_once_it_is_mirrored(dim):
    parts = rows(20, dim), rows(30, dim, seed=1)
    total = torch.zeros(dim, dim, dtype=torch.float64)
    for part in parts:
        add_products(total, part, 3 * part)
    found, every = mirrored(total), torch.cat(parts)
    torch.testing.assert_close(found, 3 * every.T @ every, rtol=1e-12, atol=1e-12)
