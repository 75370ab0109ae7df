"""Clusters of the tests: where they live, and what happens where Slurm is not installed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from processes import ClusterError
from slurm_cluster import Cluster, Settings

COMMAND = [sys.executable, str(Path(__file__).parents[2] / "slurm" / "testcluster" / "cluster.py")]
REQUIRED = "LAYERSCOPE_REQUIRE_SLURM"  # set where Slurm has to be there: its absence is a failure then


def new_cluster(settings: Settings) -> Cluster:
    """A cluster that is down; the test is skipped when its packages are not installed."""
    place = (
        Path(tempfile.gettempdir()) / f"layerscope-slurm-{uuid.uuid4().hex[:8]}"
    )  # sockets want short paths
    cluster = Cluster(place, settings)
    try:
        cluster.check()
    except ClusterError as error:
        if os.environ.get(REQUIRED):
            pytest.fail(f"{REQUIRED} is set: {error}")
        pytest.skip(str(error))
    return cluster


@contextmanager
def up(cluster: Cluster) -> Iterator[Cluster]:
    """Have it up for the length of a block, and no longer than this process lives, however it ends."""
    with ending_with_us(cluster):
        try:
            cluster.up()
            yield cluster
        finally:
            cluster.down()


@contextmanager
def ending_with_us(cluster: Cluster) -> Iterator[None]:
    """Have another process take the cluster down should this one be killed."""
    watch = subprocess.Popen(
        [*COMMAND, "down", "--folder", str(cluster.folder), "--after", str(os.getpid())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        watch.kill()
        watch.wait(timeout=10)
