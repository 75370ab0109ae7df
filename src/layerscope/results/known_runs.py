"""The runs below a folder: their names, axes and configs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from layerscope.errors import ConfigError, Problem
from layerscope.results.axes import axes_of, axis_column
from layerscope.results.run_filter import chosen, existing_runs
from layerscope.results.stored_config import Values, stored_values

if TYPE_CHECKING:
    from pandas import DataFrame

RUN = "run"
_END = "Optimizer.epochs"


class KnownRuns:
    """The runs below ``base``, by their number in sorted order; or just those named, in the order given.

    Everything is read when it is first asked for, and once. What is wrong is added to ``problems``.
    """

    def __init__(self, base: Path, folders: Sequence[Path] | None = None) -> None:
        self.base = base
        self.problems: list[Problem] = []
        self._folders = folders

    @cached_property
    def folders(self) -> Sequence[Path]:
        """Where the runs are.

        Raises
        ------
        UsageError
            There is none.
        """
        return existing_runs(self.base) if self._folders is None else self._folders

    @cached_property
    def names(self) -> Sequence[str]:
        """Their folders below ``base``; a run that is ``base`` itself is called by its own name."""
        return [
            self.base.absolute().name if folder == self.base else str(folder.relative_to(self.base))
            for folder in self.folders
        ]

    @cached_property
    def configs(self) -> Sequence[Values]:
        """``Section.key`` → value of each; empty for a config that cannot be read."""
        return [self._values(folder / "config.yaml") for folder in self.folders]

    @cached_property
    def frame(self) -> DataFrame:
        """One row per run: its name, then where it stands on each axis."""
        import pandas as pd

        names = axis_column(RUN, self.names)
        axes = axes_of(self.folders, lambda: self.configs)
        return pd.concat([names, *(axis_column(axis, axes[axis]) for axis in axes)], axis=1)

    @property
    def axes(self) -> list[str]:
        """Names of the axes."""
        return [str(name) for name in self.frame.columns[1:]]

    def chosen(self, where: Mapping[str, object] | None) -> list[int]:
        """Numbers of the runs whose config holds every value of ``where``.

        Raises
        ------
        UsageError
            There is no run, no config has such a key, or no run matches.
        """
        if not where:
            return list(range(len(self.folders)))
        readable = {number: values for number, values in enumerate(self.configs) if values}
        return chosen(self.base, readable, where)

    def end(self, number: int) -> int | None:
        """The epoch at which the training of a run ends; None when its config cannot be read."""
        epochs = self.configs[number].get(_END)
        return epochs if isinstance(epochs, int) else None

    def _values(self, path: Path) -> Values:
        try:
            return stored_values(path)
        except ConfigError as error:
            self.problems += error.problems
            return {}
