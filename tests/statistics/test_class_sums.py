"""Sums of rows by class, whichever way is the fastest."""

import pytest
import torch

from layerscope.statistics.class_sums import NARROW, add_class_sums


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("rows", "width"), [(40, 3), (40, NARROW + 1), (2, 3), (0, 3), (40, 0)])
def test_rows_are_added_to_those_of_their_class(rows, width, dtype):
    draw = torch.Generator().manual_seed(0)
    values = torch.randn(rows, width, generator=draw, dtype=dtype)
    labels = torch.randint(5, (rows,), generator=draw)
    labels[labels == 3] = 1  # a class without rows
    sums = torch.ones(5, width, dtype=torch.float64)
    expected = torch.stack([1 + values.double()[labels == label].sum(dim=0) for label in range(5)])
    add_class_sums(sums, values, labels)
    torch.testing.assert_close(sums, expected, rtol=1e-13, atol=1e-13)
