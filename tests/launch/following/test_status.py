"""What a person sees of runs: how they stand, what went wrong, what their workers said."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from layerscope.launch.following.standing import last_row
from layerscope.launch.following.status import status_json, status_table
from layerscope.launch.following.status_text import shortened
from layerscope.launch.states.stage_states import StageState, stage_states
from layerscope.launch.workers.log import new_log
from layerscope.run import Run
from layerscope.status import STAGES, StageStatus
from layerscope.training.log import EpochLog, EpochRow

from ..some_runs import runs_with
from ..tiny_runs import tiny_run


def stands(train="new", measure="new", plot="new", **train_more) -> dict[str, StageState]:
    found = {stage: StageState(word) for stage, word in zip(STAGES, (train, measure, plot), strict=True)}
    return {**found, "train": StageState(train, **train_more)}


def log_until(run: Run, last: int, accuracy: float) -> None:
    for epoch in range(last + 1):
        row = EpochRow(epoch, 0.5, 0.5, 0.25, accuracy if epoch == last else 0.1, 0.1, 1.0, 100.0)
        EpochLog(run.log_path).append(row)


@pytest.fixture
def runs(tmp_path):
    return runs_with(4, base=tmp_path / "runs")


def test_a_real_run_is_followed_from_nothing_to_its_end(tmp_path):
    run = tiny_run(tmp_path / "run")
    assert status_table([run], stage_states([run])) == (
        "run  train  measure  plot\nrun  new    new      new\n\n1 new\n"
    )
    run.train()
    accuracy = EpochLog(run.log_path).rows()[-1].test_accuracy
    assert status_table([run], stage_states([run])).splitlines() == [
        "run  train  measure  plot  epoch    test",
        f"run  done   new      new     2/2  {accuracy:.2%}",
        "",
        "1 trained",
    ]
    run.measure()
    run.plot()
    table = status_table([run], stage_states([run])).splitlines()
    assert table[1] == f"run  done   done     done    2/2  {accuracy:.2%}"
    assert table[3] == "1 done"


def test_what_went_wrong_is_listed_with_reason_log_and_the_way_to_retry(runs):
    log = new_log(runs[1].jobs_path, ["train"], 1)
    log_until(runs[0], 1, 0.875)
    said = StageStatus("failed", started="2026-11-22T23:00:00+00:00")
    table = status_table(
        runs,
        [
            stands("running", "queued", job="7_0"),
            stands("failed", "blocked", reason="the loss became NaN", job="7_1", status=said),
            stands("lost", "blocked", reason="process 12 is gone"),
            stands("queued", job="7_3", reason="Resources"),
        ],
    )
    assert table.splitlines() == [
        "run    train    measure  plot  epoch    test  job  reason",
        "run_0  running  queued   new     1/2  87.50%  7_0",
        "run_1  failed   blocked  new                       the loss became NaN",
        "run_2  lost     blocked  new                       process 12 is gone",
        "run_3  queued   new      new                  7_3  Resources",
        "",
        "1 running · 1 queued · 1 failed · 1 lost",
        "",
        "run_1: train failed (job 7_1): the loss became NaN",
        f"  {log}",
        "run_2: train lost: process 12 is gone",
        "",
        "To start them again: the same command with --retry all in place of --status.",
    ]


def test_one_kind_of_trouble_is_retried_by_its_name(runs):
    table = status_table(runs[:1], [stands("timed-out", "blocked")])
    assert table.endswith("with --retry timed-out in place of --status.\n")


def test_many_troubles_are_counted_not_all_listed(tmp_path):
    many = runs_with(50, base=tmp_path)
    table = status_table(many, [stands("failed", reason=f"because {number}") for number in range(50)])
    assert "50 failed" in table
    assert "because 19\n… and 30 more; --json names them all" in table.partition("50 failed")[2]


def test_the_table_fits_its_width_and_names_keep_both_ends(tmp_path):
    long = [f"_Exclusive_wide/model_mlp_very_large_{number}/weight-decay_0.0005/run_0" for number in range(2)]
    runs = [Run(runs_with(1)[0].config, tmp_path / name, name) for name in long]
    reason = "the training diverged at epoch 17:\nloss is NaN " * 5
    states = [stands("failed", "blocked", job="1234567_890", reason=reason), stands("running", job="1_2")]
    for width in (80, 100, 120):
        lines = status_table(runs, states, width=width).split("\n\n")[0].splitlines()
        assert max(map(len, lines)) <= width
        assert all("_Exclus" in line and "run_0" in line for line in lines[1:])
    assert reason.strip() in status_table(runs, states)


def test_a_name_loses_its_middle():
    assert shortened("abcdefghij", 10) == "abcdefghij"
    assert shortened("abcdefghij", 7) == "ab…ghij"


def test_colour_is_only_for_who_sees_it(runs):
    plain = status_table(runs[:1], [stands("failed")])
    bright = status_table(runs[:1], [stands("failed")], colour=True)
    assert "\033[" not in plain
    assert "\033[31mfailed\033[0m" in bright
    assert bright.replace("\033[31m", "").replace("\033[2m", "").replace("\033[0m", "") == plain


def test_nothing_to_show_is_said():
    assert status_table([], []) == "no runs\n"


def test_programs_get_the_same(runs):
    log_until(runs[0], 2, 0.875)
    states = [stands("done", job="7_0", status=StageStatus("done", attempt=2)), stands("queued", job="7_1")]
    answer = json.loads(status_json(runs[:2], states))
    assert answer["counts"] == {"trained": 1, "queued": 1}
    assert answer["runs"][0] == {
        "name": "run_0",
        "path": str(runs[0].folder),
        "axes": {},
        "state": "trained",
        "epoch": 2,
        "epochs": 2,
        "test_accuracy": 0.875,
        "stages": {
            stage: {
                **{
                    "state": "new",
                    "reason": "",
                    "job": "",
                    "attempt": 0,
                    "started": "",
                    "ended": "",
                    "log": None,
                },
                **({"state": "done", "job": "7_0", "attempt": 2} if stage == "train" else {}),
            }
            for stage in STAGES
        },
    }


@pytest.mark.parametrize("content", [b"", b"nonsense", b"epoch,train_loss\n1,2\n", b"\xff,\xfe\n"])
def test_a_log_that_says_nothing_is_passed_over(tmp_path, content):
    (tmp_path / "log.csv").write_bytes(content)
    assert last_row(tmp_path / "log.csv") == (None, None)


def test_of_a_long_log_only_the_end_is_read(tmp_path):
    run = Run(runs_with(1)[0].config, tmp_path, "run")
    log_until(run, 60, 0.5)
    assert run.log_path.stat().st_size > 2000
    assert last_row(run.log_path) == (60, 0.5)


def test_a_job_that_ended_before_it_came_to_work_is_read_about_in_the_file_of_slurm(tmp_path, runs):
    base = tmp_path / "runs"
    array = base / "jobs" / "2026-11-22T23-00-00-train"
    array.mkdir(parents=True)
    (base / "jobs" / "submissions").mkdir()
    (array / "job").write_text("7\n", encoding="utf-8")
    (array / "7_1_0_log.out").write_text("conda: no such environment\n", encoding="utf-8")
    old = new_log(runs[1].jobs_path, ["train"], 1)
    table = status_table(runs[1:2], [stands("lost", job="7_1", reason="left the queue")])
    assert f"  {array / '7_1_0_log.out'}\n" in table
    assert str(old) not in table


def test_a_traceback_is_a_log_too(runs):
    path = runs[0].folder / "train-error.txt"
    path.parent.mkdir(parents=True)
    path.write_text("Traceback\n", encoding="utf-8")
    assert f"  {path}\n" in status_table(runs[:1], [stands("failed")])


def test_looking_at_runs_loads_neither_torch_nor_pandas():
    code = (
        "import sys, layerscope.launch.following.status, layerscope.launch.cleaning.clean; "
        "print(sorted({'torch', 'pandas', 'pyarrow', 'numpy'} & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert answer.stdout.strip() == "[]"


def test_paths_in_the_table_are_those_of_the_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = runs_with(1, base=Path("runs"))[0]
    log = new_log(run.jobs_path, ["train"], 1)
    assert str(log.absolute()) in status_table([run], [stands("failed")])
