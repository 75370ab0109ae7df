"""Run folders with tables that look like those of a real run."""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Callable, Iterator
from itertools import accumulate, product
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from layerscope.plotting.drawing import options
from layerscope.results import TableStore

CONFIG = """\
Model: {{model-name: {model}}}
Data: {{dataset-id: {data}}}
Optimizer: {{lr: {lr}, epochs: {epochs}, weight-decay: 5.e-4}}
Logging: {{save-dir: logs/test, log-interval: 1}}
Run: {{run: {run}}}
"""

Rows = dict[str, list[dict[str, Any]]]


class SyntheticRun:
    """Writes a run folder: depth and training both bring collapse, smoothly, with a little wobble."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = TableStore(folder / "measurements")

    def write(
        self,
        names: list[str],
        epochs: list[int],
        *,
        classes: int = 10,
        splits: tuple[str, ...] = ("train", "test"),
        spoil: Callable[[str, dict[str, Any]], dict[str, Any]] = lambda measure, row: row,
        model: str = "mlp_small",
        data: str = "digits",
        lr: float = 0.1,
        run: int = 0,
    ) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        config = CONFIG.format(model=model, data=data, lr=lr, epochs=max(epochs[-1], 1), run=run)
        (self.folder / "config.yaml").write_text(config, encoding="utf-8")
        self.write_log(epochs[-1], classes)
        for epoch in epochs:
            tables = self.tables(names, epoch / max(epochs[-1], 1), classes, splits)
            spoilt = {
                name: [spoil(name, {"epoch": epoch, **row}) for row in rows] for name, rows in tables.items()
            }
            self.store.replace_all(epoch, spoilt, key="a")
        return self.folder

    def write_log(self, last: int, classes: int) -> None:
        lines = ["epoch,train_loss,train_accuracy,test_loss,test_accuracy,lr,seconds,images_per_second"]
        for epoch in range(last + 1):
            learnt = 1 - (1 - 1 / classes) * math.exp(-8 * epoch / max(last, 1))
            train = "nan,nan" if epoch == 0 else f"{1 - learnt},{learnt}"
            lines.append(f"{epoch},{train},{1 - 0.9 * learnt},{learnt * 0.93},0.1,1.0,5000.0")
        (self.folder / "log.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def tables(self, names: list[str], progress: float, classes: int, splits: tuple[str, ...]) -> Rows:
        rows: Rows = {name: [] for name in ("Accuracy", "Traces", "CDNV", "NC1", "ETF", "NCC")}
        rows |= {"WeightSVs": [], "AngleBetweenSubspaces": []}
        for split in splits:
            for measure, row in _by_layer(names, progress, classes, split):
                rows[measure].append(row)
            accuracy = (1 - (1 - 1 / classes) * math.exp(-8 * progress)) * (1 if split == "train" else 0.93)
            place = {"split": split, "layer_name": "logits", "layer_index": len(names)}
            for quantity, value in (("accuracy", accuracy), ("loss", 1 - accuracy)):
                rows["Accuracy"].append(place | {"quantity": quantity} | _result(value, classes))
        for index, name in enumerate(names):
            rows["WeightSVs"] += list(_spectrum(index, name, progress, classes, len(names)))
        return rows


def _result(value: float, classes: int, status: str = "ok") -> dict[str, Any]:
    return {
        "value": value,
        "error": None,
        "ceiling": None,
        "status": status,
        "unit": "1",
        "weighting": "balanced",
        "where": "input",
        "reduce": "flatten",
        "samples": 1437,
        "classes": classes,
        "dim": 256,
    }


def _by_layer(
    names: list[str], progress: float, classes: int, split: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    for index, name in enumerate(names):
        depth = (index + 1) / len(names)
        wobble = 1 + 0.12 * math.sin(2.1 * index + 5 * progress)
        spread = 3 * math.exp(-6 * depth * progress) * wobble * (1 if split == "train" else 1.6) + 0.01
        place = {"split": split, "layer_name": name, "layer_index": index}
        values: list[tuple[str, dict[str, Any], float]] = [
            ("CDNV", {"statistic": "mean"}, spread),
            ("CDNV", {"statistic": "median"}, spread * 0.8),
            ("CDNV", {"statistic": "max"}, spread * 3),
            ("NC1", {"statistic": "pinv"}, spread * 4),
            ("NC1", {"statistic": "quotient"}, spread * 2),
            ("NC1", {"statistic": "range_fraction"}, 0.7),
            ("NC1", {"statistic": "rank"}, float(classes - 1)),
            ("ETF", {"statistic": "equinorm"}, 0.05 + 0.2 * math.exp(-3 * depth * progress) * wobble),
            ("ETF", {"statistic": "equiangular"}, 0.02 + 0.3 * math.exp(-3 * depth * progress) * wobble),
            ("ETF", {"statistic": "equiangular_std"}, 0.03 + 0.3 * math.exp(-3 * depth * progress) * wobble),
            ("ETF", {"statistic": "etf_error"}, 0.1 + 0.7 * math.exp(-3 * depth * progress) * wobble),
            ("ETF", {"statistic": "etf_floor"}, 0.0 if index else 0.08 * (classes > 10)),
            ("NCC", {"statistic": "accuracy"}, (0.4 + 0.6 * depth**0.5) * (1 if split == "train" else 0.93)),
            ("NCC", {"statistic": "balanced_accuracy"}, 0.9),
            ("NCC", {"statistic": "agreement"}, 0.8),
            ("NCC", {"statistic": "ties"}, 0.0),
            ("AngleBetweenSubspaces", {"rank": classes - 1}, 0.15 + 0.75 * depth * progress / wobble),
        ]
        within, between = 40 * spread * (1 + index), 30.0 * (1 + index) * wobble
        for trace, value in (("within", within), ("between", between), ("sum", within + between)):
            values.append(("Traces", {"trace": trace, "scale": "absolute"}, value))
            values.append(("Traces", {"trace": trace, "scale": "relative"}, value / (within + between)))
        for measure, qualifiers, value in values:
            yield measure, place | qualifiers | _result(value, classes)


def _spectrum(index: int, name: str, progress: float, classes: int, layers: int) -> Iterator[dict[str, Any]]:
    place = {"split": "weights", "layer_name": name, "layer_index": index}
    size = 40 if index < layers - 1 else classes
    sharp = progress * (index + 1) / layers
    values = [math.exp(-0.05 * place) + 2 * sharp * (place < classes - 1) for place in range(size)]
    sums = list(accumulate(values))
    total = sums[-1]
    for sigma, value in enumerate(values):
        for scale, shown in (
            ("absolute", value),
            ("relative", value / total),
            ("cumulative", sums[sigma] / total),
        ):
            yield place | {"sigma_index": sigma, "scale": scale} | _result(shown, classes)


@pytest.fixture(scope="session")
def synthetic_run() -> type[SyntheticRun]:
    """Makes a run folder anywhere: ``synthetic_run(folder).write(names, epochs)``."""
    return SyntheticRun


@pytest.fixture
def synthetic(tmp_path: Path) -> SyntheticRun:
    """A run folder to be filled by ``write(names, epochs)``."""
    return SyntheticRun(tmp_path / "run")


@pytest.fixture(scope="session")
def written_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What :func:`small_run` copies: to write a table is to wait for the disk."""
    run = SyntheticRun(tmp_path_factory.mktemp("written") / "run")
    return run.write(["block0.fc", "block1.fc", "block2.fc", "fc"], [0, 5, 10])


