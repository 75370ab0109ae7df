"""What Slurm says, read from answers that a real one (22.05) has given."""

from __future__ import annotations

import time

import pytest

from layerscope.launch.errors import LaunchError
from layerscope.launch.slurm import commands as slurm_commands
from layerscope.launch.slurm.queue import (
    AccountingEntry,
    ClusterLimits,
    QueueEntry,
    accounting,
    cancel,
    limits,
    queue_entries,
)

from ..stand_ins import commands_alone

SQUEUE = """\
15_1|PENDING||BeginTime
15_0|PENDING||BeginTime
17|PENDING||DependencyNeverSatisfied
15_3|RUNNING|node7|None
15_2|COMPLETING|node8|None
"""

SACCT = """\
3|FAILED|3:0|vm
4|PENDING|0:0|None assigned
5|OUT_OF_MEMORY|0:9|vm
1_0|REQUEUED|0:0|vm
1_1|PREEMPTED|0:0|vm
1_2|CANCELLED by 1000|0:15|vm
6_0|RUNNING|0:0|vm
6_[0-2,5%2]|PENDING|0:0|None assigned
1_1|TIMEOUT|0:0|vm
1_0|COMPLETED|0:0|vm
"""

CONFIG = """\
Configuration data as of 2026-11-22T23:57:31
KillWait                = 3 sec
MaxArraySize            = 40
MaxJobCount             = 20000
"""

PURGED = "slurm_load_jobs error: Invalid job id specified"
NO_CONTROLLER = "slurm_load_jobs error: Unable to contact slurm controller (connect failure)"


@pytest.fixture
def commands(tmp_path, monkeypatch):
    return commands_alone(tmp_path, monkeypatch)


def test_the_queue_says_what_waits_and_what_runs(commands):
    commands.put("squeue", SQUEUE)
    assert queue_entries(["15", "17", "3"]) == {
        "15_0": QueueEntry("15_0", "PENDING", "BeginTime"),
        "15_1": QueueEntry("15_1", "PENDING", "BeginTime"),
        "15_2": QueueEntry("15_2", "COMPLETING", "", "node8"),
        "15_3": QueueEntry("15_3", "RUNNING", "", "node7"),
        "17": QueueEntry("17", "PENDING", "DependencyNeverSatisfied"),
    }


def test_a_single_task_is_asked_for_by_its_array(commands):
    commands.put("squeue", SQUEUE)
    assert list(queue_entries(["15_3", "15_9"])) == ["15_3"]
    assert "--jobs=15 " in commands.calls("squeue")[0]


def test_jobs_that_slurm_has_forgotten_are_in_no_queue(commands):
    commands.put("squeue", errors=PURGED, code=1)
    assert queue_entries(["99999"]) == {}


def test_without_a_squeue_or_a_controller_nothing_is_known(commands):
    assert queue_entries(["1"]) is None
    commands.put("squeue", errors=NO_CONTROLLER, code=1)
    assert queue_entries(["1"]) is None


def test_a_command_that_hangs_is_given_up(commands, monkeypatch):
    monkeypatch.setattr(slurm_commands, "SECONDS", 0.2)
    commands.put("squeue", SQUEUE, first="exec sleep 60")
    assert queue_entries(["15"]) is None


def test_the_users_own_filters_do_not_hide_jobs(commands, monkeypatch):
    monkeypatch.setenv("SQUEUE_STATES", "RUNNING")
    commands.put("squeue", first='[ -z "$SQUEUE_STATES" ] && echo "1|PENDING||None"')
    assert list(queue_entries(["1"])) == ["1"]


def test_thousands_of_tasks_are_few_calls(commands):
    commands.put("squeue")
    queue_entries([f"{array}_{task}" for array in range(2500) for task in range(2)])
    calls = commands.calls("squeue")
    assert len(calls) == 3
    assert max(map(len, calls)) < 10_000


def test_nothing_is_asked_about_no_job(commands):
    assert queue_entries([]) == {}
    assert accounting([]) == {}


def test_the_accounting_knows_the_newest_attempt_of_each_job(commands):
    commands.put("sacct", SACCT)
    found = accounting(["1", "3", "5", "6", "77"], "2026-11-22T23:00:00+00:00")
    assert found == {
        "1_0": AccountingEntry("1_0", "COMPLETED", node="vm", attempts=2),
        "1_1": AccountingEntry("1_1", "TIMEOUT", node="vm", attempts=2),
        "1_2": AccountingEntry("1_2", "CANCELLED", signal=15, node="vm"),
        "3": AccountingEntry("3", "FAILED", exit_code=3, node="vm"),
        "5": AccountingEntry("5", "OUT_OF_MEMORY", signal=9, node="vm"),
        "6_0": AccountingEntry("6_0", "RUNNING", node="vm"),
        "6_1": AccountingEntry("6_1", "PENDING"),
        "6_2": AccountingEntry("6_2", "PENDING"),
        "6_5": AccountingEntry("6_5", "PENDING"),
    }


@pytest.fixture
def in_kathmandu(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_the_accounting_is_asked_from_the_day_before_in_local_time(commands, in_kathmandu):
    commands.put("sacct", SACCT)
    accounting(["1"], "2026-11-22T23:00:00+00:00")
    accounting(["1"])
    first, second = commands.calls("sacct")
    assert "--starttime=2026-11-22T04:45:00 " in first
    assert "--starttime=1971-01-01 " in second


def test_a_cluster_without_accounting_is_no_mistake(commands):
    assert accounting(["1"]) is None
    commands.put("sacct", errors="Slurm accounting storage is disabled", code=1)
    assert accounting(["1"]) is None


def test_the_cluster_says_how_long_an_array_may_be(commands):
    assert limits() == ClusterLimits(1001, known=False)
    commands.put("scontrol", CONFIG)
    assert limits() == ClusterLimits(40, known=True)
    commands.put("scontrol", errors=NO_CONTROLLER, code=1)
    assert limits() == ClusterLimits(1001, known=False)


def test_thousands_of_tasks_are_cancelled_in_few_words(commands):
    commands.put("scancel")
    cancel([*(f"15_{task}" for task in range(2000) if task != 7), *map(str, range(100, 350))])
    calls = commands.calls("scancel")
    assert calls[0].startswith("15_[0-6,8-1999] 100 101 ")
    assert len(calls) == 3


def test_what_has_ended_already_is_cancelled_without_complaint(commands):
    gone = "scancel: error: Kill job error on job id 99999: Invalid job id specified"
    over = "scancel: error: Kill job error on job id 5: Job/step already completing or completed"
    commands.put("scancel", errors=f"{gone}\n{over}", code=1)
    cancel(["99999", "5"])
    assert commands.calls("scancel") == ["5 99999"]


def test_what_slurm_refuses_to_cancel_is_told(commands):
    commands.put("scancel", errors="scancel: error: Access/permission denied", code=1)
    with pytest.raises(LaunchError, match="Access/permission denied"):
        cancel(["5"])


def test_nothing_can_be_cancelled_without_scancel(commands):
    cancel([])
    with pytest.raises(LaunchError, match="scancel is not there"):
        cancel(["5"])
