"""Real configs, the real digits, and one call that trains them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from layerscope.config import Config, parse_config
from layerscope.data.load import Data, load_data
from layerscope.models.build import build_model
from layerscope.training.checkpoints import CheckpointStore
from layerscope.training.log import EpochLog
from layerscope.training.loop import Outcome, train
from layerscope.training.progress import QuietReporter

CPU = torch.device("cpu")

BASE: dict[str, dict[str, Any]] = {
    "Model": {"model-name": "mlp_small"},
    "Data": {"dataset-id": "digits", "batch-size": 64, "subset": 200},
    "Optimizer": {"lr": 0.05, "epochs": 3},
    "Logging": {"save-dir": "unused", "log-epochs": [0, 1, 2, 3]},
}


@pytest.fixture(autouse=True, scope="package")
def _one_thread() -> Iterator[None]:
    """Small networks gain nothing from more, and lose much when the machine is busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def config_of() -> Callable[..., Config]:
    """A small run on the digits, with any keys replaced: ``config_of(Optimizer={"lr": 1})``."""

    def make(**sections: dict[str, Any]) -> Config:
        names = {*BASE, *sections}
        return parse_config({name: {**BASE.get(name, {}), **sections.get(name, {})} for name in names})

    return make


@dataclass
class Workbench:
    """One run's folder and what trains in it; every call of :meth:`train` is a new process' point of view."""

    config: Config
    folder: Path
    data: Data = field(init=False)

    def __post_init__(self):
        self.data = load_data(self.config.data, self.config.run, CPU)

    @property
    def store(self) -> CheckpointStore:
        return CheckpointStore(self.folder / "checkpoints")

    @property
    def log(self) -> EpochLog:
        return EpochLog(self.folder / "log.csv")

    def model(self) -> nn.Module:
        seed = self.config.run.seed_for("init")
        return build_model(self.config.model, self.data.train.shape, self.data.train.num_classes, seed=seed)

    def train(self, model: nn.Module | None = None, **options: Any) -> Outcome:
        chosen = {"device": CPU, "reporter": QuietReporter(), **options}
        return train(self.config, self.data, model or self.model(), self.store, self.log, **chosen)

    def result(self) -> dict[str, bytes | list[str]]:
        """What must not depend on interruptions: checkpoints byte by byte, the log without its times."""
        files = {path.name: path.read_bytes() for path in self.store.folder.glob("*.safetensors")}
        manifest = self.store.manifest.path.read_bytes()
        return {**files, "manifest": manifest, "log": self.timeless_log()}

    def timeless_log(self) -> list[str]:
        lines = (self.folder / "log.csv").read_text().splitlines()
        return [",".join(line.split(",")[:-2]) for line in lines]


@pytest.fixture
def workbench(tmp_path: Path, config_of: Callable[..., Config]) -> Callable[..., Workbench]:
    """A workbench in a fresh folder: ``workbench("a", Optimizer={"lr": 1})``."""

    def make(name: str = "run", **sections: dict[str, Any]) -> Workbench:
        return Workbench(config_of(**sections), tmp_path / name)

    return make
