"""What is asked of torch about a model, and its answer; both go from process to process as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Shape = tuple[int, int, int]
LrGroups = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class MeasuringQuestion:
    """One way to measure a model.

    Parameters
    ----------
    measures : tuple of str
    samples : mapping
        Split → number of samples.
    memory_bytes : int
        The budget, ``Measurements.memory``.
    precision : str
        ``float32`` or ``float64``.
    sample : int
        Images of each split whose features are kept for measures of a sample.
    pairs : mapping, optional
        The key ``Measurements.pairs``, as plain values, when a measure asks for pairs.
    images : int
        Train and test images together.
    batch_size : int
        Images in one step; 0 where the shape of an image decides.
    largest_class : int, optional
        Samples of one class in one split, at most; None where only the data tells.
    """

    measures: tuple[str, ...]
    samples: tuple[tuple[str, int], ...]
    memory_bytes: int
    precision: str
    sample: int = 0
    pairs: Mapping[str, Any] | None = None
    images: int = 0
    batch_size: int = 0
    largest_class: int | None = None


@dataclass(frozen=True)
class Question:
    """A model on data of one shape, and every way in which it is measured.

    Parameters
    ----------
    model : mapping
        The section ``Model``, as plain values.
    shape : (C, H, W)
    classes : int
    measuring : tuple of MeasuringQuestion
    lr_groups : tuple
        Every value of ``Optimizer.lr-groups`` that it is trained with.
    """

    model: Mapping[str, Any]
    shape: Shape
    classes: int
    measuring: tuple[MeasuringQuestion, ...]
    lr_groups: tuple[LrGroups, ...] = ()

    @classmethod
    def from_plain(cls, tree: Mapping[str, Any]) -> Question:
        """The question that was spelt out with ``dataclasses.asdict``."""
        channels, height, width = tree["shape"]
        measuring = tuple(
            MeasuringQuestion(
                tuple(each["measures"]),
                tuple((name, count) for name, count in each["samples"]),
                each["memory_bytes"],
                each["precision"],
                each["sample"],
                each["pairs"],
                each["images"],
                each["batch_size"],
                each["largest_class"],
            )
            for each in tree["measuring"]
        )
        rates = tuple(tuple((name, factor) for name, factor in groups) for groups in tree["lr_groups"])
        return cls(tree["model"], (channels, height, width), tree["classes"], measuring, rates)


@dataclass(frozen=True)
class TappedLayer:
    """One layer that would be measured: its shape at the tap, per sample, and its features."""

    name: str
    shape: tuple[int, ...]
    dim: int


@dataclass(frozen=True)
class MeasuringAnswer:
    """The plan of one way to measure: its memory, or why it cannot be done.

    ``cached`` are the splits whose features are kept between the two sweeps, ``read_twice`` those for which
    there is no room. ``working_bytes`` is what batches and spectra take for a while, ``sweeps`` how often the
    splits that are not kept are read again; ``pooled`` are the layers for whose spectra of single classes
    there is no room. ``uneven`` are the splits among ``cached`` for whose features there is none should one
    class have nearly all samples, where the sizes of classes are not known.
    """

    state_bytes: int = 0
    cache_bytes: int = 0
    cached: tuple[str, ...] = ()
    read_twice: tuple[str, ...] = ()
    working_bytes: int = 0
    sweeps: int = 1
    pooled: tuple[str, ...] = ()
    uneven: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Answer:
    """What a model is like.

    Parameters
    ----------
    problem : str
        Why it cannot be built or tapped; the rest is then empty.
    layers : tuple of TappedLayer
        In execution order.
    parameters, trainable : int
        Numbers of values.
    weight_bytes : int
        All parameters and buffers.
    trainable_bytes : int
    checkpoint_bytes : int
        The file of one checkpoint.
    activation_bytes : int
        The most that the results of its operations hold at once in a forward pass, per image.
    needs_two : bool
        It normalises over a batch where an image has one value per channel: a batch of one cannot be
        trained on.
    batch_size : int
        Images in one step of measuring, unless the config says.
    warnings : tuple of str
    measuring : tuple of MeasuringAnswer
        One for each that was asked for.
    lr_problems : tuple of str
        What is wrong with each of the ``lr_groups`` that were asked for; "" when nothing is.
    """

    problem: str = ""
    layers: tuple[TappedLayer, ...] = ()
    parameters: int = 0
    trainable: int = 0
    weight_bytes: int = 0
    trainable_bytes: int = 0
    checkpoint_bytes: int = 0
    activation_bytes: int = 0
    needs_two: bool = False
    batch_size: int = 0
    warnings: tuple[str, ...] = ()
    measuring: tuple[MeasuringAnswer, ...] = ()
    lr_problems: tuple[str, ...] = ()

    @classmethod
    def from_plain(cls, tree: Mapping[str, Any]) -> Answer:
        """The answer that was spelt out with ``dataclasses.asdict``."""
        layers = tuple(
            TappedLayer(each["name"], tuple(each["shape"]), each["dim"]) for each in tree["layers"]
        )
        listed = ("cached", "read_twice", "pooled", "uneven")
        measuring = tuple(
            MeasuringAnswer(**{**each, **{name: tuple(each[name]) for name in listed}})
            for each in tree["measuring"]
        )
        texts = {name: tuple(tree[name]) for name in ("warnings", "lr_problems")}
        return cls(**{**tree, "layers": layers, "measuring": measuring, **texts})
