"""The frame of F31 from the table of a screening: networks that are there already, not runs of a matrix."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from layerscope.errors import UsageError
from layerscope.plotting.matrix.quantities import QUANTITIES
from layerscope.plotting.quantity import label_of
from layerscope.results.known_runs import RUN

if TYPE_CHECKING:
    from pandas import DataFrame

FAMILY = "Model.family"
KIND_WORDS = {"head": "", "centers": " (nearest centre)", "probe": " (linear probe)"}


def screened_frame(path: Path, split: str = "train") -> DataFrame:
    """``run``, the family, ``measure`` (its label), ``value``, ``parameters``, and accuracies of each kind;
    and ``reference``, what a value is to be compared with, which is ``compared`` in words.

    Raises
    ------
    UsageError
        There is no table, or no network was measured.
    """
    import pandas as pd

    if not path.is_file():
        raise UsageError(f"there is no {path}; --screen makes it")
    table = pd.read_csv(path)
    rows = table[(table["split"] == split) & (table["layer"] == "last")].reset_index(drop=True)
    if rows.empty:
        raise UsageError(f"{path} has no network that was measured")
    measures = [label_of(rows[rows["measure"] == name], QUANTITIES[name].label) for name in rows["measure"]]
    frame = rows[["value", "reference", "parameters"]].assign(
        **{RUN: rows["model"], FAMILY: rows["family"].astype("category"), "measure": measures},
        compared=[QUANTITIES[name].reference for name in rows["measure"]],
    )
    for kind in dict.fromkeys(rows["accuracy_kind"]):
        for accuracy in ("train", "test"):
            column = rows[f"{accuracy}_accuracy"].where(rows["accuracy_kind"] == kind)
            frame[f"{accuracy} accuracy{KIND_WORDS[kind]}"] = column
    return frame
