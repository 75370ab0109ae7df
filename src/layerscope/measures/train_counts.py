"""How frequent the classes are in the data that was trained on, as far as it was measured."""

from __future__ import annotations

from torch import Tensor

from layerscope.measures.base import CheckpointStatistics


def train_counts(statistics: CheckpointStatistics) -> Tensor | None:
    """Training samples of each class (K,), on the CPU; None when the train split is not measured."""
    decisions = statistics.decisions.get("train")
    return None if decisions is None else decisions.counts.cpu()
