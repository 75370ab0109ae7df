#!/usr/bin/env python3
"""A real Slurm on this one machine, for tests and for trying things out. Debian or Ubuntu, as root.

    apt-get install slurm-wlm munge          # and slurmdbd mariadb-server for --accounting
    python slurm/testcluster/cluster.py up   # prints the line that points sbatch and squeue at it
    python slurm/testcluster/cluster.py down

Everything lives in one scratch folder (state, logs, pids), so several clusters can run side by side. There are
two partitions, ``low`` and ``high``; a job on ``high`` preempts and requeues those on ``low``. GPUs are pretended.
Python's standard library only.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DEFAULT_FOLDER = Path("/tmp/layerscope-testcluster")
PATIENCE = 60  # seconds for a daemon to answer
MUNGE_SOCKET = Path("/run/munge/munge.socket.2")

SLURM_CONF = """\
ClusterName=testcluster
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
AuthType=auth/munge
CryptoType=crypto/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=100
SchedulerParameters=sched_interval=2,bf_interval=2
JobRequeue=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
ReturnToService=2
SlurmdParameters=config_overrides
GresTypes=gpu
MailProg=/bin/true
MaxArraySize={max_array_size}
MaxJobCount=20000
MinJobAge=300
KillWait={kill_wait}
InactiveLimit=0
OverTimeLimit=0
{accounting}
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=20000 Gres=gpu:2 State=UNKNOWN
PartitionName=low Nodes={host} Default=YES MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=high Nodes={host} MaxTime=INFINITE State=UP PriorityTier=10
"""

WITHOUT_ACCOUNTING = "AccountingStorageType=accounting_storage/none\nJobAcctGatherType=jobacct_gather/none"

GRES_CONF = "NodeName={host} Name=gpu File=/dev/null\nNodeName={host} Name=gpu File=/dev/zero\n"


class ClusterError(Exception):
    """The cluster did not come up; the message says which log to read."""


@dataclass(frozen=True)
class Settings:
    """What can be chosen about a cluster."""

    folder: Path = DEFAULT_FOLDER
    cpus: int = 8
    max_array_size: int = 1001
    kill_wait: int = 3


class Cluster:
    """One node, its controller, and the authentication daemon that both trust.

    Parameters
    ----------
    settings : Settings
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.folder = settings.folder

    @property
    def conf(self) -> Path:
        """What SLURM_CONF has to name."""
        return self.folder / "slurm.conf"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point Slurm's commands at this cluster."""
        return {"SLURM_CONF": str(self.conf)}

    def up(self) -> None:
        """Start it and wait until the node takes jobs.

        Raises
        ------
        ClusterError
            A package is missing or a daemon does not answer.
        """
        _require("munged", "slurmctld", "slurmd", "sinfo", "sbatch")
        if self.is_idle():
            return
        self.down()
        for name in ("state", "spool"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        start_munge()
        self._write_configuration()
        self.start_controller()
        self._daemon("slurmd", "-c")
        _wait(self.is_idle, f"the node to be idle; read {self.folder}/slurmctld.log and slurmd.log")

    def start_controller(self) -> None:
        """Start slurmctld; it takes up the state that an earlier one left."""
        self._daemon("slurmctld")
        _wait(self._answers, f"slurmctld; read {self.folder}/slurmctld.log")

    def stop_controller(self) -> None:
        """Stop slurmctld alone; running jobs go on."""
        _stop(self.folder / "slurmctld.pid")

    def down(self) -> None:
        """Cancel every job, stop the daemons, delete the folder."""
        if self._answers():
            self.run("scancel", "--user=root")
            with contextlib.suppress(ClusterError):
                _wait(lambda: not self.run("squeue", "--noheader"), "jobs to end", seconds=20)
        for daemon in ("slurmd", "slurmctld"):
            _stop(self.folder / f"{daemon}.pid")
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *command: str, timeout: float = PATIENCE) -> str:
        """The output of one of Slurm's commands on this cluster."""
        answer = subprocess.run(
            command,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return answer.stdout.strip()

    def is_idle(self) -> bool:
        """Whether the node can take jobs."""
        return self.conf.exists() and self._sinfo() in {"idle", "mixed", "allocated"}

    def _answers(self) -> bool:
        return self.conf.exists() and bool(self._sinfo())

    def _sinfo(self) -> str:
        try:
            return self.run("sinfo", "--noheader", "--partition=low", "--format=%T", timeout=10)
        except subprocess.TimeoutExpired:
            return ""

    def _write_configuration(self) -> None:
        settings, host = self.settings, socket.gethostname().split(".")[0]
        controller_port, node_port = _free_ports(2)
        values = {
            "host": host,
            "folder": self.folder,
            "controller_port": controller_port,
            "node_port": node_port,
            "max_array_size": settings.max_array_size,
            "kill_wait": settings.kill_wait,
            "cpus": settings.cpus,
            "accounting": WITHOUT_ACCOUNTING,
        }
        self.conf.write_text(SLURM_CONF.format(**values), encoding="utf-8")
        (self.folder / "gres.conf").write_text(GRES_CONF.format(host=host), encoding="utf-8")

    def _daemon(self, name: str, *flags: str) -> None:
        with (self.folder / f"{name}.start").open("w", encoding="utf-8") as log:
            # The daemons must not hold the terminal or pipe of whoever called us.
            subprocess.run(
                [name, *flags, "-f", str(self.conf)],
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=PATIENCE,
                check=True,
            )


def start_munge() -> None:
    """Start the machine's munged unless it runs; it is left running, as other clusters may use it."""
    if MUNGE_SOCKET.exists() and _munge_answers():
        return
    MUNGE_SOCKET.parent.mkdir(parents=True, exist_ok=True)
    shutil.chown(MUNGE_SOCKET.parent, "munge", "munge")
    MUNGE_SOCKET.parent.chmod(0o755)
    subprocess.run(
        ["runuser", "-u", "munge", "--", "munged", "--force"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        timeout=PATIENCE,
        check=True,
    )
    _wait(_munge_answers, "munged")


def _munge_answers() -> bool:
    return subprocess.run(["munge", "-n"], capture_output=True, timeout=10, check=False).returncode == 0


def _require(*commands: str) -> None:
    missing = [command for command in commands if shutil.which(command) is None]
    if missing:
        raise ClusterError(f"{', '.join(missing)} not found: apt-get install slurm-wlm munge")


def _free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _wait(condition: object, what: str, seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        if time.monotonic() > end:
            raise ClusterError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.2)


def _stop(pid_file: Path) -> None:
    """End the process that a pid file names, by force after ten seconds."""
    try:
        pid = int(pid_file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sign)
        with contextlib.suppress(ClusterError):
            _wait(lambda: not Path(f"/proc/{pid}").exists(), f"process {pid} to end", seconds=10)
            break
    pid_file.unlink(missing_ok=True)


@contextlib.contextmanager
def running(settings: Settings) -> Iterator[Cluster]:
    """A cluster for the length of a block."""
    cluster = Cluster(settings)
    try:
        cluster.up()
        yield cluster
    finally:
        cluster.down()


def main() -> int:
    """The command line."""
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("action", choices=["up", "down", "status"])
    flags.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="scratch folder (%(default)s)")
    flags.add_argument("--cpus", type=int, default=Settings.cpus, help="CPUs that the node claims to have")
    flags.add_argument("--max-array-size", type=int, default=Settings.max_array_size)
    options = flags.parse_args()
    cluster = Cluster(Settings(options.folder.absolute(), options.cpus, options.max_array_size))
    try:
        if options.action == "up":
            cluster.up()
            print(f"export SLURM_CONF={cluster.conf}")
        elif options.action == "down":
            cluster.down()
        else:
            print(cluster.run("sinfo") or "down")
    except (ClusterError, subprocess.SubprocessError) as error:
        print(f"testcluster: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
