"""Workers are started, stopped and buried; what they cannot say any more is said for them."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

import pytest

from layerscope.launch.workers import child as child_module
from layerscope.launch.workers.child import Child, Work
from layerscope.launch.workers.children import Children
from layerscope.status import StageStatus

from ..tiny_runs import endless, tiny_run, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture
def children():
    group = Children()
    yield group
    group.kill()


@pytest.fixture
def pretended(tmp_path, monkeypatch):
    """Makes workers run some code instead, with the worker's flags in ``sys.argv``."""

    def pretend(code):
        (tmp_path / "pretended_worker.py").write_text(code)
        monkeypatch.setattr(child_module, "WORKER", "pretended_worker")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return pretend


def running(run, stage="train"):
    status = run.status(stage).read()
    return status is not None and status.state == "running"


def test_a_killed_worker_harms_no_other_and_is_put_down_as_failed(tmp_path, children):
    victim, other = endless(tmp_path / "victim"), tiny_run(tmp_path / "other")
    for run in (victim, other):
        run.claim_config()
        children.start(Work(run, ("train", "measure"), "cpu"))
    wait_for(lambda: running(victim))
    os.kill(victim.status("train").read().pid, signal.SIGKILL)
    assert children.wait(seconds=120)
    endings = {ending.child.work.run.name: ending for ending in children.endings}
    assert endings["other"].state == "done"
    assert (endings["victim"].state, endings["victim"].stage) == ("failed", "train")
    status = victim.status("train").read()
    assert (status.state, status.attempt) == ("failed", 1)
    assert status.reason == endings["victim"].reason == "killed by signal 9 (SIGKILL): out of memory?"
    assert victim.status("measure").read().state == "blocked"
    assert other.done("measure")

    children.start(Work(victim, ("train",), "cpu"))  # the claim of the dead is no obstacle
    wait_for(lambda: running(victim))
    children.stop(seconds=60)
    assert (children.endings[-1].state, victim.status("train").read().attempt) == ("stopped", 2)


def test_a_worker_is_asked_to_stop_even_before_it_listens(tmp_path, children):
    run = endless(tmp_path / "run")
    run.claim_config()
    child = children.start(Work(run, ("train",), "cpu"))
    child.ask_to_stop()
    assert children.wait(seconds=120)
    assert [ending.state for ending in children.endings] == ["stopped"]
    assert child.poll() == 75


def test_each_attempt_has_a_log_of_its_own_and_the_newest_goes_by_the_names_of_the_stages(
    tmp_path, children, pretended
):
    pretended("import sys; print('out'); print(' '.join(sys.argv[1:]), file=sys.stderr)")
    run = tiny_run(tmp_path / "run")
    run.status("train").write(StageStatus("queued", attempt=2))
    children.start(Work(run, ("train", "measure"), "cpu", after=("train",)))
    children.wait(seconds=60)
    log = run.folder / "jobs/train.3.log"
    assert sorted(log.read_text().splitlines()) == [
        f"--folder {run.folder} --stages train,measure --after train --device cpu --parent {os.getpid()}",
        "out",
    ]
    for stage in ("train", "measure"):
        link = run.folder / f"jobs/{stage}.log"
        assert str(link.readlink()) == log.name
    run.status("train").write(StageStatus("failed", attempt=3))
    children.start(Work(run, ("train",)))
    children.wait(seconds=60)
    assert str((run.folder / "jobs/train.log").readlink()) == "train.4.log"


def test_a_worker_that_never_got_to_its_work_has_failed_with_its_last_words(tmp_path, children, pretended):
    pretended("import no_such_module")
    run = tiny_run(tmp_path / "run")
    run.status("train").write(StageStatus("queued", job="7_1", attempt=1, queued="then"))
    children.start(Work(run, ("train", "plot")))
    children.wait(seconds=60)
    status = run.status("train").read()
    assert (status.state, status.attempt, status.queued) == ("failed", 2, "then")
    assert status.reason == "ModuleNotFoundError: No module named 'no_such_module'"
    assert run.status("plot").read().reason == f"train is not done (failed: {status.reason})"


def test_a_worker_that_found_the_folder_in_use_leaves_the_status_to_who_uses_it(
    tmp_path, children, pretended
):
    pretended("import sys; sys.exit('in use by another')")
    run = tiny_run(tmp_path / "run")
    other = StageStatus("running", pid=1, host="another-node", attempt=1)
    run.status("train").write(other)
    children.start(Work(run, ("train",)))
    children.wait(seconds=60)
    assert run.status("train").read() == other
    assert (children.endings[0].state, children.endings[0].reason) == ("failed", "in use by another")


