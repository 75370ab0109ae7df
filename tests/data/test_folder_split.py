import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from layerscope.config import DataConfig, RunConfig
from layerscope.data import folder_split as module
from layerscope.data.load import load_data
from layerscope.errors import DataError

# From Python 3.12 on, forking warns when torch's threads run; the workers touch none of them.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")


@pytest.fixture
def tree(tmp_path, write_images):
    write_images(tmp_path / "train", ["a", "b", "c"], 5)
    write_images(tmp_path / "val", ["a", "b", "c"], 2)
    return tmp_path


@pytest.fixture
def make(tree, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1}, raising=False)

    def make(num_workers, image_size=8, **fields):
        fields = {"dataset_id": "imagefolder", "root": tree, "image_size": image_size} | fields
        return load_data(DataConfig(num_workers=num_workers, **fields), RunConfig(), "cpu").train

    return make


def collect(split, batch_size=4, **arguments):
    images, labels = zip(*split.batches(batch_size, **arguments), strict=True)
    return torch.cat(images), torch.cat(labels)


@pytest.mark.parametrize("seed", [None, 3])
def test_the_number_of_workers_changes_no_bit(make, seed):
    order = torch.randperm(15, generator=torch.Generator().manual_seed(0))

    def augment():
        return None if seed is None else torch.Generator().manual_seed(seed)

    alone, helped = (collect(make(workers), order=order, augment=augment()) for workers in (0, 2))
    assert torch.equal(alone[0], helped[0])
    assert torch.equal(alone[1], helped[1])


def test_the_order_is_respected(make):
    split = make(2)
    stored_images, stored_labels = collect(split)
    assert stored_labels.tolist() == split.labels.tolist()
    order = torch.tensor([14, 0, 7, 7, 3])
    images, labels = collect(split, 2, order=order)
    assert torch.equal(images, stored_images[order])
    assert torch.equal(labels, stored_labels[order])


def test_batches_are_normalised_and_the_last_is_kept(make):
    split = make(0, pad=1)
    batches = list(split.batches(4))
    assert [len(labels) for _, labels in batches] == [4, 4, 4, 3]
    images, _ = batches[0]
    assert images.dtype == torch.float32
    assert images.shape[1:] == split.shape == (3, 10, 10)
    black = -torch.tensor([0.485, 0.456, 0.406]) / torch.tensor([0.229, 0.224, 0.225])
    torch.testing.assert_close(images[0, :, 0, 0], black)


@pytest.mark.parametrize("size", [1, 4, 15])
def test_augmentation_depends_on_the_generator_and_not_on_the_batch_size(make, size):
    split = make(0)
    first, other = (collect(split, 7, augment=torch.Generator().manual_seed(seed))[0] for seed in (1, 2))
    assert torch.equal(first, collect(split, size, augment=torch.Generator().manual_seed(1))[0])
    assert not torch.equal(first, other)
    assert not torch.equal(first, collect(split, 7)[0])


@pytest.mark.parametrize("workers", [0, 2])
def test_the_global_generator_is_left_alone(make, workers):
    before = torch.random.get_rng_state()
    collect(make(workers), augment=torch.Generator().manual_seed(1))
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("workers", [0, 2])
def test_an_unreadable_image_is_named_in_one_sentence(make, tree, workers):
    (tree / "train" / "b" / "003.png").write_bytes(b"nothing")
    with pytest.raises(DataError) as caught:
        collect(make(workers))
    message = str(caught.value)
    assert message.startswith(f"the image {tree / 'train' / 'b' / '003.png'} cannot be read")
    assert "\n" not in message


def test_a_pass_may_be_left_early(make):
    batches = make(2).batches(2)
    next(batches)
    batches.close()
    deadline = time.monotonic() + 10
    while multiprocessing.active_children() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not multiprocessing.active_children()


def test_the_signals_of_slurm_stop_no_worker(make):
    batches = make(2).batches(1)
    images = [next(batches)[0], next(batches)[0]]  # one from each worker: both are at work
    workers = multiprocessing.active_children()
    assert len(workers) == 2
    for worker in workers:
        for number in (signal.SIGUSR2, signal.SIGTERM, signal.SIGCONT):
            os.kill(worker.pid, number)
    images += [image for image, _ in batches]
    assert len(images) == 15


def test_a_process_that_ends_in_the_middle_of_a_pass_does_not_wait_for_workers_that_ignore_it(tree):
    script = Path(__file__).with_name("exits_while_reading.py")
    command = [sys.executable, "-W", "ignore", script, tree]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (answer.returncode, answer.stdout) == (0, "reading\n"), answer.stderr


def test_no_more_workers_start_than_there_are_batches_or_cores(make, monkeypatch):
    used = []

    def loader(requests, *, num_workers, **arguments):
        used.append(num_workers)
        return []

    monkeypatch.setattr(module, "DataLoader", loader)
    for workers, size in ((1, 4), (16, 4), (16, 15)):
        list(make(workers).batches(size))
    assert used == [1, 2, 1]


def test_imagenet_is_evaluated_on_the_centre_of_256():
    info = module.DatasetInfo(
        "imagenet", 3, 224, 224, 1, 1, 1, (0.0,) * 3, (1.0,) * 3, 0, "resized_crop_flip", ""
    )
    samples = module.Samples(module.np.array([b"x"]), module.np.array([0]), "")
    split = module.folder_split("test", samples, info, torch.device("cpu"), 0)
    assert (split.decoder.size, split.decoder.shorter_side) == (224, 256)
