"""The script of an array of jobs, as submitit writes and submits it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from submitit import SlurmExecutor

from layerscope.config.resources import Resources
from layerscope.launch.arrays.array import Array
from layerscope.launch.arrays.workload import STARTED_VARIABLE

MIB = 2**20

_SETUP_GUARD = (
    'trap \'layerscope_status=$?; if [ "${#BASH_SOURCE[@]}" -eq 1 ]; then '
    'echo "layerscope: setup failed with status $layerscope_status at: $(sed -n "${LINENO}p" "$0")" >&2; '
    'exit "$layerscope_status"; fi\' ERR'
)
"""Ends the job at the first command of the setup that fails, by name; what fails within a script that a
command sources, or within a function such as conda's or module's, is their own business. ``set -e`` would end
there too, and without a word."""


class ArrayExecutor(SlurmExecutor):
    """submitit's way to Slurm, for jobs that find their work in the folder of their array.

    submitit itself writes a pickle for each job and renames it when it knows the job's id; whoever is killed
    in between leaves jobs without work. Here nothing has to be done for a job once sbatch was called, a
    thousand jobs cost as much as one, and an array of one is an array.

    Parameters
    ----------
    folder : Path
        The array's own folder, with its :class:`Workload`.
    array : Array
    code : Path
        Where the jobs find this package.
    dependency : str
        As sbatch takes it; "" for none.
    """

    def __init__(self, folder: Path, array: Array, code: Path, dependency: str = "") -> None:
        super().__init__(folder, python=array.resources.python)
        self.update_parameters(**parameters(array, code, dependency))
        self.parameters["map_count"] = len(array.tasks)

    @classmethod
    def affinity(cls) -> int:
        """Always there: a script can be shown without Slurm, and sbatch is called only to submit."""
        return 2

    @property
    def _submitit_command_str(self) -> str:
        return f"{self.python} -u -m layerscope.launch.job {shlex.quote(str(self.folder))}"

    @property
    def script(self) -> str:
        """What sbatch is given."""
        return self._make_submission_file_text(self._submitit_command_str, "")

    def send(self) -> str:
        """Call sbatch; the id of the array.

        Raises
        ------
        submitit.core.utils.FailedJobError, submitit.core.utils.FailedSubmissionError
            What sbatch complained of.
        """
        return str(self._submit_command(self._submitit_command_str).job_id)


def script(array: Array, folder: Path, code: Path, dependency: str = "") -> str:
    """The text that sbatch is given for ``array``; needs no Slurm."""
    return ArrayExecutor(folder, array, code, dependency).script


def parameters(array: Array, code: Path, dependency: str) -> dict[str, Any]:
    """submitit's parameters for ``array``; None stands for what is left to the cluster."""
    asked = array.resources
    cpus = asked.cpus * array.width
    return {
        "job_name": array.name,
        "partition": asked.partition,
        "account": asked.account,
        "qos": asked.qos,
        "constraint": asked.constraint,
        "exclude": asked.exclude,
        "time": asked.timeout_min,
        "nodes": 1,
        "ntasks_per_node": 1,  # the processes of a run on several GPUs are started by its job
        "cpus_per_task": cpus,
        "gpus_per_node": _gpus(asked),
        "mem": _mem(asked, array.width),
        "signal_delay_s": asked.signal_seconds,
        "mail_user": asked.mail,
        "mail_type": ",".join(asked.mail_types) or None,
        "dependency": dependency or None,
        "wckey": None,  # submitit's own would be refused where wckeys are checked
        "stderr_to_stdout": True,
        "setup": setup_lines(asked, code),
        # since Slurm 22.05, srun does not take the job's cpus-per-task by itself
        "srun_args": [f"--cpus-per-task={cpus}", *asked.srun_args],
        "additional_parameters": _other_options(array, dependency),
    }


def setup_lines(asked: Resources, code: Path) -> list[str]:
    """What the job's shell does before the work."""
    return [
        f"export {STARTED_VARIABLE}=$(date +%s)",
        *((_SETUP_GUARD, *asked.setup, "trap - ERR") if asked.setup else ()),
        "# what was submitted comes first, whatever is installed or edited since",
        f"export PYTHONSAFEPATH=1 PYTHONPATH={shlex.quote(str(code))}${{PYTHONPATH:+:$PYTHONPATH}}",
    ]


def _gpus(asked: Resources) -> str | None:
    if not asked.gpus_per_run:
        return None
    return f"{asked.gpu_type}:{asked.gpus_per_run}" if asked.gpu_type else str(asked.gpus_per_run)


def _mem(asked: Resources, width: int) -> str | None:
    return None if asked.mem_bytes is None else f"{-(-asked.mem_bytes * width // MIB)}M"


def _other_options(array: Array, dependency: str) -> dict[str, Any]:
    asked = array.resources
    limit = f"%{array.parallelism}" if (array.parallelism or len(array.tasks)) < len(array.tasks) else ""
    return {
        "array": f"{spelled(array.indices)}{limit}",
        "requeue" if asked.requeue else "no-requeue": True,
        # a job whose input will never come leaves the queue instead of standing in it for ever
        **({"kill-on-invalid-dep": "yes"} if dependency else {}),
        **{option: value for option, value in asked.extra if value is not False},
    }


def spelled(indices: tuple[int, ...]) -> str:
    """Sorted indices as Slurm writes them: ``0-4,7``."""
    ranges: list[list[int]] = []
    for index in indices:
        if ranges and index == ranges[-1][-1] + 1:
            ranges[-1] = [ranges[-1][0], index]
        else:
            ranges.append([index])
    return ",".join("-".join(map(str, one)) for one in ranges)
