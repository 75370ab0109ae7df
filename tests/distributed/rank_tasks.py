"""What the processes of these tests do: small real runs on the digits, each in one of several ways."""

from __future__ import annotations

import copy
import importlib
import itertools
import json
import math
import os
import signal
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from layerscope.config import load_config, parse_config
from layerscope.data.load import load_data
from layerscope.distributed.agreement import Agreement
from layerscope.distributed.exchange import anybody, gathered, in_turn, merged, shared, summed
from layerscope.distributed.group import process_group
from layerscope.distributed.ranks import rank, world_size
from layerscope.distributed.share import own_share
from layerscope.measurement.measure import measure_checkpoints
from layerscope.models.build import build_model
from layerscope.results.tables import TableStore
from layerscope.training.checkpoints import CheckpointStore
from layerscope.training.global_batchnorm import share_batchnorm
from layerscope.training.log import EpochLog
from layerscope.training.loop import train as train_run
from layerscope.training.optimizers import build_optimizer
from layerscope.training.progress import QuietReporter

torch.set_num_threads(1)
CPU = torch.device("cpu")


class WithSpareLayer(nn.Module):
    """A network and a layer that it never calls."""

    def __init__(self, model):
        super().__init__()
        self.model, self.spare = model, nn.Linear(3, 3)

    def forward(self, images):
        return self.model(images)


def with_dropout(model):
    return nn.Sequential(model, nn.Dropout(0.3))


def warm_up():
    """Import, before the first fork, what every process would have to import by itself."""
    config = parse_config(
        {
            "Model": {"model-name": "mlp_small"},
            "Data": {"dataset-id": "digits"},
            "Optimizer": {"lr": 1, "epochs": 1},
            "Logging": {"save-dir": "unused"},
        }
    )
    model = new_model(config, on_the_digits(config, None))
    build_optimizer(config.optimizer, model)
    for library in ("pandas", "scipy.optimize", "sklearn.cluster"):
        importlib.import_module(library)


CHANGES = {"": lambda model: model, "unused": WithSpareLayer, "dropout": with_dropout}


def new_model(config, data, change=""):
    seed = config.run.seed_for("init")
    return CHANGES[change](build_model(config.model, data.train.shape, data.train.num_classes, seed=seed))


def on_the_digits(config, augmentation):
    plain = config.data.model_copy(update={"do_augmentation": False})  # the digits have none of their own
    data = load_data(plain, config.run, CPU)
    return replace(data, train=replace(data.train, augmentation=augmentation)) if augmentation else data


def trigger(action, when, whom):
    """What should_stop does at its question number ``when`` in process ``whom``: a real signal to itself."""
    asked, flag = itertools.count(), []
    signal.signal(signal.SIGUSR2, lambda *_: flag.append(1))

    def should_stop():
        if next(asked) == when and rank() == whom:
            act(action)
        return bool(flag)

    return should_stop


def act(action):
    if action == "raise":
        raise KeyError("a mistake in the user's own layer")
    os.kill(os.getpid(), getattr(signal, action))


def train(
    folder: Path, *, name="run", action=None, when=0, whom=1, change="", augmentation=None, timeout=60.0
):
    config = load_config(folder / "config.yaml")
    with process_group("cpu", timeout=timeout) as device:
        data = on_the_digits(config, augmentation)
        outcome = train_run(
            config,
            data,
            new_model(config, data, change),
            CheckpointStore(folder / name / "checkpoints"),
            EpochLog(folder / name / "log.csv"),
            device=torch.device(device),
            reporter=QuietReporter(),
            should_stop=trigger(action, when, whom) if action else lambda: False,
        )
        print(outcome, flush=True)


def measure(
    folder: Path, *, tables="tables", measures=(), epochs=(), action=None, when=0, whom=1, poisoned=None
):
    config = load_config(folder / "config.yaml")
    with process_group("cpu", timeout=60.0) as device:
        data = on_the_digits(config, None)
        if poisoned is not None:
            data = with_infinite_image(data, poisoned)
        outcome = measure_checkpoints(
            config,
            data,
            new_model(config, data),
            CheckpointStore(folder / "run" / "checkpoints"),
            TableStore(folder / tables),
            dict.fromkeys(epochs, tuple(measures)),
            device=torch.device(device),
            should_stop=trigger(action, when, whom) if action else lambda: False,
        )
        print(outcome, flush=True)


def with_infinite_image(data, sample):
    images = data.train.images.float()
    images[sample] = math.inf
    return replace(data, train=replace(data.train, images=images))


