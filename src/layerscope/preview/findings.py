"""What is wrong with the runs, each thing told once, with all the runs that it is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from layerscope.preview.contents import Finding, ModelPreview
from layerscope.preview.data_sets import DataView
from layerscope.preview.models import ModelUses
from layerscope.preview.question import Answer
from layerscope.run_folder import RunFolder


def merged(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings of the same words as one, the runs in their order."""
    runs: dict[str, dict[str, None]] = {}
    for finding in findings:
        runs.setdefault(finding.message, {}).update(dict.fromkeys(finding.runs))
    return tuple(Finding(message, tuple(names)) for message, names in runs.items())


def problems_of(
    runs: Sequence[RunFolder],
    places: Sequence[int],
    uses: ModelUses,
    models: Iterable[ModelPreview],
    answers: Mapping[int, Answer],
) -> Iterator[Finding]:
    """What would end runs with an error: their data, their models, their memory, their batches."""
    yield from _of_the_data(runs, uses, lambda seen: seen.problem)
    yield from _of_the_models(models)
    yield from _of_the_optimizers(runs, uses, answers)
    yield from _batches_of_one(runs, places, answers)


def warnings_of(
    runs: Sequence[RunFolder],
    uses: ModelUses,
    models: Sequence[ModelPreview],
    answers: Mapping[int, Answer],
) -> Iterator[Finding]:
    """What may be wrong with the data, and what tracing the models had to say."""
    yield from _of_the_data(runs, uses, lambda seen: seen.warning)
    for place, model in enumerate(models):
        for warning in answers[place].warnings if place in answers else ():
            yield Finding(f"{model.name}: {warning}", model.runs)


def _of_the_data(
    runs: Sequence[RunFolder], uses: ModelUses, what: Callable[[DataView], str]
) -> Iterator[Finding]:
    """``what`` there is to say of each data set, with the runs that use it."""
    users: dict[int, list[RunFolder]] = {}
    for run in runs:
        users.setdefault(id(run.config.data), []).append(run)
    for members in users.values():
        if message := what(uses.view(members[0].config.data)):
            yield Finding(message, tuple(run.name for run in members))


def _of_the_models(models: Iterable[ModelPreview]) -> Iterator[Finding]:
    """Models that cannot be built or tapped, and measurements that do not fit the memory."""
    for model in models:
        if model.problem:
            yield Finding(model.problem, model.runs)
        for way in model.measuring:
            if way.problem:
                yield Finding(way.problem, way.runs)


def _of_the_optimizers(
    runs: Sequence[RunFolder], uses: ModelUses, answers: Mapping[int, Answer]
) -> Iterator[Finding]:
    """Learning rates of modules that are not there, and class weights for another number of classes."""
    for place, use in enumerate(uses.uses):
        wrong = answers[place].lr_problems if place in answers else ()
        for problem, names in zip(wrong, use.rates.values(), strict=False):
            if problem:
                yield Finding(problem, tuple(names))
    for run in runs:
        info = uses.view(run.config.data).info
        if info is not None and (problem := run.config.optimizer.wrong_class_weights(info.classes)):
            yield Finding(problem, (run.name,))


def _batches_of_one(
    runs: Sequence[RunFolder], places: Sequence[int], answers: Mapping[int, Answer]
) -> Iterator[Finding]:
    """Runs that would train on batches of one image where their model needs two."""
    for run, place in zip(runs, places, strict=True):
        if run.config.data.batch_size == 1 and place in answers and answers[place].needs_two:
            model = run.config.model.model_name
            wrong = f"Data.batch-size is 1, but {model} has BatchNorm layers, which need 2 or more images"
            yield Finding(wrong, (run.name,))
