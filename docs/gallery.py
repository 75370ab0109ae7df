"""``make gallery``: docs/gallery.md and its pictures, from runs that it makes itself.

python docs/gallery.py              # minutes on two cores; runs that are there are not made again
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from matplotlib.figure import Figure
from PIL import Image

import layerscope as ls
from layerscope.config import load_config
from layerscope.plotting.drawing.saving import render
from layerscope.plotting.drawing.title import run_title
from layerscope.plotting.freshness import drawable
from layerscope.plotting.registry import FIGURES
from layerscope.plotting.run_tables import RunTables

DOCS = Path(__file__).resolve().parent
WIDTH = 900  # pixels of a picture, at most
COLOURS = 64


class Picture(NamedTuple):
    """One figure of the page."""

    name: str
    caption: str
    figure: Figure


class Section(NamedTuple):
    """A heading, and the pictures below it."""

    heading: str
    pictures: Callable[[], Iterator[Picture]]


def of_run(config: str, *left_out: str) -> Callable[[], Iterator[Picture]]:
    """All figures of the run of a config beside this file, but for twins of the test split."""

    def pictures() -> Iterator[Picture]:
        run = made(DOCS / "gallery" / f"{config}.yaml")
        figures = {
            name: figure
            for name, figure in drawable(run.folder, FIGURES).items()
            if not name.endswith("_test") and name not in left_out
        }
        title = run_title(load_config(run.folder / "config.yaml"))
        inputs = dict.fromkeys(table for figure in figures.values() for table in figure.inputs)
        tables = RunTables.load(run.folder, inputs, title=title)
        for name, figure in figures.items():
            needs = ", ".join(figure.needs) or " or ".join(figure.any_of)
            twin = f"; also `{name}_test`" if f"{name}_test" in FIGURES else ""
            number = "" if figure.number == "-" else f" ({figure.number})"
            caption = f"`{name}`{number}: {figure.description}. From {needs}{twin}."
            yield Picture(f"{config}_{name}", caption, figure.draw(tables))

    return pictures


def projections() -> Iterator[Picture]:
    """Collapse through training, in the plane of the class means."""
    for config, layer in (("mlp", "fc"), ("convnet", "fc")):
        run = made(DOCS / "gallery" / f"{config}.yaml")
        title = run_title(load_config(run.folder / "config.yaml"))
        figure = ls.figures.projection(run, layer, title=title)
        caption = f'`ls.figures.projection(run, "{layer}")` (F32): features and class means by checkpoint.'
        yield Picture(f"{config}_projection", caption, figure)


SECTIONS: Sequence[Section] = (
    Section("A multilayer perceptron on imbalanced digits", of_run("mlp")),
    Section("A convolutional network on digits", of_run("convnet", "NC5", "Overview")),
    Section("The plane of the class means", projections),
)
"""What the page shows; figures of many runs have a section of their own."""


def made(config: Path) -> ls.Run:
    """The run of a config, trained and measured."""
    (run,) = ls.Experiment.from_yaml(config).runs
    run.train(device="cpu")
    run.measure(device="cpu")
    return run


def picture_bytes(figure: Figure) -> bytes:
    """A small PNG of few colours."""
    with Image.open(io.BytesIO(render(figure, "png"))) as image:
        size = (WIDTH, round(image.height * WIDTH / image.width))
        small = image.convert("RGB")
        if image.width > WIDTH:
            small = small.resize(size, Image.Resampling.LANCZOS)
        content = io.BytesIO()
        small.quantize(COLOURS).save(content, "png", optimize=True)
    return content.getvalue()


def main(sections: Sequence[Section] = SECTIONS, docs: Path = DOCS) -> None:
    """Write the page and its pictures."""
    lines = ["# Gallery", "", "Every figure, from runs that `make gallery` makes itself.", ""]
    folder = docs / "gallery"
    folder.mkdir(exist_ok=True)
    for section in sections:
        lines += [f"## {section.heading}", ""]
        for picture in section.pictures():
            (folder / f"{picture.name}.png").write_bytes(picture_bytes(picture.figure))
            lines += [picture.caption, "", f"![{picture.name}](gallery/{picture.name}.png)", ""]
            print(picture.name, flush=True)
    (docs / "gallery.md").write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
