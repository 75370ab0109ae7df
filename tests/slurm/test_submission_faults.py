"""Submissions that go wrong, overlap, come from strange places, or are overtaken by edits."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess

import pytest
from matrix_on_slurm import PATIENCE, TABLES

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(1500)]


@pytest.fixture
def sbatch_that_fails_once(tmp_path):
    """A PATH on which the third call of sbatch fails."""
    folder = tmp_path / "bin"
    folder.mkdir()
    sbatch = folder / "sbatch"
    sbatch.write_text(
        "#!/bin/sh\n"
        f"echo call >>{folder}/calls\n"
        f'if [ "$(wc -l <{folder}/calls)" = 3 ]; then\n'
        "    echo 'sbatch: error: Slurm temporarily unable to accept job' >&2\n"
        "    exit 1\n"
        "fi\n"
        f'exec {shutil.which("sbatch")} "$@"\n'
    )
    sbatch.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def test_after_a_failed_call_of_sbatch_the_same_command_submits_just_the_rest(
    launched, same_as_serial, sbatch_that_fails_once
):
    matrix = launched(lrs=(0.05, 0.1), runs=(0, 1))  # two arrays per stage
    submit = ["-s", "--stages", ",".join(TABLES)]
    answer = matrix.call(*submit, environment=sbatch_that_fails_once)
    assert answer.returncode != 0
    assert "temporarily unable to accept job" in answer.stderr
    assert 0 < len(matrix.submitted()) < 8
    matrix.succeed(*submit, environment=sbatch_that_fails_once)
    assert len(matrix.submitted()) == 8
    matrix.finish()
    same_as_serial(matrix)
    assert {matrix.status(run, stage)["attempt"] for run in matrix.cells for stage in TABLES} == {1}


def test_two_people_who_launch_the_same_folder_at_once_get_one_set_of_jobs(launched, same_as_serial):
    matrix = launched(lrs=(0.05, 0.1))
    command = matrix.command("-s", "--stages", ",".join(TABLES))
    people = [
        subprocess.Popen(
            command, cwd=matrix.place, env=matrix.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    said = [person.communicate(timeout=PATIENCE)[0] for person in people]
    assert [person.returncode for person in people] == [0, 0], said
    assert len(matrix.submitted()) == 4
    matrix.finish()
    same_as_serial(matrix)


def test_a_job_can_submit(launched, same_as_serial, cluster):
    matrix = launched()
    command = shlex.join(matrix.command("-s", "--stages", ",".join(TABLES)))
    outer = cluster.run(
        *("sbatch", "--parsable", "--cpus-per-task=2", "--mem-per-cpu=150", "--time=77", "--job-name=outer"),
        *(f"--output={matrix.place}/outer.log", "--chdir=/", f"--export=ALL,PACE={matrix.place}/pace"),
        *("--wrap", f"cd {shlex.quote(str(matrix.place))} && {command}"),
    )
    state = ["squeue", "--noheader", "--format=%T", "--states=all", f"--jobs={outer}"]
    matrix.wait(lambda: cluster.run(*state) in {"COMPLETED", "FAILED"}, "the outer job to end")
    said = (matrix.place / "outer.log").read_text()
    assert cluster.run(*state) == "COMPLETED", said
    matrix.finish()
    same_as_serial(matrix)
    [run] = matrix.cells
    asked = ["squeue", "--noheader", "--format=%C %l", "--states=all"]
    answers = {cluster.run(*asked, f"--jobs={matrix.job(run, stage)}") for stage in TABLES}
    assert answers == {"1 2:00:00"}  # what the profile says, not what the outer job had


def test_what_runs_is_what_was_submitted_whatever_is_edited_afterwards(launched, same_as_serial, cluster):
    matrix = launched(slurm={"extra": {"hold": True}})
    matrix.submit()
    matrix.source.write_text("raise RuntimeError('half an edit')\n")
    matrix.write({"Model": {"model-name": "half an edit"}})
    cluster.run("scontrol", "release", *{job.split("_")[0] for job in matrix.submitted()})
    matrix.finish()
    same_as_serial(matrix)
