"""What a person reads: compared whole for the debug matrix, by its parts for others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from layerscope.config import load_config, load_matrix
from layerscope.preview.contents import Finding
from layerscope.preview.preview import preview
from layerscope.preview.text import as_text
from layerscope.run import Run

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).with_name("debug_matrix.txt")


def seen_of(path, *, slurm=False):
    cells = load_matrix(path)
    base = Path(cells[0].config.logging.save_dir)
    runs = [Run(cell.config, base / cell.name, cell.name or base.name, cell.axes) for cell in cells]
    seen = preview(runs, base, slurm=slurm)
    return replace(seen, disk=replace(seen.disk, free_bytes=10**12), problems=())


@pytest.fixture
def debug(here):
    return seen_of(ROOT / "matrix" / "debug.yaml", slurm=True)


def test_the_debug_matrix_reads_as_pinned(debug, here):
    text = as_text(debug).replace(str(here), "/here")
    lines = [line if "layerscope.launch.job" not in line else "  srun …" for line in text.splitlines()]
    assert lines == GOLDEN.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", ["customnets", "mlp_depth", "papyan_mse"])
def test_lines_of_shipped_matrices_fit_the_width(here, name):
    text = as_text(seen_of(ROOT / "matrix" / f"{name}.yaml"))
    assert max(map(len, text.splitlines())) <= 100
    assert text == text.rstrip() + "\n"
    assert not any(line != line.rstrip() for line in text.splitlines())


def test_a_long_matrix_shows_its_first_and_last_runs_and_the_axes(look):
    text = as_text(look(Matrix={"Optimizer": {"lr": [0.1, 0.2]}, "Run": {"run": list(range(100))}}))
    lines = text.splitlines()
    assert lines[0] == "200 runs in logs: 200 to do"
    assert "  Optimizer.lr  0.1, 0.2" in lines
    assert any(
        line.startswith("  Run.run       0, 1, 2, ") and line.endswith("99 (100 values)") for line in lines
    )
    assert "  lr_0.1/run_0   to do" in lines
    assert "  … 184 more runs …" in lines
    assert "  lr_0.2/run_99  to do" in lines
    assert len(lines) < 60


def test_runs_of_different_length_say_so_each(look):
    text = as_text(look(Matrix={"Optimizer": {"epochs": [2, 5]}}))
    assert "  epochs_2  2 epochs  2 checkpoints  to do" in text
    assert "  epochs_5  5 epochs  3 checkpoints  to do" in text


def test_many_layers_of_one_shape_share_a_line(here):
    config = load_config(ROOT / "config" / "resnet18_cifar10.yaml")
    text = as_text(preview([Run(config, Path("logs"), "resnet")], Path("logs")))
    assert "18 layers, the inputs of" in text
    assert "layer2.0.conv2 … layer3.0.conv1  4 layers  128x4x4     2,048" in text
    assert "11.2 M parameters" in text


def test_a_notebook_shows_the_text(look):
    class Printer:
        shown = ""

        def text(self, words):
            self.shown += words

    seen, printer = look(), Printer()
    seen._repr_pretty_(printer, False)
    assert printer.shown == str(seen) == as_text(seen)


def test_problems_come_last_with_their_runs(look):
    text = as_text(look(Data={"batch-size": 5000}, Matrix={"Run": {"run": list(range(5))}}))
    assert text.endswith(
        "Problem\n"
        "  - Data.batch-size is 5,000, but digits has only 1,437 training images; lower it\n"
        "    5 runs: run_0, run_1, run_2 and 2 more\n"
    )


def test_a_message_of_several_lines_stays_readable(look):
    seen = replace(look(), problems=(Finding("first line\nsecond line", ("one",)),))
    assert as_text(seen).endswith("Problem\n  - first line\n    second line\n    run: one\n")


def test_colours_are_for_terminals_only(look):
    seen = look(Data={"batch-size": 5000})
    assert "\x1b" not in as_text(seen)
    coloured = as_text(seen, colour=True)
    assert "\x1b[1;31m  - Data.batch-size" in coloured
    for code in ("\x1b[1m", "\x1b[1;31m", "\x1b[0m"):
        coloured = coloured.replace(code, "")
    assert coloured == as_text(seen)


def test_scripts_can_be_left_out(debug):
    assert "#SBATCH" in as_text(debug)
    assert "#SBATCH" not in as_text(debug, scripts=False)


def test_stages_that_stand_differently_are_told_apart(look):
    seen = look()
    stages = {"train": "done", "measure": "running", "plot": "new"}
    text = as_text(replace(seen, runs=(replace(seen.runs[0], stages=stages),)))
    assert "logs  train done, measure running, plot to do" in text
    assert text.startswith("1 run in logs: 1 running\n")
