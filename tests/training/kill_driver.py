"""Trains one config in child processes and kills them at random moments. Run by test_resume_after_kill.py.

Usage: kill_driver.py CONFIG FOLDER KILLS SEED. Children are forked from one process that has torch imported,
so that every kill falls into training rather than into imports. Prints one JSON line.
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

    def train(self, started: int) -> None:
        model, store = self.model(), CheckpointStore(self.folder / "checkpoints")
        log = EpochLog(self.folder / "log.csv")
        os.write(started, b"!")
        train(self.config, self.data, model, store, log, device=CPU, reporter=QuietReporter())

    def start(self) -> int:
        """Fork a child; return its id once its training has begun."""
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                self.train(writing)
                os._exit(0)
            finally:
                os._exit(1)
        os.close(writing)
        assert os.read(reading, 1) == b"!", "the child died before training"
        os.close(reading)
        return child

    def finish(self) -> float:
        """Train to the end; return the seconds it took."""
        child, began = self.start(), time.perf_counter()
        _, status = os.waitpid(child, 0)
        assert status == 0, f"training ended with status {status}"
        return time.perf_counter() - began

    def kill_after(self, delay: float) -> bool:
        """Train for ``delay`` seconds; return whether the kill found the child still at it."""
        child = self.start()
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL

    def last_epoch(self) -> int:
        rows = EpochLog(self.folder / "log.csv").rows()
        return rows[-1].epoch if rows else -1


def main(path: str, place: str, kills: int, seed: int) -> None:
    config, chance = load_config(Path(path)), random.Random(seed)
    seconds = Attempts(config, Path(place) / "whole").finish()
    attempts = Attempts(config, Path(place) / "killed")
    killed, epochs = 0, []
    for _ in range(kills):  # all delays together are shorter than the run, so that none comes too late
        killed += attempts.kill_after(chance.uniform(0.1, 1.0) * seconds / kills)
        epochs.append(attempts.last_epoch())
    attempts.finish()
    print(json.dumps({"killed": killed, "epochs": epochs, "seconds": seconds}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
