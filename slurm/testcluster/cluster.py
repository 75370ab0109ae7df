#!/usr/bin/env python3
"""A real Slurm on this one machine, for tests and for trying things out. For Debian and Ubuntu.

    apt-get install slurm-wlm munge          # and slurmdbd mariadb-server for --accounting
    python slurm/testcluster/cluster.py up   # prints how to point sbatch and squeue at it
    python slurm/testcluster/cluster.py down

As root or as yourself; its jobs belong to the same user. Everything lives in one scratch folder (keys, state,
logs, sockets), so several clusters can run side by side, and none reads the machine's configuration. There
are two partitions, ``low`` and ``high``; a job on ``high`` preempts and requeues those on ``low``. GPUs are
pretended. Python's standard library only.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from processes import ClusterError, wait_for_end
from slurm_cluster import Cluster, Settings

DEFAULT_FOLDER = Path("/tmp/layerscope-testcluster")
GREETING = """\
A cluster of one node takes jobs. In this shell:
  export SLURM_CONF={conf}
then sinfo, squeue, sbatch, and layerscope -c matrix/debug.yaml -m -s work on it.
"""


def main() -> int:
    """The command line."""
    options = _flags().parse_args()
    settings = Settings(
        options.cpus, options.max_array_size, options.kill_wait, options.min_job_age, options.accounting
    )
    cluster = Cluster(options.folder, settings)
    try:
        return ACTIONS[options.action](cluster, options)
    except ClusterError as error:
        sys.stderr.write(f"testcluster: {error}\n")
        return 1


def _flags() -> argparse.ArgumentParser:
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("action", choices=list(ACTIONS))
    flags.add_argument("--after", type=int, metavar="PID", help="down: once that process has ended")
    flags.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="scratch folder (%(default)s)")
    flags.add_argument("--accounting", action="store_true", help="with a data base, so that sacct works")
    flags.add_argument("--cpus", type=int, default=Settings.cpus, help="CPUs that the node claims to have")
    flags.add_argument("--max-array-size", type=int, default=Settings.max_array_size)
    flags.add_argument("--kill-wait", type=int, default=Settings.kill_wait, help="seconds from TERM to KILL")
    flags.add_argument("--min-job-age", type=int, default=Settings.min_job_age)
    return flags


def _up(cluster: Cluster, _: argparse.Namespace) -> int:
    cluster.up()
    sys.stdout.write(GREETING.format(conf=cluster.conf))
    return 0


def _down(cluster: Cluster, options: argparse.Namespace) -> int:
    if options.after is not None:
        wait_for_end(options.after)
    cluster.down()
    return 0


def _status(cluster: Cluster, _: argparse.Namespace) -> int:
    if not cluster.is_up():
        sys.stdout.write(f"no cluster takes jobs in {cluster.folder}\n")
        return 1
    sys.stdout.write(cluster.run("sinfo") + "\n" + cluster.run("squeue") + "\n")
    return 0


ACTIONS: dict[str, Callable[[Cluster, argparse.Namespace], int]] = {
    "up": _up,
    "down": _down,
    "status": _status,
}

if __name__ == "__main__":
    sys.exit(main())