def test_a_worker_that_does_not_stop_is_killed_when_time_is_over(tmp_path, children, pretended):
    pretended(
        "import sys, time\n"
        "from pathlib import Path; from layerscope.status import *\n"
        "folder = Path(sys.argv[sys.argv.index('--folder') + 1])\n"
        "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])\n"
        "with recording(StatusFile(folder, 'train'), key=str) as begin:\n    begin(); time.sleep(100)"
    )
    run = tiny_run(tmp_path / "run")
    children.start(Work(run, ("train",)))
    wait_for(lambda: running(run))
    children.stop(seconds=0.2)
    assert not children.living
    status = run.status("train").read()
    assert (status.state, children.endings[0].state) == ("stopped", "stopped")
    assert "did not stop in time and was killed" in status.reason


@pytest.mark.parametrize(("state", "stage"), [("done", ""), ("stopped", "train")])
def test_what_a_worker_wrote_at_its_end_is_believed_whatever_kills_it_on_its_way_out(
    tmp_path, children, pretended, state, stage
):
    pretended(
        "import os, signal, sys\n"
        "from pathlib import Path; from layerscope.status import *\n"
        "file = StatusFile(Path(sys.argv[sys.argv.index('--folder') + 1]), 'train')\n"
        f"file.write(replace(started(file.read()), state={state!r}, reason='as I say'))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    run = tiny_run(tmp_path / "run")
    children.start(Work(run, ("train",)))
    children.wait(seconds=60)
    ended, said = children.endings[0], run.status("train").read()
    assert (ended.state, ended.stage, ended.reason) == (state, stage, "as I say")
    assert (said.state, said.reason) == (state, "as I say")


def test_the_processes_of_a_shared_run_know_their_places(tmp_path, children, pretended, monkeypatch):
    names = "('RANK', 'LOCAL_RANK', 'WORLD_SIZE', 'MASTER_ADDR', 'MASTER_PORT', 'EXTRA')"
    pretended(
        f"import os, time; words = ' '.join(str(os.environ.get(name)) for name in {names})\n"
        "os.write(1, (words + '\\n').encode())"
    )
    monkeypatch.setenv("RANK", "5")
    run = tiny_run(tmp_path / "run")
    child = children.start(Work(run, ("train",), ranks=2, environment={"EXTRA": "x"}))
    children.wait(seconds=60)
    lines = sorted(child.log.read_text().splitlines())
    port = lines[0].split()[4]
    assert lines == [f"0 0 2 127.0.0.1 {port} x", f"1 1 2 127.0.0.1 {port} x"]
    alone = children.start(Work(run, ("train",)))
    children.wait(seconds=60)
    assert alone.log.read_text().splitlines()[-1] == "None None None None None None"


def test_a_shared_run_has_failed_when_one_of_its_processes_has(tmp_path, children, pretended, monkeypatch):
    pretended("import os, sys, time\nif os.environ['RANK'] == '1':\n    sys.exit('lost')\ntime.sleep(100)")
    monkeypatch.setattr(child_module, "LOST_SECONDS", 0.2)
    run = tiny_run(tmp_path / "run")
    children.start(Work(run, ("train",), ranks=2))
    assert children.wait(seconds=60)
    assert children.endings[0].state == "failed"


def test_a_shared_run_whose_second_process_is_killed_says_so_and_goes_on_when_started_again(
    tmp_path, children
):
    run = endless(tmp_path / "run")
    run.claim_config()
    children.start(Work(run, ("train", "measure"), "cpu", ranks=2))
    wait_for(lambda: run.last_epoch() >= 1)
    wait_for(lambda: kill_rank(1, run))
    assert children.wait(seconds=90)
    status = run.status("train").read()
    assert (status.state, children.endings[0].state) == ("failed", "failed")
    assert "another of the 2 processes of this run has ended" in status.reason
    assert status.reason in run.status("measure").read().reason

    before = run.last_epoch()
    children.start(Work(run, ("train",), "cpu", ranks=2))
    wait_for(lambda: run.last_epoch() > before)
    children.stop(seconds=60)
    assert (children.endings[-1].state, run.status("train").read().state) == ("stopped", "stopped")


def kill_rank(number, run):
    """Kill one of the processes of this test that share a run; whether it was found."""
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            command = (environment.parent / "cmdline").read_text().split("\0")
            if f"RANK={number}" in environment.read_text().split("\0") and str(run.folder) in command:
                os.kill(int(environment.parent.name), signal.SIGKILL)
                return True
    return False


def test_a_signal_handler_may_ask_while_the_program_asks(tmp_path, pretended):
    pretended("import time; time.sleep(0.5)")
    child, answers = Child(Work(tiny_run(tmp_path / "run"), ("train",))), []
    before = signal.signal(signal.SIGALRM, lambda *_: answers.append(child.poll()))
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    child.start()
    deadline = time.monotonic() + 60
    try:
        while child.poll() is None:
            assert time.monotonic() < deadline
        seen = len(answers)
        while len(answers) < seen + 3:
            assert time.monotonic() < deadline
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        child.kill()
    assert set(answers) == {None, 0}
