"""The largest entry of each row, by whoever finds it fastest."""

import math

import pytest
import torch

from layerscope.statistics.row_maxima import row_maxima

DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64]


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_lowest_index_of_the_largest_entry_is_found(dtype):
    values = torch.tensor([[1, 3, 3], [2, 1, 0], [-1, -1, -1]], dtype=dtype)
    highest, best = row_maxima(values)
    assert best.tolist() == [1, 0, 0]
    assert torch.equal(highest, torch.tensor([3, 2, -1], dtype=dtype))


@pytest.mark.parametrize("dtype", DTYPES[:4])
def test_a_row_with_nan_has_nan_wherever_it_lies(dtype):
    values = torch.tensor([[math.inf, math.nan], [math.nan, 1], [-math.inf, math.inf]], dtype=dtype)
    highest, best = row_maxima(values)
    assert highest.isnan().tolist() == [True, True, False]
    assert best.tolist() == [1, 0, 1]


def test_rows_that_lie_apart_and_have_gradients_will_do():
    values = torch.arange(12.0).view(3, 4).requires_grad_()
    assert row_maxima(values.T)[1].tolist() == [2, 2, 2, 2]
