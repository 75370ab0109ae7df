"""The test cluster comes up, says what is wrong when it does not, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest
import slurm_cluster
from cluster_for_tests import COMMAND, ending_with_us, new_cluster
from processes import ClusterError, start_time, until, with_variables
from slurm_cluster import Cluster, Settings

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(900)]

PATIENCE = 200  # seconds for Slurm to do something, on a machine that does other things too


@pytest.fixture
def fresh():
    """Clusters that are down; what a test starts is stopped."""
    with ExitStack() as stack:

        def make(**settings):
            cluster = new_cluster(Settings(**settings))
            stack.enter_context(ending_with_us(cluster))
            stack.callback(cluster.down)
            return cluster

        yield make


def submit(cluster, *options):
    return cluster.run("sbatch", "--parsable", "--output=/dev/null", *options)


def state(cluster, job):
    return cluster.run("squeue", "--noheader", "--format=%T", "--states=all", f"--jobs={job}")


def daemons(cluster):
    names = ("munged", "slurmctld", "slurmd", "slurmdbd", "mariadbd")
    return {name for name in names if cluster._daemon(name).pid()}


def processes_of_jobs(cluster):
    return with_variables(f"SLURM_CONF={cluster.conf}", "SLURM_JOB_ID=")


def test_a_cluster_runs_a_job_and_leaves_nothing(fresh):
    cluster = fresh()
    cluster.up()
    job = submit(cluster, "--wrap", "srun hostname")
    assert until(lambda: state(cluster, job) == "COMPLETED", PATIENCE), state(cluster, job)
    assert daemons(cluster) == {"munged", "slurmctld", "slurmd"}
    cluster.down()
    assert daemons(cluster) == set()
    assert list(cluster.folder.parent.glob(f"{cluster.folder.name}*")) == []


def test_two_clusters_live_side_by_side(fresh):
    one, other = fresh(cpus=3), fresh(cpus=5)
    one.up()
    other.up()
    one.down()
    assert other.run("sinfo", "--noheader", "--partition=low", "--format=%c %T") == "5 idle"


def test_starting_it_again_changes_nothing_and_other_settings_are_refused(fresh):
    cluster = fresh()
    cluster.up()
    before = cluster.conf.read_text()
    cluster.up()
    assert cluster.conf.read_text() == before
    with pytest.raises(ClusterError, match="other settings"):
        Cluster(cluster.folder, Settings(cpus=2)).up()


def test_what_a_crash_left_is_cleaned_up(fresh):
    cluster = fresh()
    cluster.up()
    submit(cluster, "--wrap", "srun sleep 1000")
    assert until(lambda: len(processes_of_jobs(cluster)) >= 3, PATIENCE)  # shell, srun, sleep
    for name in daemons(cluster):
        os.kill(cluster._daemon(name).pid(), signal.SIGKILL)
    assert until(lambda: not cluster.is_up(), PATIENCE)
    cluster.up()
    assert processes_of_jobs(cluster) == set()
    assert cluster.run("squeue", "--noheader") == ""


def test_daemons_whose_starter_was_killed_before_it_noted_them_are_stopped_too(fresh):
    cluster = fresh()
    cluster.up()
    started = {cluster._daemon(name).pid() for name in daemons(cluster)}
    for record in cluster.folder.glob("*.process"):
        record.unlink()
    cluster.down()
    assert [pid for pid in started if start_time(pid)] == []


def test_a_port_that_another_program_took_is_no_hindrance(fresh, monkeypatch):
    cluster, free_ports = fresh(), slurm_cluster._free_ports
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        answers = [[taken, *free_ports(2)], [*free_ports(1), taken, *free_ports(1)]]
        monkeypatch.setattr(
            slurm_cluster, "_free_ports", lambda n: answers.pop(0) if answers else free_ports(n)
        )
        cluster.up()
    assert answers == []


def test_a_daemon_that_fails_is_named_with_the_end_of_its_log(fresh, monkeypatch, tmp_path):
    cluster = fresh()
    broken = tmp_path / "slurmd"
    broken.write_text("#!/bin/sh\necho slurmd: fatal: the disk is on fire\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(ClusterError, match=r"slurmd ended(?s:.*)slurmd.out(?s:.*)on fire"):
        cluster.up()
    assert daemons(cluster) == set()
    assert (cluster.folder / "slurmctld.log").exists()  # for whoever wants to know


def test_missing_packages_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr(slurm_cluster, "program", lambda name: None if "slurm" in name else f"/bin/{name}")
    with pytest.raises(ClusterError, match=r"apt-get install slurm-wlm slurmdbd$"):
        Cluster(tmp_path / "c", Settings(accounting=True)).check()


def test_a_folder_of_other_things_is_never_deleted(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    for action in (Cluster(tmp_path).down, Cluster(tmp_path)._clear):
        with pytest.raises(ClusterError, match="not a test cluster's folder"):
            action()
    assert (tmp_path / "thesis.tex").read_text() == "precious"


def test_a_cluster_can_be_told_to_end_with_a_process(fresh):
    cluster = fresh()
    cluster.up()
    with (
        subprocess.Popen(["sleep", "1000"]) as process,
        subprocess.Popen([*COMMAND, "down", "--folder", cluster.folder, "--after", str(process.pid)]) as down,
    ):
        assert cluster.is_up()
        process.kill()
        assert down.wait(timeout=PATIENCE) == 0
    assert not Path(cluster.folder).exists()


def test_requeued_jobs_start_again_within_seconds_and_accounting_remembers_them(fresh):
    cluster = fresh(accounting=True)
    cluster.up()
    job = submit(cluster, "--wrap", 'test -n "$SLURM_RESTART_COUNT" || srun sleep 1000')
    assert until(lambda: state(cluster, job) == "RUNNING", PATIENCE)
    cluster.run("scontrol", "requeue", job)
    assert until(lambda: state(cluster, job) == "COMPLETED", PATIENCE), state(cluster, job)
    history = ["sacct", "--duplicates", "--noheader", "--allocations", "--format=State", f"--jobs={job}"]
    assert until(lambda: cluster.run(*history).split() == ["REQUEUED", "COMPLETED"], PATIENCE), cluster.run(
        *history
    )


def test_a_job_of_a_higher_partition_takes_the_place_of_a_lower_one(fresh):
    cluster = fresh(cpus=2)
    cluster.up()
    low = submit(cluster, "--requeue", "--cpus-per-task=2", "--wrap", "srun sleep 1000")
    assert until(lambda: state(cluster, low) == "RUNNING", PATIENCE)
    high = submit(cluster, "--partition=high", "--cpus-per-task=2", "--wrap", "srun sleep 1000")
    assert until(lambda: (state(cluster, high), state(cluster, low)) == ("RUNNING", "PENDING"), PATIENCE)
