"""``--screen`` at the command line."""

from __future__ import annotations

import json

import pytest

from layerscope.cli import main


@pytest.fixture
def path(weights, write_screening):
    checkpoints = [{"model": "mlp_single", "files": f"{weights}/[abd]_*"}]
    return write_screening(Screen={"models": ["mlp_small"], "checkpoints": checkpoints})


def test_the_command_writes_table_correlations_and_figure_and_says_what_failed(path, tmp_path, capsys):
    assert main(["-c", str(path), "--screen", "--device", "cpu"]) == 1
    said = capsys.readouterr()
    assert "d_broken.safetensors failed: Screen.checkpoints:" in said.err
    assert "4 networks: 3 measured now, 0 before, 1 failed" in said.out
    assert "nearest class centre" in said.out
    folder = tmp_path / "screened"
    made = {str(found.relative_to(folder)) for found in folder.rglob("*.*") if not found.name.startswith(".")}
    assert made == {"screen.csv", "correlations.csv", "figures/Screening.pdf", "figures/Screening.png"}


def test_a_dry_run_tells_every_network_and_writes_nothing(path, tmp_path, capsys):
    assert main(["-c", str(path), "--screen", "-d"]) == 2
    shown = capsys.readouterr().out
    assert "4 networks (3 to be measured) on digits: DSE, DSMI, DSMI_inputs and accuracies" in shown
    assert "own classifier" in shown
    assert "1 problem:" in shown
    assert not (tmp_path / "screened").exists()
    assert main(["-c", str(path), "--screen", "-d", "--json"]) == 2
    seen = json.loads(capsys.readouterr().out)
    assert [one["state"] for one in seen["networks"]] == ["to do", "to do", "to do", "fails"]
    assert [one["dim"] for one in seen["networks"]][:1] == [256]


@pytest.mark.parametrize("flag", ["--matrix", "--slurm", "--status", "--stages=measure", "--figures"])
def test_flags_about_runs_mean_nothing_beside_it(path, flag, capsys):
    assert main(["-c", str(path), "--screen", flag]) == 2
    assert "means nothing with --screen" in capsys.readouterr().err


def test_a_file_without_the_section_and_the_section_without_the_flag_are_refused(path, tmp_path, capsys):
    assert main(["-c", str(path)]) == 2
    assert "add --screen to compare them" in capsys.readouterr().err
    other = tmp_path / "other.yaml"
    other.write_text("Data: {dataset-id: digits}\n")
    assert main(["-c", str(other), "--screen"]) == 2
    assert "has no section Screen" in capsys.readouterr().err
