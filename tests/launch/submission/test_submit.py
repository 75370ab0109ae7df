"""Submitting: once for each run and stage, whoever submits, and however an earlier submission ended."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from layerscope.config import RunConfig
from layerscope.errors import RunFolderError
from layerscope.launch.arrays.workload import Workload
from layerscope.launch.errors import LaunchError
from layerscope.launch.submission.queued import mark_queued
from layerscope.launch.submission.submit import submit, submitting
from layerscope.status import STAGES, StageStatus

from ..fake_slurm import FakeSlurm, stage_jobs
from ..some_runs import runs_with

DRIVER = Path(__file__).parents[1] / "submit_driver.py"
NO_GPU = {"gpus-per-run": 0}


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    return FakeSlurm(tmp_path / "slurm", monkeypatch)


@pytest.fixture
def base(tmp_path):
    return tmp_path / "logs"


def driver(base, count):
    command = [sys.executable, str(DRIVER), str(base), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_each_stage_is_one_array_that_waits_for_the_one_before(slurm, base):
    submission = submit(base, runs_with(3, base=base))
    assert submission.jobs == ["100", "200", "300"]
    assert slurm.summary() == {
        "100": ("train", 3, ""),
        "200": ("measure", 3, "aftercorr:100"),
        "300": ("plot", 3, "afterany:200"),
    }


def test_every_run_says_which_job_it_waits_for(slurm, base):
    runs = runs_with(2, base=base)
    submit(base, runs)
    assert stage_jobs(runs[1]) == {"train": "queued 100_1", "measure": "queued 200_1", "plot": "queued 300_1"}


def test_submitting_again_submits_nothing(slurm, base):
    runs = runs_with(3, base=base)
    submit(base, runs)
    assert submit(base, runs).jobs == []
    assert len(slurm.calls) == 3


def test_runs_that_join_later_are_submitted_alone(slurm, base):
    submit(base, runs_with(2, base=base))
    submit(base, runs_with(3, base=base))
    assert [count for _, count, _ in slurm.summary().values()] == [2, 2, 2, 1, 1, 1]


def test_a_single_run_works_like_many(slurm, base):
    (run,) = runs_with(1, base=base)
    submit(run.folder, [run])
    assert stage_jobs(run)["measure"] == "queued 200_0"
    assert slurm.arrays["200"]["dependency"] == "aftercorr:100"


def test_the_jobs_find_their_work_beside_their_script(slurm, base):
    runs = runs_with(3, base=base, **NO_GPU, **{"runs-per-job": 2})
    submit(base, runs)
    work = Workload.read(Path(slurm.arrays["100"]["script"]).parent)
    folders = [str(run.folder.absolute()) for run in runs]
    assert work.tasks == {0: (folders[0], folders[1]), 1: (folders[2],)}
    assert (work.stage, work.timeout_min, work.gpus_per_run) == ("train", 240, 0)


def test_the_config_of_every_run_is_there_before_its_job_can_start(slurm, base):
    runs = runs_with(2, base=base)
    submit(base, runs)
    assert all(run.config_path.exists() and run.record_path.exists() for run in runs)


def test_the_record_says_what_was_submitted(slurm, base):
    path = submit(base, runs_with(2, base=base)).path
    record = json.loads(path.read_text(encoding="utf-8"))
    assert path.parent == base / "jobs" / "submissions"
    assert [(one["job"], one["stage"], one["runs"]) for one in record["arrays"]] == [
        *(("100", "train", 2), ("200", "measure", 2), ("300", "plot", 2)),
    ]
    assert Path(record["code"]).name == record["digest"]


def test_the_first_refused_array_stops_and_the_same_command_submits_the_rest(slurm, base):
    runs = runs_with(4, base=base)
    slurm.max_array_size(3)  # two parts, so six arrays
    slurm.troubles({4: {"refuse": "QOSMaxSubmitJobPerUserLimit"}})
    with pytest.raises(LaunchError) as refusal:
        submit(base, runs)
    message = str(refusal.value)
    assert "array 4 of 6, logs.train, was not taken" in message
    assert "QOSMaxSubmitJobPerUserLimit" in message
    assert "wait until some have ended" in message
    assert "100 logs.train (3 jobs), 200 logs.measure (3 jobs), 300 logs.plot (3 jobs)" in message
    assert "submits only the rest" in message
    assert stage_jobs(runs[3]) == {}
    submit(base, runs)
    assert [count for _, count, _ in slurm.summary().values()] == [3, 3, 3, 1, 1, 1]
    assert submit(base, runs).jobs == []


def test_a_stage_refused_in_mid_chain_is_submitted_later_with_its_dependency(slurm, base):
    runs = runs_with(2, base=base)
    slurm.troubles({2: {"refuse": "Invalid account or account/partition combination specified"}})
    with pytest.raises(LaunchError, match=r"sacctmgr show assoc"):
        submit(base, runs)
    submit(base, runs)
    assert slurm.summary() == {
        "100": ("train", 2, ""),
        "300": ("measure", 2, "aftercorr:100"),
        "400": ("plot", 2, "afterany:300"),
    }


def test_jobs_whose_id_got_lost_on_the_way_are_found_in_the_queue(slurm, base):
    runs = runs_with(2, base=base)
    slurm.troubles({2: {"lose": True}})
    assert submit(base, runs).jobs == ["100", "200", "300"]
    assert stage_jobs(runs[0])["measure"] == "queued 200_0"


@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_submission_killed_right_after_sbatch_is_taken_up_and_nothing_is_submitted_twice(slurm, base, call):
    slurm.troubles({call: {"kill": True}})
    with driver(base, 3) as killed:
        killed.communicate(timeout=120)
    assert killed.returncode == -signal.SIGKILL
    runs = runs_with(3, base=base, **NO_GPU)
    assert len(submit(base, runs).jobs) == 3 - call
    assert [stage for stage, _, _ in slurm.summary().values()] == list(STAGES)
    assert stage_jobs(runs[2]) == {"train": "queued 100_2", "measure": "queued 200_2", "plot": "queued 300_2"}


def test_a_submission_killed_before_sbatch_is_no_obstacle(slurm, base):
    leftover = base / "jobs" / "2026-01-01T00-00-00-train"
    Workload("train", {0: (str(base / "run_0"),)}, 60, 60, 0, True, "/nowhere", "none").write(leftover)
    assert len(submit(base, runs_with(1, base=base)).jobs) == 3
    assert (leftover / "job").read_text(encoding="utf-8").strip() == ""


def test_without_an_answer_from_squeue_a_doubtful_submission_is_not_repeated(slurm, base):
    slurm.troubles({1: {"kill": True}})
    with driver(base, 1) as killed:
        killed.communicate(timeout=120)
    (slurm.bin / "squeue").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    with pytest.raises(LaunchError, match="an earlier submission was cut short"):
        submit(base, runs_with(1, base=base, **NO_GPU))
    assert len(slurm.calls) == 1


def test_two_people_at_once_submit_every_run_once(slurm, base):
    with driver(base, 3) as one, driver(base, 3) as other:
        said = [person.communicate(timeout=120) for person in (one, other)]
    assert [one.returncode, other.returncode] == [0, 0], said
    assert sorted(out.strip() for out, _ in said) == ["", "100 200 300"]
    assert len(slurm.calls) == 3


def test_who_waits_too_long_for_another_submission_is_told(slurm, base):
    with submitting(base, 0.0), pytest.raises(RunFolderError):
        submit(base, runs_with(1, base=base), patience=0.0)


def test_a_job_that_is_already_at_work_keeps_its_own_status(slurm, base):
    runs = runs_with(1, base=base)
    at_work = StageStatus("running", job="100_0", host="node7", pid=5, attempt=1)
    runs[0].status("train").write(at_work)
    mark_queued(Workload("train", {0: (str(runs[0].folder),)}, 60, 60, 0, True, "", ""), "100")
    assert runs[0].status("train").read() == at_work


def test_the_count_of_attempts_survives_a_new_submission(slurm, base):
    (run,) = runs_with(1, base=base)
    run.status("train").write(StageStatus("lost", job="7_0", attempt=4, reason="gone"))
    submit(base, [run])
    status = run.status("train").read()
    assert (status.state, status.job, status.attempt, status.reason) == ("queued", "100_0", 4, "")


def test_a_failed_run_is_left_out_and_named(slurm, base):
    runs = runs_with(2, base=base)
    runs[0].status("train").write(StageStatus("failed", reason="the loss is NaN"))
    submission = submit(base, runs)
    assert [(one.run.name, one.stage) for one in submission.left] == [("run_0", stage) for stage in STAGES]
    assert submission.left[0].reason == "failed: the loss is NaN"
    assert slurm.summary()["100"] == ("train", 1, "")


def test_a_folder_of_another_config_stops_before_anything_is_submitted(slurm, base):
    runs = runs_with(2, base=base)
    config = runs[1].config
    other = replace(runs[1], config=config.model_copy(update={"run": RunConfig(run=9)}))
    other.claim_config()
    other.log_path.write_text("epoch\n0\n", encoding="utf-8")
    with pytest.raises(RunFolderError, match=r"another config(.|\n)*Nothing was submitted"):
        submit(base, runs)
    assert slurm.calls == []


@pytest.mark.parametrize("state", ["queued", "running"])
def test_an_edited_config_is_refused_while_runs_of_the_old_one_are_on_their_way(slurm, base, state):
    runs = runs_with(2, base=base)
    submit(base, runs)
    runs[1].status("train").write(StageStatus(state, job="100_1"))
    edited = replace(runs[1], config=runs[1].config.model_copy(update={"run": RunConfig(run=9)}))
    with pytest.raises(
        RunFolderError, match=r"run_1 holds a run of another config(.|\n)*Run.run: 0 → 9"
    ) as no:
        submit(base, [runs[0], edited])
    assert "--cancel it first" in str(no.value)
    assert "Nothing was submitted" in str(no.value)
    assert len(slurm.calls) == 3


def test_measures_that_were_added_since_are_said_to_come_later(slurm, base, caplog):
    runs = runs_with(2, base=base)
    submit(base, runs)
    submit(base, runs)
    assert "being measured" not in caplog.text
    measurements = runs[0].config.measurements.model_copy(update={"measures": ("CDNV",)})
    config = runs[0].config.model_copy(update={"measurements": measurements})
    assert submit(base, [replace(run, config=config) for run in runs]).jobs == []
    assert "2 run(s), run_0 first, are being measured as the config said" in caplog.text


def test_submitting_inside_a_job_warns_and_hands_nothing_of_it_on(slurm, base, monkeypatch, caplog):
    for variable in ("LAYERSCOPE_REQUIRE_SLURM", "LAYERSCOPE_REQUIRE_BROWSER", "LAYERSCOPE_CACHE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("SLURM_JOB_ID", "77")
    monkeypatch.setenv("SLURM_CPU_BIND", "quiet,mask_cpu:0x1")
    monkeypatch.setenv("SLURM_CONF", "/etc/slurm/slurm.conf")
    monkeypatch.setenv("RANK", "3")
    submit(base, runs_with(1, base=base))
    assert "inside a Slurm job" in caplog.text
    assert slurm.arrays["100"]["environment"] == {"SLURM_CONF": "/etc/slurm/slurm.conf"}


def test_runs_that_lie_under_another_name_are_said_to_be_done_anew(slurm, base, caplog):
    (run,) = runs_with(1, base=base)
    run.claim_config()
    submit(base, [replace(run, folder=base / "other", name="other")])
    assert f"other is there as {run.folder}" in caplog.text


def test_without_sbatch_the_message_says_where_to_go(slurm, base, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LaunchError, match="login node"):
        submit(base, runs_with(1, base=base))
    assert not base.exists()


def test_stages_can_be_submitted_one_after_the_other(slurm, base):
    runs = runs_with(2, base=base)
    submit(base, runs, ["train"])
    submit(base, runs, ["measure"])
    assert slurm.summary() == {"100": ("train", 2, ""), "200": ("measure", 2, "aftercorr:100")}
