"""Training without labels: what is trained, what is saved, what the log says, and that it resumes."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

from layerscope.errors import ModelError
from layerscope.training.examination import decisions
from layerscope.training.learners import learner

CONTRASTIVE = {
    "Model": {"model-name": "mlp_single"},
    "Data": {"subset": 200, "view-area": 0.5},
    "Optimizer": {"objective": "contrastive", "optimizer": "adam", "lr": 2e-3, "projection-dim": 16},
}
AUTOENCODER = {
    "Model": {"model-name": "ae_small"},
    "Optimizer": {"objective": "reconstruction", "optimizer": "adam", "lr": 2e-3},
}
BOTH = pytest.mark.parametrize("sections", [CONTRASTIVE, AUTOENCODER], ids=["contrastive", "reconstruction"])


@BOTH
def test_the_loss_falls_and_accuracy_is_that_of_the_saved_probe(workbench, sections):
    bench = workbench(**sections)
    bench.train()
    rows = bench.log.rows()
    assert rows[3].train_loss < rows[1].train_loss
    assert rows[3].test_loss < rows[0].test_loss
    model = bench.model()
    bench.store.load_into(model, 3)
    assert rows[3].test_accuracy == decisions(model, bench.data.test, 64)
    assert rows[3].train_accuracy == decisions(model, bench.data.train, 64) > 0.8


@BOTH
def test_a_checkpoint_is_the_model_and_nothing_around_it(workbench, sections):
    bench = workbench(**sections)
    bench.train()
    assert bench.store.load(3).keys() == bench.model().state_dict().keys()


@BOTH
def test_interrupted_runs_end_with_the_same_bits(workbench, sections):
    whole, parted = workbench("whole", **sections), workbench("parted", **sections)
    whole.train()
    for stop in (3, 15, 22, 27, 40):  # in the probe, in an evaluation, in mid-epoch
        asked = itertools.count()
        assert parted.train(should_stop=lambda asked=asked, stop=stop: next(asked) >= stop) == "stopped"
    assert parted.train() == "finished"
    assert parted.result() == whole.result()


def test_labels_are_used_by_the_probe_alone(workbench):
    plain, random = (
        workbench(f"run {share}", **{**CONTRASTIVE, "Data": {"random-labels": share}}) for share in (0.0, 1.0)
    )
    for bench in (plain, random):
        bench.train()
    one, other = plain.store.load(3), random.store.load(3)
    for key in one:
        assert torch.equal(one[key], other[key]) != key.startswith("fc"), key


def test_the_best_autoencoder_is_the_one_with_the_smallest_validation_loss(workbench):
    sections = {**AUTOENCODER, "Data": {"validation": 0.2}, "Logging": {"keep-best": True}}
    bench = workbench(**sections)
    bench.train()
    losses = [row.validation_loss for row in bench.log.rows()]
    assert bench.store.manifest.best() == losses.index(min(losses))


def test_the_classifier_has_no_part_in_the_training(config_of):
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.Linear(8, 10))
    trained = learner(config_of(**CONTRASTIVE), model, 10)
    assert not any(parameter.requires_grad for parameter in model[2].parameters())
    assert trained(torch.rand(4, 1, 8, 8)).shape == (4, 16)


def test_the_head_is_seeded_by_the_run(config_of):
    heads = [
        learner(config_of(**CONTRASTIVE), nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 10)), 10).head[0].weight
        for _ in range(2)
    ]
    assert torch.equal(*heads)


def test_a_model_that_cannot_reconstruct_is_refused(workbench):
    bench = workbench(**{**AUTOENCODER, "Model": {"model-name": "mlp_single"}})
    with pytest.raises(ModelError, match="needs a model that reconstructs images: ae, or one of your own"):
        bench.train()
