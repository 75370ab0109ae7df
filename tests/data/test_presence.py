"""Whether a published data set is here, told from names alone."""

from __future__ import annotations

import pytest

from layerscope.data.presence import is_absent

THERE = {
    "mnist": [
        f"MNIST/raw/{part}-{kind}-ubyte.gz"
        for part in ("train", "t10k")
        for kind in ("images-idx3", "labels-idx1")
    ],
    "cifar10": ["cifar-10-batches-py/data_batch_1"],
    "svhn": ["svhn/train_32x32.mat"],
    "stl10": ["STL10/stl10_binary/train_X.bin"],
    "tinyimagenet": ["tiny-imagenet-200/train/a.JPEG", "tiny-imagenet-200/val/a.JPEG"],
}


@pytest.mark.parametrize("name", THERE)
@pytest.mark.parametrize("way", ["root", "environment", "working folder"])
def test_a_set_is_found_where_training_finds_it(name, way, tmp_path, monkeypatch):
    monkeypatch.delenv("LAYERSCOPE_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    base = tmp_path / ("data" if way == "working folder" else "sets")
    root = base if way == "root" else None
    if way == "environment":
        monkeypatch.setenv("LAYERSCOPE_DATA", str(base))
    assert is_absent(name, root)
    for file in THERE[name]:
        (base / file).parent.mkdir(parents=True, exist_ok=True)
        (base / file).touch()
    assert not is_absent(name, root)


@pytest.mark.parametrize("name", ["digits", "arrays", "imagefolder"])
def test_what_is_not_looked_for_by_name_is_never_absent(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert not is_absent(name, None)
