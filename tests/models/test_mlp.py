import pytest
import torch
from torch import nn

from layerscope.errors import ModelError
from layerscope.models.mlp import build_mlp
from layerscope.models.request import ModelRequest
from layerscope.models.simplex_head import simplex_rows


def build(name, shape=(1, 8, 8), num_classes=10):
    torch.manual_seed(0)
    return build_mlp(ModelRequest(name, shape, num_classes))


def leaves(model):
    return [
        name for name, module in model.named_modules(remove_duplicate=False) if not any(module.children())
    ]


def weight_shapes(model):
    return [tuple(module.weight.shape) for module in model.modules() if isinstance(module, nn.Linear)]


def test_layers_are_named_without_a_prefix_and_in_order():
    blocks = [f"block{index}.{layer}" for index in range(4) for layer in ("fc", "bn", "relu")]
    assert leaves(build("mlp_small")) == ["flatten", *blocks, "fc"]


def test_widths_follow_the_size():
    assert weight_shapes(build("mlp_small", (3, 4, 4), 7)) == [(256, 48), *[(256, 256)] * 3, (7, 256)]


def test_nobn_leaves_the_batch_normalisation_out():
    assert leaves(build("mlp_single_nobn")) == ["flatten", "block0.fc", "block0.relu", "fc"]


def test_the_linear_model_is_its_head():
    assert leaves(build("mlp_linear")) == ["flatten", "fc"]


def test_no_linear_layer_has_a_bias_unless_asked_for():
    assert {m.bias is None for m in build("mlp_single").modules() if isinstance(m, nn.Linear)} == {True}
    assert {m.bias is None for m in build("mlp_single_bias").modules() if isinstance(m, nn.Linear)} == {False}


def test_the_logits_are_those_of_the_formula():
    model = build("mlp_single_nobn_bias")
    images = torch.randn(5, 1, 8, 8)
    hidden = (images.reshape(5, 64) @ model.block0.fc.weight.T + model.block0.fc.bias).clamp(min=0)
    expected = hidden @ model.fc.weight.T + model.fc.bias
    torch.testing.assert_close(model(images), expected)


def test_the_forward_pass_is_a_plain_sequence():
    model = build("mlp_small")
    assert type(model) is nn.Sequential
    assert {type(block) for block in model if any(block.children())} == {nn.Sequential}


def test_shared_blocks_have_one_set_of_parameters_but_their_own_running_averages():
    model = build("mlp_small_sharedweight_bias", (1, 16, 16))
    for parameter in ("fc.weight", "fc.bias", "bn.weight", "bn.bias"):
        assert len({id(model.get_parameter(f"block{index}.{parameter}")) for index in range(4)}) == 1
    assert len({id(model.get_buffer(f"block{index}.bn.running_mean")) for index in range(4)}) == 4


def test_every_shared_block_is_a_layer_of_its_own():
    named = dict(build("mlp_small_sharedweight").named_modules())
    assert {f"block{index}.fc" for index in range(4)} <= set(named)


def test_shared_blocks_stay_tied_through_a_step_and_reloading():
    model = build("mlp_small_sharedweight", (1, 16, 16))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model(torch.randn(8, 1, 16, 16)).square().sum().backward()
    optimizer.step()
    twin = build("mlp_small_sharedweight", (1, 16, 16))
    twin.load_state_dict(model.state_dict())
    assert torch.equal(model.block0.fc.weight, model.block3.fc.weight)
    assert torch.equal(twin.block3.fc.weight, model.block0.fc.weight)
    assert twin.block0.fc.weight is twin.block3.fc.weight


@pytest.mark.parametrize(
    ("shape", "between"),
    [((1, 8, 8), "padding"), ((1, 16, 16), None), ((3, 16, 16), "projection")],
)
def test_the_input_of_a_shared_weight_is_brought_to_its_width(shape, between):
    model = build("mlp_small_sharedweight", shape)
    before_the_blocks = [name for name, _ in model.named_children()][1:2]
    assert before_the_blocks == ([between] if between else ["block0"])
    assert model(torch.randn(2, *shape)).shape == (2, 10)


def test_the_projection_is_frozen_and_keeps_norms_on_average():
    model = build("mlp_small_sharedweight", (3, 32, 32))
    assert not model.projection.weight.requires_grad
    images = torch.randn(200, 3072)
    ratio = model.projection(images).square().sum() / images.square().sum()
    assert ratio.item() == pytest.approx(1, abs=0.05)


def test_the_head_of_a_shared_weight_is_a_frozen_simplex():
    head = build("mlp_small_sharedweight").fc
    cosines = head.weight.double() @ head.weight.double().T
    expected = torch.full((10, 10), -1 / 9, dtype=torch.float64).fill_diagonal_(1)
    torch.testing.assert_close(cosines, expected, atol=1e-6, rtol=0)
    assert not head.weight.requires_grad
    assert head.bias is None


@pytest.mark.parametrize(("classes", "width"), [(2, 1), (3, 2), (10, 9), (10, 10), (10, 64)])
def test_a_simplex_fits_from_one_dimension_less_than_classes(classes, width):
    rows = simplex_rows(classes, width).double()
    expected = torch.full((classes, classes), -1 / (classes - 1), dtype=torch.float64).fill_diagonal_(1)
    torch.testing.assert_close(rows @ rows.T, expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(rows.sum(0), torch.zeros(width, dtype=torch.float64), atol=1e-6, rtol=0)


@pytest.mark.parametrize(("classes", "width"), [(10, 8), (1, 5)])
def test_a_simplex_that_does_not_fit_is_refused(classes, width):
    with pytest.raises(
        ModelError, match=f"{classes} classes does not fit {width} dimensions.*Choose a wider size"
    ):
        simplex_rows(classes, width)
