"""What training came to: the last and the best row of each log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from layerscope.results.known_runs import RUN
from layerscope.results.rows import EPOCH

if TYPE_CHECKING:
    from pandas import DataFrame

ACCURACIES = ("train_accuracy", "test_accuracy", "best_test_accuracy")


def last_and_best(log: DataFrame, own: Sequence[str]) -> DataFrame:
    """One row per run: its last epoch with the accuracies there, and its best on the test split.

    Parameters
    ----------
    own
        The columns of the run itself.
    """
    by_epoch = log.sort_values([RUN, EPOCH], kind="stable")
    last = by_epoch.drop_duplicates(RUN, keep="last")
    best = by_epoch.sort_values("test_accuracy", ascending=False, kind="stable").drop_duplicates(RUN)
    best = best.set_index(RUN)[["test_accuracy", EPOCH]].loc[last[RUN]]
    result = last[[*own, EPOCH, "train_accuracy", "test_accuracy"]].reset_index(drop=True)
    result["best_test_accuracy"] = best["test_accuracy"].to_numpy()
    result["best_epoch"] = best[EPOCH].to_numpy()
    return result
