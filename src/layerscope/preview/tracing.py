"""Answers to questions about models, found without their values. Needs torch."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from layerscope.config import ModelConfig
from layerscope.config.sections.pairs import PairsConfig
from layerscope.errors import LayerscopeError, MeasurementError, ModelError
from layerscope.features.reduce import Reduce, flatten, reduce_by_name
from layerscope.features.taps import Layer, trace_layers
from layerscope.measurement.image_pairs import check_pairs
from layerscope.measurement.plan import Plan, default_batch_size, make_plan
from layerscope.measures.base import SECOND_SWEEP, Need
from layerscope.measures.registry import MEASURES
from layerscope.measures.weight_matrix import weight_shapes
from layerscope.models.build import build_model
from layerscope.models.meta import blank, trial_device
from layerscope.preview.checkpoint_size import StoredTensor, safetensors_bytes
from layerscope.preview.live_tensors import LiveTensors
from layerscope.preview.question import (
    Answer,
    LrGroups,
    MeasuringAnswer,
    MeasuringQuestion,
    Question,
    TappedLayer,
)
from layerscope.training.parameter_groups import lr_factors

TRIED = 2  # images

_KINDS = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8",
    torch.bool: "BOOL", torch.complex64: "C64",
}  # fmt: skip


def answer(question: Question) -> Answer:
    """What torch says of a model; whatever is wrong with it is part of the answer."""
    try:
        with _heard() as warnings:
            found = _answered(question)
    except LayerscopeError as error:
        return Answer(problem=str(error))
    except Exception as error:  # the user's own model, or a library's: one model must not hide the others
        return Answer(problem=f"{question.model['model-name']}: {type(error).__name__}: {error}")
    return Answer(**{**vars(found), "warnings": tuple(dict.fromkeys(warnings))})


def _answered(question: Question) -> Answer:
    config = ModelConfig.model_validate(_parsed(question.model))
    model = build_model(config, question.shape, question.classes, device="meta")
    state = [value for value in model.state_dict().values() if isinstance(value, Tensor)]
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    stored = [_stored(name, tensor) for name, tensor in model.state_dict().items()]
    sizes: dict[str, Any] = {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "trainable": sum(parameter.numel() for parameter in trainable),
        "weight_bytes": sum(map(_bytes, state)),
        "trainable_bytes": sum(map(_bytes, trainable)),
        "checkpoint_bytes": safetensors_bytes(stored),
    }
    images = _trial_images(model, question.shape)
    layers, activation_bytes, needs_two = _traced(model, config, images)
    trial = _Trial(model, config, images, layers)
    return Answer(
        layers=tuple(TappedLayer(layer.name, layer.shape, layer.dim) for layer in layers),
        **sizes,
        activation_bytes=activation_bytes,
        needs_two=needs_two,
        batch_size=default_batch_size(question.shape),
        measuring=tuple(_planned(trial, question, each) for each in question.measuring),
        lr_problems=tuple(_wrong_rates(groups, model) for groups in question.lr_groups),
    )


def _wrong_rates(groups: LrGroups, model: nn.Module) -> str:
    try:
        lr_factors(groups, model)
    except ModelError as error:
        return str(error)
    return ""


def _parsed(section: Any) -> dict[str, Any]:
    """A section as it comes out of JSON or a config's plain values, lists as the schema wants them."""
    return {key: value for key, value in section.items() if value is not None}


def _stored(name: str, tensor: Tensor) -> StoredTensor:
    kind = _KINDS.get(tensor.dtype, str(tensor.dtype).removeprefix("torch.").upper())
    return StoredTensor(name, kind, tuple(tensor.shape), tensor.dtype.itemsize)


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.dtype.itemsize


@dataclass(frozen=True, eq=False)
class _Trial:
    """A model with images to try it with, and what its taps are."""

    model: nn.Module
    config: ModelConfig
    images: Tensor
    layers: list[Layer]


