"""NCPlotter: the figures of a run folder, and of all the runs below a folder."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from layerscope.config import load_config
from layerscope.plotting.drawing.title import run_title
from layerscope.plotting.freshness import drawable, outdated, plot_paths
from layerscope.plotting.registry import FIGURES, Figure, named_figures
from layerscope.plotting.run_tables import RunTables
from layerscope.results.run_filter import matching_runs

_log = logging.getLogger(__name__)


class NCPlotter:
    """Draws the figures of one run into its folder ``plots``."""

    def __init__(self, run_folder: Path) -> None:
        self.run_folder = Path(run_folder)

    def up_to_date(self) -> bool:
        """Whether every figure that can be drawn is there and newer than its tables; reads no table."""
        return not outdated(self.run_folder, drawable(self.run_folder, FIGURES))

    def plot(self, figures: Sequence[str] | None = None, *, force: bool = False) -> list[Path]:
        """Draw figures as PDF and PNG; those newer than their tables only when ``force``.

        Parameters
        ----------
        figures
            Names of figures; None is all of them whose tables are there.

        Returns
        -------
        list of Path
            The files written.

        Raises
        ------
        UsageError
            A figure of that name is unknown.
        DamagedFile
            A table is not what was written.
        """
        wanted = named_figures(figures)
        possible = drawable(self.run_folder, wanted)
        if figures is not None:
            self._name_missing(wanted, possible)
        return self._draw(possible if force else outdated(self.run_folder, possible))

    @staticmethod
    def plot_runs(
        base_dir: Path | str,
        filter: Mapping[str, object] | None = None,
        *,
        figures: Sequence[str] | None = None,
        force: bool = False,
    ) -> list[Path]:
        """Draw the figures of every run below ``base_dir`` whose config holds ``filter``.

        Parameters
        ----------
        filter
            Nested like a config: ``{"Data": {"dataset-id": "fashionmnist"}}``.

        Raises
        ------
        UsageError
            There is no run, none has such a key, or none matches.
        """
        folders = matching_runs(Path(base_dir), filter or {})
        return [path for folder in folders for path in NCPlotter(folder).plot(figures, force=force)]

    def _draw(self, figures: Mapping[str, Figure]) -> list[Path]:
        if not figures:
            return []
        from layerscope.plotting.drawing.saving import save

        tables = self._tables(name for figure in figures.values() for name in figure.inputs)
        written = []
        for name, figure in figures.items():
            paths = plot_paths(self.run_folder, name)
            save(figure.draw(tables), paths)
            written += paths
        return written

    def _tables(self, names: Iterable[str]) -> RunTables:
        config = load_config(self.run_folder / "config.yaml")
        return RunTables.load(
            self.run_folder, dict.fromkeys(names), title=run_title(config), tap=config.model.tap
        )

    def _name_missing(self, wanted: Mapping[str, Figure], possible: Mapping[str, Figure]) -> None:
        for name in wanted.keys() - possible.keys():
            needs = " and ".join(wanted[name].inputs)
            _log.warning("%s is not drawn: %s lacks the tables %s it needs", name, self.run_folder, needs)
