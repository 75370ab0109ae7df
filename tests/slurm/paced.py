"""A small network that takes its time in training, as a file says, without using the processor."""

import os
import time
from pathlib import Path

from torch import nn


class Paced(nn.Sequential):
    """Waits before each batch that it trains on, except for the first ones of the process."""

    batches = 0

    def forward(self, images):
        if self.training:
            seconds, quick = pace()
            time.sleep(seconds if self.batches >= quick else 0)
            self.batches += 1
        return super().forward(images)


def pace():
    """Seconds per batch, and how many batches go without; from the file that PACE names."""
    if "PACE" not in os.environ:
        return 0.0, 0
    seconds, quick = Path(os.environ["PACE"]).read_text().split()
    return float(seconds), int(quick)


def build(shape, num_classes):
    pixels = shape[0] * shape[1] * shape[2]
    return Paced(nn.Flatten(), nn.Linear(pixels, 16), nn.ReLU(), nn.Linear(16, num_classes))
