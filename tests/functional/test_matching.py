"""Nearest and assigned matches."""

from itertools import permutations

import pytest
import torch

from layerscope.functional import assigned_matches, matching, nearest_matches


def vectors(count, dim=6, seed=0):
    return torch.randn(count, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def cosines(left, right):
    return torch.nn.functional.cosine_similarity(left.unsqueeze(1), right.unsqueeze(0), dim=2)


@pytest.mark.parametrize("tile", [1, 50, 2**22])
def test_the_nearest_is_that_of_the_largest_cosine(monkeypatch, tile):
    monkeypatch.setattr(matching, "TILE", tile)
    queries, points = vectors(20), vectors(30, seed=1)
    found = nearest_matches(queries, points)
    wanted = cosines(queries, points).max(dim=1)
    assert torch.equal(found.points, wanted.indices)
    assert torch.allclose(found.cosines, wanted.values)


def test_ties_go_to_the_lowest_row():
    points = vectors(4)[[2, 0, 1, 0, 3]]
    found = nearest_matches(torch.stack([3 * points[1], torch.zeros(6).double()]), points)
    assert found.points.tolist() == [1, 0]
    assert found.cosines.tolist() == [pytest.approx(1.0), 0.0]


def test_with_labels_only_points_of_the_same_label_are_candidates():
    queries, points = vectors(20), vectors(30, seed=1)
    labels = torch.arange(20) % 3, torch.arange(30) % 3
    found = nearest_matches(queries, points, labels)
    assert torch.equal(labels[1][found.points], labels[0])
    apart = cosines(queries, points).masked_fill(labels[0].unsqueeze(1) != labels[1], -2)
    assert torch.equal(found.points, apart.argmax(dim=1))
    with pytest.raises(ValueError, match=r"\[7\]"):
        nearest_matches(queries, points, (torch.full((20,), 7), labels[1]))


def test_an_assignment_is_one_to_one_and_the_best_of_all():
    queries, points = vectors(8), vectors(10, seed=1)
    labels = torch.arange(8) % 2, torch.arange(10) % 2
    found = assigned_matches(queries, points, labels)
    assert found.queries.tolist() == list(range(8))
    assert len(set(found.points.tolist())) == 8
    assert torch.equal(labels[0][found.queries], labels[1][found.points])
    table = cosines(queries, points)
    for label in (0, 1):
        mine, theirs = ((part == label).nonzero().squeeze(1).tolist() for part in labels)
        best = max(
            sum(float(table[q, p]) for q, p in zip(mine, chosen, strict=True))
            for chosen in permutations(theirs, len(mine))
        )
        assert float(found.cosines[labels[0] == label].sum()) == pytest.approx(best, abs=1e-12)


def test_queries_beyond_the_points_of_their_label_have_no_pair():
    found = assigned_matches(vectors(5), vectors(2, seed=1), (torch.zeros(5), torch.zeros(2)))
    assert len(found.queries) == 2


def test_widths_that_differ_are_refused():
    with pytest.raises(ValueError, match=r"\(3, 6\) and \(3, 5\)"):
        nearest_matches(vectors(3), vectors(3, dim=5))
