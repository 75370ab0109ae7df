"""Memory that measuring takes beyond a bare forward: ``convnet_deep``, layers of 8,192 features, 10 classes.

    python benchmarks/memory.py 1600 Fast

A process of its own: the peak after a bare forward of the same batches, then the peak after measuring.
"""

from __future__ import annotations

import resource
import sys
import time

import torch

from layerscope.config import parse_config
from layerscope.data.load import load_data
from layerscope.measurement.key import selected_measures
from layerscope.measurement.measure import make_setup, needs_of, plan_for, table_rows
from layerscope.measurement.sweeps import Collector
from layerscope.measures.registry import MEASURES
from layerscope.models.build import build_model


def main(samples: int, measures: str) -> None:
    """Print both peaks in GB, and what lies between them."""
    tree = {
        "Model": {"model-name": "convnet_deep", "embedding-layers": ["conv", "fc"]},
        "Data": {"dataset-id": "fashionmnist", "subset": samples},
        "Optimizer": {"lr": 0.1, "epochs": 1},
        "Logging": {"save-dir": "unused"},
        "Measurements": {"measures": measures, "memory": "1GB", "batch-size": 64, "splits": ["train"]},
    }
    config, device = parse_config(tree, source="benchmark"), torch.device("cpu")
    data = load_data(config.data, config.run, device)
    model = build_model(config.model, data.train.shape, data.train.num_classes, seed=0).eval()
    with torch.inference_mode():
        for images, _ in data.train.batches(64):
            model(images)
    before, began = _peak(), time.perf_counter()
    setup, chosen = make_setup(config, data, model, device), selected_measures(config)
    needs = needs_of(chosen)
    plan = plan_for(config, setup, needs)
    statistics = Collector(setup, plan).collect(model, needs)
    for name in chosen:
        table_rows(0, MEASURES[name], statistics)
    dims = sorted({layer.dim for layer in setup.layers})
    foretold = (plan.state_bytes + plan.cache_bytes + plan.working_bytes) / 1e9
    print(f"{len(setup.layers)} layers of {dims} features, {len(data.train)} samples, kept: {plan.cached}")
    print(f"foretold at most {foretold:.2f} GB")
    print(f"bare forward {before:.2f} GB, measuring {_peak():.2f} GB: {_peak() - before:.2f} GB more", end="")
    print(f", {time.perf_counter() - began:.0f} s")


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # Linux counts in kB


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
