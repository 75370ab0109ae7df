import pathlib

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from layerscope.config import ModelConfig
from layerscope.errors import ModelError
from layerscope.models.build import build_model
from layerscope.models.weights import load_weights

SHAPE = (1, 4, 4)


def network(classes=3):
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.BatchNorm1d(8), nn.Linear(8, classes))


def saved(path, content):
    if path.suffix == ".safetensors":
        save_file(content, path)
    else:
        torch.save(content, path)
    return path


@pytest.mark.parametrize("file", ["w.safetensors", "w.pt", "w.pth"])
def test_weights_and_buffers_come_from_the_file(tmp_path, file):
    source, target = network(), network()
    source(torch.randn(5, *SHAPE))  # moves the running averages
    load_weights(target, saved(tmp_path / file, source.state_dict()))
    for name, tensor in source.state_dict().items():
        assert torch.equal(target.state_dict()[name], tensor), name


@pytest.mark.parametrize("key", ["state_dict", "model"])
def test_a_state_dict_inside_a_training_checkpoint_is_found(tmp_path, key):
    source, target = network(), network()
    load_weights(target, saved(tmp_path / "w.pt", {key: source.state_dict(), "epoch": 3}))
    assert torch.equal(target[1].weight, source[1].weight)


def test_all_misfits_are_listed_and_nothing_is_changed(tmp_path):
    state = network(classes=5).state_dict()
    state["extra"] = state.pop("1.bias")
    target = network()
    before = {name: tensor.clone() for name, tensor in target.state_dict().items()}
    with pytest.raises(ModelError) as error:
        load_weights(target, saved(tmp_path / "w.pt", state))
    assert str(error.value).splitlines() == [
        f"Model.weights: {tmp_path / 'w.pt'} does not fit the model:",
        "  missing: 1.bias",
        "  unexpected: extra",
        "  of another shape: 3.weight is (5, 8), the model's (3, 8), 3.bias is (5,), the model's (3,)",
    ]
    assert all(torch.equal(tensor, before[name]) for name, tensor in target.state_dict().items())


def test_a_long_list_of_misfits_is_cut(tmp_path):
    state = {f"layer{index}": torch.zeros(1) for index in range(20)}
    with pytest.raises(ModelError, match="layer7 and 12 more"):
        load_weights(network(), saved(tmp_path / "w.pt", state))


class Evil:
    def __reduce__(self):
        return (pathlib.Path.touch, (pathlib.Path("touched"),))


@pytest.mark.parametrize("content", [network(), {"weight": Evil()}], ids=["module", "code"])
def test_a_pickle_of_foreign_objects_is_refused_and_not_run(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ModelError, match=r"w.pt is refused: .*would run code.*torch.save\(model.state_dict\(\), FILE\)"
    ):
        load_weights(network(), saved(tmp_path / "w.pt", content))
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize("file", ["w.safetensors", "w.pt"])
@pytest.mark.parametrize("kept", [0, 5, 300])
def test_a_torn_file_is_named(tmp_path, file, kept):
    path = saved(tmp_path / file, network().state_dict())
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ModelError, match=rf"Model.weights: .*{file} is (no intact|refused: it is damaged)"):
        load_weights(network(), path)


@pytest.mark.parametrize("content", [b"broken\n", b"no weights at all", bytes(range(256)), b"\x80\x02}."])
def test_a_file_of_something_else_is_named(tmp_path, content):
    path = tmp_path / "w.pt"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"w\.pt"):
        load_weights(network(), path)


@pytest.mark.parametrize("prefixes", ["module.", "_orig_mod.", "module._orig_mod."])
def test_what_wrappers_put_before_every_name_is_taken_off(tmp_path, prefixes):
    saved, loaded = network(), network()
    path = tmp_path / "w.pt"
    torch.save({f"{prefixes}{name}": value for name, value in saved.state_dict().items()}, path)
    load_weights(loaded, path)
    assert all(torch.equal(value, saved.state_dict()[name]) for name, value in loaded.state_dict().items())


@pytest.mark.parametrize("content", [[1, 2], {}, {"epoch": 3}, {1: torch.zeros(1)}, torch.zeros(3)])
def test_a_file_without_weights_is_refused(tmp_path, content):
    with pytest.raises(ModelError, match="holds no mapping of names to tensors"):
        load_weights(network(), saved(tmp_path / "w.pt", content))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"there is no file .*nowhere.pt"):
        load_weights(network(), tmp_path / "nowhere.pt")


def config(path):
    return ModelConfig(model_name="mlp_single", weights=path)


def test_the_config_names_the_file(tmp_path):
    source = build_model(ModelConfig(model_name="mlp_single"), SHAPE, 3, seed=1)
    path = saved(tmp_path / "w.safetensors", source.state_dict())
    loaded = build_model(config(path), SHAPE, 3, seed=2)
    assert torch.equal(loaded.fc.weight, source.fc.weight)


def test_a_file_that_does_not_fit_is_found_out_on_the_meta_device(tmp_path):
    source = build_model(ModelConfig(model_name="mlp_single"), SHAPE, 4, seed=1)
    path = saved(tmp_path / "w.safetensors", source.state_dict())
    assert build_model(config(path), SHAPE, 4, device="meta").fc.weight.is_meta
    with pytest.raises(ModelError, match=r"fc.weight is \(4, 512\), the model's \(3, 512\)"):
        build_model(config(path), SHAPE, 3, device="meta")


def test_shared_weights_survive_a_file(tmp_path):
    name = "mlp_small_sharedweight"
    source = build_model(ModelConfig(model_name=name), SHAPE, 3, seed=1)
    path = tmp_path / "w.pt"
    torch.save(source.state_dict(), path)
    loaded = build_model(ModelConfig(model_name=name, weights=path), SHAPE, 3, seed=2)
    images = torch.randn(4, *SHAPE)
    assert torch.equal(loaded.eval()(images), source.eval()(images))


def test_published_weights_and_a_file_contradict_each_other(tmp_path):
    with pytest.raises(ModelError, match=r"Drop _pretrained, or Model.weights"):
        build_model(ModelConfig(model_name="resnet18_pretrained", weights=tmp_path / "w.pt"), (3, 32, 32), 10)
