"""How long a preview, a submission and a status take, and what packing gains, on the test cluster."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import yaml
from pairs import Comparison

REPOSITORY = Path(__file__).parents[1]
sys.path.append(str(REPOSITORY / "slurm" / "testcluster"))

from processes import ClusterError, until  # noqa: E402
from slurm_cluster import Cluster, Settings  # noqa: E402

LAYERSCOPE = Path(sys.executable).with_name("layerscope")
REPEATS = 3
CONFIG = {
    "Model": {"model-name": "mlp_small", "embedding-layers": ["fc"]},
    "Data": {"dataset-id": "digits", "batch-size": 64},
    "Optimizer": {"epochs": 15, "weight-decay": 5e-4},
    "Logging": {"save-dir": "runs", "log-epochs": [0, 2, 5, 15], "trackers": []},
}
JOB = {"partition": "low", "gpus-per-run": 0, "cpus": 1, "mem": "300MB", "timeout": 10}


def run() -> list[Comparison]:
    """Compare each with its bound in seconds, and packed runs with one after the other."""
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        found = _dry_runs(place / "preview")
        try:
            with _cluster() as cluster:
                found += _thousand_runs(cluster, place / "thousand")
                found.append(_packing(cluster, place / "packed"))
        except ClusterError as error:
            sys.stderr.write(f"left out what needs a Slurm: {error}\n")
    return found


def _dry_runs(place: Path) -> list[Comparison]:
    rates = [round(0.001 * number, 3) for number in range(1, 101)]
    decays = [round(1e-5 * number, 5) for number in range(1, 101)]
    matrix = {"Optimizer": {"lr": rates, "weight-decay": decays}}
    last = "Logging.log-epochs=[15]"  # what is kept has to fit the disk, or the preview says that it does not
    flags = [*_files(place, matrix, {}), "--dry-run", "--set", last]
    known, new = ({"LAYERSCOPE_CACHE": folder} for folder in (str(place / "cache"), ""))
    return [
        _within(
            "`--dry-run` of 10,000 cells, network seen before", 3, lambda: _layerscope(place, flags, known)
        ),
        _within("`--dry-run` of 10,000 cells, new network", 3, lambda: _layerscope(place, flags, new)),
    ]


def _thousand_runs(cluster: Cluster, place: Path) -> list[Comparison]:
    """Submit them, held back so that the machine is ours, and ask for their status."""
    rates = [round(0.001 * number, 3) for number in range(1, 101)]
    flags = _files(
        place, {"Optimizer": {"lr": rates}, "Run": {"run": list(range(10))}}, {"extra": {"hold": True}}
    )
    submitting: list[float] = []
    asking: list[float] = []
    for number in range(REPEATS):
        fresh = [*flags, "--set", f"Logging.save-dir=runs{number}"]
        submitting.append(_seconds(partial(_layerscope, place, [*fresh, "-s"], cluster.environment)))
        asking.append(_seconds(partial(_layerscope, place, [*fresh, "--status"], cluster.environment)))
        _empty(cluster)
    return [
        Comparison("submit 1,000 runs, three stages / 10 s", submitting, [10.0] * REPEATS, 1),
        Comparison("`--status` of 1,000 runs / 2 s", asking, [2.0] * REPEATS, 1),
    ]


def _packing(cluster: Cluster, place: Path) -> Comparison:
    """Eight runs of digits, one job at a time: four runs in each, and one."""
    matrix = {"Optimizer": {"lr": [0.01, 0.02, 0.05, 0.1]}, "Run": {"run": [0, 1]}}

    def seconds(runs_per_job: int, number: int) -> float:
        folder = place / f"{runs_per_job}.{number}"
        flags = _files(folder, matrix, {"array-parallelism": 1, "runs-per-job": runs_per_job})
        return _seconds(
            lambda: (
                _layerscope(folder, [*flags, "-s", "--stages", "train"], cluster.environment),
                _wait(cluster),
            )
        )

    times = [(seconds(1, number), seconds(4, number)) for number in range(REPEATS)]
    name = "eight runs of digits, four per job / one per job"
    return Comparison(name, [packed for _, packed in times], [single for single, _ in times], 1 / 1.5)


def _files(place: Path, matrix: object, job: dict[str, object]) -> list[str]:
    """Write a matrix and a profile; the flags that name them."""
    place.mkdir(parents=True)
    (place / "matrix.yaml").write_text(yaml.safe_dump({**CONFIG, "Matrix": matrix}), encoding="utf-8")
    (place / "profile.yaml").write_text(yaml.safe_dump({"Slurm": {**JOB, **job}}), encoding="utf-8")
    return ["-c", "matrix.yaml", "-m", "--profile", "profile.yaml"]


def _layerscope(place: Path, flags: list[str], variables: Mapping[str, str] | None = None) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **(variables or {})}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # Python keeps what it compiled, as it does everywhere
    subprocess.run(
        [LAYERSCOPE, *flags], cwd=place, env=environment, stdout=subprocess.DEVNULL, check=True, timeout=120
    )


def _within(name: str, bound: float, work: Callable[[], object]) -> Comparison:
    """Time ``work`` against a number of seconds, after one warm-up."""
    work()
    return Comparison(f"{name} / {bound:g} s", [_seconds(work) for _ in range(REPEATS)], [bound] * REPEATS, 1)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


@contextmanager
def _cluster() -> Iterator[Cluster]:
    folder = Path(tempfile.gettempdir()) / f"layerscope-bench-{os.getpid()}"
    cluster = Cluster(folder, Settings(cpus=8))
    try:
        cluster.up()
        yield cluster
    finally:
        cluster.down()


def _wait(cluster: Cluster) -> None:
    if not until(lambda: not cluster.run("squeue", "--noheader"), 600):
        raise ClusterError("the jobs of the benchmark did not end in ten minutes")


def _empty(cluster: Cluster) -> None:
    cluster.run("scancel", "--partition=low")
    _wait(cluster)
