"""How the stages of runs stand: their own files, and Slurm where a job is involved."""

from __future__ import annotations

import pytest

from layerscope.launch.slurm.queue import QueueEntry
from layerscope.launch.states.stage_states import stage_states
from layerscope.status import STAGES, StageStatus
from layerscope.training.manifest import CheckpointEntry, CheckpointManifest

from ..some_runs import runs_with
from ..stand_ins import commands_alone

SINCE = "2026-11-22T23:00:00+00:00"


@pytest.fixture
def commands(tmp_path, monkeypatch):
    return commands_alone(tmp_path, monkeypatch)


@pytest.fixture
def runs(tmp_path):
    return runs_with(3, base=tmp_path / "runs")


def say(run, stage, state, job="", **more):
    run.status(stage).write(StageStatus(state, job=job, queued=SINCE, **more))


def states(runs, **given):
    return [tuple(found[stage].state for stage in STAGES) for found in stage_states(runs, **given)]


def test_a_run_that_nobody_touched_is_new_and_slurm_is_not_asked(commands, runs):
    commands.put("squeue")
    assert states(runs) == [("new", "new", "new")] * 3
    assert not commands.calls("squeue")
    assert not runs[0].folder.exists()


def test_slurm_is_asked_once_about_all_runs_and_the_accounting_about_what_is_gone(commands, runs):
    for number, run in enumerate(runs):
        say(run, "train", "running", f"5_{number}", attempt=1)
        say(run, "measure", "queued", f"6_{number}")
    commands.put("squeue", "5_0|RUNNING|n1|None\n6_0|PENDING||Dependency\n6_1|PENDING||Dependency")
    commands.put("sacct", "5_1|OUT_OF_MEMORY|0:9|n1\n5_2|TIMEOUT|0:0|n1\n6_2|CANCELLED|0:0|None assigned")
    assert states(runs) == [
        ("running", "queued", "new"),
        ("lost", "queued", "new"),
        ("timed-out", "blocked", "new"),
    ]
    assert len(commands.calls("squeue")) == len(commands.calls("sacct")) == 1


def test_without_accounting_it_is_known_that_a_job_is_gone(commands, runs):
    say(runs[0], "train", "running", "5_0", attempt=1)
    commands.put("squeue")
    found = stage_states(runs[:1])[0]["train"]
    assert (found.state, found.reason, found.job) == ("lost", "job 5_0 is gone and said nothing", "5_0")


def test_a_queue_that_is_known_is_not_asked_for(commands, runs):
    say(runs[0], "train", "queued", "5_0")
    queue = {"5_0": QueueEntry("5_0", "PENDING", "Resources")}
    assert states(runs[:1], queue=queue) == [("queued", "new", "new")]


def test_a_stage_that_ends_while_slurm_is_asked_is_not_lost(commands, runs):
    run = runs[0]
    say(run, "train", "running", "5_0", attempt=1)
    file = run.status("train").path
    finished = run.folder / "finished.json"
    run.status("measure").write(StageStatus("failed", "diverged", job="5_0", attempt=1))
    run.status("measure").path.rename(finished)
    commands.put("squeue", first=f"mv {finished} {file}")
    found = stage_states([run])[0]["train"]
    assert (found.state, found.reason) == ("failed", "diverged")


def test_only_the_stages_that_are_asked_for_are_told(commands, runs):
    assert [set(found) for found in stage_states(runs, ("measure",))] == [{"measure"}] * 3


def finish(run):
    """A run whose checkpoints are there, as a status that vouches for them."""
    manifest = CheckpointManifest(run.folder / "checkpoints")
    manifest.folder.mkdir(parents=True)
    for epoch in run.config.checkpoint_epochs:
        name = f"epoch_{epoch:04d}.safetensors"
        (manifest.folder / name).write_bytes(b"weights")
        manifest.record(epoch, CheckpointEntry(file=name, bytes=7, sha256="0" * 64))
    run.status("train").write(StageStatus("done", key=run.stage_key("train"), attempt=1))


def test_done_is_what_its_files_say(commands, runs):
    finish(runs[0])
    assert states(runs[:1]) == [("done", "new", "new")]
    (runs[0].folder / "checkpoints" / "epoch_0000.safetensors").write_bytes(b"")
    assert states(runs[:1]) == [("new", "new", "new")]


def test_what_was_done_before_there_were_statuses_is_done(commands, runs):
    run = runs[0]
    run.claim_config()
    finish(run)
    run.status("train").path.unlink()
    assert states([run]) == [("done", "new", "new")]


def test_while_a_job_works_its_files_are_not_looked_at(commands, runs):
    run = runs[0]
    finish(run)
    say(run, "train", "running", "5_0", attempt=2)
    commands.put("squeue", "5_0|RUNNING|n1|None")
    assert states([run]) == [("running", "new", "new")]


def test_a_damaged_list_of_checkpoints_is_not_done(commands, runs):
    run = runs[0]
    finish(run)
    (run.folder / "checkpoints" / "manifest.json").write_text("{", encoding="utf-8")
    assert states([run])[0][0] != "done"


def test_the_log_of_a_stage_that_was_started_is_named(commands, runs):
    say(runs[0], "train", "failed", attempt=1)
    found = stage_states(runs[:1])[0]
    assert found["train"].log == runs[0].folder / "jobs" / "train.log"
    assert found["measure"].log is None
