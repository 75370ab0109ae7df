"""A small network that can be held in training, as a file says, without using the processor."""

import os
import signal
import time
from pathlib import Path

from torch import nn


class Paced(nn.Sequential):
    """Before a batch that it trains on, waits until its process may do one more, or is told to stop."""

    batches = 0

    def forward(self, images):
        if self.training:
            while self.batches >= allowed() and not asked_to_stop():
                time.sleep(0.05)
            self.batches += 1
        return super().forward(images)


def allowed():
    """How many batches a process may train on; from the file that PACE names."""
    return float(Path(os.environ["PACE"]).read_text()) if "PACE" in os.environ else float("inf")


def asked_to_stop():
    """Whether the worker was told to save and end: its handler belongs to what knows."""
    request = getattr(signal.getsignal(signal.SIGUSR2), "__self__", None)
    return request is not None and request()


def build(shape, num_classes):
    pixels = shape[0] * shape[1] * shape[2]
    return Paced(nn.Flatten(), nn.Linear(pixels, 16), nn.ReLU(), nn.Linear(16, num_classes))
