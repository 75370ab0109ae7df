"""The measurement pass (all taps, both splits) over a bare forward of the same images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from pairs import Comparison, compare
from torch import nn

from layerscope.config import parse_config
from layerscope.data.load import Data, load_data
from layerscope.errors import DataError
from layerscope.measurement.key import selected_measures
from layerscope.measurement.measure import make_setup, needs_of, plan_for, table_rows
from layerscope.measurement.sweeps import Collector
from layerscope.measures.registry import MEASURES
from layerscope.models.build import build_model

MLP = {"model-name": "mlp", "embedding-layers": ["fc"]}
EXACT = "Fast_StableRank_Imbalance_Slow"  # everything that is no estimate from a sample
RESNET = {
    "model-name": "resnet18",
    "embedding-layers": [".conv1", ".conv2", "^avgpool", "^fc"],
    "reduce": "mean",
}


def run() -> list[Comparison]:
    """Compare on Fashion-MNIST (60,000 + 10,000 images of 1x32x32; a part of it for the ResNet)."""
    end = "on Fashion-MNIST, all taps, both splits / bare forward"
    return [
        measured(f"measurement pass, FAST, `mlp` {end}", MLP, "Fast", bound=1.5),
        measured(
            f"measurement pass, FAST, a first checkpoint of `mlp` {end}", MLP, "Fast", bound=1.5, first=True
        ),
        measured(f"measurement pass, all but information, `mlp` {end}", MLP, EXACT, bound=4),
        measured(f"the same, a first checkpoint {end}", MLP, EXACT, bound=4, first=True),
        measured(f"measurement pass, FAST, `resnet18`, means, {end}", RESNET, "Fast", bound=1.2, subset=2000),
    ]


def measured(
    name: str,
    model: dict[str, Any],
    measures: str,
    *,
    bound: float,
    subset: int | None = None,
    pairs: int = 5,
    first: bool = False,
) -> Comparison:
    """Collect and compute one checkpoint's tables, against forwarding its normalised images alone.

    Of a first checkpoint nothing is known yet, of later ones what the images themselves give.
    """
    checkpoint = measuring(model, measures, subset, first=first)
    batches = preloaded(checkpoint.data, checkpoint.batch_size)

    @torch.inference_mode()
    def bare_forward() -> None:
        for images in batches:
            checkpoint.network(images)

    checkpoint.network.eval()
    return compare(name, checkpoint.measure, bare_forward, bound=bound, pairs=pairs)


@dataclass(frozen=True)
class Pass:
    """The measurement of one checkpoint, ready to be repeated."""

    data: Data
    network: nn.Module
    batch_size: int
    measure: Callable[[], None]


def measuring(
    model: dict[str, Any], measures: str, subset: int | None = None, *, first: bool = False
) -> Pass:
    """Prepare measuring an untrained network on Fashion-MNIST, as a run does it.

    Raises
    ------
    SystemExit
        Fashion-MNIST is not there.
    """
    config = parse_config(
        {
            "Model": model,
            "Data": {"dataset-id": "fashionmnist", "subset": subset},
            "Optimizer": {"lr": 0.1, "epochs": 1},
            "Logging": {"save-dir": "unused"},
            "Measurements": {"measures": measures},
        },
        source="benchmark",
    )
    device = torch.device("cpu")
    try:
        data = load_data(config.data, config.run, device)
    except DataError as error:
        raise SystemExit(f"the benchmark needs Fashion-MNIST: {error}") from error
    network = build_model(config.model, data.train.shape, data.train.num_classes, seed=0)
    setup = make_setup(config, data, network, device)
    chosen = selected_measures(config)
    needs = needs_of(chosen)
    collector = Collector(setup, plan_for(config, setup, needs))

    def measure() -> None:
        if first:
            collector.forget_images()
        statistics = collector.collect(network, needs)
        for each in chosen:
            table_rows(0, MEASURES[each], statistics)

    return Pass(data, network, setup.batch_size, measure)


def preloaded(data: Data, batch_size: int) -> list[torch.Tensor]:
    """Normalised float images of both splits, in memory."""
    return [images for split in (data.train, data.test) for images, _ in split.batches(batch_size)]
