from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from layerscope.config import parse_config
from layerscope.data.catalog import describe
from layerscope.data.load import load_data
from layerscope.errors import ConfigError, DataError

SECTIONS = {
    "Model": {"model-name": "resnet18"},
    "Optimizer": {"lr": 0.1, "epochs": 1},
    "Logging": {"save-dir": "x"},
}


@pytest.fixture
def root(tmp_path):
    """Five training images of three classes and two test images, with lists as ImageNet-LT has them."""
    entries = {
        "ImageNet_LT_train.txt": ["train/a/1.png 0", "train/a/2.png 0", "train/a/3.png 0", "train/b/1.png 1"],
        "ImageNet_LT_test.txt": ["val/1.png 0", "val/2.png 2"],
    }
    entries["ImageNet_LT_train.txt"].append("train/c d/1.png 2")
    for name, lines in entries.items():
        for shade, line in enumerate(lines):
            image = tmp_path / line.rpartition(" ")[0]
            image.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((6, 6, 3), 40 * shade, np.uint8)).save(image)
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    return tmp_path


def config_of(root, **data):
    keys = {"dataset-id": "imagenet_lt", "root": str(root), "image-size": 4, "num-workers": 0, **data}
    return parse_config({**SECTIONS, "Data": keys})


def test_the_lists_say_which_images_there_are_and_what_they_show(root):
    config = config_of(root)
    data = load_data(config.data, config.run, "cpu")
    assert data.train.labels.tolist() == [0, 0, 0, 1, 2]
    assert data.test.labels.tolist() == [0, 2]
    assert (data.info.classes, data.train.shape) == (1000, (3, 4, 4))
    images, _ = next(iter(data.train.batches(5)))
    assert (images[:, 0, 0, 0].diff()[:3] > 0).all()  # in the order of the list, each brighter than the last
    info = describe(config.data)
    assert (info.train_samples, info.test_samples) == (5, 2)


def test_a_list_may_stand_elsewhere(root, tmp_path_factory):
    place = tmp_path_factory.mktemp("lists") / "short.txt"
    place.write_text("train/b/1.png 1\n")
    assert describe(config_of(root, **{"train-list": str(place)}).data).train_samples == 1


def test_images_that_do_not_exist_are_counted_and_the_first_are_listed(root):
    lines = [f"train/a/{number}.png 0" for number in range(1, 11)]
    (root / "ImageNet_LT_train.txt").write_text("\n".join(lines))
    with pytest.raises(DataError, match=r"7 of the 10 images that .* lists do not exist") as refused:
        describe(config_of(root).data)
    shown = [line for line in str(refused.value).splitlines() if line.startswith("  ")]
    assert shown[:-1] == [f"  {root / f'train/a/{number}.png'}" for number in range(4, 9)]
    assert shown[-1] == "  … and 2 more"


@pytest.mark.parametrize("line", ["train/a/1.png", "train/a/1.png x", "0"])
def test_a_line_that_is_no_image_and_class_is_named(root, line):
    (root / "ImageNet_LT_train.txt").write_text(f"train/a/1.png 0\n\n{line}\n")
    with pytest.raises(DataError, match=r"train.txt:3: .* is not the path of an image and the number of its"):
        describe(config_of(root).data)


def test_a_missing_list_says_where_it_comes_from(root):
    (root / "ImageNet_LT_test.txt").unlink()
    with pytest.raises(DataError, match=r"the list of test images .*Data\.test-list name it"):
        describe(config_of(root).data)


def test_without_a_root_nothing_can_be_found():
    with pytest.raises(ConfigError, match="root is not set, but dataset-id: imagenet_lt needs it"):
        parse_config({**SECTIONS, "Data": {"dataset-id": "imagenet_lt"}})
