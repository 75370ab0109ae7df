import shutil

import pytest
import torch

from layerscope.config import DataConfig, RunConfig
from layerscope.data.load import load_data
from layerscope.errors import DataError

CLASSES = ["ant", "bee", "cat"]


def load(name="imagefolder", **fields):
    return load_data(DataConfig(dataset_id=name, num_workers=0, **fields), RunConfig(), "cpu")


@pytest.fixture
def tree(tmp_path, write_images):
    write_images(tmp_path / "train", CLASSES, 3)
    write_images(tmp_path / "test", CLASSES, 2)
    return tmp_path


@pytest.fixture
def tiny(tmp_path, write_images):
    """Tiny ImageNet as published: 200 classes, the validation images in one folder."""
    root = tmp_path / "tiny-imagenet-200"
    names = [f"n{number:08}" for number in range(200)]
    write_images(root / "train", [f"{name}/images" for name in names], 1)
    write_images(root / "val", ["images"], 3)
    lines = [f"{number:03}.png\t{names[place]}\t0\t0\t9\t9\n" for number, place in ((2, 7), (0, 199), (1, 0))]
    (root / "val" / "val_annotations.txt").write_text("".join(lines))
    return root


def test_classes_are_numbered_in_the_order_of_their_folders(tree):
    data = load(root=tree)
    assert data.train.labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert data.test.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert (data.info.classes, data.info.train_samples, data.info.test_samples) == (3, 9, 6)


def test_val_stands_in_for_test(tree):
    (tree / "test").rename(tree / "val")
    assert len(load(root=tree).test) == 6


def test_two_folders_may_be_given_instead_of_a_root(tree):
    data = load(train_dir=tree / "test", test_dir=tree / "train")
    assert (len(data.train), len(data.test)) == (6, 9)


def test_images_in_subfolders_count_and_other_files_do_not(tree):
    deeper = tree / "train" / "bee" / "deeper"
    deeper.mkdir()
    shutil.copy(tree / "train" / "bee" / "000.png", deeper / "COPY.PNG")
    (deeper / "notes.txt").write_text("")
    (tree / "train" / ".cache").mkdir()
    assert load(root=tree).train.labels.bincount().tolist() == [3, 4, 3]


def test_a_missing_folder_names_what_was_looked_for(tree):
    shutil.rmtree(tree / "test")
    with pytest.raises(
        DataError, match=rf"test images were not found \(looked in {tree}/test or {tree}/val\)"
    ):
        load(root=tree)


def test_a_test_class_that_training_lacks_is_named(tree):
    shutil.rmtree(tree / "train" / "bee")
    with pytest.raises(
        DataError, match="test holds the class folder 'bee', which the training folder does not"
    ):
        load(root=tree)


def test_a_test_folder_may_lack_a_class(tree):
    shutil.rmtree(tree / "test" / "bee")
    assert load(root=tree).test.labels.tolist() == [0, 0, 2, 2]


def test_an_empty_class_is_named(tree):
    (tree / "train" / "dog").mkdir()
    with pytest.raises(
        DataError, match=r"the class folder .*train/dog holds no image \(\.png, .*Fill it or remove"
    ):
        load(root=tree)


def test_a_folder_without_classes_is_named(tree):
    shutil.rmtree(tree / "train")
    (tree / "train").mkdir()
    with pytest.raises(
        DataError, match=r"train holds no class folders\. It needs one folder of images per class"
    ):
        load(root=tree)


def test_tiny_imagenet_reads_its_annotations(tiny):
    data = load("tinyimagenet", root=tiny.parent)
    assert data.train.labels.tolist() == list(range(200))
    assert data.test.labels.tolist() == [7, 199, 0]
    assert data.train.shape == (3, 64, 64)
    ((images, _),) = data.test.batches(3)
    assert images.shape == (3, 3, 64, 64)


def test_tiny_imagenet_may_also_have_a_folder_per_class(tiny, write_images):
    shutil.rmtree(tiny / "val")
    write_images(tiny / "val", ["n00000004", "n00000002"], 2)
    assert load("tinyimagenet", root=tiny).test.labels.tolist() == [2, 2, 4, 4]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "000.png\tn9\t0\n",
            r"val_annotations\.txt gives 000\.png the class 'n9', which has no folder in train/",
        ),
        ("000.png\n", r"gives 000\.png the class ''"),
        ("7.png\tn00000001\n", r"val_annotations\.txt lists 7\.png, which is not in .*val/images"),
    ],
)
def test_annotations_that_do_not_fit_are_named(tiny, line, message):
    (tiny / "val" / "val_annotations.txt").write_text(line)
    with pytest.raises(DataError, match=message):
        load("tinyimagenet", root=tiny)


def test_imagenet_with_another_number_of_classes_is_refused(tree):
    (tree / "test").rename(tree / "val")
    with pytest.raises(DataError, match=r"3 class folders, imagenet has 1000\. Use dataset-id: imagefolder"):
        load("imagenet", root=tree)


def test_a_missing_imagenet_names_every_place_tried(tmp_path):
    (tmp_path / "train").mkdir()
    with pytest.raises(DataError) as caught:
        load("imagenet", root=tmp_path)
    message = str(caught.value)
    assert f"  {tmp_path} (without val/)" in message
    assert f"  {tmp_path}/ILSVRC2012 (no such folder)" in message
    assert message.endswith("train/ and val/, each with one folder per class.")


def test_subset_and_random_labels_work_on_files(tree):
    data = load(root=tree, subset=6, random_labels=1.0, image_size=8)
    assert len(data.train) == data.info.train_samples == 6
    same = load(root=tree, subset=6, image_size=8)
    assert same.train.labels.tolist() == [0, 0, 1, 1, 2, 2]
    for (images, _), (others, _) in zip(data.train.batches(4), same.train.batches(4), strict=True):
        assert torch.equal(images, others)
