import importlib
import subprocess
import sys

import pytest
import torch

from layerscope.config import ModelConfig
from layerscope.errors import ModelError
from layerscope.models import timm_models, torchvision_models
from layerscope.models.build import BUILDERS, build_model, family_of
from layerscope.models.classifier import find_classifier

OWN = [
    "mlp_small",
    "mlp_small_nobn_bias",
    "mlp_linear",
    "mlp_small_sharedweight",
    "convnet_small",
    "convnet_small_nobn",
]
SHAPES = [(1, 8, 8), (1, 28, 28), (3, 32, 32)]


def same(first, second):
    pairs = zip(first.state_dict().items(), second.state_dict().items(), strict=True)
    return all(name == twin and torch.equal(tensor, other) for (name, tensor), (twin, other) in pairs)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", OWN)
def test_our_families_have_the_same_layers_on_the_meta_device_as_for_real(name, shape):
    config = ModelConfig(model_name=name)
    real, meta = (build_model(config, shape, 10, device=device) for device in ("cpu", "meta"))
    for model, device in ((real, "cpu"), (meta, "meta")):
        assert model(torch.zeros(2, *shape, device=device)).shape == (2, 10)
        assert find_classifier(model, 10)[0] == "fc"
    layout = [
        [(key, tensor.shape, tensor.dtype) for key, tensor in m.state_dict().items()] for m in (real, meta)
    ]
    assert layout[0] == layout[1]
    assert {tensor.device.type for tensor in meta.state_dict().values()} == {"meta"}


@pytest.mark.parametrize("name", [*OWN, "resnet18", "timm/test_resnet"])
def test_the_same_seed_gives_the_same_bits(name):
    config = ModelConfig(model_name=name)
    first, second, third = (build_model(config, (1, 32, 32), 10, seed=seed) for seed in (7, 7, 8))
    assert same(first, second)
    assert not same(first, third)


@pytest.mark.parametrize("name", ["mlp_small_sharedweight", "resnet18", "regnet_y_400mf"])
@pytest.mark.parametrize("arguments", [{"seed": 2**62 + 1}, {"device": "meta"}])
def test_the_global_random_state_is_untouched(name, arguments):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    build_model(ModelConfig(model_name=name), (1, 32, 32), 10, **arguments)
    assert torch.equal(torch.get_rng_state(), before)


def test_without_a_seed_the_global_state_decides():
    models = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        models.append(build_model(ModelConfig(model_name="mlp_small"), (1, 8, 8), 10))
    assert same(models[0], models[1])
    assert not same(models[0], models[2])


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    "name", ["mlp_single", "mlp_single_bias", "mlp_small_sharedweight", "convnet_small", "resnet18"]
)
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_the_bias_of_the_classifier_is_as_asked_for(name, bias, device):
    config = ModelConfig(model_name=name, classifier_bias=bias)
    model = build_model(config, (1, 32, 32), 10, device=device)
    assert (find_classifier(model, 10)[1].bias is not None) is bias
    assert {tensor.device.type for tensor in model.state_dict().values()} == {device}


def test_models_come_in_training_mode_without_running_averages_moved():
    model = build_model(ModelConfig(model_name="mlp_small"), (1, 8, 8), 10)
    assert all(module.training for module in model.modules())
    assert model.block0.bn.num_batches_tracked.item() == 0


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("mlp_small", "mlp"),
        ("convnet", "convnet"),
        ("convnext_tiny", "torchvision"),
        ("timm/mlp_mixer", "timm"),
        ("mlp_models:build", "user"),
    ],
)
def test_a_name_leads_to_its_family(name, family):
    assert family_of(name) == family
    assert family in BUILDERS


def test_too_many_classes_for_a_simplex_are_refused():
    with pytest.raises(ModelError, match="300 classes does not fit 256 dimensions"):
        build_model(ModelConfig(model_name="mlp_small_sharedweight"), (1, 8, 8), 300)


def test_our_families_do_without_torchvision_and_timm(monkeypatch):
    for library in ("torchvision", "timm"):
        monkeypatch.setitem(sys.modules, library, None)
    for module in (torchvision_models, timm_models):
        importlib.reload(module)
    assert build_model(ModelConfig(model_name="mlp_small"), (1, 8, 8), 10).fc.out_features == 10


def test_a_small_network_is_tried_without_the_compiler_that_meta_tensors_import():
    code = (
        "import sys; from layerscope.config import ModelConfig as Config; "
        "from layerscope.models.build import build_model; "
        "[build_model(Config(model_name='convnet'), (3, 32, 32), 10, device=device) "
        "for device in ('meta', 'cpu')]; sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_grammar_of_names_needs_no_torch():
    code = "import sys, layerscope.models.names; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
