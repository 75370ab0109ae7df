"""What the weights at the end of an epoch give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from layerscope.config import Config
from layerscope.data.load import Data
from layerscope.data.split import Split
from layerscope.distributed.share import own_share
from layerscope.training.batches import Batches, held_out_batches
from layerscope.training.forward import Forward
from layerscope.training.probe import fit_probe
from layerscope.training.tally import Counts, Tally
from layerscope.training.watch import never


@dataclass(frozen=True)
class Result:
    """Mean loss of the objective and fraction of right decisions on one split."""

    loss: float
    accuracy: float


Results = dict[str, Result]
"""Name of a split → result on it."""


class Examination:
    """Evaluates the test split, and the validation split if there is one.

    What is trained without labels decides by its linear probe, which is fitted on the training split and
    examined there too.
    """

    def __init__(self, config: Config, data: Data, model: nn.Module, forward: Forward) -> None:
        self.config, self.data, self.model, self.forward = config, data, model, forward

    def results(self, pauses: Callable[[], bool] = never) -> Results | None:
        """Examine the model as it is now; None when stopped on the way."""
        probed = self.config.optimizer.objective != "supervised"
        size = self.config.data.batch_size
        if probed and not fit_probe(self.model, self.data.train, size, pauses):
            return None
        found: Results = {}
        held = [self.data.test] if self.data.validation is None else [self.data.test, self.data.validation]
        for split in held:
            counts = evaluate(self.forward, held_out_batches(self.config, split), pauses)
            if counts is None:
                return None
            found[split.name] = Result(counts.loss, counts.accuracy)
        return self._decided(found, pauses) if probed else found

    def _decided(self, found: Results, pauses: Callable[[], bool]) -> Results | None:
        """The same with the accuracies of the model's own decisions, on the training split too."""
        decided: Results = {}
        for split in (self.data.train, self.data.test, self.data.validation):
            if split is None:
                continue
            accuracy = decisions(self.model, split, self.config.data.batch_size, pauses)
            if accuracy is None:
                return None
            known = found.get(split.name)
            decided[split.name] = Result(known.loss if known else torch.nan, accuracy)
        return decided


@torch.inference_mode()
def evaluate(forward: Forward, batches: Batches, pauses: Callable[[], bool] = never) -> Counts | None:
    """Losses and hits in eval mode; None when stopped on the way."""
    tally = Tally()
    forward.model.eval()
    for images, labels in batches:
        if pauses():
            return None
        loss, logits = forward(images, labels)
        tally.add(loss, logits, labels)
    return tally.counts()


@torch.inference_mode()
def decisions(
    model: nn.Module, split: Split, batch_size: int, pauses: Callable[[], bool] = never
) -> float | None:
    """Fraction of the samples that ``model`` decides right, in eval mode; None when stopped on the way."""
    tally = Tally()
    model.eval()
    for images, labels in split.batches(batch_size, share=own_share()):
        if pauses():
            return None
        logits: Tensor = model(images)
        tally.add(logits.new_zeros(()), logits, labels)
    return tally.counts().accuracy