@pytest.fixture
def small_run(written_run: Path, tmp_path: Path) -> Path:
    """A whole run of four layers and three checkpoints."""
    return shutil.copytree(written_run, tmp_path / "run")


@pytest.fixture(scope="session")
def written_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What :func:`synthetic_runs` copies."""
    base = tmp_path_factory.mktemp("written") / "study"
    for lr, run in product((0.1, 0.2), (0, 1)):
        folder = SyntheticRun(base / f"lr_{lr}" / f"run_{run}")
        folder.write(["block0.fc", "fc"], [0, 2, 5], lr=lr, run=run)
    return base


@pytest.fixture
def synthetic_runs(written_runs: Path) -> Callable[[Path], Path]:
    """Four runs below a folder: two learning rates, two repetitions."""
    return lambda base: shutil.copytree(written_runs, base, dirs_exist_ok=True)


@pytest.fixture
def tex(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Figures are made for LaTeX, which need not be here as long as none is rendered."""
    monkeypatch.setattr(options.shutil, "which", lambda name: f"/bin/{name}")
    with options.figure_options(usetex=True):
        yield


FORMULA = re.compile(r"(?<!\\)\$(?:[^$\\]|\\.)*\$")
COMMAND = re.compile(r"\\(?:(?:textbackslash|textasciicircum|textasciitilde|dots)\{\}|[{}$&#_%])")
KNOWN = "\N{MINUS SIGN}"  # matplotlib's own preamble declares it; underscores are text by its package


def _breaks_tex(text: str) -> bool:
    """Whether anything outside of formulas is a command to LaTeX, or a letter that it does not know."""
    plain = COMMAND.sub("", FORMULA.sub("", text))
    formulas = "".join(FORMULA.findall(text))
    unknown = [letter for letter in plain + formulas if not letter.isascii() and letter not in KNOWN]
    return bool(unknown) or any(letter in plain for letter in "$%&#^<>|{}\\")


@pytest.fixture
def breaks_tex() -> Callable[[Figure], list[str]]:
    """The texts of a figure that LaTeX would not show as they are meant."""

    def found(figure: Figure) -> list[str]:
        for axes in figure.axes:
            for axis in (axes.xaxis, axes.yaxis):
                axis.get_majorticklabels()  # writes them
        texts = {text.get_text() for text in figure.findobj(Text)}
        return sorted(text for text in texts if _breaks_tex(text))

    return found
