"""Half of the coordinates decide where they can, and the others are asked where they cannot."""

import math

import pytest
import torch

from layerscope.statistics import NearestCenter
from layerscope.statistics.center_search import HalfSearch, ProductSearch, product_search

CLASSES, DIM = 150, 130


def far_apart(noise, *, count=400, seed=0):
    """Points about centres, and their classes."""
    draw = torch.Generator().manual_seed(seed)
    centers = torch.randn(CLASSES, DIM, generator=draw, dtype=torch.float64)
    labels = torch.arange(count) % CLASSES
    points = centers[labels] + noise * torch.randn(count, DIM, generator=draw, dtype=torch.float64)
    return centers - centers.mean(dim=0), points - centers.mean(dim=0), labels


@pytest.mark.parametrize("noise", [0.1, 1.0, 3.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_half_of_the_coordinates_find_the_centres_that_all_find(noise, dtype):
    centers, points, _ = far_apart(noise)
    best, gap = HalfSearch(centers).leading(points.to(dtype))
    expected, whole_gap = ProductSearch(centers).leading(points)
    assert torch.equal(best, expected)
    assert bool((gap <= whole_gap + 1e-3).all()), "differences are lower bounds"
    assert bool((gap > 0).all())


def test_points_that_only_the_other_half_tells_apart_are_decided_by_all():
    centers, _, _ = far_apart(1.0)
    centers[:, : DIM // 2] = 0
    labels = torch.arange(CLASSES)
    points = (centers[labels] + 0.01).float()
    assert torch.equal(HalfSearch(centers).leading(points)[0], labels)


def test_what_half_of_the_coordinates_leave_open_too_often_is_not_tried_any_more():
    centers, points, _ = far_apart(10.0, count=1200)
    search = HalfSearch(centers)
    search.leading(points)
    seen = search._seen
    best, _ = search.leading(points)
    assert search._seen == seen
    assert torch.equal(best, ProductSearch(centers).leading(points)[0])


def test_ties_are_counted_and_points_that_are_no_numbers_refused_among_many_centres():
    centers, points, labels = far_apart(0.1)
    centers[CLASSES - 1] = centers[0]
    nearest = NearestCenter(centers, torch.arange(CLASSES), CLASSES)
    found = nearest.update(points.float(), labels)
    assert found[labels == 0].unique().tolist() == [0]
    assert nearest.ties == int((labels == 0).sum())
    for bad in (math.nan, math.inf):
        for column in (0, DIM - 1):
            spoilt = points.float()
            spoilt[7, column] = bad
            with pytest.raises(ValueError, match="1 of 400 samples"):
                nearest.update(spoilt, labels)
    assert nearest.samples == 400


def test_few_centres_or_coordinates_are_compared_at_once():
    assert isinstance(product_search(torch.zeros(150, 130)), HalfSearch)
    assert isinstance(product_search(torch.zeros(10, 512)), ProductSearch)
    assert isinstance(product_search(torch.zeros(1000, 16)), ProductSearch)
