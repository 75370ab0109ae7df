"""Pairs of images: rules, encoders, storage."""

import threading
from dataclasses import replace

import pytest
import timm
import torch
from safetensors.torch import save_file

from layerscope.config import DataConfig, RunConfig
from layerscope.data.load import load_data
from layerscope.errors import DamagedFile, ModelError
from layerscope.pairing import (
    FeatureMatrix,
    Pixels,
    TimmModel,
    WhitePixels,
    build_pairs,
    image_pairs,
    shared_pairs,
)


@pytest.fixture(scope="module")
def digits():
    return load_data(DataConfig.model_validate({"dataset-id": "digits", "subset": 20}), RunConfig(), "cpu")


@pytest.mark.parametrize("method", ["nn", "nn_class", "assign_class"])
def test_pairs_lie_close_and_keep_the_rule_of_their_method(digits, method):
    pairs = build_pairs(digits, method, Pixels())
    same = digits.test.labels[pairs.test] == digits.train.labels[pairs.train]
    assert float(same.double().mean()) == 1.0 if method != "nn" else float(same.double().mean()) > 0.7
    if method == "assign_class":
        assert len(set(pairs.train.tolist())) == len(pairs.train)
    else:
        assert torch.equal(pairs.test, torch.arange(len(digits.test)))


def test_white_pixels_are_white_on_the_train_images(digits):
    train, test = WhitePixels(components=10).encode(digits)
    assert torch.allclose(torch.cov(train.T, correction=0), torch.eye(10).double(), atol=1e-8)
    assert test.shape == (len(digits.test), 10)


def test_vectors_of_a_run_serve_as_a_space(digits):
    vectors = FeatureMatrix(
        *(split.labels.double().unsqueeze(1) + 1 for split in (digits.train, digits.test))
    )
    assert build_pairs(digits, "nn", vectors).train.tolist() == [0] * len(digits.test)  # all of one direction
    with pytest.raises(ValueError, match="do not fit"):
        FeatureMatrix(torch.zeros(3, 1), torch.zeros(3, 1)).encode(digits)


def few_of(split):
    return replace(split, images=split.images[:4], labels=split.labels[:4])


def test_a_timm_model_with_a_weights_file_serves_as_a_space(digits, tmp_path):
    digits = replace(digits, train=few_of(digits.train), test=few_of(digits.test))
    model = timm.create_model("test_resnet", num_classes=7)
    save_file(model.state_dict(), tmp_path / "weights.safetensors")
    encoder = TimmModel("test_resnet", tmp_path / "weights.safetensors")
    train, _ = encoder.encode(digits)
    assert train.shape == (len(digits.train), model.num_features)
    assert bool(train.isfinite().all())
    save_file({"stem.weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match="does not fit"):
        TimmModel("test_resnet", tmp_path / "other.safetensors").encode(digits)
    with pytest.raises(ModelError, match="no model"):
        TimmModel("resnet-that-is-none", tmp_path / "other.safetensors").encode(digits)


def test_pairs_are_built_once_and_shared(digits, tmp_path, monkeypatch):
    built = []
    matches = image_pairs._matches
    monkeypatch.setattr(image_pairs, "WAIT_SECONDS", 0.01)
    monkeypatch.setattr(image_pairs, "_matches", lambda *args: built.append(1) or matches(*args))
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(shared_pairs(tmp_path, digits, "nn", Pixels())))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 1
    assert len(found) == 3
    assert torch.equal(found[0].train, build_pairs(digits, "nn", Pixels()).train)


def test_what_determines_pairs_decides_which_are_taken(digits, tmp_path):
    shared_pairs(tmp_path, digits, "nn", Pixels())
    shared_pairs(tmp_path, digits, "nn_class", Pixels())
    nearest = shared_pairs(tmp_path, digits, "nn", WhitePixels(components=5))
    of_class = shared_pairs(tmp_path, digits, "nn_class", WhitePixels(components=5))
    assert len(list(tmp_path.glob("*.safetensors"))) == 4
    assert not torch.equal(nearest.train, of_class.train)
    with pytest.raises(ValueError, match="'nn', 'nn_class' or 'assign_class'"):
        shared_pairs(tmp_path, digits, "knn", Pixels())


def test_damage_is_named(digits, tmp_path):
    pairs = shared_pairs(tmp_path, digits, "nn", Pixels())
    (path,) = tmp_path.glob("*.safetensors")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedFile, match="digest"):
        shared_pairs(tmp_path, digits, "nn", Pixels())
    with pytest.raises(DamagedFile, match="other data"):
        image_pairs.load_pairs(path, {**pairs.identity, "method": "nn_class"})
    path.write_bytes(b"nothing")
    with pytest.raises(DamagedFile):
        shared_pairs(tmp_path, digits, "nn", Pixels())
