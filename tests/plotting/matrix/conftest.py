"""Tables of many runs without any run: smooth numbers, as a matrix would give them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from layerscope.plotting.matrix.imbalance_table import QUANTITIES as OF_IMBALANCE
from layerscope.plotting.matrix.quantities import QUANTITIES
from layerscope.plotting.matrix.tables import MatrixTables

Axes = dict[str, Sequence[Any]]
PLAIN: Axes = {
    "Model.model-name": ("mlp_small", "convnet_small"),
    "Model.conv-init-std": (0.05, 0.5),
    "Run.run": (0, 1),
}
GROUP: Axes = {
    "Data.imbalance.factor": (1.0, 0.1, 1.0, 0.1, 0.02, 0.02, 1.0, 0.1),
    "Optimizer.weight-decay": (0.0, 0.0, 1e-3, 1e-3, 0.0, 0.0, 1e-3, 1e-3),
    "Optimizer.drift-penalty": (0.0, 0.1, 0.0, 0.1, 0.0, 0.1, 0.0, 0.1),
    "Data.batch-size": (32, 64, 32, 64, 32, 64, 32, 64),
    "Model.final-norm": ("True", "False") * 4,
    "Model.model-name": ("mlp_small", "mlp_small", "zoo/vit_tiny", "zoo/vit_tiny") * 2,
}
QUALIFIERS = {"BinnedMI": {"binning": "minmax:30"}, "DSE": {"t": 1, "n": 400}}
Spoil = Callable[[pd.DataFrame], pd.DataFrame]


def runs_of(axes: Axes, *, grid: bool = True) -> pd.DataFrame:
    """One row per run: its name and its place on each axis."""
    places = list(product(*axes.values()) if grid else zip(*axes.values(), strict=True))
    runs = pd.DataFrame(places, columns=list(axes))
    runs.insert(0, "run", ["/".join(map(str, place)) + f"/{number}" for number, place in enumerate(places)])
    return runs


def layers_of(runs: pd.DataFrame, epochs: Sequence[int], layers: Sequence[str]) -> pd.DataFrame:
    """A row per run, epoch and layer; the value falls with depth and training."""
    inner = pd.DataFrame(list(product(epochs, enumerate(layers))), columns=["epoch", "layer"], dtype=object)
    inner = pd.DataFrame(
        {
            "epoch": inner["epoch"].astype("int64"),
            "split": "train",
            "layer_name": [name for _, name in inner["layer"]],
            "layer_index": [index for index, _ in inner["layer"]],
        }
    )
    frame = runs.merge(inner, how="cross")
    progress = frame["epoch"] / max(max(epochs), 1)
    depth = (frame["layer_index"] + 1) / len(layers)
    wobble = 1 + 0.1 * np.sin(np.arange(len(frame)))
    frame["value"] = np.exp(-4 * depth * progress) * wobble
    return frame.assign(status="ok", unit="1", ceiling=np.nan, classes=10)


def table_of(frame: pd.DataFrame, wanted: Sequence[dict[str, Any]], **more: Any) -> pd.DataFrame:
    """The rows once for each set of qualifiers, words as categories."""
    found = pd.concat([frame.assign(**{**more, **each}) for each in wanted], ignore_index=True)
    words = [name for name in found if not pd.api.types.is_numeric_dtype(found[name])]
    return found.astype(dict.fromkeys(words, "category"))


def log_of(runs: pd.DataFrame, epochs: Sequence[int]) -> pd.DataFrame:
    frame = runs.merge(pd.DataFrame({"epoch": list(epochs)}), how="cross")
    learnt = (
        1 - 0.9 * np.exp(-3 * frame["epoch"] / max(max(epochs), 1)) + 0.01 * np.sin(np.arange(len(frame)))
    )
    return table_of(frame, [{"train_accuracy": learnt, "test_accuracy": 0.9 * learnt}])


def tables_of(
    axes: Axes = PLAIN,
    epochs: Sequence[int] = (0, 2, 5),
    layers: Sequence[str] = ("block0.fc", "block1.fc", "fc"),
    spoil: Spoil = lambda frame: frame,
    *,
    grid: bool = True,
    only: Sequence[str] = (),
) -> MatrixTables:
    """Every table that any figure of many runs is drawn from, or ``only`` some."""
    runs = runs_of(axes, grid=grid)
    rows = spoil(layers_of(runs, epochs, layers))
    wanted: dict[str, list[dict[str, Any]]] = {}
    for quantity in QUANTITIES.values():
        wanted.setdefault(quantity.table, []).append(dict(quantity.where))
        for table, where in quantity.beside:
            if dict(where) not in wanted.setdefault(table, []):
                wanted[table].append(dict(where))
    for quantity in OF_IMBALANCE.values():
        wanted.setdefault(quantity.table, []).append(dict(quantity.where))
    frames = {
        name: table_of(rows, each, **QUALIFIERS.get(name, {}))
        for name, each in wanted.items()
        if not only or name in only
    }
    frames["log"] = log_of(runs, range(max(epochs) + 1))
    frames["sizes"] = pd.DataFrame({"run": runs["run"], "bytes": range(1000, 1000 + len(runs))})
    frames["estimators"] = estimates()
    return MatrixTables(frames, "digits · cross-entropy")


def estimates() -> pd.DataFrame:
    names, dimensions = ("DSMI", "KSG"), (20, 100, 1000)
    places = list(product(names, dimensions, (0.0, 0.5), (0, 1)))
    frame = pd.DataFrame(places, columns=["estimator", "dimension", "corruption", "seed"])
    truth = 2.3 * (1 - frame["corruption"])
    return frame.assign(samples=500, truth=truth, estimate=0.9 * truth, seconds=1e-3 * frame["dimension"])


@pytest.fixture(scope="session")
def study() -> Callable[..., MatrixTables]:
    """Tables made to order: ``study(axes, epochs, layers, spoil)``."""
    return tables_of


@pytest.fixture(scope="session")
def plain() -> MatrixTables:
    """Two models, two deviations of the first weights, two repetitions."""
    return tables_of()


@pytest.fixture(scope="session")
def group() -> MatrixTables:
    """Eight runs that differ in everything that figures about class imbalance compare."""
    return tables_of(GROUP, grid=False)
