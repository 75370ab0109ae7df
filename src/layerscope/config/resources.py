"""What a stage of a run asks of the cluster, with every value worked out."""

from __future__ import annotations

from dataclasses import dataclass

Scalar = str | int | float | bool
"""The value of an option of sbatch; True stands for an option without a value."""


@dataclass(frozen=True)
class Resources:
    """What one stage of one run asks of the cluster. Equal ones fit into one array.

    Amounts are those of a single run, however many share a job.

    Parameters
    ----------
    partition, account, qos, constraint, exclude
        As sbatch takes them; None: the cluster's default.
    gpus_per_run
        0: none; above 1 the run trains on all of them at once.
    gpu_type
        None: any, or there is no GPU to speak of.
    mem_bytes
        None: the cluster's default.
    signal_seconds
        How long before its time is over a job is told to save.
    array_parallelism
        Jobs of an array that run at once; None: as many as the cluster lets.
    runs_per_job
        Runs side by side in one job.
    mail_types
        Slurm's words, in capitals; none: no mail.
    extra
        Other options of sbatch, sorted.
    """

    partition: str | None
    account: str | None
    qos: str | None
    constraint: str | None
    exclude: str | None
    gpu_type: str | None
    gpus_per_run: int
    cpus: int
    mem_bytes: int | None
    timeout_min: int
    signal_seconds: int
    array_parallelism: int | None
    runs_per_job: int
    requeue: bool
    mail: str | None
    mail_types: tuple[str, ...]
    setup: tuple[str, ...]
    python: str | None
    srun_args: tuple[str, ...]
    extra: tuple[tuple[str, Scalar], ...]