def _trial_images(model: nn.Module, shape: tuple[int, int, int]) -> Tensor:
    """Images of no content, where the model then is."""
    device = trial_device(model, shape)
    if device == "cpu":
        model._apply(partial(blank, device="cpu"))  # type: ignore[no-untyped-call]
    dtype = next(model.parameters()).dtype
    return blank(torch.empty(TRIED, *shape, dtype=dtype, device="meta"), device)


def _traced(model: nn.Module, config: ModelConfig, images: Tensor) -> tuple[list[Layer], int, bool]:
    """The tapped layers, the bytes of activations per image, and whether a batch of one would fail."""
    known = [images, *model.parameters(), *model.buffers()]
    with _single_values(model) as single, LiveTensors(known) as live:
        layers = trace_layers(
            model, images, config.embedding_layers, where=config.tap, reduce=_shape_of(config.reduce)
        )
    return layers, live.peak // TRIED, bool(single)


def _shape_of(reduction: str) -> Reduce:
    """The reduction as far as shapes go: a random projection of a wide layer is gigabytes of numbers."""
    if not reduction.startswith("project:"):
        return reduce_by_name(reduction, 0)
    wanted = int(reduction.removeprefix("project:"))
    return lambda values: flatten(values)[:, :wanted]


@contextmanager
def _single_values(model: nn.Module) -> Iterator[list[nn.Module]]:
    """Collects the batch normalisations that meet one value per image and channel."""
    found: list[nn.Module] = []

    def look(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if inputs and inputs[0][0].numel() == inputs[0].shape[1]:
            found.append(module)

    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    handles = [module.register_forward_pre_hook(look) for module in norms]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def _planned(trial: _Trial, about: Question, question: MeasuringQuestion) -> MeasuringAnswer:
    needs = Need.NOTHING
    for name in question.measures:
        needs |= MEASURES[name].needs
    planned = partial(
        make_plan,
        trial.layers,
        dict(question.samples),
        about.classes,
        needs,
        memory_bytes=question.memory_bytes,
        item_bytes=getattr(torch, question.precision).itemsize,
        sample=question.sample,
        batch_size=question.batch_size or default_batch_size(about.shape),
        weights=weight_shapes(trial.model, trial.layers),
    )
    try:
        _check_pairs(trial, question)
        plan = planned(largest_class=question.largest_class)
    except (MeasurementError, ModelError) as error:
        return MeasuringAnswer(problem=str(error))
    splits = [name for name, _ in question.samples]
    again = [name for name in splits if needs & SECOND_SWEEP and name not in plan.cached]
    cached = [name for name in splits if name in plan.cached]
    return MeasuringAnswer(
        plan.state_bytes,
        plan.cache_bytes,
        tuple(cached),
        tuple(again),
        plan.working_bytes,
        plan.second_sweeps,
        tuple(layer.name for layer in trial.layers if layer.index in plan.pooled),
        _only_if_even(question, plan, planned),
    )


def _only_if_even(question: MeasuringQuestion, plan: Plan, planned: Callable[..., Plan]) -> tuple[str, ...]:
    """Splits whose features are kept by a guess, and not if one class has all samples."""
    if question.largest_class is not None:
        return ()
    worst = planned(largest_class=max(count for _, count in question.samples))
    return tuple(name for name, _ in question.samples if name in plan.cached - worst.cached)


def _check_pairs(trial: _Trial, question: MeasuringQuestion) -> None:
    if question.pairs is None:
        return
    check_pairs(
        PairsConfig.model_validate(_parsed(question.pairs)),
        trial.model,
        trial.images,
        trial.layers,
        where=trial.config.tap,
        reduce=_shape_of(trial.config.reduce),
        samples=question.images,
        memory_bytes=question.memory_bytes,
    )


@contextmanager
def _heard() -> Iterator[list[str]]:
    """Collect the warnings of the package instead of showing them."""
    heard: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: heard.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("layerscope")
    logger.addHandler(handler)
    spread, logger.propagate = logger.propagate, False
    try:
        yield heard
    finally:
        logger.propagate = spread
        logger.removeHandler(handler)
