"""The classifier at the end of the network: the last tapped layer, when it is linear."""

from __future__ import annotations

from torch import Tensor, nn

from layerscope.measures.base import CheckpointStatistics, LayerStatistics


def classifier_of(statistics: CheckpointStatistics) -> tuple[LayerStatistics, nn.Linear | None]:
    """The last tapped layer, and its module if that is linear."""
    entry = statistics.layers[-1]
    return entry, entry.module if isinstance(entry.module, nn.Linear) else None


def reads_features(entry: LayerStatistics, module: nn.Linear) -> bool:
    """Whether the module's weight reads the very features that were measured."""
    return entry.where == "input" and entry.layer.dim == module.in_features


def class_rows(statistics: CheckpointStatistics) -> Tensor | None:
    """The classifier's rows (K, D), on the CPU; None when the last tapped layer does not make the logits."""
    _, module = classifier_of(statistics)
    classes = {decisions.num_classes for decisions in statistics.decisions.values()}
    if module is None or module.out_features not in classes:
        return None
    return module.weight.detach().cpu()
