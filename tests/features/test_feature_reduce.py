"""From whatever a layer passes on to one row of features per sample."""

import pytest
import torch

from layerscope.errors import ModelError
from layerscope.features.reduce import Project, cls, flatten, mean, mean_token, reduce_by_name


def randn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_flatten_keeps_every_value_in_row_major_order():
    values = torch.arange(24.0).view(2, 3, 2, 2)
    assert flatten(values).tolist() == [list(range(12)), list(range(12, 24))]


@pytest.mark.parametrize("shape", [(5, 7), (5, 3, 4), (5, 3, 2, 4), (5, 3, 2, 2, 2)])
def test_every_reduction_gives_one_row_per_sample(shape):
    for name in ("flatten", "mean", "project:6"):
        reduced = reduce_by_name(name, 0)(randn(*shape))
        assert reduced.ndim == 2
        assert len(reduced) == 5


def test_mean_of_a_feature_map_is_one_number_per_channel():
    values = randn(2, 3, 4, 5)
    torch.testing.assert_close(mean(values), values.mean(dim=(2, 3)))


def test_mean_of_tokens_is_one_number_per_feature():
    values = randn(2, 7, 3)
    torch.testing.assert_close(mean(values), values.mean(dim=1))


def test_the_class_token_is_the_first_and_the_others_have_a_mean():
    values = randn(2, 7, 3)
    assert torch.equal(cls(values), values[:, 0])
    torch.testing.assert_close(mean_token(values), values[:, 1:].mean(dim=1))


@pytest.mark.parametrize("name", ["cls", "mean_token"])
def test_rows_have_no_tokens_to_choose_from(name):
    values = randn(2, 3)
    assert torch.equal(reduce_by_name(name, 0)(values), values)


@pytest.mark.parametrize(("name", "shape"), [("cls", (2, 3, 4, 4)), ("mean_token", (2, 1, 4)), ("cls", (2,))])
def test_what_is_no_tokens_is_refused_with_its_shape(name, shape):
    with pytest.raises(ModelError, match=f"Model.reduce: {name} takes .tokens, features."):
        reduce_by_name(name, 0)(randn(*shape))


def test_mean_leaves_rows_as_they_are():
    values = randn(2, 3)
    assert torch.equal(mean(values), values)


def test_a_projection_is_the_same_for_every_batch_and_every_instance():
    rows = randn(6, 50)
    whole = Project(8, seed=3)(rows)
    again = Project(8, seed=3)
    assert torch.equal(torch.cat([again(rows[:2]), again(rows[2:])]), whole)
    assert not torch.equal(Project(8, seed=4)(rows), whole)


def test_a_projection_does_not_touch_the_global_generator():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    Project(8, seed=3)(randn(6, 50))
    assert torch.equal(torch.rand(1), expected)


def test_a_projection_keeps_the_precision_of_the_features():
    projection = Project(8, seed=3)
    rows = randn(6, 50)
    assert projection(rows.float()).dtype == torch.float32
    torch.testing.assert_close(projection(rows.float()).double(), projection(rows), rtol=1e-5, atol=1e-5)


def test_a_layer_that_is_narrow_already_is_only_flattened():
    values = randn(4, 2, 3)
    assert torch.equal(Project(6, seed=0)(values), values.flatten(1))


def test_a_projection_keeps_distances():
    rows = randn(20, 4000)
    before, after = torch.pdist(rows), torch.pdist(Project(1024, seed=1)(rows))
    assert ((after / before) - 1).abs().max() < 0.12
    assert abs(float((after / before).square().mean()) - 1) < 0.03
