"""Losses and hits of one pass over the data, left on the device: no step waits for their values."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor

from layerscope.distributed.exchange import summed


@dataclass(frozen=True)
class Counts:
    """What a pass gave, batch by batch, on the CPU.

    Attributes
    ----------
    sizes, hits : Tensor (steps,), int64
        Samples, and those of them that were decided right.
    losses : Tensor (steps,), float64
        Mean loss of each batch.
    """

    sizes: Tensor = field(default_factory=partial(torch.zeros, 0, dtype=torch.int64))
    losses: Tensor = field(default_factory=partial(torch.zeros, 0, dtype=torch.float64))
    hits: Tensor = field(default_factory=partial(torch.zeros, 0, dtype=torch.int64))

    def __add__(self, later: Counts) -> Counts:
        pairs = ((vars(self)[name], vars(later)[name]) for name in ("sizes", "losses", "hits"))
        return Counts(*(torch.cat(pair) for pair in pairs))

    @property
    def samples(self) -> int:
        """How many samples were seen."""
        return int(self.sizes.sum())

    @property
    def loss(self) -> float:
        """Mean loss over samples; NaN without samples."""
        return float(self.losses @ self.sizes.double() / self.sizes.sum())

    @property
    def accuracy(self) -> float:
        """Fraction of samples decided right, in [0, 1]; NaN without samples."""
        return float(self.hits.sum().double() / self.sizes.sum())

    def of_all_processes(self) -> Counts:
        """The same of the whole batches, of which every process has seen its share."""
        own = torch.stack([self.sizes.double(), self.losses * self.sizes, self.hits.double()])
        total = summed(own)
        if total is own:
            return self
        sizes, losses, hits = total
        return Counts(sizes.long(), losses / sizes, hits.long())


class Tally:
    """Collects one loss and one count of right decisions per batch."""

    def __init__(self) -> None:
        self._sizes: list[int] = []
        self._losses: list[Tensor] = []
        self._hits: list[Tensor] = []

    def add(self, loss: Tensor, logits: Tensor | None, labels: Tensor) -> None:
        """Note a batch: its mean loss (scalar), logits (B, K) and labels (B,); without logits, no hits."""
        self._sizes.append(len(labels))
        self._losses.append(loss.detach())
        none = labels.new_zeros(())
        self._hits.append(none if logits is None else (logits.detach().argmax(dim=1) == labels).sum())

    def counts(self) -> Counts:
        """What was collected, of all processes; waits for the device."""
        if not self._sizes:
            return Counts()
        losses, hits = (torch.stack(values).cpu() for values in (self._losses, self._hits))
        return Counts(torch.tensor(self._sizes), losses.double(), hits).of_all_processes()
