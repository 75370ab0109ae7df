"""The text that sbatch is given, whole, and what bash makes of its setup."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from layerscope.launch.arrays.array import Array
from layerscope.launch.submission.sbatch import ArrayExecutor, script, setup_lines, spelled

from ..some_runs import config_with, runs_with

GOLDEN = Path(__file__).with_name("golden")
FOLDER = Path("/logs/my study/jobs/2026-01-02T03-04-05-train")
CODE = Path("/logs/my study/jobs/code/0123abcd")

PLAIN = {"python": "/opt/env/bin/python"}
EVERYTHING = {
    "python": "apptainer exec --nv image.sif python",
    "partition": "gpu",
    "account": "physics",
    "qos": "long",
    "constraint": "a100|h100",
    "exclude": "node[01-03]",
    "gpu-type": "a100",
    "gpus-per-run": 1,
    "cpus": 6,
    "mem": "12GB",
    "timeout": "2-00:00:00",
    "signal-seconds": 90,
    "array-parallelism": 2,
    "runs-per-job": 3,
    "requeue": False,
    "mail": "me@example.org",
    "mail-type": ["fail", "time_limit"],
    "setup": ["module load cuda/12.4", "source ~/env/bin/activate  # ours"],
    "srun-args": ["--cpu-bind=cores"],
    "extra": {"nodelist": "node07", "exclusive": True, "wckey": "thesis", "hold": False},
}


def array_with(count, *, parallelism=None, indices=None, **slurm):
    runs = runs_with(count, **slurm)
    resources = config_with(**slurm).slurm.for_stage("train")
    width = resources.runs_per_job
    tasks = tuple(tuple(runs[first : first + width]) for first in range(0, count, width))
    return Array(
        "train", tasks, resources, "study.train", indices or tuple(range(len(tasks))), parallelism=parallelism
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("plain.sh", lambda: script(array_with(1, **PLAIN), FOLDER, CODE)),
        (
            "everything.sh",
            lambda: script(
                array_with(8, parallelism=2, **EVERYTHING), FOLDER, CODE, "aftercorr:12,afterany:7"
            ),
        ),
    ],
)
def test_the_script_is_this_one(name, text):
    assert text() == (GOLDEN / name).read_text(encoding="utf-8")


def test_what_is_submitted_is_what_is_shown(tmp_path, monkeypatch):
    """sbatch gets the same text as a dry run, from a folder that is there."""
    from ..fake_slurm import FakeSlurm

    slurm = FakeSlurm(tmp_path / "slurm", monkeypatch)
    array = array_with(4, **PLAIN)
    assert ArrayExecutor(tmp_path, array, CODE).send() == "100"
    assert slurm.arrays["100"]["text"] == script(array, tmp_path, CODE)


def test_indices_are_written_as_ranges():
    assert spelled((0, 1, 2, 5, 7, 8)) == "0-2,5,7-8"
    assert spelled((4,)) == "4"


def test_an_array_takes_the_indices_that_it_was_given():
    array = array_with(3, indices=(2, 3, 900), parallelism=2, **PLAIN)
    assert "#SBATCH --array=2-3,900%2\n" in script(array, FOLDER, CODE)


def test_the_last_job_of_packed_runs_asks_for_no_more_than_the_others():
    text = script(array_with(2, **PLAIN, cpus=3, mem="2GB", **{"runs-per-job": 4}), FOLDER, CODE)
    assert "#SBATCH --cpus-per-task=6\n" in text  # two runs share it, not four
    assert "#SBATCH --mem=4096M\n" in text


def test_gpus_of_a_run_are_those_of_the_job_however_many_runs_share_it():
    text = script(array_with(4, **PLAIN, **{"runs-per-job": 2, "gpus-per-run": 1}), FOLDER, CODE)
    assert "#SBATCH --gpus-per-node=1\n" in text
    assert "--gpus" not in script(array_with(1, **PLAIN, **{"gpus-per-run": 0}), FOLDER, CODE)


def run_setup(*lines, tmp_path):
    """What bash says, and its exit code, for a script with this setup."""
    asked = config_with(setup=list(lines)).slurm.for_stage("train")
    path = tmp_path / "job.sh"
    path.write_text(
        "#!/bin/bash\n" + "\n".join([*setup_lines(asked, Path("/code")), "echo the work"]), encoding="utf-8"
    )
    return subprocess.run(
        ["bash", str(path)], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    "line",
    [
        "no-such-command",
        "source ./missing.sh",
        "source ./returns_3.sh",
        "activate() { return 4; }; activate environment",
        "VALUE=$(false)",
        "if true; then false; fi",
    ],
)
def test_a_setup_that_fails_ends_the_job_and_names_its_line(line, tmp_path):
    (tmp_path / "returns_3.sh").write_text("true\nreturn 3\n", encoding="utf-8")
    answer = run_setup("true", line, "echo later", tmp_path=tmp_path)
    assert answer.returncode != 0
    assert answer.stdout == ""
    assert f"at: {line}" in answer.stderr


@pytest.mark.parametrize(
    "lines",
    [
        ["source ./careless.sh"],
        ["load() { false; true; }", "load module"],
        ["[ -f /nowhere ] && source /nowhere"],
        ["if [ -d /nowhere ]; then", "  export A=1", "else", "  export A=2", "fi"],
        ["export A=1 \\", "  B=2"],
        ["cat <<END >/dev/null", "false", "END"],
        ["grep -q nothing /dev/null || true"],
        ["set -u"],
    ],
)
def test_what_scripts_and_functions_do_within_is_their_own_business(lines, tmp_path):
    (tmp_path / "careless.sh").write_text("false\ngrep -q nothing /dev/null\ntrue\n", encoding="utf-8")
    answer = run_setup(*lines, tmp_path=tmp_path)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "the work\n", "")


def test_the_code_that_was_submitted_comes_before_what_the_setup_adds(tmp_path):
    asked = config_with(setup=["export PYTHONPATH=/site"]).slurm.for_stage("train")
    lines = [*setup_lines(asked, Path("/my code")), 'echo "$PYTHONPATH"']
    answer = subprocess.run(
        ["bash", "-c", "\n".join(lines)], capture_output=True, text=True, timeout=60, check=True
    )
    assert answer.stdout == "/my code:/site\n"
