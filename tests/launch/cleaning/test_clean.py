"""Removing what finished runs do not need: what goes, what stays, and that nobody makes it anew."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from layerscope.config import parse_config
from layerscope.errors import MeasurementError, RunFolderError, UsageError
from layerscope.launch.cleaning.clean import clean, plan_cleaning
from layerscope.launch.cleaning.keep_policy import KeepPolicy
from layerscope.launch.cleaning.removal import Removal
from layerscope.launch.cleaning.text import cleaning_text
from layerscope.launch.states.stage_states import stage_states
from layerscope.run import Run
from layerscope.status import StageStatus

from ..stand_ins import commands_alone

TREE = {
    "Model": {"model-name": "mlp_single", "embedding-layers": ["fc"]},
    "Data": {"dataset-id": "digits", "batch-size": 512, "subset": 512},
    "Optimizer": {"lr": 0.05, "epochs": 4},
    "Logging": {"save-dir": "unused", "log-epochs": [0, 1, 2, 3, 4], "trackers": []},
    "Measurements": {"measures": ["CDNV"]},
}


def config_with(**sections):
    return parse_config({name: {**TREE[name], **sections.get(name, {})} for name in TREE}, source="test")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    run = Run(config_with(), tmp_path_factory.mktemp("clean") / "run", "run")
    run.train()
    run.measure()
    run.plot()
    return run


@pytest.fixture
def run(finished, tmp_path):
    """A finished run that a test may clean."""
    copy = replace(finished, folder=tmp_path / "runs" / "run")
    shutil.copytree(finished.folder, copy.folder)
    return copy


def files(run: Run) -> set[str]:
    return {path.name for path in (run.folder / "checkpoints").iterdir()}


def weights(*epochs: int) -> set[str]:
    return {f"epoch_{epoch:04d}.safetensors" for epoch in epochs}


def cleaned(run: Run, policy: str) -> Removal:
    [removal] = clean(run.folder.parent, [run], KeepPolicy.parse(policy))
    return removal


RESUME = {"resume.pt", "resume_previous.pt"}
OTHERS = {"manifest.json", "progress.json"}


@pytest.mark.parametrize(
    ("policy", "kept"),
    [
        ("last", weights(4) | RESUME),
        ("measured", weights(4) | RESUME),
        ("every:2", weights(0, 2, 4) | RESUME),
        ("every:3", weights(0, 3, 4) | RESUME),
        ("1", weights(1, 4) | RESUME),
        ("0, 3", weights(0, 3, 4) | RESUME),
        ("every:2,1", weights(0, 1, 2, 4) | RESUME),
        ("every:2,measured", weights(0, 2, 4) | RESUME),
        ("resume", weights(0, 1, 2, 3, 4)),
        ("Last,Resume", weights(4)),
        ("every:1", weights(0, 1, 2, 3, 4) | RESUME),
    ],
)
def test_a_policy_says_what_stays(run, policy, kept):
    before = {path.name: path.stat().st_size for path in (run.folder / "checkpoints").iterdir()}
    [plan] = plan_cleaning(run.folder.parent, [run], KeepPolicy.parse(policy))
    assert files(run) == before.keys()
    went = cleaned(run, policy)
    assert went == plan
    assert files(run) == kept | OTHERS
    assert {path.name for path in went.files} == before.keys() - files(run)
    assert went.bytes == sum(size for name, size in before.items() if name not in files(run))
    assert not cleaned(run, policy).files


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("", "needs to know what to keep"),
        ("lsat", "did you mean 'last'"),
        ("every:0", "write every:N"),
        ("every", "write every:N"),
        ("-3", "-3: unknown; what can be kept is last"),
        ("every:2,every:3", "only once"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(policy, message):
    with pytest.raises(UsageError, match=message):
        KeepPolicy.parse(policy)


def test_the_best_epoch_always_stays(run):
    manifest = run.checkpoints
    manifest.record(1, replace(manifest.entry(1), score=(0.9, -0.1)))
    assert cleaned(run, "last").epochs == (0, 2, 3)


def test_what_was_removed_is_not_missed(run):
    before = {path: path.read_bytes() for path in (run.folder / "measurements").iterdir()}
    cleaned(run, "last,resume")
    assert run.trained
    assert [state.state for state in stage_states([run])[0].values()] == ["done"] * 3
    assert run.status("measure").read().key == run.stage_key("measure")
    assert not run.train()
    assert not run.measure()
    assert not run.plot()
    assert {path: path.read_bytes() for path in before} == before
    assert run.checkpoints.epochs() == (4,)
    assert set(run.tables.read("CDNV")["epoch"]) == {0, 1, 2, 3, 4}


def test_the_last_network_can_be_loaded_and_a_removed_one_is_named(run):
    cleaned(run, "last")
    assert run.model() is not None
    with pytest.raises(MeasurementError, match=r"epoch 1 was removed from .* by --clean \(kept: 4\)"):
        run.model(1)


def test_a_new_measure_is_computed_for_what_is_left_and_the_rest_is_named(run, caplog):
    cleaned(run, "every:2")
    more = replace(run, config=config_with(Measurements={"measures": ["CDNV", "Traces"]}))
    assert more.measure()
    assert set(more.tables.read("Traces")["epoch"]) == {0, 2, 4}
    assert set(more.tables.read("CDNV")["epoch"]) == {0, 1, 2, 3, 4}
    assert "run: the checkpoint of epoch 1 was removed by --clean, so it has no Traces" in caplog.text
    assert more.done("measure")
    assert not more.measure()


def test_rows_that_cannot_be_measured_anew_are_not_given_up(run):
    cleaned(run, "last")
    before = run.tables.path("CDNV").read_bytes()
    other = replace(run, config=config_with(Model={"tap": "output"}))
    with pytest.raises(RunFolderError, match=r"Those of epoch 0, 1, 2, 3 could not be measured anew"):
        other.measure()
    assert run.tables.path("CDNV").read_bytes() == before
    shutil.rmtree(run.folder / "measurements")
    assert other.measure()
    assert set(other.tables.read("CDNV")["epoch"]) == {4}


def test_a_lost_checkpoint_that_nobody_released_is_still_missed(run):
    before = (run.folder / "checkpoints/epoch_0004.safetensors").read_bytes()
    cleaned(run, "last,resume")
    (run.folder / "checkpoints/epoch_0004.safetensors").unlink()
    assert not run.trained
    assert run.train()
    assert (run.folder / "checkpoints/epoch_0004.safetensors").read_bytes() == before
    assert run.checkpoints.epochs() == (0, 1, 2, 3, 4)  # from the start: there was nothing to go on from


def test_only_what_is_measured_goes_when_that_is_asked(run):
    more = replace(run, config=config_with(Measurements={"measures": ["CDNV", "Traces"]}))
    assert not cleaned(more, "measured").files
    went = cleaned(more, "last")
    assert went.epochs == went.unmeasured == (0, 1, 2, 3)
    said = "checkpoints that were not measured in full and cannot be any more: run (epochs 0, 1, 2, 3)"
    assert said in cleaning_text([went], done=True)


def test_damaged_rows_are_not_measured_rows(run):
    table = run.tables.path("CDNV")
    table.write_bytes(table.read_bytes().replace(b"\n2,test,", b"\n2,tset,"))
    assert cleaned(run, "measured").epochs == (0, 1, 3)
    assert run.measure()
    assert set(run.tables.read("CDNV")["epoch"]) == {0, 1, 2, 3, 4}


def test_a_run_that_is_not_finished_is_left_alone(run):
    (run.folder / "checkpoints/epoch_0004.safetensors").unlink()
    before = files(run)
    assert cleaned(run, "last,resume") == Removal("run", left="its training is not finished")
    assert files(run) == before


@pytest.mark.parametrize(
    ("stage", "state"), [("train", "running"), ("measure", "queued"), ("plot", "running")]
)
def test_a_run_that_waits_or_works_is_left_alone(run, tmp_path, monkeypatch, stage, state):
    commands = commands_alone(tmp_path, monkeypatch)
    commands.put("squeue", "7_0|PENDING||Priority" if state == "queued" else "7_0|RUNNING|n1|None")
    run.status(stage).write(StageStatus(state, job="7_0", attempt=1))
    before = files(run)
    assert cleaned(run, "last,resume") == Removal("run", left=f"{stage} is {state}")
    assert files(run) == before


def test_a_run_that_another_process_holds_is_left_alone(run):
    before = files(run)
    with (run.folder / ".lock").open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        assert "in use" in cleaned(run, "last").left
    assert files(run) == before
    assert cleaned(run, "last").epochs == (0, 1, 2, 3)


def test_a_run_that_was_never_begun_is_left_alone_and_not_created(tmp_path):
    run = Run(config_with(), tmp_path / "new", "new")
    assert cleaned(run, "last").left == "its training is not finished"
    assert not run.folder.exists()


@pytest.mark.parametrize("name", ["checkpoints/manifest.json", "measurements/manifest.json"])
def test_a_damaged_list_stops_the_cleaning_of_its_run_only(run, finished, name):
    second = replace(finished, folder=run.folder.parent / "second", name="second")
    shutil.copytree(finished.folder, second.folder)
    (run.folder / name).write_text("{", encoding="utf-8")
    before = files(run)
    one, other = clean(run.folder.parent, [run, second], KeepPolicy.parse("last"))
    assert one.left
    assert files(run) == before
    assert other.epochs == (0, 1, 2, 3)


def test_a_folder_that_cannot_be_written_is_left_alone(finished, small_disk):
    run = replace(finished, folder=small_disk / "run")
    shutil.copytree(finished.folder, run.folder, ignore=shutil.ignore_patterns("plots", "tensorboard"))
    before = files(run)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    try:
        assert "cannot write" in cleaned(run, "last").left
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert files(run) == before
    assert run.checkpoints.epochs() == (0, 1, 2, 3, 4)


def test_a_cleaning_that_was_interrupted_is_finished_by_the_next(run, monkeypatch):
    original = Path.unlink

    def interrupted(path: Path, missing_ok: bool = False) -> None:
        if path.name == "epoch_0002.safetensors":
            raise KeyboardInterrupt
        original(path, missing_ok=missing_ok)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "unlink", interrupted)
        cleaned(run, "last")
    assert run.trained
    assert run.checkpoints.epochs() == (4,)
    assert weights(2, 3) <= files(run)
    assert {path.name for path in cleaned(run, "last").files} == weights(2, 3)
    assert files(run) == weights(4) | RESUME | OTHERS


def test_the_manifest_of_what_was_never_released_is_spelled_as_before(run):
    path = run.checkpoints.path
    before = path.read_bytes()
    assert b"released" not in before
    run.checkpoints.record(4, run.checkpoints.entry(4))
    assert path.read_bytes() == before


def array(base: Path, number: int) -> Path:
    folder = base / "jobs" / f"2026-11-22T23-00-0{number}-train"
    folder.mkdir(parents=True)
    (folder / "job").write_text(f"{number}\n", encoding="utf-8")
    for name in (
        f"{number}_0_submitted.pkl",
        f"{number}_0_0_result.pkl",
        f"{number}_0_0_log.out",
        "array.json",
    ):
        (folder / name).write_text("content", encoding="utf-8")
    return folder


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_pickles_of_finished_jobs_go_and_their_logs_stay(tmp_path, monkeypatch):
    commands = commands_alone(tmp_path, monkeypatch)
    base = tmp_path / "runs"
    over, going = array(base, 7), array(base, 8)
    commands.put("squeue", "8_1|PENDING||Priority")
    before = names(going)
    [plan] = plan_cleaning(base, [], KeepPolicy.parse("jobs"))
    [went] = clean(base, [], KeepPolicy.parse("jobs"))
    assert went == plan
    assert names(over) == {"job", "7_0_0_log.out", "array.json"}
    assert names(going) == before
    assert went.bytes == 2 * len("content")
    assert cleaning_text([went], done=True) == "jobs      14 B  2 other files\nRemoved 2 files, 14 B.\n"


def test_where_slurm_does_not_answer_no_job_counts_as_over(tmp_path, monkeypatch):
    commands_alone(tmp_path, monkeypatch)
    folder = array(tmp_path / "runs", 7)
    before = names(folder)
    [left] = clean(tmp_path / "runs", [], KeepPolicy.parse("jobs"))
    assert left.left == "Slurm does not say which jobs are over"
    assert names(folder) == before


def test_nothing_to_remove_is_said(tmp_path):
    assert cleaning_text(clean(tmp_path, [], KeepPolicy.parse("jobs")), done=True) == "Nothing to remove.\n"


def test_the_preview_says_what_would_go_and_what_is_left_alone():
    removals = [
        Removal("lr_0.1", (Path("a"), Path("b"), Path("c")), 12_345_678, (0, 1)),
        Removal("lr_0.01", tuple(map(Path, map(str, range(12)))), 999, tuple(range(12)), (3,)),
        *(Removal(f"other_{number}", left="train is running") for number in range(5)),
    ]
    assert cleaning_text(removals, done=False).splitlines() == [
        "lr_0.1    12.3 MB  checkpoints of epochs 0, 1 and 1 other file",
        "lr_0.01     999 B  checkpoints of epochs 0, 1, 2, 3, 4, 5, 6, 7 and 4 more",
        "left alone: other_0, other_1, other_2 and 2 more: train is running",
        "checkpoints that are not measured in full yet: lr_0.01 (epochs 3)",
        "To be removed: 15 files, 12.3 MB. Nothing went yet; --yes removes it.",
    ]
