import pickle
import zipfile

import numpy as np
import pytest
import torch

from layerscope.config import DataConfig, RunConfig
from layerscope.data import describe
from layerscope.data.load import load_data
from layerscope.errors import DataError

GENERATOR = np.random.default_rng(0)


def load(path, **fields):
    return load_data(DataConfig(dataset_id="arrays", root=path, **fields), RunConfig(), "cpu")


def images(*shape):
    return GENERATOR.integers(256, size=shape, dtype=np.uint8)


def test_grey_bytes_get_one_channel_and_their_own_moments(write_npz):
    data = load(write_npz())
    assert data.train.shape == data.info.shape == (1, 5, 4)
    assert (data.info.classes, data.train.num_classes, len(data.test)) == (3, 3, 6)
    values = torch.cat([batch for batch, _ in data.train.batches(5)])
    assert values.mean().item() == pytest.approx(0, abs=1e-5)
    assert values.std(correction=0).item() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(("shape", "channels_last"), [((3, 8, 9), False), ((8, 9, 3), True)])
def test_channels_may_come_first_or_last(write_npz, shape, channels_last):
    train, test = images(12, *shape), images(6, *shape)
    data = load(write_npz(train_images=train, test_images=test))
    expected = train.transpose(0, 3, 1, 2) if channels_last else train
    assert data.train.shape == (3, 8, 9)
    assert np.array_equal(data.train.images.numpy(), expected)


def test_floats_keep_their_values_and_are_measured_as_stored(write_npz):
    train = GENERATOR.normal(7, 3, size=(12, 2, 5, 5))
    data = load(write_npz(train_images=train, test_images=train[:6].astype(np.float16)))
    assert data.train.images.dtype == data.test.images.dtype == torch.float32
    assert data.info.mean == pytest.approx(train.mean(axis=(0, 2, 3)), rel=1e-6)
    assert data.info.std == pytest.approx(train.std(axis=(0, 2, 3)), rel=1e-6)
    first, again = (next(batch for batch, _ in data.train.batches(5)) for _ in range(2))
    assert torch.equal(first, again)


def test_the_test_images_are_normalised_with_the_moments_of_training(write_npz):
    data = load(
        write_npz(
            train_images=np.tile(np.float32([0.0, 2.0]), (12, 1, 1, 1)),
            test_images=np.full((6, 1, 1, 2), 5.0),
        )
    )
    (values, _), *_ = data.test.batches(6)
    assert values.flatten().tolist() == [4.0] * 12


def test_a_number_of_classes_may_be_given(write_npz):
    path = write_npz(num_classes=5)
    assert describe(DataConfig(dataset_id="arrays", root=path)).classes == load(path).train.num_classes == 5


@pytest.mark.parametrize("classes", [0, 2.5, [3, 3]])
def test_a_number_of_classes_that_is_none_is_refused(write_npz, classes):
    with pytest.raises(DataError, match=r"num_classes is .* one whole number of at least 1"):
        load(write_npz(num_classes=classes))


@pytest.mark.parametrize(("bad", "word"), [(np.nan, "nan"), (-np.inf, "-inf"), (1e300, "inf")])
def test_a_value_that_is_not_finite_is_named_with_array_and_index(write_npz, bad, word):
    values = GENERATOR.normal(size=(6, 5, 4))
    values[2, 3, 1] = bad
    path = write_npz(test_images=values)
    with pytest.raises(DataError, match=rf"set\.npz: test_images\[2, 3, 1\] is {word} \(1 such\)"):
        load(path)


