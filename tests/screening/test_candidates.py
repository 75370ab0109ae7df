"""Which networks a screening means."""

from __future__ import annotations

import pytest

from layerscope.errors import UsageError
from layerscope.screening.candidates import Candidate, candidates, weights_files

from .conftest import CONFIG


def test_a_folder_means_its_files_of_weights_and_a_pattern_those_that_fit(weights):
    names = [path.name for path in weights_files(str(weights))]
    assert names == ["a_fitted.pt", "b_seven_classes.pth", "c_other_kind.pt", "d_broken.safetensors"]
    assert [path.name for path in weights_files(f"{weights}/*.pt")] == ["a_fitted.pt", "c_other_kind.pt"]
    with pytest.raises(UsageError, match=r"Screen.checkpoints: .*nothing\*.pt means no file of weights"):
        weights_files(f"{weights}/nothing*.pt")


def test_a_file_is_whose_its_entry_says_else_its_runs_else_the_configs(tmp_path, weights, screening_of):
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    (run / "checkpoints" / "epoch_0001.safetensors").write_bytes(b"")
    for name in ("resume.pt", "resume_previous.pt"):
        (run / "checkpoints" / name).write_bytes(b"")
    text = "Model: {model-name: convnet_small}\nData: {dataset-id: digits}\n"
    (run / "config.yaml").write_text(f"{text}Optimizer: {{lr: 0.1, epochs: 1}}\nLogging: {{save-dir: x}}\n")
    entries = [
        {"model": "mlp_small", "files": f"{weights}/c_*.pt"},
        str(run / "checkpoints"),
        str(weights),
    ]
    found = candidates(screening_of(Screen={"checkpoints": entries}, Model={"model-name": "mlp_single"}))
    models = {one.weights.name: one.model.model_name for one in found}
    assert models == {
        "c_other_kind.pt": "mlp_small",
        "epoch_0001.safetensors": "convnet_small",
        "a_fitted.pt": "mlp_single",
        "b_seven_classes.pth": "mlp_single",
        "d_broken.safetensors": "mlp_single",
    }


def test_a_file_that_nothing_is_known_of_is_a_problem_of_its_own(weights, screening_of):
    (found,) = candidates(screening_of(Screen={"checkpoints": f"{weights}/a_*.pt"}))
    assert found.model is None
    assert "nothing says whose weights a_fitted.pt holds: name the model" in found.problem


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("timm/resnet18_pretrained", "resnet"),
        ("timm/vit_tiny_patch16_224", "vit"),
        ("timm/convnextv2_atto", "convnext"),
        ("timm/mobilenetv3_small_050", "mobilenet"),
        ("zoo/efficientnet_b0", "efficientnet"),
        ("my.models:small_net", "small"),
        ("mlp_small_nobn", "mlp"),
    ],
)
def test_the_family_is_the_beginning_of_the_architectures_name(name, family):
    model = CONFIG.model.model_copy(update={"model_name": name})
    assert Candidate(name, model).family == family
