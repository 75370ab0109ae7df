"""Leading principal components of a cloud."""

import pytest
import torch

from layerscope.functional.principal import principal_components


def cloud(count=30, dim=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, dim, generator=generator, dtype=torch.float64)


def test_all_components_keep_every_distance():
    points = cloud()
    torch.testing.assert_close(torch.cdist(principal_components(points, 5), principal_components(points, 5)),
                               torch.cdist(points, points))  # fmt: skip


def test_components_are_centred_uncorrelated_and_ordered_by_variance():
    found = principal_components(cloud(), 3)
    products = found.T @ found
    torch.testing.assert_close(found.mean(dim=0), torch.zeros(3, dtype=torch.float64))
    torch.testing.assert_close(products, products.diagonal().diag())
    assert products.diagonal().tolist() == sorted(products.diagonal().tolist(), reverse=True)


def test_rotating_and_shifting_the_points_changes_nothing():
    points = cloud()
    turned = points @ torch.linalg.qr(cloud(5, 5, seed=1)).Q + 100
    torch.testing.assert_close(principal_components(turned, 3), principal_components(points, 3))


@pytest.mark.parametrize(("count", "dim", "wanted", "given"), [(3, 5, 8, 2), (9, 2, 8, 2), (1, 4, 2, 0)])
def test_there_are_no_more_components_than_directions(count, dim, wanted, given):
    assert principal_components(cloud(count, dim), wanted).shape == (count, given)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="at least one component"):
        principal_components(cloud(), 0)
    with pytest.raises(ValueError, match="not finite"):
        principal_components(torch.full((3, 2), torch.nan), 1)
