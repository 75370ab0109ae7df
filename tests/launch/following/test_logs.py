"""What the workers of runs said, and what they say as it comes."""

from __future__ import annotations

import pytest

from layerscope.launch.following import logs as module
from layerscope.launch.following.logs import follow, logs
from layerscope.launch.states.stage_states import StageState
from layerscope.launch.workers.log import new_log
from layerscope.status import STAGES

from ..some_runs import runs_with


@pytest.fixture
def runs(tmp_path):
    return runs_with(3, base=tmp_path / "runs")


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    monkeypatch.setattr(module, "POLL_SECONDS", 0.0)
    monkeypatch.setattr(module, "ASK_SECONDS", 0.0)


class Script:
    """What happens between the looks of somebody who follows; afterwards nobody is at work any more."""

    def __init__(self, *steps, train="running") -> None:
        self.steps = iter(steps)
        self.train = train

    def __call__(self, runs):
        step = next(self.steps, None)
        if step is not None:
            step()
        words = dict.fromkeys(STAGES, StageState("done"))
        if step is not None:
            words["train"] = StageState(self.train)
        return [words for _ in runs]


def says(path, content: bytes):
    def append() -> None:
        with path.open("ab") as stream:
            stream.write(content)

    return append


def test_the_newest_log_is_printed_after_its_path_and_those_of_earlier_attempts(runs):
    run = runs[0]
    paths = [new_log(run.jobs_path, ["train"], attempt) for attempt in (1, 2, 10)]
    paths[2].write_text("one\ntwo\nthree\n", encoding="utf-8")
    text = logs(run)
    assert text == f"earlier: {paths[0]}\nearlier: {paths[1]}\n==> {paths[2]} <==\none\ntwo\nthree\n"
    assert logs(run, "measure") == "run_0: no worker on measure has said anything yet\n"


def test_a_log_is_followed_as_it_grows_into_the_next_attempt_and_to_its_end(runs):
    run = runs[0]
    first = new_log(run.jobs_path, ["train"], 1)
    second = first.with_name("train.2.log")

    def again() -> None:
        says(first, b"the last of it\n")()
        new_log(run.jobs_path, ["train"], 2).write_text("again\n", encoding="utf-8")

    letters = "grün\nstopped\n".encode()
    script = Script(says(first, letters[:3]), says(first, letters[3:]), again)
    assert list(follow([run], states=script)) == [
        f"==> {first} <==\ngr",
        "ün\nstopped\n",
        f"the last of it\nearlier: {first}\n==> {second} <==\nagain\n",
    ]


def test_who_follows_before_there_is_a_log_waits_for_it(runs):
    def born() -> None:
        new_log(runs[0].jobs_path, ["train"], 1).write_text("hello\n", encoding="utf-8")

    pieces = follow(runs[:1], states=Script(lambda: None, lambda: None, born, train="queued"))
    assert "".join(pieces).endswith("<==\nhello\n")


def test_several_runs_are_followed_at_once_line_by_line(runs):
    one, other = (new_log(run.jobs_path, ["train"], 1) for run in runs[:2])
    one.write_text("epoch 1\nepo", encoding="utf-8")
    script = Script(
        lambda: None, says(other, b"epoch 1\n"), says(one, b"ch 2\nepoch 3\n"), says(one, b"the end")
    )
    assert "".join(follow(runs, states=script)).splitlines() == [
        f"run_0 | ==> {one} <==",
        "run_0 | epoch 1",
        f"run_1 | ==> {other} <==",
        "run_1 | epoch 1",
        "run_0 | epoch 2",
        "run_0 | epoch 3",
        "run_0 | the end",
        "run_2: no worker has said anything yet",
    ]


def test_where_nobody_is_at_work_there_is_nothing_to_wait_for(runs, monkeypatch):
    monkeypatch.setattr(module, "ASK_SECONDS", 3600.0)
    path = new_log(runs[0].jobs_path, ["train"], 1)
    assert "".join(follow(runs[:1], states=Script())) == f"==> {path} <==\n"


def test_a_moment_between_two_stages_is_not_the_end(runs):
    path = new_log(runs[0].jobs_path, ["train"], 1)
    words = iter(["running", "new", "running", "new", "new"])

    def states(_):
        says(path, b".")()
        return [{"train": StageState("done"), "measure": StageState(next(words))}]

    assert "".join(follow(runs[:1], states=states)).endswith(".....")


def test_one_stage_is_followed_to_its_own_end(runs):
    path = new_log(runs[0].jobs_path, ["measure"], 1)

    def states(_):
        return [{"train": StageState("running"), "measure": StageState("done")}]

    assert "".join(follow(runs[:1], "measure", states=states)) == f"==> {path} <==\n"
