"""What a preview holds, as plain values: it can be printed, spelt out as JSON, or asked from a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from layerscope.config import Config
from layerscope.preview.question import Shape, TappedLayer

UNKNOWN = 0
"""Stands for a number of classes or images that only the data tells."""


@dataclass(frozen=True)
class Finding:
    """Something that a person should know before the start, and the names of the runs that it is about."""

    message: str
    runs: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunPreview:
    """One run.

    Parameters
    ----------
    name : str
    path : Path
        Its folder.
    config : Config
    differs : mapping
        Where it stands in the matrix: ``Section.key`` → value.
    checkpoints : tuple of int
        The epochs that are kept.
    stages : mapping
        Stage → its state.
    model : int
        Its place in ``Preview.models``; -1 when its model cannot be known yet.
    disk_bytes : int
        What it fills when it is trained.
    left_bytes : int
        What of that is still to be written.
    """

    name: str
    path: Path
    config: Config
    differs: Mapping[str, object]
    checkpoints: tuple[int, ...]
    stages: Mapping[str, str]
    model: int = -1
    disk_bytes: int = 0
    left_bytes: int = 0

    @property
    def state(self) -> str:
        """The state of the first stage that is not done; ``done`` when all are."""
        return next((state for state in self.stages.values() if state != "done"), "done")


@dataclass(frozen=True)
class Measuring:
    """The memory of measuring one checkpoint of a model on one data set.

    Parameters
    ----------
    data : str
        The data set.
    measures : tuple of str
    samples : mapping
        Split → images.
    memory_bytes : int
        The budget for class means and kept features, ``Measurements.memory``.
    batch_size : int
    state_bytes, cache_bytes : int
        Class means and samples; features kept between the sweeps.
    cached, read_twice : tuple of str
        The splits whose features are kept, and those for which there is no room.
    working_bytes, sweeps : int
        What batches and spectra take for a while; how often the splits without room are read again.
    pooled : tuple of str
        The layers whose spectra of single classes are left out, as they do not fit.
    uneven : tuple of str
        The splits whose features do not fit if one class has nearly all samples; only the data tells.
    weight_bytes, forward_bytes, image_bytes : int
        What comes on top of the budget: the model, about what one batch takes on its way through it, and
        images that are held in memory.
    runs : tuple of str
        The names of the runs that are measured so.
    problem : str
        Why it does not fit.
    """

    data: str
    measures: tuple[str, ...]
    samples: Mapping[str, int]
    memory_bytes: int
    batch_size: int
    state_bytes: int = 0
    cache_bytes: int = 0
    cached: tuple[str, ...] = ()
    read_twice: tuple[str, ...] = ()
    working_bytes: int = 0
    sweeps: int = 1
    pooled: tuple[str, ...] = ()
    uneven: tuple[str, ...] = ()
    weight_bytes: int = 0
    forward_bytes: int = 0
    image_bytes: int = 0
    runs: tuple[str, ...] = ()
    problem: str = ""

    @property
    def all_bytes(self) -> int:
        """What a process needs on the device that it measures on."""
        counted = self.state_bytes + self.cache_bytes + self.working_bytes
        return counted + self.weight_bytes + self.forward_bytes + self.image_bytes


@dataclass(frozen=True)
class ModelPreview:
    """One distinct model: its section of the config on images of one shape.

    Parameters
    ----------
    name : str
    section : mapping
        ``Model``, as plain values.
    shape : (C, H, W)
    classes : int
    runs : tuple of str
        The names of the runs that train it.
    data : tuple of str
        Data sets of that shape.
    layers : tuple of TappedLayer
        In execution order; empty without torch, or when there is a problem.
    parameters, trainable, weight_bytes, checkpoint_bytes : int
        0 when they are not known.
    measuring : tuple of Measuring
    """

    name: str
    section: Mapping[str, object]
    shape: Shape
    classes: int
    runs: tuple[str, ...]
    data: tuple[str, ...]
    layers: tuple[TappedLayer, ...] = ()
    parameters: int = 0
    trainable: int = 0
    weight_bytes: int = 0
    checkpoint_bytes: int = 0
    measuring: tuple[Measuring, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class ArrayPreview:
    """One array of jobs.

    Parameters
    ----------
    name, stage : str
    jobs, runs : int
    asks : str
        What each job asks for, in words.
    after : str
        What it waits for, in words; empty when it can start at once.
    dependency : str
        The same as sbatch takes it, with ``ID_1`` for the id of the first array.
    gpu_hours : float
        The most that it can take before any job goes on in another turn.
    script : str
        The exact text for sbatch.
    """

    name: str
    stage: str
    jobs: int
    runs: int
    asks: str
    after: str
    dependency: str
    gpu_hours: float
    script: str


@dataclass(frozen=True)
class Disk:
    """What the runs fill.

    Parameters
    ----------
    run_bytes : (int, int)
        The smallest and the largest run.
    all_bytes : int
    left_bytes : int
        What of that is still to be written.
    free_bytes : int
        On the file system of the results.
    """

    run_bytes: tuple[int, int] = (0, 0)
    all_bytes: int = 0
    left_bytes: int = 0
    free_bytes: int = 0


@dataclass(frozen=True)
class Preview:
    """What would be done.

    Parameters
    ----------
    base : Path
        The folder of the results.
    stages : tuple of str
        What is asked for.
    runs : tuple of RunPreview
    axes : mapping
        ``Section.key`` → its values in order of appearance.
    models : tuple of ModelPreview
    arrays : tuple of ArrayPreview
        Empty without Slurm.
    disk : Disk
    problems : tuple of Finding
        What would fail; the command ends with exit code 2.
    warnings : tuple of Finding
        What may be wrong.
    notes : tuple of str
        What this preview cannot know, and how the runs would be done.
    """

    base: Path
    stages: tuple[str, ...]
    runs: tuple[RunPreview, ...]
    axes: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    models: tuple[ModelPreview, ...] = ()
    arrays: tuple[ArrayPreview, ...] = ()
    disk: Disk = Disk()
    problems: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        from layerscope.preview.text import as_text

        return as_text(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What a notebook shows."""
        printer.text(str(self))

    @property
    def gpu_hours(self) -> float:
        """The most that all arrays can take before any job goes on in another turn."""
        return sum(array.gpu_hours for array in self.arrays)
