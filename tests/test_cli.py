"""The command line, run as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from layerscope.cli import main
from layerscope.status import StageStatus, StatusFile

from .launch.fake_slurm import FakeSlurm

REPOSITORY = Path(__file__).parents[1]
TREE = {
    "Model": {"model-name": "mlp_single", "embedding-layers": ["fc"]},
    "Data": {"dataset-id": "digits", "batch-size": 128},
    "Optimizer": {"lr": 0.05, "epochs": 1},
    "Logging": {"log-epochs": [0, 1], "trackers": []},
    "Measurements": {"measures": ["CDNV", "Accuracy"]},
}


@pytest.fixture
def write_config(tmp_path):
    def write(**sections) -> tuple[Path, Path]:
        tree = {name: {**TREE.get(name, {}), **sections.get(name, {})} for name in {*TREE, *sections}}
        folder = tmp_path / "run"
        tree["Logging"].setdefault("save-dir", str(folder))
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(tree))
        return path, folder

    return write


def test_main_py_is_the_installed_command(write_config):
    path, folder = write_config()
    command = [sys.executable, REPOSITORY / "src/main.py", "-c", path]
    first = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert first.returncode == 0, first.stderr
    assert f"run: {folder}\n  2 checkpoints (epochs 0, 1) in checkpoints/" in first.stdout
    assert "2 tables in measurements/: Accuracy, CDNV" in first.stdout
    again = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert again.returncode == 0
    assert again.stdout.startswith("Nothing to do: every checkpoint, table and figure is up to date.\n")


def test_five_mistakes_are_one_message_with_five_lines_and_exit_code_2(tmp_path, capsys):
    path = tmp_path / "wrong.yaml"
    path.write_text(
        "Model:\n  model-name: mlp_smal\n  embeding-layers: [fc]\n"
        "Data:\n  dataset-id: digitz\n  batch-size: many\n"
        "Optimizer:\n  lr: -1\n  epochs: 3\nLogging:\n  save-dir: logs/x\n"
    )
    assert main(["-c", str(path)]) == 2
    message = capsys.readouterr().err
    assert "5 problems in the config" in message
    for line in (2, 3, 5, 6, 8):
        assert f"{path}:{line}: " in message


def test_a_missing_config_is_named(capsys):
    assert main(["-c", "no/such.yaml"]) == 2
    assert "no/such.yaml" in capsys.readouterr().err


def test_a_missing_data_folder_names_the_path_and_the_remedy(write_config, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path, _ = write_config(Data={"dataset-id": "cifar10", "root": str(tmp_path / "nowhere")})
    assert main(["-c", str(path), "-q"]) == 1
    message = capsys.readouterr().err
    assert str(tmp_path / "nowhere") in message
    assert "download" in message


def broken_arrays(tmp_path, **changes) -> Path:
    generator = np.random.default_rng(0)
    arrays = {
        "train_images": generator.random((40, 6, 6), dtype=np.float32),
        "train_labels": np.arange(40) % 4,
        "test_images": generator.random((20, 6, 6), dtype=np.float32),
        "test_labels": np.arange(20) % 4,
    }
    for name, (place, value) in changes.items():
        arrays[name][place] = value
    path = tmp_path / "arrays.npz"
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"test_labels": (7, 9)}, ("arrays.npz (test): label 9", "sample 7")),
        ({"train_images": ((11, 2, 2), np.nan)}, ("train_images", "11")),
    ],
    ids=["a label outside the classes", "a NaN image"],
)
def test_broken_arrays_are_said_before_anything_is_trained(write_config, tmp_path, capsys, changes, said):
    root = broken_arrays(tmp_path, **changes)
    path, folder = write_config(Data={"dataset-id": "arrays", "root": str(root), "batch-size": 8})
    assert main(["-c", str(path), "-q"]) == 1
    message = capsys.readouterr().err
    for part in said:
        assert part in message
    assert not list(folder.glob("checkpoints/*"))


def test_a_full_disk_is_said_and_what_was_saved_stays(write_config, small_disk, capsys):
    folder = small_disk / "run"
    path, _ = write_config(
        Model={"model-name": "mlp_small"},
        Optimizer={"epochs": 6},
        Logging={"save-dir": str(folder), "log-interval": 1},
    )
    assert main(["-c", str(path), "-q"]) == 1
    message = capsys.readouterr().err
    assert "No space left on device" in message
    assert "run the same command again to continue" in message
    from layerscope.training.checkpoints import CheckpointStore

    store = CheckpointStore(folder / "checkpoints")
    assert store.manifest.epochs(), "at least one checkpoint fits on the disk"
    for epoch in store.manifest.epochs():
        store.load(epoch)


def test_a_diverging_run_fails_with_its_step_and_rate_and_keeps_its_checkpoints(write_config, capsys):
    path, folder = write_config(Optimizer={"lr": 1e6, "epochs": 3}, Model={"model-name": "mlp_single_nobn"})
    assert main(["-c", str(path), "-q"]) == 1
    message = capsys.readouterr().err
    assert "epoch 1, step" in message
    assert "lr 1e+06" in message
    assert (folder / "checkpoints/epoch_0000.safetensors").exists()


def test_stages_can_be_chosen_and_left_out(write_config, capsys):
    path, folder = write_config()
    assert main(["-c", str(path), "-q", "--stages", "train"]) == 0
    assert not (folder / "measurements").exists()
    assert main(["-c", str(path), "-q", "--no-plot"]) == 0
    assert (folder / "measurements/CDNV.csv").exists()
    assert not (folder / "plots").exists()
    assert main(["-c", str(path), "--stages", "plot", "--no-plot"]) == 2
    assert "no stage to run" in capsys.readouterr().err


def test_cleaning_shows_first_and_removes_only_on_request(write_config, capsys):
    path, folder = write_config()
    command = ["-c", str(path), "--clean", "last,resume"]
    assert main(["-c", str(path), "-q", "--no-plot"]) == 0
    before = sorted(folder.rglob("*"))
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "checkpoints of epochs 0 and 2 other files" in shown
    assert shown.endswith("Nothing went yet; --yes removes it.\n")
    assert sorted(folder.rglob("*")) == before
    assert main([*command, "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert (plan["removed"], plan["removals"][0]["epochs"]) == (False, [0])
    assert main([*command, "--yes"]) == 0
    assert "Removed 3 files" in capsys.readouterr().out
    assert {path.name for path in folder.glob("checkpoints/*.*")} == {
        *("epoch_0001.safetensors", "manifest.json", "progress.json")
    }
    assert main([*command, "--yes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["bytes"] == 0


def test_cleaning_without_a_policy_leaves_every_checkpoint(write_config, capsys):
    path, folder = write_config()
    assert main(["-c", str(path), "-q", "--stages", "train"]) == 0
    assert main(["-c", str(path), "--clean", "--yes"]) == 0
    assert len(list(folder.glob("checkpoints/*.safetensors"))) == 2
    assert not list(folder.glob("checkpoints/resume*"))
    assert "Removed" in capsys.readouterr().out


def test_a_retry_of_runs_that_nobody_started_does_not_say_that_all_is_done(write_config, capsys):
    path, _ = write_config()
    assert main(["-c", str(path), "--retry"]) == 0
    assert capsys.readouterr().out == "Nothing to retry: nothing went wrong.\n"
    assert main(["-c", str(path), "--retry", "lost"]) == 0
    assert capsys.readouterr().out == "Nothing to retry: nothing is lost.\n"


def test_a_flag_for_another_is_refused_alone(write_config, capsys):
    path, _ = write_config()
    assert main(["-c", str(path), "--yes"]) == 2
    assert "--yes is for --clean" in capsys.readouterr().err
    assert main(["-c", str(path), "--clean", "lsat"]) == 2
    assert "did you mean 'last'" in capsys.readouterr().err


@pytest.mark.parametrize("flags", [["-s"], ["-s", "-d"], ["--retry"]])
def test_a_device_is_refused_where_slurm_gives_it(write_config, capsys, flags):
    path, _ = write_config()
    assert main(["-c", str(path), "--device", "cpu", *flags]) == 2
    assert "Slurm.gpus-per-run" in capsys.readouterr().err


def test_a_retry_with_workers_works_here(write_config, capsys):
    path, folder = write_config()
    StatusFile(folder, "train").write(StageStatus("failed", reason="the disk was full", attempt=1))
    command = ["-c", str(path), "--retry", "--workers", "1", "--device", "cpu", "--stages", "train"]
    assert main(command) == 0
    status = StatusFile(folder, "train").read()
    assert (status.state, status.attempt) == ("done", 2)
    assert main(command) == 0
    assert "Nothing to retry" in capsys.readouterr().out


def test_a_matrix_draws_its_figures_when_it_ends_and_any_figure_on_request(write_config, capsys, monkeypatch):
    from layerscope.plotting.matrix import plots

    monkeypatch.setattr(plots, "MATRIX_FIGURES", {"CDNV_map": plots.MATRIX_FIGURES["CDNV_map"]})
    path, folder = write_config(Matrix={"Optimizer": {"lr": [0.05, 0.1]}})
    assert main(["-c", str(path), "-m", "-q"]) == 0
    figure = folder / "figures" / "CDNV_map.pdf"
    drawn = figure.stat().st_mtime_ns
    assert main(["-c", str(path), "-m", "--stages", "plot"]) == 0
    assert figure.stat().st_mtime_ns == drawn
    assert "Nothing to do" in capsys.readouterr().out
    assert main(["-c", str(path), "-m", "--only", "lr=0.1", "--figures", "cdnv", "cdnv_map"]) == 0
    assert figure.stat().st_mtime_ns > drawn
    assert capsys.readouterr().out == (
        f"{folder / 'lr_0.1' / 'plots'}: 1 figure drawn\n{folder / 'figures'}: 1 figure drawn\n"
    )
    assert main(["-c", str(path), "-m", "--figures", "CDNV_mop"]) == 2
    assert "there is no figure 'CDNV_mop': did you mean CDNV_map" in capsys.readouterr().err
    assert main(["-c", str(path), "-m", "--figures", "CDNV_map", "--columns", "1"]) == 0
    assert b"/MediaBox [ 0 0 252 " in figure.read_bytes()  # 3.5 inches
    assert main(["-c", str(path), "-m", "--figures", "CDNV", "NCC"]) == 1  # NCC was not measured
    assert main(["-c", str(path), "-m", "--columns", "1"]) == 2
    assert "--columns is for --figures" in capsys.readouterr().err


def test_a_timestamp_starts_afresh_in_a_dated_subfolder(write_config, capsys):
    path, folder = write_config()
    assert main(["-c", str(path), "-q", "--stages", "train", "--timestamp"]) == 0
    (dated,) = folder.iterdir()
    assert (dated / "checkpoints/manifest.json").exists()
    assert main(["-c", str(path), "--stages", "train", "--set", f"Logging.save-dir={dated}"]) == 0
    assert "Nothing to do" in capsys.readouterr().out


def test_a_submission_with_a_timestamp_says_how_to_follow_it(write_config, capsys, tmp_path, monkeypatch):
    FakeSlurm(tmp_path / "slurm", monkeypatch)
    path, folder = write_config()
    assert main(["-c", str(path), "-s", "--timestamp"]) == 0
    (dated,) = folder.iterdir()
    place = f"--set Logging.save-dir={dated}"
    assert f"The same command with {place} in place of --timestamp, with --status" in capsys.readouterr().out
    assert main(["-c", str(path), "-s", *place.split()]) == 0
    assert "Nothing to submit" in capsys.readouterr().out


@pytest.mark.parametrize(
    "flag", ["--status", "--retry", "--cancel", "--logs=x", "--clean", "--report", "--figures"]
)
def test_what_is_there_is_not_looked_for_in_a_new_dated_folder(write_config, capsys, flag):
    path, _ = write_config()
    assert main(["-c", str(path), "--timestamp", flag]) == 2
    assert "--set Logging.save-dir=" in capsys.readouterr().err


def test_stages_may_have_blanks_around_them_but_not_be_empty(write_config, capsys):
    path, folder = write_config()
    assert main(["-c", str(path), "-q", "--stages", " train, measure"]) == 0
    assert not (folder / "plots").exists()
    for stages in ("", "train,"):
        assert main(["-c", str(path), "--stages", stages]) == 2
        assert "a name is empty; name some of train, measure, plot" in capsys.readouterr().err


def test_the_schema_for_editors_is_valid(capsys):
    import jsonschema

    assert main(["--schema"]) == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(capsys.readouterr().out))


def test_help_needs_no_torch():
    lines = (
        "import sys, layerscope.cli as c",
        "try: c.main(['--help'])",
        "except SystemExit: print('torch' in sys.modules)",
    )
    code = "\n".join(lines)
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert answer.stdout.splitlines()[-1] == "False"


def test_a_dry_run_tells_of_layers_and_leaves_importing_torch_to_another_process(write_config):
    path, folder = write_config()
    lines = (
        "import sys; from layerscope.cli import main",
        f"code = main(['-c', {str(path)!r}, '-d', '--json'])",
        "sys.exit(99 if 'torch' in sys.modules else code)",
    )
    answer = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, timeout=120, check=False
    )
    assert answer.returncode == 0, answer.stderr
    seen = json.loads(answer.stdout)
    assert seen["runs"][0]["path"] == str(folder)
    assert [layer["name"] for layer in seen["models"][0]["layers"]] == ["block0.fc", "fc"]
    assert not folder.exists()


def test_a_dry_run_of_a_mistaken_config_ends_at_once(write_config, capsys):
    path, _ = write_config(Data={"dataset-id": "digitz"})
    assert main(["-c", str(path), "-d"]) == 2
    assert "did you mean 'digits'" in capsys.readouterr().err


def test_shell_completion_is_printed(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["--print-completion", "bash"])
    assert exit_.value.code == 0
    assert "--config" in capsys.readouterr().out
