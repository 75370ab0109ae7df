"""Real processes that share one run, and small configs for them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from layerscope.config import dump_yaml, parse_config

SERVER = Path(__file__).with_name("rank_server.py")

BASE = {
    "Model": {"model-name": "mlp_small_nobn"},
    "Data": {"dataset-id": "digits", "batch-size": 63, "subset": 200},
    "Optimizer": {"lr": 0.05, "epochs": 3, "weight-decay": 1e-3},
    "Logging": {"save-dir": "unused", "log-epochs": [0, 1, 2, 3]},
}


@dataclass(frozen=True)
class Ended:
    """How the processes of one task ended, by rank."""

    codes: list[int | None]
    outputs: list[str]
    seconds: float


@pytest.fixture(scope="session")
def server():
    with subprocess.Popen(
        [sys.executable, SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.stdin.close()
        process.wait(timeout=20)


@pytest.fixture(scope="session")
def run_ranks(server):
    """``run_ranks("train", 2, folder, name=…)``: the task in two processes, to its end."""

    def run(task, size, folder, *, seconds=90, until=None, **options) -> Ended:
        request = {"task": task, "size": size, "folder": str(folder), "options": options}
        request |= {"timeout": seconds, "until": until}
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        return Ended(**json.loads(server.stdout.readline()))

    return run


@pytest.fixture(scope="session")
def succeed(run_ranks):
    """The same, where every process has to end well; returns what rank 0 said last."""

    def run(task, size, folder, **options) -> str:
        ended = run_ranks(task, size, folder, **options)
        assert ended.codes == [0] * size, "\n".join(ended.outputs)
        return ended.outputs[0].splitlines()[-1]

    return run


@pytest.fixture(scope="session")
def write_config():
    """Write a small config, with any keys replaced, into a folder."""

    def write(folder, **sections):
        names = {*BASE, *sections}
        config = parse_config({name: {**BASE.get(name, {}), **sections.get(name, {})} for name in names})
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.yaml").write_text(dump_yaml(config.resolved()))
        return config

    return write
