from dataclasses import replace

import numpy as np
import pytest
import torch

from layerscope.data import DATASETS
from layerscope.data.samples import Samples
from layerscope.data.split import in_memory_split
from layerscope.errors import DataError

INFO = replace(DATASETS["mnist"], height=6, width=6, pad=1)
PIXELS = np.random.default_rng(0).integers(1, 256, size=(23, 1, 6, 6), dtype=np.uint8)


def make(info=INFO, pixels=PIXELS):
    return in_memory_split(
        "train", Samples(pixels, np.arange(len(pixels)) % 10, "test"), info, torch.device("cpu")
    )


def collect(split, batch_size, **arguments):
    images, labels = zip(*split.batches(batch_size, **arguments), strict=True)
    return torch.cat(images), torch.cat(labels)


def test_the_border_is_black_before_normalisation():
    images, _ = collect(make(), 23)
    black = torch.tensor(-INFO.mean[0] / INFO.std[0])
    for edge in (images[:, :, 0], images[:, :, -1], images[..., 0], images[..., -1]):
        torch.testing.assert_close(edge, black.expand_as(edge))
    assert (images[:, :, 1:-1, 1:-1] > black).all()


def test_batches_are_float32_of_the_promised_shape_and_the_last_is_kept():
    batches = list(make().batches(10))
    assert [len(labels) for _, labels in batches] == [10, 10, 3]
    assert all(images.shape[1:] == make().shape == (1, 8, 8) for images, _ in batches)
    assert all((images.dtype, labels.dtype) == (torch.float32, torch.int64) for images, labels in batches)


def test_the_stored_order_needs_no_copy_of_labels():
    split = make()
    _, (_, labels), _ = split.batches(10)
    assert labels.data_ptr() == split.labels[10:].data_ptr()


def test_a_pass_leaves_the_stored_images():
    for pixels in (PIXELS, PIXELS.astype(np.float32)):
        split = make(pixels=pixels)
        before = split.images.clone()
        collect(split, 4)
        collect(split, 4, order=torch.arange(23), augment=torch.Generator())
        assert torch.equal(split.images, before)


def test_the_order_is_respected():
    split = make()
    order = torch.randperm(23, generator=torch.Generator().manual_seed(0))
    stored_images, stored_labels = collect(split, 23)
    images, labels = collect(split, 7, order=order)
    assert torch.equal(images, stored_images[order])
    assert torch.equal(labels, stored_labels[order])


def test_an_order_may_leave_out_and_repeat():
    _, labels = collect(make(), 2, order=torch.tensor([3, 3, 1]))
    assert labels.tolist() == [3, 3, 1]


def test_augmented_images_depend_on_the_generator_but_not_on_the_batch_size():
    split = make()
    order = torch.arange(22, -1, -1)
    first, again, other = (
        collect(split, size, order=order, augment=torch.Generator().manual_seed(seed))[0]
        for size, seed in ((23, 1), (5, 1), (23, 2))
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first, collect(split, 23, order=order)[0])


def test_a_set_without_augmentation_refuses_it():
    split = make(replace(INFO, augmentation="none"))
    with pytest.raises(DataError, match="no crop is defined"):
        next(split.batches(4, augment=torch.Generator()))


def test_read_only_pixels_are_taken_without_a_warning():
    pixels = PIXELS.copy()
    pixels.setflags(write=False)
    assert len(make(replace(INFO, pad=0), pixels)) == 23
