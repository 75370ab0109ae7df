"""Submitting from inside of a job: what an outer job set must not reach the new ones."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from layerscope.heartbeat import JOB_VARIABLE

_OF_JOBS = ("SLURM_", "SLURMD_", "SRUN_", "PMI_", "PMIX_", "PMI2_", "OMPI_", "SUBMITIT_", "TORCHELASTIC_")
"""Beginnings of the variables of a running job."""

_OF_RANKS = frozenset(
    {
        *("RANK", "LOCAL_RANK", "GROUP_RANK", "ROLE_RANK", "ROLE_NAME", "MASTER_ADDR", "MASTER_PORT"),
        *("WORLD_SIZE", "LOCAL_WORLD_SIZE", "GROUP_WORLD_SIZE", "ROLE_WORLD_SIZE"),
        *("PMI_RANK", "PMI_SIZE", "PMI_FD", JOB_VARIABLE, "LAYERSCOPE_STARTED"),
    }
)
_OF_DEVICES = frozenset(
    {"CUDA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "ROCR_VISIBLE_DEVICES", "ZE_AFFINITY_MASK"}
)
"""What an outer job was given; a new job gets its own, or none."""

_KEPT = frozenset({"SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_CLUSTERS", "SLURM_JWT"})
"""How to reach Slurm."""


def inside_job() -> bool:
    """Whether this process is part of a Slurm job."""
    return "SLURM_JOB_ID" in os.environ


@contextlib.contextmanager
def clean_environment() -> Iterator[None]:
    """Without the variables of an outer job for the length of the block; ``SBATCH_*`` are meant, and stay."""
    of_others = _OF_RANKS | _OF_DEVICES if inside_job() else _OF_RANKS
    removed = {
        name: value
        for name, value in os.environ.items()
        if name not in _KEPT and (name in of_others or name.startswith(_OF_JOBS))
    }
    for name in removed:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(removed)
