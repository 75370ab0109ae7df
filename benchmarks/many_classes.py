"""Very many classes: moments, nearest centres, ETF error and CDNV, and the memory that they take at most.

    python benchmarks/many_classes.py 100000 512

A process of its own, so that its peak is that of this work alone. Prints one line of JSON per step.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator

import torch
from torch import Tensor

from layerscope.functional import cdnv, etf_error
from layerscope.statistics import ClassMoments, NearestCenter

BATCH, SAMPLES_PER_CLASS, DECIDED = 4096, 2, 1000


def main(classes: int, dim: int) -> None:
    """Every step in turn, with seconds (wall, CPU) since the start, and peak memory beyond imports in GB."""
    began, spent, imports = time.perf_counter(), time.process_time(), _peak()
    for step, value in _steps(classes, dim):
        seconds, cpu = time.perf_counter() - began, time.process_time() - spent
        taken = {"seconds": round(seconds, 1), "cpu_s": round(cpu, 1), "peak_gb": round(_peak() - imports, 3)}
        print(json.dumps({"step": step, "value": value} | taken), flush=True)


def _steps(classes: int, dim: int) -> Iterator[tuple[str, float]]:
    moments = ClassMoments(classes, dim)
    for features, labels in _batches(classes, dim):
        moments.update(features, labels)
    yield "update", float(moments.samples)
    means, variances = moments.means, moments.variances
    nearest = NearestCenter(means, moments.present, classes)
    nearest.update(means[:DECIDED].float(), torch.arange(min(DECIDED, classes)))
    yield f"nearest centres of {DECIDED:,}", nearest.accuracy
    yield "etf_error", etf_error(means)
    yield "cdnv", cdnv(variances, means)["mean"]


def _batches(classes: int, dim: int) -> Iterator[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(0)
    for labels in (torch.arange(classes * SAMPLES_PER_CLASS) % classes).split(BATCH):
        yield torch.randn(len(labels), dim, generator=generator) + (labels % 97).unsqueeze(1), labels


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # Linux counts in kB


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
