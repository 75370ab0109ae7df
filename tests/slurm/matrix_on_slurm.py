"""One small matrix that is launched on a real cluster, from its own folder and by the command line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import patch

import yaml
from processes import with_variables

from layerscope.config import load_matrix
from layerscope.files import write_atomic
from layerscope.launch.states.stage_states import stage_states
from layerscope.run import Run

REPOSITORY = Path(__file__).parents[2]
MAIN = REPOSITORY / "src" / "main.py"
PACED = Path(__file__).with_name("paced.py")
EPOCHS, BATCHES = 6, 4
BASE = {
    "Model": {"model-name": "paced:build", "embedding-layers": ["1", "3"]},
    "Data": {"dataset-id": "digits", "batch-size": 64, "subset": 256},
    "Optimizer": {"epochs": EPOCHS, "weight-decay": 5e-4},
    "Logging": {"save-dir": "runs", "log-epochs": [0, 2, EPOCHS], "trackers": []},
    "Measurements": {"measures": "Fast"},
}
PROFILE = {"partition": "low", "gpus-per-run": 0, "cpus": 1, "mem": "300MB", "timeout": "2h"}
TABLES = ("train", "measure")  # the stages before the figures, which cost seconds each
PATIENCE = 600.0  # seconds for jobs to get somewhere, on a machine that does other things too


class MatrixOnSlurm:
    """A matrix over learning rates and repetitions of :mod:`paced`, or over what ``axes`` say.

    Parameters
    ----------
    place : Path
        An empty folder, from which the commands are given.
    cluster : Cluster
    axes : mapping
        Section → key → alternatives.
    slurm : mapping
        Keys of ``Slurm`` in place of those of ``PROFILE``.
    base : mapping
        Sections in place of those of ``BASE``.
    """

    def __init__(self, place, cluster, axes, *, slurm=None, base=None):
        self.place, self.cluster = place, cluster
        place.mkdir(parents=True, exist_ok=True)
        self.source = place / "paced.py"
        self.source.write_text(PACED.read_text())
        self.yaml = place / "matrix.yaml"
        self.write({**BASE, **(base or {}), "Matrix": axes})
        self.profile = place / "profile.yaml"
        self.profile.write_text(yaml.safe_dump({"Slurm": {**PROFILE, **(slurm or {})}}))
        self._expand()

    def _expand(self):
        self.cells = {cell.name: cell.config for cell in load_matrix(self.yaml)}
        self.release()

    def write(self, content):
        """Replace the matrix file."""
        self.yaml.write_text(yaml.safe_dump(content))

    def hold(self, epochs):
        """Let each process train for so many epochs, and then wait until it is released or told to stop."""
        write_atomic(self.place / "pace", str(epochs * BATCHES))

    def release(self):
        """Let all train to the end."""
        write_atomic(self.place / "pace", "inf")

    @property
    def environment(self):
        return {**os.environ, **self.cluster.environment, "PACE": str(self.place / "pace")}

    def command(self, *flags):
        """The arguments of a call of the program on the cluster."""
        return self._program(*self._profile_flags, *flags)

    @property
    def _profile_flags(self):
        return "--profile", self.profile.name

    def _program(self, *flags):
        return [sys.executable, str(MAIN), "-c", str(self.yaml.relative_to(self.place)), "-m", *flags]

    def call(self, *flags, environment=None):
        """Call the program and wait for it."""
        return self._run(self.command(*flags), {**self.environment, **(environment or {})})

    def run_here(self):
        """Train and measure in one process, one run after the other."""
        answer = self._run(self._program("--stages", ",".join(TABLES), "--device", "cpu", "-q"), os.environ)
        assert answer.returncode == 0, answer.stderr
        return {run: results(self.folder(run)) for run in self.cells}

    def _run(self, command, environment):
        return subprocess.run(
            command,
            cwd=self.place,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def succeed(self, *flags, **options):
        """Call the program; what it printed. It must succeed."""
        answer = self.call(*flags, **options)
        assert answer.returncode == 0, f"{flags}: {answer.stdout}\n{answer.stderr}\n{self.report()}"
        return answer.stdout

    def submit(self, stages=TABLES, *flags, **options):
        """Submit the stages."""
        return self.succeed("-s", "--stages", ",".join(stages), *flags, **options)

    def retry(self):
        """Submit again whatever was not done."""
        return self.succeed("--retry", "all", "--stages", ",".join(TABLES))

    def folder(self, run):
        return self.place / self.cells[run].logging.save_dir / run

    def status(self, run, stage):
        """What the status file says; empty when there is none."""
        try:
            return json.loads((self.folder(run) / "status" / f"{stage}.json").read_text())
        except FileNotFoundError:
            return {}

    def verdicts(self, stage):
        """Run → how the stage really stands, and why; what ``--status`` shows."""
        runs = [Run(config, self.folder(run), run) for run, config in self.cells.items()]
        with patch.dict(os.environ, self.environment):
            found = stage_states(runs)
        return {
            run.name: (states[stage].state, states[stage].reason)
            for run, states in zip(runs, found, strict=True)
        }

    def job(self, run, stage="train"):
        """Slurm's id of the job of a stage."""
        return self.status(run, stage)["job"]

    def processes(self, run, stage="train"):
        """The processes of the job of a stage."""
        array, _, task = self.job(run, stage).partition("_")
        return with_variables(
            f"SLURM_CONF={self.cluster.conf}", f"SLURM_ARRAY_JOB_ID={array}", f"SLURM_ARRAY_TASK_ID={task}"
        )

    def epochs(self, run):
        """How many epochs the log has."""
        try:
            return max(len((self.folder(run) / "log.csv").read_text().splitlines()) - 2, 0)
        except FileNotFoundError:
            return 0

    def queue(self, *flags):
        """Lines "id state" of the jobs that were submitted from our folder."""
        lines = self.cluster.run("squeue", "--noheader", "--array", "--format=%i %T %Z", *flags).splitlines()
        return [line.rsplit(" ", 1)[0] for line in lines if line.endswith(f" {self.place}")]

    def submitted(self):
        """Ids of all jobs ever submitted from our folder, as far as the controller remembers."""
        return sorted(line.split()[0] for line in self.queue("--states=all"))

    def wait(self, condition, what, seconds=PATIENCE):
        """Wait until ``condition`` is true; say how things stand when it does not come true."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"waited {seconds:.0f} s for {what}\n{self.report()}"
            time.sleep(0.2)

    def wait_for_epoch(self, epoch, runs=None):
        chosen = runs or list(self.cells)
        self.wait(lambda: all(self.epochs(run) >= epoch for run in chosen), f"epoch {epoch} of {chosen}")

    def wait_for_end(self, seconds=PATIENCE):
        """Wait until no job of ours is left."""
        self.wait(lambda: not self.queue(), "the queue to be empty", seconds)

    def finish(self, stages=TABLES, runs=None, seconds=PATIENCE):
        """Wait for the jobs to end; every stage must be done then."""
        self.wait_for_end(seconds)
        for stage in stages:
            for run in runs or self.cells:
                assert self.status(run, stage).get("state") == "done", f"{run}: {stage}\n{self.report()}"

    def report(self):
        """How things stand, for the message of a test that failed."""
        parts = [f"queue: {self.queue('--states=all')}"]
        paths = sorted(self.place.rglob("status/*.json"))
        logs = sorted(
            {path.resolve() for pattern in ("*.log", "*.out", "*.err") for path in self.place.rglob(pattern)},
            key=lambda path: path.stat().st_mtime,
        )
        parts += [f"== {path.relative_to(self.place)}\n{tail(path, 5)}" for path in paths]
        parts += [f"== {path}\n{tail(path, 15)}" for path in logs[-8:]]
        return "\n".join([*parts, f"== slurmctld.log\n{tail(self.cluster.folder / 'slurmctld.log', 30)}"])


class DebugMatrix(MatrixOnSlurm):
    """``matrix/debug.yaml``, as it is shipped and without a profile."""

    def __init__(self, place, cluster):
        self.place, self.cluster = place, cluster
        self.yaml = place / "matrix" / "debug.yaml"
        self.yaml.parent.mkdir(parents=True)
        shutil.copy(REPOSITORY / "matrix" / "debug.yaml", self.yaml)
        self._expand()

    @property
    def _profile_flags(self):
        return ()


def tail(path, lines):
    """The end of a text file."""
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError as error:
        return str(error)


def results(folder):
    """Weights, tables, and what the log says about learning (not about time)."""
    paths = sorted([*folder.glob("checkpoints/*.safetensors"), *folder.glob("measurements/*.csv")])
    files = {path.name: path.read_bytes() for path in paths}
    lines = (folder / "log.csv").read_text().splitlines()
    return {**files, "log.csv": [line.split(",")[:-2] for line in lines]}
