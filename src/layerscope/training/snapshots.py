"""The raw numbers behind the measures of the last features, one file per kept epoch, for later analysis."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn

from layerscope.data.split import Split
from layerscope.files import write_atomic
from layerscope.models.classifier import find_classifier

Arrays = dict[str, Tensor]


@dataclass(frozen=True)
class Snapshots:
    """Writes ``geometry/epoch_0010.safetensors`` and ``logits/epoch_0010.safetensors`` below ``folder``.

    ``logits``, ``geometry``: which are wanted. The model, on its device, is looked at in eval mode, without
    augmentation, and left in its own mode.
    """

    folder: Path
    splits: tuple[Split, ...]
    model: nn.Module
    batch_size: int
    logits: bool = False
    geometry: bool = False

    def save(self, epoch: int) -> None:
        """Write what is wanted of ``epoch``, of the model as it is now."""
        if not (self.logits or self.geometry):
            return
        logits: Arrays = {}
        _, classifier = find_classifier(self.model, self.splits[0].num_classes)
        geometry: Arrays = {
            f"classifier.{name}": value.detach() for name, value in classifier.named_parameters()
        }
        for split in self.splits:
            features, decided = self._forward(split, classifier)
            logits |= {f"{split.name}.logits": decided, f"{split.name}.targets": split.labels}
            geometry |= {f"{split.name}.{name}": value for name, value in features.items()}
            geometry[f"{split.name}.predictions"] = decided.argmax(dim=1)
            geometry[f"{split.name}.targets"] = split.labels
        for name, wanted, arrays in (
            ("logits", self.logits, logits),
            ("geometry", self.geometry, geometry),
        ):
            if wanted:
                _write(self.folder / name / f"epoch_{epoch:04d}.safetensors", arrays)

    def _forward(self, split: Split, classifier: nn.Module) -> tuple[Arrays, Tensor]:
        """Statistics of the classifier's input over a split, and its logits (N, K) in stored order."""
        seen: list[Tensor] = []
        hook = classifier.register_forward_pre_hook(partial(_keep, seen))
        totals, decided = _Totals(split.num_classes), []
        training = self.model.training
        self.model.eval()
        try:
            with torch.no_grad():
                for images, labels in split.batches(self.batch_size):
                    decided.append(self.model(images))
                    totals.add(seen.pop(), labels)
        finally:
            hook.remove()
            self.model.train(training)
        return totals.arrays(), torch.cat(decided)


class _Totals:
    """Sums of features by class, in float64."""

    def __init__(self, num_classes: int) -> None:
        self.num_classes = num_classes
        self._sums: Tensor | None = None
        self._counts: Tensor | None = None

    def add(self, features: Tensor, labels: Tensor) -> None:
        """Add a batch of features (B, D)."""
        rows = features.flatten(1).double()
        if self._sums is None or self._counts is None:
            self._sums = rows.new_zeros(self.num_classes, rows.shape[1])
            self._counts = labels.new_zeros(self.num_classes)
        self._sums.index_add_(0, labels, rows)
        self._counts += torch.bincount(labels, minlength=self.num_classes)

    def arrays(self) -> Arrays:
        """Class means (K, D; NaN without samples), counts (K,), mean of samples and of class means (D,)."""
        assert self._sums is not None
        assert self._counts is not None
        means = self._sums / self._counts[:, None]
        return {
            "class_means": means,
            "counts": self._counts,
            "sample_mean": self._sums.sum(dim=0) / self._counts.sum(),
            "drift": means[self._counts > 0].mean(dim=0),
        }


def _keep(seen: list[Tensor], module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    seen.append(inputs[0].detach())


def _write(path: Path, arrays: Arrays) -> None:
    stored = {name: value.cpu().contiguous() for name, value in arrays.items()}
    write_atomic(path, safetensors.torch.save(stored))
