"""What to tell a person when Slurm does not take an array."""

from __future__ import annotations

from collections.abc import Sequence

from layerscope.launch.arrays.array import Array
from layerscope.launch.errors import LaunchError
from layerscope.launch.submission.submissions import Submission

_HINTS = (
    ("MaxSubmit", "the cluster takes no more jobs of yours for now: wait until some have ended"),
    ("job submit limit", "the cluster takes no more jobs of yours for now: wait until some have ended"),
    ("temporarily unable to accept job", "the cluster's queue is full: wait until some jobs have ended"),
    ("nvalid account", "name one of your accounts as Slurm.account (sacctmgr show assoc user=$USER)"),
    ("nvalid partition", "name a partition of this cluster as Slurm.partition (sinfo lists them)"),
    ("nvalid qos", "name one of your qualities of service as Slurm.qos (sacctmgr show assoc user=$USER)"),
    ("nvalid wckey", "name a wckey of yours as Slurm.extra: {wckey: …}"),
    ("time limit is invalid", "the partition allows less than Slurm.timeout (sinfo -o '%P %l')"),
    ("generic resource", "no such GPU there: see Slurm.gpu-type (sinfo -o '%P %G')"),
    ("nvalid feature", "no node has the Slurm.constraint (sinfo -o '%N %f')"),
    (
        "node configuration is not available",
        "no node of the partition has so much: see Slurm.cpus, mem, gpus-per-run, constraint (sinfo -N -l)",
    ),
    ("dependency problem", "a job that this one waits for has just left the queue"),
    ("contact slurm controller", "Slurm's controller does not answer: try again when sinfo works"),
)


def refused(error: Exception, array: Array, arrays: Sequence[Array], submission: Submission) -> LaunchError:
    """The error that a person sees: sbatch's own words, what to do, what was submitted already."""
    words = str(error).strip() or type(error).__name__
    place = f"array {len(submission.arrays) + 1} of {len(arrays)}, {array.name}"
    hints = [hint for part, hint in _HINTS if part in words][:1]
    return LaunchError("\n".join([f"{place}, was not taken: {words}", *hints, *_rest(submission)]))


def _rest(submission: Submission) -> list[str]:
    if not submission.arrays:
        return ["Nothing was submitted."]
    taken = ", ".join(map(str, submission.arrays))
    return [f"Submitted before it: {taken}.", "Run the same command again: it submits only the rest."]
