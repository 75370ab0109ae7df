"""The local queue brings runs to their end side by side, as if they had been done one after the other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from layerscope.errors import UsageError
from layerscope.heartbeat import is_process
from layerscope.launch.local.finished import Finished
from layerscope.launch.local.queue import run_queue
from layerscope.launch.local.slots import MASK
from layerscope.launch.workers import child as child_module
from layerscope.status import STAGES, StageStatus

from ..tiny_runs import diverging, endless, results, tiny_run, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture
def pretended(tmp_path, monkeypatch):
    """Makes workers write down the GPUs and threads that they got instead of working."""
    (tmp_path / "pretended_worker.py").write_text(
        "import os; from pathlib import Path; import sys\n"
        "folder = Path(sys.argv[sys.argv.index('--folder') + 1])\n"
        "names = ('CUDA_VISIBLE_DEVICES', 'OMP_NUM_THREADS', 'WORLD_SIZE')\n"
        "text = ' '.join(os.environ.get(name, '-') for name in names)\n"
        "(folder / ('rank' + os.environ.get('RANK', '0'))).write_text(text)\n"
    )
    monkeypatch.setattr(child_module, "WORKER", "pretended_worker")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def got(run, rank=0):
    return (run.folder / f"rank{rank}").read_text()


def test_the_queue_ends_with_the_files_of_a_serial_run_and_does_nothing_twice(tmp_path):
    runs = [tiny_run(tmp_path / "queue" / str(lr), lr=lr) for lr in (0.05, 0.1)]
    serial = [replace(run, folder=tmp_path / "serial" / run.name) for run in runs]
    told = []
    finished = run_queue(runs, STAGES, workers=2, device="cpu", watch=told.append)
    assert told == finished
    assert [one.state for one in finished] == ["done", "done"]
    assert {one.worked for one in finished} == {STAGES}
    assert str(finished[1]).startswith(f"[2/2] {finished[1].run.name}: trained, measured, plotted (")
    for run, alone in zip(runs, serial, strict=True):
        alone.train()
        alone.measure()
        assert results(run) == results(alone)
        assert len(results(run)) == 5
        assert all(run.done(stage) for stage in STAGES)

    again = run_queue(runs, STAGES, workers=2, device="cpu")
    assert [str(one) for one in again] == ["[1/2] 0.05: nothing to do", "[2/2] 0.1: nothing to do"]
    (runs[0].plots_path / "Overview.png").unlink()
    again = run_queue(runs, STAGES, workers=2, device="cpu")
    assert [one.worked for one in again] == [(), ("plot",)]


def test_failures_are_told_with_their_reason_and_stop_nobody(tmp_path):
    bad, good = diverging(tmp_path / "bad"), tiny_run(tmp_path / "good")
    victim = endless(tmp_path / "victim")

    def murder():
        wait_for(lambda: victim.last_epoch() >= 0)
        os.kill(victim.status("train").read().pid, signal.SIGKILL)

    killer = threading.Thread(target=murder)
    killer.start()
    finished = {
        one.run.name: one
        for one in run_queue([victim, bad, good], ("train", "measure"), workers=2, device="cpu")
    }
    killer.join()
    assert (finished["good"].state, finished["good"].worked) == ("done", ("train", "measure"))
    assert (finished["bad"].state, finished["bad"].stage) == ("failed", "train")
    assert "bad: train failed: epoch 1, step 2 of 12 (batch of 128): the loss is inf" in str(finished["bad"])
    assert not bad.tables.measures()
    said = str(finished["victim"])
    assert "victim: train failed: killed by signal 9 (SIGKILL): out of memory?" in said
    assert f"{victim.folder}/jobs/train.1.log ends with:\n    " in said
    assert f"by process {victim.status('train').read().pid} on" in said


def test_a_folder_of_another_config_is_refused_and_the_others_go_on(tmp_path, pretended):
    other = tiny_run(tmp_path / "a", lr=0.3)
    other.claim_config()
    other.status("train").write(StageStatus("queued", job="5"))
    finished = run_queue(
        [tiny_run(tmp_path / "a"), tiny_run(tmp_path / "b")], ["train"], workers=1, device="cpu"
    )
    assert [one.state for one in finished] == ["failed", "done"]
    assert "Optimizer.lr: 0.3 → 0.05" in str(finished[0])


def interrupted(folder: Path, signals: int):
    """The output and exit code of a queue that gets Ctrl-C, as a terminal sends it, when it is at work."""
    driver = Path(__file__).parents[1] / "queue_driver.py"
    process = subprocess.Popen(
        [sys.executable, str(driver), str(folder)], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    first, second = endless(folder / "first"), endless(folder / "second")
    try:
        wait_for(lambda: min(first.last_epoch(), second.last_epoch()) >= 1)
        pids = [run.status("train").read().pid for run in (first, second)]
        if signals > 1:  # workers that do not answer
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
        os.killpg(process.pid, signal.SIGINT)
        if signals > 1:
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(timeout=1.5)
            os.killpg(process.pid, signal.SIGINT)
        said, _ = process.communicate(timeout=90)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert not any(is_process(pid) for pid in pids)
    return said, process.returncode, (first, second)


def test_ctrl_c_lets_the_workers_save_and_starts_no_more(tmp_path):
    said, code, runs = interrupted(tmp_path, signals=1)
    assert code == 130
    assert said.count("train stopped: training was stopped after epoch") == 2
    assert said.endswith("interrupted\n")
    for run in runs:
        assert run.status("train").read().state == "stopped"
        assert (run.folder / "checkpoints/resume.pt").exists()
    assert not (tmp_path / "third" / "jobs").exists()


def test_a_second_ctrl_c_ends_workers_that_do_not_answer(tmp_path):
    said, code, runs = interrupted(tmp_path, signals=2)
    assert code == 130
    assert said.count("did not stop in time and was killed") == 2
    assert [run.status("train").read().state for run in runs] == ["stopped", "stopped"]


def test_handlers_are_as_before_when_the_queue_has_ended(tmp_path):
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    run_queue([], ["train"], device="cpu")
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_workers_on_cores_share_the_threads(tmp_path, pretended, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    run = tiny_run(tmp_path / "run")
    run_queue([run], ["train"], workers=1000, device="cpu")
    assert got(run).split()[1] == "1"
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    run_queue([run], ["train"], workers=1000, device="cpu")
    assert got(run).split()[1] == "3"


def test_each_gpu_has_its_worker_and_a_run_without_gpu_sees_none(tmp_path, pretended, monkeypatch):
    monkeypatch.setenv(MASK, "4,7")
    runs = [tiny_run(tmp_path / name) for name in "ab"]
    alone = tiny_run(tmp_path / "alone", **{"gpus-per-run": 0})
    run_queue([*runs, alone], ["train"], workers="auto")
    assert sorted(got(run).split()[0] for run in runs) == ["4", "7"]
    assert got(alone).startswith(" ")


def test_a_run_on_two_gpus_gets_both_and_one_process_for_each(tmp_path, pretended, monkeypatch):
    monkeypatch.setenv(MASK, "4,7")
    run = tiny_run(tmp_path / "run", **{"gpus-per-run": 2})
    run_queue([run], ["train"])
    for rank in (0, 1):
        assert got(run, rank).split()[::2] == ["4,7", "2"]


def test_a_run_that_asks_for_more_gpus_than_there_are_is_refused_before_anything_starts(
    tmp_path, pretended, monkeypatch
):
    monkeypatch.setenv(MASK, "4")
    run, wide = tiny_run(tmp_path / "run"), tiny_run(tmp_path / "wide", **{"gpus-per-run": 2})
    with pytest.raises(UsageError, match="wide asks for 2 GPUs"):
        run_queue([run, wide], ["train"])
    assert not run.folder.exists()


def test_one_line_says_what_came_of_a_run(tmp_path):
    run = tiny_run(tmp_path / "lr_0.1")
    told = Finished(run, 3, 6, "done", ("train", "measure", "plot"), log=tmp_path / "x.log", seconds=12.4)
    assert str(told) == "[3/6] lr_0.1: trained, measured, plotted (12 s)"
    told = Finished(run, 4, 6, "stopped", ("train",), "measure", "asked to", tmp_path / "x.log", 3)
    assert str(told) == "[4/6] lr_0.1: trained, measure stopped: asked to (3 s)"
