from __future__ import annotations

import pytest
import torch

from layerscope.statistics.nearest_center import NearestCenter


@pytest.fixture
def centers():
    return 1e4 + torch.randn(4, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def counted(centers, classes=(0, 1, 2, 4)):
    nearest = NearestCenter(centers, torch.tensor(classes), 5)
    nearest.update(centers, torch.tensor(classes))
    return nearest


def test_equal_centers_are_merged_also_when_they_differ_by_rounding(centers):
    one, other = counted(centers), counted(centers * (1 + 1e-15))
    assert one.merge(other).samples == 8


@pytest.mark.parametrize("step", [1e-3, 1.0])
def test_other_centers_are_refused_and_nothing_is_counted(centers, step):
    moved = centers.clone()
    moved[2, 3] += step
    one = counted(centers)
    with pytest.raises(ValueError, match="other centres"):
        one.merge(counted(moved))
    assert one.samples == 4


def test_centers_of_other_classes_are_refused(centers):
    with pytest.raises(ValueError, match="other centres"):
        counted(centers).merge(counted(centers, classes=(0, 1, 2, 3)))
