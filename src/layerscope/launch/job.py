"""The entry of a Slurm job: ``python -m layerscope.launch.job <folder of its array>``.

It looks up what this job of the array has to do and hands it to submitit, which runs it and takes Slurm's
signals.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import layerscope
from layerscope.errors import LayerscopeError
from layerscope.files import atomic_path
from layerscope.launch.arrays.workload import Workload
from layerscope.launch.errors import LaunchError
from layerscope.launch.submission.snapshot import verify_snapshot
from layerscope.launch.workers.stopping import SIGNALS
from layerscope.launch.workers.task import StageTask, say_failed, this_job

TIME_OUTS = 1_000_000
"""How often submitit may start a job again; the task itself counts those that brought nothing."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do the work of this job; the exit code is 0 when any of its runs came to its end."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # until there is somebody to take them
    folder = Path((sys.argv[1:] if arguments is None else arguments)[0])
    workload = Workload.read(folder)
    task = StageTask.of(workload, int(os.environ["SLURM_ARRAY_TASK_ID"]))
    try:
        check_code(workload)
    except LayerscopeError as error:
        for run in task.folders:
            say_failed(Path(run), task.stage, str(error))
        sys.stderr.write(f"layerscope: {error}\n")
        return error.exit_code
    from submitit.core.submission import process_job

    place_submission(folder, task)
    process_job(folder)
    return 0


def check_code(workload: Workload) -> None:
    """Make sure that this very code is what was submitted.

    Raises
    ------
    LaunchError
        It was changed since, or Python took this package from somewhere else.
    """
    verify_snapshot(Path(workload.code), workload.digest)
    here = Path(layerscope.__file__).resolve()
    if Path(workload.code).resolve() not in here.parents:
        raise LaunchError(
            f"the job runs {here.parent} instead of the code that was submitted, {workload.code}; "
            "does a command of Slurm.setup, or Slurm.python, change where Python looks first?"
        )


def place_submission(folder: Path, task: StageTask) -> None:
    """Put the task where submitit looks for it; a job that was started again finds the one it left there."""
    from submitit.core.utils import DelayedSubmission, JobPaths

    path = JobPaths(folder, job_id=this_job()).submitted_pickle
    path.with_suffix(f"{path.suffix}.save_tmp").unlink(missing_ok=True)  # submitit would stumble over it
    if path.exists():
        return
    submission = DelayedSubmission(task)
    submission.set_timeout(task.timeout_min, TIME_OUTS)
    with atomic_path(path) as beside:
        submission.dump(beside)


if __name__ == "__main__":
    sys.exit(main())
