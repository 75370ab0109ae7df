"""One epoch from where it begins to its end: how far it has come, how long it took, when it pauses."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from layerscope.training.observer import Observed, Observer, joined
from layerscope.training.randomness import dropout_states
from layerscope.training.tally import Counts, Tally
from layerscope.training.watch import Watch, Wish

States = Mapping[int, Mapping[str, Tensor]]


@dataclass(frozen=True)
class EpochPart:
    """An epoch up to the boundary of a step.

    Attributes
    ----------
    step : int
        Finished steps.
    seconds : float
        Time they took, over all attempts.
    counts : Counts
        Their losses and hits.
    dropout : mapping
        Rank → states of its random streams there (see :func:`dropout_states`).
    observed : mapping
        What the observer saw of them.
    """

    step: int = 0
    seconds: float = 0.0
    counts: Counts = field(default_factory=Counts)
    dropout: States = field(default_factory=dict)
    observed: Observed = field(default_factory=dict)

    def to_tree(self) -> dict[str, Any]:
        """Plain numbers and tensors, for a resume point."""
        return {**vars(self), "counts": dict(vars(self.counts))}

    @classmethod
    def of_tree(cls, tree: Mapping[str, Any]) -> EpochPart:
        """What :meth:`to_tree` described."""
        return cls(**{**tree, "counts": Counts(**tree["counts"])})


def forget(part: EpochPart) -> None:
    """Save nothing."""


class Course:
    """Goes with one epoch.

    Parameters
    ----------
    watch : Watch
    save : callable
        Makes a resume point of the part so far.
    begin : EpochPart
        Where the epoch goes on; its beginning when omitted.
    device
        Where the model's own randomness is drawn.
    observer : Observer
        Looks at every step.
    """

    def __init__(
        self,
        watch: Watch | None = None,
        save: Callable[[EpochPart], None] = forget,
        begin: EpochPart | None = None,
        device: torch.device | None = None,
        observer: Observer | None = None,
    ) -> None:
        self.begin = self._reached = begin or EpochPart()
        self.tally = Tally()
        self._watch, self._save = watch or Watch(), save
        self._saved_step = self.begin.step
        self._device = device or torch.device("cpu")
        self.observer = observer or Observer()
        self._continued = time.perf_counter()

    def reach(self, step: int) -> EpochPart:
        """The epoch up to ``step``, where it stands now; waits for the device."""
        before = self._reached
        if step > before.step:
            counts = before.counts + self.tally.counts()
            seconds = before.seconds + time.perf_counter() - self._continued
            observed = joined(before.observed, self.observer.take())
            self._reached = EpochPart(step, seconds, counts, dropout_states(self._device), observed)
            self.tally, self._continued = Tally(), time.perf_counter()
        return self._reached

    @property
    def observed(self) -> Observed:
        """What the observer saw up to the step that was reached."""
        return self._reached.observed

    def pauses(self, step: int) -> bool:
        """Whether to stop before ``step``; a resume point is saved if one is due or the epoch is left."""
        wish = self._watch.ask()
        if wish is Wish.GO_ON:
            return False
        if step > self._saved_step:
            self._save(self.reach(step))
            self._saved_step, self._continued = step, time.perf_counter()
        return wish is Wish.STOP
