"""Trains one config in child processes that die at random moments. Run by test_resume_after_kill.py.

Usage: kill_driver.py CONFIG FOLDER KILLS SEED. Children are forked from one process that has torch imported,
so that every death falls into training rather than into imports. A moment is a number of epochs and a part of
one more: the run gets on however slow the machine is just then. Prints one JSON line.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

from layerscope.config import load_config
from layerscope.data.load import load_data
from layerscope.models.build import build_model
from layerscope.training.checkpoints import CheckpointStore
from layerscope.training.log import EpochLog
from layerscope.training.loop import train
from layerscope.training.optimizers import build_optimizer
from layerscope.training.progress import QuietReporter

torch.set_num_threads(1)  # the same for every process; and a thread pool does not survive a fork


CPU = torch.device("cpu")
MOST_EPOCHS = 2  # that one child lives for, before the part of one more


class Doomed(QuietReporter):
    """A reporter that has its process killed ``delay`` seconds after it was told of ``epochs`` epochs.

    The kernel does it: the alarm's default action, like SIGKILL, ends a process between any two instructions.
    """

    def __init__(self, epochs: int, delay: float) -> None:
        self.epochs = epochs
        self.delay = delay
        self._count(0)

    def epoch(self, row) -> None:
        self._count(1)

    def _count(self, epochs: int) -> None:
        self.epochs -= epochs
        if self.epochs == 0:
            signal.setitimer(signal.ITIMER_REAL, self.delay)


class Attempts:
    """Training one config in one folder, by one child process after the other."""

    def __init__(self, config, folder: Path) -> None:
        self.config = config
        self.folder = folder
        self.data = load_data(config.data, config.run, CPU)
        # The first ones import what children should not have to import again.
        build_optimizer(config.optimizer, self.model())

    def model(self):
        seed = self.config.run.seed_for("init")
        shape, classes = self.data.train.shape, self.data.train.num_classes
        return build_model(self.config.model, shape, classes, seed=seed)

    def train(self, doom: tuple[int, float] | None) -> None:
        model, store = self.model(), CheckpointStore(self.folder / "checkpoints")
        log = EpochLog(self.folder / "log.csv")
        reporter = Doomed(*doom) if doom else QuietReporter()
        train(self.config, self.data, model, store, log, device=CPU, reporter=reporter)

    def child(self, doom: tuple[int, float] | None = None) -> int:
        """Train in a child to its end; return how that was (see :func:`os.waitpid`)."""
        child = os.fork()
        if child == 0:
            try:
                self.train(doom)
                os._exit(0)
            finally:
                os._exit(1)
        return os.waitpid(child, 0)[1]

    def finish(self) -> float:
        """Train to the end; return the seconds it took."""
        began = time.perf_counter()
        status = self.child()
        assert status == 0, f"training ended with status {status}"
        return time.perf_counter() - began

    def kill_after(self, epochs: int, delay: float) -> bool:
        """Train for some epochs and ``delay`` seconds; return whether the kill found it still at it."""
        status = self.child((epochs, delay))
        assert os.WIFSIGNALED(status) or status == 0, f"training ended with status {status}"
        return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM

    def last_epoch(self) -> int:
        rows = EpochLog(self.folder / "log.csv").rows()
        return rows[-1].epoch if rows else -1


def main(path: str, place: str, kills: int, seed: int) -> None:
    config, chance = load_config(Path(path)), random.Random(seed)
    an_epoch = Attempts(config, Path(place) / "whole").finish() / config.optimizer.epochs
    attempts = Attempts(config, Path(place) / "killed")
    killed, epochs = 0, []
    for _ in range(kills):
        killed += attempts.kill_after(chance.randint(0, MOST_EPOCHS), chance.uniform(0, 1) * an_epoch)
        epochs.append(attempts.last_epoch())
    attempts.finish()
    print(json.dumps({"killed": killed, "epochs": epochs}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
