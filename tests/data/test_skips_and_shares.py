"""Leaving out batches, and dividing each over processes, changes nothing about the samples that are left."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from layerscope.config import DataConfig, RunConfig
from layerscope.data import DATASETS
from layerscope.data.decode import Decoder
from layerscope.data.load import load_data
from layerscope.data.samples import Samples
from layerscope.data.split import in_memory_split
from layerscope.data.split_part import SplitPart, own_part
from layerscope.distributed.ranks import Ranks, entered
from layerscope.distributed.share import Share

# From Python 3.12 on, forking warns when torch's threads run; the workers touch none of them.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")

SAMPLES = 15


def in_memory(tmp_path, write_images):
    pixels = np.random.default_rng(0).integers(1, 256, size=(SAMPLES, 1, 6, 6), dtype=np.uint8)
    info = replace(DATASETS["mnist"], height=6, width=6, pad=1)
    samples = Samples(pixels, np.arange(SAMPLES) % 10, "test")
    split = in_memory_split("train", samples, info, torch.device("cpu"))
    return replace(split, augmentation="crop_flip")


def in_files(tmp_path, write_images):
    write_images(tmp_path / "train", ["a", "b", "c"], 5)
    write_images(tmp_path / "val", ["a", "b", "c"], 1)
    config = DataConfig(dataset_id="imagefolder", root=tmp_path, image_size=8, num_workers=0)
    return load_data(config, RunConfig(), "cpu").train


@pytest.fixture(params=[in_memory, in_files])
def split(request, tmp_path, write_images):
    return request.param(tmp_path, write_images)


def batches_of(split, batch_size=4, **options):
    order = torch.randperm(SAMPLES, generator=torch.Generator().manual_seed(0))
    augment = torch.Generator().manual_seed(1)
    return list(split.batches(batch_size, order=order, augment=augment, **options))


def assert_equal(batches, others):
    assert len(batches) == len(others)
    for (images, labels), (other_images, other_labels) in zip(batches, others, strict=True):
        assert torch.equal(images, other_images)
        assert torch.equal(labels, other_labels)


@pytest.mark.parametrize("skip", [0, 1, 3, 4])
def test_a_pass_that_begins_later_yields_the_same_batches(split, skip):
    assert_equal(batches_of(split, skip=skip), batches_of(split)[skip:])


@pytest.mark.parametrize("ranks", [2, 3, 5])
def test_the_shares_of_a_batch_are_the_batch(split, ranks):
    """Five processes share a last batch of three."""
    shares = [batches_of(split, skip=1, share=Share(rank, ranks)) for rank in range(ranks)]
    together = [
        tuple(torch.cat(parts) for parts in zip(*batch, strict=True)) for batch in zip(*shares, strict=True)
    ]
    assert_equal(together, batches_of(split)[1:])


def test_an_image_that_is_left_out_is_not_read(tmp_path, write_images, monkeypatch):
    read = []
    decode = Decoder.__call__
    monkeypatch.setattr(
        Decoder, "__call__", lambda self, path, seed: read.append(path) or decode(self, path, seed)
    )
    batches_of(in_files(tmp_path, write_images), skip=2, share=Share(1, 2))
    assert len(read) == len(set(read)) == 4  # 2 of the third batch of 4, 2 of the last of 3


def test_the_parts_of_a_split_are_the_split_in_order(split):
    parts = []
    for rank in range(4):
        with entered(Ranks(rank, 4, rank)):
            parts.append(own_part(split))
    assert [len(part) for part in parts] == [3, 4, 4, 4]
    assert [part.first for part in parts] == [0, 3, 7, 11]
    assert torch.equal(torch.cat([part.labels for part in parts]), split.labels)
    whole = torch.cat([images for images, _ in split.batches(SAMPLES)])
    assert torch.equal(torch.cat([images for part in parts for images, _ in part.batches(2)]), whole)


def test_the_part_of_a_process_that_is_alone_is_read_as_the_whole(split):
    part = own_part(split)
    assert (part.name, part.num_classes, part.shape) == (split.name, split.num_classes, split.shape)
    assert_equal(list(part.batches(4)), list(split.batches(4)))


def test_an_order_of_a_part_counts_from_its_first_sample(split):
    part = SplitPart(split, first=5, count=4)
    ((_, labels),) = part.batches(4, order=torch.tensor([3, 0]))
    assert labels.tolist() == [int(split.labels[8]), int(split.labels[5])]


def test_chosen_samples_of_a_part_are_a_part_of_their_own(split):
    part = SplitPart(split, first=5, count=6).restricted(torch.tensor([2, 6, 7, 10, 11]))
    assert (len(part), part.places.tolist()) == (3, [6, 7, 10])
    assert torch.equal(part.labels, split.labels[[6, 7, 10]])
    assert part.find(torch.tensor([7, 8, 10])).tolist() == [1, 2]
    whole = torch.cat([images for images, _ in split.batches(SAMPLES)])
    assert torch.equal(torch.cat([images for images, _ in part.batches(2)]), whole[[6, 7, 10]])
    ((_, labels),) = part.batches(4, order=torch.tensor([2, 0]))
    assert labels.tolist() == [int(split.labels[10]), int(split.labels[6])]
