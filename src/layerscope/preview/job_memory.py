"""Whether measuring on a CPU fits the memory that its jobs ask for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from layerscope.config import SlurmConfig
from layerscope.preview.contents import Finding, Measuring, ModelPreview
from layerscope.preview.models import ModelUses, Way
from layerscope.preview.quantities import bytes_text


def too_small_jobs(uses: ModelUses, models: Iterable[ModelPreview]) -> Iterator[Finding]:
    """One finding for each model whose measuring takes more than its jobs get, where these have no GPU."""
    for use, model in zip(uses.uses, models, strict=True):
        ways = zip(use.ways, model.measuring, strict=True)
        found = [pair for way, seen in ways for pair in _short(way, seen)]
        if found:
            seen, slurm = max(found, key=lambda pair: pair[0].all_bytes - _given(pair[1]))
            yield Finding(_words(model.name, seen, slurm), model.runs)


def _short(way: Way, seen: Measuring) -> Sequence[tuple[Measuring, SlurmConfig]]:
    """What is measured with the sections that ask for less memory than it takes, and for no GPU."""
    return [(seen, slurm) for slurm in way.asked if 0 < _given(slurm) < seen.all_bytes]


def _given(slurm: SlurmConfig) -> int:
    """Bytes of a job that measures one run; 0 when it has a GPU, or the cluster decides."""
    asked = slurm.for_stage("measure")
    return 0 if asked.gpus_per_run else asked.mem_bytes or 0


def _words(model: str, seen: Measuring, slurm: SlurmConfig) -> str:
    key = "Slurm.measure.mem" if slurm.measure.mem else "Slurm.mem"
    return (
        f"measuring {model} on {seen.data} takes about {bytes_text(seen.all_bytes)} beside Python and torch, "
        f"but {key} is {slurm.measure.mem or slurm.mem}: raise it, or lower Measurements.memory"
    )
