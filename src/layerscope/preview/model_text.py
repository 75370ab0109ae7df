"""One model of a preview as text: its layers, its size, the memory of measuring it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from layerscope.preview.contents import Measuring, ModelPreview
from layerscope.preview.quantities import bytes_text, count_text, plural, shape_text
from layerscope.preview.question import TappedLayer
from layerscope.preview.table import columns, ends_of, without_empty, wrapped

_ONE_BY_ONE = 6
_GROUPS_SHOWN = 24
_TAPS = {"input": "inputs", "output": "outputs"}


def model_lines(model: ModelPreview, width: int) -> tuple[str, list[str]]:
    """A title, and the lines below it."""
    title = f"Model {model.name} on {shape_text(model.shape)} images of {model.classes} classes"
    lines = [f"{plural(len(model.runs), 'run')} on {', '.join(model.data)}"]
    if model.problem:
        lines += wrapped(model.problem, width - 4, hanging="  ")
    elif model.layers:
        lines += [_size(model), *_layer_lines(model), *_measuring_lines(model.measuring, width)]
    return title, [f"  {line}" for line in lines]


def _size(model: ModelPreview) -> str:
    fixed = model.parameters - model.trainable
    frozen = f", {count_text(fixed)} of them fixed" if fixed else ""
    size = bytes_text(model.checkpoint_bytes)
    return f"{count_text(model.parameters)} parameters{frozen}, {size} a checkpoint"


def _layer_lines(model: ModelPreview) -> list[str]:
    reduction = model.section.get("reduce", "flatten")
    how = "" if reduction == "flatten" else f", reduced by {reduction}"
    title = f"{plural(len(model.layers), 'layer')}, the {_TAPS[str(model.section['tap'])]} of{how}"
    rows = without_empty(list(_layer_rows(model.layers)), titles=True)
    lines = columns(rows, right=(len(rows[0]) - 1,))
    return [title, *(f"  {line}" for line in ends_of(lines, _GROUPS_SHOWN, "groups of layers"))]


def _layer_rows(layers: Sequence[TappedLayer]) -> Iterator[list[str]]:
    """A row for each layer; of many layers, one for those of one shape that follow each other."""
    yield ["", "", "shape", "features"]
    for group in _groups(layers):
        first, last = group[0], group[-1]
        name = first.name if first is last else f"{first.name} … {last.name}"
        count = "" if first is last else f"{len(group)} layers"
        shape = shape_text(first.shape) if len(first.shape) > 1 else ""
        yield [name, count, shape, f"{first.dim:,}"]


def _groups(layers: Sequence[TappedLayer]) -> Iterable[list[TappedLayer]]:
    if len(layers) <= _ONE_BY_ONE:
        return [[layer] for layer in layers]
    return [list(group) for _, group in groupby(layers, key=lambda layer: (layer.shape, layer.dim))]


def _measuring_lines(ways: Sequence[Measuring], width: int) -> Iterator[str]:
    """Data sets of the same size are measured alike, so they are told of together."""
    alike: dict[tuple[str, ...], dict[str, None]] = {}
    for way in ways:
        if way.measures and not way.problem:
            alike.setdefault((_images(way), _budget(way), _on_top(way), *_left_out(way)), {})[way.data] = None
    for (images, *memory), names in alike.items():
        yield f"measuring {', '.join(names)}: {images}"
        for line in memory:
            yield from wrapped(line, width - 2, "  ", "    ")


def _images(way: Measuring) -> str:
    counts = " and ".join(f"{count:,} {split}" for split, count in way.samples.items())
    return f"{counts} images in batches of {way.batch_size:,}"


def _budget(way: Measuring) -> str:
    """What counts against the budget."""
    used = way.state_bytes + way.cache_bytes + way.working_bytes
    budget = bytes_text(way.memory_bytes)
    kept = f" + kept features ({', '.join(way.cached)}) {bytes_text(way.cache_bytes)}" if way.cached else ""
    spectra = f" + working memory {bytes_text(way.working_bytes)}" if way.working_bytes else ""
    often = "twice" if way.sweeps == 1 else f"{way.sweeps + 1} times"
    twice = f"; {' and '.join(way.read_twice)} read {often}" if way.read_twice else ""
    means = f"class means and weights' spectra {bytes_text(way.state_bytes)}"
    return f"{bytes_text(used)} of {budget} (Measurements.memory): {means}{kept}{spectra}{twice}"


def _left_out(way: Measuring) -> Iterator[str]:
    """What there is no room for."""
    if way.pooled:
        yield (
            f"spectra of single classes do not fit and are skipped for {', '.join(way.pooled)}; all classes "
            "together are done (raise Measurements.memory for more)"
        )
    if way.uneven:
        yield (
            f"features of {' and '.join(way.uneven)} fit beside their spectra as long as no class has more "
            "than twice an even share of the images, which only the data tells; else spectra are estimated"
        )


def _on_top(way: Measuring) -> str:
    images = f" + images {bytes_text(way.image_bytes)}" if way.image_bytes else ""
    weights, forward = bytes_text(way.weight_bytes), bytes_text(way.forward_bytes)
    return f"on top: forward pass about {forward} + weights {weights}{images}"
