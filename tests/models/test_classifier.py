from collections import OrderedDict

import pytest
import torch
from torch import nn

from layerscope.errors import ModelError
from layerscope.models.classifier import find_classifier, fit_classifier, set_classifier_bias


def network(bias=True):
    inner = nn.Sequential(OrderedDict(first=nn.Linear(4, 6), head=nn.Linear(6, 3, bias=bias)))
    return nn.Sequential(OrderedDict(body=inner, after=nn.Linear(3, 5)))


def test_the_last_layer_with_that_many_outputs_is_the_classifier():
    model = network()
    assert find_classifier(model, 3) == ("body.head", model.body.head)
    assert find_classifier(model, 5) == ("after", model.after)


def test_without_a_number_of_classes_the_last_layer_is_it():
    assert find_classifier(network())[0] == "after"


def test_a_model_without_classifier_shows_what_it_has():
    with pytest.raises(
        ModelError, match=r"no nn.Linear with 10 outputs.*body.first \(6\), body.head \(3\), after \(5\)"
    ):
        find_classifier(network(), 10)
    with pytest.raises(ModelError, match=r"no classifier: no nn.Linear. .*none"):
        find_classifier(nn.Sequential(nn.ReLU()))


def test_a_bias_is_added_as_zeros_so_that_logits_stay():
    model = network(bias=False)
    before = model.body(torch.ones(1, 4))
    set_classifier_bias(model, 3, True)
    assert torch.equal(model.body(torch.ones(1, 4)), before)
    assert isinstance(model.body.head.bias, nn.Parameter)
    assert model.body.head.bias.requires_grad


def test_a_bias_is_taken_away():
    model = network()
    set_classifier_bias(model, 3, False)
    assert model.body.head.bias is None
    assert "body.head.bias" not in model.state_dict()


@pytest.mark.parametrize("bias", [True, False])
def test_a_bias_that_is_as_wanted_keeps_its_values(bias):
    model = network(bias)
    before = model.body.head.bias
    set_classifier_bias(model, 3, bias)
    assert model.body.head.bias is before


def test_fitting_replaces_the_head_and_keeps_whether_it_has_a_bias():
    model = network(bias=False)
    fit_classifier(model, 3, 7)
    assert model.body.head.weight.shape == (7, 6)
    assert model.body.head.bias is None


def test_fitting_to_the_same_number_of_classes_keeps_the_head():
    model = network()
    head = model.body.head
    fit_classifier(model, 3, 3)
    assert model.body.head is head
