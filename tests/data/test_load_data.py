import pytest
import torch

from layerscope.config import DataConfig, RunConfig
from layerscope.data.load import load_data
from layerscope.errors import DataError


def digits(run=0, **fields):
    return load_data(DataConfig(dataset_id="digits", **fields), RunConfig(run=run), "cpu")


WHOLE = digits()


def test_a_subset_has_the_classes_in_proportion_and_keeps_the_stored_order():
    data = digits(subset=100)
    share = WHOLE.train.labels.bincount() * 100 / 1437
    assert data.train.labels.bincount().tolist() == pytest.approx(share.tolist(), abs=1)
    assert data.info.train_samples == len(data.train) == 100
    assert len(data.test) == 360
    rows = [
        (WHOLE.train.images == image).flatten(1).all(1).nonzero()[0].item() for image in data.train.images
    ]
    assert rows == sorted(rows)
    assert torch.equal(WHOLE.train.labels[rows], data.train.labels)


def test_exactly_the_share_of_training_labels_is_redrawn():
    data = digits(random_labels=0.5)
    changed = (data.train.labels != WHOLE.train.labels).sum().item()
    assert changed == pytest.approx(round(0.5 * 1437) * 0.9, abs=40)  # a tenth hits the old label
    assert torch.equal(data.train.images, WHOLE.train.images)
    assert torch.equal(data.test.labels, WHOLE.test.labels)


def test_training_and_measuring_see_the_same_samples_and_labels():
    first, again = (digits(subset=200, random_labels=0.3) for _ in range(2))
    assert torch.equal(first.train.images, again.train.images)
    assert torch.equal(first.train.labels, again.train.labels)


def test_each_run_draws_its_own_subset_and_labels():
    first, other = (digits(run, subset=200) for run in (0, 1))
    assert not torch.equal(first.train.images, other.train.images)
    first, other = (digits(run, random_labels=1.0) for run in (0, 1))
    assert not torch.equal(first.train.labels, other.train.labels)


def test_loading_leaves_the_global_generators_alone():
    before = torch.random.get_rng_state()
    digits(subset=50, random_labels=0.5)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_labels_are_int64_and_images_bytes_on_the_device():
    assert (WHOLE.train.labels.dtype, WHOLE.train.images.dtype) == (torch.int64, torch.uint8)
    assert (WHOLE.train.name, WHOLE.test.name, WHOLE.train.num_classes) == ("train", "test", 10)


def test_impossible_settings_are_refused_before_anything_is_read():
    with pytest.raises(DataError, match="no augmentation is defined for digits"):
        digits(do_augmentation=True)


def test_validation_samples_are_taken_out_of_the_training_samples():
    data = digits(validation=0.1)
    assert (len(data.train), len(data.validation), len(data.test)) == (1293, 144, 360)
    assert data.info.validation_samples == 144
    assert torch.equal(data.validation.images, WHOLE.train.images[data.validation_places])
    rest = torch.ones(1437, dtype=torch.bool)
    rest[data.validation_places] = False
    assert torch.equal(data.train.images, WHOLE.train.images[rest])
    assert data.validation.name == "validation"


def test_without_a_share_there_is_no_validation_split():
    assert WHOLE.validation is None
    assert WHOLE.validation_places is None


def test_subsets_and_random_labels_leave_the_validation_samples_alone():
    plain, noisy = digits(validation=0.1), digits(validation=0.1, subset=100, random_labels=1.0)
    assert torch.equal(plain.validation.images, noisy.validation.images)
    assert torch.equal(plain.validation.labels, noisy.validation.labels)
    assert len(noisy.train) == 100


def test_a_subset_counts_what_is_left_after_validation():
    with pytest.raises(DataError, match="there are only 719 training samples"):
        digits(validation=0.5, subset=720)
