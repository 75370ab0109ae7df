"""Each distinct model is traced once, and what is said of it is what training and measuring will find."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from layerscope.config import DataConfig, parse_config
from layerscope.data.catalog import describe, largest_class
from layerscope.measurement.measure import make_setup, needs_of, plan_for
from layerscope.models.build import build_model
from layerscope.preview.question import MeasuringQuestion, Question
from layerscope.preview.tracing import answer
from layerscope.stages import load_run_data
from layerscope.training.checkpoints import CheckpointStore


def layers_of(model):
    return [(layer.name, layer.shape, layer.dim) for layer in model.layers]


def test_cells_that_differ_in_training_only_share_one_model(look):
    seen = look(Matrix={"Optimizer": {"lr": [0.05, 0.1]}, "Run": {"run": [0, 1, 2]}})
    (model,) = seen.models
    assert model.runs == tuple(run.name for run in seen.runs)
    assert {run.model for run in seen.runs} == {0}


def test_models_on_images_of_another_shape_are_other_models(look):
    seen = look(Matrix={"Data": {"dataset-id": ["mnist", "fashionmnist", "cifar10"]}})
    assert [(model.shape, model.data) for model in seen.models] == [
        ((1, 32, 32), ("mnist", "fashionmnist")),
        ((3, 32, 32), ("cifar10",)),
    ]
    assert [run.model for run in seen.runs] == [0, 0, 1]


@pytest.mark.parametrize("tap", ["input", "output"])
def test_layers_and_memory_are_those_of_the_measurement(experiment, look, tap):
    sections = {"Model": {"model-name": "convnet_small", "embedding-layers": ["conv", "^fc"], "tap": tap}}
    (run,) = experiment(**sections).runs
    data = load_run_data(run, device="cpu")
    model = build_model(run.config.model, data.train.shape, data.train.num_classes, seed=0)
    setup = make_setup(run.config, data, model, torch.device("cpu"))
    plan = plan_for(run.config, setup, needs_of(["CDNV", "NC1"]))

    (seen,) = look(**sections).models
    assert layers_of(seen) == [(layer.name, layer.shape, layer.dim) for layer in setup.layers]
    assert len(seen.layers) == 8
    (way,) = seen.measuring
    assert (way.state_bytes, way.cache_bytes) == (plan.state_bytes, plan.cache_bytes)
    assert set(way.cached) == plan.cached == {"train", "test"}
    assert way.samples == {"train": len(data.train), "test": len(data.test)}
    assert way.batch_size == min(setup.batch_size, len(data.train))


@pytest.mark.parametrize("name", ["mlp_single", "convnet_small_bias", "resnet18"])
def test_a_checkpoint_has_exactly_the_size_that_was_told(look, here, name):
    (seen,) = look(
        Model={"model-name": name, "embedding-layers": ["fc"]}, Data={"dataset-id": "cifar10"}
    ).models
    config = parse_config({**MINIMAL, "Model": {"model-name": name, "embedding-layers": ["fc"]}}).model
    model = build_model(config, (3, 32, 32), 10, seed=0)
    path = CheckpointStore(here / "checkpoints").save(0, model)
    assert seen.checkpoint_bytes == path.stat().st_size
    assert seen.parameters == sum(parameter.numel() for parameter in model.parameters())


MINIMAL = {
    "Data": {"dataset-id": "cifar10"},
    "Optimizer": {"lr": 0.1, "epochs": 1},
    "Logging": {"save-dir": "logs"},
}


def test_a_large_model_is_traced_on_the_meta_device_with_the_same_result(monkeypatch):
    section = {"model-name": "convnet_small", "embedding-layers": ["conv", "fc"]}
    question = Question(section, (1, 32, 32), 10, ())
    small = answer(question)
    monkeypatch.setattr("layerscope.models.meta.FEW_VALUES", 0)
    assert answer(question) == small
    assert not small.problem


def test_a_model_of_gigabytes_is_traced_without_its_values():
    section = {"model-name": "regnet_y_128gf", "embedding-layers": ["^fc"]}
    seen = answer(Question(section, (3, 384, 384), 100_000, ()))
    assert seen.parameters > 1e9
    assert [layer.name for layer in seen.layers] == ["fc"]


def test_a_projection_is_told_without_drawing_it():
    section = {"model-name": "mlp_single", "embedding-layers": ["fc"], "reduce": "project:100"}
    seen = answer(Question(section, (3, 4096, 4096), 10, ()))
    assert [layer.dim for layer in seen.layers] == [100, 100]


def test_features_that_do_not_fit_are_said_to_be_read_twice(look):
    (model,) = look(Measurements={"memory": "9MB"}).models
    (way,) = model.measuring
    assert way.read_twice == ("train",)
    assert way.cached == ("test",)


def test_layers_without_room_for_the_spectra_of_single_classes_are_named(look):
    def told(memory):
        (model,) = look(
            Model={"model-name": "mlp_wide", "embedding-layers": ["fc"]},
            Data={"dataset-id": "cifar100"},
            Measurements={"measures": ["ActivationCovSVs"], "memory": memory},
        ).models
        return model.measuring[0].pooled

    assert told("250MB") == ("block0.fc",)
    assert told("1GB") == ()


def test_where_only_the_data_tells_how_large_a_class_is_both_answers_are_given():
    tree = {"model-name": "mlp_wide", "embedding-layers": ["fc"]}
    samples = (("train", 10_000),)
    way = MeasuringQuestion(("ActivationCovSVs",), samples, 700_000_000, "float32", largest_class=None)

    def told(way):
        (found,) = answer(Question(tree, (3, 32, 32), 100, (way,))).measuring
        return found.cached, found.uneven

    assert told(way) == (("train",), ("train",))
    assert told(replace(way, largest_class=200)) == (("train",), ())
    assert told(replace(way, largest_class=9_000)) == ((), ())


def test_the_largest_class_of_ones_own_arrays_is_counted(tmp_path):
    labels = np.repeat(range(4), [5, 1, 1, 1])
    images = np.zeros((8, 6, 6), np.uint8)
    parts = {"train_images": images, "train_labels": labels, "test_images": images, "test_labels": labels}
    np.savez(tmp_path / "own.npz", **parts)
    config = DataConfig.model_validate({"dataset-id": "arrays", "root": str(tmp_path / "own.npz")})
    assert largest_class(config, describe(config)) == 5


@pytest.mark.parametrize(
    ("section", "largest"),
    [
        ({"dataset-id": "cifar10"}, 10_000),
        ({"dataset-id": "cifar10", "imbalance": {"factor": 0.01}}, 5_000),
        ({"dataset-id": "imagenet_lt", "root": "nowhere"}, 1_280),
        ({"dataset-id": "imagenet", "root": "nowhere"}, 2_564),
    ],
)
def test_the_largest_class_of_a_published_set_is_bounded_by_its_config(section, largest):
    config = DataConfig.model_validate(section)
    assert largest_class(config, describe(config)) == largest


def test_measures_that_need_one_sweep_keep_no_features(look):
    (model,) = look(Measurements={"measures": ["Traces"]}).models
    assert (model.measuring[0].cached, model.measuring[0].read_twice) == ((), ())


def test_double_precision_takes_twice_the_memory(look):
    single, double = (
        look(Measurements={"precision": precision}).models[0].measuring[0]
        for precision in ("float32", "float64")
    )
    assert double.cache_bytes == 2 * single.cache_bytes
    assert double.forward_bytes == 2 * single.forward_bytes


def test_a_data_set_is_described_without_being_there(look):
    seen = look(Data={"dataset-id": "stl10"})
    info = describe(seen.runs[0].config.data)
    assert (seen.models[0].shape, seen.models[0].classes) == (info.shape, info.classes) == ((3, 96, 96), 10)
    assert not seen.problems


def test_what_a_taps_entry_leaves_out_is_a_warning(look):
    seen = look(Model={"model-name": "mlp_small", "embedding-layers": ["block1.fc", "block9.fc"]})
    (warning,) = seen.warnings
    assert "block9.fc" in warning.message
    assert warning.runs == ("logs",)
