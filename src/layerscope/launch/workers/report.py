"""What a worker writes into its log: plain lines, each with the time and the run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

from layerscope.heartbeat import this_worker
from layerscope.provenance import now, provenance

if TYPE_CHECKING:
    from layerscope.training.log import EpochRow


class Report:
    """Told of what a worker does; also the reporter of its training.

    Parameters
    ----------
    name : str
        Of the run.
    stream : TextIO or None
        None: nothing is written.
    """

    def __init__(self, name: str, stream: TextIO | None) -> None:
        self.name = name
        self.stream = stream
        self.epochs = 0
        self._device = ""

    def message(self, text: str) -> None:
        """Write a line."""
        if self.stream is not None:
            self.stream.write(f"{now()} {self.name}: {text}\n")
            self.stream.flush()

    def begin(self, stages: Sequence[str], device: str) -> None:
        """Say what is about to run, where, and with what."""
        about, visible = provenance(), os.environ.get("CUDA_VISIBLE_DEVICES")
        versions = ", ".join(f"{name} {version}" for name, version in about["libraries"].items())
        self.message(f"{', '.join(stages)} by {this_worker()}")
        self._device = device
        self.message(f"device {device}" + ("" if visible is None else f", CUDA_VISIBLE_DEVICES={visible!r}"))
        commit = f" ({about['git']['commit'][:12]}{'+' * about['git']['dirty']})" if about["git"] else ""
        self.message(f"layerscope {about['layerscope']}{commit}, python {about['python']}, {versions}")

    def epoch(self, row: EpochRow) -> None:
        """Say what an epoch gave."""
        from layerscope.training.progress import describe

        self._say_device()
        self.message(describe(row, self.epochs))

    def measuring(self, epochs: Iterable[int]) -> Iterator[int]:
        """The checkpoints to measure, each announced."""
        self._say_device()
        wanted = list(epochs)
        for number, epoch in enumerate(wanted, start=1):
            self.message(f"measuring checkpoint {number}/{len(wanted)} (epoch {epoch})")
            yield epoch

    def _say_device(self) -> None:
        """Say once what the device turned out to be; only now, for torch is loaded by the work itself."""
        if self._device:
            from layerscope.devices import device_of

            device, self._device = device_of(self._device), ""
            self.message(f"working on {device}")