def test_a_pickled_array_is_refused_and_never_run(write_npz, tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    for name in ("train_images", "train_labels"):
        path = write_npz(**{name: np.array([Trap()] * 12, dtype=object)})
        with pytest.raises(DataError, match=rf"{name} is saved as Python objects \(a pickle.*plain arrays"):
            load(path)
    assert not (tmp_path / "sprung").exists()


def test_a_pickle_in_place_of_the_file_is_refused(tmp_path):
    path = tmp_path / "set.npz"
    path.write_bytes(pickle.dumps({"train_images": 0}))
    with pytest.raises(DataError, match=r"set\.npz is not an \.npz file"):
        load(path)


@pytest.mark.parametrize(
    ("split", "labels", "message"),
    [
        ("test", [0, 1, 2, 0, 1, 7], r"\(test\): label 7 of sample 5 is outside 0\.\.2"),
        ("test", [0, -1, 2, 0, 1, -2], r"\(test\): label -1 of sample 1 is outside 0\.\.2 \(2 such\)"),
        ("train", [-1, *[0] * 11], r"\(train\): label -1 of sample 0 is outside 0\.\.0"),
        ("train", [0.0] * 12, r"train_labels is float64 .* whole numbers .*astype\('int64'\)"),
        ("train", [[0]] * 12, r"train_labels is int64 of shape \(12, 1\)"),
        ("train", [0, 1], "12 images but 2 labels"),
    ],
)
def test_labels_must_be_classes_one_per_image(write_npz, split, labels, message):
    with pytest.raises(DataError, match=message):
        load(write_npz(**{f"{split}_labels": np.array(labels)}))


def test_training_labels_are_held_against_the_number_of_classes_given(write_npz):
    with pytest.raises(DataError, match=r"label 2 of sample 2 is outside 0\.\.1 \(4 such\)"):
        load(write_npz(num_classes=2))


@pytest.mark.parametrize("split", ["train", "test"])
def test_an_empty_split_is_refused(write_npz, split):
    empty = {f"{split}_images": images(0, 5, 4), f"{split}_labels": np.zeros(0, int)}
    with pytest.raises(DataError, match=rf"{split}.* is empty.* A split needs at least one"):
        load(write_npz(**empty))


def test_images_without_pixels_are_refused(write_npz):
    with pytest.raises(DataError, match="is empty"):
        load(write_npz(train_images=images(12, 0, 4), test_images=images(6, 0, 4)))


def test_other_shapes_are_refused_with_the_way_out(write_npz):
    with pytest.raises(DataError, match=r"shape \(12, 20\); images are .* Reshape vectors to \(N, 1, 1, D\)"):
        load(write_npz(train_images=images(12, 20)))


def test_vectors_can_be_given_as_images_of_one_row(write_npz):
    data = load(write_npz(train_images=images(12, 1, 1, 20), test_images=images(6, 1, 1, 20)))
    assert data.train.shape == (1, 1, 20)


def test_splits_of_two_shapes_are_refused(write_npz):
    with pytest.raises(DataError, match=r"test_images are \(1, 4, 5\) \(C, H, W\), train_images \(1, 5, 4\)"):
        load(write_npz(test_images=images(6, 4, 5)))


def test_other_numbers_than_bytes_and_floats_are_refused(write_npz):
    with pytest.raises(DataError, match=r"train_images is int64; images are uint8 .*astype\('uint8'\)"):
        load(write_npz(train_images=np.zeros((12, 5, 4), int)))


def test_missing_arrays_are_named(write_npz):
    with pytest.raises(
        DataError, match=r"lacks test_labels; it holds train_images, train_labels, test_images"
    ):
        load(write_npz(test_labels=None))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.npz is no file"):
        load(tmp_path / "nowhere.npz")


def test_a_torn_file_is_named(write_npz):
    path = write_npz()
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(DataError, match=r"set\.npz is not an \.npz file, or a torn one"):
        load(path)


def test_a_flipped_bit_is_named(write_npz):
    path = write_npz()
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("test_images.npy").header_offset + 250
    content = bytearray(path.read_bytes())
    content[start] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"set\.npz: test_images cannot be read \(Bad CRC-32"):
        load(path)


def test_a_crop_is_its_augmentation_and_pad_its_border(write_npz):
    data = load(write_npz(), do_augmentation=True, pad=1)
    assert data.train.shape == (1, 7, 6)
    (values, _), *_ = data.train.batches(12, augment=torch.Generator().manual_seed(0))
    assert values.shape == (12, 1, 7, 6)
