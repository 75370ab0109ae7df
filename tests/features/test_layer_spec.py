"""Which modules an entry of ``Model.embedding-layers`` means."""

import pytest
from torch import nn

from layerscope.errors import ModelError
from layerscope.features.layers import absent_siblings, select_modules


def block() -> nn.Module:
    return nn.ModuleDict({"conv1": nn.Conv2d(1, 1, 1), "conv2": nn.Conv2d(1, 1, 1), "fc": nn.Linear(1, 1)})


@pytest.fixture
def model() -> nn.Module:
    return nn.ModuleDict(
        {"conv1": nn.Conv2d(1, 1, 1), "layer1": block(), "layer2": block(), "fc": nn.Linear(1, 1)}
    )


def names(model, spec):
    return list(select_modules(model, spec))


def test_true_means_every_leaf_in_the_order_of_definition(model):
    assert names(model, True) == [
        "conv1",
        *(f"layer1.{name}" for name in ("conv1", "conv2", "fc")),
        *(f"layer2.{name}" for name in ("conv1", "conv2", "fc")),
        "fc",
    ]


def test_a_leading_dot_means_the_last_part_of_every_nested_name(model):
    assert names(model, [".conv1"]) == ["layer1.conv1", "layer2.conv1"]


def test_a_bare_name_means_every_name_that_ends_so(model):
    assert names(model, ["conv1"]) == ["conv1", "layer1.conv1", "layer2.conv1"]


def test_a_leading_caret_means_the_top_level(model):
    assert names(model, ["^fc"]) == ["fc"]
    assert names(model, ["^layer1.conv2"]) == ["layer1.conv2"]


def test_a_module_with_children_can_be_named(model):
    assert names(model, ["layer2"]) == ["layer2"]


def test_entries_add_up_without_repetition_in_the_order_of_definition(model):
    assert names(model, ["^fc", ".conv1", "layer1.conv1"]) == ["layer1.conv1", "layer2.conv1", "fc"]


def test_the_modules_themselves_are_given(model):
    assert select_modules(model, ["^fc"])["fc"] is model["fc"]


def test_a_shared_module_is_listed_under_every_name():
    shared = nn.Linear(1, 1)
    model = nn.ModuleDict({"first": shared, "second": shared})
    assert names(model, True) == ["first", "second"]
    assert names(model, ["second"]) == ["second"]


def test_numbered_modules_are_called_by_their_number():
    assert names(nn.Sequential(nn.Linear(1, 1), nn.ReLU()), ["1"]) == ["1"]


def test_an_entry_that_matches_nothing_names_the_nearest_modules(model):
    with pytest.raises(ModelError) as caught:
        select_modules(model, ["^layer1.convl"])
    assert "Model.embedding-layers: '^layer1.convl' matches no module" in str(caught.value)
    assert "layer1.conv1" in str(caught.value)
    assert "layer1.conv2" in str(caught.value)


def test_every_entry_that_matches_nothing_is_named(model):
    with pytest.raises(ModelError) as caught:
        select_modules(model, ["fc", "nowhere", ".fc3"])
    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    assert "'nowhere'" in lines[0]
    assert "'.fc3'" in lines[1]


def test_an_entry_unlike_any_name_still_shows_names(model):
    with pytest.raises(ModelError, match=r"names near it: conv1, layer1"):
        select_modules(model, ["????"])


def test_an_entry_whose_number_this_member_of_the_family_lacks_is_left_out(model):
    assert names(model, [".conv1", ".conv3"]) == names(model, [".conv1"])
    assert absent_siblings(model, [".conv1", ".conv3"]) == [".conv3"]
    assert absent_siblings(model, True) == []


def test_a_list_in_which_nothing_matches_is_a_mistake_whatever_its_numbers(model):
    with pytest.raises(ModelError, match=r"'\.conv3' matches no module"):
        select_modules(model, [".conv3"])
