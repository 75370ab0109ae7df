"""A worker does the stages of one run, says what it does, and stops when it is told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest
import torch

from layerscope.launch import worker
from layerscope.launch.workers.stopping import SIGNALS, StopRequest
from layerscope.status import STAGES, StageStatus

from .tiny_runs import diverging, endless, tiny_run, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def handlers():
    """The signals as they were before a worker ran within the test."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def work(run, *stages, **options):
    """The exit code of a worker in this process."""
    run.claim_config()
    flags = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    return worker.main(["--folder", str(run.folder), "--stages", ",".join(stages), *flags])


def states(run):
    return [(run.status(stage).read() or StageStatus("new")).state for stage in STAGES]


def test_a_worker_does_all_its_stages_and_says_what_where_and_with_what(tmp_path, capsys):
    run = tiny_run(tmp_path / "run")
    assert work(run, *STAGES, device="cpu") == 0
    assert states(run) == ["done", "done", "done"]
    assert all(run.done(stage) for stage in STAGES)
    said = capsys.readouterr().out
    assert f"train, measure, plot by process {os.getpid()} on {os.uname().nodename}" in said
    assert f"torch {torch.__version__.split('+')[0]}" in said
    assert "run: epoch 2/2  train loss" in said
    assert "run: measuring checkpoint 3/3 (epoch 2)" in said
    assert "run: working on cpu" in said
    assert said.endswith("run: plot is done\n")
    assert "\r" not in said
    assert all(line[:4].isdecimal() and line[10] == "T" for line in said.splitlines())

    assert work(run, *STAGES, device="cpu") == 0
    assert "run: train: nothing left to do" in capsys.readouterr().out


def test_nothing_is_measured_after_a_training_that_failed(tmp_path, capsys):
    run = diverging(tmp_path / "run")
    assert work(run, *STAGES, device="cpu") == 1
    assert states(run) == ["failed", "blocked", "blocked"]
    reason = run.status("train").read().reason
    assert reason in run.status("measure").read().reason
    assert capsys.readouterr().err.splitlines()[-1].endswith(reason.splitlines()[-1])
    assert not run.tables.measures()


def test_a_stage_whose_conditions_are_not_met_is_blocked_with_the_reason(tmp_path):
    run = tiny_run(tmp_path / "run")
    run.status("train").write(StageStatus("failed", reason="the loss is NaN"))
    assert work(run, "measure", after="train") == 1
    assert states(run) == ["failed", "blocked", "new"]
    assert run.status("measure").read().reason == "train is not done (failed: the loss is NaN)"


def test_the_checkpoints_of_an_unfinished_run_can_be_measured_when_asked_for(tmp_path):
    part = tiny_run(tmp_path / "run")
    part.train()
    whole = tiny_run(tmp_path / "run", epochs=2)
    (part.folder / "checkpoints/epoch_0002.safetensors").rename(tmp_path / "aside")
    part.checkpoints.forget_after(1)
    assert work(whole, "measure", device="cpu") == 0
    assert sorted(set(whole.tables.read("CDNV")["epoch"])) == [0, 1]
    assert not whole.done("measure")


def test_a_gpu_that_is_not_there_fails_at_once_with_the_name_of_the_node(tmp_path):
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    run = tiny_run(tmp_path / "run")
    assert work(run, "train", device="cuda") == 1
    status = run.status("train").read()
    assert (status.state, status.reason) == (
        "failed",
        f"--device cuda: {os.uname().nodename} has 0 usable GPUs",
    )


def test_a_bug_ends_with_its_traceback_in_the_log_and_a_failed_status(tmp_path, capsys, monkeypatch):
    run = tiny_run(tmp_path / "run")
    monkeypatch.setattr(worker.Run, "plot", lambda *arguments, **options: 1 / 0)
    assert work(run, "plot") == 1
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert said.splitlines()[-1].endswith("run: ZeroDivisionError: division by zero")


def test_a_folder_that_is_no_run_is_named(tmp_path, capsys):
    assert worker.main(["--folder", str(tmp_path / "no"), "--stages", "train"]) == 1
    assert "is not a run's folder" in capsys.readouterr().err


def test_a_signal_that_came_before_the_worker_listened_is_not_lost(tmp_path):
    run = tiny_run(tmp_path / "run")
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    signal.pthread_kill(threading.get_ident(), signal.SIGUSR2)  # a thread of the test runner would die of it
    assert work(run, "train") == 75
    assert states(run) == ["new", "new", "new"]


def test_a_signal_that_comes_when_all_is_said_changes_no_exit_code(tmp_path):
    code = (
        "import os, signal, sys, threading, time\n"
        "from layerscope.launch.worker import main\n"
        "class Last:\n"  # goes when Python has forgotten the handlers
        "    def __del__(self, kill=os.kill, pid=os.getpid(), number=signal.SIGTERM):\n"
        "        kill(pid, number)\n"
        "last = Last()\n"
        "threading.Thread(target=time.sleep, args=(100,), daemon=True).start()\n"  # takes signals as well
        f"sys.exit(main(['--folder', {str(tmp_path / 'no')!r}, '--stages', 'train']))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, "is not a run's folder" in ended.stderr) == (1, True), ended.stderr


def test_a_stop_request_also_hears_of_a_lost_parent():
    request = StopRequest()
    assert not request()
    request.follow(os.getppid())
    assert not request()
    request.follow(os.getpid())
    assert request()


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_worker_that_is_told_to_stop_saves_and_says_so(tmp_path, number):
    run = endless(tmp_path / "run")
    run.claim_config()
    command = [sys.executable, "-m", "layerscope.launch.worker", "--stages", "train,measure"]
    with subprocess.Popen([*command, "--folder", str(run.folder), "--device", "cpu"], text=True) as process:
        try:
            wait_for(lambda: run.last_epoch() >= 1)
            process.send_signal(number)
            assert process.wait(timeout=60) == 75
        finally:
            process.kill()
    assert states(run) == ["stopped", "new", "new"]
    assert "training was stopped after epoch" in run.status("train").read().reason
    assert run.status("train").read().progress == -1
