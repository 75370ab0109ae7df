"""What flows through a layer, at the moment it flows."""

import pytest
import torch
from torch import nn

from layerscope.errors import ModelError
from layerscope.features.taps import Taps


def hooks_of(model):
    return sum(len(m._forward_pre_hooks) + len(m._forward_hooks) for m in model.modules())


def record(model, images, spec, where="input"):
    """What the taps hand on in one pass: (module name, call, a copy of the values)."""
    seen = []
    with Taps(model, spec, lambda name, call, values: seen.append((name, call, values.clone())), where):
        model(images)
    return seen


class Tower(nn.Module):
    """A linear layer, an in-place ReLU used twice, a second linear layer."""

    def __init__(self):
        super().__init__()
        self.first, self.relu, self.second = nn.Linear(3, 3), nn.ReLU(inplace=True), nn.Linear(3, 3)

    def forward(self, x):
        return self.relu(self.second(self.relu(self.first(x))))


@pytest.fixture
def tower():
    torch.manual_seed(0)
    return Tower().requires_grad_(False)


@pytest.fixture
def images():
    return torch.randn(8, 3, generator=torch.Generator().manual_seed(1))


def test_inputs_and_outputs_are_handed_on_in_the_order_of_execution(tower, images):
    hidden = tower.first(images)
    into = record(tower, images, ["first", "second"])
    out_of = record(tower, images, ["second", "first"], "output")
    assert [name for name, *_ in into] == [name for name, *_ in out_of] == ["first", "second"]
    torch.testing.assert_close(into[0][2], images)
    torch.testing.assert_close(out_of[0][2], hidden)
    torch.testing.assert_close(into[1][2], hidden.clamp(min=0))
    torch.testing.assert_close(out_of[1][2], tower.second(hidden.clamp(min=0)))


def test_a_module_called_twice_is_handed_on_twice_with_its_call(tower, images):
    seen = record(tower, images, ["relu"])
    assert [(name, call) for name, call, _ in seen] == [("relu", 0), ("relu", 1)]
    assert not torch.equal(seen[0][2], seen[1][2])


def test_calls_are_counted_anew_in_every_pass(tower, images):
    calls = []
    with Taps(tower, ["relu"], lambda name, call, values: calls.append(call)):
        tower(images)
        tower(images)
    assert calls == [0, 1, 0, 1]


def test_calls_are_counted_anew_after_a_pass_that_failed(tower, images):
    calls = []
    with Taps(tower, ["relu"], lambda name, call, values: calls.append(call)):
        broken = tower.second.register_forward_pre_hook(lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            tower(images)
        broken.remove()
        tower(images)
    assert calls == [0, 0, 1]


def test_an_in_place_relu_after_the_tap_cannot_rewrite_what_was_handed_on(tower, images):
    lowest = []
    with Taps(tower, ["first"], lambda name, call, values: lowest.append(values.min().item()), "output"):
        tower(images)
    assert lowest[0] < 0


def test_an_in_place_relu_that_is_itself_tapped_shows_its_input_untouched(tower, images):
    seen = record(tower, images, ["relu"])
    torch.testing.assert_close(seen[0][2], tower.first(images))


class Odd(nn.Module):
    """Passes tuples, keywords and lists around."""

    class Inner(nn.Module):
        def forward(self, scale, x=None, *, extra=None):
            return x * scale, extra

    def __init__(self):
        super().__init__()
        self.inner, self.lists, self.silent = self.Inner(), nn.Identity(), nn.Identity()

    def forward(self, x):
        tripled, extra = self.inner(3, x=x, extra=x + 1)
        self.silent(None)
        return self.lists([tripled, extra])[0]


def test_keyword_inputs_are_seen_and_the_first_tensor_is_taken(images):
    ((_, _, values),) = record(Odd(), images, ["inner"])
    torch.testing.assert_close(values, images)


@pytest.mark.parametrize("name", ["inner", "lists"])
def test_of_an_output_of_several_the_first_tensor_is_taken(images, name):
    ((_, _, values),) = record(Odd(), images, [name], "output")
    torch.testing.assert_close(values, 3 * images)


@pytest.mark.parametrize("where", ["input", "output"])
def test_a_layer_without_any_tensor_is_refused(images, where):
    model = Odd()
    with pytest.raises(ModelError, match=f"layer 'silent' has no tensor at its {where}"):
        record(model, images, ["silent"], where)
    assert hooks_of(model) == 0


def test_a_shared_module_is_hooked_once_under_its_first_name(images):
    shared = nn.Linear(3, 3)
    model = nn.Sequential(shared, nn.ReLU(), shared)
    assert [(name, call) for name, call, _ in record(model, images, True)] == [("0", 0), ("1", 0), ("0", 1)]
    assert [(name, call) for name, call, _ in record(model, images, ["2"])] == [("2", 0), ("2", 1)]


@pytest.mark.parametrize("where", ["input", "output"])
def test_hooks_are_removed_on_leaving(tower, images, where):
    with Taps(tower, True, lambda *_: None, where):
        assert hooks_of(tower) == 4  # three layers, and the start of a pass
        tower(images)
    assert hooks_of(tower) == 0


def test_hooks_are_removed_after_an_exception(tower, images):
    def refuse(name, call, values):
        raise KeyError(name)

    with pytest.raises(KeyError), Taps(tower, True, refuse):
        tower(images)
    assert hooks_of(tower) == 0


def test_an_unknown_layer_leaves_no_hooks(tower):
    with pytest.raises(ModelError), Taps(tower, ["third"], lambda *_: None):
        pass
    assert hooks_of(tower) == 0


def test_hooks_of_others_stay(tower, images):
    handle = tower.first.register_forward_hook(lambda *_: None)
    record(tower, images, True)
    assert hooks_of(tower) == 1
    handle.remove()


def test_the_network_computes_the_same_with_taps(tower, images):
    expected = tower(images)
    with Taps(tower, True, lambda *_: None):
        assert torch.equal(tower(images), expected)