class Seen:
    """An accumulator: the ranks it has seen."""

    def __init__(self, *ranks):
        self.ranks = list(ranks)

    def merge(self, other):
        self.ranks += other.ranks


def exchange(folder: Path):
    with process_group("cpu", timeout=30.0):
        mark, agreement = folder / "mark", Agreement()
        with in_turn():
            alone = mark.exists() == (rank() > 0)
            mark.touch()
        own = agreement.ask(5 * (rank() == 1)), agreement.ask(0), agreement.settle()
        found = {
            "shared": shared(lambda: f"from {rank()}"),
            "gathered": gathered(rank()),
            "summed": float(summed(torch.tensor(float(rank())))),
            "anybody": anybody(rank() == 1),
            "nobody": anybody(False),
            "merged": merged(Seen(rank())).ranks,
            "in turn": all(gathered(alone)),
            "agreed": list(own),
        }
        assert gathered(found) == [found] * world_size()
        print(json.dumps(found), flush=True)


def batchnorm(folder: Path):
    with process_group("cpu", timeout=30.0):
        for layer, shape in BATCHNORMS:
            compare_batchnorm(layer, torch.Generator().manual_seed(1), shape)
        print("equal", flush=True)


BATCHNORMS = [
    (nn.BatchNorm1d(4), (7, 4)),
    (nn.BatchNorm1d(4), (2, 4)),  # less than one sample each
    (nn.BatchNorm2d(4, momentum=None), (7, 4, 3, 2)),
    (nn.BatchNorm2d(4, affine=False, eps=0.1), (7, 4, 3, 2)),
    (nn.BatchNorm3d(4, track_running_stats=False), (7, 4, 2, 2, 2)),
]


def compare_batchnorm(layer, generator, shape):
    """Outputs, gradients and running moments of shares against those of the whole batch."""
    whole = layer.double()
    mine = nn.Sequential(copy.deepcopy(whole))
    share_batchnorm(mine, CPU)
    for _ in range(2):
        images = (100 + torch.randn(shape, generator=generator, dtype=torch.float64)).requires_grad_()
        slope = torch.randn(shape, generator=generator, dtype=torch.float64)
        window = own_share().of(slice(0, len(images)))
        part = images.detach()[window].requires_grad_()
        expected, found = whole(images), mine(part)
        (expected * slope).sum().backward()
        (found * slope[window]).sum().backward()
        torch.testing.assert_close(found, expected[window], rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(part.grad, images.grad[window], rtol=1e-9, atol=1e-9)
    for parameter, other in zip(mine.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(summed(parameter.grad), other.grad, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(
        dict(mine[0].named_buffers()), dict(whole.named_buffers()), rtol=1e-9, atol=1e-9
    )
    mine.eval(), whole.eval()
    torch.testing.assert_close(mine(images), whole(images), rtol=1e-9, atol=1e-9)


def metrics(folder):
    """Feed every torchmetrics adapter with an uneven share of the samples, and save what a sync gives."""
    from layerscope.statistics import torchmetrics as adapters

    generator = torch.Generator().manual_seed(3)
    labels = torch.randint(0, 4, (61,), generator=generator)
    features = torch.randn(61, 6, generator=generator) + 100 * labels[:, None]
    logits = torch.randn(61, 4, generator=generator)
    with process_group(CPU):
        rows = torch.arange(17) if rank() == 0 else torch.arange(17, len(labels))
        centers, classes = torch.eye(4, 6), torch.arange(4)
        moments = adapters.ClassMomentsMetric(4, 6, scatter=True)
        nearest = adapters.NearestCenterMetric(centers, classes, 4)
        network = adapters.DecisionsMetric(4)
        other = adapters.OutOfDistributionMetric(6)
        sample = adapters.FeatureSampleMetric(3, 4, 6, seed=1)
        for part in rows.split(8):
            moments.update(features[part], labels[part])
            nearest.update(features[part], labels[part], logits[part].argmax(dim=1))
            network.update(logits[part], labels[part])
            other.update(features[part])
            sample.update(features[part], labels[part], part)
        found = {"moments": moments.compute(), "nearest": nearest.compute(), "network": network.compute()}
        found |= {"other": other.compute(), "sample": tuple(sample.compute())}
        found |= {"samples": (features, labels, logits)}
        assert moments.moments().samples == len(rows)  # after compute, a process has its own part again
        torch.save(found, folder / f"metrics{rank()}.pt")
