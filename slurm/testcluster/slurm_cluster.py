"""One node, its controller, its authentication and its accounting, in one scratch folder."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import random
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import configuration
from accounting import Accounting
from daemon import MARK, Daemon
from processes import (
    ClusterError,
    alone,
    kill_all,
    program,
    succeeds,
    with_sockets_in,
    with_variables,
)

PACKAGES = {
    "munged": "munge",
    "slurmctld": "slurm-wlm",
    "slurmd": "slurm-wlm",
    "sbatch": "slurm-wlm",
    "slurmdbd": "slurmdbd",
    "mariadbd": "mariadb-server",
}
LONGEST_PATH = 60  # the paths of the sockets in the folder must stay below 108 bytes
ATTEMPTS = 3  # at finding free ports
PORT_TAKEN = "Address already in use"


@dataclass(frozen=True)
class Settings:
    """What can be chosen about a cluster.

    Parameters
    ----------
    cpus : int
        How many the node claims to have, whatever the machine has.
    max_array_size : int
        One more than the largest index of an array.
    kill_wait, min_job_age : int
        Seconds from SIGTERM to SIGKILL; seconds for which a finished job is remembered.
    accounting : bool
        Keep a data base of jobs, so that ``sacct`` works.
    """

    cpus: int = 8
    max_array_size: int = 1001
    kill_wait: int = 3
    min_job_age: int = 300
    accounting: bool = False


class Cluster:
    """One node, its controller, and the authentication daemon that both trust.

    Parameters
    ----------
    folder : Path
    settings : Settings
    """

    def __init__(self, folder: Path, settings: Settings | None = None) -> None:
        self.folder = folder.absolute()
        self.settings = settings or Settings()

    @property
    def conf(self) -> Path:
        """What SLURM_CONF has to name."""
        return self.folder / "slurm.conf"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point Slurm's commands at this cluster."""
        return {"SLURM_CONF": str(self.conf)}

    @property
    def record(self) -> Path:
        """The settings of the cluster in this folder; a folder without it is not ours to delete."""
        return self.folder / "testcluster.json"

    def check(self) -> None:
        """Make sure that a cluster can be started here.

        Raises
        ------
        ClusterError
            Programs are missing, with the packages that have them; or the folder's name is too long.
        """
        needed = ["munged", "slurmctld", "slurmd", "sbatch"]
        needed += ["slurmdbd", "mariadbd"] if self.settings.accounting else []
        missing = dict.fromkeys(PACKAGES[name] for name in needed if program(name) is None)
        if missing:
            raise ClusterError(f"Slurm is not complete here: apt-get install {' '.join(missing)}")
        if len(str(self.folder)) > LONGEST_PATH:
            raise ClusterError(f"{self.folder}: choose a --folder of at most {LONGEST_PATH} characters")

    def up(self) -> None:
        """Start it and wait until the node takes jobs; nothing to do when it does already.

        Raises
        ------
        ClusterError
            A package is missing, or a daemon does not come up; its log is kept and quoted.
        """
        self.check()
        with self._alone():
            if self.is_up():
                self._same_settings()
                return
            self._clear()
            self._make_folder()
            self._start()

    def down(self) -> None:
        """End every job, stop the daemons, delete the folder. Also for what a crash has left."""
        with self._alone():
            self._clear()

    def is_up(self) -> bool:
        """Whether the node takes jobs."""
        running = all(self._daemon(name).pid() for name in ("slurmctld", "slurmd"))
        return running and self._node_state() in {"idle", "mixed", "allocated", "completing"}

    def start_controller(self) -> None:
        """Start slurmctld; it takes up the state that an earlier one left."""
        self._daemon("slurmctld", "-D").start(self._controller_answers)

    def stop_controller(self) -> None:
        """Stop slurmctld alone; running jobs go on."""
        self._daemon("slurmctld").stop()

    def run(self, *command: str, timeout: float = 60.0) -> str:
        """The output of one of Slurm's commands on this cluster.

        Raises
        ------
        ClusterError
            The command failed, or did not answer in time.
        """
        try:
            answer = subprocess.run(
                command,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ClusterError(f"{command[0]} did not answer in {timeout:.0f} s") from error
        if answer.returncode != 0:
            raise ClusterError(f"{' '.join(command)}: {answer.stderr.strip() or answer.returncode}")
        return answer.stdout.strip()

    def _same_settings(self) -> None:
        there = json.loads(self.record.read_text(encoding="utf-8"))
        if there != asdict(self.settings):
            raise ClusterError(
                f"{self.folder} runs a cluster of other settings ({there}): take it down first"
            )

    def _make_folder(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True)
        self.record.write_text(json.dumps(asdict(self.settings)), encoding="utf-8")
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        key = self.folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(128))

    def _start(self) -> None:
        for _ in range(ATTEMPTS - 1):
            if self._starts():
                return
        self._start_daemons()

    def _starts(self) -> bool:
        """Start the daemons; False when another program was faster to take one of their ports."""
        try:
            self._start_daemons()
        except ClusterError as error:
            if PORT_TAKEN in str(error):
                return False
            raise
        return True

    def _start_daemons(self) -> None:
        self._configure(*_free_ports(3))
        try:
            self._start_authentication()
            self._start_slurm()
        except BaseException:
            self._stop_daemons()
            raise

    def _start_authentication(self) -> None:
        socket_file = self.folder / "munge.socket"
        files = [f"--{name}-file={self.folder}/munge.{name}" for name in ("key", "pid", "seed", "log")]
        munged = self._daemon("munged", "--foreground", "--force", f"--socket={socket_file}", *files)
        munged.start(lambda: succeeds("munge", "--no-input", f"--socket={socket_file}"))

    def _start_slurm(self) -> None:
        if self.settings.accounting:
            self._accounting.start()
            self.run("sacctmgr", "--immediate", "add", "cluster", "testcluster")
        self.start_controller()
        self._daemon("slurmd", "-D").start(self.is_up)

    def _stop_daemons(self) -> None:
        for name in ("slurmctld", "slurmd"):
            self._daemon(name).stop()
        kill_all(self._left_of_jobs)
        self._accounting.stop()
        self._daemon("munged").stop()
        kill_all(
            lambda: with_variables(f"{MARK}={self.folder}")
        )  # their starter was killed before it noted them

    def _clear(self) -> None:
        if not self.folder.exists() or not any(self.folder.iterdir()):
            shutil.rmtree(self.folder, ignore_errors=True)
            return
        if not self.record.exists():
            raise ClusterError(f"{self.folder} is not a test cluster's folder; choose another --folder")
        self._stop_daemons()
        shutil.rmtree(self.folder)

    def _left_of_jobs(self) -> set[int]:
        """Jobs outlive the daemons: their processes, and slurmstepd over each."""
        ours = with_variables(f"SLURM_CONF={self.conf}", "SLURM_JOB_ID=")
        return (ours | with_sockets_in(self.folder / "spool")) - {os.getpid()}

    def _controller_answers(self) -> bool:
        return bool(self._node_state())

    def _node_state(self) -> str:
        try:
            return self.run("sinfo", "--noheader", "--partition=low", "--format=%T", timeout=5)
        except ClusterError:
            return ""

    def _configure(self, controller_port: int, node_port: int, database_port: int) -> None:
        accounting = (
            configuration.WITH_ACCOUNTING if self.settings.accounting else configuration.WITHOUT_ACCOUNTING
        )
        values = {
            **asdict(self.settings),
            "host": socket.gethostname().partition(".")[0],
            "user": getpass.getuser(),
            "folder": self.folder,
            "controller_port": controller_port,
            "node_port": node_port,
            "database_port": database_port,
            "accounting": accounting.format(folder=self.folder, database_port=database_port),
        }
        self.conf.write_text(configuration.SLURM.format(**values), encoding="utf-8")
        (self.folder / "gres.conf").write_text(configuration.GRES.format(**values), encoding="utf-8")
        self._accounting.conf.touch(mode=0o600)
        self._accounting.conf.write_text(configuration.DATABASE.format(**values), encoding="utf-8")

    def _daemon(self, name: str, *flags: str) -> Daemon:
        slurm = ("-f", str(self.conf)) if name.startswith("slurm") else ()
        return Daemon((program(name) or name, *flags, *slurm), self.folder, self.environment)

    @property
    def _accounting(self) -> Accounting:
        return Accounting(self.folder, getpass.getuser(), self.environment)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One ``up`` or ``down`` at a time; the lock goes with its process."""
        with alone(self.folder.with_name(self.folder.name + ".lock"), patience=120):
            yield


def _free_ports(count: int) -> list[int]:
    """Ports that are free now, and that the kernel does not give to outgoing connections later."""
    found: list[int] = []
    for port in random.SystemRandom().sample(range(10_000, 30_000), 500):
        with socket.socket() as trial, contextlib.suppress(OSError):
            trial.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            break
    return found
