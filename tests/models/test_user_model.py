import sys
import textwrap

import pytest
import torch

from layerscope.config import ModelConfig
from layerscope.errors import ModelError
from layerscope.models.build import build_model

NETWORKS = """
    import torch
    from torch import nn

    answer = 42

    def net(shape, num_classes):
        channels, height, width = shape
        return nn.Sequential(nn.Flatten(), nn.Linear(channels * height * width, num_classes))

    def lazy(shape, num_classes):
        return nn.Sequential(nn.Flatten(), nn.LazyLinear(8), nn.ReLU(), nn.Linear(8, num_classes))

    def reads_values(shape, num_classes):
        width = int(torch.linspace(0, 8, 5)[-1].item())
        return nn.Sequential(nn.Flatten(), nn.Linear(20, width), nn.Linear(width, num_classes))

    def wrong_logits(shape, num_classes):
        return net(shape, num_classes + 1)

    def no_logits(shape, num_classes):
        class Pair(nn.Module):
            def forward(self, x):
                return x, x
        return Pair()

    def frozen(shape, num_classes):
        model = net(shape, num_classes)
        model.append(nn.BatchNorm1d(num_classes).eval())
        return model

    def wrong_size(shape, num_classes):
        return nn.Sequential(nn.Flatten(), nn.Linear(7, num_classes))

    def fails(shape, num_classes):
        return nn.Linear(shape["height"], num_classes)

    def nothing(shape, num_classes):
        pass
"""


@pytest.fixture(autouse=True)
def networks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_networks.py").write_text(textwrap.dedent(NETWORKS), encoding="utf-8")
    yield
    for name in ("my_networks", "my_broken", "my_package", "my_package.nets"):
        sys.modules.pop(name, None)


def build(name, **arguments):
    return build_model(ModelConfig(model_name=name), (1, 4, 5), 3, **arguments)


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("function", ["net", "lazy"])
def test_a_function_of_the_working_folder_is_called(function, device):
    model = build(f"my_networks:{function}", device=device)
    assert model(torch.empty(2, 1, 4, 5, device=device)).shape == (2, 3)


def test_a_module_in_a_package_is_found(tmp_path):
    (tmp_path / "my_package").mkdir()
    (tmp_path / "my_networks.py").rename(tmp_path / "my_package" / "nets.py")
    assert len(build("my_package.nets:net")) == 2


def test_the_path_is_left_as_it_was():
    before = list(sys.path)
    build("my_networks:net")
    assert sys.path == before


def test_a_constructor_that_reads_values_builds_on_the_meta_device():
    model = build("my_networks:reads_values", device="meta")
    assert model[1].weight.shape == (8, 20)
    assert model[1].weight.is_meta


def test_the_seed_reaches_layers_that_are_made_by_the_first_images():
    first, second = (build("my_networks:lazy", seed=3) for _ in range(2))
    assert torch.equal(first[1].weight, second[1].weight)


def test_modules_that_the_user_froze_stay_frozen():
    model = build("my_networks:frozen")
    assert model.training
    assert not model[2].training


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("my_network:net", r"there is no module my_network, neither in .* nor on the Python path"),
        ("my_package.nets:net", "there is no module my_package, neither in"),
        (
            "my_networks:nett",
            r"my_networks.py has no function 'nett'. Did you mean 'net'\? Write one that takes",
        ),
        ("my_networks:answer", "my_networks.py has no function 'answer'"),
        ("my_networks:nothing", "returned NoneType; return an nn.Module"),
        ("my_networks:fails", r"TypeError: tuple indices must be .* \(.*my_networks.py:\d+\)"),
        ("my_networks:wrong_logits", "returns 2x4 values for two images; logits for 3 classes are 2x3"),
        ("my_networks:no_logits", "returns tuple instead of a tensor"),
        ("my_networks:wrong_size", "cannot take 1x4x5 images: .*Choose another model, or other data"),
    ],
)
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_a_function_that_does_not_work_is_explained(name, complaint, device):
    with pytest.raises(ModelError, match=complaint) as error:
        build(name, device=device)
    assert name in str(error.value)


def test_a_module_that_cannot_be_imported_shows_the_line(tmp_path):
    (tmp_path / "my_broken.py").write_text("import no_such_library\n", encoding="utf-8")
    with pytest.raises(
        ModelError, match=r"my_broken cannot be imported: .*'no_such_library' \(.*my_broken.py:1\)"
    ):
        build("my_broken:net")


def test_what_a_model_keeps_of_its_first_images_is_real(tmp_path):
    code = """
        import torch
        from torch import nn

        class Positions(nn.Module):
            cached = None

            def forward(self, images):
                if self.cached is None:
                    self.cached = torch.ones(1, 20, device=images.device)
                return images.flatten(1) + self.cached

        def net(shape, num_classes):
            return nn.Sequential(Positions(), nn.Linear(20, num_classes))
    """
    (tmp_path / "my_networks.py").write_text(textwrap.dedent(code), encoding="utf-8")
    assert build("my_networks:net")(torch.zeros(2, 1, 4, 5)).shape == (2, 3)
