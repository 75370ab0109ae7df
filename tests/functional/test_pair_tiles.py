"""Pairs of points taken a tile at a time: the values of the whole matrix, in any tile size."""

import math

import pytest
import torch
from constructions import few, labelled, random_labelled, simplex
from hypothesis import given

from layerscope.functional import (
    cdnv,
    cdnv_pairs,
    equiangularity,
    etf_error,
    kernel_stats,
    pair_variability,
    pairs,
)
from layerscope.functional.pairs import TileMoments, distance_tiles, pairs_of


def distances(points):
    return torch.cat([pairs_of(squares, rows, columns) for rows, columns, squares in distance_tiles(points)])


def direct(points):
    rows, columns = torch.triu_indices(len(points), len(points), 1)
    return (points[rows] - points[columns]).square().sum(dim=1)


@pytest.mark.parametrize("tile", [1, 7, 200, 2**22])
@pytest.mark.parametrize("count", [0, 1, 2, 30, 100])
def test_distances_are_those_of_the_differences(monkeypatch, tile, count):
    monkeypatch.setattr(pairs, "TILE", tile)
    points = random_labelled(count, [1] * count, 5).features if count else torch.zeros(0, 5).double()
    joined = distances(points) if count else torch.zeros(0).double()
    assert joined.numel() == count * (count - 1) // 2
    torch.testing.assert_close(joined.sort().values, direct(points).sort().values, rtol=1e-10, atol=0)


def test_close_points_far_from_the_origin_keep_their_distance_in_products():
    points = 1e3 + torch.arange(200.0, dtype=torch.float64)[:, None] * 2.0**-20 * torch.ones(1, 6)
    torch.testing.assert_close(
        distances(points).sort().values, direct(points).sort().values, rtol=1e-12, atol=0
    )
    twice = torch.cat([points, points[:1]])
    assert distances(twice).min() == 0.0


def test_merged_moments_are_those_of_the_whole():
    values = 1e6 + torch.rand(1000, dtype=torch.float64)
    tally = TileMoments()
    for part in torch.split(values, 77):
        tally.add(part)
    tally.add(values[:0])
    assert (tally.count, tally.largest) == (1000, float(values.max()))
    assert tally.mean == pytest.approx(float(values.mean()), rel=1e-14)
    assert tally.variance == pytest.approx(float(values.var(correction=0)), rel=1e-8)
    assert math.isnan(TileMoments().variance)


@given(data=labelled)
@few
def test_measures_over_pairs_do_not_depend_on_the_tiles(data):
    def summary():
        return [
            *cdnv(data.variances, data.means).values(),
            *equiangularity(data.means),
            kernel_stats(data.means, "log").mean,
            kernel_stats(data.means, "dist").variance,
        ]

    expected, whole = summary(), pairs.TILE
    pairs.TILE = 3
    try:
        assert summary() == pytest.approx(expected, rel=1e-9, abs=1e-14)
    finally:
        pairs.TILE = whole


def test_the_matrix_of_pairs_holds_what_the_mean_is_of():
    data = random_labelled(1, [3] * 7, 4)
    matrix = cdnv_pairs(data.variances, data.means)
    assert matrix.diagonal().isnan().all()
    assert torch.equal(matrix.nan_to_num(-1), matrix.T.nan_to_num(-1))
    assert float(matrix.nanmean()) == pytest.approx(cdnv(data.variances, data.means)["mean"])


@pytest.mark.parametrize("exponent", [0.5, 2.0])
def test_the_exponent_is_that_of_the_squared_distance(exponent):
    means = torch.tensor([[0.0, 0.0], [0.0, 3.0]], dtype=torch.float64)
    found = cdnv(torch.tensor([1.0, 3.0]), means, exponent=exponent)
    assert found["mean"] == pytest.approx(2.0 / 9.0**exponent)


def test_the_frame_error_is_that_of_the_gram_matrix():
    for seed, (classes, dim) in enumerate([(5, 9), (12, 4), (7, 6), (3, 1)]):
        means = random_labelled(seed, [1] * classes, dim).features
        for weights in (None, torch.rand(classes).double().softmax(dim=0)):
            share = torch.full((classes,), 1 / classes).double() if weights is None else weights
            rows = means - share @ means
            gram = rows @ rows.T
            target = (torch.eye(classes).double() - 1 / classes) / math.sqrt(classes - 1)
            expected = float((gram / gram.norm() - target).norm())
            assert etf_error(means, weights) == pytest.approx(expected, rel=1e-11)


def test_very_many_classes_need_no_square_matrix():
    classes, dim = 6000, 8  # the whole matrix would take 288 MB, and four or five of them
    means = torch.randn(classes, dim, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    shapes = [(r.stop - r.start) * (c.stop - c.start) for r, c in pairs.pair_blocks(classes)]
    found = cdnv(torch.ones(classes), means)
    offset, _ = equiangularity(means)
    assert max(shapes) <= pairs.TILE
    assert sum(shapes) < 2 * classes**2
    assert math.isnan(found["median"])
    assert found["mean"] > 0
    assert 0 < offset < 1
    assert etf_error(simplex(60, 64)) < 1e-12


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_pairs_of_very_many_classes_are_taken_in_float32_unless_they_are_close(monkeypatch, scale):
    data = random_labelled(2, [4] * 90, 12)
    means = torch.cat([data.means, data.means[:6] + 1e-3, data.means[:2]])  # close pairs, and coincident ones
    means = scale * (1000 + means)
    variances = scale**2 * torch.cat([data.variances, data.variances[:6], torch.zeros(2)])
    variances[0] = 0.0
    exact = cdnv(variances, means)
    whole = pair_variability.MEDIAN_MAX_CLASSES
    monkeypatch.setattr(pair_variability, "MEDIAN_MAX_CLASSES", 5)
    monkeypatch.setattr(pairs, "BLOCK", 400)
    found = cdnv(variances, means)
    assert (found["infinite"], found["coincident"]) == (exact["infinite"], exact["coincident"]) == (1, 1)
    apart = means[:-2], variances[:-2]
    rough = cdnv(*apart[::-1])
    monkeypatch.setattr(pair_variability, "MEDIAN_MAX_CLASSES", whole)
    exact = cdnv(*apart[::-1])
    assert rough["mean"] == pytest.approx(exact["mean"], rel=2e-7)
    assert rough["max"] == pytest.approx(exact["max"], rel=1e-9)  # of the closest pair, hence in float64
    assert rough["mean"] != exact["mean"]


def test_classes_that_do_not_vary_or_do_not_differ_need_no_unit(monkeypatch):
    monkeypatch.setattr(pair_variability, "MEDIAN_MAX_CLASSES", 2)
    means = random_labelled(1, [1] * 7, 4).means
    assert cdnv(torch.zeros(7), means)["mean"] == 0.0
    assert cdnv(torch.ones(7), means[:1].expand(7, -1))["infinite"] == 21


def test_a_variance_beyond_the_largest_number_is_infinite():
    tally = TileMoments()
    tally.add(torch.tensor([1e200, 3e200], dtype=torch.float64))
    tally.add(torch.tensor([1.0], dtype=torch.float64))
    assert tally.mean == pytest.approx(4e200 / 3)
    assert tally.variance == math.inf
