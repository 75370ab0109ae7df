"""Section ``Slurm``: what the jobs of a run ask of the cluster. It changes no result."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from layerscope.config.amounts import mem_bytes, minutes
from layerscope.config.fields import Expected, Positive
from layerscope.config.resources import Resources
from layerscope.config.sections.job import JobConfig

_SIGNAL_SECONDS = 120
_MAIL_TYPES = ("end", "fail")
_DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(JobConfig.model_fields),
    **{"gpus_per_run": 1, "cpus": 4, "timeout": "4h", "requeue": True},
}
_PLOT: dict[str, Any] = {"gpus_per_run": 0, "cpus": 2, "mem": "8GB", "timeout": 60}
"""The most that plotting needs."""


class StageConfig(JobConfig):
    """What the jobs of one stage ask for, where it differs from what the section says for all."""


Stage = Annotated[StageConfig, Expected("keys with values ('mem: 16GB')")]


class SlurmConfig(JobConfig):
    """What the jobs of a run ask of the cluster; it changes no result."""

    runs_per_job: Positive = Field(
        default=1,
        description="Runs side by side in one job, which share its GPU; for runs that leave it idle",
    )
    train: Stage = Field(
        default_factory=StageConfig, description="Keys of this section that differ in the train stage"
    )
    measure: Stage = Field(
        default_factory=StageConfig, description="Keys of this section that differ in the measure stage"
    )
    plot: Stage = Field(
        default_factory=StageConfig,
        description="Keys of this section that differ in the plot stage; not set: no GPU, 2 cpus, 8GB, 60 "
        "minutes, or what the section says if that is less",
    )

    def for_stage(self, stage: str) -> Resources:
        """What ``stage`` asks for, every value worked out."""
        return _resources(self, stage)

    def conflicts(self) -> Iterator[tuple[str, str]]:
        """Signals that would come before the start, and packed runs of several GPUs."""
        told = set()
        for stage in ("train", "measure", "plot"):
            asked = _resources(self, stage)
            if asked.signal_seconds >= 60 * asked.timeout_min:
                told.add((self._place_of("signal_seconds", stage), "must be less than the timeout"))
            if self.runs_per_job > 1 and asked.gpus_per_run > 1:
                packed = f"packs runs that share one GPU, but gpus-per-run is {asked.gpus_per_run}"
                told.add(("runs-per-job", packed))
        yield from sorted(told)

    def _place_of(self, attribute: str, stage: str) -> str:
        """Where the value of a key that ``stage`` uses was given."""
        key = attribute.replace("_", "-")
        return key if getattr(getattr(self, stage), attribute) is None else f"{stage}.{key}"

    def what_is_set(self) -> dict[str, Any]:
        """Every key that is not as if it were not written, as plain values."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)


@functools.lru_cache(maxsize=4096)
def _resources(slurm: SlurmConfig, stage: str) -> Resources:
    asked = _asked(slurm, stage)
    mail_types = asked["mail_type"] or (_MAIL_TYPES if asked["mail"] else ())
    timeout_min = minutes(asked["timeout"])
    return Resources(
        partition=asked["partition"],
        account=asked["account"],
        qos=asked["qos"],
        constraint=asked["constraint"],
        exclude=asked["exclude"],
        gpu_type=asked["gpu_type"] if asked["gpus_per_run"] else None,
        gpus_per_run=asked["gpus_per_run"],
        cpus=asked["cpus"],
        mem_bytes=mem_bytes(asked["mem"]) if asked["mem"] else None,
        timeout_min=timeout_min,
        signal_seconds=asked["signal_seconds"] or min(_SIGNAL_SECONDS, 15 * timeout_min),
        array_parallelism=asked["array_parallelism"],
        runs_per_job=slurm.runs_per_job,
        requeue=asked["requeue"],
        mail=asked["mail"],
        mail_types=tuple(word.upper() for word in mail_types),
        setup=asked["setup"] or (),
        python=asked["python"],
        srun_args=asked["srun_args"] or (),
        extra=asked["extra"],
    )


def _asked(slurm: SlurmConfig, stage: str) -> dict[str, Any]:
    """Every key as ``stage`` has it: its own value, or the section's, or the default."""
    own: StageConfig = getattr(slurm, stage)
    common = {**_DEFAULTS, **_given(slurm)}
    if stage == "plot":
        common.update(_modest(common))
    extra = {**dict(slurm.extra or ()), **dict(own.extra or ())}
    return {**common, **_given(own), "extra": tuple(sorted(extra.items()))}


def _given(job: JobConfig) -> dict[str, Any]:
    return {name: value for name in _DEFAULTS if (value := getattr(job, name)) is not None}


def _modest(common: dict[str, Any]) -> dict[str, Any]:
    """What plotting asks for when nothing else is said: no more than it needs, nor than the rest asks for."""
    return {
        "gpus_per_run": _PLOT["gpus_per_run"],
        "cpus": min(common["cpus"], _PLOT["cpus"]),
        "mem": common["mem"] and min(common["mem"], _PLOT["mem"], key=mem_bytes),
        "timeout": min(common["timeout"], _PLOT["timeout"], key=minutes),
    }
