"""The measurement pass (FAST set, all taps, both splits) over a bare forward of the same images."""

from __future__ import annotations

import torch
from pairs import Comparison, compare

from layerscope.config import parse_config
from layerscope.data.load import Data, load_data
from layerscope.errors import DataError
from layerscope.measurement.measure import make_setup, needs_of, plan_for, table_rows
from layerscope.measurement.sweeps import Collector
from layerscope.measures.registry import MEASURES
from layerscope.models.build import build_model

CONFIG = {
    "Model": {"model-name": "mlp", "embedding-layers": ["fc"]},
    "Data": {"dataset-id": "fashionmnist"},
    "Optimizer": {"lr": 0.1, "epochs": 1},
    "Logging": {"save-dir": "unused"},
    "Measurements": {"measures": "Fast"},
}


def run() -> list[Comparison]:
    """Compare on Fashion-MNIST (60,000 + 10,000 images of 1x32x32)."""
    config = parse_config(CONFIG, source="benchmark")
    device = torch.device("cpu")
    try:
        data = load_data(config.data, config.run, device)
    except DataError as error:
        raise SystemExit(f"the benchmark needs Fashion-MNIST: {error}") from error
    model = build_model(config.model, data.train.shape, data.train.num_classes, seed=0)
    setup = make_setup(config, data, model, device)
    needs = needs_of(MEASURES)
    collector = Collector(setup, plan_for(config, setup, needs))

    def measure() -> None:
        statistics = collector.collect(model, needs)
        for measure in MEASURES.values():
            table_rows(0, measure, statistics)

    batches = preloaded(data, setup.batch_size)

    @torch.inference_mode()
    def bare_forward() -> None:
        for images in batches:
            model(images)

    model.eval()
    name = "measurement pass, FAST, `mlp` on Fashion-MNIST, all taps, both splits / bare forward"
    return [compare(name, measure, bare_forward, bound=1.5)]


def preloaded(data: Data, batch_size: int) -> list[torch.Tensor]:
    """Normalised float images of both splits, in memory."""
    return [images for split in (data.train, data.test) for images, _ in split.batches(batch_size)]
