"""``make gallery``: docs/gallery.md and its pictures, from runs that it makes itself.

python docs/gallery.py              # minutes on two cores; runs that are there are not made again
"""

from __future__ import annotations

import io
import shutil
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
from layerscope.plotting.matrix.registry import MATRIX_FIGURES
from layerscope.plotting.matrix.tables import MatrixTables
from layerscope.plotting.registry import FIGURES, OF_FEATURES
from layerscope.plotting.run_tables import RunTables

DOCS = Path(__file__).resolve().parent
WIDTH = 900  # pixels of a picture, at most
COLOURS = 256  # what a palette holds


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
    figure = OF_FEATURES["Projection"]
    for config in ("mlp", "convnet"):
        run = made(DOCS / "gallery" / f"{config}.yaml")
        title = run_title(load_config(run.folder / "config.yaml"))
        tables = RunTables.load(run.folder, figure.inputs, title=title, run=run)
        caption = (
            f"`Projection` ({figure.number}): {figure.description}; any layer by "
            "`ls.figures.projection(run, layer)`, by PHATE as `ProjectionPHATE`."
        )
        yield Picture(f"{config}_projection", caption, figure.draw(tables))


def of_matrix(config: str, *names: str, estimators: Path | None = None) -> Callable[[], Iterator[Picture]]:
    """Figures of all runs of a matrix beside this file."""

    def pictures() -> Iterator[Picture]:
        base = made_matrix(DOCS / "gallery" / f"{config}.yaml")
        if estimators is not None:
            shutil.copyfile(estimators, base / "estimators.csv")
        figures = {name: MATRIX_FIGURES[name] for name in names}
        tables = MatrixTables.load(base, [table for figure in figures.values() for table in figure.inputs])
        for name, figure in figures.items():
            number = "" if figure.number == "-" else f" ({figure.number})"
            caption = f"`{name}`{number}: {figure.description}. From {', '.join(figure.needs)}."
            yield Picture(f"{config}_{name}", caption, figure.draw(figure.rows(tables), tables.title))

    return pictures


OF_MATRIX = (
    *("CDNV_profile", "CDNV_map", "CDNV_multiples", "DSE_accuracy", "DSMI_accuracy", "DSMI_inputs_accuracy"),
    *("NCLayerByAxis", "Correlations", "Screening", "Estimators", "EstimatorRuntime"),
    *("DriftMap", "DriftScaling", "ImbalanceByKind", "ImbalanceShots"),
    *("DriftEpochs", "DriftLayers", "DriftTail"),
)
ESTIMATORS = DOCS.parent / "benchmarks" / "estimators.csv"

SECTIONS: Sequence[Section] = (
    Section("A multilayer perceptron on imbalanced digits", of_run("mlp")),
    Section("A convolutional network on digits", of_run("convnet", "NC5", "Overview")),
    Section("The plane of the class means", projections),
    Section(
        "Two networks on more and less balanced digits",
        of_matrix("matrix", *OF_MATRIX, estimators=ESTIMATORS),
    ),
    Section("Weight decay", of_matrix("weight_decay", "ImbalanceWeightDecay")),
    Section("Drift penalty", of_matrix("drift_penalty", "ImbalanceDriftPenalty")),
    Section("Batch size", of_matrix("batch_size", "ImbalanceBatchSize")),
    Section("A last LayerNorm", of_matrix("final_norm", "ImbalanceLayerNorm")),
    Section("First weights", of_matrix("init_std", "InitialisationStudy", "DSE_profile", "DSE_map")),
)
"""What the page shows: figures of one run, then those of many."""


def made(config: Path) -> ls.Run:
    """The run of a config, trained and measured."""
    (run,) = ls.Experiment.from_yaml(config).runs
    run.train(device="cpu")
    run.measure(device="cpu")
    return run


def made_matrix(config: Path) -> Path:
    """The folder of the runs of a matrix, trained and measured."""
    experiment = ls.Experiment.from_yaml(config, matrix=True)
    for outcome in (*experiment.train(), *experiment.measure()):
        if outcome.error is not None:
            raise outcome.error
    return experiment.base


def picture_bytes(figure: Figure) -> bytes:
    """A small PNG in a palette of its own, which keeps hues that few pixels have: they mean something."""
    with Image.open(io.BytesIO(render(figure, "png"))) as image:
        size = (WIDTH, round(image.height * WIDTH / image.width))
        small = image.convert("RGB")
        if image.width > WIDTH:
            small = small.resize(size, Image.Resampling.LANCZOS)
        content = io.BytesIO()
        palette = {"method": Image.Quantize.MAXCOVERAGE, "kmeans": 2, "dither": Image.Dither.NONE}
        small.quantize(COLOURS, **palette).save(content, "png", optimize=True)
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
