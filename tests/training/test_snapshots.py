from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file

from layerscope.models.classifier import find_classifier
from layerscope.training.snapshots import Snapshots


@pytest.fixture
def snapshots(workbench):
    def make(**wanted):
        bench = workbench("snap", Optimizer={"epochs": 1}, Logging={"log-epochs": [0, 1]})
        model = bench.model()
        return bench, Snapshots(bench.folder, (bench.data.train, bench.data.test), model, 64, **wanted)

    return make


def test_every_kept_epoch_has_its_logits_and_geometry(snapshots):
    bench, written = snapshots(logits=True, geometry=True)
    bench.train(written.model, snapshots=written)
    for folder in ("logits", "geometry"):
        names = sorted(path.name for path in (bench.folder / folder).iterdir())
        assert names == ["epoch_0000.safetensors", "epoch_0001.safetensors"]


def test_the_arrays_are_what_the_model_makes_of_the_data(snapshots):
    bench, written = snapshots(logits=True, geometry=True)
    bench.train(written.model, snapshots=written)
    model, data = written.model.eval(), bench.data
    _, classifier = find_classifier(model, 10)
    seen = []
    classifier.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    logits = load_file(bench.folder / "logits" / "epoch_0001.safetensors")
    geometry = load_file(bench.folder / "geometry" / "epoch_0001.safetensors")
    for split in (data.train, data.test):
        images, labels = next(split.batches(len(split)))
        with torch.no_grad():
            expected = model(images)
        features = seen.pop().double()
        torch.testing.assert_close(logits[f"{split.name}.logits"], expected, rtol=1e-4, atol=1e-5)
        assert torch.equal(logits[f"{split.name}.targets"], labels)
        assert torch.equal(geometry[f"{split.name}.counts"], torch.bincount(labels, minlength=10))
        means = torch.stack([features[labels == c].mean(dim=0) for c in range(10)])
        close = {"rtol": 1e-4, "atol": 1e-5}
        torch.testing.assert_close(geometry[f"{split.name}.class_means"], means, **close)
        torch.testing.assert_close(geometry[f"{split.name}.drift"], means.mean(dim=0), **close)
        torch.testing.assert_close(geometry[f"{split.name}.sample_mean"], features.mean(dim=0), **close)
        assert torch.equal(
            geometry[f"{split.name}.predictions"], logits[f"{split.name}.logits"].argmax(dim=1)
        )
    assert torch.equal(geometry["classifier.weight"], classifier.weight.detach())


def test_looking_changes_nothing_of_the_training(workbench, snapshots):
    bench, written = snapshots(logits=True, geometry=True)
    bench.train(written.model, snapshots=written)
    plain = workbench("plain", Optimizer={"epochs": 1}, Logging={"log-epochs": [0, 1]})
    plain.train()
    assert plain.result() == bench.result()


def test_nothing_is_written_unless_asked_for(snapshots):
    bench, written = snapshots()
    written.save(3)
    assert not bench.folder.exists()
