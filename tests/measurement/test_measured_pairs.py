"""Pairs of images in whole runs: shared by a matrix, kept for the plotter, checked before training."""

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from layerscope.config import expand_matrix
from layerscope.config.document import document_of
from layerscope.errors import DamagedFile, MeasurementError, ModelError
from layerscope.preview.preview import preview
from layerscope.results.stored_pairs import StoredPairs
from layerscope.run import Run

TREE = {
    "Model": {"model-name": "mlp_single", "embedding-layers": ["fc"]},
    "Data": {"dataset-id": "digits", "subset": 200, "batch-size": 100},
    "Optimizer": {"lr": 0.05, "epochs": 1},
    "Logging": {"log-epochs": [0, 1], "trackers": []},
    "Measurements": {"measures": ["Pairs"]},
}


def runs_of(folder: Path, matrix=None, **pairs) -> list[Run]:
    measurements = {**TREE["Measurements"], "pairs": pairs}
    tree = {**TREE, "Measurements": measurements, "Logging": {**TREE["Logging"], "save-dir": str(folder)}}
    cells = expand_matrix(document_of({**tree, **({"Matrix": matrix} if matrix else {})}, "test.yaml"))
    return [Run(cell.config, folder / cell.name, cell.name or folder.name, cell.axes) for cell in cells]


def problems(runs: list[Run]) -> list[str]:
    return [finding.message for finding in preview(runs, runs[0].folder).problems]


def test_the_runs_of_a_matrix_share_their_pairs_and_keep_some_to_look_at(tmp_path):
    runs = runs_of(tmp_path, {"Optimizer": {"lr": [0.05, 0.1]}})
    for run in runs:
        run.train()
        run.measure()
    (shared,) = tmp_path.glob("pairs/*.safetensors")
    table = runs[0].tables.read("DiscreteMI")
    whole = table[(table["statistic"] == "information") & (table["epoch"] == 1)].iloc[0]
    assert (whole["split"], whole["layer_name"], whole["samples"]) == ("test", "logits", 360)
    assert 0 < whole["value"] < whole["ceiling"] <= np.log(10)
    joint = runs[0].tables.read("JointPMF")
    assert joint[joint["epoch"] == 1]["value"].sum() == pytest.approx(1.0)
    kept = [StoredPairs.load(run.pairs_path) for run in runs]
    assert kept[0].test_images.shape == kept[0].train_images.shape == (12, 8, 8, 1)
    assert kept[0].test.tolist() == list(range(360))
    data = runs[0].data()
    np.testing.assert_array_equal(kept[0].test_images[..., 0], data.test.images[:12, 0].numpy())
    assert runs[0].pairs_path.read_bytes() == runs[1].pairs_path.read_bytes()
    runs[0].pairs_path.write_bytes(b"torn")
    with pytest.raises(DamagedFile, match=r"pairs\.npz"):
        StoredPairs.load(runs[0].pairs_path)
    assert shared.is_file()


def test_the_features_of_the_last_checkpoint_serve_as_a_space_and_wait_for_it(tmp_path):
    (run,) = runs_of(tmp_path, encoder="features", layer="block0.fc")
    run.train()
    run.measure()
    kept = StoredPairs.load(run.pairs_path)
    features = [run.features("block0.fc", split).features.double() for split in ("test", "train")]
    test, train = (torch.nn.functional.normalize(part, dim=1) for part in features)
    best = (test @ train.T).max(dim=1)
    np.testing.assert_allclose(kept.cosine, best.values.numpy(), atol=1e-6)
    assert kept.identity["layer"] == "block0.fc"


def test_features_wait_for_the_last_checkpoint(tmp_path, monkeypatch):
    (run,) = runs_of(tmp_path, encoder="features")
    run.train()
    entries = {epoch: entry for epoch, entry in run.checkpoints.entries().items() if epoch == 0}
    monkeypatch.setattr("layerscope.training.manifest.CheckpointManifest.entries", lambda _: entries)
    with pytest.raises(MeasurementError, match="has none of epoch 1 yet: train to the end first"):
        run.measure()


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (
            {"encoder": "features", "layer": "block0.fx"},
            r"pairs\.layer: 'block0\.fx' matches no module",
        ),
        ({"encoder": "features", "layer": "fc@2"}, "'fc@2' is no layer of the model; it has fc"),
        ({"encoder": "timm/test_resnet", "weights": "none.safetensors"}, "pairs.weights: there is no file"),
        ({"encoder": "timm/test_resnett", "weights": "none.safetensors"}, "Did you mean 'timm/test_resnet'"),
    ],
)
def test_an_encoder_that_cannot_be_had_is_found_before_training(tmp_path, pairs, message):
    runs = runs_of(tmp_path, **pairs)
    (problem,) = problems(runs)
    with pytest.raises(ModelError, match=message) as refused:
        runs[0].train()
    assert str(refused.value) == problem


def test_weights_of_another_model_are_found_before_training(tmp_path):
    place = tmp_path / "w.safetensors"
    save_file(timm.create_model("test_resnet", num_classes=3).state_dict(), place)
    assert problems(runs_of(tmp_path / "a", encoder="timm/test_resnet", weights=str(place))) == []
    (problem,) = problems(runs_of(tmp_path / "b", encoder="timm/test_vit", weights=str(place)))
    assert "does not fit the model" in problem


def test_vectors_that_exceed_the_memory_are_found_before_training(tmp_path):
    (run,) = runs_of(tmp_path)
    measurements = run.config.measurements.model_copy(update={"memory": "700KB"})
    small = Run(run.config.model_copy(update={"measurements": measurements}), run.folder, "run")
    (problem,) = problems([small])
    assert "560 images as pixels of 64 values take" in problem
