"""Networks for digits with weights in files, and screenings of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml

from layerscope.config import parse_config
from layerscope.config.screening import load_screening
from layerscope.data.load import load_data
from layerscope.models.build import build_model
from layerscope.training.probe import fit_probe

CONFIG = parse_config(
    {
        "Model": {"model-name": "mlp_single"},
        "Data": {"dataset-id": "digits"},
        "Optimizer": {"lr": 0.1, "epochs": 1},
        "Logging": {"save-dir": "unused"},
    }
)


@pytest.fixture(scope="session")
def digits():
    return load_data(CONFIG.data, CONFIG.run, "cpu")


@pytest.fixture(scope="session")
def fitted(digits):
    """Random hidden units under a classifier that was fitted: about 95 % of the digits."""
    model = build_model(CONFIG.model, digits.train.shape, 10, seed=1)
    fit_probe(model, digits.train, 512)
    return model


@pytest.fixture
def weights(tmp_path, digits, fitted) -> Path:
    """A folder with a fitted network, one for other classes, one of another kind and one that is broken."""
    folder = tmp_path / "weights"
    folder.mkdir()
    torch.save(fitted.state_dict(), folder / "a_fitted.pt")
    others = build_model(CONFIG.model, digits.train.shape, 7, seed=2)
    wrapped = {f"module.{name}": value for name, value in others.state_dict().items()}
    torch.save({"state_dict": wrapped, "epoch": 3}, folder / "b_seven_classes.pth")
    wide = CONFIG.model.model_copy(update={"model_name": "mlp_small"})
    torch.save(build_model(wide, digits.train.shape, 10, seed=3).state_dict(), folder / "c_other_kind.pt")
    (folder / "d_broken.safetensors").write_bytes(b"not a file of weights")
    (folder / "notes.txt").write_text("no weights")
    return folder


@pytest.fixture
def write_screening(tmp_path):
    """Write a screening of digits into a file; sections replace or add to the usual ones."""

    def write(**sections) -> Path:
        tree = {
            "Data": {"dataset-id": "digits"},
            "Logging": {"save-dir": str(tmp_path / "screened")},
            "Measurements": {"sample": 150},
            **sections,
        }
        path = tmp_path / "screen.yaml"
        path.write_text(yaml.safe_dump(tree))
        return path

    return write


@pytest.fixture
def screening_of(write_screening):
    return lambda **sections: load_screening(write_screening(**sections))
